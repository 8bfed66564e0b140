//! An almanac in a registry: its sheets are the layers, so only what changed travels.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use almanac::{Almanac, Manifest, Writer, damaged, sheet_path};
use anyhow::Context as _;
use clap::ValueHint;
use image::artifact::{self, Artifact, Found, Layer, Piece, Tally};
use image::{Progress, Settings};
use indicatif::HumanBytes;

use super::Trusted;
use super::carry::tell_trust;
use crate::failure::Failure;
use crate::messages::count;
use crate::subject::Watcher;
use crate::{Context, docker};

const TYPE: &str = "application/vnd.foretop.almanac.v1";
const MANIFEST: &str = "application/vnd.foretop.almanac.manifest.v1+json";
const SIGNATURE: &str = "application/vnd.foretop.almanac.signature.v1";
const SHEET: &str = "application/vnd.foretop.almanac.sheet.v1";

#[derive(clap::Args)]
pub(super) struct Push {
    /// Where to: REGISTRY/NAME[:TAG]
    #[arg(value_hint = ValueHint::Other)]
    reference: String,
}

#[derive(clap::Args)]
pub(super) struct Pull {
    /// Where from: REGISTRY/NAME[:TAG][@DIGEST]
    #[arg(value_hint = ValueHint::Other)]
    reference: String,
    #[command(flatten)]
    trusted: Trusted,
}

impl Push {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        let (settings, progress) =
            reach(context, "Pushing", &self.reference, "`foretop almanac export` to a file")?;
        // As long as it is open, none of its sheets goes away.
        let almanac = Almanac::open(directory)?;
        let mut seen = BTreeSet::new();
        let sheets = almanac.manifest().sheets.iter().filter(|it| seen.insert(&it.digest));
        let mut layers: Vec<Piece> = sheets
            .map(|it| {
                let path = sheet_path(directory, &it.digest);
                Piece::of_file(SHEET, &path, it.digest.clone(), it.size)
                    .titled(format!("{} {} {}", it.feed, it.part, it.space))
            })
            .collect();
        layers.extend(almanac.signature().map(|it| Piece::of_bytes(SIGNATURE, it)));
        let created = almanac.manifest().created.clone();
        let artifact = Artifact {
            artifact_type: TYPE.to_owned(),
            config: Piece::of_bytes(MANIFEST, almanac.written()),
            layers,
            annotations: BTreeMap::from([("org.opencontainers.image.created".to_owned(), created)]),
        };
        let runtime = crate::runtime()?;
        let pushed =
            runtime.block_on(artifact::push(&self.reference, &artifact, &settings, &progress));
        let pushed = pushed.map_err(engine::Error::from)?;
        let messages = &context.messages;
        messages.done(&format!("Sent {}; {} were there", told(pushed.sent), told(pushed.kept)));
        messages.done(&format!("Almanac pushed to {}@{}", self.reference, pushed.digest));
        if almanac.signature().is_none() {
            messages.inform(
                "It is not signed: `foretop almanac sign` before pushing lets others trust it",
            );
        }
        Ok(())
    }
}

impl Pull {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        let (settings, progress) =
            reach(context, "Pulling", &self.reference, "`foretop almanac import` a file")?;
        self.trusted.with(context, |trust| {
            let writer = Writer::lock(directory)?;
            // Beside the almanac, where there is room for one.
            let folder = tempfile::tempdir_in(writer.dir())?;
            let into = folder.path();
            let runtime = crate::runtime()?;
            let found = artifact::find(&self.reference, TYPE, &settings, &progress);
            let found = runtime.block_on(found).map_err(engine::Error::from)?;
            let signed = |it: &Layer| it.media_type == SIGNATURE;
            let signature = match found.layers.iter().find(|it| signed(it)) {
                Some(it) if it.size > LARGEST_SIGNATURE => {
                    return Err(Failure::error("almanac: its signature is too large to be one", "get it anew"));
                }
                Some(it) => {
                    fetch(&runtime, &found, &|it| !signed(it), into)?;
                    Some(fs_err::read_to_string(into.join(it.digest.hex()))?)
                }
                None => None,
            };
            // Nothing else is fetched of an almanac that nobody trusts.
            trust.check(&found.config, signature.as_deref())?;
            let manifest = Manifest::parse(&found.config)?;
            let needed = damaged(writer.dir(), &manifest);
            let digests: BTreeSet<_> = needed.iter().map(|it| &it.digest).collect();
            let (came, kept) = fetch(&runtime, &found, &|it| !digests.contains(&it.digest), into)?;
            for entry in needed {
                let path = into.join(entry.digest.hex());
                let mut sheet = fs_err::File::open(&path).map_err(|_| {
                    Failure::error(
                        format!("almanac {}: the sheet {} is not in it", self.reference, entry.digest.short()),
                        "its publisher has to push it again; the almanac that was in use stays in use",
                    )
                })?;
                let mut incoming = writer.receive(entry)?;
                std::io::copy(&mut sheet, &mut incoming).context("cannot write the sheet")?;
                incoming.finish()?;
                fs_err::remove_file(&path)?;
            }
            let installed = writer.install(&found.config, signature.as_deref(), trust)?;
            let messages = &context.messages;
            messages.done(&format!("Fetched {}; {} were here", told(came), told(kept)));
            messages.done(&format!("Almanac {} is in use", installed.digest.short()));
            tell_trust(&installed.standing, context);
            Ok(())
        })
    }
}

const LARGEST_SIGNATURE: u64 = 64 << 10;

fn fetch(
    runtime: &tokio::runtime::Runtime,
    found: &Found,
    already: &(dyn Fn(&Layer) -> bool + Sync),
    into: &Path,
) -> anyhow::Result<(Tally, Tally)> {
    Ok(runtime.block_on(found.fetch(already, into)).map_err(engine::Error::from)?)
}

/// How to reach a registry, and who watches.
fn reach(
    context: &Context,
    begins: &'static str,
    reference: &str,
    instead: &str,
) -> anyhow::Result<(Arc<Settings>, Arc<dyn Progress>)> {
    if context.environment.offline()? {
        return Err(Failure::error(
            format!("{reference}: no registry is asked while FORETOP_OFFLINE is set"),
            format!("unset it, or {instead}"),
        ));
    }
    let settings = docker::settings(&context.environment, &context.docker, false)?;
    Ok((Arc::new(settings), Arc::new(Watcher::new(&context.messages, begins))))
}

/// `12 blobs, 3 MiB`.
fn told(tally: Tally) -> String {
    format!("{}, {}", count(tally.blobs as u64, "blob", "blobs"), HumanBytes(tally.bytes))
}
