//! Who is told of what, and what is told, as they are kept.

use model::{Event, Moment, OrganisationId};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::NewJob;

/// Begins why a channel does not work that takes nothing any more until somebody has mended it.
pub const SWITCHED_OFF: &str = "switched off: ";

/// That somebody is to be told of something.
#[derive(Clone, Copy, Debug)]
pub struct NewRule<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The kind of the integration that tells: `slack`.
    pub kind: &'a str,
    /// That integration's name.
    pub channel: &'a str,
    /// Of what, and when; whoever looks through events knows the shape. Names of environments in its
    /// list `environments` follow when one is renamed.
    pub definition: &'a Json,
}

/// A rule that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRecord {
    /// Its own.
    pub id: String,
    /// Whose.
    pub organisation: OrganisationId,
    /// What it is called.
    pub name: String,
    /// The id of the integration that tells.
    pub integration: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub channel: String,
    /// Of what, and when.
    pub definition: Json,
    /// When it was made.
    pub created: Moment,
    /// By whom.
    pub created_by: String,
    /// When it was changed last.
    pub changed: Moment,
    /// By whom.
    pub changed_by: String,
}

/// An event that may be told of.
#[derive(Clone, Debug, PartialEq)]
pub struct Tiding {
    /// As it was written down.
    pub event: Event,
    /// What its environment is called by now; none, if it has none, or that is not there any more.
    pub environment_now: Option<String>,
}

/// What happened since rules were last looked through.
#[derive(Clone, Debug, PartialEq)]
pub struct Tidings {
    /// First things first.
    pub tidings: Vec<Tiding>,
    /// How to ask for what follows.
    pub cursor: String,
    /// Is that all there is by now?
    pub is_all: bool,
}

/// Something that is to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// The id of the rule by which it is told.
    pub rule: String,
    /// The id of the integration that tells.
    pub integration: String,
    /// What is told once: under one key of a rule there is one.
    pub key: String,
    /// In one line, for people.
    pub about: String,
    /// What is told; whoever delivers it knows the shape.
    pub body: Json,
    /// Not before this.
    pub ready: Moment,
    /// What it goes on with: the id of what waits, and its body as it was when it was read.
    pub instead_of: Option<(String, Json)>,
}

/// That a rule told of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recollection {
    /// The rule's id.
    pub rule: String,
    /// Of what.
    pub what: String,
    /// How bad it was said to be; more is worse.
    pub severity: i64,
}

/// What comes of looking through events: all of it is kept, or nothing.
#[derive(Clone, Copy, Debug)]
pub struct Bundle<'a> {
    /// The cursor that was looked from.
    pub from: &'a str,
    /// The one where the next look begins.
    pub to: &'a str,
    /// What is to be told.
    pub messages: &'a [NewMessage],
    /// What need not be told again; each once.
    pub told: &'a [Recollection],
    /// Who delivers it.
    pub jobs: &'a [NewJob],
}

/// Something that is to be delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingMessage {
    /// Its own: the same however often it is tried.
    pub id: String,
    /// The name of the rule by which it is told; none, where it is about the channel itself.
    pub rule: Option<String>,
    /// The rule's id.
    pub rule_id: Option<String>,
    /// What is told only once.
    pub key: String,
    /// What is told.
    pub body: Json,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was to be told first.
    pub due: Moment,
}

/// Something that was to be told, as one sees it from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its own.
    pub id: String,
    /// The rule's name.
    pub rule: Option<String>,
    /// The kind of the integration that tells.
    pub kind: String,
    /// That integration's name.
    pub channel: String,
    /// In one line.
    pub about: String,
    /// Where it is in its life.
    pub state: OutboxState,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was not told.
    pub trouble: Option<String>,
    /// When it was written down.
    pub created: Moment,
    /// When it is told next.
    pub ready: Moment,
    /// When it was told, or given up.
    pub ended: Option<Moment>,
}

/// Where something that is to be told is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutboxState {
    /// It is to be told.
    Waiting,
    /// It was.
    Sent,
    /// Nobody took it for so long that it is not told any more.
    Failed,
    /// It was not taken, however often it would be told.
    Dropped,
}

impl OutboxState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Sent, Self::Failed, Self::Dropped];

    /// `waiting`, `sent`, `failed`, `dropped`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}
