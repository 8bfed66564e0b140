//! Where a flaw or a package runs.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Deployment;

/// What is looked for: a flaw, or a package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhereQuery {
    /// A flaw or a package, as people type it: `CVE-2021-44228`, `pkg:npm/lodash`,
    /// `log4j-core@<2.17.1`, `lodash@4.17.20`. In place of the three that follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// A flaw, by any of its names: `CVE-2021-44228`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<String>,
    /// A package: a purl (`pkg:npm/lodash@4.17.20`), or a name, full, short, or of its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Only versions in this range, as those write it who make such packages: `<2.17.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Only what runs in this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Say also which files and layers of the images it is in.
    #[serde(default)]
    pub places: bool,
    /// At most so many deployments are told of each that is found; all are counted.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Whereabouts {
    /// Each package that has it.
    pub found: Vec<Sighted>,
    /// So many images run, in the environments that were asked, that are not analysed: of each of
    /// them nobody can tell.
    pub unread: u64,
    /// What cannot be told, also of those: a gap is no all-clear.
    pub gaps: Vec<Hole>,
    /// What images that are found say themselves and what does not count, for nobody named its author.
    /// It hides nothing: what is found is found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Hole>,
}

/// Something that cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Hole {
    /// Where: a file, a package, a space.
    pub at: String,
    /// Why not.
    pub why: String,
}

impl From<model::Gap> for Hole {
    fn from(it: model::Gap) -> Self {
        Self { at: it.at, why: it.why }
    }
}

/// Packages of one name and version, and where they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sighted {
    /// The flaw, if one was looked for, by the name it goes by there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<Flaw>,
    /// The packages.
    pub purls: Vec<String>,
    /// In so many images, whether they run or not.
    pub images: u64,
    /// In so many of each environment, by its name.
    pub environments: Vec<InEnvironment>,
    /// What runs of them, as many as were asked for.
    pub deployments: Vec<Sighting>,
    /// There are more of those.
    pub more: bool,
}

/// How a flaw stands in a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Flaw {
    /// The name that it goes by there.
    pub id: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// `critical`, `high`, `medium`, `low`, `unspecified`.
    pub severity: String,
    /// The first version without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// It is known to be used in attacks.
    pub exploited: bool,
}

/// How much of something is in an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InEnvironment {
    /// The environment.
    pub name: String,
    /// So many different images that run there.
    pub images: u64,
}

/// Something that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sighting {
    /// What, where, since when, who recorded it.
    pub deployment: Deployment,
    /// In which files of it, if that was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// The statement that takes the flaw out of the way in this image, if one does; of those that were
    /// sent, and of those that the image brings of authors that were named.
    #[schema(value_type = Option<Object>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<model::Statement>,
}

/// A file in a layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// The layer that brought the package, counted from the bottom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<u32>,
    /// That layer, by the digest of its blob, else of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The file.
    pub path: String,
    /// The instruction that made the layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}
