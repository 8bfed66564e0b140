//! Each package by itself, and only some flaws: what a portfolio asks, which holds packages, not images.

use std::collections::BTreeSet;

use almanac::Book;
use model::{Distro, Finding, Gap, Package, Purl, Space, Verdict};

use crate::spaces::{Grounds, Meeting};
use crate::walk::{Standing, Walk};
use crate::{Question, findings, names};

/// Like `analyze`, but packages that are built from one source have each a finding of their own, so
/// that it does not matter which of them are there; and only about `flaws`, where these are given,
/// and those that somebody says are the same.
pub fn analyze_each(
    question: &Question<'_>,
    flaws: Option<&BTreeSet<String>>,
) -> (Vec<Finding>, Vec<Gap>) {
    findings::find_each(&walk(question, flaws))
}

/// What is decided about these flaws in each package: its number, the flaw's names and the verdict;
/// of a package that is not judged by its own advisories, why not, without a name. Statements do not
/// count.
pub fn verdicts_each(
    question: &Question<'_>,
    flaws: &BTreeSet<String>,
) -> Vec<(usize, Vec<String>, Verdict)> {
    let walk = walk(question, Some(flaws));
    let mut verdicts = Vec::new();
    for subject in &walk.subjects {
        let special = match subject.standing {
            Standing::Plain => None,
            Standing::NoSource | Standing::Stranger(_) => Some(Verdict::NoSource),
            Standing::Owned(_) => Some(Verdict::Owned),
            Standing::OnlyDeclared => Some(Verdict::NotAsked),
        };
        if let Some(verdict) = special {
            verdicts.push((subject.number, Vec::new(), verdict));
            continue;
        }
        for decision in walk.decisions(subject, true) {
            verdicts.push((subject.number, decision.flaw, decision.verdict));
        }
    }
    verdicts
}

/// The names under which advisories may speak of a package, whatever its space.
pub fn names_of(package: &Package) -> Vec<String> {
    let nowhere = Meeting {
        space: Space::of(""),
        order: None,
        feeds: Vec::new(),
        is_system: false,
        release: None,
    };
    let mut names: Vec<String> =
        names::of(package, &nowhere).into_iter().map(|it| it.name.into_owned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The names by which a package goes of which advisories of that name may speak: some packages are
/// filed under another's.
pub fn filed_under(name: &str) -> Vec<String> {
    let mut all = names::signed(name);
    all.push(name.to_owned());
    all
}

/// The space in which a package of that purl meets advisories, in an image of that distribution.
/// `None`: nobody publishes about it.
pub fn space_of(purl: &Purl, distro: Option<&Distro>, book: &dyn Book) -> Option<Space> {
    let mut grounds = Grounds::new(distro, book, None);
    grounds.of(purl);
    Some(grounds.into_found().pop()?.meeting.ok()?.space)
}

/// Is a package of that type an operating system's, which means something only with its distribution?
pub fn is_system(kind: &str) -> bool {
    crate::spaces::is_system(kind)
}

fn walk<'q>(question: &'q Question<'q>, flaws: Option<&BTreeSet<String>>) -> Walk<'q> {
    let mut walk = Walk::new(question, false);
    if let Some(flaws) = flaws {
        walk.look_up_about(flaws);
    }
    walk
}
