//! What is checked again and again, as it is kept.

use model::{Moment, OrganisationId};
use serde_json::Value as Json;

/// Something that is to be checked again and again.
#[derive(Clone, Copy, Debug)]
pub struct NewSchedule<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it looks.
    pub environment: &'a str,
    /// When, as whoever works it out writes it.
    pub cron: &'a str,
    /// By the clocks of which place.
    pub zone: &'a str,
    /// What it looks for; whoever checks it knows the shape.
    pub question: &'a Json,
    /// When that is next.
    pub next: Option<Moment>,
}

/// Something that is checked again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleRecord {
    /// Its own.
    pub id: String,
    /// Whose.
    pub organisation: OrganisationId,
    /// Its name.
    pub name: String,
    /// Where it looks.
    pub environment: String,
    /// Is there no such environment any more?
    pub is_nowhere: bool,
    /// When, as whoever works it out writes it.
    pub cron: String,
    /// By the clocks of which place.
    pub zone: String,
    /// What it looks for.
    pub question: Json,
    /// How often it was told something else.
    pub revision: i64,
    /// When its next turn is.
    pub next: Option<Moment>,
    /// Since when it is to be checked, if it is.
    pub due: Option<Moment>,
    /// When it was checked last.
    pub checked: Option<Moment>,
    /// In a word, what came of that.
    pub verdict: Option<String>,
    /// All that came of it.
    pub outcome: Option<Json>,
    /// When it was made.
    pub created: Moment,
    /// By whom.
    pub created_by: String,
}

/// A turn that has come, or that a clock which was set back has put too far away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The schedule's id.
    pub id: String,
    /// Whose.
    pub organisation: OrganisationId,
    /// When, as whoever works it out writes it.
    pub cron: String,
    /// By the clocks of which place.
    pub zone: String,
    /// When it was to be.
    pub at: Option<Moment>,
    /// Has it come?
    pub has_come: bool,
}
