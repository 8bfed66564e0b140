//! Tar archives, read as the engines that unpack images read them, so that no file hides.

use std::io::{self, BufRead, BufReader, Read};

use crate::{Entries, Entry, EntryKind, Limits, Problem, clean_path};

mod header;
mod pax;
mod sparse;
#[cfg(test)]
mod tests;

use header::{BLOCK, Header};
use pax::Pax;
use sparse::{MapInBody, Sparse, Stretch};

/// A long name, a PAX header or the map of a sparse file may have so many bytes, as in Go's reader.
const META_LIMIT: u64 = 1 << 20;

/// A tar archive as a stream of entries: v7, ustar, PAX and GNU, sparse files included.
///
/// Where dialects leave room it reads as Go's `archive/tar` does, since containerd, Docker and
/// podman unpack with that: what they would put on disk is what is seen here.
/// Global PAX headers are therefore without effect.
pub struct TarReader<R> {
    inner: Inner<R>,
}

/// The reader, and where it stands. Reading it reads the body of the current entry.
struct Inner<R> {
    reader: R,
    limits: Limits,
    position: u64,
    headers: u64,
    /// Bytes of the current body that are still in the archive.
    stored: u64,
    padding: u64,
    /// The current entry is a regular file: its body is more than something to skip.
    readable: bool,
    sparse: Option<Sparse>,
    state: State,
    joined: Vec<u8>,
}

enum State {
    Reading,
    Ended,
    /// Reading a body failed: nothing more can be told. The problem, until it was.
    Failed(Option<Problem>),
}

/// What extended headers said about the file that follows them.
#[derive(Default)]
struct Extended {
    pax: Option<Pax>,
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl<R: Read> TarReader<BufReader<R>> {
    /// Reads the archive from `reader`.
    pub fn new(reader: R, limits: &Limits) -> Self {
        TarReader::buffered(BufReader::with_capacity(128 << 10, reader), limits)
    }
}

impl<R: BufRead> TarReader<R> {
    /// Reads the archive from a reader that has its bytes at hand: nothing is copied to be skipped.
    pub fn buffered(reader: R, limits: &Limits) -> Self {
        Self {
            inner: Inner {
                reader,
                limits: *limits,
                position: 0,
                headers: 0,
                stored: 0,
                padding: 0,
                readable: false,
                sparse: None,
                state: State::Reading,
                joined: Vec::new(),
            },
        }
    }

    /// Bytes of the current entry's body as they lie in the archive, from [`Entries::position`] on:
    /// the body itself, unless the file is sparse.
    pub fn stored(&self) -> u64 {
        self.inner.stored
    }
}

impl<R: BufRead> Entries for TarReader<R> {
    fn next(&mut self) -> Result<Option<Entry>, Problem> {
        match &mut self.inner.state {
            State::Reading => {}
            State::Ended => return Ok(None),
            State::Failed(problem) => {
                return Err(problem.take().unwrap_or_else(|| {
                    Problem::Corrupt("it could not be read before, and cannot now".to_owned())
                }));
            }
        }
        let entry = self.inner.entry();
        match &entry {
            Ok(Some(_)) => {}
            Ok(None) => self.inner.state = State::Ended,
            Err(_) => self.inner.state = State::Failed(None),
        }
        entry
    }

    fn body(&mut self) -> &mut dyn Read {
        &mut self.inner
    }

    fn position(&self) -> u64 {
        self.inner.position
    }
}

impl<R: BufRead> Inner<R> {
    fn entry(&mut self) -> Result<Option<Entry>, Problem> {
        self.skip_body()?;
        let mut extended = Extended::default();
        loop {
            let mut block = [0; BLOCK];
            if !self.header(&mut block)? {
                return Ok(None);
            }
            self.headers += 1;
            if self.headers > self.limits.entries {
                let entries = self.limits.entries;
                return Err(Problem::Limit(format!("it has more than {entries} entries")));
            }
            let header = Header::new(&block)?;
            match header.kind() {
                b'L' => extended.name = terminated(self.meta(header.size()?)?),
                b'K' => extended.link = terminated(self.meta(header.size()?)?),
                b'x' => extended.pax = Some(Pax::parse(&self.meta(header.size()?)?)?),
                b'g' => {
                    Pax::parse(&self.meta(header.size()?)?)?;
                }
                _ => return self.file(&header, extended).map(Some),
            }
        }
    }

