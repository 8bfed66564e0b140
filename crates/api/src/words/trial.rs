//! Policies that are not in force: which there are to choose from, and what would be if they were.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::number;
use super::policy::{PolicyBasis, PolicyModule, PolicyState};

/// Whose policies are chosen from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PolicyChoicesQuery {
    /// Those in force in this environment; without it, those of the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// A policy of a set, whether it counts or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyChoice {
    /// Its stable name.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// What it is about.
    pub description: String,
    /// Its points in the score.
    pub points: u32,
    /// Does it count?
    pub counts: bool,
    /// Would it, if nothing were said of it?
    pub by_default: bool,
    /// What it is told now: an object.
    #[schema(value_type = Object)]
    pub config: serde_json::Value,
    /// What it can be told, as far as its module says so.
    pub thresholds: Vec<PolicyThreshold>,
}

/// Something that a policy can be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyThreshold {
    /// Its key in the policy's configuration.
    pub key: String,
    /// What it means.
    pub about: String,
    /// What holds where nothing is said; without it, the module does not say it plainly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
}

/// Policies that are tried out, and kept nowhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryingPolicies {
    /// As if they were in force in this environment; without it, as if they were the organisation's, which
    /// hold wherever no environment has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// These; none: those that come with the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<PolicyModule>,
    /// Which of them count, and with which thresholds.
    #[schema(value_type = Option<Object>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<serde_json::Value>,
    /// On these images, by their digests, whether they run or not; none: on what runs there.
    #[schema(max_items = 20)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// On so many images at most; 0: they are only read.
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 100, default = 30)]
    #[serde(default, deserialize_with = "number::whole", skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What would be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyTrial {
    /// Whose policies are in force there now, and what else holds there.
    pub basis: PolicyBasis,
    /// The policies of the set that was tried.
    pub choices: Vec<PolicyChoice>,
    /// So many images are concerned;
    pub images: u64,
    /// so many of them were judged by what is in force and by what was tried,
    pub judged: u64,
    /// of so many nobody can tell what is inside,
    pub pending: u64,
    /// and for so many there was no time, or they are more than were asked for.
    pub left: u64,
    /// Each policy that counts now or would.
    pub policies: Vec<TriedPolicy>,
    /// What would be another than it is, the worst first; 200 at most.
    pub changes: Vec<TriedChange>,
    /// So many more of those.
    pub more: u64,
}

/// How many images meet a policy, and would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TriedPolicy {
    /// Its stable name.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Now; without it, it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<TriedTally>,
    /// As it would be; without it, it would not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<TriedTally>,
}

/// How many images meet a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TriedTally {
    /// So many do,
    pub met: u64,
    /// so many do not,
    pub not_met: u64,
    /// and of so many nobody can tell.
    pub unknown: u64,
}

/// What a policy would say otherwise of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TriedChange {
    /// The policy.
    pub policy: String,
    /// A name of the image.
    pub image: String,
    /// Its digest.
    pub digest: String,
    /// The environment that it runs in; without it, it was asked for by its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What the policy says now; without it, it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<PolicyState>,
    /// What it would say; without it, it would not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<PolicyState>,
    /// Why nobody could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// So much would stand against the image,
    pub count: u64,
    /// the first of that in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
}

/// What the policies of an environment say of an image that runs there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImagePolicies {
    /// The environment.
    pub environment: String,
    /// When it was judged; without it, not yet.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<String>,
    /// By what; without it, it was not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<PolicyBasis>,
    /// Its health score there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// Each policy.
    pub policies: Vec<ImagePolicy>,
}

/// What a policy says of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImagePolicy {
    /// Its stable name.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its points in the score.
    pub points: u32,
    /// Met, not met, or nobody can tell.
    pub state: PolicyState,
    /// Why nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// So much stands against the image,
    pub count: u64,
    /// the first of that in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
}
