//! Packages: which there are in an organisation's images.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{CountedBasis, InEnvironment, grammar};

/// Which packages are meant: those for which all that is said holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PackagesQuery {
    /// Whose name contains this, in whatever letters.
    #[param(max_length = 200)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Of this type: `npm`, `deb`.
    #[param(max_length = 50)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// By what they are sorted, with `-` in front the other way around. Where nothing is said, by
    /// `package`: by name and type.
    #[param(inline, value_type = Option<grammar::PackageOrder>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// `next` of the part before.
    #[param(max_length = 2000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Which package is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PackageVersionsQuery {
    /// Its type: `npm`, `deb`.
    #[param(max_length = 50)]
    pub kind: String,
    /// Its full name: `@babel/core`, `debian/curl`.
    #[param(max_length = 1000)]
    pub name: String,
    /// `next` of the part before.
    #[param(inline, value_type = Option<grammar::Rank>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Packages in images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Packages {
    /// In the order that was asked for; of those that are alike in that, by name and type.
    pub items: Vec<PackageSpread>,
    /// What to send as `after` for the next part; nothing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What findings rest on.
    pub basis: CountedBasis,
}

/// A package in all its versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackageSpread {
    /// Its type: `npm`, `deb`.
    pub kind: String,
    /// Its full name: `@babel/core`.
    pub name: String,
    /// So many versions of it.
    pub versions: u64,
    /// The first of these.
    pub some_versions: Vec<String>,
    /// In so many images, whether they run or not.
    pub images: u64,
    /// In so many of each environment, by its name.
    pub environments: Vec<InEnvironment>,
    /// So many flaws it has where it runs. Nothing: it is not counted yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaws: Option<u64>,
    /// How bad the worst of those is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<String>,
}

/// The versions of a package in images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackageVersions {
    /// By version, latest first where their order can be told.
    pub items: Vec<PackageVersion>,
    /// What to send as `after` for the next part; nothing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// So many there are.
    pub total: u64,
    /// What findings rest on.
    pub basis: CountedBasis,
}

/// A version of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackageVersion {
    /// Which one, in full.
    pub purl: String,
    /// Its version; nothing where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it is built from, where that has another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Under which licences, as an image that has it declares them. Nothing: it was not looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licenses: Option<Vec<String>>,
    /// In so many images, whether they run or not.
    pub images: u64,
    /// In so many of each environment, by its name.
    pub environments: Vec<InEnvironment>,
    /// Some of those images.
    pub some_images: Vec<String>,
    /// The flaws it has where it runs, worst first, as many as are told. Nothing: it is not counted yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaws: Option<Vec<PackageFlaw>>,
    /// So many there are.
    pub flaws_total: u64,
}

/// A flaw of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackageFlaw {
    /// The name it goes by.
    pub id: String,
    /// How bad it is.
    pub severity: String,
    /// The first version without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
    /// It is known to be used in attacks.
    pub exploited: bool,
}
