//! The bytes of a claimed file: in memory, or in a temporary file when there are many.

use std::fs::File as TemporaryFile;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};

use ecosystem::File;

use super::ReadLimits;

/// What was read of a file.
pub(super) enum Content<'a> {
    Memory(&'a [u8]),
    Spooled { file: &'a TemporaryFile, size: u64 },
}

impl Content<'_> {
    pub(super) fn file<'f>(&'f self, path: &'f str, mode: u32) -> File<'f> {
        match self {
            Self::Memory(bytes) => File::in_memory(path, mode, bytes),
            Self::Spooled { file, size } => File::spooled(path, mode, file, *size),
        }
    }
}

/// A buffer and a temporary file without a name, used again for every file.
#[derive(Default)]
pub(super) struct Spool {
    limits: ReadLimits,
    buffer: Vec<u8>,
    file: Option<TemporaryFile>,
    written: u64,
}

impl Spool {
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Reads a file that is said to have `stated` bytes, the first of which are in `head`.
    pub(super) fn read(
        &mut self,
        stated: u64,
        head: &[u8],
        body: &mut dyn Read,
    ) -> Result<Content<'_>, String> {
        let limit = self.limits.file;
        let too_large = || format!("larger than {limit} bytes");
        if stated > limit {
            return Err(too_large());
        }
        self.buffer.clear();
        // A size that is stated is a hint: a lie costs no more than a page or two.
        self.buffer
            .reserve(usize::try_from(stated.min(self.limits.memory).min(1 << 20)).unwrap_or(0));
        self.buffer.extend_from_slice(head);
        let room = (self.limits.memory + 1).saturating_sub(head.len() as u64);
        body.take(room).read_to_end(&mut self.buffer).map_err(|error| error.to_string())?;
        if self.buffer.len() as u64 <= self.limits.memory {
            return Ok(Content::Memory(&self.buffer));
        }

        let unwritten = |error: io::Error| format!("cannot be put into a temporary file: {error}");
        let mut file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile().map_err(unwritten)?,
        };
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(unwritten)?;
        let mut size = 0;
        while !self.buffer.is_empty() {
            let count = self.buffer.len() as u64;
            size += count;
            self.written += count;
            if size > limit {
                return Err(too_large());
            }
            if self.written > self.limits.spool {
                let all = self.limits.spool;
                return Err(format!("beyond the {all} bytes of large files read from a layer"));
            }
            file.write_all(&self.buffer).map_err(unwritten)?;
            self.buffer.clear();
            body.take(256 << 10)
                .read_to_end(&mut self.buffer)
                .map_err(|error| error.to_string())?;
        }
        Ok(Content::Spooled { file: self.file.insert(file), size })
    }
}

/// Fills `buffer` from the start of a body as far as there are bytes.
pub(super) fn read_start<'b>(body: &mut dyn Read, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
    let mut filled = 0;
    while filled < buffer.len() {
        match body.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(&buffer[..filled])
}
