//! pear: PHP's own comparison of versions.

use std::cmp::Ordering;

use super::php::Cut;
use super::{BadVersion, Order};

const ID: &str = "pear";

pub(super) struct Pear;

impl Order for Pear {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as PHP's `version_compare` decides"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        Ok(read(left)?.compare(&read(right)?))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        read(version)?.key(key);
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "0",
            "1",
            "1.0",
            "1.0.0",
            "1.0dev",
            "1.0dev2",
            "1.0a1",
            "1.0alpha2",
            "1.0b",
            "1.0-beta.3",
            "1.0RC1",
            "1.0rc2",
            "1.0Rc2",
            "1.0pl1",
            "1.0p2",
            "1.0foo",
            "1.0.foo.1",
            "1~2",
            "01.00",
            "99999999999999999999",
            "99999999999999999998",
        ]
    }
}

fn read(version: &str) -> Result<Cut, BadVersion> {
    Cut::new(version)
        .ok_or_else(|| BadVersion::new(ID, version, "it begins with no digit, or ends in a mark"))
}
