//! A runtime: what runs in which cluster, asked for.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::{Gap, Profile};

use super::directory::{Check, Failure};

/// Tells what runs.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// The clusters that it knows, by name, whichever was configured.
    async fn clusters(&self) -> Result<Vec<String>, Failure>;
    /// What runs in the configured cluster now. What is cut off half-way is an error, or has a gap:
    /// while there is one, nothing has ended because it is not told.
    async fn running(&self) -> Result<Observed, Failure>;
    /// Tries each thing that is needed, in the order in which they need each other.
    async fn checks(&self) -> Vec<Check>;
}

/// All that runs in a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Each container that something was told of, in a stable order.
    pub containers: Vec<Container>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// The packages that containers of an image were seen to load, by the digest that they are told
    /// with. Of an image that is not among them, nobody says anything.
    pub loaded: BTreeMap<String, Profile>,
    /// What could not be read of loaded packages: nothing that runs is missing because of it.
    pub unclear: Vec<Gap>,
}

/// A container of a workload, once however many replicas of it run.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Container {
    /// `default`.
    pub namespace: String,
    /// `deployment`, in lower case.
    pub kind: String,
    /// The workload's name: `web`.
    pub workload: String,
    /// The container's name in it.
    pub name: String,
    /// The image as people name it, where that is told: `registry.example/acme/web:v1`.
    pub image: Option<String>,
    /// A digest of the image: of its manifest, its index or its configuration; nobody says which.
    pub digest: String,
}
