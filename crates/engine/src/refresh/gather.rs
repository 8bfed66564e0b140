//! Documents gathered by the part of the feed that they belong to, read on every core.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use feed::walk::{File, Limits, walk_file};
use feed::{Document, Feed, Parsed};
use model::{Advisory, Exploited, Forecast, Gap};

/// A part of a feed: the feed's id, and the part's name.
pub(super) type PartKey = (&'static str, String);

/// What the documents of one part say together.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) advisories: Vec<Advisory>,
    pub(super) exploited: Vec<Exploited>,
    pub(super) forecasts: Vec<Forecast>,
    pub(super) gaps: Vec<Gap>,
    pub(super) documents: u64,
    /// The youngest moment at which a document says that it was current.
    pub(super) current: Option<String>,
    /// Numbers of the files that its documents are in.
    pub(super) files: BTreeSet<usize>,
}

/// What was read.
#[derive(Default)]
pub(super) struct Harvest {
    pub(super) parts: BTreeMap<PartKey, Gathered>,
    /// Documents that no feed recognises.
    pub(super) strangers: u64,
    /// What could not be read of files that belong to no part.
    pub(super) gaps: Vec<Gap>,
}

/// Reads `files` (numbers into `all`). Only parts that are `wanted` are parsed; without a wish, all.
/// A document that says it is from after `now` does not make its part look fresh for years.
pub(super) fn gather(
    all: &[File],
    files: &[usize],
    wanted: Option<&BTreeSet<PartKey>>,
    now: &str,
    told: &(dyn Fn(&File) + Sync),
) -> Harvest {
    // The largest first, so that no core is left with it at the end.
    let mut queue = files.to_vec();
    queue.sort_by_key(|it| std::cmp::Reverse(all.get(*it).map(|it| it.size)));
    let next = AtomicUsize::new(0);
    let harvest = Mutex::new(Harvest::default());
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(queue.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(number) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(file) = all.get(*number) else { continue };
                    told(file);
                    let own = read(*number, file, wanted, now);
                    harvest.lock().unwrap_or_else(PoisonError::into_inner).add(own);
                }
            });
        }
    });
    let mut harvest = harvest.into_inner().unwrap_or_else(PoisonError::into_inner);
    harvest.gaps.sort();
    harvest
}

fn read(number: usize, file: &File, wanted: Option<&BTreeSet<PartKey>>, now: &str) -> Harvest {
    let mut harvest = Harvest::default();
    let gaps = walk_file(file, &Limits::default(), &mut |path, bytes| {
        let Some((feed, part)) = recognise(path, bytes) else {
            harvest.strangers += 1;
            return;
        };
        let key = (feed.id(), part);
        if wanted.is_some_and(|it| !it.contains(&key)) {
            return;
        }
        let mut parsed = feed.parse(&key.1, &Document { path, bytes });
        parsed.current = parsed.current.filter(|it| it.get(..10) <= now.get(..10));
        let gathered = harvest.parts.entry(key).or_default();
        gathered.files.insert(number);
        gathered.add(parsed);
    });
    if harvest.parts.is_empty() {
        harvest.gaps = gaps;
        return harvest;
    }
    // What is missing of a file is missing of its parts, which tell it as long as they are kept.
    for gathered in harvest.parts.values_mut() {
        gathered.gaps.extend_from_slice(&gaps);
    }
    harvest
}

/// Whose document it is.
fn recognise(path: &str, bytes: &[u8]) -> Option<(&'static dyn Feed, String)> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    feed::ALL.iter().find_map(|feed| Some((*feed, feed.recognises(path, head)?)))
}

/// Bytes by which documents are recognised.
const HEAD: usize = 4096;

impl Gathered {
    fn add(&mut self, parsed: Parsed) {
        self.documents += 1;
        self.advisories.extend(parsed.advisories);
        self.exploited.extend(parsed.exploited);
        self.forecasts.extend(parsed.forecasts);
        self.gaps.extend(parsed.gaps);
        self.current = self.current.take().max(parsed.current);
    }

    fn join(&mut self, other: Self) {
        self.advisories.extend(other.advisories);
        self.exploited.extend(other.exploited);
        self.forecasts.extend(other.forecasts);
        self.gaps.extend(other.gaps);
        self.documents += other.documents;
        self.current = self.current.take().max(other.current);
        self.files.extend(other.files);
    }
}

impl Harvest {
    pub(super) fn add(&mut self, other: Self) {
        for (key, gathered) in other.parts {
            self.parts.entry(key).or_default().join(gathered);
        }
        self.strangers += other.strangers;
        self.gaps.extend(other.gaps);
    }
}
