//! pub: Dart and Flutter.

use std::cmp::Ordering;

use super::semver::{Identifier, Parts};
use super::{BadVersion, Order};

/// Semantic versions, but a build sorts: after none, and by its own identifiers.
pub(super) struct Pub;

const ID: &str = "pub";

impl Order for Pub {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as Dart's pub_semver decides"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        let (left, right) = (Parts::read(ID, left)?, Parts::read(ID, right)?);
        Ok(left.compare(&right).then_with(|| builds(&left).cmp(builds(&right))))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        let parts = Parts::read(ID, version)?;
        parts.key(key);
        if parts.build.is_some() {
            key.push(BUILD);
            builds(&parts).for_each(|it| it.key(key));
        }
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "1",
            "1.0.0",
            "v1.0.0",
            "1.0.0+1",
            "1.0.0+2",
            "1.0.0+10",
            "1.0.0+a",
            "1.0.0+1.a",
            "1.0.0-nullsafety.0",
            "1.0.0-nullsafety.0+1",
            "1.0.0-nullsafety.0.1",
            "1.0.0-dev",
            "1.0.0-dev+1",
            "1.0.1",
            "0.13.4+1",
            "0.13.4",
            "0.13.4+01",
            "2.0.0-99999999999999999999",
        ]
    }
}

fn builds<'a>(parts: &Parts<'a>) -> impl Iterator<Item = Identifier<'a>> {
    parts.build.into_iter().flat_map(|it| it.split('.')).map(Identifier::new)
}

/// Below all that could go on with the version.
const BUILD: u8 = 3;
