//! Walking a folder of published documents: containers are opened, and count as directories.

mod container;
#[cfg(test)]
mod tests;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use model::{Digest, Gap};

use container::Opener;

/// What a walk may cost. Past a limit is a gap, and the rest goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all documents and containers, inflated. Past this the walk ends.
    pub total: u64,
    /// Bytes of one document.
    pub document: u64,
    /// Containers inside one another; `.tar.xz` is two.
    pub depth: usize,
    /// Entries of all containers, and files of all folders.
    pub entries: u64,
    /// Inflated bytes for one compressed byte, once `ratio_floor` bytes have come out.
    pub ratio: u64,
    /// Below this many inflated bytes no ratio is judged.
    pub ratio_floor: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Red Hat's archive of VEX documents is the largest known, at some twenty.
            total: 128 << 30,
            document: 1 << 30,
            depth: 3,
            entries: 5_000_000,
            ratio: 1_100,
            ratio_floor: 64 << 20,
        }
    }
}

/// So many gaps are told one by one; the rest as a number.
const GAPS: usize = 1_000;

/// Beside a container, the folder of documents that stand in for those of the same name in it.
pub(crate) const NEWER: &str = "newer";
/// What fetching keeps for itself begins like this, and is no document.
pub(crate) const OWN: &str = "fetched.";

/// Hands each document below `root` (a folder or a file) to `each`, with its path inside the folder
/// that is walked: `osv/PyPI/all.zip/PYSEC-2021-1.json`. Containers (zip, tar, gzip, xz, bzip2, zstd)
/// are known by their first bytes, whatever their names are. A compressed file which is no archive
/// keeps its name without the ending. One document is in memory at a time.
pub fn walk(root: &Path, limits: &Limits, each: &mut dyn FnMut(&str, &[u8])) -> Vec<Gap> {
    let mut opener = Opener::new(limits, each);
    let (files, gaps) = files(root, limits);
    for gap in gaps {
        opener.gap(&gap.at, gap.why);
    }
    for file in files {
        opener.file(&file.path, &file.place);
    }
    opener.finish()
}

/// The same for one file of [`files`].
pub fn walk_file(file: &File, limits: &Limits, each: &mut dyn FnMut(&str, &[u8])) -> Vec<Gap> {
    let mut opener = Opener::new(limits, each);
    opener.file(&file.path, &file.place);
    opener.finish()
}

/// A file as it lies on the disk, containers unopened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// Its path inside the folder, with `/` between the parts.
    pub path: String,
    /// Where it is.
    pub place: PathBuf,
    /// Its bytes.
    pub size: u64,
}

impl File {
    /// The digest of its content: a build asks it to learn what changed.
    pub fn digest(&self) -> io::Result<Digest> {
        let mut reader = fs_err::File::open(&self.place)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => return Ok(Digest::from_sha256(&hasher.finalize().into())),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hasher.update(buffer.get(..count).unwrap_or_default());
        }
    }
}

/// The files below `root`, sorted by path; no link is followed out of it. A file is its own folder.
pub fn files(root: &Path, limits: &Limits) -> (Vec<File>, Vec<Gap>) {
    let mut listing = Listing { limits, home: None, files: Vec::new(), gaps: Vec::new(), seen: 0 };
    match fs_err::metadata(root) {
        Ok(it) if it.is_dir() => {
            listing.home = fs_err::canonicalize(root).ok();
            listing.directory("", root, 0);
        }
        Ok(it) => {
            let name = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
            listing.files.push(File { path: name, place: root.to_owned(), size: it.len() });
        }
        Err(error) => listing.gaps.push(Gap::new(root.to_string_lossy(), error.to_string())),
    }
    listing.files.sort();
    (listing.files, listing.gaps)
}

/// Folders inside one another on a disk.
const FOLDERS: usize = 64;

struct Listing<'a> {
    limits: &'a Limits,
    home: Option<PathBuf>,
    files: Vec<File>,
    gaps: Vec<Gap>,
    seen: u64,
}

impl Listing<'_> {
    fn directory(&mut self, path: &str, place: &Path, depth: usize) {
        if depth > FOLDERS {
            self.gaps.push(Gap::new(path, format!("more than {FOLDERS} folders are nested")));
            return;
        }
        let entries = match fs_err::read_dir(place) {
            Ok(entries) => entries,
            Err(error) => return self.gaps.push(Gap::new(path, error.to_string())),
        };
        for entry in entries {
            self.seen += 1;
            if self.seen > self.limits.entries {
                let entries = self.limits.entries;
                return self
                    .gaps
                    .push(Gap::new(path, format!("there are more than {entries} files")));
            }
            match entry {
                Ok(entry) if entry.file_name().to_string_lossy().starts_with(OWN) => {}
                Ok(entry) => self.entry(path, &entry.path(), depth),
                Err(error) => self.gaps.push(Gap::new(path, error.to_string())),
            }
        }
    }

    fn entry(&mut self, parent: &str, place: &Path, depth: usize) {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let path = if parent.is_empty() { name.into_owned() } else { format!("{parent}/{name}") };
        let (metadata, is_link) = match fs_err::symlink_metadata(place) {
            Ok(it) if it.is_symlink() => match fs_err::metadata(place) {
                Ok(it) => (it, true),
                Err(error) => return self.gaps.push(Gap::new(path, error.to_string())),
            },
            Ok(it) => (it, false),
            Err(error) => return self.gaps.push(Gap::new(path, error.to_string())),
        };
        let why = match (metadata.is_dir(), metadata.is_file()) {
            (true, _) if is_link => "it is a link to a folder, which is not followed",
            (true, _) => return self.directory(&path, place, depth + 1),
            (_, true) if is_link && !self.is_inside(place) => "it is a link out of the folder",
            (_, true) => {
                let size = metadata.len();
                return self.files.push(File { path, place: place.to_owned(), size });
            }
            // Reading a pipe or a device could wait for ever.
            _ => "it is no regular file",
        };
        self.gaps.push(Gap::new(path, why));
    }

    fn is_inside(&self, place: &Path) -> bool {
        match (&self.home, fs_err::canonicalize(place)) {
            (Some(home), Ok(target)) => target.starts_with(home),
            _ => false,
        }
    }
}
