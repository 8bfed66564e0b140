//! Published documents become an almanac: what did not change is not compiled again.

mod gather;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use almanac::{Builder, Compiled, Manifest, PartState, SheetBytes, Source};
use feed::walk::{File, Limits, files};
use model::{Digest, Gap};

use gather::{Gathered, Harvest, PartKey, gather};

pub use update::{PartFetched, fetch_all, source_folder};

/// What became of a folder of documents.
pub struct Refreshed {
    /// Of the whole almanac.
    pub manifest: Manifest,
    /// The sheets that were compiled; those of parts that did not change are on disk already.
    pub sheets: Vec<SheetBytes>,
    /// Parts that were compiled, as `FEED PART`.
    pub compiled: Vec<String>,
    /// Parts that stay as they were.
    pub kept: usize,
    /// Documents that no feed recognises.
    pub strangers: u64,
    /// What could not be read of files that belong to no part: those of parts are in the manifest.
    pub gaps: Vec<Gap>,
}

/// What happens, for whoever watches. Called from several threads.
pub trait Watch: Sync {
    /// So many files of so many bytes are to be read.
    fn expect(&self, files: usize, bytes: u64);
    /// One of them is being read.
    fn reading(&self, path: &str, bytes: u64);
    /// A part is being compiled.
    fn compiling(&self, feed: &str, part: &str);
}

/// Compiles everything below `from`, and nothing else: a part of `former` whose documents are there
/// still, and are the same, keeps its sheets. `created` says when, in RFC 3339.
pub fn refresh(
    from: &Path,
    former: Option<&Manifest>,
    created: &str,
    watch: &dyn Watch,
) -> Result<Refreshed, almanac::Error> {
    let (all, mut gaps) = files(from, &Limits::default());
    let sources: Vec<Option<Source>> = sources(&all, &mut gaps);
    let standing = standing(former, &sources);

    // Whatever a changed file says belongs to parts that must be compiled anew ...
    let changed: Vec<usize> =
        (0..all.len()).filter(|it| !standing.values().any(|files| files.contains(it))).collect();
    tell(&all, &changed, watch);
    let mut harvest = gather(&all, &changed, None, created, &|it| watch.reading(&it.path, it.size));
    let dirty: BTreeSet<PartKey> = harvest.parts.keys().cloned().collect();
    // ... and so do files that did not change, but tell of the same parts.
    let (again, kept): (BTreeMap<PartKey, BTreeSet<usize>>, _) =
        standing.into_iter().partition(|(key, _)| dirty.contains(key));
    let again: Vec<usize> =
        again.into_values().flatten().collect::<BTreeSet<_>>().into_iter().collect();
    tell(&all, &again, watch);
    harvest
        .add(gather(&all, &again, Some(&dirty), created, &|it| watch.reading(&it.path, it.size)));

    let mut manifest = Manifest::new(created);
    if let Some(former) = former {
        let stays =
            |feed: &str, part: &str| kept.keys().any(|(id, name)| *id == feed && name == part);
        manifest
            .sheets
            .extend(former.sheets.iter().filter(|it| stays(&it.feed, &it.part)).cloned());
        manifest.parts.extend(former.parts.iter().filter(|it| stays(&it.feed, &it.part)).cloned());
    }
    let Harvest { parts, strangers, gaps: broken } = harvest;
    gaps.extend(broken);
    let mut sheets = Vec::new();
    let mut compiled = Vec::new();
    for (key, state, made) in compile(parts, &sources, watch)? {
        manifest.replace(state, &made);
        sheets.extend(made.sheets);
        compiled.push(format!("{} {}", key.0, key.1));
    }
    compiled.sort();
    Ok(Refreshed { manifest, sheets, compiled, kept: kept.len(), strangers, gaps })
}

fn tell(all: &[File], files: &[usize], watch: &dyn Watch) {
    let bytes = files.iter().filter_map(|it| all.get(*it)).map(|it| it.size).sum();
    watch.expect(files.len(), bytes);
}

