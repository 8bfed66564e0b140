//! Bundles of policies, in registries: pulled once for each digest, and pushed.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use image::artifact::{self, Artifact, Found, Piece};
use image::{Progress, Settings};
use model::Digest;
use policy::bundle::{self, Layer, Packing};
use policy::{Module, Policy, Set};
use sha2::{Digest as _, Sha256};
use tarball::{Entries as _, EntryKind};

use crate::Context;
use crate::docker;
use crate::failure::Failure;
use crate::subject::Watcher;

/// The modules of a bundle. Files that were pulled before are not pulled again.
pub(super) fn pulled(context: &Context, reference: &str) -> anyhow::Result<Vec<Module>> {
    let (settings, progress) = reach(context, "Pulling", reference)?;
    let runtime = crate::runtime()?;
    let found = runtime.block_on(find(reference, &settings, &progress))?;
    let meant = |it: &artifact::Layer| bundle::packing(&it.media_type) != Packing::Other;
    let bytes = found.layers.iter().filter(|it| meant(it)).map(|it| it.size);
    if bytes.fold(0, u64::saturating_add) > bundle::LARGEST as u64 {
        let what = format!("{reference}: the bundle is larger than {} bytes", bundle::LARGEST);
        return Err(Failure::error(what, "policies are text; is it the right name?"));
    }
    // What is there is called by its digest.
    let kept = context.environment.cache()?.map(|it| it.root().join("policies"));
    let passing = tempfile::tempdir()?;
    let folder = kept.unwrap_or_else(|| passing.path().to_owned());
    // What was torn since, or changed, is pulled anew.
    let is_whole = |it: &artifact::Layer| {
        let bytes = fs_err::File::open(folder.join(it.digest.hex())).and_then(|file| {
            let mut bytes = Vec::new();
            file.take(it.size + 1).read_to_end(&mut bytes).map(|_| bytes)
        });
        bytes.is_ok_and(|all| Digest::from_sha256(&Sha256::digest(all).into()) == it.digest)
    };
    let already = |it: &artifact::Layer| !meant(it) || is_whole(it);
    let fetched = runtime.block_on(found.fetch(&already, &folder));
    fetched.map_err(engine::Error::from)?;
    context.messages.debug(&format!("bundle {reference}: {}", found.digest));
    let mut layers = Vec::new();
    for it in found.layers.iter().filter(|it| meant(it)) {
        let bytes = fs_err::read(folder.join(it.digest.hex()))?;
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
        format!("{reference}@{}", found.digest)
    };
    Ok(bundle::modules(&name, layers)?)
}

async fn find(
    reference: &str,
    settings: &Arc<Settings>,
    progress: &Arc<dyn Progress>,
) -> anyhow::Result<Found> {
    let ours = artifact::find(reference, bundle::ARTIFACT_TYPE, settings, progress).await;
    let found = match ours {
        // Others say it by the type of the configuration alone.
        Err(image::Error::Unsupported { .. }) => {
            artifact::find(reference, bundle::CONFIG_TYPE, settings, progress).await
        }
        other => other,
    };
    Ok(found.map_err(engine::Error::from)?)
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
