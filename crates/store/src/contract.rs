//! What the store answers besides the nouns of `model`: pages, outcomes, and why there is no answer.

mod bases;
mod evaluations;
mod exceptions;
mod integrations;
mod numbers;
mod people;
mod policies;
mod runtimes;
mod schedules;
mod telling;
mod upkeep;

use model::{
    Deployment, Digest, EventKind, ImageState, Inventory, Moment, Package, Platform, Purl, Retained,
};
use serde::{Deserialize, Serialize};

pub use bases::{BaseRecord, LayeredImage, NewBase};
pub use evaluations::{Counted, Counts, Evaluation, NewEvent, WrittenEvent};
pub use exceptions::{ExceptionRecord, NewException};
pub use integrations::{
    DueLook, IntegrationRecord, IntegrationSecrets, IntegrationState, Kept, NewIntegration,
    NewNotice, NoticeCounts, NoticeReport, NoticeState, Refused, Setback, WaitingNotice,
};
pub use numbers::{Changes, ImageContent, RunningImage, SetPackage};
pub use people::{Caller, NewSecret, NewToken, Newcomer, Speaker};
pub use policies::{
    JudgedImage, JudgedRunning, NewJudging, NewPolicySet, PolicyJudging, PolicySample,
    PolicySetHead, PolicySetRecord, PolicyVerdicts,
};
pub(crate) use runtimes::is_silent;
pub use runtimes::{
    Container, KeptContainer, RunsIn, RuntimeRecord, SeenInUse, Snapped, Snapshot, Unplaced,
    Workload,
};
pub use schedules::{NewSchedule, ScheduleRecord, Turn};
pub use telling::{
    Bundle, NewMessage, NewRule, OutboxEntry, OutboxState, Recollection, RuleRecord, SWITCHED_OFF,
    Tiding, Tidings, WaitingMessage,
};
pub use upkeep::{Check, Idempotent, Restored, SecretRecord, Trouble};

/// Why the store has no answer. Variants are what the caller would do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing here: name another.
    #[error("{what} `{name}`: there is none")]
    NotFound {
        /// `environment`, `image`.
        what: &'static str,
        /// As it was asked for.
        name: String,
        /// The names that exist, sorted, as far as they are few.
        among: Vec<String>,
    },
    /// There is one already.
    #[error("{what} `{name}`: there is one already")]
    Exists {
        /// `environment`, `organisation`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// This cannot be kept: say something else.
    #[error("{what}: {why}")]
    Refused {
        /// What was said.
        what: String,
        /// Why it cannot be.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
    /// It is in use: end that first.
    #[error("{what}: {why}")]
    InUse {
        /// What was to be changed.
        what: String,
        /// By whom it is used.
        why: String,
        /// What to do.
        hint: String,
    },
    /// What this is about was deleted while it was worked on.
    #[error("{0}: it was deleted meanwhile")]
    Gone(&'static str),
    /// The database was written by a newer version of this program.
    #[error("database: it is of version {found}, this program knows versions up to {known}")]
    Newer {
        /// The database's.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The database does not answer: try later.
    #[error("{what}: {why}")]
    Unavailable {
        /// What was tried.
        what: String,
        /// What the database says.
        why: String,
    },
    /// There is no room for more: what is there stays, and nothing is added.
    #[error("{what}: the disk is full")]
    Full {
        /// What was tried.
        what: String,
    },
    /// What the database holds makes no sense.
    #[error("{what}: {why}")]
    Corrupt {
        /// What was read.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { what, among, .. } if among.is_empty() => {
                Some(format!("there is no {what} yet"))
            }
            Self::NotFound { among, .. } => Some(format!("there are: {}", among.join(", "))),
            Self::Refused { hint, .. } => hint.clone(),
            Self::InUse { hint, .. } => Some(hint.clone()),
            Self::Newer { .. } => Some(
                "restart it with the newer version, or restore a backup of this one's".to_owned(),
            ),
            Self::Full { .. } => Some(
                "make room where the database is; what was recorded before is not lost".to_owned(),
            ),
            Self::Exists { .. }
            | Self::Gone(_)
            | Self::Unavailable { .. }
            | Self::Corrupt { .. } => None,
        }
    }
}

/// Which part of a long list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// `Paged::next` of the page before.
    pub after: Option<String>,
    /// At most so many, from 1 to 1000.
    pub limit: u32,
}

