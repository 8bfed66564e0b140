//! The contract: a file tree as a sequence of entries, whatever it is read from.

use std::io::{self, Read};

/// One file, directory or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From the root, cleaned: no leading `/` or `./`, no `..`, no trailing `/`, no NUL.
    /// Bytes that are not UTF-8 are replaced (U+FFFD).
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a regular file (of the logical file, for a sparse one).
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, with its target as written.
    Symlink(String),
    /// Another name for the file at that path (cleaned like a path).
    Hardlink(String),
    /// A device, a pipe, a socket.
    Other,
}

/// A file tree, one entry after the other.
pub trait Entries {
    /// The next entry, or `None` at the end. What was not read of the former one is skipped.
    fn next(&mut self) -> Result<Option<Entry>, Problem>;
    /// The content of the entry just returned; empty for anything but a regular file.
    fn body(&mut self) -> &mut dyn Read;
    /// Bytes of archive consumed so far.
    fn position(&self) -> u64;
    /// Paths that could not be told or entered, with the reason: gaps for whoever reads on.
    /// Each is handed out once; ask again at the end.
    fn holes(&mut self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// What reading may cost. Past a limit is a [`Problem`], never a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an archive, inflated.
    pub total: u64,
    /// Entries in an archive.
    pub entries: u64,
    /// Inflated bytes for one compressed byte, once `ratio_floor` bytes have come out.
    pub ratio: u64,
    /// Below this many inflated bytes no ratio is judged.
    pub ratio_floor: u64,
    /// Bytes of a path.
    pub path: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: 512 << 30,
            entries: 20_000_000,
            // Runs of zeros reach 1032:1 in deflate; a sparse 20 GB file is honest.
            ratio: 1_100,
            ratio_floor: 64 << 20,
            path: 4096,
        }
    }
}

/// Why an archive cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Its bytes are not what they claim.
    #[error("{0}")]
    Corrupt(String),
    /// It ends in the middle.
    #[error("it ends in the middle of {0}")]
    Truncated(String),
    /// It goes past a limit.
    #[error("{0}")]
    Limit(String),
    /// The bytes could not be had. An `io::Error` that carries another error keeps it.
    #[error(transparent)]
    Io(io::Error),
}

/// A problem that travelled through a reader as an `io::Error` comes out as itself.
impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Io)
    }
}

impl From<Problem> for io::Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Io(error) => error,
            other => Self::other(other),
        }
    }
}
