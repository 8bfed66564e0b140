//! Two analyses become a comparison: packages are paired, then what is said about them, and what one
//! side cannot tell is never read as good news of it.

use std::collections::HashMap;

use model::{
    Analysis, Comparison, Counts, FindingChange, Gap, PackageChange, Side, SideKind, Subject, Way,
};

use crate::Filter;

mod doubt;
mod findings;
mod join;
mod packages;
#[cfg(test)]
mod tests;

use doubt::Doubts;
use findings::Told;
use packages::Pair;

/// What `after` has more, less and otherwise than `before`: what is looked at is `after`.
///
/// It depends on what the analyses say and not on the order in which they say it, and the other way
/// round it is its mirror image.
pub fn compare(before: &Analysis, after: &Analysis) -> Comparison {
    compare_wanted(before, after, &Filter::default())
}

/// The same, as far as `filter` wants to see it. The analyses must be whole: a finding that is of
/// another level now would look like a new one if its former self had been left out.
pub fn compare_wanted(before: &Analysis, after: &Analysis, filter: &Filter) -> Comparison {
    let (before, after) = (Half::new(before, filter), Half::new(after, filter));
    let hidden_after = Doubts::of(&after, &before);
    let hidden_before = Doubts::of(&before, &after);
    let pairs = packages::pair(before.analysis, after.analysis);
    let numbers = |of: fn(&Pair<'_>) -> Option<usize>| -> HashMap<usize, usize> {
        pairs.iter().enumerate().filter_map(|(number, it)| Some((of(it)?, number))).collect()
    };
    let paired = pairs.iter().filter(|it| it.before.is_some() && it.after.is_some()).count();
    let findings = findings::changes(
        &Told { half: &before, pairs: numbers(|it| it.before), doubts: &hidden_after },
        &Told { half: &after, pairs: numbers(|it| it.after), doubts: &hidden_before },
        paired,
    );

    // A package is told if it is another one, or if something that is told is about it.
    let mut is_told = vec![false; pairs.len()];
    for at in findings.iter().flat_map(|it| &it.packages) {
        is_told[*at] = true;
    }
    let mut unchanged_packages = 0;
    let mut packages = Vec::new();
    for (number, pair) in pairs.iter().enumerate() {
        let wanted = before.wants(pair.before) || after.wants(pair.after);
        if pair.way == Way::Unchanged {
            unchanged_packages += usize::from(wanted);
        } else if wanted {
            is_told[number] = true;
        }
        if is_told[number] {
            let doubt = match pair.way {
                Way::Removed => before.package(pair.before, &hidden_after),
                Way::Added => after.package(pair.after, &hidden_before),
                _ => None,
            };
            packages.push((number, pair.told(doubt)));
        }
    }
    in_order(&before, &after, packages, unchanged_packages, findings)
}

/// An analysis, with what is wanted of it and what it cannot tell.
struct Half<'a> {
    analysis: &'a Analysis,
    /// Of each package: is it wanted?
    packages: Vec<bool>,
    /// Of each finding.
    findings: Vec<bool>,
    gaps: Vec<Gap>,
}

impl<'a> Half<'a> {
    fn new(analysis: &'a Analysis, filter: &Filter) -> Self {
        let inventory = &analysis.inventory;
        let packages: Vec<bool> =
            inventory.packages.iter().map(|it| filter.wants_package(it)).collect();
        let findings = analysis
            .findings
            .iter()
            .map(|it| filter.keeps(it, &inventory.packages, &packages))
            .collect();
        let image = inventory.subject.image().map_or(&[][..], |it| &it.gaps);
        let mut gaps: Vec<Gap> = image.iter().chain(analysis.all_gaps()).cloned().collect();
        gaps.sort();
        gaps.dedup();
        Self { analysis, packages, findings, gaps }
    }

    fn wants(&self, package: Option<usize>) -> bool {
        package.and_then(|it| self.packages.get(it)).copied().unwrap_or(false)
    }

    /// The hole that this package may be in on the other side.
    fn package(&self, package: Option<usize>, doubts: &Doubts<'_>) -> Option<Gap> {
        let package = self.analysis.inventory.packages.get(package?)?;
        doubts.about_package(package).cloned()
    }

    fn side(&self) -> Side {
        let Analysis { inventory, findings, basis, .. } = self.analysis;
        let mut counts = Counts::default();
        for (finding, _) in findings.iter().zip(&self.findings).filter(|(_, wanted)| **wanted) {
            counts.add(finding.level, finding.suppressed());
        }
        let image = inventory.subject.image();
        Side {
            name: inventory.subject.name().to_owned(),
            kind: match inventory.subject {
                Subject::Image(_) => SideKind::Image,
                Subject::Directory { .. } => SideKind::Directory,
                Subject::Document { .. } => SideKind::Document,
            },
            digest: image.and_then(|it| it.digest.clone()),
            tags: image.map(|it| it.tags.clone()).unwrap_or_default(),
            platform: image.map(|it| it.platform.clone()),
            distro: inventory.distro.clone(),
            base: image.and_then(model::ImageDescription::base).map(|it| it.name),
            size: image.map(|it| it.size).filter(|it| *it > 0),
            packages: self.packages.iter().filter(|it| **it).count(),
            counts,
            gaps: self.gaps.clone(),
            basis: basis.clone(),
        }
    }
}

/// All of it, with packages by their places in it in place of pairs.
fn in_order(
    before: &Half<'_>,
    after: &Half<'_>,
    mut packages: Vec<(usize, PackageChange)>,
    unchanged_packages: usize,
    mut findings: Vec<FindingChange>,
) -> Comparison {
    put_in_order(&mut packages, &mut findings);
    let packages = packages.into_iter().map(|(_, change)| change).collect();
    let (before, after) = (before.side(), after.side());
    Comparison { before, after, packages, unchanged_packages, findings }
}

/// Packages by type, name and versions; findings by fate, and the worst first.
fn put_in_order(packages: &mut [(usize, PackageChange)], findings: &mut [FindingChange]) {
    packages.sort_by(|(_, left), (_, right)| {
        (name(left).cmp(&name(right)))
            .then_with(|| (&left.after, &left.before).cmp(&(&right.after, &right.before)))
    });
    let places: HashMap<usize, usize> =
        packages.iter().enumerate().map(|(place, (number, _))| (*number, place)).collect();
    for change in &mut *findings {
        for at in &mut change.packages {
            *at = places[at];
        }
        change.packages.sort_unstable();
    }
    findings.sort_by(|left, right| {
        (left.fate, right.level())
            .cmp(&(right.fate, left.level()))
            .then_with(|| (&left.id, &left.name).cmp(&(&right.id, &right.name)))
            .then_with(|| versions(left).cmp(&versions(right)))
            .then_with(|| left.packages.cmp(&right.packages))
    });
}

fn name(change: &PackageChange) -> Option<(&str, Option<&str>, &str)> {
    change.purl().map(|it| (it.kind(), it.namespace(), it.name()))
}

fn versions(change: &FindingChange) -> (Option<&str>, Option<&str>) {
    (change.after.as_ref().map(|it| &*it.version), change.before.as_ref().map(|it| &*it.version))
}
