//! A layout that goes by as a stream: layers are read as they come, what describes them is kept,
//! and at the end it is told which of them made the image.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};

use model::{Digest, ImageDescription, LayerDescription, LayerKey};
use tarball::{Entries as _, Entry, EntryKind, Limits, TarReader};

use super::{DOCUMENT_LIMIT, Links, Parts, digest_at, missing};
use crate::blob;
use crate::contract::{Error, LayerReader};
use crate::verify::{Hashing, Verified};

/// Bytes of all documents that are kept.
const DOCUMENTS: u64 = 64 << 20;
/// Files that are remembered. Images have some hundreds.
const FILES: usize = 50_000;

/// What is left of a layout that went by.
pub(crate) struct Streamed {
    what: String,
    documents: HashMap<String, Vec<u8>>,
    kept: u64,
    /// There were more documents than are kept.
    dropped: bool,
    sizes: HashMap<String, u64>,
    links: Links,
    layers: HashMap<LayerKey, Result<Went, Error>>,
}

/// A layer that was read.
enum Went {
    /// Its blob's digest held, or it was known before.
    Checked,
    /// It was nobody's blob: this is the digest of its content.
    Content(Digest),
}

/// Reads a layout from `archive`, which may be compressed, and hands whatever may be a layer to
/// `reader`. `expected` are diff ids that are known beforehand.
pub(crate) fn stream(
    what: &str,
    archive: impl Read,
    limits: &Limits,
    expected: &[Digest],
    reader: &dyn LayerReader,
) -> Result<Streamed, Error> {
    let wrong = |problem| blob::from_problem(what, problem);
    let archive = tarball::decompress(archive, limits).map_err(wrong)?;
    // Inflating the archive and reading its layers are two threads' work.
    tarball::pipelined(archive, |pipe| {
        let mut pass = Pass { streamed: Streamed::new(what), limits, expected, reader };
        let mut entries = TarReader::buffered(pipe, limits);
        while let Some(entry) = entries.next().map_err(wrong)? {
            if let Err(error) = pass.entry(entry, entries.body()) {
                // When a body could not be read, the archive itself knows best why.
                return Err(entries.next().err().map_or(error, wrong));
            }
        }
        Ok(pass.streamed)
    })
}

/// The one pass over an archive.
struct Pass<'a> {
    streamed: Streamed,
    limits: &'a Limits,
    expected: &'a [Digest],
    reader: &'a dyn LayerReader,
}

impl Pass<'_> {
    fn entry(&mut self, entry: Entry, body: &mut dyn Read) -> Result<(), Error> {
        let Entry { path, kind, size, .. } = entry;
        let streamed = &mut self.streamed;
        match kind {
            EntryKind::File => {}
            EntryKind::Symlink(target) => {
                streamed.links.symlink(path, &target);
                return streamed.bounded();
            }
            EntryKind::Hardlink(target) => {
                streamed.links.hardlink(path, target);
                return streamed.bounded();
            }
            EntryKind::Directory | EntryKind::Other => return Ok(()),
        }
        streamed.links.remove(&path);
        streamed.sizes.insert(path.clone(), size);
        streamed.bounded()?;
        let blob = digest_at(&path);
        let is_document = is_description(&path);
        if !is_document && blob.is_none() && !may_be_layer(&path) {
            return Ok(());
        }
        // What is JSON by its first bytes is kept instead: it describes, or is an attestation.
        let mut start = Vec::new();
        body.take(64).read_to_end(&mut start).map_err(|it| blob::from_io(&streamed.what, it))?;
        let json = matches!(start.trim_ascii_start().first(), Some(b'{' | b'['));
        let mut whole = io::Cursor::new(start).chain(body);
        if size <= DOCUMENT_LIMIT && (json || is_document) {
            if streamed.kept.saturating_add(size) <= DOCUMENTS {
                return streamed.keep(path, whole);
            }
            streamed.dropped = true;
        }
        self.layer(path, blob, size, &mut whole);
        Ok(())
    }

    /// A layer that cannot be read matters only if the image proves to hold it.
    fn layer(&mut self, path: String, blob: Option<Digest>, size: u64, bytes: &mut dyn Read) {
        let diff_id = named_content(&path, blob.as_ref())
            .and_then(|named| self.expected.iter().find(|it| it.hex() == named))
            .cloned();
        let layer = LayerDescription {
            key: LayerKey(blob.as_ref().map_or(path, ToString::to_string)),
            digest: blob,
            diff_id,
            size: Some(size),
            ..LayerDescription::default()
        };
        let what = format!("layer {} of {}", layer.key, self.streamed.what);
        let outcome = match self.streamed.layers.remove(&layer.key) {
            None => self.read(&what, &layer, bytes, self.reader),
            // A second part of the same name hides the first, and must not differ from it.
            Some(former) => former.and_then(|former| {
                match (&former, self.read(&what, &layer, bytes, &Nobody)?) {
                    (Went::Content(left), Went::Content(right)) if *left != right => {
                        Err(Error::corrupt(&what, "there are two of that name, which differ"))
                    }
                    _ => Ok(former),
                }
            }),
        };
        self.streamed.layers.insert(layer.key, outcome);
    }

    fn read(
        &self,
        what: &str,
        layer: &LayerDescription,
        bytes: &mut dyn Read,
        reader: &dyn LayerReader,
    ) -> Result<Went, Error> {
        let rest = |bytes: &mut dyn Read| {
            io::copy(bytes, &mut io::sink()).map_err(|it| blob::from_io(what, it))
        };
        if reader.knows(layer) {
            rest(bytes)?;
            return Ok(match &layer.diff_id {
                Some(diff_id) if layer.digest.is_none() => Went::Content(diff_id.clone()),
                _ => Went::Checked,
            });
        }
        if let Some(digest) = &layer.digest {
            let mut bytes = Verified::new(bytes, what.to_owned(), digest.clone(), None);
            reader.read(layer, &mut bytes)?;
            // The digest is judged at the very end, wherever the reader lost interest.
            rest(&mut bytes)?;
            return Ok(Went::Checked);
        }
        if let Some(diff_id) = &layer.diff_id {
            // The reader holds the content against it.
            reader.read(layer, bytes)?;
            rest(bytes)?;
            return Ok(Went::Content(diff_id.clone()));
        }
        // Its digest is told only by the configuration, which may come later: the content's is
        // taken here, so that the two can be compared.
        let inflated =
            tarball::decompress(bytes, self.limits).map_err(|it| blob::from_problem(what, it))?;
        let mut hashing = Hashing::new(inflated);
        reader.read(layer, &mut hashing)?;
        rest(&mut hashing)?;
        Ok(Went::Content(hashing.finish()))
    }
}

