//! Lines of JSON in a zstd frame, written and read piece by piece, with a sum over all of them.

use std::io::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation as _, OutBuffer};
use zstd::stream::write::Encoder;

use crate::contract::Error;

const LEVEL: i32 = 3;
const PIECE: usize = 64 * 1024;
/// Bytes in the longest line that is read.
const LONGEST: usize = 256 << 20;
/// What a frame may make us remember while it is read, as a power of two.
const WINDOW: u32 = 24;

pub(super) struct Writer<W> {
    under: W,
    frame: Encoder<'static, Vec<u8>>,
    sum: Sha256,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub(super) fn new(writer: W) -> Result<Self, Error> {
        let frame = Encoder::new(Vec::new(), LEVEL).map_err(|it| failed(&it))?;
        Ok(Self { under: writer, frame, sum: Sha256::new() })
    }

    pub(super) async fn line(&mut self, it: &impl Serialize) -> Result<(), Error> {
        let mut line = serde_json::to_vec(it).map_err(|error| Error::Corrupt {
            what: "backup".to_owned(),
            why: error.to_string(),
        })?;
        line.push(b'\n');
        if line.len() > LONGEST {
            return Err(Error::Corrupt {
                what: "backup".to_owned(),
                why: format!("a row is longer than {LONGEST} bytes"),
            });
        }
        self.sum.update(&line);
        self.frame.write_all(&line).map_err(|it| failed(&it))?;
        if self.frame.get_ref().len() >= PIECE {
            let piece = std::mem::take(self.frame.get_mut());
            self.under.write_all(&piece).await.map_err(|it| failed(&it))?;
        }
        Ok(())
    }

    /// The sum of all lines so far.
    pub(super) fn sum(&self) -> String {
        shown(&self.sum)
    }

    pub(super) async fn finish(mut self) -> Result<(), Error> {
        let last = self.frame.finish().map_err(|it| failed(&it))?;
        self.under.write_all(&last).await.map_err(|it| failed(&it))?;
        self.under.flush().await.map_err(|it| failed(&it))
    }
}

pub(super) struct Reader<R> {
    under: R,
    decoder: Decoder<'static>,
    /// What was read and not inflated yet, from `taken` on.
    input: Vec<u8>,
    taken: usize,
    /// What was inflated and not told yet, from `told` on.
    output: Vec<u8>,
    told: usize,
    /// Is the frame over?
    whole: bool,
    sum: Sha256,
    /// The sum without the last line told.
    before: Sha256,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(reader: R) -> Result<Self, Error> {
        let mut decoder = Decoder::new().map_err(|it| failed(&it))?;
        decoder.set_parameter(DParameter::WindowLogMax(WINDOW)).map_err(|it| failed(&it))?;
        Ok(Self {
            under: reader,
            decoder,
            input: Vec::new(),
            taken: 0,
            output: Vec::new(),
            told: 0,
            whole: false,
            sum: Sha256::new(),
            before: Sha256::new(),
        })
    }

    /// The next line, without its end; none after the last.
    pub(super) async fn line(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut looked = self.told;
        loop {
            let rest = self.output.get(looked..).unwrap_or_default();
            if let Some(at) = rest.iter().position(|it| *it == b'\n') {
                let end = looked + at;
                let line = self.output.get(self.told..end).unwrap_or_default().to_vec();
                self.before = self.sum.clone();
                self.sum.update(&line);
                self.sum.update(b"\n");
                self.told = end + 1;
                return Ok(Some(line));
            }
            self.output.drain(..self.told);
            self.told = 0;
            looked = self.output.len();
            if looked > LONGEST {
                return Err(damaged("a line is too long"));
            }
            if !self.more().await? {
                return if self.output.is_empty() {
                    Ok(None)
                } else {
                    Err(damaged("it ends too early"))
                };
            }
        }
    }

    /// The sum of all lines before the last that was told.
    pub(super) fn sum(&self) -> String {
        shown(&self.before)
    }

    /// Inflates another piece; says no at the end.
    async fn more(&mut self) -> Result<bool, Error> {
        loop {
            if self.taken == self.input.len() {
                self.input.resize(PIECE, 0);
                self.taken = 0;
                let read = self.under.read(&mut self.input).await.map_err(|it| failed(&it))?;
                self.input.truncate(read);
            }
            let rest = self.input.get(self.taken..).unwrap_or_default();
            if self.whole {
                return if rest.is_empty() {
                    Ok(false)
                } else {
                    Err(damaged("it goes on behind its end"))
                };
            }
            // Even where nothing is left to read, something may be left to tell.
            let over = rest.is_empty();
            let mut piece = vec![0; PIECE];
            let mut output = OutBuffer::around(&mut piece[..]);
            let mut input = InBuffer::around(rest);
            let hint = self
                .decoder
                .run(&mut input, &mut output)
                .map_err(|error| damaged(&error.to_string()))?;
            self.taken += input.pos();
            self.output.extend_from_slice(output.as_slice());
            self.whole = hint == 0;
            if !output.as_slice().is_empty() {
                return Ok(true);
            }
            if over && !self.whole {
                return Err(damaged("it ends too early"));
            }
        }
    }
}

/// The backup is not what it should be; nothing of it was taken.
pub(super) fn damaged(why: &str) -> Error {
    Error::Corrupt { what: "backup".to_owned(), why: why.to_owned() }
}

fn failed(error: &std::io::Error) -> Error {
    Error::Unavailable { what: "backup".to_owned(), why: error.to_string() }
}

fn shown(sum: &Sha256) -> String {
    let sum: [u8; 32] = sum.clone().finalize().into();
    crate::hash_key(&sum)
}
