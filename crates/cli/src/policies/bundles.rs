//! Bundles of policies, in registries: pulled once for each digest, and pushed.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use image::artifact::{self, Artifact, Found, Piece};
use image::{Progress, Settings};
use model::{Digest, Reference};
use policy::bundle::{self, Layer, Packing};
use policy::{Module, Policy, Set};
use tarball::{Entries as _, EntryKind};

use super::kept::{Kept, Led};
use crate::Context;
use crate::docker;
use crate::failure::Failure;
use crate::subject::Watcher;

/// The modules of a bundle. Files that were pulled before are not pulled again. What is named by its digest,
/// and all here, is asked of nobody; while no registry is asked, a name leads to where it led when it was
/// pulled last, which is said.
pub(super) fn pulled(context: &Context, reference: &str) -> anyhow::Result<Vec<Module>> {
    let asked: Reference = reference.parse().map_err(|why: model::BadReference| {
        let hint = "name it like this: registry.example/team/policies:v1";
        Failure::error(why.to_string(), hint)
    })?;
    let kept = Kept::of(context)?;
    let is_offline = context.environment.offline()?;
    let led = kept.led(&asked).filter(|_| asked.digest.is_none());
    let known = asked.digest.as_ref().or(led.as_ref().filter(|_| is_offline).map(|it| &it.digest));
    if let Some(digest) = known
        && let Some(layers) = whole(&kept, reference, digest)
    {
        if let Some(Led { at, .. }) = &led {
            let what = format!("bundle {reference} is {digest}, as it was pulled at {at:.0}");
            context.messages.inform(&what);
        } else {
            context.messages.debug(&format!("bundle {reference}: here already"));
        }
        return modules(reference, digest, &layers, &kept);
    }
    if is_offline {
        return Err(Failure::error(
            format!(
                "{reference}: no registry is asked while FORETOP_OFFLINE is set, and not all of it is here \
                 from before"
            ),
            "unset it, or name files: --policy-dir, --policy-file",
        ));
    }
    let (settings, progress) = reach(context, "Pulling", reference)?;
    let runtime = crate::runtime()?;
    let mut found = runtime.block_on(find(reference, &settings, &progress)).map_err(|error| {
        let is_away = matches!(error, image::Error::Unavailable { .. });
        let Some(Led { digest, at, .. }) = led.as_ref().filter(|_| is_away) else {
            return engine::Error::from(error).into();
        };
        let hint = format!("FORETOP_OFFLINE=1 judges by what was pulled at {at:.0}: {digest}");
        Failure::error(error.to_string(), hint)
    })?;
    // Nothing else of it is looked at, whatever is said about it.
    found.layers.retain(is_meant);
    if !is_small(&found.layers) {
        let what = format!("{reference}: the bundle is larger than {} bytes", bundle::LARGEST);
        return Err(Failure::error(what, "policies are text; is it the right name?"));
    }
    let already = |it: &artifact::Layer| kept.has(it);
    let fetched = runtime.block_on(found.fetch(&already, kept.folder()));
    fetched.map_err(engine::Error::from)?;
    context.messages.debug(&format!("bundle {reference}: {}", found.digest));
    let modules = modules(reference, &found.digest, &found.layers, &kept)?;
    // Whoever can move it decides what is judged.
    if let Some(Led { digest, at, .. }) = led.filter(|it| it.digest != found.digest) {
        let now = &found.digest;
        let what = format!(
            "bundle {reference} is {now} now; it was {digest} when it was pulled at {at:.0}"
        );
        context.messages.warn(&what);
    }
    if let Err(why) = kept.remember(&asked, (&found.digest, &found.manifest), &found.layers) {
        context.messages.debug(&format!("bundle {reference} is not kept: {why}"));
    }
    Ok(modules)
}

/// Is it a file of policies, or an archive of such files?
fn is_meant(layer: &artifact::Layer) -> bool {
    bundle::packing(&layer.media_type) != Packing::Other
}

/// The files of a bundle that was pulled before, where all of it is here.
fn whole(kept: &Kept, reference: &str, digest: &Digest) -> Option<Vec<artifact::Layer>> {
    let manifest = kept.bytes(digest)?;
    let read = |kind| artifact::read(reference, &manifest, kind).ok();
    let described = read(bundle::ARTIFACT_TYPE).or_else(|| read(bundle::CONFIG_TYPE))?;
    let mut layers = described.layers;
    layers.retain(is_meant);
    (is_small(&layers) && layers.iter().all(|it| kept.has(it))).then_some(layers)
}

/// Are these no more bytes than a bundle may have?
fn is_small(layers: &[artifact::Layer]) -> bool {
    let bytes = layers.iter().map(|it| it.size).fold(0, u64::saturating_add);
    bytes <= bundle::LARGEST as u64
}

