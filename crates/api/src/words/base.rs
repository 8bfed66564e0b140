//! Base images: what was taught, and what stands below an image.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::grammar;

/// Part of the list of bases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct BaseQuery {
    /// Behind this one: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many; 100 if nobody says.
    #[param(minimum = 1, maximum = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// That images are bases of others, under one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Learning {
    /// What they are called: `debian:12`.
    #[schema(value_type = grammar::TagName)]
    pub name: String,
    /// One for each platform.
    #[schema(min_items = 1)]
    pub images: Vec<LearningImage>,
}

/// An image that is a base of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LearningImage {
    /// What it is made for.
    #[schema(value_type = grammar::PlatformName)]
    pub platform: String,
    /// Digest of its manifest; of its configuration where it has none.
    #[schema(value_type = grammar::DigestName)]
    pub digest: String,
    /// Digest of its configuration.
    #[schema(value_type = Option<grammar::DigestName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// What its layers together are called by their content: OCI's chain id of all of them.
    #[schema(value_type = grammar::DigestName)]
    pub chain: String,
    /// How many layers it has.
    #[schema(minimum = 1, maximum = 1000)]
    pub layers: u32,
}

/// What was learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Learned {
    /// What they are called, in full: `docker.io/library/debian:12`.
    pub name: String,
    /// How many of them are new.
    pub new: u64,
}

/// A base that was taught.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Base {
    /// What it is called, in full.
    pub name: String,
    /// What it is made for.
    pub platform: String,
    /// Digest of its manifest; of its configuration where it has none.
    pub digest: String,
    /// How many layers it has.
    pub layers: u32,
    /// When it was taught.
    #[schema(format = DateTime)]
    pub learned: String,
    /// By whom.
    pub learned_by: String,
}

/// What was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Forgotten {
    /// How many images that were.
    pub images: u64,
}

/// The layers of an image, of which those that it stands on are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Layered {
    /// Digests of their content, bottom first; of more than 1000 the first ones are looked at.
    #[schema(value_type = Vec<grammar::DigestName>)]
    pub layers: Vec<String>,
}

/// Images whose layers are the beginning of those that were asked about, most layers first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Below {
    /// Each.
    pub items: Vec<BelowImage>,
}

/// An image whose layers are the beginning of another one's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BelowImage {
    /// What it is called, in full; several where several tags lead to it.
    pub names: Vec<String>,
    /// Digest of its manifest; of its configuration where it has none.
    pub digest: Option<String>,
    /// Digest of its configuration.
    pub config: Option<String>,
    /// What it is made for.
    pub platform: String,
    /// How many layers it has.
    pub layers: u32,
    /// Did somebody teach that it is a base? Otherwise it is an image that is known.
    pub taught: bool,
    /// Digests that its names lead to by now, of those that are known to lead to another image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<String, String>,
}

impl From<model::KnownBase> for BelowImage {
    fn from(it: model::KnownBase) -> Self {
        Self {
            names: it.names,
            digest: it.digest.map(|it| it.to_string()),
            config: it.config.map(|it| it.to_string()),
            platform: it.platform.to_string(),
            layers: it.layers,
            taught: it.taught,
            moved: it.moved.into_iter().map(|(name, it)| (name, it.to_string())).collect(),
        }
    }
}

impl BelowImage {
    /// The same, as it is understood here; what makes no sense is left out.
    pub fn known(self) -> Option<model::KnownBase> {
        Some(model::KnownBase {
            names: self.names,
            digest: self.digest.and_then(|it| it.parse().ok()),
            config: self.config.and_then(|it| it.parse().ok()),
            platform: self.platform.parse().ok()?,
            layers: self.layers,
            taught: self.taught,
            moved: self
                .moved
                .into_iter()
                .filter_map(|(name, it)| Some((name, it.parse().ok()?)))
                .collect(),
        })
    }
}
