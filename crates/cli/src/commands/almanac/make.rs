//! Building an almanac from documents.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac::{Manifest, Trust, Writer};
use clap::ValueHint;
use engine::{Refreshed, Watch, refresh};
use indicatif::HumanBytes;

use crate::Context;
use crate::failure::Failure;
use crate::messages::{Messages, count};

#[derive(clap::Args)]
pub(super) struct Build {
    /// A folder, or a file: containers (zip, tar, gz, xz, bz2, zst) are opened
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    from: PathBuf,
    /// Compile everything anew, even what did not change
    #[arg(long)]
    anew: bool,
}

impl Build {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        if !self.from.exists() {
            return Err(Failure::error(
                format!("cannot read {}: it is not there", self.from.display()),
                "--from names a folder of documents as their publishers have them",
            ));
        }
        let writer = Writer::lock(directory)?;
        compile(&self.from, self.anew, &writer, context)?;
        Ok(())
    }
}

/// Compiles what is below `from` and puts it in the place of what was there. An almanac that is
/// damaged is no reason not to make a good one: it counts as none.
pub(super) fn compile(
    from: &Path,
    anew: bool,
    writer: &Writer,
    context: &Context,
) -> anyhow::Result<Manifest> {
    let messages = &context.messages;
    let former = writer.manifest().unwrap_or_else(|why| {
        messages.warn(&format!("The almanac that was there is not used again: {why}"));
        None
    });
    let former = former.filter(|it| !anew && almanac::missing(writer.dir(), it).is_empty());
    let now = jiff::Timestamp::now().to_string();
    messages.begin("Reading documents");
    let watcher = Watcher(Arc::clone(messages));
    let Refreshed { manifest, sheets, compiled, kept, strangers, gaps } =
        refresh(from, former.as_ref(), &now, &watcher)?;
    if manifest.sheets.is_empty() {
        return Err(Failure::error(
            format!("{}: no feed recognises anything in it", from.display()),
            "the almanac stays as it was; `foretop almanac status` tells which feeds there are",
        ));
    }
    let mut fresh = 0;
    for sheet in &sheets {
        writer.put(sheet)?;
        fresh += sheet.entry.size;
    }
    let installed = writer.install(&manifest.to_bytes(), None, Trust::Local)?;
    for gap in &gaps {
        messages.debug(&format!("gap: {gap}"));
    }
    for part in &compiled {
        messages.debug(&format!("compiled: {part}"));
    }
    let documents = manifest.parts.iter().map(|it| it.documents).sum();
    messages.done(&format!(
        "Compiled {}, {} kept as they were: {} ({}) of {}",
        count(compiled.len() as u64, "part", "parts"),
        kept,
        count(sheets.len() as u64, "new sheet", "new sheets"),
        HumanBytes(fresh),
        count(documents, "document", "documents"),
    ));
    if strangers > 0 {
        messages
            .inform(&format!("{} belong to no feed", count(strangers, "document", "documents")));
    }
    let holes = gaps.len() as u64 + manifest.parts.iter().map(|it| it.gaps).sum::<u64>();
    if holes > 0 {
        let holes = count(holes, "gap", "gaps");
        messages.warn(&format!("{holes} in the documents: `foretop almanac status --details`"));
    }
    messages.done(&format!(
        "Almanac {} with {}, {}",
        installed.digest.short(),
        count(manifest.sheets.len() as u64, "sheet", "sheets"),
        HumanBytes(manifest.size()),
    ));
    Ok(manifest)
}

/// Tells what is read and compiled.
struct Watcher(Arc<Messages>);

impl Watch for Watcher {
    fn expect(&self, files: usize, bytes: u64) {
        if files > 0 {
            self.0.debug(&format!("reading {files} files of {bytes} bytes"));
            self.0.expect(bytes);
        }
    }

    fn reading(&self, path: &str, bytes: u64) {
        self.0.debug(&format!("reading {path}"));
        self.0.advance(bytes);
    }

    fn compiling(&self, feed: &str, part: &str) {
        self.0.debug(&format!("compiling {feed} {part}"));
    }
}
