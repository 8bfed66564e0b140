//! Zip files, read from their central directory without believing a single number in it.
//!
//! The `zip` crate keeps every entry of an archive in memory. Of a Java archive three in a thousand
//! matter, and an archive stored inside another can be read where it lies.
//! <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>

use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use crate::File;

/// No honest archive has a larger directory (200 000 entries with long names).
const LARGEST_DIRECTORY: u64 = 64 << 20;
/// Beyond this an inflated archive goes to a temporary file.
const LARGEST_IN_MEMORY: u64 = 32 << 20;

/// Bytes that can be read anywhere.
pub(super) trait Bytes {
    fn size(&self) -> u64;
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl Bytes for File<'_> {
    fn size(&self) -> u64 {
        self.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(offset, buffer)
    }
}

/// An inflated archive.
pub(super) enum Inflated {
    Memory(Vec<u8>),
    Spooled { file: std::fs::File, size: u64 },
}

impl Bytes for Inflated {
    fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Spooled { size, .. } => *size,
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Memory(bytes) => {
                let part = usize::try_from(offset)
                    .ok()
                    .and_then(|start| bytes.get(start..start.checked_add(buffer.len())?));
                buffer.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
            Self::Spooled { file, .. } => file.read_exact_at(buffer, offset),
        }
    }
}

/// A stretch of other bytes.
pub(super) struct Window<'a> {
    of: &'a dyn Bytes,
    start: u64,
    size: u64,
}

impl Bytes for Window<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.of.read_at(self.start.saturating_add(offset), buffer)
    }
}

/// What the directory says about one entry.
pub(super) struct Entry {
    pub(super) name: String,
    encrypted: bool,
    method: u16,
    crc: u32,
    packed: u64,
    pub(super) size: u64,
    header_at: u64,
}

/// The central directory.
pub(super) struct Directory {
    bytes: Vec<u8>,
    /// How many entries it says it has.
    pub(super) count: u64,
    /// What stands before the archive: an executable archive starts with a script.
    prefix: u64,
}

impl Directory {
    /// The directory of the archive in `bytes`.
    pub(super) fn read(bytes: &dyn Bytes) -> Result<Self, &'static str> {
        let broken = "its directory cannot be read";
        let size = bytes.size();
        // The end record is the last thing but for a comment.
        let tail_size = size.min(22 + 65_535);
        let tail_at = size - tail_size;
        let mut tail = vec![0; usize::try_from(tail_size).map_err(|_| broken)?];
        bytes.read_at(tail_at, &mut tail).map_err(|_| broken)?;
        let found = memchr::memmem::rfind_iter(&tail, b"PK\x05\x06")
            .find(|at| tail.len() - at >= 22)
            .ok_or("it has no directory: no archive, or cut short")?;
        let end = tail.get(found..).ok_or(broken)?;
        let mut end_at = tail_at + found as u64;
        let mut count = u64::from(u16_at(end, 10).ok_or(broken)?);
        let mut directory_size = u64::from(u32_at(end, 12).ok_or(broken)?);
        let mut directory_at = u64::from(u32_at(end, 16).ok_or(broken)?);
        if let Some(wide) = Self::wide_end(bytes, end_at) {
            (end_at, count, directory_size, directory_at) = wide;
        }
        if directory_size > LARGEST_DIRECTORY {
            return Err("its directory is too large");
        }
        let start = end_at.checked_sub(directory_size).ok_or(broken)?;
        let prefix = start.checked_sub(directory_at).ok_or(broken)?;
        let mut directory = vec![0; usize::try_from(directory_size).map_err(|_| broken)?];
        bytes.read_at(start, &mut directory).map_err(|_| broken)?;
        Ok(Self { bytes: directory, count, prefix })
    }

    /// The wider end record of large archives: where it is, entries, size and start of the directory.
    fn wide_end(bytes: &dyn Bytes, end_at: u64) -> Option<(u64, u64, u64, u64)> {
        let mut locator = [0; 20];
        bytes.read_at(end_at.checked_sub(20)?, &mut locator).ok()?;
        if !locator.starts_with(b"PK\x06\x07") {
            return None;
        }
        // Usually it is just before its locator, whatever stands before the archive.
        for at in [end_at.checked_sub(76)?, u64_at(&locator, 8)?] {
            let mut end = [0; 56];
            if bytes.read_at(at, &mut end).is_ok() && end.starts_with(b"PK\x06\x06") {
                return Some((at, u64_at(&end, 32)?, u64_at(&end, 40)?, u64_at(&end, 48)?));
            }
        }
        None
    }

    /// Calls `visit` with the name of each entry, and a way to learn the rest of it. Returns false
    /// if the directory ends before its last entry.
    pub(super) fn visit(
        &self,
        most: u64,
        mut visit: impl FnMut(&[u8], &dyn Fn() -> Entry),
    ) -> bool {
        let mut at: usize = 0;
        for _ in 0..self.count.min(most) {
            let Some(row) = self.bytes.get(at..).filter(|it| it.starts_with(b"PK\x01\x02")) else {
                return false;
            };
            let length = |at| u16_at(row, at).map(usize::from);
            let (Some(name), Some(extra), Some(comment)) = (length(28), length(30), length(32))
            else {
                return false;
            };
            let (Some(name), Some(extra)) =
                (row.get(46..46 + name), row.get(46 + name..46 + name + extra))
            else {
                return false;
            };
            visit(name, &|| self.entry(row, name, extra));
            at += 46 + name.len() + extra.len() + comment;
        }
        true
    }

    fn entry(&self, row: &[u8], name: &[u8], extra: &[u8]) -> Entry {
        let wide = |at| u64::from(u32_at(row, at).unwrap_or_default());
        let (mut packed, mut size, mut header_at) = (wide(20), wide(24), wide(42));
        // What does not fit is in the extra field, in this order, and only what does not fit.
        let mut rest = extra;
        while let (Some(id), Some(length)) = (u16_at(rest, 0), u16_at(rest, 2)) {
            let field = rest.get(4..).unwrap_or_default();
            if id == 1 {
                let mut values = field.chunks_exact(8).map(|it| u64_at(it, 0).unwrap_or_default());
                for value in [&mut size, &mut packed, &mut header_at] {
                    if *value == u64::from(u32::MAX) {
                        *value = values.next().unwrap_or(*value);
                    }
                }
                break;
            }
            rest = field.get(usize::from(length)..).unwrap_or_default();
        }
        Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            encrypted: u16_at(row, 8).unwrap_or_default() & 1 != 0,
            method: u16_at(row, 10).unwrap_or_default(),
            crc: u32_at(row, 16).unwrap_or_default(),
            packed,
            size,
            header_at: header_at.saturating_add(self.prefix),
        }
    }
}

