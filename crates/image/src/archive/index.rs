//! A plain tar archive on disk as parts that can be read at any place: its headers are read once,
//! its bodies only when somebody asks.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::os::unix::fs::FileExt as _;
use std::rc::Rc;
use std::{cell::Cell, fs::File};

use tarball::{Entries as _, EntryKind, Limits, TarReader};

use crate::blob;
use crate::contract::Error;
use crate::layout::{DOCUMENT_LIMIT, Links, Parts, Readable};

/// Files in an archive that are remembered. Images have some hundreds.
const FILES: usize = 50_000;

/// Where every file of an archive lies.
pub(super) struct TarIndex {
    what: String,
    file: File,
    places: HashMap<String, Place>,
    links: Links,
}

#[derive(Clone, Copy)]
struct Place {
    offset: u64,
    size: u64,
    /// Its holes are left out of the archive, so it cannot be read at a place.
    sparse: bool,
}

impl TarIndex {
    pub(super) fn of(what: &str, file: File, limits: &Limits) -> Result<Self, Error> {
        let length = file.metadata().map_err(|it| blob::from_io(what, it))?.len();
        let skip = Rc::new(Cell::new(0));
        let leaping =
            Leaping { file: &file, at: 0, buffer: Vec::new(), used: 0, skip: skip.clone() };
        let mut reader = TarReader::buffered(leaping, limits);
        let mut places = HashMap::new();
        let mut links = Links::default();
        while let Some(entry) = reader.next().map_err(|it| blob::from_problem(what, it))? {
            if places.len() + links.len() >= FILES {
                let why = format!("it holds more than {FILES} files, as no image does");
                return Err(Error::limit(what, why)
                    .with_hint("for a tree of files: unpack it, then fs://DIRECTORY"));
            }
            let (offset, stored) = (reader.position(), reader.stored());
            match entry.kind {
                EntryKind::File => {
                    // Past the end of the file nobody would notice that a body is cut off.
                    if offset.checked_add(stored).is_none_or(|end| end > length) {
                        return Err(Error::corrupt(
                            what,
                            format!("it ends in the middle of {}", entry.path),
                        )
                        .with_hint("it was copied or saved in part: save it again"));
                    }
                    links.remove(&entry.path);
                    let sparse = stored != entry.size;
                    places.insert(entry.path, Place { offset, size: entry.size, sparse });
                    skip.set(offset + stored);
                }
                EntryKind::Symlink(target) => {
                    places.remove(&entry.path);
                    links.symlink(entry.path, &target);
                }
                EntryKind::Hardlink(target) => {
                    places.remove(&entry.path);
                    links.hardlink(entry.path, target);
                }
                EntryKind::Directory | EntryKind::Other => {}
            }
        }
        drop(reader);
        Ok(Self { what: what.to_owned(), file, places, links })
    }

    fn place(&self, path: &str) -> Result<Option<Place>, Error> {
        let path = self.links.resolve(path);
        match self.places.get(&path) {
            Some(place) if place.sparse => Err(Error::unsupported(
                &self.what,
                format!("{path} is stored as a sparse file in it"),
            )
            .with_hint("save the image again, with `docker save` say")),
            place => Ok(place.copied()),
        }
    }
}

impl Parts for TarIndex {
    fn document(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let what = format!("{path} in {}", self.what);
        let Some(part) = self.open(path)? else { return Ok(None) };
        blob::read_bounded(part, &what, DOCUMENT_LIMIT).map(Some)
    }

    fn size(&self, path: &str) -> Option<u64> {
        self.places.get(&self.links.resolve(path)).map(|it| it.size)
    }

    fn resolve(&self, path: &str) -> String {
        self.links.resolve(path)
    }
}

impl Readable for TarIndex {
    fn open(&self, path: &str) -> Result<Option<Box<dyn Read + Send + '_>>, Error> {
        Ok(self.place(path)?.map(|Place { offset, size, .. }| {
            Box::new(Stretch { file: &self.file, at: offset, left: size })
                as Box<dyn Read + Send + '_>
        }))
    }
}

/// A stretch of a file, read without moving its cursor.
struct Stretch<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for Stretch<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if count == 0 {
            return Ok(0);
        }
        let count = self.file.read_at(&mut buffer[..count], self.at)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// A file read from its start, of which the stretch up to `skip` is not read but passed over:
/// whoever discards it is given zeros.
struct Leaping<'a> {
    file: &'a File,
    /// Where the first unused byte of the buffer, or the next byte to read, lies.
    at: u64,
    buffer: Vec<u8>,
    used: usize,
    skip: Rc<Cell<u64>>,
}

/// Headers come one by one; more would be read for nothing.
const HEADERS: usize = 4096;
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

impl BufRead for Leaping<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let ahead = self.skip.get().saturating_sub(self.at);
        if ahead > 0 {
            self.buffer.clear();
            self.used = 0;
            let count = ZEROS.len().min(usize::try_from(ahead).unwrap_or(usize::MAX));
            return Ok(&ZEROS[..count]);
        }
        if self.used == self.buffer.len() {
            self.buffer.resize(HEADERS, 0);
            self.used = 0;
            let count = self.file.read_at(&mut self.buffer, self.at)?;
            self.buffer.truncate(count);
        }
        Ok(&self.buffer[self.used..])
    }

    fn consume(&mut self, count: usize) {
        self.at = self.at.saturating_add(count as u64);
        self.used = self.buffer.len().min(self.used + count);
    }
}

impl Read for Leaping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = buffer.len().min(available.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}
