//! Compiling: advisories in, sheets out. The same advisories always make the same bytes.

mod heads;
mod merge;
mod pool;
mod rows;
#[cfg(test)]
mod tests;
mod texts;
mod write;

use std::collections::BTreeMap;

use model::{Advisory, Affected, Digest, Exploited, Forecast, Gap, Space};
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::layout::Meta;
use crate::manifest::Entry;
use crate::sheet::{Orders, Sheet};

/// The space of what is known about flaws themselves: advisories about no package, attacks seen and
/// to come.
pub const FLAWS: &str = "flaws";
/// The space of a sheet with the texts of a part that has several spaces, so that they are there once.
pub const TEXTS: &str = "texts";

/// Each space is a sheet; the feed with the most has some hundred.
const MOST_SPACES: usize = 2048;
/// So many gaps are told in full; the others are counted.
pub(crate) const SAMPLES: usize = 20;

/// Gathers what one part of a feed says.
#[derive(Debug)]
pub struct Builder {
    feed: String,
    part: String,
    orders: Orders,
    advisories: Vec<Advisory>,
    exploited: BTreeMap<String, Exploited>,
    forecasts: BTreeMap<String, Forecast>,
}

/// What a part of a feed became.
#[derive(Debug, Default)]
pub struct Compiled {
    /// Its sheets, by space.
    pub sheets: Vec<SheetBytes>,
    /// How many advisories there are, one that speaks about several spaces counted once.
    pub advisories: u64,
    /// How many gaps there are.
    pub gaps: u64,
    /// The first of them.
    pub samples: Vec<Gap>,
}

/// A sheet that is not on disk yet.
#[derive(Clone, Debug)]
pub struct SheetBytes {
    /// What a manifest says of it.
    pub entry: Entry,
    /// The file.
    pub bytes: Vec<u8>,
}

impl SheetBytes {
    /// The sheet in these bytes, which are read for what they say about themselves.
    pub fn of(bytes: Vec<u8>) -> Result<Self, Error> {
        let digest = digest_of(&bytes);
        let size = bytes.len() as u64;
        let sheet = Sheet::of_bytes(bytes)?;
        let entry = Entry::of(sheet.meta(), digest, size);
        Ok(Self { entry, bytes: sheet.bytes().to_vec() })
    }

    fn new(meta: &Meta, bytes: Vec<u8>) -> Self {
        Self { entry: Entry::of(meta, digest_of(&bytes), bytes.len() as u64), bytes }
    }
}

pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_sha256(&Sha256::digest(bytes).into())
}

impl Builder {
    /// For that part of that feed.
    pub fn new(feed: &str, part: &str) -> Self {
        Self::with_orders(feed, part, ecosystem::order::of)
    }

    /// The same, with other orders.
    pub fn with_orders(feed: &str, part: &str, orders: Orders) -> Self {
        Self {
            feed: feed.to_owned(),
            part: part.to_owned(),
            orders,
            advisories: Vec::new(),
            exploited: BTreeMap::new(),
            forecasts: BTreeMap::new(),
        }
    }

    /// One advisory more. Several with the same id become one.
    pub fn add(&mut self, advisory: Advisory) {
        self.advisories.push(advisory);
    }

    /// An attack seen. Of two about the same flaw, the one listed later counts.
    pub fn add_exploited(&mut self, exploited: Exploited) {
        let rank = |it: &Exploited| (it.added.clone(), it.title.clone(), it.action.clone());
        let former = self.exploited.get(&exploited.id);
        if former.is_none_or(|former| rank(former) < rank(&exploited)) {
            self.exploited.insert(exploited.id.clone(), exploited);
        }
    }

    /// An attack to come. Of two about the same flaw, the likelier counts.
    pub fn add_forecast(&mut self, forecast: Forecast) {
        let former = self.forecasts.get(&forecast.id);
        if former.is_none_or(|former| former.score < forecast.score) {
            self.forecasts.insert(forecast.id.clone(), forecast);
        }
    }

    /// The sheets. It fails only if one would be larger than four gigabytes.
    pub fn finish(self) -> Result<Compiled, Error> {
        let advisories = merge::merge(self.advisories);
        let mut spaces: BTreeMap<&Space, Vec<Told<'_>>> = BTreeMap::new();
        let flaws = Space::of(FLAWS);
        for advisory in &advisories {
            let mut about: BTreeMap<&Space, Vec<&Affected>> = BTreeMap::new();
            for row in &advisory.affected {
                about.entry(&row.space).or_default().push(row);
            }
            if about.is_empty() {
                about.insert(&flaws, Vec::new());
            }
            for (space, affected) in about {
                spaces.entry(space).or_default().push(Told { advisory, affected });
            }
        }
        if !self.exploited.is_empty() || !self.forecasts.is_empty() {
            spaces.entry(&flaws).or_default();
        }

        let mut compiled = Compiled { advisories: advisories.len() as u64, ..Compiled::default() };
        leave_out(&mut spaces, &mut compiled);
        let apart = spaces.len() > 1;
        for (space, told) in &spaces {
            let attacks = (**space == flaws).then_some((&self.exploited, &self.forecasts));
            let page = write::Page {
                feed: &self.feed,
                part: &self.part,
                space,
                order: (self.orders)(space),
                told,
                attacks,
                texts: if apart { write::Texts::Apart } else { write::Texts::Here },
            };
            page.write(&mut compiled)?;
        }
        if apart {
            let told: Vec<Told<'_>> = advisories
                .iter()
                .filter(|it| texts::has_text(it))
                .map(|advisory| Told { advisory, affected: Vec::new() })
                .collect();
            let page = write::Page {
                feed: &self.feed,
                part: &self.part,
                space: &Space::of(TEXTS),
                order: None,
                told: &told,
                attacks: None,
                texts: write::Texts::Alone,
            };
            if !told.is_empty() {
                page.write(&mut compiled)?;
            }
        }
        Ok(compiled)
    }
}

/// Where there are more spaces than anybody speaks of, only those with most advisories stay.
fn leave_out(spaces: &mut BTreeMap<&Space, Vec<Told<'_>>>, compiled: &mut Compiled) {
    let Some(more) = spaces.len().checked_sub(MOST_SPACES).filter(|it| *it > 0) else { return };
    let mut counts: Vec<(usize, &Space)> =
        spaces.iter().map(|(space, told)| (told.len(), *space)).collect();
    counts.sort_unstable();
    for (_, space) in counts.iter().take(more) {
        spaces.remove(space);
    }
    let at = counts.first().map_or("", |(_, space)| space.as_str());
    let why = format!(
        "this and {} more spaces are left out: no part of a feed has more than {MOST_SPACES}",
        more - 1
    );
    compiled.gaps += more as u64;
    compiled.samples.push(Gap::new(at, why));
}

/// An advisory, and what it says about one space.
#[derive(Debug)]
struct Told<'a> {
    advisory: &'a Advisory,
    affected: Vec<&'a Affected>,
}