impl Page {
    /// The first so many.
    pub fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }

    pub(crate) fn rows(&self) -> usize {
        self.limit.clamp(1, 1000) as usize
    }
}

/// A part of a long list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paged<T> {
    /// In the list's order.
    pub rows: Vec<T>,
    /// How to ask for the next page; none on the last.
    pub next: Option<String>,
}

impl<T> Paged<T> {
    /// Of the rows of a query for one more than wanted.
    pub(crate) fn of(mut rows: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(cursor) } else { None };
        Self { rows, next }
    }
}

/// Which deployments are meant: those for which all that is said holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Of this environment, by its present name.
    pub environment: Option<String>,
    /// Of this application.
    pub application: Option<String>,
    /// From this repository.
    pub repository: Option<String>,
    /// By this tag.
    pub tag: Option<String>,
    /// Of this image.
    pub digest: Option<Digest>,
    /// For this platform.
    pub platform: Option<Platform>,
}

/// At which time deployments are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// What runs.
    Now,
    /// What ran then.
    At(Moment),
    /// All there ever was, latest first.
    Ever,
}

/// What came of recording a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// What runs now.
    pub deployment: Deployment,
    /// What that changed.
    pub change: Change,
}

/// What a recording changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The application did not run here before.
    Started,
    /// It ran another image, or under another name.
    Replaced(Box<Deployment>),
    /// Nothing: this very image ran already.
    Unchanged,
}

/// What came of a runtime's report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// What runs now, each with what that changed.
    pub running: Vec<Recorded>,
    /// What this runtime reported before, and no more.
    pub ended: Vec<Deployment>,
}

/// A deployment whose tag leads to another image by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// What runs.
    pub deployment: Deployment,
    /// Where its tag leads now.
    pub leads_to: Digest,
    /// Since when, as far as we saw.
    pub since: Moment,
}

/// What became of a tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Led {
    /// For so many platforms it leads elsewhere than before.
    pub moved: u64,
    /// For so many it leads nowhere any more.
    pub ended: u64,
}

/// A deployment as a list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What runs.
    pub deployment: Deployment,
    /// Where its tag leads by now, if that is another image.
    pub elsewhere: Option<Elsewhere>,
}

/// What a deployment runs as: all that tells with which one of another environment it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunsAs {
    /// The deployment.
    pub deployment: String,
    /// Its name.
    pub application: String,
    /// The platform it runs on.
    pub platform: Platform,
    /// Where its image is from.
    pub repository: String,
    /// When it began.
    pub from: Moment,
}

/// Where a tag leads by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// The other image.
    pub leads_to: Digest,
    /// Since when, as far as we saw.
    pub since: Moment,
}

/// What is inside an image, to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewInventory<'a> {
    /// The image.
    pub digest: &'a Digest,
    /// What it is made for.
    pub platform: &'a Platform,
    /// Where it was seen.
    pub repository: Option<&'a str>,
    /// What is inside.
    pub inventory: &'a Inventory,
}

/// Which packages are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// Those of that name: full (`@babel/core`), short (`core`), or of the source they are built
    /// from; whatever its capitals.
    Named(String),
    /// Those of that purl; without a version, those of any.
    Purl(Purl),
}

/// A package that some image has.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownPackage {
    /// What the store calls it: small, dense, the same as long as any image has it.
    pub number: i64,
    /// The package, as far as matching reads it: purl, kind, source, author, owner.
    pub package: Package,
}

