//! Manifests: what the JSON of an index, a manifest or a configuration says, whatever it calls
//! itself.
//!
//! Bytes in, values out; nothing here asks a registry or opens a file.
//! <https://github.com/opencontainers/image-spec/blob/main/manifest.md>

mod config;
mod index;

use std::collections::BTreeMap;

use model::{Digest, Gap, ImageDescription, LayerDescription, LayerKey, Platform};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::Error;

pub(crate) use config::Config;
pub(crate) use index::{Index, default_platform};

/// Bytes of an index or a manifest that are read at most.
pub(crate) const MANIFEST_LIMIT: usize = 4 << 20;
/// Bytes of a configuration that are read at most.
pub(crate) const CONFIG_LIMIT: usize = 8 << 20;
/// Layers of an image that are read at most.
pub(crate) const LAYERS_LIMIT: usize = 1000;

/// `Accept` of a registry request: everything that [`read`] understands.
pub(crate) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

pub(crate) const ATTESTATION: &str = "application/vnd.docker.attestation.manifest.v1+json";
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Where cosign keeps a signature.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// Where cosign keeps the certificate of a signature that was made without a key.
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// What a piece of JSON proved to be.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and not for long")]
pub(crate) enum Document {
    /// Several images: an OCI index, a docker manifest list.
    Index(Index),
    /// One image: an OCI manifest, a docker manifest of schema 2.
    Manifest(Manifest),
}

/// One image: its configuration and its layers.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// Where the configuration is.
    pub(crate) config: Descriptor,
    /// Bottom first.
    pub(crate) layers: Vec<Descriptor>,
    /// What it is instead of an image.
    artifact_type: Option<String>,
    /// What it is about, if it is about something else.
    subject: Option<Descriptor>,
    /// Remarks about the whole.
    annotations: BTreeMap<String, String>,
}

/// A layer that states something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stating {
    /// Where it is.
    pub(crate) digest: Digest,
    /// How it is written.
    pub(crate) form: Form,
    /// What it states, where that is said beside it.
    pub(crate) predicate_type: Option<String>,
    /// Is there a certificate beside it in place of a key?
    pub(crate) certificate: bool,
}

/// How statements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As such.
    Statement,
    /// In an envelope.
    Envelope,
    /// In an envelope, in a bundle.
    Bundle,
}

impl Form {
    fn of(media_type: &str) -> Option<Self> {
        match media_type {
            attestation::IN_TOTO => Some(Self::Statement),
            attestation::DSSE => Some(Self::Envelope),
            it if it.starts_with(attestation::BUNDLE) => Some(Self::Bundle),
            _ => None,
        }
    }
}

/// A pointer to a blob or a manifest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Descriptor {
    /// As it claims.
    #[serde(deserialize_with = "lenient")]
    pub(crate) media_type: String,
    #[serde(deserialize_with = "lenient")]
    digest: String,
    /// Where stated.
    #[serde(deserialize_with = "lenient")]
    pub(crate) size: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    platform: Option<PlatformJson>,
    #[serde(deserialize_with = "lenient")]
    artifact_type: Option<String>,
    /// Remarks.
    #[serde(deserialize_with = "lenient")]
    pub(crate) annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PlatformJson {
    #[serde(deserialize_with = "lenient")]
    os: String,
    #[serde(deserialize_with = "lenient")]
    architecture: String,
    #[serde(deserialize_with = "lenient")]
    variant: Option<String>,
    #[serde(rename = "os.version", deserialize_with = "lenient")]
    os_version: Option<String>,
}

/// Any of the documents, before it is known which.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DocumentJson {
    #[serde(deserialize_with = "lenient")]
    schema_version: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    media_type: String,
    #[serde(deserialize_with = "lenient")]
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    #[serde(deserialize_with = "lenient")]
    fs_layers: Option<serde::de::IgnoredAny>,
    #[serde(deserialize_with = "lenient")]
    subject: Option<Descriptor>,
    #[serde(deserialize_with = "lenient")]
    annotations: BTreeMap<String, String>,
}

