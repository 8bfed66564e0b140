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

/// That an image has a package set, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageSet {
    /// The image's.
    pub image: i64,
    /// Where in the image's list of sets.
    pub position: i64,
    /// The set's.
    pub set: i64,
}

/// An image and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedImage {
    /// What the store calls it: small, dense, its own as long as the image is here.
    pub number: i64,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// What the world calls it.
    pub digest: Digest,
    /// What it is made for.
    pub platform: Platform,
    /// Whether its content is known.
    pub analysed: bool,
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
