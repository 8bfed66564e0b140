//! A gap: we answered, but there is a hole, and this says where and why.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A hole in an answer. It is carried, shown and counted; it never means "all is well".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gap {
    /// Where the hole is: a path, a layer, a package, a distribution.
    pub at: String,
    /// Why there is one, in a sentence without a capital or a full stop.
    pub why: String,
}

impl Gap {
    /// A hole at `at`, because of `why`.
    pub fn new(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { at: at.into(), why: why.into() }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.why)
    }
}
