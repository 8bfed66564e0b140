//! What the tests of several sources share: a reader of layers that keeps the promises of the
//! contract, and an image as a text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use model::{Digest, LayerDescription, LayerKey};
use tarball::{Entries as _, Limits, TarReader};

use crate::blob;
use crate::contract::{Ask, Error, ImageSource, LayerReader, Opened, Settings, Silent};
use crate::verify::Hashing;

/// Asks for `name`, on a machine where nothing is set and no engine runs.
pub(crate) fn ask(name: &str) -> Ask {
    let settings = Settings { docker_sockets: Vec::new(), workers: 2, ..Settings::default() };
    Ask {
        name: name.to_owned(),
        platform: None,
        reference: None,
        manifest: None,
        settings: Arc::new(settings),
        progress: Arc::new(Silent),
    }
}

/// Runs `future` to its end.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What `source` has for `ask`: the image and the files in its layers, as a text. What of it
/// differs from test to test (digests, paths) is left out or called by what it is.
pub(crate) fn told(source: &dyn ImageSource, ask: &Ask) -> String {
    told_knowing(source, ask, &[])
}

/// The same, when layers with that content were read before.
pub(crate) fn told_knowing(source: &dyn ImageSource, ask: &Ask, known: &[Digest]) -> String {
    wait(async {
        let image = match source.open(ask).await {
            Ok(Some(Opened::Image(image))) => image,
            Ok(Some(_)) => return "no image".to_owned(),
            Ok(None) => return "not here".to_owned(),
            Err(error) => return shown(&error),
        };
        let before = image.description().cloned();
        let lister = Arc::new(Lister { known: known.to_vec(), ..Lister::default() });
        let image = match image.read(lister.clone()).await {
            Ok(image) => image,
            Err(error) => return shown(&error),
        };
        if let Some(mut before) = before {
            // Only the names by which layers were read may become others.
            for (layer, after) in before.layers.iter_mut().zip(&image.layers) {
                layer.key = after.key.clone();
            }
            assert_eq!(before, image);
        }
        let read = lister.read.lock().unwrap();
        let mut text = image.platform.to_string();
        for (name, digest) in
            [("digest", &image.digest), ("index", &image.index), ("config", &image.config)]
        {
            text += if digest.is_some() { " " } else { " no-" };
            text += name;
        }
        if !image.tags.is_empty() {
            let _ = write!(text, " [{}]", image.tags.join(" "));
        }
        for attestation in &image.attestations {
            let _ = write!(text, " +{}", attestation.predicate_types.join("+"));
        }
        for layer in &image.layers {
            let files = match (&layer.absent, read.get(&layer.key)) {
                (Some(_), _) => "absent".to_owned(),
                (None, Some(files)) => files.join(" "),
                (None, None) if lister.knows(layer) => "known".to_owned(),
                (None, None) => "not read".to_owned(),
            };
            let digest = if layer.digest.is_some() { "" } else { " no-digest" };
            let diff_id = if layer.diff_id.is_some() { "" } else { " no-diff-id" };
            let made = layer.created_by.as_ref().map_or(String::new(), |it| format!(" <{it}>"));
            let _ = write!(text, "\n  {files}{digest}{diff_id}{made}");
        }
        for gap in &image.gaps {
            let _ = write!(text, "\n  gap: {gap}");
        }
        text
    })
}

/// An error with its kind and its hint.
pub(crate) fn shown(error: &Error) -> String {
    let kind = format!("{error:?}");
    let kind = kind.split([' ', '{']).next().unwrap_or_default();
    let hint = error.hint().map_or(String::new(), |it| format!("\n  hint: {it}"));
    format!("{kind}: {error}{hint}")
}

/// A reader that lists the files in layers.
#[derive(Default)]
pub(crate) struct Lister {
    known: Vec<Digest>,
    read: Mutex<BTreeMap<LayerKey, Vec<String>>>,
    begun: Mutex<BTreeSet<LayerKey>>,
}

impl LayerReader for Lister {
    fn knows(&self, layer: &LayerDescription) -> bool {
        [&layer.digest, &layer.diff_id].into_iter().flatten().any(|it| self.known.contains(it))
    }

    fn read(&self, layer: &LayerDescription, bytes: &mut dyn Read) -> Result<(), Error> {
        assert!(self.begun.lock().unwrap().insert(layer.key.clone()), "{} twice", layer.key);
        let what = format!("layer {}", layer.key);
        let limits = Limits::default();
        let inflated =
            tarball::decompress(bytes, &limits).map_err(|it| blob::from_problem(&what, it))?;
        let mut hashing = Hashing::new(inflated);
        let mut archive = TarReader::new(&mut hashing, &limits);
        let mut files = Vec::new();
        let mut is_archive = true;
        loop {
            match archive.next() {
                Ok(Some(entry)) => files.push(entry.path),
                Ok(None) => break,
                // No archive: what is left is read below, for its digest's sake.
                Err(tarball::Problem::Corrupt(_) | tarball::Problem::Truncated(_)) => {
                    is_archive = false;
                    break;
                }
                Err(problem) => return Err(blob::from_problem(&what, problem)),
            }
        }
        drop(archive);
        io::copy(&mut hashing, &mut io::sink()).map_err(|it| blob::from_io(&what, it))?;
        let content = hashing.finish();
        if let (None, Some(diff_id)) = (&layer.digest, &layer.diff_id)
            && *diff_id != content
        {
            return Err(Error::corrupt(what, "its content is another"));
        }
        if is_archive {
            self.read.lock().unwrap().insert(layer.key.clone(), files);
        }
        Ok(())
    }
}
