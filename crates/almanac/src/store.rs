//! An almanac on disk, and how it is replaced: whole or not at all.
//!
//! `almanac.json` is the manifest, `sheets/<sha256>` are its sheets, `seals/<sha256 of the manifest>`
//! tells who answers for it. Sheets come first, then the seal, then the manifest in one step.

mod writer;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use model::Digest;
use serde::{Deserialize, Serialize};

use crate::compile::digest_of;
use crate::error::Error;
use crate::manifest::{Entry, LARGEST, Manifest};
use crate::sheet::Sheet;
use crate::sign::{PublicKey, verify};

pub use writer::{Incoming, Installed, Writer};

/// The manifest's name, on disk and in bundles.
pub const MANIFEST: &str = "almanac.json";
const SEALS: &str = "seals";
const SHEETS: &str = "sheets";

/// Whose almanacs are accepted.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// It was made on this machine just now, and needs no signature.
    Local,
    /// One of these must have signed it.
    Signed(&'a [PublicKey]),
    /// Whoever made it: somebody chose not to ask.
    Anyone,
}

/// Who answers for an almanac that is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "standing", rename_all = "kebab-case")]
pub enum Standing {
    /// It was made on this machine.
    Local,
    /// The owner of this key.
    Signed {
        /// The key's id.
        key: String,
    },
    /// Nobody: it was accepted without asking.
    Unchecked,
}

impl Trust<'_> {
    /// May an almanac with that manifest and that signature be used? Ask before fetching its sheets.
    pub fn check(self, manifest: &[u8], signature: Option<&str>) -> Result<Standing, Error> {
        match (self, signature) {
            (Self::Local, _) => Ok(Standing::Local),
            (Self::Anyone, _) => Ok(Standing::Unchecked),
            (Self::Signed(keys), Some(signature)) => {
                Ok(Standing::Signed { key: verify(manifest, signature, keys)?.id() })
            }
            (Self::Signed(_), None) => Err(Error::Untrusted("it is not signed".to_owned())),
        }
    }
}

/// What is kept beside a manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Seal {
    #[serde(flatten)]
    pub(crate) standing: Standing,
    pub(crate) signature: Option<String>,
    /// What must stay as long as somebody uses it.
    sheets: Vec<Digest>,
}

/// An almanac in use.
pub(crate) struct Opened {
    pub(crate) manifest: Vec<u8>,
    pub(crate) digest: Digest,
    pub(crate) seal: Seal,
    pub(crate) lock: fs_err::File,
}

/// Opens what is in use. It may be replaced at any moment: the lock on its seal keeps its sheets.
pub(crate) fn open(dir: &Path) -> Result<Opened, Error> {
    // Only an update at the very moment makes a second attempt necessary, so a few are plenty.
    for _ in 0..10 {
        let Some(manifest) = read(&dir.join(MANIFEST))? else {
            return Err(Error::Absent(dir.to_owned()));
        };
        let digest = digest_of(&manifest);
        let path = seal_path(dir, &digest);
        let Ok(lock) = fs_err::File::open(&path) else { continue };
        // A file system without locks is one without anybody who takes sheets away.
        let _ = lock.file().lock_shared();
        let Some(seal) = read(&path)? else { continue };
        let seal = serde_json::from_slice(&seal)
            .map_err(|why| Error::corrupt(format_args!("seal {}", path.display()), why))?;
        return Ok(Opened { manifest, digest, seal, lock });
    }
    Err(Error::corrupt(dir.display(), "its manifest has no seal: it was not installed by foretop"))
}

/// Where the sheet of that digest lies.
pub fn sheet_path(dir: &Path, digest: &Digest) -> PathBuf {
    dir.join(SHEETS).join(digest.hex())
}

/// The sheets that are not on disk yet, each once.
pub fn missing<'a>(dir: &Path, manifest: &'a Manifest) -> Vec<&'a Entry> {
    let mut seen: BTreeSet<&Digest> = BTreeSet::new();
    let is_there = |it: &Entry| {
        let found = fs_err::metadata(sheet_path(dir, &it.digest));
        found.is_ok_and(|found| found.is_file() && found.len() == it.size)
    };
    manifest.sheets.iter().filter(|it| !is_there(it) && seen.insert(&it.digest)).collect()
}

/// The sheets that are not on disk, or are not what their digest says, each once. Reads all of them.
pub fn damaged<'a>(dir: &Path, manifest: &'a Manifest) -> Vec<&'a Entry> {
    let mut seen: BTreeSet<&Digest> = BTreeSet::new();
    let is_whole = |it: &Entry| {
        let found = Sheet::map(&sheet_path(dir, &it.digest));
        found.is_ok_and(|found| digest_of(found.bytes()) == it.digest)
    };
    manifest.sheets.iter().filter(|it| seen.insert(&it.digest) && !is_whole(it)).collect()
}

fn seal_path(dir: &Path, manifest: &Digest) -> PathBuf {
    dir.join(SEALS).join(manifest.hex())
}

/// A small file; `None` where there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let file = match fs_err::File::open(path) {
        Ok(file) => file,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Error::io(why)),
    };
    let size = file.metadata().map_or(0, |it| it.len()).min(LARGEST);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(Error::io)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::corrupt(path.display(), "it is too large"));
    }
    Ok(Some(bytes))
}
