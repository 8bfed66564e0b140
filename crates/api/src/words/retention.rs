//! How long things are kept, and what goes.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::number::whole;

/// For how long something is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Keeping {
    /// What: `history`, `events`, `counts`, `evaluations`, `images`.
    pub what: String,
    /// For so many days; nothing is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Did nobody say so?
    pub by_default: bool,
    /// What it is, for people.
    pub means: String,
}

/// For how long something is to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepingFor {
    /// For so many days; nothing is for ever.
    #[schema(minimum = 1, maximum = 36500)]
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// Whether what is too old is to go, or only to be counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExpireQuery {
    /// Only say what would go.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// How much went, or would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Expired {
    /// Deployments that had ended.
    pub deployments: u64,
    /// Tags that had moved on.
    pub tags: u64,
    /// Events.
    pub events: u64,
    /// Counts of findings that others followed.
    pub counts: u64,
    /// Evaluations that others followed.
    pub evaluations: u64,
    /// Images, with the packages that only they had.
    pub images: u64,
}

/// Whether what runs is to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// Also where it runs: there it has ended, and the history says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deleted {
    /// Images, with the packages that only they had.
    pub images: u64,
    /// Tags, with where they led before.
    pub tags: u64,
    /// Deployments that ended for it.
    pub ended: u64,
}
