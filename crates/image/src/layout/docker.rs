//! The docker side of a layout: `manifest.json`, as `docker save` and `podman save` write it.

use std::collections::HashMap;

use model::{ImageDescription, LayerDescription, LayerKey, Platform};
use serde::Deserialize;

use super::choice::{self, Candidate};
use super::{Choice, Parts, digest_at, missing};
use crate::contract::Error;
use crate::manifest::{self, Config, LAYERS_LIMIT};
use crate::verify;

/// Images in one archive.
const IMAGES: usize = 10_000;

/// One image, as it is saved.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Saved {
    /// Path of the configuration.
    config: String,
    /// Null for an image without a name.
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    /// Paths of the layers, bottom first.
    #[serde(default)]
    layers: Option<Vec<String>>,
    /// Layers, by diff id, that are to be had elsewhere.
    #[serde(default)]
    layer_sources: Option<HashMap<String, serde_json::Value>>,
}

impl Saved {
    fn tags(&self) -> impl Iterator<Item = &String> {
        self.repo_tags.iter().flatten().filter(|it| !it.starts_with("<none>"))
    }
}

/// The images that `manifest.json` tells of; none when there is no such part.
pub(super) fn read(what: &str, parts: &dyn Parts) -> Result<Vec<Saved>, Error> {
    let Some(bytes) = parts.document("manifest.json")? else {
        return Ok(Vec::new());
    };
    let saved: Vec<Saved> = serde_json::from_slice(&bytes).map_err(|error| {
        Error::corrupt(what, format!("its manifest.json is odd: {error}"))
            .with_hint("`docker save` and OCI layouts are read; for others there is skopeo copy")
    })?;
    if saved.len() > IMAGES {
        return Err(Error::limit(what, format!("it holds more than {IMAGES} images")));
    }
    Ok(saved)
}

/// Tells an image from the OCI side the names it was saved by.
pub(super) fn add_tags(saved: &[Saved], image: &mut ImageDescription) {
    let ours = saved.iter().filter(|it| digest_at(&it.config) == image.config);
    let mut names: Vec<String> = ours.flat_map(Saved::tags).cloned().collect();
    // Docker writes the same names there as well, but only the tag if it is an old one.
    let known: Vec<String> =
        image.tags.drain(..).filter(|tag| !names.iter().any(|it| says(it, tag))).collect();
    names.extend(known);
    names.sort();
    names.dedup();
    image.tags = names;
}

/// True if `name` says what `other` does: the same name in full, or its tag.
fn says(name: &str, other: &str) -> bool {
    let full = |text: &str| text.parse::<model::Reference>().ok();
    match (full(name), full(other)) {
        (Some(left), Some(right)) if left == right => true,
        (Some(left), _) => left.tag.as_deref() == Some(other),
        _ => name == other,
    }
}

/// The image that `choice` means.
pub(super) fn describe(
    what: &str,
    parts: &dyn Parts,
    saved: &[Saved],
    choice: &Choice,
) -> Result<ImageDescription, Error> {
    let mut candidates = Vec::new();
    for it in saved {
        let config = config_of(what, parts, it);
        candidates.push(Candidate {
            names: it.tags().cloned().collect(),
            digests: config.iter().map(|(bytes, _)| verify::digest_of(bytes)).collect(),
            platform: config.map_or(String::new(), |(_, it)| it.platform().to_string()),
            several: false,
        });
    }
    let candidates: Vec<&Candidate> = candidates.iter().collect();
    let chosen = choice::choose(what, &candidates, choice.reference.as_deref())?;
    let asked = choice.platform.clone().unwrap_or_else(manifest::default_platform);
    let rank = |at: &&usize| {
        candidates[**at].platform.parse::<Platform>().ok().and_then(|it| it.rank_for(&asked))
    };
    let at = chosen
        .iter()
        .filter(|at| rank(at).is_some())
        .min_by_key(rank)
        .or(chosen.first())
        .ok_or_else(|| Error::invalid(what, "it holds no image"))?;
    let saved = &saved[*at];
    let (bytes, config) = config_of(what, parts, saved)?;
    manifest::fits(what, choice.platform.as_ref(), &config.platform())?;
    let mut image = ImageDescription {
        config: Some(verify::digest_of(&bytes)),
        tags: saved.tags().cloned().collect(),
        ..ImageDescription::default()
    };
    let paths = saved.layers.as_deref().unwrap_or_default();
    if paths.len() > LAYERS_LIMIT {
        let why = format!("it has {} layers, more than {LAYERS_LIMIT}", paths.len());
        return Err(Error::limit(what, why));
    }
    image.layers = paths.iter().map(|path| layer(parts, path)).collect();
    config.apply(&mut image);
    for (layer, path) in image.layers.iter_mut().zip(paths) {
        image.size = image.size.saturating_add(layer.size.unwrap_or(0));
        let elsewhere = |it: &model::Digest| {
            saved.layer_sources.as_ref().is_some_and(|sources| sources.contains_key(it.as_str()))
        };
        if layer.size.is_some() {
        } else if layer.diff_id.as_ref().is_some_and(elsewhere) {
            let why = "it is a foreign layer, which is not saved with its image";
            layer.absent = Some(why.to_owned());
            image.gaps.push(model::Gap::new(format!("layer {path}"), why));
        } else {
            return Err(missing(what, &format!("the layer {path}")));
        }
    }
    Ok(image)
}

fn layer(parts: &dyn Parts, path: &str) -> LayerDescription {
    let path = parts.resolve(path);
    let digest = digest_at(&path);
    LayerDescription {
        key: LayerKey(digest.as_ref().map_or_else(|| path.clone(), ToString::to_string)),
        digest,
        size: parts.size(&path),
        media_type: "application/vnd.docker.image.rootfs.diff.tar".to_owned(),
        ..LayerDescription::default()
    }
}

/// The configuration, which is called by its digest as a rule.
fn config_of(what: &str, parts: &dyn Parts, saved: &Saved) -> Result<(Vec<u8>, Config), Error> {
    let path = parts.resolve(&saved.config);
    let shown: String = path.chars().take(200).collect();
    let bytes = parts
        .document(&path)?
        .ok_or_else(|| missing(what, &format!("the configuration {shown}")))?;
    let name = path.rsplit('/').next().unwrap_or(&path).trim_end_matches(".json");
    let promised = digest_at(&path)
        .or_else(|| name.parse().ok())
        .or_else(|| format!("sha256:{name}").parse().ok());
    if let Some(digest) = promised {
        verify::verify(&format!("configuration {} of {what}", digest.short()), &bytes, &digest)?;
    }
    let config = Config::read(what, &bytes)?;
    Ok((bytes, config))
}
