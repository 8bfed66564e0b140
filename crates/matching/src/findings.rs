//! Findings: the decisions that a package is affected, one for each source package and flaw.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;

use almanac::{About, End, Handle, Known, Row, Stretch};
use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};
use model::{Bound, Finding, Fix, Gap, Outlook, Rating, Space, Span, Verdict};

use crate::compare::{Blind, Place, next_good};
use crate::decide::{Decision, Opinion, Outcome};
use crate::gaps::{Noun, Tally};
use crate::names::brief;
use crate::ratings;
use crate::scope::Scope;
use crate::statements::Best;
use crate::walk::{Standing, Subject, Walk};
use crate::words::{self, Wordless};

/// All findings, worst first, and all gaps.
pub(crate) fn find(walk: &Walk<'_>) -> (Vec<Finding>, Vec<Gap>) {
    find_of(walk, false)
}

/// The same, where packages of one source have each their own.
pub(crate) fn find_each(walk: &Walk<'_>) -> (Vec<Finding>, Vec<Gap>) {
    find_of(walk, true)
}

fn find_of(walk: &Walk<'_>, each: bool) -> (Vec<Finding>, Vec<Gap>) {
    let mut tally = Tally::default();
    walk.holes(&mut tally);
    // Whoever asks for each package by itself asks about many at once, and nobody is free.
    let few = if each { usize::MAX } else { FEW };
    let plain = |it: &&Subject<'_>| matches!(it.standing, Standing::Plain);
    let subjects: Vec<&Subject<'_>> = walk.subjects.iter().filter(plain).collect();
    let decided = crew::each(&subjects, few, |it| walk.decisions(it, false));
    let mut affected: Vec<Affected<'_>> = Vec::new();
    let mut known: HashMap<Key, usize> = HashMap::new();
    for (subject, decision) in subjects
        .iter()
        .zip(decided)
        .flat_map(|(it, all)| all.into_iter().map(move |one| (*it, one)))
    {
        count_holes(&mut tally, walk, subject, &decision);
        if decision.verdict != Verdict::Affected {
            continue;
        }
        let statement = walk.sayings.decides(&decision.flaw, subject.package);
        let number = statement.map(|it| it.number);
        let Some(key) = Key::of(subject, &decision, number, each) else { continue };
        match known.entry(key) {
            Entry::Occupied(same) => {
                if let Some(same) = affected.get_mut(*same.get()) {
                    same.packages.push(subject.number);
                }
            }
            Entry::Vacant(place) => {
                place.insert(affected.len());
                let packages = vec![subject.number];
                affected.push(Affected { subject, decision, statement, packages });
            }
        }
    }
    // Boxed, for they are large, and moved about when they are sorted.
    let found = crew::each_with(
        &affected,
        few,
        || Lore::new(walk),
        |lore, it| lore.finding(it).map(Box::new),
    );
    (in_words(walk, found.into_iter().flatten().collect()), tally.into_gaps())
}

/// Worst first, and with words where they are wanted.
#[expect(clippy::vec_box, reason = "they are large, and moved about when they are sorted")]
pub(crate) fn in_words(walk: &Walk<'_>, mut found: Vec<Box<Wordless>>) -> Vec<Finding> {
    if let Some(wanted) = walk.question.options.texts {
        words::tell(walk.question.book, &mut found, wanted);
    }
    found.sort_by(|left, right| {
        let (left, right) = (&left.finding, &right.finding);
        let order = |it: &Finding| (Reverse(it.level), Reverse(it.exploited.is_some()));
        (order(left), &left.id, &left.name, &left.version, &left.packages).cmp(&(
            order(right),
            &right.id,
            &right.name,
            &right.version,
            &right.packages,
        ))
    });
    found.into_iter().map(|it| it.finding).collect()
}

/// For fewer packages or findings nobody else is called.
pub(crate) const FEW: usize = 16;

/// A flaw, and the packages that have it.
struct Affected<'w> {
    /// The first of them.
    subject: &'w Subject<'w>,
    decision: Decision<'w>,
    statement: Option<Best<'w>>,
    packages: Vec<usize>,
}

/// What makes two affected packages one finding.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    ground: usize,
    /// Name and version of the source; or the package itself.
    of: Result<(String, String), usize>,
    flaw: String,
    statement: Option<usize>,
}

impl Key {
    fn of(
        subject: &Subject<'_>,
        decision: &Decision<'_>,
        statement: Option<usize>,
        each: bool,
    ) -> Option<Self> {
        let named = decision.first()?.named;
        let of = if named.is_source && !each {
            Ok((named.name.clone().into_owned(), named.version.text().to_owned()))
        } else {
            Err(subject.number)
        };
        let flaw = decision.flaw.first()?.clone();
        Some(Self { ground: subject.ground, of, flaw, statement })
    }
}

