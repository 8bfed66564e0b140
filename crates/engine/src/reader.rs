//! What becomes of a layer's bytes: inflate, walk, keep.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cache::{Cache, Shelf};
use catalog::ReadOptions;
use image::LayerReader;
use model::{Digest, Gap, LayerDescription, LayerInventory, LayerKey};
use sha2::{Digest as _, Sha256};
use tarball::{Limits, Problem, TarReader};

/// Paths of layers to read as if they were others: where it is, what it stands for.
pub(crate) type Detours = BTreeMap<LayerKey, Vec<(String, String)>>;

/// Bytes of memory that all layers of an image may take together; honest ones take a tenth.
const ROOM: u64 = 512 << 20;

/// Reads layers into inventories, and keeps them under the digest that was checked.
pub(crate) struct Reader {
    cache: Option<Arc<Cache>>,
    fingerprint: String,
    limits: Limits,
    /// Not empty: only these layers are read, and what is read is not kept.
    detours: Detours,
    layers: Mutex<BTreeMap<LayerKey, Layer>>,
    /// Bytes of memory that layers may still take.
    room: AtomicU64,
    turns: Turns,
}

/// What was read under one key.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) inventory: Arc<LayerInventory>,
    content: Content,
    /// It was there already.
    pub(crate) kept: bool,
}

/// What is known of the inflated bytes.
#[derive(Clone)]
enum Content {
    /// Nothing need be: the blob's own digest holds.
    Vouched,
    /// Their digest.
    Is(Digest),
    /// They could not all be had, so nobody knows whether they are the right ones.
    CannotBeTold(String),
}

impl Reader {
    /// Reads every layer that is not kept yet.
    pub(crate) fn new(cache: Option<Arc<Cache>>, limits: Limits) -> Self {
        Self {
            cache,
            fingerprint: catalog::fingerprint(),
            limits,
            detours: Detours::new(),
            layers: Mutex::default(),
            room: AtomicU64::new(ROOM),
            turns: Turns::default(),
        }
    }

    /// Reads a few layers once more, with some paths more.
    pub(crate) fn detour(limits: Limits, detours: Detours) -> Self {
        Self { detours, ..Self::new(None, limits) }
    }

