//! The contract: what an ecosystem is, and what its catalogers are given.

use std::borrow::Cow;
use std::io::{self, Read, Seek, SeekFrom};

use model::Found;

/// An ecosystem's id is the purl type of its packages: `apk`, `npm`, `golang`.
pub type EcosystemId = &'static str;

/// A packaging world.
pub trait Ecosystem: Sync {
    /// Its purl type, which is also its file's name.
    fn id(&self) -> EcosystemId;
    /// What people call it: "Debian packages", "npm".
    fn title(&self) -> &'static str;
    /// The ways in which its packages can be seen in a file system.
    fn catalogers(&self) -> &'static [Cataloger];
}

/// One way of finding packages: which files it claims, and how it reads one.
pub struct Cataloger {
    /// Kebab case, unique, starting with its ecosystem's id: `deb-status`.
    pub id: &'static str,
    /// One line for the reference page: what it reads.
    pub reads: &'static str,
    /// Raise it when the same bytes would yield other packages: layers are then read anew.
    pub version: u16,
    /// Files that start one `read` each.
    pub claims: &'static [Claim],
    /// Globs of files, in the same layer, that `read` may look up beside the claimed one.
    pub peeks: &'static [&'static str],
    /// Bytes in, packages and gaps out. Pure, total, and bounded by the size of its input:
    /// never panics, never loops, never trusts a length it read.
    pub read: fn(&File<'_>, &dyn Beside) -> Found,
}

/// What makes a file a cataloger's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A glob over the path without a leading `/`: `var/lib/dpkg/status`, `**/package.json`,
    /// `**/*.{jar,war}`. `*` does not cross a `/`; `**/` matches any number of directories, none too.
    Path(&'static str),
    /// Bytes at the start of a regular file, whatever its name: `\x7fELF`.
    Magic(&'static [u8]),
}

/// A claimed file: its path and its bytes, in memory or spooled.
pub struct File<'a> {
    path: &'a str,
    mode: u32,
    body: Body<'a>,
}

enum Body<'a> {
    Memory(&'a [u8]),
    Spooled { file: &'a std::fs::File, size: u64 },
}

impl<'a> File<'a> {
    /// A file whose bytes are in memory.
    pub fn in_memory(path: &'a str, mode: u32, bytes: &'a [u8]) -> Self {
        Self { path, mode, body: Body::Memory(bytes) }
    }

    /// A file too large for that, from its start in `file`.
    pub fn spooled(path: &'a str, mode: u32, file: &'a std::fs::File, size: u64) -> Self {
        Self { path, mode, body: Body::Spooled { file, size } }
    }

    /// The path in the layer, without a leading `/`.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The last part of the path.
    pub fn name(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// The directory it is in, without a trailing `/`; empty at the root.
    pub fn directory(&self) -> &'a str {
        self.path.rsplit_once('/').map_or("", |(directory, _)| directory)
    }

    /// Permission bits.
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        match self.body {
            Body::Memory(bytes) => bytes.len() as u64,
            Body::Spooled { size, .. } => size,
        }
    }

    /// All bytes, unless there are more than `limit`.
    pub fn bytes(&self, limit: u64) -> io::Result<Cow<'a, [u8]>> {
        if self.size() > limit {
            return Err(io::Error::other(format!("larger than {limit} bytes")));
        }
        match self.body {
            Body::Memory(bytes) => Ok(Cow::Borrowed(bytes)),
            Body::Spooled { size, .. } => {
                let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
                self.read_exact_at(0, &mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// Fills `buffer` from `offset` on; reading past the end is an error.
    pub fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        match self.body {
            Body::Memory(bytes) => {
                let start = usize::try_from(offset).map_err(io::Error::other)?;
                let part = start
                    .checked_add(buffer.len())
                    .and_then(|end| bytes.get(start..end))
                    .ok_or(io::ErrorKind::UnexpectedEof)?;
                buffer.copy_from_slice(part);
                Ok(())
            }
            Body::Spooled { file, .. } => {
                std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
            }
        }
    }

    /// A reader over the whole file that can seek (for zip directories, say).
    pub fn reader(&self) -> FileReader<'_, 'a> {
        FileReader { file: self, at: 0 }
    }
}

/// A reader over a [`File`].
pub struct FileReader<'f, 'a> {
    file: &'f File<'a>,
    at: u64,
}

impl Read for FileReader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.file.size().saturating_sub(self.at);
        let count = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.read_exact_at(self.at, &mut buffer[..count])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for FileReader<'_, '_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => i128::from(at),
            SeekFrom::End(by) => i128::from(self.file.size()) + i128::from(by),
            SeekFrom::Current(by) => i128::from(self.at) + i128::from(by),
        };
        self.at = u64::try_from(target).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// What stands beside the claimed file in the same layer.
pub trait Beside {
    /// The bytes of the file at `path` (from the root, no leading `/`), if it matched a `peeks`
    /// glob and was not too large.
    fn bytes(&self, path: &str) -> Option<&[u8]>;
}

/// Nothing beside: for tests, and for catalogers without `peeks`.
pub struct Nothing;

impl Beside for Nothing {
    fn bytes(&self, _: &str) -> Option<&[u8]> {
        None
    }
}
