//! What we remember, on SQLite or PostgreSQL, from one text.
//!
//! Every question names an organisation, and is answered from its things alone. Whoever changes
//! something hands in an [`model::Act`]: who, from where, when; the store has no clock. The event
//! that tells of a change is written in the same transaction.

#[cfg(test)]
mod conformance;
mod contract;
mod db;
mod deployments;
mod environments;
mod events;
mod images;
mod inventories;
mod jobs;
mod migrations;
mod names;
mod organisations;
mod packages;
mod repositories;
mod retention;
mod tags;

use db::Db;

pub use contract::{
    Change, Error, EventSelection, Expired, ImageSelection, Job, JobReport, JobState, KnownPackage,
    NewJob, Page, Paged, Recorded, Reported, Retention, Running, Selection, Sought, Stale, When,
};
pub use names::{LONGEST_NAME, normal as normal_name};

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
