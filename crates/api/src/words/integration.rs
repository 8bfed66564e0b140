//! Integrations: the parties around us, what they are told, and what they tell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A kind of party that can be spoken with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IntegrationKind {
    /// `artifactory`.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Where a reader learns how it speaks.
    pub about: String,
    /// What must and may be told before it can be spoken with: a form is made of it.
    #[schema(value_type = Vec<Object>)]
    pub settings: Vec<serde_json::Value>,
    /// In which languages there is a template that its side can be made from: `json`.
    pub templates: Vec<String>,
    /// What stays at its side when we let go of it, to be deleted by hand.
    pub leftovers: Vec<RemovedAt>,
}

/// An integration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Integration {
    /// `artifactory`.
    pub kind: String,
    /// To tell several of a kind apart.
    pub name: String,
    /// What it was told, but for secrets: a list's entries have commas between them.
    pub parameters: BTreeMap<String, String>,
    /// Does it work?
    pub state: IntegrationState,
    /// Why it does not; where it does, what could not be looked at all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Since when.
    #[schema(format = DateTime)]
    pub since: String,
    /// So much of what it told waits to be looked into.
    pub waiting: u64,
    /// So much of it is set aside, because it cannot be dealt with.
    pub aside: u64,
    /// Its webhooks that were not taken since it was told something last, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedWebhooks>,
    /// When it was configured first.
    #[schema(format = DateTime)]
    pub created: String,
    /// By whom.
    pub created_by: String,
    /// The path, behind the server's own address, at which its webhooks come in; with the secret of
    /// those that have no other place for it. Whoever knows it can tell us something, so it is told to
    /// owners alone, and not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// The settings that are secret and are told. What they are is told to nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
}

/// Webhooks that were not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedWebhooks {
    /// So many.
    pub count: u64,
    /// When the last of them came.
    #[schema(format = DateTime)]
    pub last: String,
    /// Why that was not taken.
    pub why: String,
}

/// Does an integration work?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IntegrationState {
    /// Nobody knows yet.
    Pending,
    /// It does.
    Connected,
    /// It does not.
    Error,
}

/// What an integration is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Configuring {
    /// By the keys of its kind's settings; a list's entries have commas between them. A secret that
    /// is not named stays what it was, as long as the address does; one that is empty is let go of.
    pub parameters: BTreeMap<String, String>,
}

/// An integration, and what came of trying it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Configured {
    /// As it is now.
    pub integration: Integration,
    /// Each thing that it needs, in the order in which they need each other.
    pub checks: Vec<IntegrationCheck>,
}

/// One thing that an integration needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntegrationCheck {
    /// What.
    pub what: String,
    /// Is it there?
    pub outcome: Tried,
    /// More about that: why not, where it is not.
    pub detail: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tried {
    /// It is there.
    Ok,
    /// It is there, but.
    Warned,
    /// It is not.
    Failed,
}

/// A cluster that a party knows of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cluster {
    /// Its name there.
    pub name: String,
    /// The integration that it is that of already: a cluster is one environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
}

/// An integration is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removed {
    /// What was made for us at its side, and stays there until somebody deletes it.
    pub leftovers: Vec<RemovedAt>,
}

/// Something that was made at a party's for us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemovedAt {
    /// What it is, in its party's words.
    pub what: String,
    /// Its name there.
    pub name: String,
}

/// Something that an integration told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntegrationNotice {
    /// Its own.
    pub id: String,
    /// What it says, in one line.
    pub about: String,
    /// Where it is in its life.
    pub state: NoticeState,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed last, or why it is set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When it came.
    #[schema(format = DateTime)]
    pub heard: String,
    /// When it was dealt with.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// Where a notice is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeState {
    /// It is to be dealt with.
    Waiting,
    /// It was.
    Done,
    /// It cannot be, and is shown.
    Aside,
}

/// What is to be looked into once more, of what is set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retrying {
    /// This alone; without it all that can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

/// What is looked into once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Retried {
    /// So much. What nobody can read is none of it.
    pub notices: u64,
}

/// Which template is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TemplateQuery {
    /// In which language; `json` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

/// Which notices are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NoticeQuery {
    /// In this state.
    #[param(inline)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NoticeState>,
    /// `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
