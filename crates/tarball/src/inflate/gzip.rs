//! gzip: members one after the other, each with its checksum. <https://www.rfc-editor.org/rfc/rfc1952>

use std::io::{self, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::Source;
use crate::Problem;

/// Where in the stream we stand.
pub(super) struct Gzip {
    inflate: Decompress,
    checksum: Crc,
    state: State,
}

enum State {
    Header,
    Body,
    Over,
}

impl Default for Gzip {
    fn default() -> Self {
        Self { inflate: Decompress::new(false), checksum: Crc::new(), state: State::Header }
    }
}

impl Gzip {
    /// Inflates into `buffer`; nothing at the end of the last member.
    pub(super) fn read<R: Read>(
        &mut self,
        source: &mut Source<R>,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        loop {
            match self.state {
                State::Header => {
                    header(source)?;
                    self.inflate.reset(false);
                    self.checksum.reset();
                    self.state = State::Body;
                }
                State::Body => {
                    let count = self.inflate(source, buffer)?;
                    if count > 0 {
                        return Ok(count);
                    }
                }
                State::Over => return Ok(0),
            }
        }
    }

    fn inflate<R: Read>(&mut self, source: &mut Source<R>, out: &mut [u8]) -> io::Result<usize> {
        let input = source.at_hand()?;
        let ended = input.is_empty();
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self
            .inflate
            .decompress(input, out, FlushDecompress::None)
            .map_err(|error| corrupt(&error.to_string()))?;
        let taken = (self.inflate.total_in() - before_in) as usize;
        let count = (self.inflate.total_out() - before_out) as usize;
        source.take(taken);
        self.checksum.update(out.get(..count).unwrap_or_default());
        match status {
            Status::StreamEnd => {
                self.trailer(source)?;
                // Zeros, or something else, may follow; only another member is ours.
                let more = matches!(source.peek(3)?, [0x1f, 0x8b, 8]);
                self.state = if more { State::Header } else { State::Over };
            }
            _ if ended && count == 0 => return Err(truncated()),
            Status::BufError if taken == 0 && count == 0 => {
                return Err(corrupt("it makes no progress"));
            }
            _ => {}
        }
        Ok(count)
    }

    fn trailer<R: Read>(&self, source: &mut Source<R>) -> io::Result<()> {
        let mut number = || Ok::<u32, io::Error>(u32::from_le_bytes(bytes(source)?));
        if number()? != self.checksum.sum() {
            return Err(corrupt("its checksum is wrong"));
        }
        if number()? != self.checksum.amount() {
            return Err(corrupt("its length is wrong"));
        }
        Ok(())
    }
}

fn header<R: Read>(source: &mut Source<R>) -> io::Result<()> {
    let [_, _, method, flags, ..] = bytes::<_, 10>(source)?;
    if method != 8 || flags & 0xe0 != 0 {
        return Err(corrupt("its header asks for what gzip does not have"));
    }
    if flags & 4 != 0 {
        for _ in 0..u16::from_le_bytes(bytes(source)?) {
            byte(source)?;
        }
    }
    // A name, then a comment, each up to a NUL.
    for flag in [8, 16] {
        while flags & flag != 0 && byte(source)? != 0 {}
    }
    if flags & 2 != 0 {
        bytes::<_, 2>(source)?;
    }
    Ok(())
}

fn bytes<R: Read, const N: usize>(source: &mut Source<R>) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    for byte in &mut bytes {
        *byte = self::byte(source)?;
    }
    Ok(bytes)
}

fn byte<R: Read>(source: &mut Source<R>) -> io::Result<u8> {
    source.byte()?.ok_or_else(truncated)
}

fn truncated() -> io::Error {
    Problem::Truncated("a gzip stream".to_owned()).into()
}

fn corrupt(why: &str) -> io::Error {
    Problem::Corrupt(format!("a gzip stream cannot be read: {why}")).into()
}
