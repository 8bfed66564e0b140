//! Runtimes: clusters and hosts, and all that they say runs in them.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::environment::{Deployment, Recorded};
use super::grammar;

/// All that a runtime runs now, in each of the environments that it is mapped to. What it said before,
/// there or in an environment that is not named any more, and does not say now, has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// What kind of runtime: `kubernetes`, `docker`.
    pub kind: String,
    /// Who reports: the same for all who look at the same runtime from the same place and map it in the
    /// same way, also when they are started anew, and another for everybody else. Of several, the word of
    /// the first counts.
    pub agent: String,
    /// When it was seen to run, by the reporter's clock.
    #[schema(format = DateTime)]
    pub seen: String,
    /// It will be heard of again within so many seconds; after more than three times that, it is stale.
    #[schema(minimum = 1, maximum = 86_400)]
    pub every: u32,
    /// By the environment's name.
    #[schema(max_items = 1000)]
    pub environments: Vec<RunsIn>,
    /// Make environments that there are none of: only owners may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create: bool,
    /// What could not be seen, each in a line. While there is something, nothing has ended because it is
    /// not told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub gaps: Vec<String>,
}

/// What runs in one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunsIn {
    /// The environment.
    #[schema(value_type = grammar::Name)]
    pub environment: String,
    /// Each container that runs there.
    #[schema(max_items = 20_000)]
    pub running: Vec<RunningContainer>,
}

/// A container of a workload that runs, once however many replicas of it run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunningContainer {
    /// The image as it was deployed, where that is known: `acme/web:v1`, or `sha256:…` by itself.
    #[schema(value_type = grammar::ImageName)]
    pub image: String,
    /// The digest that runs, as the runtime tells it: of the image's manifest, its index, or its
    /// configuration.
    #[schema(value_type = grammar::DigestName)]
    pub digest: String,
    /// For which platform, where that is known: `linux/arm64`.
    #[schema(value_type = Option<grammar::PlatformName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Where in the runtime.
    pub workload: Workload,
}

/// What a container belongs to.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// The namespace, or the compose project; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// `deployment`, `statefulset`, `container`: in lower case.
    pub kind: String,
    /// Its name: `web`.
    pub name: String,
    /// The container's name in it.
    pub container: String,
}

/// What came of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Snapped {
    /// What began, or was replaced, by it.
    pub started: Vec<Recorded>,
    /// What ended by it.
    pub ended: Vec<Deployment>,
    /// So many run on unchanged.
    pub unchanged: u64,
    /// Digests of images that nobody here knows and that no registry can be asked about, because the
    /// runtime tells only the digest of their configuration: they are placed when an image with that
    /// configuration was analysed.
    pub unplaced: u64,
    /// By which a heartbeat tells that all this still holds.
    pub mark: String,
}

/// That all that was said in a snapshot still holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Who reports, as the snapshot said.
    pub agent: String,
    /// Of the snapshot, as it was answered.
    pub mark: String,
    /// When it was seen to hold.
    #[schema(format = DateTime)]
    pub seen: String,
}

/// A cluster or host that says what runs in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Runtime {
    /// Its name: `eu1`.
    pub name: String,
    /// `kubernetes`, `docker`, `sysdig`.
    pub kind: String,
    /// When it was heard of last.
    #[schema(format = DateTime)]
    pub heard: String,
    /// It is to be heard of every so many seconds.
    pub every: u32,
    /// It was not heard of for more than three times that: what runs there may be something else by now.
    pub stale: bool,
    /// The environments that it runs something in.
    pub environments: Vec<String>,
    /// So many containers run there by its last word.
    pub running: u64,
    /// What of it nobody can tell: that it is stale, what it could not see.
    pub gaps: Vec<String>,
    /// Those that report it, of late: more than one is a warning.
    pub agents: Vec<String>,
    /// What runs there and cannot be placed; of many, the first thousand, and a gap that tells of more.
    /// Where an environment is asked about, of that one.
    #[serde(default)]
    pub unplaced: Vec<Unplaced>,
}

/// An image that runs, of which nobody knows which it is: no image that is known here has that digest, and
/// no registry can be asked about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Unplaced {
    /// Where it runs.
    pub environment: String,
    /// As it was told: `sha256:…`.
    pub digest: String,
    /// The image as it was told.
    pub image: String,
    /// One of the workloads that run it.
    pub workload: Workload,
    /// So many containers do.
    pub containers: u64,
}

/// A container of a runtime, and as what it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Berthed {
    /// The environment.
    pub environment: String,
    /// Where in the runtime.
    pub workload: Workload,
    /// The image as it was told.
    pub image: String,
    /// The digest as it was told.
    pub digest: String,
    /// For which platform, where that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The application that it is a part of; nothing where the image cannot be placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The image that it was found to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<String>,
}

/// A runtime with all that it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WholeRuntime {
    /// The runtime.
    #[serde(flatten)]
    pub runtime: Runtime,
    /// Each container, by environment and workload.
    pub containers: Vec<Berthed>,
}

/// Which runtimes are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RuntimeQuery {
    /// Those that run something in this environment.
    #[param(inline, value_type = Option<grammar::Name>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Go on after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
