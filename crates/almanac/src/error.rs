//! Why an almanac cannot be read or changed.

use std::io;
use std::path::{Path, PathBuf};

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was installed there yet.
    #[error("almanac {}: there is none", .0.display())]
    Absent(PathBuf),
    /// Somebody else is at it.
    #[error("almanac {}: another process is changing it", .0.display())]
    Busy(PathBuf),
    /// The system says no.
    #[error("almanac {at}: {why}")]
    Unavailable {
        /// What was to be read or written.
        at: String,
        /// What the system says.
        why: io::Error,
    },
    /// It is not what it should be. The one in use stays.
    #[error("almanac {at}: {why}")]
    Corrupt {
        /// Which part of it.
        at: String,
        /// What is wrong.
        why: String,
    },
    /// Nobody whom we trust answers for it.
    #[error("almanac: {0}")]
    Untrusted(String),
    /// A key of ours that cannot be used.
    #[error("key: {0}")]
    Key(String),
}

impl Error {
    #[expect(clippy::needless_pass_by_value, reason = "so that texts and errors fit alike")]
    pub(crate) fn corrupt(at: impl ToString, why: impl ToString) -> Self {
        Self::Corrupt { at: at.to_string(), why: why.to_string() }
    }

    /// Of an error of `fs_err`, which names the path itself.
    pub(crate) fn io(why: io::Error) -> Self {
        Self::Unavailable { at: "directory".to_owned(), why }
    }

    pub(crate) fn at(path: &Path, why: io::Error) -> Self {
        Self::Unavailable { at: path.display().to_string(), why }
    }

    /// What the reader can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Absent(_) => Some("`foretop almanac update` fetches one"),
            Self::Busy(_) => Some("wait until it is done and try again"),
            Self::Untrusted(_) => {
                Some("name the publisher's public key, or say that any almanac will do")
            }
            Self::Corrupt { .. } => Some("the almanac that was in use stays in use"),
            Self::Key(_) => Some("`minisign -G -W` makes a pair of keys that can be used here"),
            Self::Unavailable { why, .. } => Some(match why.kind() {
                io::ErrorKind::NotFound => "is the name right?",
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "whoever runs this must be allowed to read and write there"
                }
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room there",
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                    "an almanac is a directory: name one, or one that is not there yet"
                }
                io::ErrorKind::IsADirectory => "name a file",
                _ => "is the disk sound, and is there room?",
            }),
        }
    }
}
