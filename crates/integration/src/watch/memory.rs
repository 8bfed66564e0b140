//! What whoever watches leaves to others: to remember what was seen, and to work on what was found.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::Digest;

use crate::contract::{Action, Failure, Repository};

/// What was seen before.
#[async_trait]
pub trait Memory: Send + Sync {
    /// Is it known which repositories this registry had before anybody watched it, so that another one
    /// which turns up is new?
    async fn has_begun(&self, registry: &str) -> Result<bool, Lost>;
    /// It is: a whole list of them was handed to `begin`.
    async fn begun(&self, registry: &str) -> Result<(), Lost>;
    /// These repositories were there before anybody watched, and so were their tags: they are awaited
    /// until they are met. More of them may come, until it has `begun`.
    async fn begin(&self, registry: &str, repositories: &[Repository]) -> Result<(), Lost>;
    /// Is what was never seen of this repository to be taken for what was there before anybody watched?
    /// So it is of one that `begin` named, and before it has `begun` of any, unless it was met.
    async fn is_awaited(&self, registry: &str, repository: &Repository) -> Result<bool, Lost>;
    /// It is known what was there before in this repository: what was never seen of it is new.
    async fn met(&self, repository: &Repository) -> Result<(), Lost>;
    /// The host and the name of every repository with a tag that was seen.
    async fn repositories(&self, registry: &str) -> Result<Vec<(String, String)>, Lost>;
    /// The tags that were seen in one, and where they led.
    async fn tags(&self, repository: &Repository) -> Result<BTreeMap<String, Digest>, Lost>;
    /// Where one of them led.
    async fn tag(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Lost>;
    /// A tag leads there, and nothing is left to be done about that.
    async fn keep(&self, repository: &Repository, tag: &str, digest: &Digest) -> Result<(), Lost>;
    /// A tag is gone.
    async fn forget(&self, repository: &Repository, tag: &str) -> Result<(), Lost>;
    /// Was the image or index of this digest worked on, wherever it was seen?
    async fn is_done(&self, digest: &Digest) -> Result<bool, Lost>;
}

/// What is done about what was found.
#[async_trait]
pub trait Hands: Send + Sync {
    /// Works on an image. It is called once for each digest until it succeeds, and once a look.
    async fn analyze(&self, found: &Found) -> Result<(), Failure>;
    /// A tag leads elsewhere than before, to something that was worked on already.
    async fn moved(&self, found: &Found) -> Result<(), Failure>;
    /// A tag is gone.
    async fn gone(&self, repository: &Repository, tag: &str) -> Result<(), Failure>;
}

/// What is remembered cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
#[error("what was seen before cannot be had: {0}")]
pub struct Lost(pub String);

/// A tag that leads to something new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub repository: Repository,
    /// The tag; none where only a digest was told.
    pub tag: Option<String>,
    /// What it leads to.
    pub digest: Digest,
    /// What happened to it.
    pub action: Action,
}
