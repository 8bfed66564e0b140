//! What lies in the cache's folders, and what must go when they are full.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use model::Digest;
use xxhash_rust::xxh3::xxh3_64;

use crate::Shelf;

/// How the name of a file begins that is still being written.
pub(crate) const UNFINISHED: &str = ".unfinished-";

/// Who wrote an unfinished file this long ago will not finish it.
const ABANDONED: Duration = Duration::from_hours(1);

/// One kept value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What kind it is.
    pub shelf: Shelf,
    /// What it depends on beside the digest.
    pub fingerprint: String,
    /// What it was read from.
    pub digest: Digest,
    /// Bytes on disk.
    pub size: u64,
    /// When it was last of use.
    pub used: SystemTime,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// So many values.
    pub entries: u64,
    /// So many bytes.
    pub bytes: u64,
}

/// The folder of a fingerprint: itself, or its hash when it would be a bad name for one.
pub(crate) fn folder(fingerprint: &str) -> String {
    let letter = |it: u8| it.is_ascii_alphanumeric() || b"._-".contains(&it);
    let fits = (1..=100).contains(&fingerprint.len())
        && fingerprint.bytes().all(letter)
        && !fingerprint.starts_with('.');
    if fits { fingerprint.to_owned() } else { format!("{:016x}", xxh3_64(fingerprint.as_bytes())) }
}

/// Everything kept, in order. What cannot be looked at is not there.
pub(crate) fn list(root: &Path) -> Vec<Kept> {
    let mut kept = Vec::new();
    for shelf in Shelf::ALL {
        for (fingerprint, path) in folders(&root.join(shelf.as_str())) {
            for (name, path) in children(&path) {
                let Some(digest) = digest(&name) else { continue };
                let Ok(metadata) = fs_err::symlink_metadata(&path) else { continue };
                if metadata.is_file() {
                    let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                    let (size, fingerprint) = (metadata.len(), fingerprint.clone());
                    kept.push(Kept { shelf, fingerprint, digest, size, used });
                }
            }
        }
    }
    kept.sort_by(|left, right| {
        (left.shelf, &left.fingerprint, &left.digest).cmp(&(
            right.shelf,
            &right.fingerprint,
            &right.digest,
        ))
    });
    kept
}

/// Removes what was used longest ago until at most `bound` bytes are left, and says how many are.
/// On a shelf for which this process speaks, values under other fingerprints go first.
pub(crate) fn shrink(root: &Path, bound: u64, current: &BTreeSet<(Shelf, String)>) -> u64 {
    sweep(root, &Shelf::ALL, SystemTime::now().checked_sub(ABANDONED));
    let mut kept = list(root);
    let mut size = kept.iter().map(|it| it.size).sum::<u64>();
    let spoken_for = |it: &Kept| current.iter().any(|(shelf, _)| *shelf == it.shelf);
    let wanted = |it: &Kept| {
        !spoken_for(it) || current.iter().any(|(s, f)| *s == it.shelf && *f == it.fingerprint)
    };
    kept.sort_by_key(|it| (wanted(it), it.used));
    for it in kept {
        if size <= bound {
            break;
        }
        // Gone already or not removable: either way there is nothing to do about it here.
        if fs_err::remove_file(path(root, &it)).is_ok() {
            size = size.saturating_sub(it.size);
        }
    }
    size
}

/// Removes everything on these shelves, and folders that are empty then.
pub(crate) fn prune(root: &Path, shelves: &[Shelf]) -> io::Result<Pruned> {
    let mut pruned = Pruned::default();
    for it in list(root).into_iter().filter(|it| shelves.contains(&it.shelf)) {
        match fs_err::remove_file(path(root, &it)) {
            Ok(()) => {
                pruned.entries += 1;
                pruned.bytes += it.size;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    sweep(root, shelves, Some(SystemTime::now()));
    for shelf in shelves {
        let shelf = root.join(shelf.as_str());
        for (_, folder) in folders(&shelf) {
            // Only empty ones go, so what somebody else put there stays.
            let _ = fs_err::remove_dir(folder);
        }
        let _ = fs_err::remove_dir(shelf);
    }
    Ok(pruned)
}

/// Removes unfinished files that were last written before `moment`.
fn sweep(root: &Path, shelves: &[Shelf], moment: Option<SystemTime>) {
    let Some(moment) = moment else { return };
    for shelf in shelves {
        for (_, folder) in folders(&root.join(shelf.as_str())) {
            for (name, path) in children(&folder) {
                let old = || fs_err::symlink_metadata(&path)?.modified();
                if name.starts_with(UNFINISHED) && old().is_ok_and(|written| written < moment) {
                    let _ = fs_err::remove_file(path);
                }
            }
        }
    }
}

fn path(root: &Path, it: &Kept) -> PathBuf {
    root.join(it.shelf.as_str()).join(&it.fingerprint).join(it.digest.hex())
}

fn digest(name: &str) -> Option<Digest> {
    let algorithm = if name.len() == 128 { "sha512" } else { "sha256" };
    format!("{algorithm}:{name}").parse().ok()
}

/// The folders in `path`; links are not followed.
fn folders(path: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    children(path).filter(|(_, path)| fs_err::symlink_metadata(path).is_ok_and(|it| it.is_dir()))
}

fn children(path: &Path) -> impl Iterator<Item = (String, PathBuf)> + use<> {
    fs_err::read_dir(path).into_iter().flatten().filter_map(|entry| {
        let entry = entry.ok()?;
        Some((entry.file_name().into_string().ok()?, entry.path()))
    })
}
