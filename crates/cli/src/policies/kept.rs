//! Bundles that were pulled before: their files and manifests by digest, and where names led to.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use image::artifact::{self, Layer};
use jiff::Timestamp;
use model::{Digest, Reference};
use policy::bundle;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Context;

/// The most bytes of anything that is kept: no part of a bundle has more.
const LARGEST: u64 = bundle::LARGEST as u64;

/// Where they are. Without a cache they are gone when this is.
pub(super) struct Kept {
    folder: PathBuf,
    _passing: Option<tempfile::TempDir>,
}

/// Where a name led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Led {
    /// The name, with its host and its tag.
    reference: String,
    /// To the manifest of that digest,
    pub(super) digest: Digest,
    /// when it was pulled last.
    pub(super) at: Timestamp,
}

impl Kept {
    pub(super) fn of(context: &Context) -> anyhow::Result<Self> {
        if let Some(cache) = context.environment.cache()? {
            return Ok(Self { folder: cache.root().join("policies"), _passing: None });
        }
        let passing = tempfile::tempdir()?;
        Ok(Self { folder: passing.path().to_owned(), _passing: Some(passing) })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is kept under a digest, as long as it is that: what was torn since, or changed, is none.
    pub(super) fn bytes(&self, digest: &Digest) -> Option<Vec<u8>> {
        let bytes = read(&self.folder.join(digest.hex()))?;
        artifact::is_called(&bytes, digest).then_some(bytes)
    }

    /// Is all of a file there?
    pub(super) fn has(&self, layer: &Layer) -> bool {
        self.bytes(&layer.digest).is_some_and(|it| it.len() as u64 == layer.size)
    }

    /// Where the name led to when it was pulled last.
    pub(super) fn led(&self, name: &Reference) -> Option<Led> {
        let led: Led = serde_json::from_slice(&read(&self.place(name))?).ok()?;
        // Whatever stands there is of another name, or of nobody.
        (led.reference == whole(name)).then_some(led)
    }

    /// Remembers a manifest, and that a name led to it. A cache that cannot be written to is in nobody's way.
    pub(super) fn remember(
        &self,
        name: &Reference,
        (digest, manifest): (&Digest, &[u8]),
    ) -> std::io::Result<()> {
        self.write(&self.folder.join(digest.hex()), manifest)?;
        if name.digest.is_some() {
            return Ok(());
        }
        let reference = whole(name);
        let led = Led { reference, digest: digest.clone(), at: Timestamp::now() };
        self.write(&self.place(name), &serde_json::to_vec(&led)?)
    }

    /// Another process never sees half of it.
    fn write(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        fs_err::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    }

    fn place(&self, name: &Reference) -> PathBuf {
        let called = Digest::from_sha256(&Sha256::digest(whole(name)).into());
        self.folder.join(format!("{}.name", called.hex()))
    }
}

/// The name with its host and its tag: `docker.io/acme/policies:latest`.
fn whole(name: &Reference) -> String {
    format!("{}/{}:{}", name.host, name.repository, name.wanted())
}

fn read(path: &Path) -> Option<Vec<u8>> {
    // Asked before opening: to open a named pipe is to wait for ever.
    if !fs_err::symlink_metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    fs_err::File::open(path).ok()?.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= LARGEST).then_some(bytes)
}
