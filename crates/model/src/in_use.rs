//! In use: what containers of an image were seen to load.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What the containers of an image load.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The packages that were loaded.
    pub packages: BTreeSet<Loaded>,
    /// Was each of its containers looked at, and all of it read? What is not among the packages is
    /// not loaded only then.
    pub is_whole: bool,
}

/// A package that a container loads.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Loaded {
    /// `openssl`.
    pub name: String,
    /// `3.0.2-0ubuntu1`.
    pub version: String,
    /// Its package URL, where that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// Which kind of package, in the word of whoever looked, in lower case: `java`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Is it installed by the distribution's package manager?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_system: bool,
}

/// Who looked at what an image loads where it runs, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InUse {
    /// The runtimes, by name.
    pub by: Vec<String>,
    /// When the one looked that did so least lately, in RFC 3339.
    pub seen: String,
    /// Was that so long ago that it says nothing any more?
    pub is_old: bool,
}
