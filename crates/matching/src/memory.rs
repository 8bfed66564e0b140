//! What was decided about packages, kept for whoever judges many inventories that share most of them.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::{HashMap, HashMapExt as _};
use model::{Finding, Gap, Verdict};

use crate::findings::{FEW, Lore, count_holes, in_words};
use crate::gaps::Tally;
use crate::spaces::Ground;
use crate::statements::Best;
use crate::walk::{Standing, Subject, Walk};
use crate::words::Wordless;

/// What was decided about packages by the words of one book: each package that matching cannot tell
/// from another is judged once, in whatever inventories it is. For one book and no other.
///
/// It is bounded: what nobody asked for lately is forgotten, and would be judged again.
pub struct Memory {
    most: usize,
    /// Grounds are told apart by two numbers, so that nobody can make up two that are one.
    grounds: [RandomState; 2],
    kept: Mutex<Kept>,
}

impl Memory {
    /// One that holds about so many bytes at most.
    pub fn new(most: usize) -> Self {
        let grounds = [RandomState::new(), RandomState::new()];
        Self { most, grounds, kept: Mutex::default() }
    }

    /// Bytes held, about.
    pub fn bytes(&self) -> usize {
        let kept = self.kept();
        kept.young.bytes + kept.old.bytes
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is decided about each of these, in their order.
    fn recall(&self, walk: &Walk<'_>, subjects: &[&Subject<'_>]) -> Vec<Arc<Judged>> {
        let grounds = self.grounds(walk);
        let keys: Vec<Option<Box<str>>> = subjects
            .iter()
            .map(|it| Some(key(it, (*grounds.get(it.ground)?)?).into_boxed_str()))
            .collect();
        let mut kept = self.kept();
        let known: Vec<Option<Arc<Judged>>> =
            keys.iter().map(|it| kept.find(it.as_deref()?, self.most)).collect();
        drop(kept);
        let unknown: Vec<&Subject<'_>> = subjects
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none())
            .map(|(it, _)| *it)
            .collect();
        let judged =
            crew::each_with(&unknown, FEW, || Lore::new(walk), |lore, it| judge(walk, lore, it));
        let mut judged = judged.into_iter().map(Arc::new);
        let mut kept = self.kept();
        let all = keys.into_iter().zip(known).filter_map(|(key, known)| {
            if known.is_some() {
                return known;
            }
            let fresh = judged.next()?;
            if let Some(key) = key {
                kept.keep(key, &fresh, self.most);
            }
            Some(fresh)
        });
        all.collect()
    }

    /// All that matching reads of an image for the packages of each ground, in a number.
    fn grounds(&self, walk: &Walk<'_>) -> Vec<Option<[u64; 2]>> {
        grounds(walk, &self.grounds)
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

/// All that matching reads of an image for the packages of each ground, in a number that these make.
pub(crate) fn grounds(walk: &Walk<'_>, hashers: &[RandomState; 2]) -> Vec<Option<[u64; 2]>> {
    let distro = walk.question.inventory.distro.as_ref();
    let cpe = distro.and_then(|it| it.cpe.as_deref());
    let cpes = walk.question.options.cpes;
    let image = hashers.each_ref().map(|it| it.hash_one((cpe, cpes)));
    let number = |ground: &Ground| {
        let meeting = ground.meeting.as_ref().ok()?;
        let told = (meeting.space.as_str(), meeting.is_system, &meeting.release, image);
        Some(hashers.each_ref().map(|it| it.hash_one(told)))
    };
    walk.grounds.iter().map(number).collect()
}

/// The same as without a memory.
pub(crate) fn find(walk: &Walk<'_>, memory: &Memory) -> (Vec<Finding>, Vec<Gap>) {
    let mut tally = Tally::default();
    walk.holes(&mut tally);
    let plain = |it: &&Subject<'_>| matches!(it.standing, Standing::Plain);
    let subjects: Vec<&Subject<'_>> = walk.subjects.iter().filter(plain).collect();
    let judged = memory.recall(walk, &subjects);
    let mut affected: Vec<Affected<'_, '_>> = Vec::new();
    let mut known: HashMap<Same<'_>, usize> = HashMap::new();
    let is_silent = walk.question.statements.is_empty();
    for (subject, judged) in subjects.iter().zip(&judged) {
        tally.add(&judged.holes);
        for it in &judged.flaws {
            let finding = &it.wordless.finding;
            let statement = if is_silent {
                None
            } else {
                let names = [std::slice::from_ref(&finding.id), &finding.aliases].concat();
                walk.sayings.decides(&names, subject.package)
            };
            let of = if it.is_by_source {
                Ok((&*finding.name, &*finding.version))
            } else {
                Err(subject.number)
            };
            let statement_number = statement.map(|it| it.number);
            let same = (subject.ground, of, &*finding.id, statement_number);
            let at = *known.entry(same).or_insert_with(|| {
                let wordless = &it.wordless;
                affected.push(Affected { wordless, statement, packages: Vec::new() });
                affected.len() - 1
            });
            if let Some(it) = affected.get_mut(at) {
                it.packages.push(subject.number);
            }
        }
    }
    let found = affected.into_iter().map(|it| {
        let mut wordless = Box::new(it.wordless.clone());
        wordless.finding.packages = it.packages;
        wordless.finding.statement = it.statement.map(|it| it.quoted());
        wordless
    });
    (in_words(walk, found.collect()), tally.into_gaps())
}

/// What makes the flaws of two packages one finding: the ground, name and version of the source or the
/// package itself, the flaw, and the statement about it.
type Same<'m> = (usize, Result<(&'m str, &'m str), usize>, &'m str, Option<usize>);

