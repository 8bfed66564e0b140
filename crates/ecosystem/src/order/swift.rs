//! hex: Elixir, Erlang, Gleam.

use std::cmp::Ordering;

use super::semver::{self, Parts};
use super::{BadVersion, Order};

/// Semantic versions as the Swift package manager compares them.
pub(super) struct Swift;

const ID: &str = "swift";

impl Order for Swift {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "as the Swift package manager decides"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        semver::compare(ID, left, right)
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        Parts::read(ID, version)?.key(key);
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        semver::EXAMPLES
    }
}
