//! Images that somebody taught to be bases of others, as they are kept.

use model::{Digest, Moment, Platform, SaidBase};

/// That an image is a base of others.
#[derive(Clone, Debug)]
pub struct NewBase {
    /// What it is made for.
    pub platform: Platform,
    /// Digest of its manifest; of its configuration where it has none.
    pub digest: Digest,
    /// Digest of its configuration.
    pub config: Option<Digest>,
    /// By which its layers are found at the beginning of others.
    pub chain: Digest,
    /// How many layers it has.
    pub layers: u32,
}

/// A base that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseRecord {
    /// What it was taught as, in full: `docker.io/library/debian:12`.
    pub name: String,
    /// What it is made for.
    pub platform: Platform,
    /// Digest of its manifest; of its configuration where it has none.
    pub digest: Digest,
    /// Digest of its configuration.
    pub config: Option<Digest>,
    /// By which its layers are found at the beginning of others.
    pub chain: Digest,
    /// How many layers it has.
    pub layers: u32,
    /// When that was taught.
    pub learned: Moment,
    /// By whom.
    pub learned_by: String,
}

/// An image that is known, as far as it tells what it and others stand on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayeredImage {
    /// Its number, which no other image gets.
    pub number: i64,
    /// Of its manifest; of its configuration where it has none.
    pub digest: Digest,
    /// What it is made for.
    pub platform: Platform,
    /// When it was analysed last.
    pub analysed: Option<Moment>,
    /// Digest of its configuration.
    pub config: Option<Digest>,
    /// What its layers are called by their content, bottom first, as far as that is known.
    pub layers: Vec<Digest>,
    /// All of them are known.
    pub is_whole: bool,
    /// What it says itself; nothing where that was not looked at.
    pub said: Option<SaidBase>,
    /// What its builder says; nothing where nobody asked, or where that does not tell.
    pub built_on: Option<SaidBase>,
}
