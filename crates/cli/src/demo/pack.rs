//! Packs files into an image: an OCI layout in a directory, its blobs as any builder writes them.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A layer: what made it, and its files.
pub(super) struct Layer {
    /// The instruction that made it.
    pub(super) by: String,
    /// Paths, and what is in them.
    pub(super) files: Vec<(String, Vec<u8>)>,
}

/// An image before it is packed.
pub(super) struct Image {
    /// Who runs in it.
    pub(super) user: &'static str,
    /// Its layers, the lowest first.
    pub(super) layers: Vec<Layer>,
}

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Writes a layout with that image alone, made at that time, into `folder`.
pub(super) fn pack(image: &Image, name: &str, made: &str, folder: &Path) -> anyhow::Result<()> {
    fs_err::create_dir_all(folder.join("blobs/sha256"))?;
    let (mut layers, mut diff_ids, mut history) = (Vec::new(), Vec::new(), Vec::new());
    for layer in &image.layers {
        let tar = tar(&layer.files)?;
        diff_ids.push(digest(&tar));
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&tar)?;
        layers.push(keep(folder, LAYER, &gzip.finish()?)?);
        history.push(json!({"created": made, "created_by": layer.by}));
    }
    let config = json!({
        "created": made, "os": "linux", "architecture": "amd64",
        "config": {"User": image.user},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": history,
    });
    let config = keep(folder, CONFIG, &serde_json::to_vec(&config)?)?;
    let manifest =
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
    let mut manifest = keep(folder, MANIFEST, &serde_json::to_vec(&manifest)?)?;
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": name});
    manifest["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    fs_err::write(folder.join("index.json"), serde_json::to_vec(&index)?)?;
    fs_err::write(folder.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    Ok(())
}

/// Puts a blob where it belongs, and describes it.
fn keep(folder: &Path, kind: &str, bytes: &[u8]) -> anyhow::Result<Value> {
    let digest = digest(bytes);
    let name = digest.trim_start_matches("sha256:");
    fs_err::write(folder.join("blobs/sha256").join(name), bytes)?;
    Ok(json!({"mediaType": kind, "digest": digest, "size": bytes.len()}))
}

fn tar(files: &[(String, Vec<u8>)]) -> anyhow::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, path, bytes.as_slice())?;
    }
    Ok(tar.into_inner()?)
}

/// `sha256:…` of them.
pub(super) fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