/// That a package runs somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The package's number.
    pub package: i64,
    /// Where and since when.
    pub deployment: Deployment,
}

/// Which images are meant: those for which all that is said holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageSelection {
    /// Seen in this repository.
    pub repository: Option<String>,
    /// In this state; the reason of a failure does not count.
    pub state: Option<ImageState>,
}

/// An image as it was written down: what its manifest and configuration say is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenImage {
    /// As [`model::ImageRecord`] has it, and so the rest.
    pub digest: Digest,
    /// What it is made for.
    pub platform: Platform,
    /// The repositories it was seen in, sorted.
    pub repositories: Vec<String>,
    /// Whether its content is known.
    pub state: ImageState,
    /// A [`model::Outline`], as JSON.
    pub outline: Option<String>,
    /// When it was first heard of.
    pub first_seen: Moment,
    /// When it was last analysed, or analysis last failed.
    pub analysed: Option<Moment>,
    /// How many packages it has; none before it is analysed.
    pub packages: Option<u64>,
}

/// Which events are meant: those for which all that is said holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventSelection {
    /// About this environment, by its present name, whatever it was called then.
    pub environment: Option<String>,
    /// Of these kinds; none is all.
    pub kinds: Vec<EventKind>,
    /// Of this time or later.
    pub since: Option<Moment>,
    /// Earlier than this.
    pub before: Option<Moment>,
}

/// From when on things are kept; none is for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Images go that were first seen and analysed before this, unless they run, a deployment that
    /// is kept tells of them, or a tag led to them since.
    pub images_before: Option<Moment>,
    /// Deployments and tags that ended before this go.
    pub history_before: Option<Moment>,
    /// Events from before this go.
    pub events_before: Option<Moment>,
    /// Counts of findings that others followed before this go.
    pub counts_before: Option<Moment>,
    /// Evaluations from before this go, but for the last.
    pub evaluations_before: Option<Moment>,
}

/// For how long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// What.
    pub what: Retained,
    /// For so many days; none is for ever.
    pub days: Option<u32>,
    /// Did nobody say so?
    pub by_default: bool,
}

/// How much went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// Images.
    pub images: u64,
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
}

/// What went with a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    /// Images that were seen in it alone.
    pub images: u64,
    /// Tags, with where they led before.
    pub tags: u64,
    /// Deployments that ended for it.
    pub ended: u64,
}

/// Work to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// What to do: `analyze_image`.
    pub kind: String,
    /// With what; whoever does it knows the shape.
    pub payload: serde_json::Value,
    /// Work of one kind and key is the same: while some is waiting, no more is added, and two are
    /// never done at once.
    pub key: Option<String>,
    /// When it is asked for, by the clock that `ready` is told by.
    pub asked: Moment,
    /// Not before this.
    pub ready: Moment,
    /// How often it may be tried, from 1.
    pub attempts: u32,
}

/// Work that somebody took on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its own.
    pub id: String,
    /// What to do.
    pub kind: String,
    /// With what.
    pub payload: serde_json::Value,
    /// As it was given.
    pub key: Option<String>,
    /// How often it was tried, this time included.
    pub attempt: u32,
    /// How often it may be tried.
    pub attempts: u32,
    /// Proof of having it: good until the lease runs out and somebody else takes it.
    pub claim: String,
}

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// To be done.
    Ready,
    /// Somebody does it.
    Running,
    /// Done.
    Done,
    /// Tried as often as it may be.
    Dead,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ready, Self::Running, Self::Done, Self::Dead];

    /// `ready`, `running`, `done`, `dead`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

/// A job as one sees it from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobReport {
    /// Its own.
    pub id: String,
    /// What to do.
    pub kind: String,
    /// Where it is in its life.
    pub state: JobState,
    /// How often it was tried.
    pub attempt: u32,
    /// Why it failed last.
    pub trouble: Option<String>,
}
