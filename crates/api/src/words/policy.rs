//! Policies: which are in force where, and what they say of what runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::number;

/// A file of Rego.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyModule {
    /// Its path, as messages show it.
    pub name: String,
    /// Rego, version 1.
    pub text: String,
}

/// Policies that are to be in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingPolicies {
    /// These; none: those that come with the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<PolicyModule>,
    /// Which of them count, and with which thresholds.
    #[schema(value_type = Option<Object>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<serde_json::Value>,
    /// Where they come from, for people: `file rules/web.rego`, `bundle registry.example/policies@sha256:…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Those that were in force there as this version, again; then nothing else is said.
    #[schema(value_type = Option<i32>, minimum = 1)]
    #[serde(default, deserialize_with = "number::whole", skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// A policy that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyTitle {
    /// Its stable name.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its points in the score.
    pub points: u32,
}

/// A version of the policies of an environment or of an organisation, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyVersion {
    /// Of this environment; without it, of the organisation: they hold wherever no environment has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Counted from 1.
    pub version: u32,
    /// Is it the one that is in force?
    pub in_force: bool,
    /// Does it have no modules of its own, but those that come with the server?
    pub built_in: bool,
    /// Where its modules come from.
    pub sources: Vec<String>,
    /// The policies that count.
    pub policies: Vec<PolicyTitle>,
    /// When it was set.
    #[schema(format = DateTime)]
    pub set: String,
    /// By whom.
    pub set_by: String,
}

/// Policies, with all that is needed to judge by them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicySet {
    /// Which these are; without it nobody has set any, and those that come with the program count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<PolicyVersion>,
    /// Its modules; none: those that come with the program.
    pub modules: Vec<PolicyModule>,
    /// Which of them count, and with which thresholds.
    #[schema(value_type = Object)]
    pub config: serde_json::Value,
}

/// Policies that were put into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PoliciesKept {
    /// As they are now.
    pub version: PolicyVersion,
    /// Were others in force there, or none?
    pub new: bool,
}

/// Which policies are in force somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyPlace {
    /// The environment; without it, wherever no environment has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Which; without it, those that come with the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force: Option<PolicyVersion>,
}

/// Which version of policies is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PolicySetQuery {
    /// That one of this place; without it, those that are in force there.
    #[param(minimum = 1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

/// What policies say of what runs in an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyResults {
    /// The environment.
    pub environment: String,
    /// When it was judged last; without it, never yet.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<String>,
    /// By what; without it, it was never yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<PolicyBasis>,
    /// So many images run there,
    pub images: u64,
    /// and of so many of them nobody can tell yet what policies say.
    pub pending: u64,
    /// What runs there and nobody sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
    /// Each policy.
    pub policies: Vec<PolicyResult>,
    /// How many images have which health score.
    pub health: BTreeMap<String, u64>,
}

/// What verdicts rest on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyBasis {
    /// The almanac.
    pub almanac: String,
    /// The environment whose policies it were; without it, the organisation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Their version; without it, those that come with the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The exceptions that held there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<String>,
}

/// What a policy says of what runs in an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyResult {
    /// Its stable name.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its points in the score.
    pub points: u32,
    /// So many images meet it,
    pub met: u64,
    /// so many do not,
    pub not_met: u64,
    /// and of so many nobody can tell.
    pub unknown: u64,
    /// The images that do not meet it, then those of which nobody can tell; a hundred at most.
    pub images: Vec<PolicyImage>,
}

/// What a policy says of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyImage {
    /// A name that it runs by.
    pub image: String,
    /// Its digest.
    pub digest: String,
    /// What it runs as.
    pub applications: Vec<String>,
    /// Met, not met, or nobody can tell.
    pub state: PolicyState,
    /// Why nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// So much stands against it,
    pub count: u64,
    /// the first of that in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
    /// When it was judged.
    #[schema(format = DateTime)]
    pub judged: String,
}

/// What came of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyState {
    /// Nothing stands against the image.
    Met,
    /// Nobody can tell.
    Unknown,
    /// Something does.
    NotMet,
}

impl PolicyState {
    /// `met`, `unknown`, `not met`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Unknown => "unknown",
            Self::NotMet => "not met",
        }
    }
}

/// How many images met which policies on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicySample {
    /// The day, as it was judged last.
    #[schema(format = Date)]
    pub day: String,
    /// So many images ran,
    pub images: u64,
    /// and of so many of them nobody could tell what policies say.
    pub pending: u64,
    /// Each policy.
    pub policies: Vec<PolicyTally>,
    /// How many images had which health score.
    pub health: BTreeMap<String, u64>,
    /// How many findings there were, by severity, as far as they were counted.
    pub findings: BTreeMap<String, u64>,
}

/// How many images met a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyTally {
    /// Its stable name.
    pub id: String,
    /// What it was called.
    pub title: String,
    /// So many met it,
    pub met: u64,
    /// so many did not,
    pub not_met: u64,
    /// and of so many nobody could tell.
    pub unknown: u64,
}

/// Which days are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PolicyTrendQuery {
    /// The last so many days.
    #[param(minimum = 1, maximum = 366, default = 30)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}
