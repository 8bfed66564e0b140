//! What each image stands on, as it follows from a survey.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::{Digest, Moment, OrganisationId, Platform, Reference, SaidBase};
use store::{BaseRecord, Store};

use super::survey::{KINDS, Known, Mark, PART, Survey};
use super::{QUICK, RESTS};

/// What each image of an organisation stands on.
pub(crate) struct Ground {
    cursor: Mutex<String>,
    made: Instant,
    took: Duration,
    /// Those that most images stand on first.
    footings: Vec<Footing>,
    /// By the image's number in the store, its footing.
    of: HashMap<i64, u32>,
    /// The same by its digest, and how that was found.
    ways: HashMap<Digest, (u32, Way)>,
    keys: HashMap<String, u32>,
    /// Of these nobody can tell.
    pub(crate) unknown: Vec<Image>,
    /// So many of them others stand on.
    pub(crate) grounds: u64,
    /// So many of them were not asked what they say themselves.
    pub(crate) unasked: u64,
    /// So many images were looked at.
    pub(crate) images: u64,
}

/// A base that images stand on.
#[derive(Debug)]
pub(crate) struct Footing {
    /// What its layers are called by their content; of one that is only said, its name in full.
    pub(crate) key: String,
    /// Its name, where nothing but that is known.
    pub(crate) said: Option<String>,
    pub(crate) platform: Platform,
    /// How many layers it has. None: nobody can tell.
    pub(crate) layers: Option<usize>,
    /// Images that are just this one.
    pub(crate) itself: Vec<Image>,
    /// What was taught of it.
    pub(crate) taught: Vec<BaseRecord>,
    /// What stands on it.
    pub(crate) on: Vec<Image>,
    /// So many of these by what their builders say, by what they say themselves, by what was taught, and by
    /// their layers alone.
    pub(crate) ways: [u64; 4],
}

/// An image that is known.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) digest: Digest,
    pub(crate) platform: Platform,
    pub(crate) analysed: Option<Moment>,
    /// How many layers it has.
    pub(crate) layers: usize,
    /// By which way its base was found; none where it was not, and of a base itself.
    pub(crate) way: Option<Way>,
}

/// By which way a base was found. Provenance was read with the image: no registry is asked here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Provenance,
    Label,
    Taught,
    Layers,
}

/// What has just these layers.
#[derive(Default)]
struct Spot<'a> {
    images: Vec<&'a Known>,
    taught: Vec<&'a BaseRecord>,
}

/// What an image stands on: so many layers, or a name.
enum Standing {
    Layers(usize, Way),
    Said(Reference, Way),
    Unknown,
}

/// Whether the layers bear out what is said of a base.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    /// So many of them are those of the image that is named.
    By(usize),
    /// It is this very image, or has other layers.
    Not,
    /// Nobody knows the layers of what is named.
    Untold,
}

