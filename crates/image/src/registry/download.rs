//! A layer on its way: from the registry, through a channel, to whoever reads it.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use model::{Digest, LayerDescription};
use reqwest::header::CONTENT_RANGE;
use reqwest::{Response, StatusCode};
use tokio::sync::mpsc;

use super::answer::{html, is_html};
use super::attempts::{Attempts, Setback};
use super::client::{Call, Client, content_type};
use crate::verify::Verified;
use crate::{Error, LayerReader};

/// Chunks between the network and the reader.
const CHANNEL: usize = 8;
/// Fewer bytes than this in the time of a stall are a stall.
const FLOOR: usize = 1 << 10;
/// After so many bytes a broken download counts its attempts anew,
const PROGRESS: u64 = 64 << 10;
/// but not for ever.
const BREAKS_LIMIT: u32 = 1000;

type Part = Result<Bytes, Error>;

/// Hands the bytes of `layer` to `reader`, which has the last word on what comes of them.
pub(crate) async fn read_layer(
    client: &Client,
    layer: LayerDescription,
    digest: Digest,
    reader: Arc<dyn LayerReader>,
) -> Result<(), Error> {
    let what = format!("layer {} of {}", digest.short(), client.what);
    let limit = client.settings.limits.total;
    if layer.size.is_some_and(|it| it > limit) {
        return Err(Error::limit(what, format!("it is over {limit} bytes")));
    }
    let (sender, receiver) = mpsc::channel(CHANNEL);
    let size = layer.size;
    let incoming = Incoming { receiver, current: Bytes::new() };
    let verified = Verified::new(incoming, what, digest.clone(), size);
    let mut reading =
        tokio::task::spawn_blocking(move || read_to_end(&layer, verified, reader.as_ref()));
    let downloading = download(client, &digest, size, sender);
    let outcome = tokio::select! {
        // A reader that gave up need not wait for a network that stalls.
        outcome = &mut reading => outcome,
        () = downloading => reading.await,
    };
    match outcome {
        Ok(outcome) => outcome,
        Err(why) if why.is_panic() => std::panic::resume_unwind(why.into_panic()),
        Err(_) => Err(Error::unavailable(&client.what, "reading was cancelled")),
    }
}

fn read_to_end(
    layer: &LayerDescription,
    bytes: Verified<Incoming>,
    reader: &dyn LayerReader,
) -> Result<(), Error> {
    let mut bytes = Remembering { inner: bytes, failure: None };
    let outcome = reader.read(layer, &mut bytes);
    if outcome.is_ok() {
        // Only at the very end it is certain that the digest holds.
        let _ = io::copy(&mut bytes, &mut io::sink());
    }
    // Where the bytes themselves failed, whatever the reader made of that is second-hand.
    bytes.failure.map_or(outcome, Err)
}

/// Keeps the first failure, so that nothing is lost when a decoder words it anew.
struct Remembering<R> {
    inner: R,
    failure: Option<Error>,
}

impl<R: Read> Read for Remembering<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).inspect_err(|why| {
            let ours = why.get_ref().and_then(|it| it.downcast_ref::<Error>()).cloned();
            self.failure = self.failure.take().or(ours);
        })
    }
}

/// The reading end of the channel.
struct Incoming {
    receiver: mpsc::Receiver<Part>,
    current: Bytes,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                None => return Ok(0),
                Some(part) => self.current = part.map_err(io::Error::other)?,
            }
        }
        let count = buffer.len().min(self.current.len());
        let part = self.current.split_to(count);
        if let Some(room) = buffer.get_mut(..count) {
            room.copy_from_slice(&part);
        }
        Ok(count)
    }
}

async fn download(client: &Client, digest: &Digest, size: Option<u64>, sender: mpsc::Sender<Part>) {
    let mut download = Download {
        client,
        size,
        position: 0,
        sender: &sender,
        attempts: Attempts::new(&client.settings, &client.progress),
    };
    if let Err(error) = download.run(&format!("blobs/{digest}")).await {
        let _ = sender.send(Err(error)).await;
    }
}