pub(crate) fn count_holes(
    tally: &mut Tally,
    walk: &Walk<'_>,
    subject: &Subject<'_>,
    decision: &Decision<'_>,
) {
    let Some(meeting) = walk.meeting(subject) else { return };
    let space = meeting.space.as_str();
    let flaw = decision.flaw.first().map_or("", String::as_str);
    for opinion in &decision.opinions {
        let row = opinion.row;
        let why = match (row.torn, opinion.outcome) {
            (Some(why), _) => &format!("could not be read whole: {why}"),
            (_, Outcome::Blind(Blind::BadBound)) => "names a version that cannot be read",
            (_, Outcome::Blind(Blind::Backwards)) => "has a range that ends before it begins",
            _ => continue,
        };
        let example = match row.id {
            // Nobody knows what stands in a sheet that cannot be opened.
            "" => opinion.named.name.to_string(),
            id => format!("{id} of {}", opinion.named.name),
        };
        tally.count(Noun::Advisory, &format!("{} about {space}", row.feed), why, example);
    }
    if decision.is_contested {
        let example = format!("{flaw} of {}", brief(subject.package));
        tally.count(Noun::Flaw, space, "the sources disagree about this version", example);
        return;
    }
    for opinion in decision.deciders() {
        match (decision.verdict, opinion.outcome) {
            (Verdict::UnderInvestigation, _) => {
                let why = format!("under investigation, says {}", opinion.row.feed);
                tally.count(Noun::Flaw, space, &why, format!("{flaw} of {}", opinion.named.name));
            }
            (
                Verdict::CannotTell,
                Outcome::Blind(Blind::BadBound | Blind::Backwards | Blind::Torn),
            ) => {}
            (Verdict::CannotTell, Outcome::Blind(blind)) => {
                let why = match &opinion.named.version.complaint {
                    Some(complaint) if blind == Blind::BadVersion => {
                        format!(
                            "not matched, for the package's version cannot be read: {complaint}"
                        )
                    }
                    _ => format!("not matched, for {}", blind.why()),
                };
                tally.count(Noun::Package, space, &why, brief(subject.package));
            }
            _ => {}
        }
    }
}

/// What is known of flaws, each looked up once.
pub(crate) struct Lore<'w, 'q> {
    walk: &'w Walk<'q>,
    about: HashMap<String, About>,
}

impl<'w, 'q> Lore<'w, 'q> {
    pub(crate) fn new(walk: &'w Walk<'q>) -> Self {
        Self { walk, about: HashMap::new() }
    }

    fn finding(&mut self, affected: &Affected<'_>) -> Option<Wordless> {
        let Affected { subject, decision, statement, packages } = affected;
        let mut wordless = self.told(subject, decision)?;
        wordless.finding.packages.clone_from(packages);
        wordless.finding.statement = statement.map(|it| it.quoted());
        Some(wordless)
    }

    /// The flaw of a package, which may be that of others, and of which somebody may have said more.
    pub(crate) fn told(
        &mut self,
        subject: &Subject<'_>,
        decision: &Decision<'_>,
    ) -> Option<Wordless> {
        let book = self.walk.question.book;
        let meeting = self.walk.meeting(subject)?;
        let first = decision.first()?;
        // Rows about the binary beside those about the source are compared with its own version.
        let deciding: Vec<&Opinion<'_>> =
            decision.deciders().filter(|it| std::ptr::eq(it.named, first.named)).collect();
        let others = decision
            .opinions
            .iter()
            .enumerate()
            .filter(|(number, _)| decision.deciding.binary_search(number).is_err())
            .map(|(_, it)| it);
        let rows: Vec<&Row<'_>> = deciding.iter().map(|it| it.row).collect();

        let mut handles: Vec<Handle> = Vec::new();
        let mut seen: HashSet<Handle> = HashSet::new();
        let mut ratings: Vec<Rating> =
            rows.iter().filter_map(|it| it.rating.clone()).take(MOST_LEARNT).collect();
        let mut knowns: Vec<Known> = Vec::new();
        let mut learn = |handle: Handle, ratings: &mut Vec<Rating>| {
            if handles.len() < MOST_LEARNT && seen.insert(handle) {
                handles.push(handle);
                if let Some(known) = book.known(handle) {
                    let room = MOST_LEARNT.saturating_sub(ratings.len());
                    ratings.extend(known.ratings.iter().take(room).cloned());
                    knowns.push(known);
                }
            }
        };
        for row in &rows {
            learn(row.advisory, &mut ratings);
        }
        for opinion in others.filter(|it| it.outcome != Outcome::Withdrawn) {
            if ratings.len() < MOST_LEARNT {
                ratings.extend(opinion.row.rating.clone());
            }
            learn(opinion.row.advisory, &mut ratings);
        }
        let mut exploited = None;
        let mut forecast = None;
        for name in &decision.flaw {
            if !self.about.contains_key(name) {
                self.about.insert(name.clone(), book.about(name));
            }
            let Some(about) = self.about.get(name) else { continue };
            // Others who rate it without a word about packages: NVD, by the CVE.
            for handle in about.advisories.iter().take(MOST_ADVISORIES) {
                learn(*handle, &mut ratings);
            }
            exploited = exploited.or_else(|| about.exploited.clone());
            forecast = forecast.or_else(|| about.forecast.clone());
        }

        let malicious = rows.iter().any(|it| it.malicious);
        let (level, ratings) = ratings::weigh(ratings, malicious);
        let mut weaknesses: Vec<u32> = Vec::new();
        for it in knowns.iter().flat_map(|it| &it.weaknesses).take(MOST_LEARNT) {
            if !weaknesses.contains(it) {
                weaknesses.push(*it);
            }
        }
        let mut bulletins: Vec<String> =
            rows.iter().flat_map(|it| &it.bulletins).map(|it| (*it).to_owned()).collect();
        bulletins.sort();
        bulletins.dedup();
        let mut aliases = decision.flaw.clone();
        let id = aliases.remove(0);
        let finding = Finding {
            id,
            aliases,
            packages: Vec::new(),
            name: first.named.name.clone().into_owned(),
            version: first.named.version.text().to_owned(),
            space: Space::clone(&meeting.space),
            feed: first.row.feed.to_owned(),
            advisory: first.row.id.to_owned(),
            bulletins,
            level,
            ratings,
            spans: spans(first.named, &deciding),
            fix: fix(&rows, first, decision, &Scope::of(subject.package, meeting)),
            reason: rows.iter().find_map(|it| it.reason).map(str::to_owned),
            published: knowns.iter().find_map(|it| it.published.clone()),
            title: String::new(),
            details: String::new(),
            references: Vec::new(),
            weaknesses,
            exploited,
            forecast,
            malicious,
            statement: None,
            in_use: None,
        };
        Some(Wordless { finding, sources: handles })
    }
}