impl Streamed {
    fn new(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            documents: HashMap::new(),
            kept: 0,
            dropped: false,
            sizes: HashMap::new(),
            links: Links::default(),
            layers: HashMap::new(),
        }
    }

    fn keep(&mut self, path: String, bytes: impl Read) -> Result<(), Error> {
        let bytes = blob::read_bounded(bytes, &self.what, DOCUMENT_LIMIT)?;
        self.kept += bytes.len() as u64;
        if let Some(former) = self.documents.insert(path, bytes) {
            self.kept -= former.len() as u64;
        }
        Ok(())
    }

    fn bounded(&self) -> Result<(), Error> {
        if self.sizes.len() + self.links.len() <= FILES {
            return Ok(());
        }
        let why = format!("it holds more than {FILES} files, as no image does");
        Err(Error::limit(&self.what, why)
            .with_hint("for a tree of files: unpack it, then fs://DIRECTORY"))
    }

    /// Fails unless each layer of `image` went by, and was what it should be.
    pub(crate) fn settle(
        mut self,
        image: &ImageDescription,
        reader: &dyn LayerReader,
    ) -> Result<(), Error> {
        let mut settled = HashSet::new();
        for layer in image.layers.iter().filter(|it| it.absent.is_none()) {
            if !settled.insert((&layer.key, &layer.diff_id)) {
                continue;
            }
            let what = format!("layer {} of {}", layer.key, self.what);
            // A layer that begins like JSON was taken for a document.
            let path = super::path_of(layer);
            if let Some(bytes) = self.documents.remove(&path) {
                let mut bytes: Box<dyn Read + '_> = match &layer.digest {
                    Some(digest) => {
                        Box::new(Verified::new(&bytes[..], what.clone(), digest.clone(), None))
                    }
                    None => Box::new(&bytes[..]),
                };
                reader.read(layer, &mut bytes)?;
                io::copy(&mut bytes, &mut io::sink()).map_err(|it| blob::from_io(&what, it))?;
                continue;
            }
            match (self.layers.get_mut(&layer.key), &layer.diff_id) {
                (None | Some(Err(_)), _) if reader.knows(layer) => {}
                (None, _) => return Err(missing(&self.what, &format!("the layer {}", layer.key))),
                (Some(Ok(Went::Content(content))), Some(diff_id)) if content != diff_id => {
                    let why = format!("its content is {content}, not {diff_id}");
                    return Err(Error::corrupt(what, why).with_hint("save the image again"));
                }
                (Some(Ok(_)), _) => {}
                (Some(outcome @ Err(_)), _) => {
                    std::mem::replace(outcome, Ok(Went::Checked))?;
                }
            }
        }
        Ok(())
    }
}

impl Parts for Streamed {
    fn document(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.links.resolve(path);
        match self.documents.get(&path) {
            Some(bytes) => Ok(Some(bytes.clone())),
            None if self.dropped && self.sizes.contains_key(&path) => {
                let why = format!("its documents are more than {DOCUMENTS} bytes in all");
                Err(Error::limit(&self.what, why).with_hint(
                    "decompress the archive first: then each is read when it is asked for",
                ))
            }
            None => Ok(None),
        }
    }

    fn size(&self, path: &str) -> Option<u64> {
        self.sizes.get(&self.links.resolve(path)).copied()
    }

    fn resolve(&self, path: &str) -> String {
        self.links.resolve(path)
    }
}

/// Documents whose names are laid down.
fn is_description(path: &str) -> bool {
    matches!(path, "index.json" | "manifest.json")
}

/// Savers call layers as they like, but lay them at the top or one directory below.
fn may_be_layer(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.matches('/').count() < 2
        && !matches!(name, "VERSION" | "json" | "repositories" | "oci-layout")
}

/// The digest in the name of a layer, which is that of its content in a saved image.
fn named_content<'a>(path: &'a str, blob: Option<&'a Digest>) -> Option<&'a str> {
    blob.map(Digest::hex).or_else(|| path.strip_suffix(".tar"))
}

/// A reader for bytes of which only the digest matters.
struct Nobody;

impl LayerReader for Nobody {
    fn knows(&self, _: &LayerDescription) -> bool {
        false
    }

    fn read(&self, _: &LayerDescription, _: &mut dyn Read) -> Result<(), Error> {
        Ok(())
    }
}
