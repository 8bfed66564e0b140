//! What runs where.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::grammar;

/// A place where images run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Environment {
    /// Stays when it is renamed.
    pub id: String,
    /// Anything people say: `production`.
    pub name: String,
    /// Since when it is here.
    #[schema(format = DateTime)]
    pub created: String,
    /// Who made it.
    pub created_by: String,
    /// Deployments that are running now.
    pub running: u64,
    /// Those of them whose image is not analysed yet.
    pub pending: u64,
    /// How many findings there are, once they have been counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counted>,
}

/// How many findings there are in an environment since when: each flaw of each package once, however
/// many images have it; what a statement takes out of the way does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counted {
    /// Since when.
    #[schema(format = DateTime)]
    pub at: String,
    /// By the words of which almanac: its digest.
    pub almanac: String,
    /// Critical findings.
    pub critical: u64,
    /// High ones.
    pub high: u64,
    /// Medium ones.
    pub medium: u64,
    /// Low ones.
    pub low: u64,
    /// Those nobody rated.
    pub unspecified: u64,
    /// Different images that run.
    pub images: u64,
    /// Those of them that are not analysed yet: what is in them is not counted.
    pub pending: u64,
    /// Holes in the answer.
    pub gaps: u64,
}

/// Of which time counts are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CountsQuery {
    /// From this time on.
    #[param(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Before this.
    #[param(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Of each so many seconds only the last; of a year at most.
    #[param(minimum = 1, maximum = 31_536_000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
    /// `next` of the part before.
    #[param(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

impl From<model::Environment> for Environment {
    fn from(it: model::Environment) -> Self {
        Self {
            id: it.id,
            name: it.name,
            created: it.created.to_string(),
            created_by: it.created_by,
            running: it.running,
            pending: it.pending,
            counts: None,
        }
    }
}

/// An environment to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnvironment {
    /// Anything people say, up to 200 characters; capitals matter.
    #[schema(value_type = grammar::Name)]
    pub name: String,
}

/// Another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Renaming {
    /// The new one.
    #[schema(value_type = grammar::Name)]
    pub name: String,
}

/// That an image runs in an environment, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Deployment {
    /// Its own.
    pub id: String,
    /// The environment, by its present name.
    pub environment: String,
    /// What runs: the repository, unless somebody said otherwise.
    pub application: String,
    /// For which platform.
    pub platform: String,
    /// As people write it: `acme/web:v1@sha256:…`.
    pub image: String,
    /// Where the image was taken from, with its registry.
    pub repository: String,
    /// The tag it was deployed by; where it leads may have changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The image.
    pub digest: String,
    /// By which way it was told: `cli`, `action`, `api`, `runtime:NAME`.
    pub source: String,
    /// Who told.
    pub recorded_by: String,
    /// From where.
    pub recorded_from: String,
    /// Since when it runs.
    #[schema(format = DateTime)]
    pub from: String,
    /// Until when it ran; nothing while it does.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Its image is not analysed yet.
    pub pending: bool,
    /// Where its tag leads by now, if that is another image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<StaleTag>,
    /// Since when the runtime that told of it was not heard of, where that is too long: by now,
    /// something else may run there.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unheard: Option<String>,
}

/// Where a tag leads by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaleTag {
    /// The other image.
    pub leads_to: String,
    /// Since when, as far as we saw.
    #[schema(format = DateTime)]
    pub since: String,
}

impl From<model::Deployment> for Deployment {
    fn from(it: model::Deployment) -> Self {
        Self {
            image: familiar(&it.repository, it.tag.as_deref(), it.digest.as_str()),
            id: it.id,
            environment: it.environment,
            application: it.application,
            platform: it.platform.to_string(),
            repository: it.repository,
            tag: it.tag,
            digest: it.digest.to_string(),
            source: it.source.to_string(),
            recorded_by: it.recorded_by,
            recorded_from: it.recorded_from,
            from: it.from.to_string(),
            until: it.until.map(|it| it.to_string()),
            pending: it.pending,
            stale: None,
            unheard: None,
        }
    }
}

