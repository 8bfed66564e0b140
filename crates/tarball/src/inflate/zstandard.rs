//! Zstandard: frames one after the other, some of which are to be skipped.
//! <https://www.rfc-editor.org/rfc/rfc8878>

use std::io::{self, Read};

use zstd::stream::raw::{Decoder, Operation as _};

use super::Source;
use crate::Problem;

/// Where in the stream we stand.
pub(super) struct Zstandard {
    decoder: Decoder<'static>,
    between_frames: bool,
    over: bool,
}

/// Is this the start of a frame?
pub(super) fn starts(bytes: &[u8]) -> bool {
    matches!(bytes, [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

impl Zstandard {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { decoder: Decoder::new()?, between_frames: true, over: false })
    }

    /// Inflates into `buffer`; nothing at the end of the last frame.
    pub(super) fn read<R: Read>(
        &mut self,
        source: &mut Source<R>,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        loop {
            if self.over {
                return Ok(0);
            }
            if self.between_frames {
                if !starts(source.peek(4)?) {
                    self.over = true;
                    continue;
                }
                self.decoder.reinit()?;
                self.between_frames = false;
            }
            let input = source.at_hand()?;
            let ended = input.is_empty();
            let status = self.decoder.run_on_buffers(input, buffer).map_err(|error| {
                Problem::Corrupt(format!("a zstd stream cannot be read: {error}"))
            })?;
            source.take(status.bytes_read);
            self.between_frames = status.remaining == 0;
            if status.bytes_written > 0 {
                return Ok(status.bytes_written);
            }
            if ended && !self.between_frames {
                return Err(Problem::Truncated("a zstd stream".to_owned()).into());
            }
        }
    }
}
