//! An image as it is remembered, and the tags that have led to it.

use serde::{Deserialize, Serialize};

use crate::{Digest, ImageDescription, LayerDescription, Moment, Platform};

/// An image of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRecord {
    /// Of its manifest for its platform; of an image that never had one, of its configuration.
    pub digest: Digest,
    /// What it is made for.
    pub platform: Platform,
    /// The repositories it was seen in, with their registries, sorted.
    pub repositories: Vec<String>,
    /// Whether its content is known.
    #[serde(flatten)]
    pub state: ImageState,
    /// What its manifest says; nothing before it is analysed.
    pub outline: Option<Outline>,
    /// When it was first heard of.
    pub first_seen: Moment,
    /// When it was last analysed, or analysis last failed.
    pub analysed: Option<Moment>,
    /// How many packages it has; none before it is analysed.
    pub packages: Option<u64>,
}

/// What an image's manifest and configuration say, in short.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// Digest of the configuration.
    pub config: Option<Digest>,
    /// RFC 3339, as the configuration states it.
    pub created: Option<String>,
    /// Bytes of all layers as stored.
    pub size: u64,
    /// Bottom first.
    pub layers: Vec<OutlineLayer>,
}

/// One layer of an outline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutlineLayer {
    /// Digest of the blob as stored.
    pub digest: Option<Digest>,
    /// Digest of the content.
    pub diff_id: Option<Digest>,
    /// The instruction that made it.
    pub created_by: Option<String>,
}

impl From<&ImageDescription> for Outline {
    fn from(image: &ImageDescription) -> Self {
        let layer = |it: &LayerDescription| OutlineLayer {
            digest: it.digest.clone(),
            diff_id: it.diff_id.clone(),
            created_by: it.created_by.clone(),
        };
        Self {
            config: image.config.clone(),
            created: image.created.clone(),
            size: image.size,
            layers: image.layers.iter().map(layer).collect(),
        }
    }
}

/// Whether the content of an image is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ImageState {
    /// Heard of, not yet read.
    Pending,
    /// Read: its inventory is kept.
    Analysed,
    /// Reading it failed.
    Failed {
        /// Why.
        why: String,
    },
}

/// A time during which a tag led to an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagSpan {
    /// With its registry.
    pub repository: String,
    /// `v1.2`.
    pub tag: String,
    /// For which platform: a tag may lead to an image for each.
    pub platform: Platform,
    /// Where it led.
    pub digest: Digest,
    /// Since when, as far as we saw.
    pub from: Moment,
    /// Until when; none when it still does.
    pub until: Option<Moment>,
}