/// An image as people write it: without the registry that everybody means.
pub(super) fn familiar(repository: &str, tag: Option<&str>, digest: &str) -> String {
    let short = repository.strip_prefix("docker.io/").unwrap_or(repository);
    let short = short.strip_prefix("library/").unwrap_or(short);
    match tag {
        Some(tag) => format!("{short}:{tag}@{digest}"),
        None => format!("{short}@{digest}"),
    }
}

/// Which deployments are meant: those for which all that is said holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeploymentQuery {
    /// Of this environment.
    #[param(inline, value_type = Option<grammar::Name>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Of this application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// Of this repository (`acme/web`), tag (`acme/web:v1`) or image (`acme/web@sha256:…`).
    #[param(inline, value_type = Option<grammar::ImageName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// For this platform.
    #[param(inline, value_type = Option<grammar::PlatformName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// What ran then, instead of what runs.
    #[param(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// All that ever ran, latest first.
    #[serde(default)]
    pub history: bool,
    /// Only those whose tag leads to another image by now.
    #[serde(default)]
    pub stale: bool,
    /// `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What runs now, of several things: all of it is recorded, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recordings {
    /// Each.
    #[schema(min_items = 1, max_items = 1000)]
    pub recordings: Vec<Recording>,
    /// By which way it is told: `cli`, `action` or `api`, which is meant where nothing is said.
    #[schema(value_type = Option<grammar::SourceName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Make the environment if there is none: only owners may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create: bool,
}

/// That an image runs now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// `acme/web:v1`, `registry.example/acme/web:v1@sha256:…`. Without a digest the server asks the
    /// registry for it.
    #[schema(value_type = grammar::ImageName)]
    pub image: String,
    /// The image for its platform, where whoever records knows it: a digest.
    #[schema(value_type = Option<grammar::DigestName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What runs; the repository where nothing is said.
    #[schema(value_type = Option<grammar::Name>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// For which platform: `linux/amd64`, which is meant where nothing is said.
    #[schema(value_type = Option<grammar::PlatformName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

/// What came of recording several things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedAll {
    /// In the order of what was sent.
    pub recorded: Vec<Recorded>,
    /// The environment was made for it.
    #[serde(default)]
    pub made: bool,
}

/// What came of recording a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recorded {
    /// What runs now.
    pub deployment: Deployment,
    /// What that changed.
    pub change: Change,
    /// What ran before, if that was something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Deployment>,
}

/// What a recording changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The application did not run here before.
    Started,
    /// It ran another image, or under another name.
    Replaced,
    /// Nothing: this very image ran already.
    Unchanged,
}

/// Everything that a runtime runs in an environment now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Each; what this runtime reported before and is not among them has ended.
    #[schema(max_items = 10000)]
    pub recordings: Vec<Recording>,
}

/// What came of a runtime's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reported {
    /// What runs now, each with what that changed.
    pub running: Vec<Recorded>,
    /// What this runtime reported before, and no more.
    pub ended: Vec<Deployment>,
}

/// What is to be taken out of an environment: that for which all that is said holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EndQuery {
    /// This application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// This repository (`acme/web`), tag (`acme/web:v1`) or image (`acme/web@sha256:…`).
    #[param(inline, value_type = Option<grammar::ImageName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// For this platform.
    #[param(inline, value_type = Option<grammar::PlatformName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

/// What was taken out of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ended {
    /// Each.
    pub ended: Vec<Deployment>,
}

/// What runs in one environment is to run in another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// The other environment.
    #[schema(value_type = grammar::Name)]
    pub to: String,
    /// Only this application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// Only this repository (`acme/web`), tag or image.
    #[schema(value_type = Option<grammar::ImageName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// By which way it is told: `cli`, `action` or `api`, which is meant where nothing is said.
    #[schema(value_type = Option<grammar::SourceName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Make the environment if there is none: only owners may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create: bool,
}