/// The modules of a bundle whose files are here.
fn modules(
    reference: &str,
    digest: &Digest,
    files: &[artifact::Layer],
    kept: &Kept,
) -> anyhow::Result<Vec<Module>> {
    let mut layers = Vec::new();
    for it in files {
        let bytes = kept.bytes(&it.digest).ok_or_else(|| {
            let what = format!("{reference}: its file {} is not as it was pulled", it.digest);
            Failure::error(
                what,
                "somebody else changes the cache: FORETOP_CACHE_DIR names another one",
            )
        })?;
        let title = it.title.clone().unwrap_or_default();
        match bundle::packing(&it.media_type) {
            Packing::Module => {
                layers.push(Layer { title, media_type: bundle::MODULE_TYPE.to_owned(), bytes });
            }
            _ => layers.extend(unpacked(reference, &bytes)?),
        }
    }
    // The name may stand for another one tomorrow.
    let name = if reference.contains('@') {
        reference.to_owned()
    } else {
        format!("{reference}@{digest}")
    };
    Ok(bundle::modules(&name, layers)?)
}

async fn find(
    reference: &str,
    settings: &Arc<Settings>,
    progress: &Arc<dyn Progress>,
) -> Result<Found, image::Error> {
    let ours = artifact::find(reference, bundle::ARTIFACT_TYPE, settings, progress).await;
    match ours {
        // Others say it by the type of the configuration alone.
        Err(image::Error::Unsupported { .. }) => {
            artifact::find(reference, bundle::CONFIG_TYPE, settings, progress).await
        }
        other => other,
    }
}

/// The files of Rego in an archive.
fn unpacked(reference: &str, bytes: &[u8]) -> anyhow::Result<Vec<Layer>> {
    let refuse = |why: &dyn std::fmt::Display| {
        let what = format!("{reference}: the bundle cannot be unpacked: {why}");
        Failure::error(what, "its publisher has to push it again")
    };
    // More than that, unpacked, is no bundle.
    let room = bundle::LARGEST as u64;
    let limits = tarball::Limits { total: room * 2, entries: 100_000, ..Default::default() };
    let inflated = tarball::decompress(bytes, &limits).map_err(|it| refuse(&it))?;
    let mut entries = tarball::TarReader::new(inflated, &limits);
    let (mut layers, mut left) = (Vec::new(), room);
    while let Some(entry) = entries.next().map_err(|it| refuse(&it))? {
        let is_rego = Path::new(&entry.path).extension().is_some_and(|it| it == "rego");
        if entry.kind != EntryKind::File || !is_rego {
            continue;
        }
        let mut bytes = Vec::new();
        let read = entries.body().take(left + 1).read_to_end(&mut bytes);
        read.map_err(|it| refuse(&it))?;
        left = left.checked_sub(bytes.len() as u64).ok_or_else(|| refuse(&"it is too large"))?;
        let media_type = bundle::MODULE_TYPE.to_owned();
        layers.push(Layer { title: entry.path, media_type, bytes });
    }
    Ok(layers)
}

/// Publishes these modules. Says what the bundle is called, and what is in it.
pub(crate) fn publish(
    context: &Context,
    reference: &str,
    modules: &[Module],
) -> anyhow::Result<(String, Vec<Policy>)> {
    let set = Set::read(modules.iter().cloned())?;
    if let Some(flaw) = set.flaws().first() {
        let what = format!("policy {flaw}");
        return Err(Failure::error(what, "whoever uses the bundle would not know what it says"));
    }
    let (settings, progress) = reach(context, "Pushing", reference)?;
    let layers = bundle::layers(modules)?;
    let piece = |it: Layer| Piece::of_bytes(&it.media_type, it.bytes).titled(it.title);
    let artifact = Artifact {
        artifact_type: bundle::ARTIFACT_TYPE.to_owned(),
        config: Piece::of_bytes(bundle::CONFIG_TYPE, b"{}".to_vec()),
        layers: layers.into_iter().map(piece).collect(),
        annotations: BTreeMap::new(),
    };
    let runtime = crate::runtime()?;
    let pushed = runtime.block_on(artifact::push(reference, &artifact, &settings, &progress));
    let pushed = pushed.map_err(engine::Error::from)?;
    Ok((pushed.digest.to_string(), set.policies().to_vec()))
}

fn reach(
    context: &Context,
    begins: &'static str,
    reference: &str,
) -> anyhow::Result<(Arc<Settings>, Arc<dyn Progress>)> {
    if context.environment.offline()? {
        return Err(Failure::error(
            format!("{reference}: no registry is asked while FORETOP_OFFLINE is set"),
            "unset it, or name files: --policy-dir, --policy-file",
        ));
    }
    let settings = docker::settings(&context.environment, &context.docker, false)?;
    Ok((Arc::new(settings), Arc::new(Watcher::new(&context.messages, begins))))
}