impl Ground {
    /// Is it as things are? What happened to others moves only the place from which is looked on.
    pub(super) async fn holds(
        &self,
        store: &Store,
        organisation: &OrganisationId,
    ) -> Result<bool, store::Error> {
        loop {
            let cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let changes = store.changes_of(&KINDS, &cursor, PART).await?;
            if changes.events.iter().any(|(whose, _)| whose == organisation) {
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
        self.took > QUICK && self.made.elapsed() < self.took * RESTS
    }

    /// Those that most images stand on first.
    pub(crate) fn footings(&self) -> &[Footing] {
        &self.footings
    }

    /// What an image stands on, and how that was found.
    pub(crate) fn below(&self, image: &Digest) -> Option<(&Footing, Way)> {
        let (at, way) = self.ways.get(image)?;
        Some((self.footings.get(*at as usize)?, *way))
    }

    pub(crate) fn footing(&self, key: &str) -> Option<&Footing> {
        self.footings.get(*self.keys.get(key)? as usize)
    }

    /// Which footing an image stands on, by its number in the store: as many as there are, in order.
    pub(crate) fn of(&self, image: i64) -> Option<usize> {
        Some(*self.of.get(&image)? as usize)
    }
}

impl Survey {
    /// What follows from it.
    pub(super) fn ground(&self, began: Instant) -> Ground {
        let mut spots: HashMap<Mark, Spot<'_>> = HashMap::new();
        for it in self.images.values().filter(|it| it.whole.is_some()) {
            if let Some(mark) = it.marks.last() {
                spots.entry(*mark).or_default().images.push(it);
            }
        }
        for (mark, it) in &self.taught {
            spots.entry(*mark).or_default().taught.push(it);
        }
        let mut built: BTreeMap<String, Footing> = BTreeMap::new();
        let mut found: Vec<(i64, String)> = Vec::new();
        let (mut unknown, mut unasked) = (Vec::new(), 0);
        for (number, image) in &self.images {
            let (key, way) = match self.standing(image, &spots) {
                Standing::Unknown => {
                    unasked += u64::from(image.said.is_none());
                    unknown.push(told(image, None));
                    continue;
                }
                Standing::Said(reference, way) => {
                    let key = named(reference);
                    built.entry(key.clone()).or_insert_with(|| Footing {
                        key: key.clone(),
                        said: Some(key.clone()),
                        platform: image.platform.clone(),
                        layers: None,
                        itself: Vec::new(),
                        taught: Vec::new(),
                        on: Vec::new(),
                        ways: [0; 4],
                    });
                    (key, way)
                }
                Standing::Layers(layers, way) => {
                    let mark = layers.checked_sub(1).and_then(|at| image.marks.get(at));
                    let Some(spot) = mark.and_then(|it| spots.get(it)) else { continue };
                    let Some(key) = spot.key() else { continue };
                    built.entry(key.clone()).or_insert_with(|| Footing {
                        key: key.clone(),
                        said: None,
                        platform: image.platform.clone(),
                        layers: Some(layers),
                        itself: spot.images.iter().map(|it| told(it, None)).collect(),
                        taught: spot.taught.iter().copied().cloned().collect(),
                        on: Vec::new(),
                        ways: [0; 4],
                    });
                    (key, way)
                }
            };
            if let Some(footing) = built.get_mut(&key) {
                footing.on.push(told(image, Some(way)));
                footing.ways[way as usize] += 1;
                found.push((*number, key));
            }
        }
        let mut footings: Vec<Footing> = built.into_values().collect();
        let itself = footings.iter().flat_map(|it| &it.itself).map(|it| &it.digest);
        let itself: HashSet<&Digest> = itself.collect();
        let grounds = unknown.iter().filter(|it| itself.contains(&it.digest)).count() as u64;
        footings
            .sort_by(|left, right| (right.on.len(), &left.key).cmp(&(left.on.len(), &right.key)));
        let keys = (0..).zip(&footings).map(|(at, it)| (it.key.clone(), at));
        let keys: HashMap<String, u32> = keys.collect();
        let of = found.into_iter().filter_map(|(number, key)| Some((number, *keys.get(&key)?)));
        let mut ways = HashMap::new();
        for (at, it) in (0..).zip(&footings) {
            let on = it.on.iter().filter_map(|it| Some((it.digest.clone(), (at, it.way?))));
            ways.extend(on);
        }
        Ground {
            cursor: Mutex::new(self.cursor.clone()),
            of: of.collect(),
            ways,
            footings,
            keys,
            unknown,
            grounds,
            unasked,
            images: self.images.len() as u64,
            made: Instant::now(),
            took: began.elapsed(),
        }
    }

    /// What provenance names is exact, where the layers bear it out. Else the longest beginning that is known
    /// counts; of an image with the very same layers, only where it was taught to be a base or is named as
    /// one. What nobody can hold against the layers counts where these tell nothing.
    fn standing(&self, image: &Known, spots: &HashMap<Mark, Spot<'_>>) -> Standing {
        let built = image.built_on.as_ref().map(|it| (it, self.held(image, it)));
        if let Some((_, Held::By(layers))) = built {
            return Standing::Layers(layers, Way::Provenance);
        }
        let said = image.said.as_ref().map(|it| (it, self.held(image, it)));
        let own = image.marks.len();
        for (at, mark) in image.marks.iter().enumerate().rev() {
            if said.is_some_and(|it| it.1 == Held::By(at + 1)) {
                return Standing::Layers(at + 1, Way::Label);
            }
            let Some(spot) = spots.get(mark) else { continue };
            let is_other = |it: &&BaseRecord| {
                image.digest != it.digest
                    && !(image.config.is_some() && image.config == it.config)
                    && image.config.as_ref() != Some(&it.digest)
            };
            if spot.taught.iter().any(is_other) {
                return Standing::Layers(at + 1, Way::Taught);
            }
            // All that is known of this one may be less than it has.
            let may_be_all = at + 1 == own && image.whole.is_some();
            if !may_be_all && spot.images.iter().any(|it| !image.is(it)) {
                return Standing::Layers(at + 1, Way::Layers);
            }
        }
        let untold = |(it, way): (Option<(&SaidBase, Held)>, Way)| {
            let (it, _) = it.filter(|it| it.1 == Held::Untold)?;
            Some(Standing::Said(it.name.as_ref()?.parse().ok()?, way))
        };
        let said = [(built, Way::Provenance), (said, Way::Label)];
        said.into_iter().find_map(untold).unwrap_or(Standing::Unknown)
    }

    /// Do the layers bear out what is said of the base?
    fn held(&self, image: &Known, said: &SaidBase) -> Held {
        let number = said.digest.as_ref().and_then(|it| self.numbers.get(it));
        let Some(named) = number.and_then(|it| self.images.get(it)) else { return Held::Untold };
        if image.is(named) {
            return Held::Not;
        }
        let Some(mark) = named.whole.as_ref().and(named.marks.last()) else { return Held::Untold };
        let at = image.marks.iter().position(|it| it == mark);
        at.map_or(Held::Not, |at| Held::By(at + 1))
    }
}

impl Spot<'_> {
    fn key(&self) -> Option<String> {
        let own = self.images.first().and_then(|it| it.whole.as_ref());
        let taught = self.taught.first().map(|it| &it.chain);
        own.or(taught).map(ToString::to_string)
    }
}

impl Known {
    /// Is it the same image?
    fn is(&self, other: &Self) -> bool {
        self.digest == other.digest
            || self.config.is_some() && self.config == other.config
            || self.config.as_ref() == Some(&other.digest)
    }
}

/// Tags say which base is meant, whatever they led to.
fn named(reference: Reference) -> String {
    match &reference.tag {
        Some(_) => Reference { digest: None, ..reference }.to_string(),
        None => reference.to_string(),
    }
}

fn told(image: &Known, way: Option<Way>) -> Image {
    Image {
        digest: image.digest.clone(),
        platform: image.platform.clone(),
        analysed: image.analysed,
        layers: image.marks.len(),
        way,
    }
}
