//! An image described: its digest, its platform, its layers.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Digest, Gap, Platform, SaidBase};

/// Everything about an image but the content of its layers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageDescription {
    /// The name it was asked by, without a scheme.
    pub name: String,
    /// Digest of the manifest for this platform. Old archives have none.
    pub digest: Option<Digest>,
    /// Digest of the index the manifest was chosen from.
    pub index: Option<Digest>,
    /// Digest of the configuration.
    pub config: Option<Digest>,
    /// Tags known to lead here.
    pub tags: Vec<String>,
    /// What it is made for.
    pub platform: Platform,
    /// RFC 3339, as the configuration states it.
    pub created: Option<String>,
    /// Bottom first.
    pub layers: Vec<LayerDescription>,
    /// Statements about this image that travel beside it.
    pub attestations: Vec<Attestation>,
    /// The manifest's own bytes.
    pub raw_manifest: Option<String>,
    /// The configuration's own bytes.
    pub raw_config: Option<String>,
    /// Bytes of all layers as stored.
    pub size: u64,
    /// Holes: a foreign layer, a history that does not fit.
    pub gaps: Vec<Gap>,
    /// The image that it stands on as its builder says, where provenance was asked for and tells.
    #[serde(default)]
    pub built_on: Option<SaidBase>,
}

impl ImageDescription {
    /// The image it was built from, where its manifest's annotations or its labels say so
    /// (<https://github.com/opencontainers/image-spec/blob/main/annotations.md>).
    pub fn base(&self) -> Option<Base> {
        let read = |text: &Option<String>| -> Option<serde_json::Value> {
            serde_json::from_str(text.as_deref()?).ok()
        };
        let (manifest, config) = (read(&self.raw_manifest), read(&self.raw_config));
        let annotated = manifest.as_ref().and_then(|it| it.get("annotations"));
        let labelled = config.as_ref().and_then(|it| it.get("config")?.get("Labels"));
        let text = |it: &serde_json::Value, key: &str| {
            let key = format!("org.opencontainers.image.base.{key}");
            it.get(key)?.as_str().filter(|it| !it.is_empty()).map(str::to_owned)
        };
        let base = |it: &serde_json::Value| {
            Some(Base { name: text(it, "name")?, digest: text(it, "digest") })
        };
        [annotated, labelled].into_iter().flatten().find_map(base)
    }
}

/// The image that another one was built from, as that one says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// `debian:12`, `ghcr.io/acme/base:v1`.
    pub name: String,
    /// The digest it had then.
    pub digest: Option<String>,
}

/// One layer, by its names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerDescription {
    /// Digest of the blob as stored (compressed). Old archives have none.
    pub digest: Option<Digest>,
    /// Digest of the content (uncompressed).
    pub diff_id: Option<Digest>,
    /// As the manifest says; never believed without looking.
    pub media_type: String,
    /// Bytes as stored, where known.
    pub size: Option<u64>,
    /// The instruction that made it, from the image's history.
    pub created_by: Option<String>,
    /// The name its source reads it by.
    pub key: LayerKey,
    /// Set when its bytes are not to be had from here (a foreign layer), with the reason.
    pub absent: Option<String>,
}

/// The name by which a source hands out a layer: its digest, or a path in an old archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LayerKey(pub String);

impl fmt::Display for LayerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A statement beside an image (`BuildKit` attestation manifests).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// Digest of the manifest that holds it.
    pub manifest: Digest,
    /// `https://spdx.dev/Document`, where the manifest was read.
    pub predicate_types: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(manifest: &str, config: &str, expect: Option<&str>) {
        let image = ImageDescription {
            raw_manifest: Some(manifest.to_owned()),
            raw_config: Some(config.to_owned()),
            ..ImageDescription::default()
        };
        assert_eq!(image.base().map(|it| it.name).as_deref(), expect);
    }

    #[test]
    fn an_image_may_say_what_it_was_built_from() {
        let annotated = r#"{"annotations":{"org.opencontainers.image.base.name":"debian:12"}}"#;
        let labelled = r#"{"config":{"Labels":{"org.opencontainers.image.base.name":"alpine:3"}}}"#;
        check(annotated, labelled, Some("debian:12"));
        check("{}", labelled, Some("alpine:3"));
        check("[]", "broken", None);
        check(r#"{"annotations":{"org.opencontainers.image.base.name":7}}"#, "{}", None);
        assert_eq!(ImageDescription::default().base(), None);
    }
}
