//! What teams decided about flaws, as it is kept.

use model::{Moment, OrganisationId};
use serde_json::Value as Json;

/// That flaws are out of the way.
#[derive(Clone, Copy, Debug)]
pub struct NewException<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Which flaws, of what and why; whoever judges knows the shape. Environments that its list
    /// `environments` names are there, and follow when they are renamed.
    pub definition: &'a Json,
    /// From when on it does not hold any more.
    pub expires: Option<Moment>,
}

/// An exception that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ExceptionRecord {
    /// Its own.
    pub id: String,
    /// Whose.
    pub organisation: OrganisationId,
    /// What it is called.
    pub name: String,
    /// Which flaws, of what and why.
    pub definition: Json,
    /// From when on it does not hold any more.
    pub expires: Option<Moment>,
    /// When it was told that it does not, if it was.
    pub expired: Option<Moment>,
    /// When it was made.
    pub created: Moment,
    /// By whom.
    pub created_by: String,
    /// When it was changed last.
    pub changed: Moment,
    /// By whom.
    pub changed_by: String,
}
