//! A layout whose parts can be read at any place: its layers are read several at a time.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use model::{ImageDescription, LayerDescription};

use super::{Choice, Parts, describe, missing, path_of};
use crate::blob::{self, Watched};
use crate::contract::{Ask, Attached, Error, Image, LayerReader, Opened, Progress, Wanted};
use crate::verify::Verified;

/// Parts that can be read at any time, by several threads at once.
pub(crate) trait Readable: Parts {
    /// The bytes of a part; `None` when there is none of that name.
    fn open(&self, path: &str) -> Result<Option<Box<dyn Read + Send + '_>>, Error>;
}

/// The image that is asked for among `parts`.
pub(crate) fn opened(parts: impl Readable + 'static, ask: &Ask) -> Result<Opened, Error> {
    let description = describe(&ask.name, &parts, &Choice::of(ask))?;
    Ok(Opened::Image(Box::new(LayoutImage {
        parts: Arc::new(parts),
        description: Arc::new(description),
        workers: ask.settings.workers.max(1),
        progress: ask.progress.clone(),
    })))
}

struct LayoutImage<P> {
    parts: Arc<P>,
    description: Arc<ImageDescription>,
    workers: usize,
    progress: Arc<dyn Progress>,
}

#[async_trait]
impl<P: Readable + 'static> Image for LayoutImage<P> {
    fn description(&self) -> Option<&ImageDescription> {
        Some(&self.description)
    }

    async fn read(&self, reader: Arc<dyn LayerReader>) -> Result<ImageDescription, Error> {
        let (parts, description) = (self.parts.clone(), self.description.clone());
        let (workers, progress) = (self.workers, self.progress.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let reading = Reading { parts: &*parts, description: &description, reader: &*reader };
            reading.run(workers, &*progress)
        });
        reading.await.expect("a layer's reader does not panic")?;
        Ok((*self.description).clone())
    }

    async fn attached(&self, wanted: Wanted) -> Attached {
        super::oci::attached(&*self.parts, &self.description, wanted)
    }
}

struct Reading<'a> {
    parts: &'a dyn Readable,
    description: &'a ImageDescription,
    reader: &'a dyn LayerReader,
}

impl Reading<'_> {
    fn run(&self, workers: usize, progress: &dyn Progress) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        let mut layers: Vec<&LayerDescription> = self
            .description
            .layers
            .iter()
            .filter(|it| it.absent.is_none() && seen.insert(&it.key) && !self.reader.knows(it))
            .collect();
        progress.expect(layers.iter().filter_map(|it| it.size).sum());
        // The largest first: then nobody waits for a large one that was begun last.
        layers.sort_by_key(|it| std::cmp::Reverse(it.size));
        let next = AtomicUsize::new(0);
        let failure = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..workers.min(layers.len()) {
                scope.spawn(|| {
                    while let Some(layer) = layers.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(error) = self.layer(layer, progress) {
                            // Nobody begins another one.
                            next.store(layers.len(), Ordering::Relaxed);
                            let mut failure = failure.lock().expect("nobody panics holding it");
                            failure.get_or_insert(error);
                        }
                    }
                });
            }
        });
        failure.into_inner().expect("nobody panics holding it").map_or(Ok(()), Err)
    }

    fn layer(&self, layer: &LayerDescription, progress: &dyn Progress) -> Result<(), Error> {
        let what = format!("layer {} of {}", layer.key, self.description.name);
        let path = path_of(layer);
        let bytes = self
            .parts
            .open(&path)?
            .ok_or_else(|| missing(&self.description.name, &format!("the layer {}", layer.key)))?;
        let mut bytes = Watched { inner: bytes, progress };
        match &layer.digest {
            Some(digest) => {
                let mut bytes = Verified::new(bytes, what.clone(), digest.clone(), layer.size);
                self.reader.read(layer, &mut bytes)?;
                // The digest is judged at the very end, wherever the reader lost interest.
                io::copy(&mut bytes, &mut io::sink()).map_err(|it| blob::from_io(&what, it))?;
                Ok(())
            }
            None => self.reader.read(layer, &mut bytes),
        }
    }
}
