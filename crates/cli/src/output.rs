//! Where a report goes: to a file, whole or not at all.

use std::io::{self, Read as _, Seek as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::SpooledTempFile;

use crate::failure::Failure;
use crate::messages::Messages;

/// Sends a report to its file, or to stdout without one.
pub(crate) fn deliver(text: &str, to: Option<&Output>, messages: &Messages) -> anyhow::Result<()> {
    let mut delivery = Delivery::to(to.cloned(), messages);
    delivery.write(|out| out.write_all(text.as_bytes()))?;
    delivery.finish()
}

/// Where parts of a report are laid aside until they have their turn: a few in memory, many in a file
/// without a name.
pub(crate) struct Shelf {
    parts: SpooledTempFile,
    lengths: Vec<u64>,
}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self { parts: SpooledTempFile::new(HELD), lengths: Vec::new() }
    }

    /// Lays one more aside.
    pub(crate) fn put(&mut self, part: &str) -> anyhow::Result<()> {
        self.lengths.push(part.len() as u64);
        self.parts.write_all(part.as_bytes()).context(FULL)
    }

    /// Takes them one after the other.
    pub(crate) fn each(
        mut self,
        mut take: impl FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.parts.rewind().context(FULL)?;
        for length in self.lengths {
            let mut part = String::new();
            let read = (&mut self.parts).take(length).read_to_string(&mut part).context(FULL)?;
            anyhow::ensure!(read as u64 == length, FULL);
            take(&part)?;
        }
        Ok(())
    }
}

const FULL: &str = "cannot lay parts of the report aside in the directory for temporary files";

/// A report on its way, piece by piece. A short one arrives as a whole, and to a file so does a long one.
pub(crate) struct Delivery<'a> {
    to: Option<Output>,
    messages: &'a Messages,
    /// What is not sent yet.
    held: String,
    draft: Option<Draft>,
    /// Nobody reads any more.
    is_unread: bool,
    is_ended: bool,
}

/// A report that is longer is not held until it is whole.
const HELD: usize = 1 << 20;

impl<'a> Delivery<'a> {
    /// To a file, or to stdout.
    pub(crate) fn to(to: Option<Output>, messages: &'a Messages) -> Self {
        let (held, draft) = (String::new(), None);
        Self { to, messages, held, draft, is_unread: false, is_ended: true }
    }

    /// The next piece.
    pub(crate) fn add(&mut self, text: &str) -> anyhow::Result<()> {
        self.is_ended = text.chars().next_back().map_or(self.is_ended, |it| it == '\n');
        self.held.push_str(text);
        if self.held.len() > HELD { self.send() } else { Ok(()) }
    }

    /// That was all: a last line that has no end gets one.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        if !self.is_ended {
            self.held.push('\n');
        }
        self.send()?;
        if let (Some(output), Some(draft)) = (&self.to, self.draft.take()) {
            output.finish(draft)?;
            self.messages.written(&output.path);
        }
        Ok(())
    }

    /// What comes next, its last line ended, of whoever writes it there by itself.
    pub(crate) fn write(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        if !self.held.is_empty() {
            self.send()?;
        }
        self.is_ended = true;
        self.pass_on(write)
    }

    fn send(&mut self) -> anyhow::Result<()> {
        let text = std::mem::take(&mut self.held);
        self.pass_on(|out| out.write_all(text.as_bytes()))
    }

    fn pass_on(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        match &self.to {
            None if self.is_unread => {}
            None => self.is_unread = !self.messages.tell(write)?,
            Some(output) => {
                if self.draft.is_none() {
                    self.draft = Some(output.begin()?);
                }
                if let Some(draft) = &mut self.draft {
                    write(draft).with_context(|| output.failed())?;
                }
            }
        }
        Ok(())
    }
}

/// Where a report can be written to.
#[derive(Clone)]
pub(crate) struct Output {
    /// As the user named it.
    path: PathBuf,
    /// A link is followed, so that it stays one.
    target: PathBuf,
}

impl Output {
    /// Says at once what would go wrong, before anything is read for it.
    pub(crate) fn to(path: &Path) -> anyhow::Result<Self> {
        let refuse = |why: String, hint: &str| {
            Err(Failure::error(format!("cannot write {}: {why}", path.display()), hint))
        };
        let target = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if target.is_dir() {
            let hint = "name a file, --output DIRECTORY/sbom.json say";
            return refuse("it is a directory".to_owned(), hint);
        }
        let output = Self { path: path.to_owned(), target };
        let folder = output.folder();
        if !folder.is_dir() {
            let why = format!("there is no directory {}", folder.display());
            return refuse(why, "create it first");
        }
        Ok(output)
    }

    /// Has a report written there. Nobody ever sees half of it.
    pub(crate) fn write(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let mut draft = self.begin()?;
        write(&mut draft).with_context(|| self.failed())?;
        self.finish(draft)
    }

    /// Begins a long report, which is there once it is finished.
    pub(crate) fn begin(&self) -> anyhow::Result<Draft> {
        let there = fs_err::metadata(&self.target).ok();
        if there.as_ref().is_some_and(|it| !it.is_file()) {
            // A pipe or a device cannot be replaced; writing to it is what is meant.
            let device = fs_err::OpenOptions::new().write(true).open(&self.target)?;
            return Ok(Draft::Device(device));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".foretop-");
        #[cfg(unix)]
        builder.permissions(there.map_or_else(
            || std::os::unix::fs::PermissionsExt::from_mode(0o666),
            |it| it.permissions(),
        ));
        Ok(Draft::File(builder.tempfile_in(self.folder()).with_context(|| self.failed())?))
    }

    /// From here on it is there.
    pub(crate) fn finish(&self, draft: Draft) -> anyhow::Result<()> {
        if let Draft::File(file) = draft {
            file.persist(&self.target).with_context(|| self.failed())?;
        }
        Ok(())
    }

    fn failed(&self) -> String {
        format!("cannot write {}", self.path.display())
    }

    fn folder(&self) -> &Path {
        match self.target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }
}

/// A report that is being written.
pub(crate) enum Draft {
    /// One that gets its name when it is whole.
    File(tempfile::NamedTempFile),
    /// A pipe or a device.
    Device(fs_err::File),
}

impl std::io::Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Device(device) => device.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Device(device) => device.flush(),
        }
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.display().fmt(f)
    }
}
