//! Findings of two analyses, paired by flaw and by what it is in, whatever its version.

use std::cmp::Ordering;
use std::collections::HashMap;

use model::{Aspect, Fate, Finding, FindingChange, Fix, Gap, Package, Purl, Seen};

use super::Half;
use super::doubt::Doubts;
use super::join::join;

/// One side, with the pair that each of its packages is in, and what the *other* side may hide.
pub(super) struct Told<'a> {
    pub(super) half: &'a Half<'a>,
    pub(super) pairs: HashMap<usize, usize>,
    pub(super) doubts: &'a Doubts<'a>,
}

/// What became of each finding that is wanted on either side. Its packages are numbers of pairs, of
/// which the first ones, so many, are on both sides.
pub(super) fn changes<'a>(
    before: &Told<'a>,
    after: &Told<'a>,
    paired: usize,
) -> Vec<FindingChange> {
    let (mut left, mut right) = (entries(before), entries(after));
    let mut found = Vec::with_capacity(left.len().max(right.len()));
    join(&mut left, &mut right, &mut found, |it| (it.key(), it.version()), Entry::order);
    // Several versions of one package may have it.
    let by_package = |it: &Entry<'a>| (it.key(), it.pairs.first().copied());
    join(&mut left, &mut right, &mut found, by_package, Entry::order);
    join(&mut left, &mut right, &mut found, Entry::key, Entry::order);
    // Another publisher may call it by another of its names.
    if !left.is_empty() && !right.is_empty() {
        let flaws = Flaws::of(left.iter().chain(&right).map(|it| it.finding));
        let key = |it: &Entry<'a>| (it.kind, &*it.finding.name, flaws.number(it.finding));
        join(&mut left, &mut right, &mut found, key, Entry::order);
    }

    let mut changes = Vec::with_capacity(found.len() + left.len() + right.len());
    for (was, is) in found.into_iter().filter(|(was, is)| was.wanted || is.wanted) {
        changes.push(both(was, is));
    }
    for entry in left.into_iter().filter(|it| it.wanted) {
        let doubt = entry.doubt(before.doubts, paired).cloned();
        let fate = if doubt.is_some() { Fate::Unclear } else { Fate::Fixed };
        let seen = Some(seen(entry.finding));
        changes.push(FindingChange { fate, before: seen, doubt, ..named(entry) });
    }
    for entry in right.into_iter().filter(|it| it.wanted) {
        let doubt = entry.doubt(after.doubts, paired).cloned();
        let fate = if doubt.is_some() { Fate::Unclear } else { Fate::Introduced };
        let seen = Some(seen(entry.finding));
        changes.push(FindingChange { fate, after: seen, doubt, ..named(entry) });
    }
    changes
}

struct Entry<'a> {
    finding: &'a Finding,
    wanted: bool,
    packages: Vec<&'a Package>,
    /// Numbers of pairs, ascending.
    pairs: Vec<usize>,
    /// The type of its packages.
    kind: &'a str,
}

impl<'a> Entry<'a> {
    /// Type, name and flaw.
    fn key(&self) -> (&'a str, &'a str, &'a str) {
        (self.kind, &self.finding.name, &self.finding.id)
    }

    fn version(&self) -> (&'a str, &'a str) {
        (&self.finding.version, self.finding.space.as_str())
    }

    /// Whatever else tells two findings apart.
    fn order(&self, other: &Self) -> Ordering {
        let rest = |it: &Self| (it.finding.level, &it.finding.feed, &it.finding.advisory);
        let purls = |it: &Self| -> Vec<&Purl> { it.packages.iter().map(|it| &it.purl).collect() };
        (self.version().cmp(&other.version()))
            .then_with(|| rest(self).cmp(&rest(other)))
            .then_with(|| purls(self).cmp(&purls(other)))
    }

    fn doubt<'d>(&self, doubts: &'d Doubts<'d>, paired: usize) -> Option<&'d Gap> {
        let there = self.pairs.iter().any(|it| *it < paired);
        doubts.about_finding(self.finding, &self.packages, there)
    }
}