    /// The layer of that description, once its content is known to be the one described.
    pub(crate) fn take(&self, layer: &LayerDescription) -> Result<Option<Layer>, image::Error> {
        let Some(found) = self.lock().get(&layer.key).cloned() else { return Ok(None) };
        let why = match (&found.content, &layer.diff_id) {
            (Content::Is(content), Some(diff_id)) if content != diff_id => {
                format!("its content is {content}, the image says {diff_id}")
            }
            (Content::CannotBeTold(why), _) => why.clone(),
            _ => return Ok(Some(found)),
        };
        Err(image::Error::corrupt(format!("layer {}", layer.key), why)
            .with_hint("save or pull the image anew"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<LayerKey, Layer>> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The layer, if there is room for it beside the others; else a hole in its place.
    fn admit(&self, layer: &LayerDescription, inventory: LayerInventory) -> Arc<LayerInventory> {
        let weight = inventory.weight();
        let taken = self
            .room
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(weight));
        Arc::new(match taken {
            Ok(_) => inventory,
            Err(_) => hole(layer, "with the others it holds more than is told of an image"),
        })
    }

    /// One pass over the layer, which also hashes its content where nobody checks the blob's digest.
    fn walk(
        &self,
        layer: &LayerDescription,
        bytes: &mut dyn Read,
    ) -> Result<(LayerInventory, Content), Problem> {
        let extra = self.detours.get(&layer.key).cloned().unwrap_or_default();
        let options = ReadOptions { extra, ..ReadOptions::default() };
        let content = tarball::decompress(bytes, &self.limits)?;
        let turn = self.turns.take();
        let read = |content: &mut dyn Read| {
            if turn.has_cores_to_spare() {
                catalog::read_tar(content, &self.limits, &options)
            } else {
                catalog::read_layer(&mut TarReader::new(content, &self.limits), &options)
            }
        };
        if layer.digest.is_some() {
            let mut content = content;
            return Ok((read(&mut content)?, Content::Vouched));
        }
        let mut content = Hashing { content, hash: Sha256::new() };
        let inventory = read(&mut content)?;
        let digest = Digest::from_sha256(&content.hash.finalize().into());
        Ok((inventory, Content::Is(digest)))
    }
}

impl LayerReader for Reader {
    fn knows(&self, layer: &LayerDescription) -> bool {
        if !self.detours.is_empty() {
            return !self.detours.contains_key(&layer.key);
        }
        if self.lock().contains_key(&layer.key) {
            return true;
        }
        let Some(digest) = layer.digest.as_ref().or(layer.diff_id.as_ref()) else { return false };
        let Some(cache) = &self.cache else { return false };
        let Some(inventory) = cache.get(Shelf::Layers, &self.fingerprint, digest) else {
            return false;
        };
        let inventory = self.admit(layer, inventory);
        self.lock()
            .insert(layer.key.clone(), Layer { inventory, content: Content::Vouched, kept: true });
        true
    }

    fn read(&self, layer: &LayerDescription, bytes: &mut dyn Read) -> Result<(), image::Error> {
        let (inventory, content) = match self.walk(layer, bytes) {
            Ok(read) => read,
            Err(Problem::Io(error)) => return Err(lost(layer, error)),
            // Where the bytes are what the image names, and make no archive, the layer is a hole.
            Err(problem) => {
                io::copy(bytes, &mut io::sink()).map_err(|error| lost(layer, error))?;
                let content = match &layer.digest {
                    Some(_) => Content::Vouched,
                    None => Content::CannotBeTold(problem.to_string()),
                };
                (hole(layer, problem.to_string()), content)
            }
        };
        let checked = match &content {
            Content::Vouched => layer.digest.as_ref(),
            Content::Is(digest) => Some(digest),
            Content::CannotBeTold(_) => None,
        };
        if let (Some(cache), Some(digest), true) = (&self.cache, checked, self.detours.is_empty()) {
            // What cannot be kept is read again next time; the cache says why, once.
            let _ = cache.put(Shelf::Layers, &self.fingerprint, digest, &inventory);
        }
        let inventory = self.admit(layer, inventory);
        self.lock().insert(layer.key.clone(), Layer { inventory, content, kept: false });
        Ok(())
    }
}

/// How many layers are being read at this moment.
#[derive(Default)]
struct Turns(AtomicUsize);

/// A layer being read, and how many others were when it began.
struct Turn<'a> {
    turns: &'a Turns,
    others: usize,
}

impl Turns {
    fn take(&self) -> Turn<'_> {
        Turn { turns: self, others: self.0.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Turn<'_> {
    /// Two threads for one layer are quicker where a core would be idle, and slower where none is.
    fn has_cores_to_spare(&self) -> bool {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        2 * self.others + 1 < cores
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes that are hashed as they are read.
struct Hashing<R> {
    content: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// A layer of which nothing is known but why.
fn hole(layer: &LayerDescription, why: impl Into<String>) -> LayerInventory {
    let gap = Gap::new(format!("layer {}", layer.key), why);
    LayerInventory { gaps: vec![gap], ..LayerInventory::default() }
}

/// The bytes could not be had: the source's own error if it sent one, else what the system says.
fn lost(layer: &LayerDescription, error: io::Error) -> image::Error {
    match error.downcast::<image::Error>() {
        Ok(error) => error,
        Err(error) => image::Error::corrupt(format!("layer {}", layer.key), error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use model::hash_path;

    use super::*;

    #[test]
    fn a_layer_for_which_there_is_no_room_is_a_hole() {
        let reader = Reader::new(None, Limits::default());
        reader.room.store(100, Ordering::Relaxed);
        let check = |paths: u64, expect: &str| {
            let layer = LayerDescription { key: LayerKey("l".to_owned()), ..Default::default() };
            let paths = (0..paths).map(|it| hash_path(&it.to_string())).collect();
            let read = reader.admit(&layer, LayerInventory { paths, ..Default::default() });
            let shown: Vec<String> = read.gaps.iter().map(ToString::to_string).collect();
            assert_eq!(shown.join(""), expect);
        };
        check(10, "");
        check(3, "layer l: with the others it holds more than is told of an image");
        check(2, "");
    }
}