/// A flaw has a few dozen names and mentions; more is somebody's trick.
const MOST_ADVISORIES: usize = 64;
/// All who speak of one flaw of one package, and their ratings, likewise.
const MOST_LEARNT: usize = 1000;

/// Affected versions, the span with this one first.
fn spans(named: &crate::names::Named<'_>, deciding: &[&Opinion<'_>]) -> Vec<Span> {
    let mut first: Vec<Span> = Vec::new();
    let mut rest: Vec<Span> = Vec::new();
    for opinion in deciding {
        let at = match opinion.outcome {
            Outcome::Affected(Some(at)) => Some(at),
            _ => None,
        };
        for (number, stretch) in opinion.row.stretches.iter().enumerate() {
            let list = if at == Some(number) { &mut first } else { &mut rest };
            list.push(span(stretch));
        }
        if opinion.outcome == Outcome::Affected(None) {
            let version = named.version.text().to_owned();
            let bound = Bound { version, included: true };
            first.push(Span { from: Some(bound.clone()), to: Some(bound) });
        }
    }
    let mut seen: HashSet<Span> = HashSet::new();
    first.into_iter().chain(rest).filter(|it| seen.insert(it.clone())).collect()
}

pub(crate) fn span(stretch: &Stretch<'_>) -> Span {
    let bound = |it: &End<'_>| Bound { version: it.version.to_owned(), included: it.included };
    Span { from: stretch.from.as_ref().map(bound), to: stretch.to.as_ref().map(bound) }
}

/// What to do: the first good version there, or in a channel that one could go to; else what the
/// publisher means to do.
fn fix(rows: &[&Row<'_>], first: &Opinion<'_>, decision: &Decision<'_>, scope: &Scope<'_>) -> Fix {
    let version = &first.named.version;
    // Those that do not speak of this version may speak of the next.
    let denying = decision.denying.iter().filter_map(|it| decision.opinions.get(*it));
    let speaking: Vec<&Row<'_>> = rows.iter().copied().chain(denying.map(|it| it.row)).collect();
    if let Some(end) = next_good(&speaking, version) {
        // Found where no row of the main channel speaks, it is only to be had in that one.
        let by = speaking.iter().find(|row| {
            row.stretches.iter().filter_map(|it| it.to.as_ref()).any(|it| it.version == end.version)
        });
        let channel = by.and_then(|it| it.channel).map(str::to_owned);
        return Fix::Version { version: end.version.to_owned(), channel };
    }
    let elsewhere = decision
        .opinions
        .iter()
        .filter(|it| it.voice.feed == first.voice.feed && !it.row.withdrawn)
        .filter(|it| it.row.channel.is_some_and(|channel| scope.could_use(channel)))
        .filter(|it| matches!(it.named.version.place(it.row), Place::In(_)))
        .filter_map(|it| Some((next_good(&[it.row], &it.named.version)?, it.row.channel)))
        .min_by(|left, right| left.0.key.cmp(&right.0.key));
    if let Some((end, channel)) = elsewhere {
        let channel = channel.map(str::to_owned);
        return Fix::Version { version: end.version.to_owned(), channel };
    }
    Fix::None(rows.iter().find_map(|it| it.outlook).unwrap_or(Outlook::Open))
}