/// The digest of each file; one that cannot be read is a gap, and has none.
fn sources(all: &[File], gaps: &mut Vec<Gap>) -> Vec<Option<Source>> {
    let source = |file: &File| match file.digest() {
        Ok(digest) => Some(Source {
            from: file.path.clone(),
            digest,
            size: file.size,
            etag: None,
            last_modified: None,
        }),
        Err(error) => {
            gaps.push(Gap::new(&*file.path, error.to_string()));
            None
        }
    };
    all.iter().map(source).collect()
}

/// The parts of `former` that would become the same again, with the numbers of their files.
fn standing(
    former: Option<&Manifest>,
    sources: &[Option<Source>],
) -> BTreeMap<PartKey, BTreeSet<usize>> {
    let there: BTreeMap<(&str, &Digest), usize> = sources
        .iter()
        .enumerate()
        .filter_map(|(number, it)| it.as_ref().map(|it| ((&*it.from, &it.digest), number)))
        .collect();
    let mut standing = BTreeMap::new();
    for state in former.iter().flat_map(|it| &it.parts) {
        let Some(feed) = feed::find(&state.feed) else { continue };
        let files: Option<BTreeSet<usize>> =
            state.sources.iter().map(|it| there.get(&(&*it.from, &it.digest)).copied()).collect();
        let same = state.version == feed.version() && state.sheets == almanac::SHEET_FORMAT;
        if let Some(files) = files.filter(|it| same && !it.is_empty()) {
            standing.insert((feed.id(), state.part.clone()), files);
        }
    }
    standing
}

/// What each part becomes, compiled on every core.
fn compile(
    parts: BTreeMap<PartKey, Gathered>,
    sources: &[Option<Source>],
    watch: &dyn Watch,
) -> Result<Vec<(PartKey, PartState, Compiled)>, almanac::Error> {
    let mut queue: Vec<Mutex<Option<(PartKey, Gathered)>>> =
        parts.into_iter().map(|it| Mutex::new(Some(it))).collect();
    // The largest first, so that no core is left with it at the end.
    queue.sort_by_key(|it| {
        let it = it.lock().unwrap_or_else(PoisonError::into_inner);
        std::cmp::Reverse(it.as_ref().map_or(0, |(_, it)| it.advisories.len()))
    });
    let next = AtomicUsize::new(0);
    let made = Mutex::new(Ok(Vec::new()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(queue.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(part) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some((key, gathered)) =
                        part.lock().unwrap_or_else(PoisonError::into_inner).take()
                    else {
                        continue;
                    };
                    watch.compiling(key.0, &key.1);
                    let one = compile_one(key, gathered, sources);
                    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
                    match (&mut *made, one) {
                        (Ok(all), Ok(one)) => all.push(one),
                        (Ok(_), Err(error)) => *made = Err(error),
                        (Err(_), _) => {}
                    }
                }
            });
        }
    });
    let mut made = made.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    made.sort_by(|(left, ..), (right, ..)| left.cmp(right));
    Ok(made)
}

fn compile_one(
    key: PartKey,
    gathered: Gathered,
    sources: &[Option<Source>],
) -> Result<(PartKey, PartState, Compiled), almanac::Error> {
    let mut gaps = gathered.gaps;
    gaps.sort();
    gaps.dedup();
    let state = PartState {
        feed: key.0.to_owned(),
        part: key.1.clone(),
        version: feed::find(key.0).map_or(0, feed::Feed::version),
        current: gathered.current,
        sources: gathered.files.iter().filter_map(|it| sources.get(*it)?.clone()).collect(),
        documents: gathered.documents,
        gaps: gaps.len() as u64,
        samples: gaps,
        ..PartState::default()
    };
    let mut builder = Builder::new(key.0, &key.1);
    gathered.advisories.into_iter().for_each(|it| builder.add(it));
    gathered.exploited.into_iter().for_each(|it| builder.add_exploited(it));
    gathered.forecasts.into_iter().for_each(|it| builder.add_forecast(it));
    Ok((key, state, builder.finish()?))
}
