//! An export: the engine's archive of an image, read while it is sent and never written down.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Arc;

use model::{Digest, ImageDescription, LayerKey};
use tokio::sync::mpsc;

use super::engine::Engine;
use crate::blob::Watched;
use crate::contract::{Ask, Error, LayerReader};
use crate::layout::{self, Choice};

/// Pieces that wait between the socket and the reader.
const WAITING: usize = 16;

/// Reads the export at `path`, whose image must be the one that was told of.
pub(super) async fn read(
    engine: &Engine,
    path: &str,
    told: &ImageDescription,
    ask: &Ask,
    reader: Arc<dyn LayerReader>,
) -> Result<ImageDescription, Error> {
    let gone = || Error::not_found(&told.name, "the engine has lost it in the meantime");
    let mut response = engine.stream(path).await?.ok_or_else(gone)?;
    ask.progress.expect(response.content_length().unwrap_or(told.size));
    let (sender, receiver) = mpsc::channel::<io::Result<Piece>>(WAITING);
    let reading = {
        let (ask, told) = (ask.clone(), told.clone());
        let pieces = Pieces { receiver, piece: Piece::default(), used: 0 };
        tokio::task::spawn_blocking(move || consume(pieces, &told, &ask, &*reader))
    };
    loop {
        let piece = match tokio::time::timeout(engine.stall(), response.chunk()).await {
            Ok(Ok(Some(piece))) => Ok(piece),
            Ok(Ok(None)) => break,
            Ok(Err(error)) => Err(io::Error::other(engine.broken(&error))),
            Err(_) => Err(io::Error::other(engine.silent(engine.stall()))),
        };
        let failed = piece.is_err();
        // Nobody listens any more when the reader has failed: it says why.
        if sender.send(piece.map(|it| it.to_vec())).await.is_err() || failed {
            break;
        }
    }
    drop(sender);
    reading.await.expect("reading an export does not panic")
}

fn consume(
    pieces: Pieces,
    told: &ImageDescription,
    ask: &Ask,
    reader: &dyn LayerReader,
) -> Result<ImageDescription, Error> {
    let what = &told.name;
    let expected: Vec<Digest> = told.layers.iter().filter_map(|it| it.diff_id.clone()).collect();
    let bytes = Watched { inner: pieces, progress: &*ask.progress };
    let streamed = layout::stream(what, bytes, &ask.settings.limits, &expected, reader)?;
    let platform = Some(told.platform.clone()).filter(|it| !it.os.is_empty());
    let exported = layout::describe(what, &streamed, &Choice { reference: None, platform })?;
    let differ = exported.layers.len() != told.layers.len()
        || exported.layers.iter().zip(&told.layers).any(|(it, told)| it.diff_id != told.diff_id);
    if differ {
        return Err(Error::unavailable(what, "the engine exports another image than it tells of")
            .with_hint("was it built or pulled anew just now? try again"));
    }
    streamed.settle(&exported, reader)?;
    // What was read is called by its names in the export.
    let keys: HashMap<LayerKey, LayerKey> = told
        .layers
        .iter()
        .zip(&exported.layers)
        .map(|(told, exported)| (told.key.clone(), exported.key.clone()))
        .collect();
    let mut image = told.clone();
    for layer in &mut image.layers {
        if let Some(key) = keys.get(&layer.key) {
            layer.key = key.clone();
        }
    }
    Ok(image)
}

type Piece = Vec<u8>;

/// The pieces of a body, read on a thread that may block.
struct Pieces {
    receiver: mpsc::Receiver<io::Result<Piece>>,
    piece: Piece,
    used: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.used == self.piece.len() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
            self.used = 0;
        }
        let count = buffer.len().min(self.piece.len() - self.used);
        buffer[..count].copy_from_slice(&self.piece[self.used..self.used + count]);
        self.used += count;
        Ok(count)
    }
}