/// Recognises an index or a manifest by what it holds; its media type is not believed.
/// `what` names it in errors.
pub(crate) fn read(what: &str, bytes: &[u8]) -> Result<Document, Error> {
    if bytes.len() > MANIFEST_LIMIT {
        return Err(Error::limit(what, format!("its manifest is over {MANIFEST_LIMIT} bytes")));
    }
    let document: DocumentJson = parse(what, "manifest", bytes)?;
    if document.schema_version == Some(1)
        || document.fs_layers.is_some()
        || document.media_type.starts_with("application/vnd.docker.distribution.manifest.v1+")
    {
        return Err(Error::unsupported(
            what,
            "it is an image of docker's schema 1, from before 2017",
        )
        .with_hint("pull it with an old docker and push it again"));
    }
    match (document.manifests, document.layers, document.config) {
        // Which of the two is meant could be read either way, and so hide an image.
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            Err(Error::corrupt(what, "its manifest is an index and an image at once"))
        }
        (Some(manifests), None, None) => Ok(Document::Index(Index::new(manifests))),
        (None, layers, Some(config)) => {
            let layers = layers.unwrap_or_default();
            if layers.len() > LAYERS_LIMIT {
                return Err(Error::limit(
                    what,
                    format!("it has {} layers, more than {LAYERS_LIMIT}", layers.len()),
                ));
            }
            let DocumentJson { artifact_type, subject, annotations, .. } = document;
            Ok(Document::Manifest(Manifest { config, layers, artifact_type, subject, annotations }))
        }
        (None, _, None) => {
            Err(Error::corrupt(what, "its manifest is neither that of an image nor an index"))
        }
    }
}

impl Descriptor {
    /// The digest it points to; `what` names the document it stands in.
    pub(crate) fn digest(&self, what: &str) -> Result<Digest, Error> {
        self.digest.parse().map_err(|why| Error::corrupt(what, format!("in its manifest, {why}")))
    }

    /// What it is said to be for.
    pub(crate) fn platform(&self) -> Option<Platform> {
        self.platform.as_ref().map(PlatformJson::platform)
    }

    /// True for layers that a registry does not keep, by promise to their publisher.
    fn is_foreign(&self) -> bool {
        self.media_type.contains(".rootfs.foreign.")
            || self.media_type.contains(".nondistributable.")
    }
}

impl PlatformJson {
    fn platform(&self) -> Platform {
        let mut platform = Platform::new(&self.os, &self.architecture, self.variant.as_deref());
        platform.os_version = self.os_version.clone().filter(|it| !it.is_empty());
        platform
    }
}

impl Manifest {
    /// If it holds attestations: the digest of what they are about (where it says so itself), and the
    /// predicate types inside, as far as they are told without reading them.
    pub(crate) fn attests(&self) -> Option<(Option<Digest>, Vec<String>)> {
        let artifact = self
            .artifact_type
            .as_deref()
            .is_some_and(|it| it == ATTESTATION || Form::of(it).is_some());
        let is_form = |it: &Descriptor| Form::of(&it.media_type).is_some();
        let all = !self.layers.is_empty() && self.layers.iter().all(is_form);
        (artifact || all).then(|| {
            let layers = self.layers.iter().filter(|it| is_form(it));
            (self.about(), layers.filter_map(|it| self.predicate_type(it)).collect())
        })
    }

    /// The digest of what it is about, where it says so.
    pub(crate) fn about(&self) -> Option<Digest> {
        self.subject.as_ref().and_then(|it| it.digest.parse().ok())
    }

    /// Its layers that state something, whose predicate types are `wanted` or not told.
    pub(crate) fn stating(&self, what: &str, wanted: crate::Wanted) -> Result<Vec<Stating>, Error> {
        let mut all = Vec::new();
        for layer in &self.layers {
            let Some(form) = Form::of(&layer.media_type) else { continue };
            let predicate_type = self.predicate_type(layer);
            if predicate_type.as_deref().is_none_or(wanted) {
                let certificate = layer.annotations.contains_key(CERTIFICATE);
                all.push(Stating {
                    digest: layer.digest(what)?,
                    form,
                    predicate_type,
                    certificate,
                });
            }
        }
        Ok(all)
    }

    /// Its layers that cosign signed: where each is, its signature, and whether a certificate is beside it.
    pub(crate) fn signed(&self, what: &str) -> Result<Vec<(Digest, String, bool)>, Error> {
        let is_signed = |it: &&Descriptor| it.media_type == SIMPLE_SIGNING;
        self.layers
            .iter()
            .filter(is_signed)
            .map(|it| {
                let signature = it.annotations.get(SIGNATURE).cloned().unwrap_or_default();
                Ok((it.digest(what)?, signature, it.annotations.contains_key(CERTIFICATE)))
            })
            .collect()
    }

