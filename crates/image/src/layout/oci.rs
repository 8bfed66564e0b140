//! The OCI side of a layout: from `index.json` to one image.

use std::collections::BTreeMap;

use model::{Attestation, Digest, Gap, ImageDescription, LayerDescription};

use super::choice::{self, Candidate};
use super::{Choice, Parts, blob, missing};
use crate::contract::{Attached, Error, Place, Stated, Wanted};
use crate::manifest::{self, Descriptor, Document, Index, Stating};

/// Manifests of attestations that are looked into at most.
const ATTESTATIONS: usize = 64;
/// Images in one layout whose manifests are read to know them by their configuration.
const CONFIGS: usize = 64;

/// The image that `choice` means among those in the index of the layout.
pub(super) fn describe(
    what: &str,
    parts: &dyn Parts,
    index: &[u8],
    choice: &Choice,
) -> Result<ImageDescription, Error> {
    let mut index = match manifest::read(what, index)? {
        Document::Index(index) => index,
        Document::Manifest(_) => {
            return Err(Error::corrupt(what, "its index.json is not an index"));
        }
    };
    let wanted = choice.reference.as_deref();
    let top = top_level(what, parts, &index, wanted.is_some())?;
    let mut parents = BTreeMap::new();
    let tags = match choose(what, &top, wanted) {
        Ok(chosen) => {
            let digests: Vec<&Digest> = chosen.iter().map(|&at| &top[at].0).collect();
            index.retain(|it| {
                it.is_beside() || it.digest(what).is_ok_and(|it| digests.contains(&&it))
            });
            flatten(what, parts, &mut index, &mut parents)?;
            chosen.first().map(|&at| top[at].1.names.iter().cloned().collect()).unwrap_or_default()
        }
        // A digest may also be that of one platform's image, inside an index.
        Err(error @ Error::NotFound { .. }) => {
            let Some(digest) = wanted.and_then(|it| it.parse::<Digest>().ok()) else {
                return Err(error);
            };
            flatten(what, parts, &mut index, &mut parents)?;
            let mut found = false;
            index.retain(|it| {
                let is_it = it.digest(what).is_ok_and(|it| it == digest);
                found |= is_it;
                is_it || it.is_beside()
            });
            if !found {
                return Err(error);
            }
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let digest = index.choose(what, choice.platform.as_ref())?.digest(what)?;
    let bytes = needed(what, parts, &digest, "manifest")?;
    let Document::Manifest(manifest) = manifest::read(what, &bytes)? else {
        return Err(Error::corrupt(what, "an index in it says that it is a manifest"));
    };
    // A layout of something else holds no configuration that could be read; it says so itself.
    let config = match manifest.config.digest(what) {
        Ok(config) => needed(what, parts, &config, "configuration")?,
        Err(error) => return Err(error),
    };
    let mut image = manifest.describe(what, &bytes, &config)?;
    manifest::fits(what, choice.platform.as_ref(), &image.platform)?;
    image.attestations = attestations(what, parts, &index, &digest);
    image.index = parents.remove(&digest);
    image.digest = Some(digest);
    image.tags = tags;
    for layer in &mut image.layers {
        add_size(parts, layer);
    }
    Ok(image)
}

fn add_size(parts: &dyn Parts, layer: &mut LayerDescription) {
    if layer.size.is_none() {
        layer.size = parts.size(&super::path_of(layer));
    }
}

fn choose(
    what: &str,
    top: &[(Digest, Candidate)],
    wanted: Option<&str>,
) -> Result<Vec<usize>, Error> {
    // The candidates are borrowed apart from their digests, which the index is searched by.
    let candidates: Vec<&Candidate> = top.iter().map(|(_, candidate)| candidate).collect();
    choice::choose(what, &candidates, wanted)
}

/// What stands in `index.json` itself: each image once, with all its names.
fn top_level(
    what: &str,
    parts: &dyn Parts,
    index: &Index,
    with_configs: bool,
) -> Result<Vec<(Digest, Candidate)>, Error> {
    let mut top: Vec<(Digest, Candidate)> = Vec::new();
    let mut positions: BTreeMap<Digest, usize> = BTreeMap::new();
    for descriptor in index.descriptors().filter(|it| !it.is_beside()) {
        let digest = descriptor.digest(what)?;
        let at = *positions.entry(digest.clone()).or_insert_with(|| {
            let candidate = Candidate {
                digests: vec![digest.clone()],
                platform: descriptor.platform().map_or(String::new(), |it| it.to_string()),
                several: descriptor.is_index(),
                ..Candidate::default()
            };
            top.push((digest.clone(), candidate));
            top.len() - 1
        });
        top[at].1.names.extend(name_of(descriptor));
    }
    if with_configs {
        for (digest, candidate) in top.iter_mut().filter(|(_, it)| !it.several).take(CONFIGS) {
            if let Some(bytes) = blob(what, parts, digest)?
                && let Ok(Document::Manifest(manifest)) = manifest::read(what, &bytes)
            {
                candidate.digests.extend(manifest.config.digest(what));
            }
        }
    }
    Ok(top)
}

/// containerd writes the whole name beside the tag that the specification asks for.
fn name_of(descriptor: &Descriptor) -> Option<String> {
    ["io.containerd.image.name", "org.opencontainers.image.ref.name"]
        .iter()
        .find_map(|key| descriptor.annotations.get(*key))
        .filter(|it| !it.is_empty())
        .cloned()
}

/// Puts what the indexes inside hold in their place; `parents` tells where each image was.
fn flatten(
    what: &str,
    parts: &dyn Parts,
    index: &mut Index,
    parents: &mut BTreeMap<Digest, Digest>,
) -> Result<(), Error> {
    while let Some(taken) = index.take_nested(what)? {
        let digest = taken.descriptor.digest(what)?;
        let bytes = needed(what, parts, &digest, "index")?;
        let Document::Index(inner) = manifest::read(what, &bytes)? else {
            return Err(Error::corrupt(what, "a manifest in it says that it is an index"));
        };
        for descriptor in inner.descriptors() {
            if let Ok(inside) = descriptor.digest(what) {
                parents.entry(inside).or_insert_with(|| digest.clone());
            }
        }
        index.graft(&taken, inner);
    }
    Ok(())
}

/// The attestations about an image, with their types where their manifests are here too.
fn attestations(what: &str, parts: &dyn Parts, index: &Index, image: &Digest) -> Vec<Attestation> {
    let look = |digest: &Digest| {
        let bytes = blob(what, parts, digest).ok()??;
        match manifest::read(what, &bytes).ok()? {
            Document::Manifest(manifest) => manifest.attests(),
            Document::Index(_) => None,
        }
    };
    let (mut about, unknown) = index.attestations_of(image);
    for attestation in about.iter_mut().take(ATTESTATIONS) {
        if let Some((_, types)) = look(&attestation.manifest) {
            attestation.predicate_types = types;
        }
    }
    // Referrers stand beside the image as well, where somebody copied them along.
    let others = index.descriptors().filter(|it| it.is_beside() && it.may_attest());
    let others = others.filter_map(|it| it.digest(what).ok());
    let known =
        |it: &Digest| about.iter().any(|known| known.manifest == *it) || unknown.contains(it);
    let others: Vec<Digest> = others.filter(|it| !known(it)).collect();
    for manifest in unknown.into_iter().chain(others).take(ATTESTATIONS) {
        if let Some((Some(subject), predicate_types)) = look(&manifest)
            && subject == *image
        {
            about.push(Attestation { manifest, predicate_types });
        }
    }
    about
}

/// The statements beside an image whose predicate types are `wanted`.
pub(crate) fn attached(parts: &dyn Parts, image: &ImageDescription, wanted: Wanted) -> Attached {
    let mut attached = Attached::default();
    let Some(beside) = &image.digest else { return attached };
    for attestation in &image.attestations {
        let types = &attestation.predicate_types;
        if !types.is_empty() && !types.iter().any(|it| wanted(it)) {
            continue;
        }
        let name = format!("attestation {}", attestation.manifest.short());
        match read(&image.name, parts, &attestation.manifest, wanted) {
            Ok(all) => {
                for (stating, bytes) in all {
                    let place = (&attestation.manifest, beside, Place::Index);
                    attached.add(Stated::open(&stating, bytes, place), &name, wanted);
                }
            }
            Err(error) => attached.gaps.push(Gap::new(name, error.why())),
        }
    }
    attached
}

/// What the layers of an attestation's manifest hold.
fn read(
    what: &str,
    parts: &dyn Parts,
    manifest: &Digest,
    wanted: Wanted,
) -> Result<Vec<(Stating, Vec<u8>)>, Error> {
    let gone = || missing(what, "a statement");
    let bytes = blob(what, parts, manifest)?.ok_or_else(gone)?;
    let Document::Manifest(manifest) = manifest::read(what, &bytes)? else {
        return Err(Error::corrupt(what, "it is an index"));
    };
    let stating = manifest.stating(what, wanted)?.into_iter();
    stating
        .map(|it| {
            let bytes = blob(what, parts, &it.digest)?.ok_or_else(gone)?;
            Ok((it, bytes))
        })
        .collect()
}

fn needed(what: &str, parts: &dyn Parts, digest: &Digest, part: &str) -> Result<Vec<u8>, Error> {
    blob(what, parts, digest)?
        .ok_or_else(|| missing(what, &format!("the {part} {}", digest.short())))
}