    fn file(&mut self, header: &Header<'_>, extended: Extended) -> Result<Entry, Problem> {
        let pax = extended.pax.unwrap_or_default();
        let mut joined = std::mem::take(&mut self.joined);
        let name: &[u8] = match (&extended.name, &pax.path) {
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => header.name(&mut joined),
        };
        let link: &[u8] = match (&extended.link, &pax.link) {
            (Some(link), _) | (None, Some(link)) => link,
            (None, None) => header.link(),
        };
        let kind = match header.kind() {
            // Archives older than the flag for directories end their names in a slash.
            0 if name.ends_with(b"/") => EntryKind::Directory,
            0 | b'0' | b'7' | b'S' => EntryKind::File,
            b'1' => EntryKind::Hardlink(self.path(link)?),
            b'2' => {
                self.within(link)?;
                EntryKind::Symlink(String::from_utf8_lossy(link).into_owned())
            }
            // GNU's incremental archives have a list of names as the body of a directory.
            b'5' | b'D' => EntryKind::Directory,
            _ => EntryKind::Other,
        };
        self.readable = kind == EntryKind::File;
        self.stored = match header.kind() {
            // Links, devices and directories have no body, whatever size they state.
            b'1'..=b'6' => 0,
            0 if !self.readable => 0,
            _ => pax.size.map_or_else(|| header.size(), Ok)?,
        };
        self.padding = padding(self.stored);
        let mut size = if self.readable { self.stored } else { 0 };

        let described = pax.sparse.map_is_in_body() || pax.sparse.map_is_in_records();
        let name = pax.sparse.name.as_deref().filter(|_| described).unwrap_or(name);
        let path = self.path(name)?;
        self.joined = joined;
        if header.kind() == b'S' {
            let (map, logical) = self.old_sparse_map(header)?;
            size = logical;
            self.sparse = Some(Sparse::new(&map, size, self.stored)?);
        } else if described {
            if !self.readable {
                return Err(sparse::broken());
            }
            size = pax.sparse.size.unwrap_or(size);
            let map = if pax.sparse.map_is_in_body() {
                self.sparse_map_in_body()?
            } else {
                pax.sparse.map.unwrap_or_default()
            };
            self.sparse = Some(Sparse::new(&map, size, self.stored)?);
        }
        Ok(Entry { path, kind, size, mode: header.mode() })
    }

    fn path(&self, bytes: &[u8]) -> Result<String, Problem> {
        self.within(bytes)?;
        Ok(match std::str::from_utf8(bytes) {
            Ok(text) => clean_path(text).into_owned(),
            Err(_) => clean_path(&String::from_utf8_lossy(bytes)).into_owned(),
        })
    }

    fn within(&self, path: &[u8]) -> Result<(), Problem> {
        if path.len() > self.limits.path {
            let limit = self.limits.path;
            return Err(Problem::Limit(format!("a path in it is longer than {limit} bytes")));
        }
        Ok(())
    }

