//! Bundles that were pulled before: their files and manifests by digest, and where names led to.

use std::io::Read as _;
use std::path::Path;

use cache::{Cache, Shelf};
use image::artifact::{self, Layer};
use jiff::Timestamp;
use model::{Digest, Reference};
use policy::bundle;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Context;

/// The most bytes of anything that is kept: no part of a bundle has more.
const LARGEST: u64 = bundle::LARGEST as u64;
/// All of it lies in one folder, and none of it is of another form one day: what a digest says, it is.
const FOLDER: &str = "bundles";

/// Where they are: what is pulled now in a folder that goes when this does, and what is right of that, in
/// the cache, if there is one.
pub(super) struct Kept {
    cache: Option<Cache>,
    now: tempfile::TempDir,
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
        Ok(Self { cache: context.environment.cache()?, now: tempfile::tempdir()? })
    }

    /// To where files are pulled.
    pub(super) fn folder(&self) -> &Path {
        self.now.path()
    }

    /// What is known under a digest, as long as it is that: what was torn since, or changed, is none.
    pub(super) fn bytes(&self, digest: &Digest) -> Option<Vec<u8>> {
        let is_it = |bytes: &Vec<u8>| artifact::is_called(bytes, digest);
        let pulled = || read(&self.now.path().join(digest.hex()));
        pulled().filter(is_it).or_else(|| self.file(digest).filter(is_it))
    }

    /// Is all of a file there?
    pub(super) fn has(&self, layer: &Layer) -> bool {
        self.bytes(&layer.digest).is_some_and(|it| it.len() as u64 == layer.size)
    }

    /// Where the name led to when it was pulled last.
    pub(super) fn led(&self, name: &Reference) -> Option<Led> {
        let led: Led = serde_json::from_slice(&self.file(&called(name))?).ok()?;
        // Whatever stands there is of another name, or of nobody.
        (led.reference == whole(name)).then_some(led)
    }

    /// Remembers a bundle that was pulled, and that a name led to it. A cache that cannot be written to is
    /// in nobody's way.
    pub(super) fn remember(
        &self,
        name: &Reference,
        (digest, manifest): (&Digest, &[u8]),
        files: &[Layer],
    ) -> anyhow::Result<()> {
        let Some(cache) = &self.cache else { return Ok(()) };
        let keep = |at: &Digest, bytes: &[u8]| cache.put_file(Shelf::Policies, FOLDER, at, bytes);
        for it in files {
            // What was here before is here.
            if let Some(bytes) = read(&self.now.path().join(it.digest.hex())) {
                keep(&it.digest, &bytes)?;
            }
        }
        keep(digest, manifest)?;
        if name.digest.is_none() {
            let reference = whole(name);
            let led = Led { reference, digest: digest.clone(), at: Timestamp::now() };
            keep(&called(name), &serde_json::to_vec(&led)?)?;
        }
        Ok(())
    }

    fn file(&self, digest: &Digest) -> Option<Vec<u8>> {
        let bytes = self.cache.as_ref()?.file(Shelf::Policies, FOLDER, digest)?;
        (bytes.len() as u64 <= LARGEST).then_some(bytes)
    }
}

/// Under what it is remembered where a name led to. No bytes are called like that.
fn called(name: &Reference) -> Digest {
    Digest::from_sha256(&Sha256::digest(whole(name)).into())
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
