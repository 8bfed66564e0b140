//! All that is wrong with what runs: flaw by flaw, and image by image.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{InEnvironment, grammar};

/// Which flaws are meant: those for which all that is said holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FlawsQuery {
    /// Only what runs in this environment.
    #[param(inline, value_type = Option<grammar::Name>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Of these severities, parted by commas: `critical,high`.
    #[param(inline, value_type = Option<grammar::SeverityNames>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// With an EPSS score of at least that.
    #[param(minimum = 0, maximum = 1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<f32>,
    /// Only those that are known to be used in attacks.
    #[serde(default)]
    pub exploited: bool,
    /// Only those of which a package that has it can be updated.
    #[serde(default)]
    pub fixable: bool,
    /// Not those of which it is known that no package that has it is loaded.
    #[serde(default)]
    pub in_use: bool,
    /// Whose name, or a package's, contains this.
    #[param(max_length = 200)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Name some of the images of that environment that have each.
    #[serde(default)]
    pub images: bool,
    /// By what they are sorted, with `-` in front the other way around. Where nothing is said, by
    /// `-severity`: worst first.
    #[param(inline, value_type = Option<grammar::FlawOrder>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// `next` of the part before.
    #[param(inline, value_type = Option<grammar::Rank>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Flaws in what runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Flaws {
    /// In the order that was asked for.
    pub items: Vec<RunningFlaw>,
    /// What to send as `after` for the next part; nothing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// So many are meant, on all parts together.
    pub total: u64,
    /// What they rest on.
    pub basis: CountedBasis,
}

/// What counts rest on, and what they leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CountedBasis {
    /// When it was counted. Nothing: it is being counted for the first time, and nobody can tell yet.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<String>,
    /// So many different images run where it was counted.
    pub images: u64,
    /// Of so many of them nobody knows what is inside.
    pub pending: u64,
    /// So many things cannot be told of the others.
    pub gaps: u64,
}

/// A flaw in what runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunningFlaw {
    /// The name it goes by: the CVE where there is one.
    pub id: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// One line about it; nothing where no publisher has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How bad it is at worst: `critical`, `high`, `medium`, `low`, `unspecified`.
    pub severity: String,
    /// Its CVSS score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// How likely it is to be used in attacks, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<f32>,
    /// It is known to be used in attacks.
    pub exploited: bool,
    /// The package itself is the attack.
    pub malicious: bool,
    /// When it became known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// A package that has it can be updated.
    pub fixable: bool,
    /// Is a package that has it loaded? Nothing: nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<bool>,
    /// The first of the packages that have it.
    pub packages: Vec<FlawedPackage>,
    /// So many packages have it, each version by itself.
    pub packages_total: u64,
    /// It is in so many different images that run.
    pub images: u64,
    /// In so many of each environment, by its name.
    pub environments: Vec<InEnvironment>,
    /// The first of the images that have it, where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub some_images: Vec<String>,
}

/// A package that has a flaw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlawedPackage {
    /// What the advisory speaks of: the source package's name, or the package's full name.
    pub name: String,
    /// The version that runs.
    pub version: String,
    /// Where package and advisory met: `debian:12`, `npm`.
    pub space: String,
    /// The first version without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed: Option<String>,
}

/// Which images are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RunningImagesQuery {
    /// Only these, parted by commas, up to 100.
    #[param(inline, value_type = Option<grammar::DigestNames>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digests: Option<String>,
    /// `next` of the part before.
    #[param(inline, value_type = Option<grammar::DigestName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Images that run in an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunningImages {
    /// By digest.
    pub items: Vec<RunningImage>,
    /// What to send as `after` for the next part; nothing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What they rest on.
    pub basis: CountedBasis,
}

/// An image that runs, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunningImage {
    /// Which one.
    pub digest: String,
    /// What is wrong with it. Nothing: it is not analysed, and nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<FlawCounts>,
}

/// How many flaws there are, each of each package once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FlawCounts {
    /// Critical ones.
    pub critical: u64,
    /// High ones.
    pub high: u64,
    /// Medium ones.
    pub medium: u64,
    /// Low ones.
    pub low: u64,
    /// Those nobody rated.
    pub unspecified: u64,
    /// Known to be used in attacks.
    pub exploited: u64,
    /// With an update.
    pub fixable: u64,
    /// In packages that are loaded. Nothing: nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_use: Option<u64>,
    /// What cannot be told of the image.
    pub gaps: u64,
}

/// Images that have a flaw no more: where tags lead by now, in the repositories of what runs with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FreeOfFlaw {
    /// By repository and tag.
    pub items: Vec<FreeImage>,
    /// So many other tags lead to images that have it too.
    pub affected: u64,
    /// So many lead to images of which nobody knows what is inside.
    pub unread: u64,
}

/// An image that does not have a flaw, by what publishers say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FreeImage {
    /// With its registry.
    pub repository: String,
    /// `v1.2`.
    pub tag: String,
    /// For which platform.
    pub platform: String,
    /// The image.
    pub digest: String,
    /// Since when the tag leads there, as far as we saw.
    #[schema(format = DateTime)]
    pub since: String,
}
