//! In how many images of which environments each flaw is.

use std::collections::BTreeMap;

use model::Digest;
use roaring::RoaringBitmap;

use super::Judged;
use super::ledger::There;
use super::told::Said;
use crate::in_use::Seen;

/// How much of a flaw is in an environment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// Its number.
    pub(super) environment: u32,
    pub(super) images: u32,
    is_loaded: bool,
    is_doubtful: bool,
}

impl Place {
    pub(super) fn in_use(all: impl Iterator<Item = Self>) -> Option<bool> {
        let (mut is_loaded, mut is_doubtful) = (false, false);
        for it in all {
            is_loaded |= it.is_loaded;
            is_doubtful |= it.is_doubtful;
        }
        if is_loaded { Some(true) } else { (!is_doubtful).then_some(false) }
    }
}

/// All flaws over all environments.
#[derive(Default)]
pub(super) struct Spread {
    /// In how many images each is, by its number.
    pub(super) counts: Vec<u64>,
    /// In which environments it is, in their order.
    pub(super) places: Vec<Vec<Place>>,
    /// All that was found.
    pub(super) all: RoaringBitmap,
    pub(super) gaps: u64,
    pub(super) images: u64,
    pub(super) pending: u64,
}

impl Spread {
    pub(super) fn of(told: &Said, environments: &[There], seen: &Seen) -> Self {
        // A small list by itself: what is told of findings is large, and millions are asked for.
        let flaws: Vec<u32> = told.flaws_of_found();
        let mut spread = Self::default();
        spread.count(told, &flaws, environments);
        spread.places = vec![Vec::new(); told.flaws()];
        let mut there = vec![Place::default(); told.flaws()];
        // In which image each flaw was seen last: two packages of one have it once.
        let mut last = vec![0_u32; told.flaws()];
        // What is loaded of each package in the image that is looked at: some have a thousand flaws.
        let mut loads = vec![(0_u32, None); told.packs().len()];
        let (mut step, mut touched) = (0_u32, Vec::new());
        for (environment, it) in (0..).zip(environments) {
            for (digest, judged) in &it.images {
                let Some(judged) = judged else { continue };
                step += 1;
                let usage = seen.usage(&it.id, digest);
                for number in &judged.found {
                    let Some(flaw) = flaws.get(number as usize).map(|it| *it as usize) else {
                        continue;
                    };
                    let place = &mut there[flaw];
                    if last[flaw] != step {
                        last[flaw] = step;
                        if place.images == 0 {
                            touched.push(flaw);
                        }
                        place.images += 1;
                    }
                    let loaded = usage.and_then(|usage| {
                        let number = told.found(number)?.pack;
                        let (seen, loaded) = loads.get_mut(number as usize)?;
                        if *seen != step {
                            (*seen, *loaded) = (step, told.pack(number)?.is_loaded(usage));
                        }
                        *loaded
                    });
                    place.is_loaded |= loaded == Some(true);
                    place.is_doubtful |= loaded.is_none();
                }
            }
            for flaw in touched.drain(..) {
                let place = std::mem::take(&mut there[flaw]);
                spread.places[flaw].push(Place { environment, ..place });
            }
        }
        spread
    }

    /// Images, each once wherever it runs.
    fn count(&mut self, told: &Said, flaws: &[u32], environments: &[There]) {
        let mut images: BTreeMap<&Digest, Vec<&Judged>> = BTreeMap::new();
        for (digest, judged) in environments.iter().flat_map(|it| &it.images) {
            images.entry(digest).or_default().extend(judged.as_deref());
        }
        self.images = images.len() as u64;
        self.counts = vec![0; told.flaws()];
        let mut last = vec![0_u32; told.flaws()];
        let mut gaps = RoaringBitmap::new();
        for (image, judged) in (1..).zip(images.values()) {
            self.pending += u64::from(judged.is_empty());
            for judged in judged {
                self.all |= &judged.found;
                gaps |= &judged.gaps;
                for flaw in judged.found.iter().filter_map(|it| flaws.get(it as usize)) {
                    let flaw = *flaw as usize;
                    if last[flaw] != image {
                        last[flaw] = image;
                        self.counts[flaw] += 1;
                    }
                }
            }
        }
        self.gaps = gaps.len();
    }
}
