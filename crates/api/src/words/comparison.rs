//! What is different between what runs here and what runs there.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::grammar;
use super::{Deployment, Hole, Judging};

/// What is to be compared: what a promotion from one to the other would bring.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparing {
    /// What is looked at: what is told as introduced is in it.
    pub from: End,
    /// What it is held against.
    pub to: End,
    /// Only images of this repository: `acme/web`; with a tag, of that one at `from`.
    #[schema(value_type = Option<grammar::ImageName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Only for this platform.
    #[schema(value_type = Option<grammar::PlatformName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// How findings are to be judged.
    #[serde(default)]
    pub judging: Judging,
    /// Which findings are to be told.
    #[serde(default)]
    pub only: Only,
    /// Where the part before ended: its `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many applications to tell of at most, 1 to 1000; fewer where much is to be told of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000, default = 100)]
    pub limit: Option<u32>,
}

/// One of the two: all that runs in an environment, or one image. Exactly one is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// An environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// An image that is known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// Which findings are told; whatever is not said lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Only {
    /// Of these severities, on either side.
    #[schema(value_type = Vec<grammar::SeverityName>)]
    pub severities: Vec<String>,
    /// Of packages of these purl types.
    pub package_types: Vec<String>,
    /// With a fix, or without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed: Option<bool>,
    /// Not those that a statement takes out of the way on both sides.
    pub unsuppressed: bool,
    /// Nothing, finding or package, that is the same on both sides.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
}

/// What is different.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Comparisons {
    /// Over all pairs that are told here.
    pub summary: Difference,
    /// Each application, by name.
    pub pairs: Vec<Pair>,
    /// There are more, and this is `after` which they are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How much is different: what a statement takes out of the way is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// So many applications are compared or told of.
    pub applications: u64,
    /// The same image runs on both sides.
    pub unchanged: u64,
    /// They run on the side of `from` alone; what they have is introduced.
    pub added: u64,
    /// They run on the side of `to` alone; a promotion leaves them as they are, so that nothing is
    /// fixed by it.
    pub removed: u64,
    /// Of them nobody can tell: an image is not analysed.
    pub unknown: u64,
    /// Vulnerabilities that come.
    pub introduced: u64,
    /// Vulnerabilities that go.
    pub fixed: u64,
    /// Vulnerabilities on one side alone that a gap of the other may hide.
    pub unclear: u64,
    /// Packages that are other ones, or of another version.
    pub packages: u64,
}

impl Difference {
    /// That of another one beside it.
    pub fn add(&mut self, other: &Self) {
        self.applications += other.applications;
        self.unchanged += other.unchanged;
        self.added += other.added;
        self.removed += other.removed;
        self.unknown += other.unknown;
        self.introduced += other.introduced;
        self.fixed += other.fixed;
        self.unclear += other.unclear;
        self.packages += other.packages;
    }
}

/// One application on both sides.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Pair {
    /// Its name; nothing where two images are compared that nobody says to run. A runtime of which
    /// something cannot be told stands here as `runtime eu1`, once and before all others, with no image on
    /// either side: what it does not tell of may run there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// For which platform.
    pub platform: String,
    /// What runs at `from`, or the image that is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Running>,
    /// What runs at `to`, or the image that it is held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Running>,
    /// What came of it.
    pub outcome: PairOutcome,
    /// What cannot be told, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Hole>,
    /// How much is different.
    pub difference: Difference,
    /// All of it: package by package, finding by finding.
    #[schema(value_type = Option<Object>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<model::Comparison>,
}

/// An image on one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Running {
    /// As people write it: `acme/web:v1@sha256:…`.
    pub image: String,
    /// The image.
    pub digest: String,
    /// That it runs, if it is compared because it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment>,
}

/// What came of comparing an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PairOutcome {
    /// The same image is on both sides.
    Unchanged,
    /// Other images are, and they were compared.
    Compared,
    /// It runs on the side of `from` alone, and was compared with nothing.
    Added,
    /// It runs on the side of `to` alone.
    Removed,
    /// An image is not analysed: nobody can tell.
    Unknown,
}
