//! A space: the namespace in which a package and an advisory can meet.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `debian:12`, `alpine:3.20`, `rhel:9`, `npm`: a family, and a release where the family has several.
///
/// The family of an operating system is the `ID` of its `os-release`, that of a language's packages
/// their purl type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Space(String);

impl Space {
    /// A space without releases.
    pub fn of(family: &str) -> Self {
        Self(family.to_ascii_lowercase())
    }

    /// The space of one release of a family.
    pub fn release(family: &str, release: &str) -> Self {
        Self(format!("{}:{release}", family.to_ascii_lowercase()))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `debian` of `debian:12`.
    pub fn family(&self) -> &str {
        self.0.split_once(':').map_or(&*self.0, |(family, _)| family)
    }

    /// `12` of `debian:12`.
    pub fn release_name(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, release)| release)
    }
}

impl From<&str> for Space {
    fn from(text: &str) -> Self {
        match text.split_once(':') {
            Some((family, release)) => Self::release(family, release),
            None => Self::of(text),
        }
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
