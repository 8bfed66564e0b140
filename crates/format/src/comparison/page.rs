//! What all reports of comparisons have in common: blocks of packages with their findings, gaps by
//! side, and words.

use std::borrow::Cow;

use model::{Aspect, Comparison, Fate, FindingChange, Gap, Level, PackageChange, Purl, Seen, Side};
use model::{SideKind, Way};

use super::Options;
use crate::words;

/// Packages that share findings, the binaries of one source say.
#[derive(Default)]
pub(super) struct Block<'a> {
    pub(super) packages: Vec<&'a PackageChange>,
    pub(super) findings: Vec<&'a FindingChange>,
}

/// Everything there is to tell: what has findings, in their order, then packages that have none.
pub(super) fn blocks<'a>(comparison: &'a Comparison, options: &Options) -> Vec<Block<'a>> {
    let packages = &comparison.packages;
    let findings = || comparison.findings.iter().filter(|it| told(it, options));
    let mut groups = Groups((0..packages.len()).collect());
    for finding in findings() {
        groups.unite(&finding.packages);
    }
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut block_of: Vec<Option<usize>> = vec![None; packages.len()];
    for finding in findings() {
        let group = finding.packages.iter().find_map(|it| groups.root(*it));
        let there = group.and_then(|it| block_of.get(it).copied().flatten());
        let number = there.unwrap_or(blocks.len());
        if there.is_none() {
            blocks.push(Block::default());
            if let Some(place) = group.and_then(|it| block_of.get_mut(it)) {
                *place = Some(number);
            }
        }
        if let Some(block) = blocks.get_mut(number) {
            block.findings.push(finding);
        }
    }
    let mut alone: Vec<&PackageChange> = Vec::new();
    for (at, package) in packages.iter().enumerate() {
        let number = groups.root(at).and_then(|it| block_of.get(it).copied().flatten());
        match number.and_then(|it| blocks.get_mut(it)) {
            Some(block) => block.packages.push(package),
            None if package.way != Way::Unchanged => alone.push(package),
            None => {}
        }
    }
    alone.sort_by_key(|it| it.way);
    blocks.extend(alone.into_iter().map(|it| Block { packages: vec![it], findings: vec![] }));
    blocks
}

/// Is that finding to be told?
pub(super) fn told(finding: &FindingChange, options: &Options) -> bool {
    finding.fate != Fate::Unchanged || !options.ignore_unchanged
}

/// Which package leads to which other of its group; the last one leads to itself.
struct Groups(Vec<usize>);

impl Groups {
    fn root(&mut self, mut at: usize) -> Option<usize> {
        loop {
            let next = *self.0.get(at)?;
            if next == at {
                return Some(at);
            }
            let further = *self.0.get(next)?;
            *self.0.get_mut(at)? = further;
            at = further;
        }
    }

    fn unite(&mut self, packages: &[usize]) {
        let mut first = None;
        for at in packages {
            let Some(root) = self.root(*at) else { continue };
            let leader = *first.get_or_insert(root);
            let leader = self.root(leader).unwrap_or(leader);
            if let Some(it) = self.0.get_mut(root) {
                *it = leader;
            }
        }
    }
}

/// How many findings of that fate there are, and how many of them a statement takes out of the way.
pub(super) fn count(comparison: &Comparison, fate: Fate) -> (usize, usize) {
    let out = |it: &&FindingChange| it.seen().is_some_and(|it| it.suppressed);
    let all = comparison.findings_that(fate).count();
    let suppressed = comparison.findings_that(fate).filter(out).count();
    (all - suppressed, suppressed)
}

/// The ways of packages, and what is said of so many of them.
pub(super) const WAYS: [(Way, &str); 6] = [
    (Way::Added, "added"),
    (Way::Removed, "removed"),
    (Way::Upgraded, "upgraded"),
    (Way::Downgraded, "downgraded"),
    (Way::Changed, "changed"),
    (Way::Unclear, "on one side alone, and may be hidden on the other"),
];

/// The fates of findings, and what is said of so many of them.
pub(super) const FATES: [(Fate, &str); 5] = [
    (Fate::Introduced, "introduced"),
    (Fate::Unclear, "on one side alone, and may be hidden on the other"),
    (Fate::Fixed, "fixed"),
    (Fate::Changed, "changed"),
    (Fate::Unchanged, "unchanged"),
];

