//! Images built in the test: layers as tar bytes, images as layouts and archives.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::layout::{layout, path};

/// How a layer's blob is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    Plain,
    /// gzip, as nearly everywhere.
    #[default]
    Gzip,
    /// Zstandard.
    Zstd,
}

/// An empty layer.
pub fn layer() -> LayerBuilder {
    LayerBuilder { tar: tar::Builder::new(Vec::new()), compression: Compression::default() }
}

/// An image without layers.
pub fn image() -> ImageBuilder {
    ImageBuilder {
        layers: Vec::new(),
        platform: ("linux".into(), "amd64".into()),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
    }
}

/// A layer in the making.
pub struct LayerBuilder {
    tar: tar::Builder<Vec<u8>>,
    compression: Compression,
}

impl Clone for LayerBuilder {
    fn clone(&self) -> Self {
        Self { tar: tar::Builder::new(self.tar.get_ref().clone()), compression: self.compression }
    }
}

impl LayerBuilder {
    /// A regular file.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.file_with_mode(path, 0o644, content)
    }

    /// A regular file that may be run.
    #[must_use]
    pub fn program(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.file_with_mode(path, 0o755, content)
    }

    fn file_with_mode(mut self, path: &str, mode: u32, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref();
        let mut header = header(tar::EntryType::Regular, mode);
        header.set_size(content.len() as u64);
        self.tar.append_data(&mut header, path, content).expect("a Vec takes what it is given");
        self
    }

    /// A regular file whose path is written as it is, `..` and all.
    #[must_use]
    pub fn raw_file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref();
        let mut header = header(tar::EntryType::Regular, 0o644);
        header.set_size(content.len() as u64);
        let name = &mut header.as_old_mut().name;
        assert!(path.len() < name.len(), "a raw path fits the header");
        name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        self.tar.append(&header, content).expect("a Vec takes what it is given");
        self
    }

    /// A directory.
    #[must_use]
    pub fn directory(mut self, path: &str) -> Self {
        let mut header = header(tar::EntryType::Directory, 0o755);
        self.tar.append_data(&mut header, path, &[][..]).expect("a Vec takes what it is given");
        self
    }

    /// A symbolic link.
    #[must_use]
    pub fn symlink(mut self, path: &str, target: &str) -> Self {
        let mut header = header(tar::EntryType::Symlink, 0o777);
        self.tar.append_link(&mut header, path, target).expect("a Vec takes what it is given");
        self
    }

    /// A hard link.
    #[must_use]
    pub fn hardlink(mut self, path: &str, target: &str) -> Self {
        let mut header = header(tar::EntryType::Link, 0o644);
        self.tar.append_link(&mut header, path, target).expect("a Vec takes what it is given");
        self
    }

    /// Deletes `path` from the layers below.
    #[must_use]
    pub fn delete(self, path: &str) -> Self {
        let whiteout = match path.rsplit_once('/') {
            Some((directory, name)) => format!("{directory}/.wh.{name}"),
            None => format!(".wh.{path}"),
        };
        self.file(&whiteout, "")
    }

    /// Hides what the layers below have in `directory`.
    #[must_use]
    pub fn opaque(self, directory: &str) -> Self {
        self.file(&format!("{directory}/.wh..wh..opq"), "")
    }

    /// Stores the blob this way.
    #[must_use]
    pub fn stored(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// The tar archive, uncompressed.
    pub fn tar(self) -> Vec<u8> {
        self.tar.into_inner().expect("a Vec takes what it is given")
    }

    fn finish(self) -> Layer {
        let compression = self.compression;
        let tar = self.tar();
        let diff_id = digest(&tar);
        let blob = compress(&tar, compression);
        Layer { digest: digest(&blob), diff_id, blob, compression, tar }
    }
}

fn header(kind: tar::EntryType, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_size(0);
    header
}

/// `bytes`, compressed.
pub fn compress(bytes: &[u8], compression: Compression) -> Vec<u8> {
    match compression {
        Compression::Plain => bytes.to_vec(),
        Compression::Gzip => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            gzip.write_all(bytes).and_then(|()| gzip.finish()).expect("a Vec takes it")
        }
        Compression::Zstd => zstd::encode_all(bytes, 3).expect("a Vec takes it"),
    }
}

/// `sha256:…` of `bytes`.
pub fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[derive(Clone)]
struct Layer {
    tar: Vec<u8>,
    blob: Vec<u8>,
    digest: String,
    diff_id: String,
    compression: Compression,
}

