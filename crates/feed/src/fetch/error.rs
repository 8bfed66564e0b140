//! Why something could not be fetched.

use std::io;

/// What would be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The settings make no sense.
    Invalid,
    /// It is not there.
    NotFound,
    /// We may not have it.
    Denied,
    /// Whoever has it does not answer: try later.
    Unavailable,
    /// It is not what it should be.
    Corrupt,
    /// It is more than we are willing to take.
    Limit,
    /// We were told not to ask.
    Offline,
    /// It cannot be kept here.
    Disk,
}

/// What failed, and why.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Error {
    /// What would be done about it.
    pub kind: ErrorKind,
    /// What was wanted: a feed and its part.
    pub what: String,
    /// Why it was not had.
    pub why: String,
    hint: Option<String>,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { kind, what: what.into(), why: why.into(), hint: None }
    }

    pub(super) fn disk(what: &str, why: &io::Error) -> Self {
        Self::new(ErrorKind::Disk, what, why.to_string())
    }

    #[must_use]
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}
