//! Packs tar archives into an OCI archive: images for the demo and the benchmarks.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::run::{output, run};

/// An image in the making, its blobs already on disk.
pub(crate) struct Packing {
    folder: PathBuf,
    layers: Vec<String>,
    diff_ids: Vec<String>,
}

impl Packing {
    /// An image without layers; `folder` is made anew.
    pub(crate) fn new(folder: &Path) -> anyhow::Result<Self> {
        if folder.exists() {
            fs_err::remove_dir_all(folder)?;
        }
        fs_err::create_dir_all(folder.join("layout/blobs/sha256"))?;
        Ok(Self { folder: folder.to_owned(), layers: Vec::new(), diff_ids: Vec::new() })
    }

    /// A place to write a layer's tar archive to before it is added.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.folder.join("layer.tar")
    }

    /// Adds paths of this machine, below `/`, as one layer.
    pub(crate) fn add_paths(&mut self, paths: &[&str]) -> anyhow::Result<()> {
        let scratch = self.scratch();
        let mut words = vec![
            "--create",
            "--file",
            text(&scratch)?,
            "--directory",
            "/",
            "--sort=name",
            "--numeric-owner",
            "--warning=none",
            "--ignore-failed-read",
        ];
        words.extend(paths.iter().copied().filter(|it| Path::new("/").join(it).exists()));
        run("tar", &words)?;
        self.add()
    }

    /// Adds small files as one layer.
    pub(crate) fn add_files(&mut self, files: &[(&str, &str)]) -> anyhow::Result<()> {
        let tree = self.folder.join("tree");
        for (path, content) in files {
            let file = tree.join(path);
            fs_err::create_dir_all(file.parent().context("a file is in a directory")?)?;
            fs_err::write(file, content)?;
        }
        let scratch = self.scratch();
        let words = ["--create", "--file", text(&scratch)?, "--directory", text(&tree)?, "."];
        run("tar", &words)?;
        fs_err::remove_dir_all(&tree)?;
        self.add()
    }

    /// Adds what was written to the scratch place as a gzip layer.
    pub(crate) fn add(&mut self) -> anyhow::Result<()> {
        let scratch = self.scratch();
        self.diff_ids.push(format!("\"sha256:{}\"", sha256(&scratch)?));
        run("gzip", &["--force", "--fast", text(&scratch)?])?;
        let blob = scratch.with_extension("tar.gz");
        let layer = self.keep(&blob, "application/vnd.oci.image.layer.v1.tar+gzip")?;
        self.layers.push(layer);
        Ok(())
    }

    /// Writes the archive, and returns where the layers' blobs are.
    pub(crate) fn finish(self, name: &str, image: &Path) -> anyhow::Result<()> {
        let history = vec![r#"{"created_by":"cargo xtask"}"#; self.layers.len()].join(",");
        let config = self.keep_text(
            &format!(
                r#"{{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z","config":{{}},"rootfs":{{"type":"layers","diff_ids":[{}]}},"history":[{history}]}}"#,
                self.diff_ids.join(",")
            ),
            "application/vnd.oci.image.config.v1+json",
        )?;
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let manifest = self.keep_text(
            &format!(
                r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{config},"layers":[{}]}}"#,
                self.layers.join(",")
            ),
            kind,
        )?;
        let named = format!(
            r#"{{"annotations":{{"org.opencontainers.image.ref.name":"{name}"}},"platform":{{"architecture":"amd64","os":"linux"}},"#
        );
        let manifest = manifest.replacen('{', &named, 1);
        let layout = self.folder.join("layout");
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{manifest}]}}"#);
        fs_err::write(layout.join("index.json"), index)?;
        fs_err::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)?;
        let (from, to) = (text(&layout)?, text(image)?);
        run(
            "tar",
            &["--create", "--file", to, "--directory", from, "oci-layout", "index.json", "blobs"],
        )
    }

    fn keep_text(&self, json: &str, kind: &str) -> anyhow::Result<String> {
        let file = self.folder.join("blob.json");
        fs_err::write(&file, json)?;
        self.keep(&file, kind)
    }

    /// Moves a file to its place among the blobs, and describes it.
    fn keep(&self, file: &Path, kind: &str) -> anyhow::Result<String> {
        let digest = sha256(file)?;
        let size = fs_err::metadata(file)?.len();
        fs_err::rename(file, self.folder.join("layout/blobs/sha256").join(&digest))?;
        Ok(format!(r#"{{"mediaType":"{kind}","digest":"sha256:{digest}","size":{size}}}"#))
    }
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

fn sha256(file: &Path) -> anyhow::Result<String> {
    let line = output("sha256sum", &[file])?;
    Ok(line.split_whitespace().next().context("sha256sum says nothing")?.to_owned())
}
