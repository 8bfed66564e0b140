//! `cargo xtask demo`: the main job, on an image that needs no network: this machine's own system.

use std::path::Path;

use anyhow::Context as _;

use crate::run::{output, run, target};

/// What of the system goes into the image: package databases, and where programs put themselves.
const PARTS: &[&str] = &[
    "etc/os-release",
    "usr/lib/os-release",
    "var/lib/dpkg",
    "lib/apk",
    "usr/lib/apk",
    "var/lib/rpm",
    "usr/lib/sysimage/rpm",
    "usr/share/doc",
    "usr/bin",
    "usr/lib/python3",
    "usr/share/nodejs",
    "usr/share/java",
    "usr/lib/ruby",
    "usr/local/bin",
    "usr/local/lib",
];

#[expect(clippy::print_stderr, reason = "a chore says what it does")]
pub(crate) fn demo(_: &[String]) -> anyhow::Result<()> {
    run("cargo", &["build", "--release", "--locked", "--package", "cli"])?;
    let folder = target().join("demo");
    let image = folder.join("this-machine.tar");
    if !image.exists() {
        eprintln!("packing this machine's system into {}", image.display());
        let parts: Vec<&str> =
            PARTS.iter().copied().filter(|it| Path::new("/").join(it).exists()).collect();
        pack(&folder, &[&parts], &image)?;
    }
    let foretop = target().join("release/foretop");
    let foretop = foretop.to_str().context("the target directory's name is not UTF-8")?;
    run(foretop, &["sbom", "--format", "list", &format!("archive://{}", image.display())])
}

/// An OCI archive with one gzip layer for each list of paths below `/`.
pub(crate) fn pack(folder: &Path, layers: &[&[&str]], image: &Path) -> anyhow::Result<()> {
    let layout = folder.join("layout");
    if layout.exists() {
        fs_err::remove_dir_all(&layout)?;
    }
    let blobs = layout.join("blobs/sha256");
    fs_err::create_dir_all(&blobs)?;
    let mut descriptors = Vec::new();
    let mut diff_ids = Vec::new();
    for paths in layers {
        let tar = folder.join("layer.tar");
        let tar = tar.to_str().context("the target directory's name is not UTF-8")?;
        let mut words = vec![
            "--create",
            "--file",
            tar,
            "--directory",
            "/",
            "--sort=name",
            "--numeric-owner",
            "--warning=none",
            "--ignore-failed-read",
        ];
        words.extend(*paths);
        run("tar", &words)?;
        diff_ids.push(format!("\"sha256:{}\"", sha256(tar)?));
        run("gzip", &["--force", "--fast", tar])?;
        let blob = format!("{tar}.gz");
        let (digest, size) = keep(Path::new(&blob), &blobs)?;
        descriptors.push(descriptor("application/vnd.oci.image.layer.v1.tar+gzip", &digest, size));
    }
    let history = vec![r#"{"created_by":"cargo xtask demo"}"#; layers.len()].join(",");
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z","config":{{}},"rootfs":{{"type":"layers","diff_ids":[{}]}},"history":[{history}]}}"#,
        diff_ids.join(",")
    );
    let config = write(&config, folder, &blobs, "application/vnd.oci.image.config.v1+json")?;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{config},"layers":[{}]}}"#,
        descriptors.join(",")
    );
    let manifest = write(&manifest, folder, &blobs, kind)?;
    let manifest = manifest.replacen(
        '{',
        r#"{"annotations":{"org.opencontainers.image.ref.name":"this-machine:latest"},"platform":{"architecture":"amd64","os":"linux"},"#,
        1,
    );
    fs_err::write(
        layout.join("index.json"),
        format!(r#"{{"schemaVersion":2,"manifests":[{manifest}]}}"#),
    )?;
    fs_err::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
    let from = layout.to_str().context("the target directory's name is not UTF-8")?;
    let to = image.to_str().context("the target directory's name is not UTF-8")?;
    run(
        "tar",
        &["--create", "--file", to, "--directory", from, "oci-layout", "index.json", "blobs"],
    )
}

fn write(json: &str, folder: &Path, blobs: &Path, kind: &str) -> anyhow::Result<String> {
    let file = folder.join("blob.json");
    fs_err::write(&file, json)?;
    let (digest, size) = keep(&file, blobs)?;
    Ok(descriptor(kind, &digest, size))
}

/// Moves a file to its place among the blobs.
fn keep(file: &Path, blobs: &Path) -> anyhow::Result<(String, u64)> {
    let digest = sha256(file.to_str().context("the target directory's name is not UTF-8")?)?;
    let size = fs_err::metadata(file)?.len();
    fs_err::rename(file, blobs.join(&digest))?;
    Ok((digest, size))
}

fn descriptor(kind: &str, digest: &str, size: u64) -> String {
    format!(r#"{{"mediaType":"{kind}","digest":"sha256:{digest}","size":{size}}}"#)
}

fn sha256(file: &str) -> anyhow::Result<String> {
    let line = output("sha256sum", &[file])?;
    Ok(line.split_whitespace().next().context("sha256sum says nothing")?.to_owned())
}
