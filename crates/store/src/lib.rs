//! What we remember, on SQLite or PostgreSQL, from one text.
//!
//! Every question names an organisation, and is answered from its things alone. Whoever changes
//! something hands in an [`model::Act`]: who, from where, when; the store has no clock. The event
//! that tells of a change is written in the same transaction.

mod backup;
mod bases;
mod changes;
#[cfg(test)]
mod conformance;
mod contract;
mod db;
mod definitions;
mod deletion;
mod deployments;
mod derived;
mod doctor;
mod environments;
mod evaluations;
mod events;
mod exceptions;
mod footings;
mod freshness;
mod idempotency;
mod images;
mod in_use;
mod inbox;
mod integrations;
mod inventories;
mod invitations;
mod jobs;
mod keyring;
mod members;
mod migrations;
mod names;
mod numbers;
mod organisations;
mod outbox;
mod packages;
mod policies;
mod refusals;
mod repositories;
mod resets;
mod retention;
mod rules;
mod runtimes;
mod schedules;
mod secrets;
mod sessions;
mod settings;
mod tags;
mod tokens;
mod users;
mod verdicts;
mod watched;

use db::Db;

pub use contract::{
    BaseRecord, Bundle, Caller, Change, Changes, Check, Cleared, Container, Counted, Counts,
    DueLook, Elsewhere, Error, Evaluation, EventSelection, ExceptionRecord, Expired, Idempotent,
    ImageContent, ImageSelection, IntegrationRecord, IntegrationSecrets, IntegrationState, Job,
    JobReport, JobState, JudgedImage, JudgedRunning, Keeping, Kept, KeptContainer, KnownPackage,
    LayeredImage, Led, Listed, NewBase, NewEvent, NewException, NewIntegration, NewInventory,
    NewJob, NewJudging, NewMessage, NewNotice, NewPolicySet, NewRule, NewSchedule, NewSecret,
    NewToken, Newcomer, NoticeCounts, NoticeReport, NoticeState, OutboxEntry, OutboxState, Page,
    Paged, PolicyJudging, PolicySample, PolicySetHead, PolicySetRecord, PolicyVerdicts,
    Recollection, Recorded, Refused, Reported, Restored, Retention, RuleRecord, Running,
    RunningImage, RunsAs, RunsIn, RuntimeRecord, SWITCHED_OFF, ScheduleRecord, SecretRecord,
    SeenInUse, Selection, SetPackage, Setback, Snapped, Snapshot, Sought, Speaker, Stale, Tiding,
    Tidings, Trouble, Turn, Unplaced, WaitingMessage, WaitingNotice, When, Workload, WrittenEvent,
    WrittenImage,
};
pub use db::Together;
pub use doctor::unopened;
pub use keyring::Keyring;
pub use names::{LONGEST_NAME, normal as normal_name};

/// An open database. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    keyring: Option<Keyring>,
}

impl Store {
    /// Opens `sqlite://PATH`, `sqlite::memory:` or `postgres://…`, and brings it up to date.
    ///
    /// A file that is not there is made. Any number of processes may do so at once. Without keys,
    /// no secrets are kept or read.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let db = Db::open(url).await?;
        migrations::run(&db).await?;
        Ok(Self { db, keyring: None })
    }

    /// Opens one that was made before, and brings it up to date. Where there is none, or what is there
    /// is no database of ours, that is an error, and nothing is made.
    pub async fn open_made(url: &str) -> Result<Self, Error> {
        let db = Db::open_made(url).await?;
        if let Err(error) = migrations::run_on_made(&db).await {
            db.close().await;
            return Err(error);
        }
        Ok(Self { db, keyring: None })
    }

    /// The same, with keys for secrets.
    pub async fn open_with(url: &str, keyring: Keyring) -> Result<Self, Error> {
        Ok(Self::open(url).await?.with_keys(keyring))
    }

    /// The same database, with these keys for secrets.
    #[must_use]
    pub fn with_keys(self, keyring: Keyring) -> Self {
        Self { keyring: Some(keyring), ..self }
    }

    /// A stamp: whatever is asked between two looks at it that tell the same, nothing was written
    /// meanwhile, by nobody, in no process; so it is still true. None where nobody can tell.
    pub async fn stamp(&self) -> Result<Option<String>, Error> {
        self.db.stamp().await
    }

    /// Waits until nothing is under way, and closes.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

/// A new name that sorts by time.
fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// What the SHA-256 of a secret is kept as.
fn hash_key(hash: &[u8; 32]) -> String {
    model::Digest::from_sha256(hash).hex().to_owned()
}
