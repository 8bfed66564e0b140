//! What the store answers to whoever holds everything at once.

use model::{Digest, Distro, Event, OrganisationId, Platform};

/// That a package set has a package, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetPackage {
    /// The set's.
    pub set: i64,
    /// The package's.
    pub package: i64,
}

/// What an analysed image holds, in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageContent {
    /// The image's number.
    pub image: i64,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The image.
    pub digest: Digest,
    /// Its distribution, if it has one.
    pub distro: Option<Distro>,
    /// Its package sets, in order.
    pub sets: Vec<i64>,
}

/// That an image runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningImage {
    /// The deployment's id.
    pub deployment: String,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The environment's id.
    pub environment: String,
    /// What it is called there.
    pub application: String,
    /// For which platform.
    pub platform: Platform,
    /// What the world calls the image.
    pub digest: Digest,
    /// Its number; none, if nobody has analysed it.
    pub image: Option<i64>,
}

/// What happened since one last looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// First things first, each with the organisation it happened to.
    pub events: Vec<(OrganisationId, Event)>,
    /// How to ask for what follows each of them.
    pub cursors: Vec<String>,
    /// How to ask for what follows.
    pub cursor: String,
}
