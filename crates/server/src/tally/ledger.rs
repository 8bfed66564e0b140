//! A ledger: which flaws there are in what runs of an organisation, and where. It is made when findings
//! are counted, and read by whoever asks what is wrong.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::{CountedBasis, FlawCounts};
use model::{Digest, Level, Moment, OrganisationId, Purl};
use portfolio::Title;
use roaring::RoaringBitmap;

use super::Judged;
use super::asked::NEWS;
use super::held::Held;
use super::rank::worst_first;
use super::spread::{Place, Spread};
use super::titled::{Titled, Trouble};
use super::told::{Flaw, Found, Pack, Said};
use crate::app::App;
use crate::in_use::Seen;
use crate::refusal::Refusal;

/// Events that are looked through together.
const PART: u32 = 500;
/// Who counted so long rests so many times as long, and no longer than that.
const QUICK: Duration = Duration::from_millis(200);
const RESTS: u32 = 5;
const REST: Duration = Duration::from_mins(1);

/// Which flaws there are, and where.
pub(crate) struct Ledger {
    organisation: OrganisationId,
    at: Moment,
    /// When somebody began to count.
    pub(super) began: Instant,
    took: Duration,
    almanac: Digest,
    sheets: Digest,
    /// Up to where nothing is known to have changed.
    cursor: Mutex<String>,
    told: Said,
    environments: Vec<There>,
    whole: Part,
    parts: Mutex<Held>,
    /// In how many images of which environments each flaw is, by its number.
    places: Vec<Vec<Place>>,
    /// What was found in packages, by their number.
    of_packs: Vec<Vec<u32>>,
    titled: Titled,
    seen: Arc<Seen>,
}

/// An environment, and what runs there.
pub(super) struct There {
    pub(super) id: String,
    pub(super) name: String,
    /// None where an image is not analysed.
    pub(super) images: BTreeMap<Digest, Option<Arc<Judged>>>,
    /// So many are there that nobody can place.
    pub(super) lost: u64,
    pub(super) holes: u64,
}

/// All that is known when counting has come to its end.
pub(super) struct Newborn {
    pub(super) organisation: OrganisationId,
    pub(super) at: Moment,
    pub(super) almanac: Digest,
    pub(super) sheets: Digest,
    pub(super) cursor: String,
    pub(super) told: Said,
    pub(super) environments: Vec<There>,
    pub(super) seen: Arc<Seen>,
    pub(super) began: Instant,
}

/// What is wrong with all that runs, or with what runs in one environment.
#[derive(Default)]
pub(crate) struct Part {
    pub(crate) basis: CountedBasis,
    /// The worst first.
    lines: Vec<Line>,
}

/// A flaw somewhere.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its number.
    pub(crate) flaw: u32,
    pub(crate) level: Level,
    pub(crate) score: Option<f32>,
    pub(crate) fixable: bool,
    pub(crate) in_use: Option<bool>,
    pub(crate) images: u64,
    /// What was found, by number: one for each package.
    pub(crate) found: Vec<u32>,
}

impl Newborn {
    /// Looks at every image once.
    pub(super) fn grown(self) -> Ledger {
        let Self { organisation, at, almanac, sheets, cursor, told, environments, seen, began } =
            self;
        let Spread { counts, places, all, gaps, images, pending } =
            Spread::of(&told, &environments, &seen);
        let lost: u64 = environments.iter().map(|it| it.lost).sum();
        let holes: u64 = environments.iter().map(|it| it.holes).sum();
        let basis = CountedBasis {
            counted: Some(at.to_string()),
            images: images + lost,
            pending: pending + lost,
            gaps: gaps + holes,
        };
        let lines = lines(&told, &all, |flaw| {
            let own = places.get(flaw as usize);
            let in_use = Place::in_use(own.into_iter().flatten().copied());
            (counts.get(flaw as usize).copied().unwrap_or_default(), in_use)
        });
        let mut of_packs = vec![Vec::new(); told.packs().len()];
        for number in &all {
            let Some(found) = told.found(number) else { continue };
            of_packs[found.pack as usize].push(number);
        }
        let titled = Titled::of(&told, &of_packs);
        Ledger {
            organisation,
            at,
            began,
            took: began.elapsed(),
            almanac,
            sheets,
            cursor: Mutex::new(cursor),
            told,
            environments,
            whole: Part { basis, lines },
            parts: Mutex::default(),
            places,
            of_packs,
            titled,
            seen,
        }
    }
}