/// An image in the making.
#[derive(Clone)]
pub struct ImageBuilder {
    layers: Vec<Layer>,
    platform: (String, String),
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

/// Blobs by digest, and the one to start from.
pub struct Blobs {
    /// `(digest, media type, bytes)`: layers, configuration, manifest.
    pub blobs: Vec<(String, String, Vec<u8>)>,
    /// Digest of the manifest, which is the last blob.
    pub manifest: String,
}

impl ImageBuilder {
    /// Puts a layer on top.
    #[must_use]
    pub fn layer(mut self, layer: LayerBuilder) -> Self {
        self.layers.push(layer.finish());
        self
    }

    /// Puts bytes on top that call themselves a layer.
    #[must_use]
    pub fn blob_layer(mut self, bytes: &[u8]) -> Self {
        let name = digest(bytes);
        self.layers.push(Layer {
            tar: bytes.to_vec(),
            blob: bytes.to_vec(),
            digest: name.clone(),
            diff_id: name,
            compression: Compression::Plain,
        });
        self
    }

    /// Made for `os/architecture`.
    #[must_use]
    pub fn platform(mut self, os: &str, architecture: &str) -> Self {
        self.platform = (os.to_owned(), architecture.to_owned());
        self
    }

    /// With a label in its configuration.
    #[must_use]
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With an annotation in its manifest.
    #[must_use]
    pub fn annotation(mut self, name: &str, value: &str) -> Self {
        self.annotations.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn config(&self) -> Vec<u8> {
        let settings =
            if self.labels.is_empty() { json!({}) } else { json!({"Labels": self.labels}) };
        let config = json!({
            "created": "2026-01-02T03:04:05Z",
            "os": self.platform.0,
            "architecture": self.platform.1,
            "config": settings,
            "rootfs": {
                "type": "layers",
                "diff_ids": self.layers.iter().map(|it| it.diff_id.clone()).collect::<Vec<_>>(),
            },
            "history": self.layers.iter().enumerate().map(|(number, _)| json!({
                "created": "2026-01-02T03:04:05Z",
                "created_by": format!("COPY layer {number}"),
            })).collect::<Vec<_>>(),
        });
        serde_json::to_vec(&config).expect("a Value is JSON")
    }

    /// As a registry stores it.
    pub fn blobs(&self) -> Blobs {
        let config = self.config();
        let suffix = |compression| match compression {
            Compression::Plain => "",
            Compression::Gzip => "+gzip",
            Compression::Zstd => "+zstd",
        };
        let layer_type = |it: &Layer| {
            format!("application/vnd.oci.image.layer.v1.tar{}", suffix(it.compression))
        };
        let manifest_type = "application/vnd.oci.image.manifest.v1+json";
        let config_type = "application/vnd.oci.image.config.v1+json";
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": {
                "mediaType": config_type, "digest": digest(&config), "size": config.len(),
            },
            "layers": self.layers.iter().map(|it| json!({
                "mediaType": layer_type(it), "digest": it.digest, "size": it.blob.len(),
            })).collect::<Vec<_>>(),
        });
        if !self.annotations.is_empty() {
            manifest["annotations"] = json!(self.annotations);
        }
        let manifest = serde_json::to_vec(&manifest).expect("a Value is JSON");
        let mut blobs: Vec<(String, String, Vec<u8>)> = self
            .layers
            .iter()
            .map(|it| (it.digest.clone(), layer_type(it), it.blob.clone()))
            .collect();
        blobs.push((digest(&config), config_type.to_owned(), config));
        let name = digest(&manifest);
        blobs.push((name.clone(), manifest_type.to_owned(), manifest));
        Blobs { blobs, manifest: name }
    }

    /// `{"os": …, "architecture": …}`.
    pub(crate) fn platform_json(&self) -> Value {
        json!({"os": self.platform.0, "architecture": self.platform.1})
    }

    /// Digests of the layers' content, bottom first.
    pub fn diff_ids(&self) -> Vec<String> {
        self.layers.iter().map(|it| it.diff_id.clone()).collect()
    }

    /// Writes an OCI layout that holds this image alone into `directory`.
    pub fn write_layout(&self, directory: &Path, tag: &str) {
        layout().image(tag, self).write(directory);
    }

    /// The tar archive of such a layout.
    pub fn oci_archive(&self, tag: &str) -> Vec<u8> {
        layout().image(tag, self).archive()
    }

    /// What `docker save` writes since Docker 25: an OCI layout with a `manifest.json`.
    pub fn docker_archive(&self, repository_tag: &str) -> Vec<u8> {
        let mut files = layout().image(repository_tag, self).parts();
        let manifest = json!([{
            "Config": path(&digest(&self.config())),
            "RepoTags": [repository_tag],
            "Layers": self.layers.iter().map(|it| path(&it.digest)).collect::<Vec<_>>(),
        }]);
        files.push(("manifest.json".to_owned(), manifest.to_string().into_bytes()));
        archive(&files)
    }

    /// What `docker save` wrote before: `<id>/layer.tar`, `<id>.json`, `manifest.json`.
    pub fn old_docker_archive(&self, repository_tag: &str) -> Vec<u8> {
        let config = self.config();
        let config_name = format!("{}.json", digest(&config).trim_start_matches("sha256:"));
        let mut files = Vec::new();
        let mut names = Vec::new();
        for (number, layer) in self.layers.iter().enumerate() {
            let id = digest(format!("{number}{}", layer.diff_id).as_bytes()).replace("sha256:", "");
            files.push((format!("{id}/VERSION"), b"1.0".to_vec()));
            files.push((format!("{id}/layer.tar"), layer.tar.clone()));
            names.push(format!("{id}/layer.tar"));
        }
        let manifest = json!([{
            "Config": config_name, "RepoTags": [repository_tag], "Layers": names,
        }]);
        files.push((config_name, config));
        files.push(("manifest.json".to_owned(), manifest.to_string().into_bytes()));
        archive(&files)
    }

    /// What `podman save` writes: `<diff id>.tar`, `<image id>.json`, `manifest.json`, and old
    /// names of the same layers as links.
    pub fn podman_archive(&self, repository_tag: &str) -> Vec<u8> {
        let config = self.config();
        let config_name = format!("{}.json", digest(&config).trim_start_matches("sha256:"));
        let mut names = Vec::new();
        let mut tar = layer();
        for (number, layer) in self.layers.iter().enumerate() {
            let name = format!("{}.tar", layer.diff_id.trim_start_matches("sha256:"));
            if !names.contains(&name) {
                tar = tar.file(&name, &layer.tar);
            }
            let id = digest(format!("{number}{}", layer.diff_id).as_bytes()).replace("sha256:", "");
            tar = tar.symlink(&format!("{id}/layer.tar"), &format!("../{name}"));
            names.push(name);
        }
        let manifest = json!([{
            "Config": config_name, "RepoTags": [repository_tag], "Layers": names,
        }]);
        tar.file(&config_name, config).file("manifest.json", manifest.to_string()).tar()
    }

    /// What an engine exports: as [`Self::docker_archive`], its layers never compressed.
    pub(crate) fn saved(&self, repository_tag: &str) -> Vec<u8> {
        let layers = self.layers.iter().map(|it| Layer {
            tar: it.tar.clone(),
            blob: it.tar.clone(),
            digest: it.diff_id.clone(),
            diff_id: it.diff_id.clone(),
            compression: Compression::Plain,
        });
        let plain = Self { layers: layers.collect(), ..self.clone() };
        plain.docker_archive(repository_tag)
    }

    /// What an engine tells of it: `GET /images/NAME/json`.
    pub(crate) fn inspected(&self, repository_tag: &str) -> Value {
        json!({
            "Id": digest(&self.config()),
            "RepoTags": [repository_tag],
            "RepoDigests": [],
            "Parent": "",
            "Comment": "",
            "Created": "2026-01-02T03:04:05Z",
            "Author": "",
            "Config": {"Env": ["PATH=/usr/bin"], "Cmd": ["sh"]},
            "Architecture": self.platform.1,
            "Os": self.platform.0,
            "Size": self.layers.iter().map(|it| it.tar.len()).sum::<usize>(),
            "RootFS": {"Type": "layers", "Layers": self.diff_ids()},
        })
    }

    /// What an engine tells of its making: `GET /images/NAME/history`.
    pub(crate) fn history(&self) -> Value {
        let rows = self.layers.iter().enumerate().rev().map(|(number, layer)| {
            json!({
                "Id": "<missing>", "Created": 1_767_323_045, "Comment": "", "Tags": null,
                "CreatedBy": format!("COPY layer {number}"), "Size": layer.tar.len(),
            })
        });
        Value::Array(rows.collect())
    }
}

pub(crate) fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    files.iter().fold(layer(), |it, (path, bytes)| it.file(path, bytes)).tar()
}