struct Affected<'m, 'q> {
    wordless: &'m Wordless,
    statement: Option<Best<'q>>,
    packages: Vec<usize>,
}

/// All that is decided about a package that is judged by its own advisories.
pub(crate) struct Judged {
    pub(crate) flaws: Vec<Flaw>,
    pub(crate) holes: Tally,
}

/// A flaw that it has, before anybody says anything.
pub(crate) struct Flaw {
    /// It is found by the name of its source: packages of that have it together.
    pub(crate) is_by_source: bool,
    pub(crate) wordless: Wordless,
}

pub(crate) fn judge(walk: &Walk<'_>, lore: &mut Lore<'_, '_>, subject: &Subject<'_>) -> Judged {
    let mut judged = Judged { flaws: Vec::new(), holes: Tally::default() };
    for decision in walk.decisions(subject, false) {
        count_holes(&mut judged.holes, walk, subject, &decision);
        if decision.verdict == Verdict::Affected
            && let Some(first) = decision.first()
            && let Some(wordless) = lore.told(subject, &decision)
        {
            judged.flaws.push(Flaw { is_by_source: first.named.is_source, wordless });
        }
    }
    judged
}

/// All that matching reads of a package, in words. Who owns it and how it is known to be there was
/// looked at before.
pub(crate) fn key(subject: &Subject<'_>, ground: [u64; 2]) -> String {
    let package = subject.package;
    let source = package.source.as_ref();
    let name = source.map_or("", |it| &it.name);
    let version = source.and_then(|it| it.version.as_deref());
    let is_sourced = u8::from(source.is_some()) + u8::from(version.is_some());
    let version = version.unwrap_or_default();
    let [one, other] = ground;
    format!("{}\0{one:x}.{other:x}\0{is_sourced}\0{name}\0{version}", package.purl)
}

/// What is kept, in two generations: what the younger one has no room for makes it the older one, and
/// what is there was not asked for since.
#[derive(Default)]
struct Kept {
    young: Generation,
    old: Generation,
}

#[derive(Default)]
struct Generation {
    judged: HashMap<Box<str>, Arc<Judged>>,
    bytes: usize,
}

impl Kept {
    fn find(&mut self, key: &str, most: usize) -> Option<Arc<Judged>> {
        if let Some(judged) = self.young.judged.get(key) {
            return Some(Arc::clone(judged));
        }
        let (key, judged) = self.old.judged.remove_entry(key)?;
        self.old.bytes = self.old.bytes.saturating_sub(judged.bytes() + key.len());
        self.keep(key, &judged, most);
        Some(judged)
    }

    /// Unless it alone is more than one generation has room for.
    fn keep(&mut self, key: Box<str>, judged: &Arc<Judged>, most: usize) {
        let bytes = judged.bytes() + key.len();
        if bytes > most / 2 {
            return;
        }
        if self.young.bytes + bytes > most / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        if self.young.judged.insert(key, Arc::clone(judged)).is_none() {
            self.young.bytes += bytes;
        }
    }
}

impl Judged {
    fn bytes(&self) -> usize {
        let flaws: usize = self.flaws.iter().map(Flaw::bytes).sum();
        // With what the maps need.
        size_of::<Self>() + 96 + flaws + self.holes.bytes()
    }
}

impl Flaw {
    fn bytes(&self) -> usize {
        let it = &self.wordless.finding;
        let texts = |all: &[String]| all.iter().map(|it| it.len() + 24).sum::<usize>();
        let optional = |it: &Option<String>| it.as_ref().map_or(0, String::len);
        let ratings = it.ratings.iter().map(|it| {
            let words = it.source.len() + optional(&it.word) + optional(&it.vector);
            size_of::<model::Rating>() + words
        });
        let bound = |it: &Option<model::Bound>| it.as_ref().map_or(0, |it| it.version.len());
        let spans =
            it.spans.iter().map(|it| size_of::<model::Span>() + bound(&it.from) + bound(&it.to));
        size_of::<Self>()
            + [&it.id, &it.name, &it.version, &it.feed, &it.advisory]
                .iter()
                .map(|it| it.len())
                .sum::<usize>()
            + texts(&it.aliases)
            + texts(&it.bulletins)
            + ratings.sum::<usize>()
            + spans.sum::<usize>()
            + optional(&it.reason)
            + optional(&it.published)
            + it.weaknesses.len() * 4
            + it.exploited.as_ref().map_or(0, |it| it.title.len() + it.action.len() + 64)
            + self.wordless.sources.len() * 8
    }
}
