//! What we remember, on SQLite or PostgreSQL, from one text.
//!
//! Every question names an organisation, and is answered from its things alone. Whoever changes
//! something hands in an [`model::Act`]: who, from where, when; the store has no clock. The event
//! that tells of a change is written in the same transaction.

mod changes;
#[cfg(test)]
mod conformance;
mod contract;
mod db;
mod deployments;
mod environments;
mod events;
mod images;
mod inventories;
mod invitations;
mod jobs;
mod members;
mod migrations;
mod names;
mod numbers;
mod organisations;
mod packages;
mod repositories;
mod retention;
mod sessions;
mod tags;
mod tokens;
mod users;

use db::Db;

pub use contract::{
    Caller, Change, Changes, Error, EventSelection, Expired, ImageSelection, ImageSet, Job,
    JobReport, JobState, KnownPackage, NewJob, NewToken, Newcomer, NumberedImage, Page, Paged,
    Recorded, Reported, Retention, Running, Selection, Sought, Speaker, Stale, When,
};
pub use names::LONGEST_NAME;

/// An open database. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
}

impl Store {
    /// Opens `sqlite://PATH`, `sqlite::memory:` or `postgres://…`, and brings it up to date.
    ///
    /// A file that is not there is made. Any number of processes may do so at once.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let db = Db::open(url).await?;
        migrations::run(&db).await?;
        Ok(Self { db })
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
