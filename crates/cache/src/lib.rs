//! What this machine has already read, under its digest.
//!
//! `<root>/<shelf>/<fingerprint>/<digest>`: one file per value, framed so that a torn, foreign or
//! renamed file is a miss and nothing worse; or, as it came, a file that whoever asks for it can hold
//! against something. Processes may share a root without asking each other.

mod frame;
mod room;

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use model::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use room::{Kept, Pruned};

/// How large a cache may grow unless told otherwise: 1 GiB.
pub const DEFAULT_LIMIT: u64 = 1 << 30;

/// A value is marked as used at most this often, so that a busy cache is not a busy disk.
const TOUCH_AFTER: Duration = Duration::from_mins(1);

/// One kind of kept value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shelf {
    /// What one layer says, under the layer's digest.
    Layers,
    /// What a whole image says, under the digest of its manifest or configuration.
    Inventories,
    /// Files of bundles of policies, and where their names led, as they came.
    Policies,
}

impl Shelf {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Layers, Self::Inventories, Self::Policies];

    /// Its folder's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Layers => "layers",
            Self::Inventories => "inventories",
            Self::Policies => "policies",
        }
    }
}

/// Why something cannot be kept or removed. Nothing that was asked for fails because of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory cannot be written to.
    #[error("cache {}: {why}", root.display())]
    Unwritable {
        /// Where the cache is.
        root: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// The value has no written form.
    #[error("cache: the value cannot be written: {0}")]
    Unfit(postcard::Error),
}

/// The kept values of one directory.
#[derive(Debug)]
pub struct Cache {
    root: PathBuf,
    limit: u64,
    /// Bytes on disk as far as we know; `UNKNOWN` until the first value is put.
    size: AtomicU64,
    /// Set once writing has failed: we do not try again.
    closed: AtomicBool,
    /// Why, until somebody asked.
    trouble: Mutex<Option<String>>,
    /// The fingerprints this process speaks for. Values under others are the first to go.
    current: Mutex<BTreeSet<(Shelf, String)>>,
}

const UNKNOWN: u64 = u64::MAX;

