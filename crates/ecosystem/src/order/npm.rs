//! npm: Node.js.

use std::cmp::Ordering;

use super::semver::{self, Parts};
use super::{BadVersion, Order};

/// Semantic versions as node-semver reads them when it is told to be loose.
pub(super) struct Npm;

const ID: &str = "npm";

impl Order for Npm {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as node-semver decides, loosely"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        Ok(read(left)?.compare(&read(right)?))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        read(version)?.key(key);
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        semver::EXAMPLES
    }
}

fn read(version: &str) -> Result<Parts<'_>, BadVersion> {
    let text = version.trim_start_matches([' ', '=', 'v']);
    Parts::read(ID, text).map_err(|bad| BadVersion::new(ID, version, bad.why))
}
