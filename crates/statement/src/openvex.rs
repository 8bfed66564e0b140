//! openvex: OpenVEX 0.0.x and 0.2.0. <https://github.com/openvex/spec>

use std::collections::BTreeMap;

use model::{Product, Statement};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::contract::{Document, Read, Unreadable};
use crate::room::{PRODUCT, Room, weight_of};
use crate::shared::{Named, head_of, one_or_many, said, status};

pub(crate) struct OpenVex;

impl Document for OpenVex {
    fn id(&self) -> &'static str {
        "openvex"
    }

    fn title(&self) -> &'static str {
        "OpenVEX 0.2.0 and earlier"
    }

    fn claims(&self, bytes: &[u8]) -> bool {
        head_of(bytes).is_some_and(|it| it.context.is_some_and(|it| it.contains("openvex.dev/ns")))
    }

    fn read(&self, origin: &str, bytes: &[u8]) -> Result<Read, Unreadable> {
        let file: File<'_> = serde_json::from_slice(bytes)
            .map_err(|e| Unreadable(format!("it is not OpenVEX: {e}")))?;
        let mut read = Read::default();
        let mut room = Room::of(bytes);
        for (number, text) in file.statements.iter().enumerate() {
            let at = || format!("{origin}, statement {}", number + 1);
            if room.is_full() {
                room.leave_out();
                continue;
            }
            match serde_json::from_str::<Entry>(text.get()) {
                Ok(entry) => match entry.statement(origin, &file, &room) {
                    Ok(Some(statement)) => room.tell(&mut read, statement),
                    Ok(None) => room.leave_out(),
                    Err(why) => read.hole(at(), why),
                },
                Err(e) => read.hole(at(), format!("it makes no sense: {e}")),
            }
        }
        room.end(&mut read, origin);
        Ok(read)
    }
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(default, rename = "@id")]
    id: Option<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
    #[serde(default, borrow)]
    statements: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry {
    vulnerability: Named<Flaw>,
    #[serde(default, deserialize_with = "one_or_many")]
    products: Vec<Named<Component>>,
    /// Version 0.0.x has the parts beside the products.
    #[serde(default, deserialize_with = "one_or_many")]
    subcomponents: Vec<Named<Component>>,
    status: String,
    #[serde(default)]
    justification: Option<String>,
    #[serde(default)]
    impact_statement: Option<String>,
    #[serde(default)]
    action_statement: Option<String>,
    #[serde(default)]
    status_notes: Option<String>,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
}

#[derive(Deserialize)]
struct Flaw {
    #[serde(default, rename = "@id")]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default, rename = "@id")]
    id: Option<String>,
    #[serde(default)]
    identifiers: BTreeMap<String, String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "one_or_many")]
    subcomponents: Vec<Named<Component>>,
}

impl Entry {
    /// `None`: there is no room for it.
    fn statement(
        self,
        origin: &str,
        file: &File<'_>,
        room: &Room,
    ) -> Result<Option<Statement>, String> {
        let status =
            status(&self.status).ok_or_else(|| format!("`{}` is no status", said(&self.status)))?;
        let mut flaws = match self.vulnerability {
            Named::Name(name) => vec![last_part(name)],
            Named::Object(Flaw { id, name, aliases }) => {
                // The name is the flaw's; the id may be an address that ends in it.
                name.or(id.map(last_part)).into_iter().chain(aliases).collect()
            }
        };
        flaws.retain(|it| !it.is_empty());
        flaws.dedup();
        if flaws.is_empty() {
            return Err("it names no flaw".to_owned());
        }
        let beside: Vec<Vec<String>> = self.subcomponents.iter().map(names).collect();
        // Each product has them.
        let weight = beside.iter().map(|it| weight_of(it) + PRODUCT).sum::<usize>();
        if !room.holds(weight.saturating_mul(self.products.len())) {
            return Ok(None);
        }
        let products = self.products.iter().map(|it| {
            let mut product = product(it);
            product.parts.extend(beside.iter().filter(|it| !it.is_empty()).cloned());
            product
        });
        let notes = [self.impact_statement, self.action_statement, self.status_notes];
        let note = notes.into_iter().flatten().collect::<Vec<_>>().join("; ");
        Ok(Some(Statement {
            origin: origin.to_owned(),
            document: file.id.clone(),
            author: file.author.clone(),
            said: (self.last_updated.or(self.timestamp))
                .or_else(|| file.last_updated.clone())
                .or_else(|| file.timestamp.clone()),
            flaws,
            products: products.collect(),
            status,
            justification: self.justification,
            note: (!note.is_empty()).then_some(note),
            expires: None,
        }))
    }
}

fn names(component: &Named<Component>) -> Vec<String> {
    match component {
        Named::Name(name) => vec![name.clone()],
        Named::Object(Component { id, identifiers, hashes, .. }) => {
            let digests = hashes.iter().filter(|(kind, _)| kind.contains("256"));
            let digests = digests.map(|(_, hash)| format!("sha256:{hash}"));
            id.iter().chain(identifiers.values()).cloned().chain(digests).collect()
        }
    }
}

fn product(component: &Named<Component>) -> Product {
    let parts = match component {
        Named::Name(_) => Vec::new(),
        Named::Object(it) => it.subcomponents.iter().map(names).collect(),
    };
    Product { names: names(component), parts, versions: None }
}

/// `https://nvd.nist.gov/vuln/detail/CVE-2023-1` names CVE-2023-1.
fn last_part(address: String) -> String {
    if !address.contains("://") {
        return address;
    }
    address.rsplit(['/', '#', '?', '=']).next().unwrap_or_default().to_owned()
}