fn entries<'a>(told: &Told<'a>) -> Vec<Entry<'a>> {
    let analysis = told.half.analysis;
    let findings = analysis.findings.iter().zip(&told.half.findings);
    findings
        .map(|(finding, wanted)| {
            let mut packages: Vec<&Package> = finding
                .packages
                .iter()
                .filter_map(|it| analysis.inventory.packages.get(*it))
                .collect();
            packages.sort_by(|one, other| one.purl.cmp(&other.purl));
            let mut pairs: Vec<usize> =
                finding.packages.iter().filter_map(|it| told.pairs.get(it)).copied().collect();
            pairs.sort_unstable();
            pairs.dedup();
            let kind = packages.first().map_or(finding.space.family(), |it| it.purl.kind());
            Entry { finding, wanted: *wanted, packages, pairs, kind }
        })
        .collect()
}

/// Which names mean the same flaw.
struct Flaws<'a> {
    numbers: HashMap<&'a str, usize>,
    parents: Vec<usize>,
}

impl<'a> Flaws<'a> {
    fn of(findings: impl Iterator<Item = &'a Finding>) -> Self {
        let mut flaws = Self { numbers: HashMap::new(), parents: Vec::new() };
        for finding in findings {
            let first = flaws.add(&finding.id);
            for alias in &finding.aliases {
                let (one, other) = (flaws.add(alias), flaws.root(first));
                let one = flaws.root(one);
                flaws.parents[one] = other;
            }
        }
        flaws
    }

    fn add(&mut self, name: &'a str) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(name).or_insert(next);
        if number == next {
            self.parents.push(next);
        }
        number
    }

    /// Paths are halved on the way, so that they stay short.
    fn root(&mut self, mut at: usize) -> usize {
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    /// The same for all names of one flaw.
    fn number(&self, finding: &Finding) -> Option<usize> {
        let mut at = *self.numbers.get(&*finding.id)?;
        while self.parents[at] != at {
            at = self.parents[at];
        }
        Some(at)
    }
}

fn both(was: Entry<'_>, is: Entry<'_>) -> FindingChange {
    let (before, after) = (seen(was.finding), seen(is.finding));
    let aspects = aspects(&before, &after);
    let fate = if aspects.is_empty() { Fate::Unchanged } else { Fate::Changed };
    let mut packages = was.pairs.clone();
    packages.extend(&is.pairs);
    packages.sort_unstable();
    packages.dedup();
    // Which name is told does not depend on the direction.
    let entry = if best(was.finding) <= best(is.finding) { was } else { is };
    let (before, after) = (Some(before), Some(after));
    FindingChange { fate, packages, before, after, aspects, ..named(entry) }
}

/// Less is better: what has a CVE's name.
fn best(it: &Finding) -> (bool, &str, &[String], &str) {
    (!it.id.starts_with("CVE-"), &it.id, &it.aliases, &it.title)
}

fn named(entry: Entry<'_>) -> FindingChange {
    let Entry { finding, pairs, .. } = entry;
    FindingChange {
        fate: Fate::Unchanged,
        id: finding.id.clone(),
        aliases: finding.aliases.clone(),
        name: finding.name.clone(),
        title: finding.title.clone(),
        packages: pairs,
        before: None,
        after: None,
        aspects: Vec::new(),
        doubt: None,
    }
}

fn seen(finding: &Finding) -> Seen {
    Seen {
        version: finding.version.clone(),
        space: finding.space.clone(),
        level: finding.level,
        fix: finding.fix.clone(),
        exploited: finding.exploited.is_some(),
        malicious: finding.malicious,
        forecast: finding.forecast.as_ref().map(|it| it.score),
        suppressed: finding.suppressed(),
    }
}

/// EPSS scores move a little every day; less than this is no news.
const NEWS: f32 = 0.1;

fn aspects(before: &Seen, after: &Seen) -> Vec<Aspect> {
    let fixed = |it: &Seen| matches!(it.fix, Fix::Version { .. });
    let score = |it: &Seen| it.forecast.unwrap_or_default();
    [
        (before.level != after.level, Aspect::Level),
        (fixed(before) != fixed(after), Aspect::Fix),
        (before.exploited != after.exploited, Aspect::Exploited),
        ((score(before) - score(after)).abs() >= NEWS, Aspect::Forecast),
        (before.suppressed != after.suppressed, Aspect::Suppressed),
    ]
    .into_iter()
    .filter_map(|(is_so, aspect)| is_so.then_some(aspect))
    .collect()
}
