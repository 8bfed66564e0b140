//! Footings: the bases that an organisation's images stand on.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Base, FlawCounts, InEnvironment, grammar};

/// Part of a list of bases that images stand on, or of images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FootingsQuery {
    /// `next` of the part before.
    #[param(inline, value_type = Option<grammar::Rank>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many; 100 if nobody says.
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The bases that an organisation's images stand on, as far as layers, what was taught, and images
/// themselves tell. What provenance says is in registries, which nobody asks for this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Footings {
    /// Those that most images stand on first.
    pub items: Vec<Footing>,
    /// Where the list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many there are.
    pub total: u64,
    /// Did somebody look? Otherwise that is being done for the first time.
    pub looked: bool,
    /// So many images were looked at: all that are analysed.
    pub images: u64,
    /// Of so many nobody can tell what they stand on.
    pub unknown: u64,
    /// So many of these are bases themselves: others stand on them.
    #[serde(default)]
    pub grounds: u64,
    /// So many of the unknown were analysed before it was kept what images say themselves.
    pub unasked: u64,
    /// So many images that run are not analysed, so nobody can tell of them either.
    pub unread: u64,
}

/// A base that images stand on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Footing {
    /// What it goes by: what its layers are called by their content, OCI's chain id; of one that images
    /// only name, that name in full.
    pub base: String,
    /// What it is called, in full; several where several tags lead to it, and none where nobody said.
    pub names: Vec<String>,
    /// Images that are just this one: some of them.
    pub digests: Vec<String>,
    /// What it is made for.
    pub platform: String,
    /// How many layers it has. Nothing: nobody can tell, so nobody can tell what it brings either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<u32>,
    /// How it was found.
    pub ways: FootingWays,
    /// So many images stand on it, whether they run or not.
    pub images: u64,
    /// In which environments some of them run, and how many.
    pub environments: Vec<InEnvironment>,
    /// What is wrong with it by what publishers say. Nothing: nobody can tell, or it is being looked into,
    /// and whoever asks again hears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brings: Option<FlawCounts>,
}

/// How a base was found, by images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FootingWays {
    /// Their builders name it, in provenance.
    #[serde(default)]
    pub provenance: u64,
    /// They name it themselves.
    pub label: u64,
    /// Their layers are those of a base that was taught.
    pub taught: u64,
    /// Their layers begin as those of an image that is known.
    pub layers: u64,
}

/// A base that images stand on, and where they would stand better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FootingTold {
    /// The base.
    pub footing: Footing,
    /// By which image it was told what it brings: itself, or one that stands on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_by: Option<String>,
    /// So many packages are in it. Nothing: nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<u64>,
    /// What was taught of it.
    pub taught: Vec<Base>,
    /// Where its tag leads by now, and other tags of its repository, of those that are known here.
    pub moves: Vec<FootingMove>,
    /// What nobody can tell of it and of these.
    pub untold: Vec<String>,
    /// An image that stands on it, by name: of which `foretop recommendations` asks the base's registry
    /// for all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// Another base to stand on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FootingMove {
    /// What it is called, in full.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// It is the same tag, which leads elsewhere by now: building anew is enough.
    pub refresh: bool,
    /// In what the tag differs, in words.
    pub steps: Vec<String>,
    /// Is it better? Fewer flaws of the worst level that differs, or the same and less in it.
    pub better: bool,
    /// What comes of it, a line each.
    pub benefits: Vec<String>,
    /// So many flaws are gone with it.
    pub removes: u64,
    /// So many come with it.
    pub adds: u64,
    /// What is wrong with it.
    pub brings: FlawCounts,
}

/// What an image stands on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StandsOn {
    /// The base. Nothing: nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footing: Option<Footing>,
    /// How it was found: `provenance`, `label`, `taught` or `layers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
}

/// Images that stand on a base.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FootedImages {
    /// Each.
    pub items: Vec<FootedImage>,
    /// Where the list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many there are.
    pub total: u64,
}

/// An image that stands on a base, or of which nobody can tell on which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FootedImage {
    /// Its digest.
    pub digest: String,
    /// What it is called, in full; several where several tags lead to it.
    pub names: Vec<String>,
    /// What it is made for.
    pub platform: String,
    /// How its base was found: `provenance`, `label`, `taught` or `layers`; nothing where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    /// How many layers it has, those of its base among them.
    pub layers: u32,
    /// Where it runs, by name.
    pub environments: Vec<String>,
}
