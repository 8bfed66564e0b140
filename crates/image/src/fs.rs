//! fs: a directory or a single file, read as one tree.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tarball::{Entries, Entry, EntryKind, Limits, Problem};

use crate::blob;
use crate::contract::{Ask, Error, ImageSource, Opened};

/// Holes that are told one by one.
const HOLES: usize = 200;

pub(crate) struct Fs;

#[async_trait]
impl ImageSource for Fs {
    fn scheme(&self) -> &'static str {
        "fs"
    }

    fn takes(&self) -> &'static str {
        "a directory or a single file"
    }

    fn takes_platform(&self) -> bool {
        false
    }

    async fn open(&self, ask: &Ask) -> Result<Option<Opened>, Error> {
        let entries = Walk::of(&ask.name, ask.settings.limits)?;
        Ok(Some(Opened::Directory { path: ask.name.clone(), entries: Box::new(entries) }))
    }
}

/// A walk over a directory, sorted by name: the same tree is always told in the same order.
///
/// Symbolic links are told, never followed. What cannot be read is a hole, never a failure.
struct Walk {
    /// What is still to be told, the next one last. Every open directory lists its own names only.
    ahead: Vec<Ahead>,
    body: Body,
    holes: Vec<(String, String)>,
    /// Holes beyond those that are told one by one.
    further: u64,
    limits: Limits,
    entries: u64,
    position: u64,
}

/// The names left in one directory, in reverse.
struct Ahead {
    /// Where it lies.
    real: PathBuf,
    /// What it is called, from the root of the tree; empty for the root itself.
    shown: String,
    names: Vec<OsString>,
}

enum Body {
    Nothing,
    Unopened { path: PathBuf, told: (u64, u64), size: u64 },
    Open(io::Take<fs_err::File>),
}

impl Walk {
    fn of(path: &str, limits: Limits) -> Result<Self, Error> {
        if path.is_empty() {
            return Err(Error::invalid("fs://", "no path is given")
                .with_hint("to read the current directory: fs://."));
        }
        let hint = "give the path of a directory or a file";
        let missing = |error| blob::from_io(path, error).with_hint(hint);
        // Only the path the user named is followed if it is a link.
        let real = fs_err::canonicalize(path).map_err(missing)?;
        let metadata = fs_err::metadata(&real).map_err(missing)?;
        let ahead = if metadata.is_dir() {
            let mut names = list(&real).map_err(|error| blob::from_io(path, error))?;
            if real == Path::new("/") {
                names.retain(|name| !["proc", "sys", "dev"].iter().any(|it| name == it));
            }
            Ahead { real, shown: String::new(), names }
        } else if metadata.is_file() {
            let name = real.file_name().map(OsString::from).into_iter().collect();
            let parent = real.parent().map(Path::to_owned).unwrap_or_default();
            Ahead { real: parent, shown: String::new(), names: name }
        } else {
            return Err(
                Error::unsupported(path, "it is neither a directory nor a file").with_hint(hint)
            );
        };
        Ok(Self {
            ahead: vec![ahead],
            body: Body::Nothing,
            holes: Vec::new(),
            further: 0,
            limits,
            entries: 0,
            position: 0,
        })
    }

    fn hole(&mut self, path: &str, error: &io::Error) {
        self.note(path.to_owned(), format!("it cannot be read: {}", reason(error)));
    }

    fn note(&mut self, path: String, why: String) {
        if self.holes.len() < HOLES {
            self.holes.push((path, why));
        } else {
            self.further += 1;
        }
    }

    fn tell(&mut self, real: PathBuf, shown: String) -> Option<Entry> {
        let metadata = match fs_err::symlink_metadata(&real) {
            Ok(metadata) => metadata,
            Err(error) => {
                self.hole(&shown, &error);
                return None;
            }
        };
        let kind = if metadata.is_file() {
            let told = (metadata.dev(), metadata.ino());
            self.body = Body::Unopened { path: real, told, size: metadata.len() };
            EntryKind::File
        } else if metadata.is_dir() {
            match list(&real) {
                Ok(names) => self.ahead.push(Ahead { real, shown: shown.clone(), names }),
                Err(error) => self.hole(&shown, &error),
            }
            EntryKind::Directory
        } else if metadata.is_symlink() {
            match fs_err::read_link(&real) {
                Ok(target) => EntryKind::Symlink(target.to_string_lossy().into_owned()),
                Err(error) => {
                    self.hole(&shown, &error);
                    return None;
                }
            }
        } else {
            EntryKind::Other
        };
        let size = if kind == EntryKind::File { metadata.len() } else { 0 };
        Some(Entry { path: shown, kind, size, mode: metadata.permissions().mode() & 0o7777 })
    }
}

impl Entries for Walk {
    fn next(&mut self) -> Result<Option<Entry>, Problem> {
        self.body = Body::Nothing;
        while let Some(directory) = self.ahead.last_mut() {
            let Some(name) = directory.names.pop() else {
                self.ahead.pop();
                continue;
            };
            let real = directory.real.join(&name);
            let shown = name.to_string_lossy();
            let shown = match directory.shown.as_str() {
                "" => shown.into_owned(),
                parent => format!("{parent}/{shown}"),
            };
            self.entries += 1;
            if self.entries > self.limits.entries {
                let entries = self.limits.entries;
                return Err(Problem::Limit(format!("it has more than {entries} entries")));
            }
            if shown.len() > self.limits.path {
                let start: String = shown.chars().take(200).collect();
                let why = format!("its path is longer than {} bytes", self.limits.path);
                self.note(format!("{start}…"), why);
                continue;
            }
            if let Some(entry) = self.tell(real, shown) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn body(&mut self) -> &mut dyn Read {
        self
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn holes(&mut self) -> Vec<(String, String)> {
        let mut holes = std::mem::take(&mut self.holes);
        match std::mem::take(&mut self.further) {
            0 => {}
            further => {
                holes.push(("the tree".to_owned(), format!("{further} more cannot be read")));
            }
        }
        holes
    }
}

/// The content of the entry just told. Files are opened only when somebody reads them.
impl Read for Walk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Body::Unopened { path, told, size } = &self.body {
            let opened = open(path, *told).map(|file| Body::Open(file.take(*size)));
            self.body = opened.map_err(|error| io::Error::new(error.kind(), reason(&error)))?;
        }
        match &mut self.body {
            Body::Open(file) => {
                let count = file.read(buffer)?;
                self.position = self.position.saturating_add(count as u64);
                Ok(count)
            }
            Body::Nothing | Body::Unopened { .. } => Ok(0),
        }
    }
}

/// Opens the file that was told, and no other that has taken its place since (a link, say).
fn open(path: &Path, told: (u64, u64)) -> io::Result<fs_err::File> {
    let file = fs_err::File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || (metadata.dev(), metadata.ino()) != told {
        return Err(io::Error::other("it changed while it was read"));
    }
    Ok(file)
}

/// The names in a directory, the first one last.
fn list(directory: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs_err::read_dir(directory)?
        .map(|entry| entry.map(|it| it.file_name()))
        .collect::<io::Result<Vec<OsString>>>()?;
    names.sort_by(|left, right| right.as_bytes().cmp(left.as_bytes()));
    Ok(names)
}

/// The reason without the path, which is told beside it.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotFound => "it went away".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
