//! Building an almanac from documents, of a folder or fetched from their publishers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac::{Manifest, Standing, Writer};
use clap::ValueHint;
use engine::{PartFetched, Refreshed, Watch, fetch_all, refresh};
use feed::fetch::Fetched;
use feed::{Feed, Part};
use indicatif::HumanBytes;

use crate::Context;
use crate::failure::Failure;
use crate::messages::{Messages, count};
use crate::version::VERSION;

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
        compile(&self.from, self.anew, &writer, context, |_| ())
    }
}

#[derive(clap::Args)]
pub(super) struct Update {
    /// Only these feeds, or parts of them (`FEED/PART`), parted by commas
    #[arg(long, value_name = "FEED", value_delimiter = ',', value_hint = ValueHint::Other)]
    feed: Vec<String>,
    /// Fetch from this mirror: `https://host/path` is read from `URL/host/path`
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    mirror: Option<String>,
}

impl Update {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        let messages = &context.messages;
        let wanted = self.wanted()?;
        let mirror = match self.mirror {
            Some(mirror) => Some(mirror),
            None => context.environment.almanac_mirror()?,
        };
        let settings = feed::fetch::Settings {
            mirror,
            certificate_authorities: context.environment.certificate_authorities(),
            offline: context.environment.offline()?,
            user_agent: format!("foretop/{VERSION}"),
            ..feed::fetch::Settings::default()
        };
        let writer = Writer::lock(directory)?;
        let sources = directory.join("sources");
        messages.begin(&format!("Asking for {}", count(wanted.len() as u64, "part", "parts")));
        let runtime = crate::runtime()?;
        let watcher = Bytes(Arc::clone(messages));
        let asked = runtime.block_on(fetch_all(&wanted, &sources, settings, &watcher))?;
        let failed: Vec<&feed::fetch::Error> =
            asked.iter().filter_map(|it| it.outcome.as_ref().err()).collect();
        for why in &failed {
            messages.warn(&why.to_string());
        }
        let (mut files, mut bytes) = (0, 0);
        for it in &asked {
            if let Ok(Fetched::Changed { files: more, bytes: of }) = &it.outcome {
                files += *more as u64;
                bytes += *of;
            }
        }
        let files = count(files, "new file", "new files");
        messages.done(&format!("Fetched {files}, {}", HumanBytes(bytes)));
        let nothing = (failed.len() == asked.len()).then(|| {
            let hint = failed.iter().find_map(|it| it.hint().map(str::to_owned));
            Failure::error(
                "almanac: nothing could be fetched, see above",
                hint.unwrap_or_else(|| "the almanac stays as it was".to_owned()),
            )
        });
        let now = jiff::Timestamp::now().to_string();
        // Also where nothing came: `status` is to tell why.
        let compiled = compile(&sources, false, &writer, context, |manifest| {
            for PartFetched { feed, part, outcome } in &asked {
                match outcome {
                    Ok(_) => {
                        let of_part = manifest.parts.iter_mut();
                        for state in of_part.filter(|it| it.feed == *feed && it.part == *part) {
                            state.fetched = Some(now.clone());
                            state.error = None;
                        }
                    }
                    Err(why) => manifest.failed(feed, part, why.to_string()),
                }
            }
        });
        nothing.map_or(compiled, Err)
    }

    /// The parts that are published and wanted.
    fn wanted(&self) -> anyhow::Result<Vec<(&'static dyn Feed, Part)>> {
        let all =
            || feed::ALL.iter().flat_map(|feed| feed.parts().into_iter().map(|it| (*feed, it)));
        let published = |(_, part): &(&dyn Feed, Part)| !part.urls.is_empty();
        if self.feed.is_empty() {
            return Ok(all().filter(published).collect());
        }
        let mut wanted = Vec::new();
        for word in &self.feed {
            let means = |(feed, part): &(&'static dyn Feed, Part)| {
                word == feed.id() || *word == format!("{}/{}", feed.id(), part.name)
            };
            let before = wanted.len();
            wanted.extend(all().filter(published).filter(means));
            if wanted.len() == before {
                let ids: Vec<&str> = feed::ALL
                    .iter()
                    .filter(|it| !it.parts().is_empty())
                    .map(|it| it.id())
                    .collect();
                return Err(Failure::error(
                    format!("--feed: `{word}` is no feed that can be fetched, and no part of one"),
                    format!("there are {}", ids.join(", ")),
                ));
            }
        }
        Ok(wanted)
    }
}

/// Tells how many bytes have come.
struct Bytes(Arc<Messages>);

impl feed::fetch::Progress for Bytes {
    fn expect(&self, bytes: u64) {
        self.0.expect(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.0.advance(bytes);
    }

    fn tell(&self, line: &str) {
        self.0.inform(line);
    }
}

/// Compiles what is below `from` and puts it in the place of what was there. An almanac that is
/// damaged is no reason not to make a good one: it counts as none.
fn compile(
    from: &Path,
    anew: bool,
    writer: &Writer,
    context: &Context,
    add: impl FnOnce(&mut Manifest),
) -> anyhow::Result<()> {
    let messages = &context.messages;
    let former = writer.manifest().unwrap_or_else(|why| {
        messages.warn(&format!("The almanac that was there is not used again: {why}"));
        None
    });
    // What nobody answers for is no part of an almanac that was made here.
    let trusted = || writer.standing().is_ok_and(|it| it != Standing::Unchecked);
    let whole = |it: &Manifest| almanac::damaged(writer.dir(), it).is_empty();
    let former = former.filter(|it| !anew && trusted() && whole(it));
    let now = jiff::Timestamp::now().to_string();
    messages.begin("Reading documents");
    let watcher = Watcher(Arc::clone(messages));
    let Refreshed { mut manifest, sheets, compiled, kept, strangers, gaps } =
        refresh(from, former.as_ref(), &now, &watcher)?;
    if manifest.sheets.is_empty() {
        for gap in gaps.iter().take(5) {
            messages.warn(&gap.to_string());
        }
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
    add(&mut manifest);
    let installed = writer.install_made(&manifest)?;
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
        "Almanac {}{} with {}, {}",
        installed.digest.short(),
        if installed.unchanged { ", as it was," } else { "" },
        count(manifest.sheets.len() as u64, "sheet", "sheets"),
        HumanBytes(manifest.size()),
    ));
    Ok(())
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