/// The flaws of what was found, each once, the worst first.
fn lines(
    told: &Said,
    all: &RoaringBitmap,
    counted: impl Fn(u32) -> (u64, Option<bool>),
) -> Vec<Line> {
    let mut at: Vec<u32> = vec![u32::MAX; told.flaws()];
    let mut lines: Vec<Line> = Vec::new();
    for number in all {
        let Some(found) = told.found(number) else { continue };
        let Some(place) = at.get_mut(found.about as usize) else { continue };
        if *place == u32::MAX {
            *place = lines.len() as u32;
            let (images, in_use) = counted(found.about);
            lines.push(Line {
                flaw: found.about,
                level: found.level,
                score: None,
                fixable: false,
                in_use,
                images,
                found: Vec::new(),
            });
        }
        let Some(line) = lines.get_mut(*place as usize) else { continue };
        line.level = line.level.max(found.level);
        line.score = match (line.score, found.score) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        line.fixable |= found.fixed.is_some();
        line.found.push(number);
    }
    worst_first(told, lines)
}

impl Part {
    #[cfg(test)]
    pub(super) fn of_lines(lines: Vec<Line>) -> Self {
        Self { lines, ..Self::default() }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Those of one level.
    pub(super) fn of(&self, level: Level) -> &[Line] {
        let from = self.lines.partition_point(|it| it.level > level);
        let to = self.lines.partition_point(|it| it.level >= level);
        self.lines.get(from..to).unwrap_or_default()
    }
}

impl Pack {
    pub(super) fn is_loaded(&self, usage: &engine::in_use::Usage) -> Option<bool> {
        usage.loads(&self.purls, &self.name)
    }
}

impl Ledger {
    /// Is it as things are? What happened to others moves only the place from which is looked on.
    pub(super) async fn holds(&self, app: &App) -> Result<bool, Refusal> {
        let lookout = app.world.lookout(app.now())?;
        let almanac = lookout.almanac();
        // One that was fetched anew makes no image another one.
        if *almanac.digest() != self.almanac && almanac.manifest().sheets_digest() != self.sheets {
            return Ok(false);
        }
        loop {
            let cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let changes = app.store.changes_of(&NEWS, &cursor, PART).await?;
            if changes.events.iter().any(|(whose, _)| *whose == self.organisation) {
                return Ok(false);
            }
            let is_all = changes.events.is_empty();
            *self.cursor.lock().unwrap_or_else(PoisonError::into_inner) = changes.cursor;
            if is_all {
                return Ok(true);
            }
        }
    }

    /// It took long to make, and that was just now.
    pub(super) fn is_resting(&self) -> bool {
        self.took > QUICK && self.began.elapsed() < self.took + (self.took * RESTS).min(REST)
    }

    /// What is wrong with all that runs.
    pub(crate) fn whole(&self) -> &Part {
        &self.whole
    }

    /// What is wrong with what runs in that environment; nothing where it was not there when it was
    /// counted.
    pub(crate) fn part(&self, environment: &str) -> Option<Arc<Part>> {
        let number = self.environments.iter().position(|it| it.name == environment)?;
        let parts = || self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = parts().get(number) {
            return Some(part);
        }
        let there = self.environments.get(number)?;
        let (mut all, mut gaps, mut pending) = (RoaringBitmap::new(), RoaringBitmap::new(), 0);
        for judged in there.images.values() {
            match judged {
                Some(judged) => {
                    all |= &judged.found;
                    gaps |= &judged.gaps;
                }
                None => pending += 1,
            }
        }
        let basis = CountedBasis {
            counted: Some(self.at.to_string()),
            images: there.images.len() as u64 + there.lost,
            pending: pending + there.lost,
            gaps: gaps.len() + there.holes,
        };
        let lines = lines(&self.told, &all, |flaw| {
            let own = self.places.get(flaw as usize).into_iter().flatten();
            let mut own = own.filter(|it| it.environment as usize == number).copied();
            let images = own.clone().next().map_or(0, |it| u64::from(it.images));
            (images, Place::in_use(own.by_ref()))
        });
        let part = Arc::new(Part { basis, lines });
        parts().put(number, Arc::clone(&part));
        Some(part)
    }

    pub(crate) fn flaw(&self, line: &Line) -> Option<&Flaw> {
        self.told.flaw(line.flaw)
    }

