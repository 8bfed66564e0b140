//! Sets of policies, and what policies say of what runs, as it is kept.

use model::{Digest, Moment, Platform};
use serde_json::Value as Json;

use super::NewEvent;

/// Policies that are to be in force somewhere.
#[derive(Clone, Copy, Debug)]
pub struct NewPolicySet<'a> {
    /// In this environment; none: wherever no environment has its own.
    pub environment: Option<&'a str>,
    /// The same for sets that say the same.
    pub digest: &'a str,
    /// What a list tells of it.
    pub summary: &'a Json,
    /// Its modules; null: those that come with the program. Whoever judges knows the shape.
    pub modules: &'a Json,
    /// Which of them count, and how.
    pub config: &'a Json,
}

/// A version of the policies somewhere, in short.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySetHead {
    /// The environment by its name; none: wherever no environment has its own.
    pub environment: Option<String>,
    /// Counted from 1 in each place.
    pub version: i64,
    /// Is it the one that is in force?
    pub in_force: bool,
    /// The same for sets that say the same.
    pub digest: String,
    /// What a list tells of it.
    pub summary: Json,
    /// When it was set.
    pub at: Moment,
    /// By whom.
    pub by: String,
}

/// A version of the policies somewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySetRecord {
    /// In short.
    pub head: PolicySetHead,
    /// Its modules; null: those that come with the program.
    pub modules: Json,
    /// Which of them count, and how.
    pub config: Json,
}

/// That an image runs, as whoever judges it by policies looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedRunning {
    /// The deployment's id.
    pub deployment: String,
    /// The environment's id.
    pub environment: String,
    /// What it is called there.
    pub application: String,
    /// For which platform.
    pub platform: Platform,
    /// The repository that it was recorded by.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// The image.
    pub digest: Digest,
    /// When it was analysed, if it was.
    pub analysed: Option<Moment>,
}

/// What policies say of an image, but for the words.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedImage {
    /// The image.
    pub digest: String,
    /// What it was judged from.
    pub ground: String,
    /// Of all that policies saw.
    pub mark: String,
    /// By policy.
    pub states: Json,
}

/// The same, with the words.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyVerdicts {
    /// But for the words.
    pub image: JudgedImage,
    /// The words.
    pub verdicts: Json,
    /// When it was judged.
    pub judged: Moment,
    /// When it was looked at last, and nothing was different.
    pub looked: Moment,
}

/// By what an environment was judged last.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyJudging {
    /// Another each time that it is.
    pub revision: i64,
    /// Policies and exceptions.
    pub stance: String,
    /// What that rests on, for people.
    pub basis: Json,
    /// When.
    pub at: Moment,
}

/// What came of judging all that runs in an environment.
#[derive(Clone, Debug)]
pub struct NewJudging<'a> {
    /// The environment's id.
    pub environment: &'a str,
    /// As it was judged before; 0: never.
    pub former: i64,
    /// Policies and exceptions.
    pub stance: &'a str,
    /// What that rests on.
    pub basis: &'a Json,
    /// The applications of which something is different, each with what it meets; none: it runs no more.
    pub states: &'a [(String, Option<Json>)],
    /// What is told.
    pub events: &'a [NewEvent],
    /// The day by its first moment, and how many images meet which policies.
    pub sample: (Moment, &'a Json),
}

/// How many images met which policies on a day.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySample {
    /// The day by its first moment.
    pub day: Moment,
    /// How many.
    pub sample: Json,
}
