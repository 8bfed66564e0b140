//! Whose things are remembered: organisations and their repositories.

use serde::{Deserialize, Serialize};

use crate::Moment;

/// What an organisation is called inside the store. Every question names one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrganisationId(pub String);

/// People who share repositories, images and environments, and see nobody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Never changes, never used again.
    pub id: OrganisationId,
    /// As people write it: `acme`.
    pub name: String,
    /// Since when it is here.
    pub created: Moment,
}

/// A repository that an organisation has enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// With its registry: `docker.io/acme/web`.
    pub name: String,
    /// Are its images to be analysed as they are pushed?
    pub enabled: bool,
    /// Since when it is here.
    pub created: Moment,
}
