//! What is written down when a new almanac was judged by.

use model::{Act, EventKind, Moment};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// An event that whoever evaluates found out.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// What kind of change.
    pub kind: EventKind,
    /// The environment it is about, by its present name.
    pub environment: Option<String>,
    /// What it is about.
    pub about: String,
    /// In numbers and names.
    pub detail: serde_json::Value,
}

/// An event as it was written down: what it tells in numbers and names is not read.
#[derive(Clone, Debug)]
pub struct WrittenEvent {
    /// As [`model::Event`] has it, and so the rest.
    pub id: String,
    /// Who, from where, when.
    pub act: Act,
    /// What kind of change.
    pub kind: EventKind,
    /// The environment it is about, by its name at that time.
    pub environment: Option<String>,
    /// What it is about.
    pub about: String,
    /// In numbers and names.
    pub detail: Box<RawValue>,
}

/// That an organisation's things were judged by an almanac.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The almanac's digest.
    pub almanac: String,
    /// When.
    pub at: Moment,
}

/// How many findings there are in an environment, by severity, and in what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Critical findings.
    pub critical: u64,
    /// High ones.
    pub high: u64,
    /// Medium ones.
    pub medium: u64,
    /// Low ones.
    pub low: u64,
    /// Those nobody rated.
    pub unspecified: u64,
    /// Images that run.
    pub images: u64,
    /// Those of them that are not analysed yet.
    pub pending: u64,
    /// Holes in the answer.
    pub gaps: u64,
}

/// How many findings there were since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Since when.
    pub at: Moment,
    /// Judged by which almanac.
    pub almanac: String,
    /// How many.
    #[serde(flatten)]
    pub counts: Counts,
}
