//! What a hole on one side may hide of what only the other side has.

use std::collections::{BTreeSet, HashMap, HashSet};

use ecosystem::order;
use model::{Finding, Gap, Package, Space, Subject};

use super::Half;
use super::packages::is_system;

/// The holes of one side that the other does not have: one that both have hides nothing new.
pub(super) struct Doubts<'a> {
    /// Of reading: any package may be in it.
    anything: Option<&'a Gap>,
    /// Any package of an operating system may be in it.
    system: Option<&'a Gap>,
    /// What lies at this path may be in it.
    paths: HashMap<&'a str, &'a Gap>,
    /// Of matching: flaws of packages that are there may be in it.
    matching: Vec<&'a Gap>,
    /// Types of packages there, but for those of operating systems.
    languages: BTreeSet<&'a str>,
    /// Its distribution, without a version.
    distribution: Option<&'a str>,
    /// By type and name, or their source's name: what is there.
    names: HashSet<(&'a str, &'a str)>,
}

impl<'a> Doubts<'a> {
    /// The holes of `half` that `other` does not have.
    pub(super) fn of(half: &'a Half<'_>, other: &Half<'_>) -> Self {
        let inventory = &half.analysis.inventory;
        let image = inventory.subject.image().map_or(&[][..], |it| &it.gaps);
        let of_reading: BTreeSet<&Gap> = inventory.gaps.iter().chain(image).collect();
        let mut doubts = Self {
            anything: None,
            system: None,
            paths: HashMap::new(),
            matching: Vec::new(),
            languages: BTreeSet::new(),
            distribution: inventory.distro.as_ref().map(|it| &*it.id),
            names: HashSet::with_capacity(inventory.packages.len()),
        };
        for package in &inventory.packages {
            let kind = package.purl.kind();
            if !is_system(kind) {
                doubts.languages.insert(kind);
            }
            doubts.names.insert((kind, package.purl.name()));
            doubts.names.extend(package.source.as_ref().map(|it| (kind, &*it.name)));
        }
        let distribution = inventory.distro.as_ref().map(model::Distro::qualifier);
        let is_document = matches!(inventory.subject, Subject::Document { .. });
        for gap in half.gaps.iter().filter(|it| other.gaps.binary_search(it).is_err()) {
            if !of_reading.contains(gap) {
                doubts.matching.push(gap);
            } else if is_document {
                // It does not say where its packages lie.
                doubts.anything.get_or_insert(gap);
            } else {
                doubts.place(gap, distribution.as_deref());
            }
        }
        doubts
    }

    /// Notes what a hole of reading may hide, by where it is.
    fn place(&mut self, gap: &'a Gap, distribution: Option<&str>) {
        let at = gap.at.trim_start_matches('/');
        if at.starts_with("attestation ") || at == "configuration" {
            // These say nothing about packages.
        } else if at.ends_with("os-release") || Some(at) == distribution {
            self.system.get_or_insert(gap);
        } else if at.contains('/') && !at.starts_with("layer ") && !at.ends_with(" more)") {
            self.paths.entry(at).or_insert(gap);
            // A package that is an archive hides with what is in it.
            if let Some((archive, _)) = at.split_once('!') {
                self.paths.entry(archive).or_insert(gap);
            }
        } else {
            self.anything.get_or_insert(gap);
        }
    }

    /// The hole that this package of the other side may be in.
    pub(super) fn about_package(&self, package: &Package) -> Option<&'a Gap> {
        let everywhere = self.anything.or(self.system.filter(|_| is_system(package.purl.kind())));
        if everywhere.is_some() || self.paths.is_empty() {
            return everywhere;
        }
        package.places.iter().find_map(|place| {
            let path = place.path.trim_start_matches('/');
            let folders = path.match_indices(['/', '!']).filter_map(|(end, _)| path.get(..end));
            folders.chain([path]).find_map(|it| self.paths.get(it).copied())
        })
    }

    /// The hole that a finding of the other side, about these packages of it, may be in. `paired`:
    /// another version of one of them is there.
    pub(super) fn about_finding(
        &self,
        finding: &Finding,
        packages: &[&Package],
        paired: bool,
    ) -> Option<&'a Gap> {
        if let Some(gap) = packages.iter().find_map(|it| self.about_package(it)) {
            return Some(gap);
        }
        let built = |it: &&Package| self.names.contains(&(it.purl.kind(), &*finding.name));
        // Of what is not there, everything is known.
        if !paired && !packages.iter().any(built) {
            return None;
        }
        self.matching.iter().copied().find(|gap| self.may_keep(gap, finding, packages))
    }

    /// May matching have kept the finding from us for that reason?
    fn may_keep(&self, gap: &Gap, finding: &Finding, packages: &[&Package]) -> bool {
        // `debian 12`, `type npm`, `2 packages of debian:12`, `1 advisory of osv about npm`.
        let (counted, label) = match gap.at.split_once(" of ") {
            Some((_, label)) => (true, label.split_once(" about ").map_or(label, |it| it.1)),
            None => (false, &*gap.at),
        };
        let label = label.strip_prefix("type ").unwrap_or(label);
        let family = label.split([' ', ':']).next().unwrap_or(label);
        // Of a system: it may be another one there, which has another name.
        let of_system = !self.languages.contains(family)
            && (self.distribution == Some(family) || order::of(&Space::of(family)).is_some());
        let concerned = packages.iter().any(|package| {
            let kind = package.purl.kind();
            family == kind || of_system && is_system(kind)
        });
        let named = || {
            let examples = gap.why.find(" (").and_then(|at| gap.why.get(at..)).unwrap_or(&gap.why);
            let mut flaws = finding.aliases.iter().chain([&finding.id, &finding.name]);
            flaws.any(|it| examples.contains(&**it))
                || packages.iter().any(|it| examples.contains(it.purl.name()))
        };
        // All that it is about are named, unless there are too many.
        concerned && (!counted || gap.why.ends_with("…)") || named())
    }
}