impl Cache {
    /// The cache in `root`, which holds at most `limit` bytes. Nothing is created before a value
    /// is put.
    pub fn open(root: PathBuf, limit: u64) -> Self {
        Self {
            root,
            limit,
            size: AtomicU64::new(UNKNOWN),
            closed: AtomicBool::new(false),
            trouble: Mutex::default(),
            current: Mutex::default(),
        }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The most it may hold, in bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Why nothing is written any more. Told once.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.trouble).take()
    }

    /// The value kept under `digest`, unless there is none that can be believed.
    ///
    /// `fingerprint` names who read it: everything the value depends on beside the digest. The shape
    /// of `model`'s types is taken care of here.
    pub fn get<T: DeserializeOwned>(
        &self,
        shelf: Shelf,
        fingerprint: &str,
        digest: &Digest,
    ) -> Option<T> {
        let path = self.path(shelf, fingerprint, digest);
        let (bytes, age) = self.read(shelf, fingerprint, &path)?;
        let value = frame::unpack(&key(shelf, fingerprint, digest), &bytes)?;
        touch(&path, age);
        Some(value)
    }

    /// The bytes that lie there, as somebody put them there or changed them since: whoever asks holds them
    /// against something.
    pub fn file(&self, shelf: Shelf, fingerprint: &str, digest: &Digest) -> Option<Vec<u8>> {
        let path = self.path(shelf, fingerprint, digest);
        let (bytes, age) = self.read(shelf, fingerprint, &path)?;
        touch(&path, age);
        Some(bytes)
    }

    /// What is there, and how long ago it was of use; nothing where a clock was turned back.
    fn read(
        &self,
        shelf: Shelf,
        fingerprint: &str,
        path: &Path,
    ) -> Option<(Vec<u8>, Option<Duration>)> {
        self.speak_for(shelf, fingerprint);
        // Asked before opening: to open a named pipe is to wait for ever.
        let metadata = fs_err::symlink_metadata(path).ok()?;
        if !metadata.is_file() || metadata.len() > self.limit {
            return None;
        }
        let file = fs_err::File::open(path).ok()?;
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?);
        file.take(self.limit).read_to_end(&mut bytes).ok()?;
        let used = metadata.modified().ok();
        Some((bytes, used.and_then(|used| SystemTime::now().duration_since(used).ok())))
    }

    /// Keeps `value` under `digest`, making room if need be. A value larger than the whole cache is
    /// not kept. After a failure nothing is written any more, and further calls do nothing.
    pub fn put<T: Serialize>(
        &self,
        shelf: Shelf,
        fingerprint: &str,
        digest: &Digest,
        value: &T,
    ) -> Result<(), Error> {
        if self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let bytes = frame::pack(&key(shelf, fingerprint, digest), value).map_err(Error::Unfit)?;
        self.put_file(shelf, fingerprint, digest, &bytes)
    }

    /// Keeps these bytes as they are, with the same bounds.
    pub fn put_file(
        &self,
        shelf: Shelf,
        fingerprint: &str,
        digest: &Digest,
        bytes: &[u8],
    ) -> Result<(), Error> {
        self.speak_for(shelf, fingerprint);
        if self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let length = bytes.len() as u64;
        if length > self.limit {
            return Ok(());
        }
        let path = self.path(shelf, fingerprint, digest);
        let replaced = fs_err::symlink_metadata(&path).map_or(0, |it| it.len());
        let mut written = write(&path, bytes);
        for _ in 0..8 {
            // Another process may prune folder or file before we are done with them.
            if !written.as_ref().is_err_and(|it| it.kind() == io::ErrorKind::NotFound) {
                break;
            }
            written = write(&path, bytes);
        }
        if let Err(why) = written {
            self.closed.store(true, Ordering::Relaxed);
            let error = Error::Unwritable { root: self.root.clone(), why };
            *lock(&self.trouble) = Some(error.to_string());
            return Err(error);
        }
        self.make_room(length, replaced);
        Ok(())
    }

    fn make_room(&self, added: u64, replaced: u64) {
        let known = self.size.load(Ordering::Relaxed);
        let size = if known == UNKNOWN {
            room::list(&self.root).iter().map(|it| it.size).sum()
        } else {
            known.saturating_add(added).saturating_sub(replaced)
        };
        let size = if size > self.limit {
            room::shrink(&self.root, self.limit / 10 * 9, &lock(&self.current))
        } else {
            size
        };
        // Two threads may overwrite each other's sum; the next look at the disk sets it right.
        self.size.store(size, Ordering::Relaxed);
    }

    /// Everything kept, by shelf, fingerprint and digest.
    pub fn list(&self) -> Vec<Kept> {
        room::list(&self.root)
    }

    /// Removes everything on these shelves.
    pub fn prune(&self, shelves: &[Shelf]) -> Result<Pruned, Error> {
        let pruned = room::prune(&self.root, shelves)
            .map_err(|why| Error::Unwritable { root: self.root.clone(), why });
        self.size.store(UNKNOWN, Ordering::Relaxed);
        pruned
    }

    fn speak_for(&self, shelf: Shelf, fingerprint: &str) {
        let mut current = lock(&self.current);
        let name = room::folder(fingerprint);
        if !current.contains(&(shelf, name.clone())) {
            current.insert((shelf, name));
        }
    }

    fn path(&self, shelf: Shelf, fingerprint: &str, digest: &Digest) -> PathBuf {
        self.root.join(shelf.as_str()).join(room::folder(fingerprint)).join(digest.hex())
    }
}

/// What a file is called for good: a file moved to another place is not believed there.
fn key(shelf: Shelf, fingerprint: &str, digest: &Digest) -> String {
    format!("{}/{fingerprint}/{digest}", shelf.as_str())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs_err::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(room::UNFINISHED).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(|it| it.error)?;
    Ok(())
}

/// Marks it as used now, unless it was a moment ago.
fn touch(path: &Path, age: Option<Duration>) {
    if age.is_none_or(|it| it > TOUCH_AFTER)
        && let Ok(file) = fs_err::File::open(path)
    {
        // A cache that may only be read is still a cache.
        let _ = file.file().set_modified(SystemTime::now());
    }
}

/// A panic elsewhere does not spoil what is behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
