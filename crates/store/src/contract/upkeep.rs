//! Requests made twice, secrets, backups, and what a doctor finds.

use model::Moment;
use serde::{Deserialize, Serialize};

/// What becomes of a request under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idempotent {
    /// It is new: do it.
    GoAhead {
        /// Proof of being the one who does it.
        claim: String,
    },
    /// Somebody does it: ask again later.
    InProgress,
    /// It was done, and answered so.
    Answered {
        /// The status of the answer.
        status: u16,
        /// The answer.
        body: Vec<u8>,
    },
}

/// A secret as one sees it from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRecord {
    /// What it is kept under.
    pub name: String,
    /// The id of the key it is sealed with.
    pub key: String,
    /// Since when.
    pub kept: Moment,
    /// Who kept it.
    pub kept_by: String,
}

/// What came of a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// How many rows there were.
    pub rows: u64,
}

/// Something that was looked at, and whether it is as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// What is wrong with it, if anything.
    pub trouble: Option<Trouble>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What it is.
    pub what: String,
    /// What to do.
    pub hint: String,
}
