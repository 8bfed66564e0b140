//! What is told of findings that are counted: of each flaw once, and of each package once, however many
//! images have them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use model::{Finding, Level, Purl, Space};
use roaring::RoaringBitmap;

/// All of it, for whoever learns more.
#[derive(Debug, Default)]
pub(super) struct Told {
    said: Said,
    flaws: HashMap<String, u32>,
    packs: HashMap<(Space, String, String), u32>,
}

/// All of it, for whoever only reads. Clones share what they have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    found: Arc<Vec<Found>>,
    flaws: Arc<Vec<Arc<Flaw>>>,
    packs: Arc<Vec<Arc<Pack>>>,
}

/// A flaw in packages of one name and version.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Flaw and package, in one number.
    pub(crate) flaw: u32,
    pub(crate) level: Level,
    pub(crate) score: Option<f32>,
    pub(crate) fixed: Option<Box<str>>,
    /// Which flaw.
    pub(crate) about: u32,
    /// In which packages.
    pub(crate) pack: u32,
}

/// A flaw, wherever it is.
#[derive(Clone, Debug)]
pub(crate) struct Flaw {
    pub(crate) id: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) epss: Option<f32>,
    pub(crate) exploited: bool,
    pub(crate) malicious: bool,
    pub(crate) published: Option<String>,
}

/// Packages that an advisory speaks of by one name, in one version.
#[derive(Clone, Debug)]
pub(crate) struct Pack {
    pub(crate) space: Space,
    pub(crate) name: String,
    pub(crate) version: String,
    /// As far as they were seen in an image: one source may be built into hundreds of packages.
    pub(crate) purls: BTreeSet<Purl>,
}

impl Said {
    pub(super) fn found(&self, number: u32) -> Option<&Found> {
        self.found.get(number as usize)
    }

    pub(super) fn flaw(&self, number: u32) -> Option<&Flaw> {
        self.flaws.get(number as usize).map(|it| &**it)
    }

    /// Findings by number, of the flaws that are called like one of these, however it is written.
    pub(super) fn called(&self, names: &HashSet<String>) -> RoaringBitmap {
        let is_it = |flaw: &Flaw| {
            let mut all = std::iter::once(&flaw.id).chain(&flaw.aliases);
            all.any(|it| names.contains(&it.to_ascii_uppercase()))
        };
        let flaws: Vec<bool> = self.flaws.iter().map(|it| is_it(it)).collect();
        let is_it = |it: &Found| flaws.get(it.about as usize).copied().unwrap_or_default();
        let found = (0..).zip(self.found.iter());
        found.filter(|(_, it)| is_it(it)).map(|(number, _)| number).collect()
    }

    /// The flaw of each finding, by the finding's number.
    pub(super) fn flaws_of_found(&self) -> Vec<u32> {
        self.found.iter().map(|it| it.about).collect()
    }

    /// How many flaws there are.
    pub(super) fn flaws(&self) -> usize {
        self.flaws.len()
    }

    pub(super) fn pack(&self, number: u32) -> Option<&Pack> {
        self.packs.get(number as usize).map(|it| &**it)
    }

    pub(super) fn packs(&self) -> impl ExactSizeIterator<Item = &Pack> {
        self.packs.iter().map(|it| &**it)
    }
}

impl Told {
    /// As it is by now.
    pub(super) fn said(&self) -> &Said {
        &self.said
    }

    /// That there is such a finding, whose numbers are given by whoever counts.
    pub(super) fn know(&mut self, number: u32, flaw: u32, it: &Finding, purl: &Purl) {
        if let Some(known) = self.said.found(number) {
            let pack = known.pack;
            self.add(pack, purl);
            return;
        }
        let about = self.flaw(it);
        let pack = self.pack(it);
        self.add(pack, purl);
        let fixed = it.fixed().map(Into::into);
        let found = Found { flaw, level: it.level, score: it.score(), fixed, about, pack };
        Arc::make_mut(&mut self.said.found).push(found);
    }

    fn add(&mut self, pack: u32, purl: &Purl) {
        let Some(known) = self.said.pack(pack) else { return };
        if !known.purls.contains(purl) {
            let packs = Arc::make_mut(&mut self.said.packs);
            if let Some(pack) = packs.get_mut(pack as usize) {
                Arc::make_mut(pack).purls.insert(purl.clone());
            }
        }
    }

    fn flaw(&mut self, it: &Finding) -> u32 {
        if let Some(number) = self.flaws.get(&it.id).copied() {
            self.learn(number, it);
            return number;
        }
        let number = self.flaws.len() as u32;
        Arc::make_mut(&mut self.said.flaws).push(Arc::new(Flaw {
            id: it.id.clone(),
            aliases: it.aliases.clone(),
            epss: it.forecast.as_ref().map(|it| it.score),
            exploited: it.exploited.is_some(),
            malicious: it.malicious,
            published: it.published.clone(),
        }));
        self.flaws.insert(it.id.clone(), number);
        number
    }

    /// The same flaw may be told of by several publishers, of whom one knows more.
    fn learn(&mut self, number: u32, it: &Finding) {
        let Some(flaw) = self.said.flaw(number) else { return };
        let more: Vec<&String> =
            it.aliases.iter().filter(|it| !flaw.aliases.contains(it)).collect();
        let exploited = it.exploited.is_some() && !flaw.exploited;
        let malicious = it.malicious && !flaw.malicious;
        let forecast = it.forecast.as_ref().filter(|_| flaw.epss.is_none());
        if more.is_empty() && !exploited && !malicious && forecast.is_none() {
            return;
        }
        let flaws = Arc::make_mut(&mut self.said.flaws);
        if let Some(flaw) = flaws.get_mut(number as usize).map(Arc::make_mut) {
            flaw.aliases.extend(more.into_iter().cloned());
            flaw.exploited |= exploited;
            flaw.malicious |= malicious;
            flaw.epss = flaw.epss.or(forecast.map(|it| it.score));
        }
    }

    fn pack(&mut self, it: &Finding) -> u32 {
        let key = (it.space.clone(), it.name.clone(), it.version.clone());
        if let Some(known) = self.packs.get(&key) {
            return *known;
        }
        let number = self.packs.len() as u32;
        let (space, name, version) = key.clone();
        let pack = Pack { space, name, version, purls: BTreeSet::new() };
        Arc::make_mut(&mut self.said.packs).push(Arc::new(pack));
        self.packs.insert(key, number);
        number
    }
}
