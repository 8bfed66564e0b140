//! OCI layouts of several images, with what builders put beside them.

use std::path::Path;

use serde_json::{Value, json};

use crate::image::archive;
use crate::index::INDEX;
use crate::{Blobs, ImageBuilder, IndexBuilder};

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
        let mut descriptor = self.put(image.blobs());
        descriptor["platform"] = image.platform_json();
        self.list(name, descriptor);
        self
    }

    /// Puts an index of its own in, as buildx does.
    #[must_use]
    pub fn index(mut self, name: &str, index: &IndexBuilder) -> Self {
        let descriptor = self.put(index.blobs());
        self.list(name, descriptor);
        self
    }

    /// Puts a part in, or puts another in its place.
    #[must_use]
    pub fn file(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.replace(path, bytes.as_ref().to_vec());
        self
    }

    fn replace(&mut self, path: &str, bytes: Vec<u8>) {
        self.files.retain(|(it, _)| it != path);
        self.files.push((path.to_owned(), bytes));
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

    /// Its files, `index.json` last.
    pub(crate) fn parts(&self) -> Vec<(String, Vec<u8>)> {
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

    /// Puts blobs in; the descriptor of the last one, which is what all others belong to.
    fn put(&mut self, Blobs { blobs, manifest }: Blobs) -> Value {
        let (_, media_type, bytes) = blobs.last().expect("there is a manifest");
        let descriptor = json!({"mediaType": media_type, "digest": manifest, "size": bytes.len()});
        for (digest, _, bytes) in blobs {
            self.replace(&path(&digest), bytes);
        }
        descriptor
    }
}

/// Where a blob lies.
pub(crate) fn path(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}