    /// The next header block. False at the end of the archive, all of which is then read.
    fn header(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, Problem> {
        let count = self.block(block)?;
        if block[0] != 0 || block.iter().any(|it| *it != 0) {
            return if count == BLOCK { Ok(true) } else { Err(truncated("a header")) };
        }
        // Two blocks of zeros are the end; their lack is forgiven, at least by those who unpack.
        self.block(block)?;
        if block.iter().any(|it| *it != 0) {
            return Err(Problem::Corrupt(
                "something follows the block of zeros that should end it".to_owned(),
            ));
        }
        while self.discard(u64::MAX)? > 0 {}
        Ok(false)
    }

    /// Fills `block` as far as there are bytes, the rest with zeros.
    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<usize, Problem> {
        let mut filled = 0;
        while filled < BLOCK {
            let available = fill(&mut self.reader)?;
            if available.is_empty() {
                break;
            }
            let count = available.len().min(BLOCK - filled);
            block[filled..filled + count].copy_from_slice(&available[..count]);
            self.reader.consume(count);
            filled += count;
        }
        block[filled..].fill(0);
        self.position += filled as u64;
        Ok(filled)
    }

    /// The body of an extended header.
    fn meta(&mut self, size: u64) -> Result<Vec<u8>, Problem> {
        if size > META_LIMIT {
            return Err(Problem::Limit(format!(
                "an extended header in it is larger than {META_LIMIT} bytes"
            )));
        }
        let mut bytes = Vec::new();
        (&mut self.reader).take(size).read_to_end(&mut bytes)?;
        self.position += bytes.len() as u64;
        if bytes.len() as u64 != size {
            return Err(truncated("an extended header"));
        }
        self.stored = 0;
        self.padding = padding(size);
        self.skip_body()?;
        Ok(bytes)
    }

    /// The map of an old GNU sparse file (it goes on in blocks of its own), and its logical size.
    fn old_sparse_map(&mut self, header: &Header<'_>) -> Result<(Vec<u64>, u64), Problem> {
        let (fields, mut more, size) = header.old_sparse()?;
        let mut map = Vec::new();
        sparse::old_map(fields, &mut map)?;
        let mut read = 0;
        while more {
            let mut block = [0; BLOCK];
            read += BLOCK as u64;
            if read > META_LIMIT {
                return Err(sparse::broken());
            }
            if self.block(&mut block)? < BLOCK {
                return Err(truncated("the map of a sparse file"));
            }
            sparse::old_map(&block[..504], &mut map)?;
            more = block[504] != 0;
        }
        Ok((map, size))
    }

    /// The map before the data of a sparse file, in whole blocks.
    fn sparse_map_in_body(&mut self) -> Result<Vec<u64>, Problem> {
        let mut map = MapInBody::default();
        let mut read = 0;
        loop {
            let mut block = [0; BLOCK];
            read += BLOCK as u64;
            if read > META_LIMIT {
                return Err(sparse::broken());
            }
            let rest = self.stored.checked_sub(BLOCK as u64).ok_or_else(sparse::broken)?;
            if self.block(&mut block)? < BLOCK {
                return Err(truncated("the map of a sparse file"));
            }
            self.stored = rest;
            if map.push(&block)? {
                return Ok(map.into_map());
            }
        }
    }

    fn skip_body(&mut self) -> Result<(), Problem> {
        self.sparse = None;
        while self.stored > 0 {
            let count = self.discard(self.stored)?;
            if count == 0 {
                return Err(truncated("a file"));
            }
            self.stored -= count;
        }
        while self.padding > 0 {
            let count = self.discard(self.padding)?;
            if count == 0 {
                // The file is whole; the next header will not be there.
                self.padding = 0;
            }
            self.padding -= count;
        }
        Ok(())
    }

    /// Passes over at most `most` bytes, as many as are at hand; none at the end.
    fn discard(&mut self, most: u64) -> Result<u64, Problem> {
        let available = fill(&mut self.reader)?.len();
        let count = available.min(usize::try_from(most).unwrap_or(usize::MAX));
        self.reader.consume(count);
        self.position += count as u64;
        Ok(count as u64)
    }

    /// Reads stored bytes of the body.
    fn read_stored(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.stored).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let problem = match self.reader.read(&mut buffer[..most]) {
            Ok(0) => truncated("a file"),
            Ok(count) => {
                self.stored -= count as u64;
                self.position += count as u64;
                return Ok(count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => Problem::from(error),
        };
        // Whoever reads the body may go on to the next entry: it is `next` that must not.
        let told = io::Error::other(problem.to_string());
        self.state = State::Failed(Some(problem));
        Err(told)
    }
}

impl<R: BufRead> Read for Inner<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.readable {
            return Ok(0);
        }
        let Some(sparse) = &mut self.sparse else {
            return self.read_stored(buffer);
        };
        let part = |length: u64| buffer.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        let count = match sparse.stretch() {
            Stretch::End => 0,
            Stretch::Hole(length) => {
                let count = part(length);
                buffer[..count].fill(0);
                count
            }
            Stretch::Data(length) => {
                let count = part(length);
                self.read_stored(&mut buffer[..count])?
            }
        };
        if let Some(sparse) = &mut self.sparse {
            sparse.advance(count as u64);
        }
        Ok(count)
    }
}

fn fill<R: BufRead>(reader: &mut R) -> Result<&[u8], Problem> {
    loop {
        match reader.fill_buf() {
            // Asked again below: a borrow that is returned cannot be one that is dropped.
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(reader.fill_buf()?)
}

/// Up to the first NUL: GNU tar ends long names with one. An empty name is none.
fn terminated(mut name: Vec<u8>) -> Option<Vec<u8>> {
    if let Some(end) = memchr::memchr(0, &name) {
        name.truncate(end);
    }
    (!name.is_empty()).then_some(name)
}

fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK as u64
}

fn truncated(what: &str) -> Problem {
    Problem::Truncated(what.to_owned())
}
