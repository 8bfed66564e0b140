//! The parties around us, as they are kept.

use model::{Moment, OrganisationId, Secret};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A party that is to be spoken with.
#[derive(Clone, Copy, Debug)]
pub struct NewIntegration<'a> {
    /// `artifactory`.
    pub kind: &'a str,
    /// To tell several of a kind apart.
    pub name: &'a str,
    /// Keys and values, nothing of them secret.
    pub settings: &'a [(String, String)],
    /// Keys and secrets. Those that are not named stay as they are, while it is reached as before.
    pub secrets: &'a [(String, Secret)],
    /// The keys of secrets that are let go of.
    pub unset: &'a [String],
    /// The keys of the settings that say how it is reached: secrets that were told for another
    /// address are let go of, and so is what was seen and heard there.
    pub address: &'a [&'a str],
    /// The keys of the settings that say what of it is watched: when that changes, nobody knows any
    /// more what was there before.
    pub scope: &'a [&'a str],
    /// The key of the secret that others prove themselves with: a former one holds for a while, so
    /// that they can be told.
    pub proof: Option<&'a str>,
    /// SHA-256 of the secret in the path of its webhooks, should it have none yet, and that secret.
    pub hook: (&'a [u8; 32], &'a Secret),
}

/// A party that is spoken with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegrationRecord {
    /// Its own.
    pub id: String,
    /// Whose.
    pub organisation: OrganisationId,
    /// `artifactory`.
    pub kind: String,
    /// To tell several of a kind apart.
    pub name: String,
    /// Keys and values, nothing of them secret.
    pub settings: Vec<(String, String)>,
    /// Does it work?
    pub state: IntegrationState,
    /// Since when.
    pub state_since: Moment,
    /// How often it was told something else.
    pub revision: i64,
    /// The revision in which it was told its address.
    pub address_since: i64,
    /// That in which it was told what of it is watched.
    pub scope_since: i64,
    /// When it was configured first.
    pub created: Moment,
    /// By whom.
    pub created_by: String,
}

/// An integration whose party is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueLook {
    /// Its own id.
    pub id: String,
    /// Whose.
    pub organisation: OrganisationId,
    /// `artifactory`.
    pub kind: String,
}

/// Does an integration work?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntegrationState {
    /// Nobody knows yet.
    Pending,
    /// It does.
    Connected {
        /// What could not be looked at all the same.
        but: Option<String>,
    },
    /// It does not.
    Failed {
        /// Why.
        why: String,
    },
}

/// The secrets of an integration, opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntegrationSecrets {
    /// By the key of their setting.
    pub new: Vec<(String, Secret)>,
    /// Those that were there before, and still hold.
    pub old: Vec<(String, Secret)>,
    /// When the first of those ends.
    pub until: Option<Moment>,
    /// The one in the path of its webhooks.
    pub hook: Option<Secret>,
}

/// Something that a party told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotice {
    /// The same for the same notice.
    pub id: String,
    /// Does no other notice ever have this id?
    pub is_unique: bool,
    /// In one line, for people.
    pub about: String,
    /// What it is about, with its registry.
    pub repository: Option<String>,
    /// What it says; whoever deals with it knows the shape.
    pub payload: Json,
    /// Why nothing can be done about it.
    pub trouble: Option<String>,
}

/// What came of hearing something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// So many were new.
    pub new: u64,
    /// So many were heard before.
    pub known: u64,
}

/// Why a notice is not dealt with yet.
#[derive(Clone, Copy, Debug)]
pub struct Setback<'a> {
    /// What is told of it.
    pub why: &'a str,
    /// Nobody answers, which says nothing of the notice: it is set aside only when that lasts.
    pub is_away: bool,
    /// For so many seconds nobody is to be asked.
    pub wait: i64,
}

/// A notice that is to be dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingNotice {
    /// Its own.
    pub id: String,
    /// What it says.
    pub payload: Json,
    /// How often it was tried.
    pub attempts: u32,
    /// When it came.
    pub heard: Moment,
    /// When it is to be dealt with.
    pub ready: Moment,
}

/// How much of what an integration told is not dealt with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoticeCounts {
    /// It is to be.
    pub waiting: u64,
    /// It cannot be.
    pub aside: u64,
}

/// Webhooks that were not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// So many.
    pub count: u64,
    /// When the last of them came.
    pub last: Moment,
    /// Why that was not taken.
    pub why: String,
}

/// A notice as one sees it from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeReport {
    /// Its own.
    pub id: String,
    /// In one line.
    pub about: String,
    /// Where it is in its life.
    pub state: NoticeState,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed last, or why it is set aside.
    pub trouble: Option<String>,
    /// When it came.
    pub heard: Moment,
    /// When it was dealt with.
    pub ended: Option<Moment>,
}

/// Where a notice is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeState {
    /// It is to be dealt with.
    Waiting,
    /// It was.
    Done,
    /// It cannot be, and is shown.
    Aside,
}

impl NoticeState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Done, Self::Aside];

    /// `waiting`, `done`, `aside`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Aside => "aside",
        }
    }
}
