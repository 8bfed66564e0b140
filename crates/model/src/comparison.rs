//! A comparison: what is different between two analyses, package by package and finding by finding.

use serde::{Deserialize, Serialize};

use crate::{Basis, Digest, Distro, Fix, Gap, Level, Platform, Purl, Space};

/// What `after` has more, less and otherwise than `before`.
///
/// What is looked at stands on the side of `after`; what it is held against, on that of `before`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What it is held against.
    pub before: Side,
    /// What is looked at.
    pub after: Side,
    /// Every package that is not the same on both sides, and those of the same version that a finding
    /// below is about. Sorted by type and name.
    pub packages: Vec<PackageChange>,
    /// How many packages are the same on both sides.
    pub unchanged_packages: usize,
    /// Every finding of either side: what is different first, the worst of it first.
    pub findings: Vec<FindingChange>,
}

impl Comparison {
    /// How many packages went that way; of the unchanged ones only those that are told.
    pub fn packages_that(&self, way: Way) -> impl Iterator<Item = &PackageChange> {
        self.packages.iter().filter(move |it| it.way == way)
    }

    /// The findings of that fate.
    pub fn findings_that(&self, fate: Fate) -> impl Iterator<Item = &FindingChange> {
        self.findings.iter().filter(move |it| it.fate == fate)
    }

    /// Has something come that was not there, or was out of the way? What may have come counts: a
    /// hole is not read as good news.
    pub fn is_worse(&self) -> bool {
        self.findings.iter().any(|it| {
            let counts = |seen: Option<&Seen>| seen.is_some_and(|it| !it.suppressed);
            counts(it.after.as_ref()) && !counts(it.before.as_ref())
        })
    }

    /// Is any package another one?
    pub fn has_other_packages(&self) -> bool {
        self.packages.iter().any(|it| it.way != Way::Unchanged)
    }
}

/// One of the two that are compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// As it was asked for.
    pub name: String,
    /// What kind of subject it is.
    pub kind: SideKind,
    /// Digest of an image's manifest.
    pub digest: Option<Digest>,
    /// Tags that lead to it, where known.
    pub tags: Vec<String>,
    /// What an image is made for.
    pub platform: Option<Platform>,
    /// What it is built on.
    pub distro: Option<Distro>,
    /// The image it was built from, where it says so itself.
    pub base: Option<String>,
    /// Bytes of all layers as stored, where known.
    pub size: Option<u64>,
    /// How many packages are in it.
    pub packages: usize,
    /// How many findings it has of each level.
    pub counts: Counts,
    /// Everything that could not be told of it, sorted, each once.
    pub gaps: Vec<Gap>,
    /// The advisories it rests on.
    pub basis: Basis,
}

/// What kind of subject a side is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SideKind {
    /// An image.
    #[default]
    Image,
    /// A directory or a file.
    Directory,
    /// A document.
    Document,
}

/// How many findings there are of each level; those that a statement takes out of the way are counted
/// apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// 9.0 and more.
    pub critical: usize,
    /// 7.0 to 8.9.
    pub high: usize,
    /// 4.0 to 6.9.
    pub medium: usize,
    /// 0.1 to 3.9.
    pub low: usize,
    /// Nobody says.
    pub unspecified: usize,
    /// Out of the way, of whatever level.
    pub suppressed: usize,
}

impl Counts {
    /// One more.
    pub fn add(&mut self, level: Level, suppressed: bool) {
        *match level {
            _ if suppressed => &mut self.suppressed,
            Level::Critical => &mut self.critical,
            Level::High => &mut self.high,
            Level::Medium => &mut self.medium,
            Level::Low => &mut self.low,
            Level::Unspecified => &mut self.unspecified,
        } += 1;
    }

    /// How many of that level.
    pub fn of(&self, level: Level) -> usize {
        match level {
            Level::Critical => self.critical,
            Level::High => self.high,
            Level::Medium => self.medium,
            Level::Low => self.low,
            Level::Unspecified => self.unspecified,
        }
    }
}

/// A package as it was and as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageChange {
    /// What became of it.
    pub way: Way,
    /// As it was; `None`: it was not there.
    pub before: Option<Purl>,
    /// As it is; `None`: it is not there.
    pub after: Option<Purl>,
    /// Why it cannot be told which of two versions is the later one.
    pub unordered: Option<String>,
    /// The hole on the other side that it may be hidden in.
    pub doubt: Option<Gap>,
}

impl PackageChange {
    /// Its name in the world as it is, or else as it was.
    pub fn purl(&self) -> Option<&Purl> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// What became of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has a later version.
    Upgraded,
    /// It has an earlier version.
    Downgraded,
    /// It has another version, or is another distribution's, and neither is the later one.
    Changed,
    /// It is on one side alone, and the other side has a hole that it may be hidden in.
    Unclear,
    /// It has the same version.
    Unchanged,
}

/// A flaw of a package as it was and as it is. The same flaw in another version of the package is the
/// same finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingChange {
    /// What became of it.
    pub fate: Fate,
    /// The name it goes by: the CVE where there is one.
    pub id: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// What the advisory speaks of: the source package's name, or the package's full name.
    pub name: String,
    /// One line. Empty where texts were not asked for.
    pub title: String,
    /// Numbers into `packages` of the comparison, ascending: on either side.
    pub packages: Vec<usize>,
    /// As it was; `None`: it was not found.
    pub before: Option<Seen>,
    /// As it is; `None`: it is not found.
    pub after: Option<Seen>,
    /// What is different about it, where it is on both sides.
    pub aspects: Vec<Aspect>,
    /// The hole on the other side that it may be hidden in.
    pub doubt: Option<Gap>,
}

impl FindingChange {
    /// As it is, or else as it was.
    pub fn seen(&self) -> Option<&Seen> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// How bad it is, or else was.
    pub fn level(&self) -> Level {
        self.seen().map_or(Level::Unspecified, |it| it.level)
    }
}

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is new.
    Introduced,
    /// It is on one side alone, and the other side has a hole that it may be hidden in.
    Unclear,
    /// It is gone.
    Fixed,
    /// It is still there, and is told otherwise.
    Changed,
    /// It is still there.
    Unchanged,
}

impl Fate {
    /// `introduced`, `unclear`, `fixed`, `changed`, `unchanged`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Introduced => "introduced",
            Self::Unclear => "unclear",
            Self::Fixed => "fixed",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A finding on one side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The version that was compared.
    pub version: String,
    /// Where package and advisory met.
    pub space: Space,
    /// How bad.
    pub level: Level,
    /// What can be done about it.
    pub fix: Fix,
    /// Known to be used in attacks.
    pub exploited: bool,
    /// The package itself is the attack.
    pub malicious: bool,
    /// The EPSS score, from 0 to 1.
    pub forecast: Option<f32>,
    /// A statement takes it out of the way.
    pub suppressed: bool,
}

/// What can be different about a finding that stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// How bad it is.
    Level,
    /// Whether there is a fix.
    Fix,
    /// Whether it is known to be used in attacks.
    Exploited,
    /// How likely that is, by ten in a hundred or more.
    Forecast,
    /// Whether a statement takes it out of the way.
    Suppressed,
}
