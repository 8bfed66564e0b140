//! What was found in packages, in the numbers of whoever counts: of a finding nothing else is kept, so that
//! there is room for all packages of many thousands of inventories.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::{HashMap, HashSet, HashSetExt as _};
use model::{Finding, Gap, Package};

use crate::findings::Lore;
use crate::gaps::Tally;
use crate::memory::{Judged, grounds, judge, key};
use crate::walk::{Standing, Subject, Walk};

/// Whoever counts calls a finding so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// All that is told of it.
    pub finding: u32,
    /// Flaw, space, name and version alone.
    pub same: u32,
}

/// A finding that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// What whoever counts calls it.
    pub finding: u32,
    /// Has a statement taken it out of the way?
    pub is_suppressed: bool,
}

/// What was found in packages, by the words of one book.
///
/// It is bounded: what it has no room for is judged each time.
pub struct Register {
    most: usize,
    /// Packages are told apart by two numbers, so that nobody can make up two that are one.
    hashers: [RandomState; 2],
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    packages: HashMap<[u64; 2], Arc<Entry>>,
    /// What flaws are called: many packages have the same.
    names: HashSet<Arc<[String]>>,
    bytes: usize,
}

/// What is wrong with a package.
struct Entry {
    found: Box<[Found]>,
    holes: Tally,
}

struct Found {
    number: Number,
    is_by_source: bool,
    names: Arc<[String]>,
}

impl Register {
    /// One that holds about so many bytes at most.
    pub fn new(most: usize) -> Self {
        let hashers = [RandomState::new(), RandomState::new()];
        Self { most, hashers, kept: Mutex::default() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What [`crate::analyze`] finds, each as often as packages have it.
    pub(crate) fn count(
        &self,
        walk: &Walk<'_>,
        number: &dyn Fn(&Finding, &Package) -> Number,
    ) -> (Vec<Counted>, Vec<Gap>) {
        let mut tally = Tally::default();
        walk.holes(&mut tally);
        let plain = |it: &&Subject<'_>| matches!(it.standing, Standing::Plain);
        let subjects: Vec<&Subject<'_>> = walk.subjects.iter().filter(plain).collect();
        let is_silent = walk.question.statements.is_empty();
        let mut counted = Vec::new();
        // Packages of one source have its flaws together: what is told of the first of them counts.
        let mut known: HashSet<(u32, Option<usize>)> = HashSet::new();
        for (subject, entry) in subjects.iter().zip(self.entries(walk, &subjects, number)) {
            tally.add(&entry.holes);
            for it in &entry.found {
                let statement =
                    if is_silent { None } else { walk.sayings.decides(&it.names, subject.package) };
                let said = statement.map(|it| it.number);
                if it.is_by_source && !known.insert((it.number.same, said)) {
                    continue;
                }
                let is_suppressed = statement.is_some_and(|it| it.suppresses());
                counted.push(Counted { finding: it.number.finding, is_suppressed });
            }
        }
        (counted, tally.into_gaps())
    }

    /// What is wrong with each of these, in their order. Nobody else is called to help: whoever counts has
    /// many inventories, and as many of them at once as there are cores.
    fn entries(
        &self,
        walk: &Walk<'_>,
        subjects: &[&Subject<'_>],
        number: &dyn Fn(&Finding, &Package) -> Number,
    ) -> Vec<Arc<Entry>> {
        let grounds = grounds(walk, &self.hashers);
        let keys = subjects.iter().map(|it| {
            let key = key(it, (*grounds.get(it.ground)?)?);
            Some(self.hashers.each_ref().map(|hasher| hasher.hash_one(&key)))
        });
        let keys: Vec<Option<[u64; 2]>> = keys.collect();
        let kept = self.kept();
        let known: Vec<Option<Arc<Entry>>> =
            keys.iter().map(|key| kept.packages.get(key.as_ref()?).cloned()).collect();
        drop(kept);
        let mut lore = Lore::new(walk);
        let entries = known.into_iter().zip(subjects).zip(keys).map(|((known, subject), key)| {
            known.unwrap_or_else(|| {
                let judged = judge(walk, &mut lore, subject);
                self.keep(key, judged, |it| number(it, subject.package))
            })
        });
        entries.collect()
    }

    fn keep(
        &self,
        key: Option<[u64; 2]>,
        judged: Judged,
        number: impl Fn(&Finding) -> Number,
    ) -> Arc<Entry> {
        let numbers: Vec<Number> =
            judged.flaws.iter().map(|it| number(&it.wordless.finding)).collect();
        let mut kept = self.kept();
        let found = judged.flaws.into_iter().zip(numbers).map(|(it, number)| {
            let finding = it.wordless.finding;
            let names = [vec![finding.id], finding.aliases].concat();
            Found { number, is_by_source: it.is_by_source, names: kept.named(names) }
        });
        let entry = Arc::new(Entry { found: found.collect(), holes: judged.holes });
        if let Some(key) = key
            && kept.bytes < self.most
        {
            kept.bytes += entry.bytes();
            kept.packages.insert(key, Arc::clone(&entry));
        }
        entry
    }
}

impl std::fmt::Debug for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Register").field("bytes", &self.kept().bytes).finish_non_exhaustive()
    }
}

impl Kept {
    fn named(&mut self, names: Vec<String>) -> Arc<[String]> {
        if let Some(known) = self.names.get(&*names) {
            return Arc::clone(known);
        }
        let names: Arc<[String]> = names.into();
        self.bytes += names.iter().map(|it| it.len() + size_of::<String>() + 16).sum::<usize>();
        self.names.insert(Arc::clone(&names));
        names
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        // With what the map needs.
        size_of::<Self>() + 64 + self.found.len() * size_of::<Found>() + self.holes.bytes()
    }
}
