//! archive: an image in a tar archive, as `docker save`, `podman save` and builders write it,
//! plain or compressed.

mod index;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use model::ImageDescription;

use crate::blob::{self, Watched};
use crate::contract::{Ask, Error, Image, ImageSource, LayerReader, Opened};
use crate::layout::{self, Choice};
use index::TarIndex;

pub(crate) struct Archive;

#[async_trait]
impl ImageSource for Archive {
    fn scheme(&self) -> &'static str {
        "archive"
    }

    fn takes(&self) -> &'static str {
        "a file that `docker save` wrote, or an OCI archive; standard input when `-`"
    }

    fn takes_reference(&self) -> bool {
        true
    }

    async fn open(&self, ask: &Ask) -> Result<Option<Opened>, Error> {
        let ask = ask.clone();
        tokio::task::spawn_blocking(move || open(&ask))
            .await
            .expect("reading an archive does not panic")
            .map(Some)
    }
}

fn open(ask: &Ask) -> Result<Opened, Error> {
    let path = ask.name.as_str();
    let hint = "give the path of a file that `docker save` wrote";
    if path.is_empty() {
        return Err(Error::invalid("archive://", "no path is given").with_hint(hint));
    }
    if path == "-" {
        return Ok(Opened::Image(Box::new(StreamedArchive::new(ask, "standard input", None))));
    }
    let metadata =
        fs_err::metadata(path).map_err(|error| blob::from_io(path, error).with_hint(hint))?;
    if metadata.is_dir() {
        return Err(Error::invalid(path, "it is a directory, not a file")
            .with_hint(format!("to read an OCI layout: oci-dir://{path}")));
    }
    if !metadata.is_file() {
        // A pipe: it goes by once.
        return Ok(Opened::Image(Box::new(StreamedArchive::new(ask, path, None))));
    }
    let file: File = fs_err::File::open(path).map_err(|error| blob::from_io(path, error))?.into();
    if is_plain(&file).map_err(|error| blob::from_io(path, error))? {
        let index = TarIndex::of(path, file, &ask.settings.limits)?;
        return layout::opened(index, ask);
    }
    let length = Some(metadata.len());
    Ok(Opened::Image(Box::new(StreamedArchive::new(ask, path, length))))
}

/// True for a tar archive that is not compressed, told by the mark in its first header.
/// Anything else goes by as a stream, where compression is told as for layers.
fn is_plain(file: &File) -> io::Result<bool> {
    let mut header = [0; 512];
    let mut filled = 0;
    while filled < header.len() {
        match file.read_at(&mut header[filled..], filled as u64)? {
            0 => return Ok(false),
            count => filled += count,
        }
    }
    // A compressed stream may be made to look like an archive as well, but not to engines.
    let compressed = header.starts_with(&[0x1f, 0x8b]) || header.starts_with(&[0x28, 0xb5]);
    let skippable = header[1..4] == [0x2a, 0x4d, 0x18];
    Ok(!compressed && !skippable && header[257..262] == *b"ustar")
}

/// An archive that is read from its start to its end, once for each reading.
struct StreamedArchive {
    ask: Ask,
    what: String,
    /// Where it can be read again: a regular file, of that length.
    length: Option<u64>,
    consumed: Arc<AtomicBool>,
}

impl StreamedArchive {
    fn new(ask: &Ask, what: &str, length: Option<u64>) -> Self {
        Self { ask: ask.clone(), what: what.to_owned(), length, consumed: Arc::default() }
    }
}

#[async_trait]
impl Image for StreamedArchive {
    fn description(&self) -> Option<&ImageDescription> {
        None
    }

    async fn read(&self, reader: Arc<dyn LayerReader>) -> Result<ImageDescription, Error> {
        if self.length.is_none() && self.consumed.swap(true, Ordering::Relaxed) {
            return Err(Error::unsupported(&self.what, "it has gone by and cannot be read again"));
        }
        let (ask, what, length) = (self.ask.clone(), self.what.clone(), self.length);
        tokio::task::spawn_blocking(move || {
            if let Some(length) = length {
                ask.progress.expect(length);
            }
            let bytes: Box<dyn Read> = if ask.name == "-" {
                Box::new(io::stdin().lock())
            } else {
                let file = fs_err::File::open(&ask.name);
                Box::new(file.map_err(|error| blob::from_io(&what, error))?)
            };
            let bytes = Watched { inner: bytes, progress: &*ask.progress };
            let streamed = layout::stream(&what, bytes, &ask.settings.limits, &[], &*reader)?;
            let image = layout::describe(&what, &streamed, &Choice::of(&ask))?;
            streamed.settle(&image, &*reader)?;
            Ok(image)
        })
        .await
        .expect("reading an archive does not panic")
    }
}

#[cfg(test)]
mod tests;
