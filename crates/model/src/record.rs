//! An image as it is remembered, and the tags that have led to it.

use serde::{Deserialize, Serialize};

use crate::{Digest, ImageDescription, LayerDescription, Moment, Platform, Reference};

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
    /// What it says itself of the image that it stands on; nothing where that was not looked at when it
    /// was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<SaidBase>,
    /// What its builder says of that; nothing where nobody asked, or where provenance does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_on: Option<SaidBase>,
}

/// What is said of the image that another one stands on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaidBase {
    /// `debian:12`; nothing where it does not say, or nothing that could be a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The digest that one had then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
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
            base: Some(SaidBase::of(image)),
            // Whoever sent it may have written anything there.
            built_on: image
                .built_on
                .as_ref()
                .and_then(|it| SaidBase::named(it.name.as_deref()?, it.digest.clone())),
        }
    }
}

impl SaidBase {
    /// Letters of a name; nobody calls an image by more.
    const LONGEST: usize = 1_000;

    /// What the annotations and labels of an image say.
    fn of(image: &ImageDescription) -> Self {
        let Some(said) = image.base() else { return Self::default() };
        let digest = said.digest.and_then(|it| it.parse().ok());
        Self::named(&said.name, digest).unwrap_or_default()
    }

    /// One of that name, if it is one; the digest counts where the name has none.
    fn named(name: &str, digest: Option<Digest>) -> Option<Self> {
        let reference: Reference =
            Some(name).filter(|it| it.len() <= Self::LONGEST)?.parse().ok()?;
        let digest = reference.digest.clone().or(digest);
        Some(Self { name: Some(reference.to_string()), digest })
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