    pub(crate) fn found(&self, number: u32) -> Option<(&Found, &Pack, &Flaw)> {
        let found = self.told.found(number)?;
        let pack = self.told.pack(found.pack)?;
        Some((found, pack, self.told.flaw(found.about)?))
    }

    /// In which package something was found.
    pub(super) fn pack_of(&self, found: u32) -> Option<u32> {
        self.told.found(found).map(|it| it.pack)
    }

    /// Which packages are meant, by their number.
    pub(super) fn packs_that(&self, is_meant: impl Fn(&Pack) -> bool) -> Vec<bool> {
        self.told.packs().map(is_meant).collect()
    }

    /// Where a flaw is: environments by name, and in how many images of each.
    pub(crate) fn places(&self, line: &Line) -> Vec<(&str, u64)> {
        let own = self.places.get(line.flaw as usize).into_iter().flatten();
        let name = |it: &Place| Some(&*self.environments.get(it.environment as usize)?.name);
        let mut places: Vec<(&str, u64)> =
            own.filter_map(|it| Some((name(it)?, u64::from(it.images)))).collect();
        places.sort_unstable();
        places
    }

    /// What was found in a package of that type and full name.
    pub(crate) fn found_in(&self, kind: &str, name: &str, purl: &Purl) -> Vec<u32> {
        let packs = self.titled.packs((&name.to_lowercase(), kind)).iter();
        let is_meant = |it: &&u32| {
            let pack = self.told.pack(**it);
            pack.is_some_and(|it| it.purls.contains(purl))
        };
        let packs = packs.filter(is_meant).filter_map(|it| self.of_packs.get(*it as usize));
        packs.flatten().copied().collect()
    }

    /// How bad packages of that name and type are, in all versions; nothing where nothing was found.
    pub(crate) fn trouble(&self, title: Title<'_>) -> Option<Trouble> {
        self.titled.trouble(title)
    }

    /// Packages in which something was found, by name and type.
    pub(crate) fn troubled(&self) -> impl Iterator<Item = (Title<'_>, Trouble)> {
        self.titled.troubled()
    }

    /// Images that run there, by digest.
    pub(crate) fn images(&self, environment: &str) -> Option<impl Iterator<Item = &Digest>> {
        let there = self.environments.iter().find(|it| it.name == environment)?;
        Some(there.images.keys())
    }

    /// Those of them that have a flaw, by digest.
    pub(crate) fn images_with<'l>(
        &'l self,
        environment: &str,
        line: &'l Line,
    ) -> impl Iterator<Item = &'l Digest> {
        let there = self.environments.iter().find(|it| it.name == environment);
        let has = |it: &Judged| line.found.iter().any(|number| it.found.contains(*number));
        let images = there.into_iter().flat_map(|it| &it.images);
        let images = images.filter(move |(_, judged)| judged.as_deref().is_some_and(has));
        images.map(|(digest, _)| digest)
    }

    /// What is wrong with one of them; nothing where it is not analysed.
    pub(crate) fn counts_of(&self, environment: &str, digest: &Digest) -> Option<FlawCounts> {
        let there = self.environments.iter().find(|it| it.name == environment)?;
        let judged = there.images.get(digest)?.as_ref()?;
        Some(self.counts(there, digest, judged))
    }

    fn counts(&self, there: &There, digest: &Digest, judged: &Judged) -> FlawCounts {
        let usage = self.seen.usage(&there.id, digest);
        let mut counts = FlawCounts { gaps: judged.gaps.len(), ..FlawCounts::default() };
        let mut loaded = 0;
        let mut worst: HashMap<u32, Level> = HashMap::new();
        for (found, pack, flaw) in judged.found.iter().filter_map(|it| self.found(it)) {
            let is_first = !worst.contains_key(&found.flaw);
            let level = worst.entry(found.flaw).or_insert(found.level);
            *level = (*level).max(found.level);
            if is_first {
                counts.exploited += u64::from(flaw.exploited || flaw.malicious);
                counts.fixable += u64::from(found.fixed.is_some());
                let is_loaded = usage.and_then(|it| pack.is_loaded(it));
                loaded += u64::from(is_loaded == Some(true));
            }
        }
        counts.in_use = usage.map(|_| loaded);
        for level in worst.into_values() {
            *match level {
                Level::Critical => &mut counts.critical,
                Level::High => &mut counts.high,
                Level::Medium => &mut counts.medium,
                Level::Low => &mut counts.low,
                Level::Unspecified => &mut counts.unspecified,
            } += 1;
        }
        counts
    }
}
