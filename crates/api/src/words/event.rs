//! What changed, when, by whom, from where.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its own; sorts by the time it was written down.
    pub id: String,
    /// What kind of change: `deployment-started`.
    pub kind: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Who.
    pub who: String,
    /// From where: a machine, a CI run, a cluster.
    pub origin: String,
    /// The environment it is about, by its name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What it is about: an application, an image, a repository, a name.
    pub about: String,
    /// In numbers and names, as far as the kind has any.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
}

impl From<model::Event> for Event {
    fn from(it: model::Event) -> Self {
        Self {
            id: it.id,
            kind: it.kind.as_str().to_owned(),
            at: it.act.at.to_string(),
            who: it.act.who,
            origin: it.act.origin,
            environment: it.environment,
            about: it.about,
            detail: it.detail,
        }
    }
}

/// Which events are told as they happen: those for which all that is said holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LiveQuery {
    /// About this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Of these kinds, parted by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<String>,
}

impl From<LiveQuery> for EventQuery {
    fn from(it: LiveQuery) -> Self {
        Self { environment: it.environment, kinds: it.kinds, ..Self::default() }
    }
}

/// Which events are meant: those for which all that is said holds, latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// About this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Of these kinds, parted by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<String>,
    /// Of this time or later.
    #[param(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Earlier than this.
    #[param(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