struct Download<'a> {
    client: &'a Client,
    size: Option<u64>,
    /// Bytes handed on so far.
    position: u64,
    sender: &'a mpsc::Sender<Part>,
    attempts: Attempts,
}

/// How one answer ended.
enum End {
    /// Properly.
    Closed,
    /// In the middle, or so it seems.
    Broken(Error),
    /// Nobody wants the rest.
    Unwanted,
}

impl Download<'_> {
    async fn run(&mut self, path: &str) -> Result<(), Error> {
        let what = &self.client.what;
        let mut ranges = true;
        let mut mark = 0;
        for _ in 0..BREAKS_LIMIT {
            let from = if ranges { self.position } else { 0 };
            let call = Call { from, ..Call::default() };
            let response = self.client.open(path, &call, &mut self.attempts).await?;
            let setback = match start_of(&response, from) {
                None => {
                    ranges = false;
                    Error::unavailable(what, format!("{} resumes elsewhere", self.client.host))
                }
                Some(start) => match self.relay(response, start).await? {
                    End::Unwanted => return Ok(()),
                    End::Broken(error) => error,
                    End::Closed => match self.size.filter(|it| self.position < *it) {
                        None => return Ok(()),
                        Some(size) => {
                            let why =
                                format!("a layer ends after {} of {size} bytes", self.position);
                            Error::corrupt(what, why).with_hint("push it again")
                        }
                    },
                },
            };
            if self.position - mark >= PROGRESS {
                mark = self.position;
                self.attempts.reset();
            }
            self.attempts.after(Setback::from(setback)).await?;
        }
        Err(Error::unavailable(what, format!("{} breaks off all the time", self.client.host)))
    }

    /// Hands on what was not handed on yet of an answer that begins at `start`.
    async fn relay(&mut self, mut response: Response, start: u64) -> Result<End, Error> {
        let client = self.client;
        if self.position == 0 && is_html(content_type(response.headers()), b"") {
            return Err(html(&client.what, &client.host));
        }
        let mut skip = self.position.saturating_sub(start);
        let mut patience = client.settings.stall;
        let mut arrived = 0;
        loop {
            let asked = Instant::now();
            let mut chunk = match tokio::time::timeout(patience, response.chunk()).await {
                Err(_) => return Ok(End::Broken(client.stalled())),
                Ok(Err(why)) => return Ok(End::Broken(client.broken(&why))),
                Ok(Ok(None)) => return Ok(End::Closed),
                Ok(Ok(Some(chunk))) => chunk,
            };
            arrived += chunk.len();
            patience = if arrived >= FLOOR {
                arrived = 0;
                client.settings.stall
            } else {
                patience.saturating_sub(asked.elapsed()).max(Duration::from_millis(1))
            };
            let known = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
            let _ = chunk.split_to(known);
            skip -= known as u64;
            if chunk.is_empty() {
                continue;
            }
            let length = chunk.len() as u64;
            self.position = self.position.saturating_add(length);
            let limit = self.size.unwrap_or(client.settings.limits.total);
            if self.position > limit {
                let why = format!("a layer is longer than the {limit} bytes that it may have");
                return Err(Error::corrupt(&client.what, why));
            }
            client.progress.advance(length);
            if self.sender.send(Ok(chunk)).await.is_err() {
                return Ok(End::Unwanted);
            }
        }
    }
}

/// Where the body begins in the blob, if that is of use to somebody who asked for it `from` there.
fn start_of(response: &Response, from: u64) -> Option<u64> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        // Whoever does not know ranges begins at the beginning.
        return (response.status() != StatusCode::RANGE_NOT_SATISFIABLE).then_some(0);
    }
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let start = range.strip_prefix("bytes ")?.split('-').next()?.trim().parse::<u64>().ok()?;
    (start == from).then_some(start)
}
