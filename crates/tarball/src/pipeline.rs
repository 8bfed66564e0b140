//! Two threads for one stream: one inflates, the other looks at what comes out.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// Large enough that handing over costs nothing, a multiple of the blocks of tar.
const CHUNK: usize = 256 << 10;
/// Chunks that may wait.
const WAITING: usize = 4;

/// Runs `consume` on a thread of its own, over what this thread reads from `reader`.
///
/// The reader stays on this thread, so it need not be `Send`. A stream that fits one chunk is
/// consumed here. Errors of the reader come out of the [`Pipe`] as they are.
pub fn pipelined<R: Read, T: Send>(
    mut reader: R,
    consume: impl FnOnce(&mut Pipe) -> T + Send,
) -> T {
    let first = Chunk::read(&mut reader, Vec::new());
    if first.last {
        return consume(&mut Pipe { chunk: first, at: 0, rest: None });
    }
    thread::scope(|scope| {
        let (full, chunks) = sync_channel(WAITING);
        let (recycle, empty) = channel();
        let mut pipe = Pipe { chunk: first, at: 0, rest: Some((chunks, recycle)) };
        let consumer = scope.spawn(move || consume(&mut pipe));
        produce(&mut reader, &full, &empty);
        drop(full);
        consumer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Reads chunk after chunk, until the end or until nobody listens.
fn produce(reader: &mut impl Read, full: &SyncSender<Chunk>, empty: &Receiver<Vec<u8>>) {
    loop {
        let chunk = Chunk::read(reader, empty.try_recv().unwrap_or_default());
        let last = chunk.last;
        if full.send(chunk).is_err() || last {
            return;
        }
    }
}

struct Chunk {
    bytes: Vec<u8>,
    /// No other follows: the stream is at its end, or broken.
    last: bool,
    failure: Option<io::Error>,
}

impl Chunk {
    /// Reads a full chunk, or what there is, into `bytes`.
    fn read(reader: &mut impl Read, mut bytes: Vec<u8>) -> Self {
        bytes.resize(CHUNK, 0);
        let mut filled = 0;
        let mut failure = None;
        while filled < bytes.len() && failure.is_none() {
            match reader.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => failure = Some(error),
            }
        }
        bytes.truncate(filled);
        Self { last: filled < CHUNK, bytes, failure }
    }
}

/// The consumer's end: a reader whose bytes are at hand.
pub struct Pipe {
    chunk: Chunk,
    at: usize,
    rest: Option<(Receiver<Chunk>, Sender<Vec<u8>>)>,
}

impl BufRead for Pipe {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.chunk.bytes.len() {
            if let Some(error) = self.chunk.failure.take() {
                return Err(error);
            }
            if let Some((chunks, recycle)) = self.rest.as_ref().filter(|_| !self.chunk.last) {
                let next = chunks.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
                let used = std::mem::replace(&mut self.chunk, next);
                self.at = 0;
                // When the producer has ended, nobody wants it.
                let _ = recycle.send(used.bytes);
                return self.fill_buf();
            }
        }
        Ok(&self.chunk.bytes[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at = self.chunk.bytes.len().min(self.at + count);
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 9 * CHUNK + 5] {
            let bytes: Vec<u8> = (0..length).map(|it| (it % 251) as u8).collect();
            let seen = pipelined(&bytes[..], |pipe| {
                let mut seen = Vec::new();
                pipe.read_to_end(&mut seen).map(|_| seen)
            });
            assert!(seen.unwrap() == bytes, "{length}");
        }
    }

    #[test]
    fn a_consumer_may_leave_early() {
        let seen = pipelined(io::repeat(7), |pipe| {
            let mut seen = [0; 3];
            pipe.read_exact(&mut seen).map(|()| seen)
        });
        assert_eq!(seen.unwrap(), [7; 3]);
    }

    #[test]
    fn errors_come_out_as_they_are() {
        struct Fails(usize);
        impl Read for Fails {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = buffer.len().min(self.0);
                self.0 -= count;
                if count == 0 { Err(io::Error::other("the digest is wrong")) } else { Ok(count) }
            }
        }
        for length in [0, 10, CHUNK, 3 * CHUNK + 7] {
            let (count, error) = pipelined(Fails(length), |pipe| {
                let mut seen = Vec::new();
                let error = pipe.read_to_end(&mut seen).map_err(|error| error.to_string());
                (seen.len(), error)
            });
            assert_eq!((count, error), (length, Err("the digest is wrong".to_owned())));
        }
    }
}