impl Entry {
    /// Where its bytes are, as they are stored.
    fn window<'a>(&self, archive: &'a dyn Bytes) -> Result<Window<'a>, String> {
        if self.encrypted {
            return Err("is encrypted".into());
        }
        if !matches!(self.method, 0 | 8) {
            return Err(format!("is compressed by method {}, which is not read", self.method));
        }
        let mut header = [0; 30];
        let read = archive.read_at(self.header_at, &mut header);
        if read.is_err() || !header.starts_with(b"PK\x03\x04") {
            return Err("is not where the directory says".into());
        }
        let length = |at| u64::from(u16_at(&header, at).unwrap_or_default());
        let start = self.header_at.saturating_add(30 + length(26) + length(28));
        if start.checked_add(self.packed).is_none_or(|end| end > archive.size()) {
            return Err("ends behind the archive".into());
        }
        Ok(Window { of: archive, start, size: self.packed })
    }

    /// Its bytes where they lie, if they are not compressed.
    pub(super) fn stored<'a>(&self, archive: &'a dyn Bytes) -> Result<Option<Window<'a>>, String> {
        let window = self.window(archive)?;
        Ok((self.method == 0).then_some(window))
    }

    /// Its bytes, inflated, if there are no more than `limit`; that many are taken from `limit`.
    pub(super) fn inflate(&self, archive: &dyn Bytes, limit: &mut u64) -> Result<Inflated, String> {
        let window = self.window(archive)?;
        let packed = io::BufReader::with_capacity(16 << 10, Reader { of: &window, at: 0 });
        let reader: Box<dyn Read> = match self.method {
            0 => Box::new(packed),
            _ => Box::new(DeflateDecoder::new(packed)),
        };
        let mut counted = Counted { reader: reader.take(limit.saturating_add(1)), crc: Crc::new() };
        let broken = |error: io::Error| format!("cannot be inflated: {error}");
        // What the directory says about the size decides where it goes, not how much is taken.
        let mut bytes = Vec::new();
        (&mut counted).take(LARGEST_IN_MEMORY + 1).read_to_end(&mut bytes).map_err(broken)?;
        let inflated = if bytes.len() as u64 <= LARGEST_IN_MEMORY {
            Inflated::Memory(bytes)
        } else {
            let mut file = tempfile::tempfile().map_err(broken)?;
            io::copy(&mut bytes.as_slice(), &mut file).map_err(broken)?;
            drop(bytes);
            io::copy(&mut counted, &mut file).map_err(broken)?;
            let size = file.seek(SeekFrom::End(0)).map_err(broken)?;
            Inflated::Spooled { file, size }
        };
        if inflated.size() > *limit {
            *limit = 0;
            return Err("inflates to more than is read".into());
        }
        *limit -= inflated.size();
        if counted.crc.sum() != self.crc {
            return Err("is damaged: its checksum does not match".into());
        }
        Ok(inflated)
    }
}

/// Reads bytes from their start.
struct Reader<'a> {
    of: &'a dyn Bytes,
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.of.size().saturating_sub(self.at);
        let count = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let part = buffer.get_mut(..count).unwrap_or_default();
        self.of.read_at(self.at, part)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// Reads, and keeps the checksum of what was read.
struct Counted<R> {
    reader: R,
    crc: Crc,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.crc.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
