//! Rules: who is told of what, and what was told.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What somebody may want to be told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Topic {
    /// `new-finding`.
    pub id: String,
    /// In one line.
    pub about: String,
    /// The kinds of events that may be about it.
    pub events: Vec<String>,
}

/// Who tells: an integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its kind: `slack`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// That somebody is to be told of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ruling {
    /// By whom.
    pub channel: Channel,
    /// Of what, and when.
    pub definition: Definition,
}

/// Of what somebody is to be told, and when. What is left out narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Topics by their names, or `all`.
    pub on: Vec<String>,
    /// In these environments, by their names or by globs. What happens in none is told anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// Of these repositories, by their names or by globs. What is about none is told anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<String>,
    /// Flaws of these severities. What is about no flaw is told anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<String>,
    /// Only flaws of packages that are in use at run time. Where nobody can tell, they are told, with
    /// these words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_use_only: bool,
    /// Not at once, but together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digesting>,
    /// Not while others sleep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
}

/// What happens is told together, so often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Digesting {
    /// How often.
    pub every: Every,
    /// When, on a day: `08:00`, if nobody says otherwise; weekly, on Mondays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// By the clock of which zone: `Europe/Berlin`; UTC, if nobody says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Every {
    /// At each full hour.
    Hourly,
    /// Once a day.
    Daily,
    /// On Mondays.
    Weekly,
}

/// When nothing is told: it is told together, when that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// From then on: `22:00`.
    pub from: String,
    /// Until then: `07:00`.
    pub until: String,
    /// By the clock of which zone: `Europe/Berlin`; UTC, if nobody says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Flaws of these severities are told all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<String>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rule {
    /// What it is called.
    pub name: String,
    /// By whom it tells.
    pub channel: Channel,
    /// Of what, and when.
    pub definition: Definition,
    /// Environments that it names, and that are not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// So much waits to be told by it.
    pub waiting: u64,
    /// When it was made.
    #[schema(format = DateTime)]
    pub created: String,
    /// By whom.
    pub created_by: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    pub changed: String,
    /// By whom.
    pub changed_by: String,
}

/// Of which time it is told what a rule would have told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// Of the last days, so many.
    #[param(minimum = 1, maximum = 90, default = 7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// What a rule would have told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// First things first: each of a time at which something happened.
    pub messages: Vec<Previewed>,
    /// So many events were looked through.
    pub events: u64,
    /// Is that all there were? Older ones are left out where they are too many.
    pub is_all: bool,
}

/// What was told to try a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tested {
    /// That.
    pub sent: Previewed,
}

/// A message that would have been told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Previewed {
    /// When it would have been told.
    #[schema(format = DateTime)]
    pub at: String,
    /// What happened.
    pub kind: String,
    /// In one line.
    pub title: String,
    /// More than that, a line each.
    pub lines: Vec<String>,
}

/// Something that is to be told, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notification {
    /// Its own.
    pub id: String,
    /// By which rule; none, where it is about the channel itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// By whom.
    pub channel: Channel,
    /// In one line.
    pub about: String,
    /// Where it is in its life.
    pub state: NotificationState,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// When it was written down.
    #[schema(format = DateTime)]
    pub created: String,
    /// When it is told next, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub ready: Option<String>,
    /// When it was told, or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub ended: Option<String>,
}

/// Where something that is to be told is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotificationState {
    /// It is to be told.
    Waiting,
    /// It was.
    Sent,
    /// Nobody took it for so long that it is not told any more.
    Failed,
    /// It was not taken, however often it would be told.
    Dropped,
}

/// Which notifications are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NotificationQuery {
    /// In this state.
    #[param(inline)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NotificationState>,
    /// `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What was given up, or waits for its next try, is told once more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Resending {
    /// One alone; none is all.
    pub notification: Option<String>,
}

/// How much is told once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resent {
    /// So much.
    pub retried: u64,
}
