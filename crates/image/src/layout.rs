//! A layout: an image as a set of parts (an OCI layout, what `docker save` writes), wherever
//! these parts lie: in a directory, in a tar archive, in a stream that has gone by.
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>

mod choice;
mod docker;
mod links;
mod oci;
mod opened;
mod streamed;

use model::{Digest, ImageDescription, LayerDescription, Platform};

use crate::contract::{Ask, Error};
use crate::verify;

pub(crate) use links::Links;
pub(crate) use opened::{Readable, opened};
pub(crate) use streamed::stream;

/// Bytes of an index, a manifest or a configuration that are kept at most.
pub(crate) const DOCUMENT_LIMIT: u64 = 8 << 20;

/// The parts of a layout, by their paths in it.
pub(crate) trait Parts: Send + Sync {
    /// A small part, whole; `None` when there is none of that name.
    fn document(&self, path: &str) -> Result<Option<Vec<u8>>, Error>;
    /// How large a part is, if it is there.
    fn size(&self, path: &str) -> Option<u64>;
    /// The part that `path` stands for, when it is a link to another.
    fn resolve(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// Which image of a layout is meant.
#[derive(Clone, Default)]
pub(crate) struct Choice {
    /// By name, digest or position.
    pub(crate) reference: Option<String>,
    /// By platform.
    pub(crate) platform: Option<Platform>,
}

impl Choice {
    /// What was asked for.
    pub(crate) fn of(ask: &Ask) -> Self {
        Self { reference: ask.reference.clone(), platform: ask.platform.clone() }
    }
}

/// The image that is meant; `what` names the layout in errors.
pub(crate) fn describe(
    what: &str,
    parts: &dyn Parts,
    choice: &Choice,
) -> Result<ImageDescription, Error> {
    let saved = docker::read(what, parts);
    let mut image = if let Some(index) = parts.document("index.json")? {
        let mut image = oci::describe(what, parts, &index, choice)?;
        // Beside an index it is here for its names only.
        docker::add_tags(&saved.unwrap_or_default(), &mut image);
        image
    } else if let saved = saved?
        && !saved.is_empty()
    {
        docker::describe(what, parts, &saved, choice)?
    } else if parts.size("repositories").is_some() {
        return Err(Error::unsupported(what, "it was saved by a docker from before 2016")
            .with_hint("load it into a current docker and save it again"));
    } else {
        return Err(Error::invalid(
            what,
            "it is no image: it holds neither an index.json nor a manifest.json",
        )
        .with_hint("`docker save` and OCI layouts do; for a tree of files there is fs://"));
    };
    what.clone_into(&mut image.name);
    Ok(image)
}

/// Where a layer lies.
pub(crate) fn path_of(layer: &LayerDescription) -> String {
    layer.digest.as_ref().map_or_else(|| layer.key.0.clone(), blob_path)
}

/// Where a blob lies.
fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

/// The blob that lies there.
pub(crate) fn digest_at(path: &str) -> Option<Digest> {
    let (algorithm, hex) = path.strip_prefix("blobs/")?.split_once('/')?;
    format!("{algorithm}:{hex}").parse().ok()
}

/// A small blob, checked; `None` when it is not there.
fn blob(what: &str, parts: &dyn Parts, digest: &Digest) -> Result<Option<Vec<u8>>, Error> {
    let Some(bytes) = parts.document(&blob_path(digest))? else {
        return Ok(None);
    };
    verify::verify(&format!("blob {} of {what}", digest.short()), &bytes, digest)?;
    Ok(Some(bytes))
}

/// The error of a part that should be there.
pub(crate) fn missing(what: &str, part: &str) -> Error {
    Error::corrupt(what, format!("{part} is missing from it"))
        .with_hint("it was written in part, or for another platform: save it again")
}