/// Gaps that both sides have, those of what is looked at, and those of what it is held against.
pub(super) fn gaps(comparison: &Comparison) -> [Vec<&Gap>; 3] {
    let (before, after) = (&comparison.before.gaps, &comparison.after.gaps);
    let mut sorted: Vec<&Gap> = before.iter().collect();
    sorted.sort();
    let (both, of_after) = after.iter().partition(|it| sorted.binary_search(it).is_ok());
    let mut sorted: Vec<&Gap> = after.iter().collect();
    sorted.sort();
    let of_before = before.iter().filter(|it| sorted.binary_search(it).is_err()).collect();
    [both, of_after, of_before]
}

/// What to call a side, in a head.
pub(super) fn kind(side: &Side) -> &'static str {
    match side.kind {
        SideKind::Image => "Image",
        SideKind::Directory => "path",
        SideKind::Document => "SBOM",
    }
}

/// The same within a sentence.
pub(super) fn noun(side: &Side) -> &'static str {
    match side.kind {
        SideKind::Image => "image",
        SideKind::Directory => "path",
        SideKind::Document => "SBOM",
    }
}

/// `libssl3`, `@babel/core`.
pub(super) fn name(package: &PackageChange) -> Cow<'_, str> {
    package.purl().map_or("".into(), crate::list::name)
}

pub(super) fn version(purl: Option<&Purl>) -> &str {
    purl.and_then(Purl::version).unwrap_or("?")
}

/// A sentence or two about a finding: what to do about it, and what is different.
pub(super) fn remarks(finding: &FindingChange) -> Vec<String> {
    let mut remarks = Vec::new();
    if let (Some(before), Some(after)) = (&finding.before, &finding.after) {
        remarks.extend(finding.aspects.iter().map(|it| remark(*it, before, after)));
    }
    if let Some(gap) = &finding.doubt {
        remarks.push(doubt(finding.after.is_some(), gap));
    } else if let Some(after) = finding.after.as_ref().filter(|_| finding.fate != Fate::Unchanged)
        && !finding.aspects.contains(&Aspect::Fix)
    {
        let fix = words::fix(&after.fix, &after.space);
        let is_version = matches!(after.fix, model::Fix::Version { .. });
        remarks.push(if is_version { format!("fixed in {fix}") } else { fix.into_owned() });
    }
    remarks
}

/// Why it cannot be told of something on one side whether it is on the other.
pub(super) fn doubt(is_now: bool, gap: &Gap) -> String {
    let what = if is_now { "was there before" } else { "is still there" };
    format!("cannot tell whether it {what}: {gap}")
}

fn remark(aspect: Aspect, before: &Seen, after: &Seen) -> String {
    let said = |now: bool, yes: &str, no: &str| if now { yes.to_owned() } else { no.to_owned() };
    match aspect {
        Aspect::Level => format!("was {}", words::upper(before.level)),
        Aspect::Fix => match &after.fix {
            model::Fix::Version { .. } => {
                format!("now fixed in {}", words::fix(&after.fix, &after.space))
            }
            model::Fix::None(_) => {
                format!("no fix any more: {}", words::fix(&after.fix, &after.space))
            }
        },
        Aspect::Exploited => {
            said(after.exploited, "now known to be exploited", "no longer told to be exploited")
        }
        Aspect::Forecast => {
            let share = |it: &Seen| format!("{:.0}%", it.forecast.unwrap_or_default() * 100.0);
            format!("EPSS score {}, was {}", share(after), share(before))
        }
        Aspect::Suppressed => said(
            after.suppressed,
            "now out of the way by a statement",
            "no longer out of the way by a statement",
        ),
    }
}

/// `CISA KEV`, `MALICIOUS`, `SUPPRESSED`.
pub(super) fn marks(seen: &Seen) -> impl Iterator<Item = &'static str> {
    let marks = [
        (seen.exploited, "CISA KEV"),
        (seen.malicious, "MALICIOUS"),
        (seen.suppressed, "SUPPRESSED"),
    ];
    marks.into_iter().filter_map(|(really, mark)| really.then_some(mark))
}

/// The levels worth a column: that of nobody's word only where there are any.
pub(super) fn levels(comparison: &Comparison) -> impl Iterator<Item = Level> {
    let any = comparison.before.counts.unspecified + comparison.after.counts.unspecified > 0;
    Level::ALL.into_iter().filter(move |it| *it != Level::Unspecified || any)
}

/// How many more there are now, or fewer.
pub(super) fn delta(before: usize, after: usize) -> Option<String> {
    match after.checked_sub(before) {
        Some(0) => None,
        Some(more) => Some(format!("+{more}")),
        None => Some(format!("-{}", before - after)),
    }
}
