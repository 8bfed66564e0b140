//! OCI layouts of several images, with what builders put beside them.

use std::path::Path;

use serde_json::{Value, json};

use crate::image::{Blobs, ImageBuilder, archive, digest};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A layout without images.
pub fn layout() -> LayoutBuilder {
    LayoutBuilder { files: Vec::new(), manifests: Vec::new() }
}

/// A layout in the making.
pub struct LayoutBuilder {
    files: Vec<(String, Vec<u8>)>,
    manifests: Vec<Value>,
}

impl LayoutBuilder {
    /// Puts an image into `index.json` itself; without a name if that is empty.
    #[must_use]
    pub fn image(mut self, name: &str, image: &ImageBuilder) -> Self {
        let descriptor = self.put(image);
        self.list(name, descriptor);
        self
    }

    /// Puts images for several platforms into an index of their own, as buildx does, each with an
    /// attestation (in the older form) about it when `attested`.
    #[must_use]
    pub fn index(mut self, name: &str, images: &[&ImageBuilder], attested: bool) -> Self {
        let mut manifests: Vec<Value> = images.iter().map(|image| self.put(image)).collect();
        if attested {
            let beside: Vec<Value> = manifests
                .iter()
                .map(|it| self.attestation(it["digest"].as_str().expect("it is text")))
                .collect();
            manifests.extend(beside);
        }
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        let (digest, size) = self.blob(index.to_string().into_bytes());
        self.list(name, json!({"mediaType": INDEX, "digest": digest, "size": size}));
        self
    }

    /// Puts a part in, or puts another in its place.
    #[must_use]
    pub fn file(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.files.retain(|(it, _)| it != path);
        self.files.push((path.to_owned(), bytes.as_ref().to_vec()));
        self
    }

    /// Leaves the blob out.
    #[must_use]
    pub fn without(mut self, digest: &str) -> Self {
        let path = path(digest);
        self.files.retain(|(it, _)| *it != path);
        self
    }

    /// Puts other bytes where the blob should be.
    #[must_use]
    pub fn damaged(self, digest: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.file(&path(digest), bytes)
    }

    /// Writes it into `directory`.
    pub fn write(&self, directory: &Path) {
        for (path, bytes) in self.parts() {
            let path = directory.join(path);
            fs_err::create_dir_all(path.parent().expect("it has one")).expect("a fresh directory");
            fs_err::write(path, bytes).expect("a fresh directory");
        }
    }

    /// As a tar archive.
    pub fn archive(&self) -> Vec<u8> {
        archive(&self.parts())
    }

    fn parts(&self) -> Vec<(String, Vec<u8>)> {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests});
        let mut parts =
            vec![("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())];
        parts.extend(self.files.iter().cloned());
        if !parts.iter().any(|(path, _)| path == "index.json") {
            parts.push(("index.json".to_owned(), index.to_string().into_bytes()));
        }
        parts
    }

    fn list(&mut self, name: &str, mut descriptor: Value) {
        if !name.is_empty() {
            descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        }
        self.manifests.push(descriptor);
    }

    fn put(&mut self, image: &ImageBuilder) -> Value {
        let Blobs { blobs, manifest } = image.blobs();
        let size = blobs.last().map_or(0, |(_, _, bytes)| bytes.len());
        for (digest, _, bytes) in blobs {
            self.files.retain(|(it, _)| *it != path(&digest));
            self.files.push((path(&digest), bytes));
        }
        json!({
            "mediaType": MANIFEST, "digest": manifest, "size": size,
            "platform": image.platform_json(),
        })
    }

    fn attestation(&mut self, about: &str) -> Value {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": "https://spdx.dev/Document",
            "subject": [{"name": "_", "digest": {"sha256": about.trim_start_matches("sha256:")}}],
            "predicate": {"spdxVersion": "SPDX-2.3"},
        });
        let (statement, statement_size) = self.blob(statement.to_string().into_bytes());
        let (config, config_size) =
            self.blob(br#"{"architecture":"unknown","os":"unknown"}"#.to_vec());
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": config, "size": config_size,
            },
            "layers": [{
                "mediaType": "application/vnd.in-toto+json",
                "digest": statement, "size": statement_size,
                "annotations": {"in-toto.io/predicate-type": "https://spdx.dev/Document"},
            }],
        });
        let (manifest, size) = self.blob(manifest.to_string().into_bytes());
        json!({
            "mediaType": MANIFEST, "digest": manifest, "size": size,
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": about,
            },
        })
    }

    fn blob(&mut self, bytes: Vec<u8>) -> (String, usize) {
        let (digest, size) = (digest(&bytes), bytes.len());
        self.files.retain(|(it, _)| *it != path(&digest));
        self.files.push((path(&digest), bytes));
        (digest, size)
    }
}

fn path(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}
