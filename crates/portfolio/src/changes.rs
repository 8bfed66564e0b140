//! What happened to the flaws of one package between two looks at it.

use std::collections::{BTreeSet, HashMap};

use model::{Finding, Fix};

use crate::contract::{ChangeKind, State};

/// One flaw, as it was and as it is.
pub(crate) struct Pair<'f> {
    pub(crate) before: Vec<&'f Finding>,
    pub(crate) after: Vec<&'f Finding>,
}

impl<'f> Pair<'f> {
    /// All its names.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let all = self.before.iter().chain(&self.after);
        all.flat_map(|it| names(it)).map(str::to_owned).collect()
    }

    /// The finding to tell by: the worst of those there are, or were.
    pub(crate) fn told(&self) -> Option<&'f Finding> {
        worst(&self.after).or_else(|| worst(&self.before))
    }

    /// Its other names, sorted.
    pub(crate) fn aliases(&self) -> BTreeSet<String> {
        let mut aliases: BTreeSet<String> = self.names().into_iter().collect();
        if let Some(told) = self.told() {
            aliases.remove(&told.id);
        }
        aliases
    }

    /// How it stood, and how it stands.
    pub(crate) fn states(&self) -> [Option<State>; 2] {
        [&self.before, &self.after].map(|it| state(it))
    }

    /// What happened, but that it is gone.
    pub(crate) fn kinds(&self) -> Vec<ChangeKind> {
        let (before, after) = match self.states() {
            [Some(before), Some(after)] => (before, after),
            [None, Some(_)] => return vec![ChangeKind::New],
            _ => return Vec::new(),
        };
        let mut kinds = Vec::new();
        if after.exploited && !before.exploited {
            kinds.push(ChangeKind::Exploited);
        }
        if after.level != before.level {
            kinds.push(ChangeKind::Severity);
        }
        match (&before.fix, &after.fix) {
            (Fix::None(_), Fix::None(_)) => {}
            (Fix::None(_), Fix::Version { .. }) => kinds.push(ChangeKind::FixAppeared),
            (before, after) if before != after => kinds.push(ChangeKind::FixChanged),
            _ => {}
        }
        kinds
    }

    /// Is there no finding any more?
    pub(crate) fn is_gone(&self) -> bool {
        self.after.is_empty()
    }
}

/// Findings that share a name are about one flaw, whatever it went by first.
pub(crate) fn pairs<'f>(before: &'f [Finding], after: &'f [Finding]) -> Vec<Pair<'f>> {
    let all: Vec<(&Finding, bool)> =
        before.iter().map(|it| (it, false)).chain(after.iter().map(|it| (it, true))).collect();
    let mut leader: Vec<usize> = (0..all.len()).collect();
    let mut named: HashMap<&str, usize> = HashMap::new();
    for (number, (finding, _)) in all.iter().enumerate() {
        for name in names(finding) {
            let first = *named.entry(name).or_insert(number);
            let (left, right) = (find(&leader, first), find(&leader, number));
            if let Some(it) = leader.get_mut(left.max(right)) {
                *it = left.min(right);
            }
        }
    }
    let mut pairs: Vec<Pair<'f>> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    for (number, (finding, is_after)) in all.iter().enumerate() {
        let at = *places.entry(find(&leader, number)).or_insert_with(|| {
            pairs.push(Pair { before: Vec::new(), after: Vec::new() });
            pairs.len() - 1
        });
        if let Some(pair) = pairs.get_mut(at) {
            if *is_after { &mut pair.after } else { &mut pair.before }.push(finding);
        }
    }
    pairs
}

fn find(leader: &[usize], number: usize) -> usize {
    let mut at = number;
    while let Some(next) = leader.get(at).copied().filter(|it| *it != at) {
        at = next;
    }
    at
}

fn names(finding: &Finding) -> impl Iterator<Item = &str> {
    std::iter::once(&*finding.id).chain(finding.aliases.iter().map(String::as_str))
}

fn worst<'f>(findings: &[&'f Finding]) -> Option<&'f Finding> {
    findings.iter().copied().min_by(|left, right| {
        (right.level, &left.id, &left.name).cmp(&(left.level, &right.id, &right.name))
    })
}

/// How a flaw stands by all that is told of it.
pub(crate) fn state(findings: &[&Finding]) -> Option<State> {
    let worst = worst(findings)?;
    let exploited = findings.iter().any(|it| it.exploited.is_some());
    Some(State { level: worst.level, fix: worst.fix.clone(), exploited })
}
