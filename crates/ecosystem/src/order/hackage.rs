//! hackage: numbers and dots, as Haskell's Cabal has them.

use std::cmp::Ordering;

use super::{BadVersion, Order, dotted};

const ID: &str = "hackage";

pub(super) struct Hackage;

impl Order for Hackage {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as Cabal's `Version` decides: number by number, `1.0` before `1.0.0`"
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
            "0.0.0.1",
            "0.1",
            "0.1.0",
            "1",
            "1.0",
            "1.0.0",
            "1.2.3.4.5",
            "1.10",
            "1.9",
            "2",
            "20210101",
            "123456789012345678901234567890",
        ]
    }
}

fn read(version: &str) -> Result<Vec<&str>, BadVersion> {
    dotted::read(version, &['.'])
        .ok_or_else(|| BadVersion::new(ID, version, "it is not numbers parted by dots"))
}
