//! in-toto: a VEX document as the predicate of a statement about an image.
//! <https://github.com/in-toto/attestation/tree/main/spec>
//!
//! Who signed it is not asked here: the document is read, not trusted.

use std::collections::BTreeMap;

use model::Product;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::contract::{Document, Read, Unreadable};
use crate::csaf::Csaf;
use crate::cyclonedx::CycloneDx;
use crate::openvex::OpenVex;
use crate::room::{PRODUCT, Room, weight_of};
use crate::shared::head_of;

pub(crate) struct InToto;

/// What a predicate may be.
const PREDICATES: &[&dyn Document] = &[&OpenVex, &Csaf, &CycloneDx];

impl Document for InToto {
    fn id(&self) -> &'static str {
        "in-toto"
    }

    fn title(&self) -> &'static str {
        "in-toto statement with one of these as its predicate"
    }

    fn claims(&self, bytes: &[u8]) -> bool {
        let kind = head_of(bytes).and_then(|it| it.kind);
        kind.is_some_and(|it| it.starts_with("https://in-toto.io/Statement/"))
    }

    fn read(&self, origin: &str, bytes: &[u8]) -> Result<Read, Unreadable> {
        let file: File<'_> = serde_json::from_slice(bytes)
            .map_err(|e| Unreadable(format!("it is no in-toto statement: {e}")))?;
        let predicate = file.predicate.get().as_bytes();
        let Some(kind) = PREDICATES.iter().find(|it| it.claims(predicate)) else {
            let why = "its predicate is none of OpenVEX, CSAF VEX and CycloneDX";
            return Err(Unreadable(why.to_owned()));
        };
        let mut read = kind.read(origin, predicate)?;
        // A sentence without a product is about what the statement is about.
        let about: Vec<Product> = file.subject.into_iter().map(Subject::product).collect();
        let weight: usize = about.iter().map(|it| weight_of(&it.names) + PRODUCT).sum();
        let mut room = Room::of(bytes);
        read.statements.retain_mut(|it| {
            if !it.products.is_empty() || about.is_empty() {
                return true;
            }
            let has_room = room.take(weight.saturating_mul(it.flaws.len()));
            if has_room {
                it.products.clone_from(&about);
            } else {
                room.leave_out();
            }
            has_room
        });
        room.end(&mut read, origin);
        Ok(read)
    }
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(default)]
    subject: Vec<Subject>,
    #[serde(borrow)]
    predicate: &'a RawValue,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

impl Subject {
    fn product(self) -> Product {
        let digests = self.digest.into_iter().map(|(kind, hash)| format!("{kind}:{hash}"));
        Product { names: self.name.into_iter().chain(digests).collect(), ..Product::default() }
    }
}
