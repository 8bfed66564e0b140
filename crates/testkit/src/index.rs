//! Images for several platforms under one name, and the statements beside them.

use serde_json::{Value, json};

use crate::image::digest;
use crate::{Blobs, ImageBuilder};

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const IN_TOTO: &str = "application/vnd.in-toto+json";
const ATTESTATION: &str = "application/vnd.docker.attestation.manifest.v1+json";

/// The two ways in which BuildKit writes attestation manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttestationForm {
    /// Dressed as an image, as it was until 2026.
    Legacy,
    /// An artifact with a subject.
    Artifact,
}

/// An index without images.
pub fn index() -> IndexBuilder {
    IndexBuilder::default()
}

/// An index in the making.
#[derive(Default)]
pub struct IndexBuilder {
    entries: Vec<Value>,
    blobs: Vec<(String, String, Vec<u8>)>,
}

impl IndexBuilder {
    /// Adds an image for `platform`: `linux/arm/v7`.
    #[must_use]
    pub fn image(mut self, platform: &str, image: ImageBuilder) -> Self {
        let mut parts = platform.split('/');
        let (os, architecture) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let mut described = json!({"os": os, "architecture": architecture});
        if let Some(variant) = parts.next() {
            described["variant"] = variant.into();
        }
        let Blobs { blobs, manifest } = image.platform(os, architecture).blobs();
        let size = blobs.last().map_or(0, |(_, _, bytes)| bytes.len());
        self.blobs.extend(blobs);
        self.entries.push(json!({
            "mediaType": MANIFEST, "digest": manifest, "size": size, "platform": described,
        }));
        self
    }

    /// States something about the image added last.
    #[must_use]
    pub fn attestation(self, form: AttestationForm, predicate_type: &str) -> Self {
        self.stating(form, predicate_type, &json!({}))
    }

    /// The same, and what it states.
    #[must_use]
    pub fn stating(
        mut self,
        form: AttestationForm,
        predicate_type: &str,
        predicate: &Value,
    ) -> Self {
        let image = self.entries.last().expect("an image comes first").clone();
        let statement = self.keep(
            IN_TOTO,
            &json!({
                "_type": "https://in-toto.io/Statement/v1",
                "predicateType": predicate_type, "subject": [], "predicate": predicate,
            }),
        );
        let mut layer = statement;
        layer["annotations"] = json!({"in-toto.io/predicate-type": predicate_type});
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer],
        });
        match form {
            AttestationForm::Legacy => {
                let config = json!({
                    "os": "unknown", "architecture": "unknown",
                    "rootfs": {"type": "layers", "diff_ids": []},
                });
                manifest["config"] = self.keep(CONFIG, &config);
            }
            AttestationForm::Artifact => {
                manifest["config"] = self.keep(EMPTY, &json!({}));
                manifest["artifactType"] = ATTESTATION.into();
                manifest["subject"] = json!({
                    "mediaType": MANIFEST, "digest": image["digest"], "size": image["size"],
                });
            }
        }
        let mut entry = self.keep(MANIFEST, &manifest);
        entry["platform"] = json!({"os": "unknown", "architecture": "unknown"});
        entry["annotations"] = json!({
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": image["digest"],
        });
        // It goes to the end in real life; here the next one may be about the same image.
        self.entries.insert(self.entries.len() - 1, entry);
        self
    }

    /// Puts another index inside.
    #[must_use]
    pub fn nested(mut self, inner: &IndexBuilder) -> Self {
        let Blobs { blobs, manifest } = inner.blobs();
        let size = blobs.last().map_or(0, |(_, _, bytes)| bytes.len());
        self.blobs.extend(blobs);
        self.entries.push(json!({"mediaType": INDEX, "digest": manifest, "size": size}));
        self
    }

    /// Keeps `value` as a blob; its descriptor.
    fn keep(&mut self, media_type: &str, value: &Value) -> Value {
        let bytes = value.to_string().into_bytes();
        let digest = digest(&bytes);
        let descriptor = json!({"mediaType": media_type, "digest": digest, "size": bytes.len()});
        self.blobs.push((digest, media_type.to_owned(), bytes));
        descriptor
    }

    /// As a registry stores it; the index is the last blob.
    pub fn blobs(&self) -> Blobs {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries});
        let bytes = index.to_string().into_bytes();
        let manifest = digest(&bytes);
        let mut blobs = self.blobs.clone();
        blobs.push((manifest.clone(), INDEX.to_owned(), bytes));
        Blobs { blobs, manifest }
    }
}