    /// BuildKit, cosign and Sigstore's bundles have a place each for it.
    fn predicate_type(&self, layer: &Descriptor) -> Option<String> {
        let annotated = ["in-toto.io/predicate-type", "predicateType"];
        let own = annotated.iter().find_map(|it| layer.annotations.get(*it));
        let of_all = || self.annotations.get("dev.sigstore.bundle.predicateType");
        own.or_else(of_all).filter(|it| !it.is_empty()).cloned()
    }

    /// The image that the manifest (`bytes`) and its configuration describe.
    /// Its name, digests, tags and attestations are the caller's to fill in.
    pub(crate) fn describe(
        &self,
        what: &str,
        bytes: &[u8],
        config: &[u8],
    ) -> Result<ImageDescription, Error> {
        self.refuse_statements(what)?;
        let mut image = ImageDescription {
            config: Some(self.config.digest(what)?),
            raw_manifest: Some(String::from_utf8_lossy(bytes).into_owned()),
            ..ImageDescription::default()
        };
        for layer in &self.layers {
            let digest = layer.digest(what)?;
            image.size = image.size.saturating_add(layer.size.unwrap_or(0));
            let absent = layer.is_foreign().then(|| {
                "it is a foreign layer, which its publisher keeps and registries do not".to_owned()
            });
            if let Some(why) = &absent {
                image.gaps.push(Gap::new(format!("layer {}", digest.short()), why));
            }
            image.layers.push(LayerDescription {
                key: LayerKey(digest.to_string()),
                digest: Some(digest),
                media_type: layer.media_type.clone(),
                size: layer.size,
                absent,
                ..LayerDescription::default()
            });
        }
        let config = Config::read(what, config).and_then(|it| {
            let named = IMAGE_CONFIGS.contains(&self.config.media_type.as_str());
            if named || it.is_image() { Ok(it) } else { Err(self.no_image(what)) }
        });
        match config {
            Ok(config) => config.apply(&mut image),
            // A chart's or a module's configuration need not even be JSON.
            Err(_) if !self.config_may_be_image() => return Err(self.no_image(what)),
            Err(error) => return Err(error),
        }
        Ok(image)
    }

    fn config_may_be_image(&self) -> bool {
        let named = &self.config.media_type;
        named.is_empty()
            || IMAGE_CONFIGS.contains(&named.as_str())
            || named.contains("octet-stream")
    }

    /// Signatures and attestations wear an image's configuration, but their layers are JSON.
    fn refuse_statements(&self, what: &str) -> Result<(), Error> {
        let statements = !self.layers.is_empty()
            && self.layers.iter().all(|it| it.media_type.ends_with("+json"));
        if self.attests().is_some() || statements { Err(self.no_image(what)) } else { Ok(()) }
    }

    fn no_image(&self, what: &str) -> Error {
        if self.attests().is_some() {
            return Error::unsupported(what, "it is an attestation about an image, not an image");
        }
        let held = self
            .artifact_type
            .as_deref()
            .filter(|it| !it.is_empty())
            .or_else(|| {
                Some(self.config.media_type.as_str()).filter(|it| !IMAGE_CONFIGS.contains(it))
            })
            .or_else(|| self.layers.first().map(|it| it.media_type.as_str()))
            .filter(|it| !it.is_empty())
            .unwrap_or("something unnamed");
        let held: String = held.chars().take(120).collect();
        Error::unsupported(what, format!("it is not a container image: it holds {held}"))
    }
}

/// Fails when the image is not for the platform that was asked for.
pub(crate) fn fits(what: &str, wanted: Option<&Platform>, has: &Platform) -> Result<(), Error> {
    match wanted {
        Some(wanted) if !has.os.is_empty() && has.rank_for(wanted).is_none() => {
            Err(Error::not_found(what, format!("there is none for {wanted}; it is for {has}"))
                .with_hint(format!("leave --platform out, or say --platform {has}")))
        }
        _ => Ok(()),
    }
}

fn parse<T: DeserializeOwned>(what: &str, part: &str, bytes: &[u8]) -> Result<T, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Error::corrupt(what, format!("its {part} is not text")))?;
    serde_json::from_str(text).map_err(|why| {
        let start = text.trim_start();
        let why =
            if start.starts_with('<') { "HTML".to_owned() } else { format!("no JSON ({why})") };
        Error::corrupt(what, format!("its {part} is {why}"))
    })
}

/// What is not of the expected shape counts as not there: the rest may still make sense.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

#[cfg(test)]
mod tests;
