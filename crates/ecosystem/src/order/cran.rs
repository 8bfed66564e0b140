//! cran: numbers parted by dots or hyphens, as R has them.

use std::cmp::Ordering;

use super::{BadVersion, Order, dotted};

const ID: &str = "cran";

pub(super) struct Cran;

impl Order for Cran {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as R's `compareVersion` decides: a hyphen is a dot, `1.0` before `1.0.0`"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        Ok(dotted::compare(&read(left)?, &read(right)?))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        dotted::key(&read(version)?, key);
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &[
            "0",
            "0.0",
            "0.1-1",
            "0.1.1",
            "0.1-10",
            "0.1-9",
            "1",
            "1.0",
            "1.0-0",
            "1.0.0",
            "1-2.3",
            "01.02",
            "2.0.0.9000",
            "20230101120000",
            "99999999999999999999",
        ]
    }
}

fn read(version: &str) -> Result<Vec<&str>, BadVersion> {
    dotted::read(version, &['.', '-'])
        .ok_or_else(|| BadVersion::new(ID, version, "it is not numbers parted by dots or hyphens"))
}
