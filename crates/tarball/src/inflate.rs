//! Compressed streams: told by their first bytes, inflated within limits, read to their end.

use std::io::{self, Read};

use crate::{Limits, Problem};

mod gzip;
#[cfg(test)]
mod tests;
mod zstandard;

use gzip::Gzip;
use zstandard::Zstandard;

/// The content of `reader`, whatever it is compressed with. What a media type or a file name says
/// is not asked.
///
/// Errors of `reader` come out as they are; what is wrong with the stream itself comes out as an
/// `io::Error` that carries a [`Problem`] (`Problem::from` takes it out again).
/// At the end `reader` has been read to its own end, past whatever follows the stream.
pub fn decompress<R: Read>(reader: R, limits: &Limits) -> Result<Decompressed<R>, Problem> {
    let mut source = Source::new(reader);
    let method = match source.peek(10)? {
        [0x1f, 0x8b, 8, ..] => Method::Gzip(Box::default()),
        start if zstandard::starts(start) => Method::Zstandard(Zstandard::new()?),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => return Err(unsupported("xz")),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', b'&', b'S', b'Y', ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
            return Err(unsupported("bzip2"));
        }
        [0x04, 0x22, 0x4d, 0x18, ..] => return Err(unsupported("lz4")),
        [0x1f, 0x9d, ..] => return Err(unsupported("compress")),
        _ => Method::Plain,
    };
    Ok(Decompressed { source, method, limits: *limits, produced: 0 })
}

fn unsupported(name: &str) -> Problem {
    Problem::Corrupt(format!(
        "it is compressed with {name}, which is not supported (gzip, zstd and plain are)"
    ))
}

/// An inflated stream.
pub struct Decompressed<R> {
    source: Source<R>,
    method: Method,
    limits: Limits,
    produced: u64,
}

enum Method {
    Plain,
    Gzip(Box<Gzip>),
    Zstandard(Zstandard),
    /// The stream is over: what follows is read and forgotten.
    Over,
}

impl<R: Read> Decompressed<R> {
    /// Bytes that came out so far.
    pub fn produced(&self) -> u64 {
        self.produced
    }

    /// Bytes that went in so far.
    pub fn consumed(&self) -> u64 {
        self.source.consumed
    }

    fn check(&self, ratio: u64) -> Result<(), Problem> {
        if self.produced > self.limits.total {
            let total = self.limits.total;
            return Err(Problem::Limit(format!("it is larger than {total} bytes once inflated")));
        }
        let allowed = self.source.consumed.saturating_mul(ratio);
        if self.produced > self.limits.ratio_floor && self.produced > allowed {
            return Err(Problem::Limit(format!(
                "it inflates to more than {ratio} times its size, as bombs do"
            )));
        }
        Ok(())
    }
}

impl<R: Read> Read for Decompressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let (count, ratio) = match &mut self.method {
            Method::Plain => (self.source.read(buffer)?, 1),
            Method::Gzip(gzip) => (gzip.read(&mut self.source, buffer)?, self.limits.ratio),
            // A block of one repeated byte is 4 bytes for 128 KiB: 32 times what deflate reaches.
            Method::Zstandard(zstandard) => {
                (zstandard.read(&mut self.source, buffer)?, self.limits.ratio.saturating_mul(32))
            }
            Method::Over => return Ok(0),
        };
        self.produced += count as u64;
        self.check(ratio)?;
        if count == 0 {
            self.source.drain(self.limits.total)?;
            self.method = Method::Over;
        }
        Ok(count)
    }
}

/// The compressed bytes, some at hand.
struct Source<R> {
    reader: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes had from the reader.
    consumed: u64,
}

impl<R: Read> Source<R> {
    fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; 64 << 10].into_boxed_slice(), start: 0, end: 0, consumed: 0 }
    }

    /// The bytes at hand, more of them if there were none. Empty at the end.
    fn at_hand(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.more()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn take(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// Reads behind what is at hand; false at the end.
    fn more(&mut self) -> io::Result<bool> {
        let count = retry(|| self.reader.read(&mut self.buffer[self.end..]))?;
        self.end += count;
        self.consumed += count as u64;
        Ok(count > 0)
    }

    /// The next bytes, without taking them; fewer than `count` at the end.
    fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.start < count {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            while self.end < count && self.more()? {}
        }
        Ok(&self.buffer[self.start..self.end.min(self.start + count)])
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.at_hand()?.first().copied();
        self.take(1);
        Ok(byte)
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end {
            let count = retry(|| self.reader.read(buffer))?;
            self.consumed += count as u64;
            return Ok(count);
        }
        let count = buffer.len().min(self.end - self.start);
        buffer[..count].copy_from_slice(&self.buffer[self.start..self.start + count]);
        self.start += count;
        Ok(count)
    }

    fn drain(&mut self, limit: u64) -> io::Result<()> {
        let mut drained = 0;
        loop {
            self.start = 0;
            self.end = 0;
            if !self.more()? {
                return Ok(());
            }
            drained += self.end as u64;
            if drained > limit {
                return Err(Problem::Limit(format!("more than {limit} bytes follow it")).into());
            }
        }
    }
}

fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
