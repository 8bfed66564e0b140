//! What all reports have in common: findings in order and in groups, counts, gaps, and what it rests on.

use std::collections::{BTreeSet, HashMap};

use model::{Analysis, Basis, Finding, Gap, Level, Package, Space};

use crate::report::Options;

/// How many findings there are of each level. Those that a statement took out of the way are counted
/// apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    levels: [usize; Level::ALL.len()],
    pub(crate) suppressed: usize,
}

impl Tally {
    pub(crate) fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut tally = Self::default();
        for finding in findings {
            tally.add(finding);
        }
        tally
    }

    pub(crate) fn add(&mut self, finding: &Finding) {
        if finding.suppressed() {
            self.suppressed += 1;
        } else if let Some(count) = self.levels.get_mut(place(finding.level)) {
            *count += 1;
        }
    }

    pub(crate) fn count(&self, level: Level) -> usize {
        self.levels.get(place(level)).copied().unwrap_or_default()
    }

    /// Without the suppressed ones.
    pub(crate) fn total(&self) -> usize {
        self.levels.iter().sum()
    }

    /// Levels and their counts, worst first; that of nobody's word only when there are any.
    pub(crate) fn told(&self) -> impl Iterator<Item = (Level, usize)> {
        Level::ALL
            .into_iter()
            .map(|level| (level, self.count(level)))
            .filter(|(level, count)| *level != Level::Unspecified || *count > 0)
    }
}

/// Where a level stands in `Level::ALL`.
fn place(level: Level) -> usize {
    match level {
        Level::Critical => 0,
        Level::High => 1,
        Level::Medium => 2,
        Level::Low => 3,
        Level::Unspecified => 4,
    }
}

/// Findings about one thing: a package, or the binaries of one source.
pub(crate) struct Group<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    /// Numbers into the inventory's packages, ascending, all of them there.
    pub(crate) packages: Vec<usize>,
    pub(crate) findings: Vec<&'a Finding>,
    pub(crate) tally: Tally,
}

impl Group<'_> {
    fn likeliest(&self) -> f32 {
        self.findings.iter().map(|it| likelihood(it)).fold(-1.0, f32::max)
    }
}

fn likelihood(finding: &Finding) -> f32 {
    finding.forecast.as_ref().map_or(-1.0, |it| it.score)
}

/// Findings in the order of reading: as they are, or the likeliest to be used in attacks first.
pub(crate) fn findings<'a>(analysis: &'a Analysis, options: &Options) -> Vec<&'a Finding> {
    let mut findings: Vec<&Finding> = analysis.findings.iter().collect();
    if options.epss {
        findings.sort_by(|left, right| likelihood(right).total_cmp(&likelihood(left)));
    }
    findings
}

/// The same, by what they are about: worst first, or likeliest first.
pub(crate) fn groups<'a>(analysis: &'a Analysis, options: &Options) -> Vec<Group<'a>> {
    let mut numbers: HashMap<(&Space, &str, &str), usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for finding in findings(analysis, options) {
        let key = (&finding.space, finding.name.as_str(), finding.version.as_str());
        let number = *numbers.entry(key).or_insert_with(|| {
            groups.push(Group {
                name: &finding.name,
                version: &finding.version,
                packages: Vec::new(),
                findings: Vec::new(),
                tally: Tally::default(),
            });
            groups.len() - 1
        });
        let Some(group) = groups.get_mut(number) else { continue };
        group.tally.add(finding);
        group.findings.push(finding);
        group.packages.extend(&finding.packages);
    }
    let there = analysis.inventory.packages.len();
    for group in &mut groups {
        group.packages.retain(|it| *it < there);
        group.packages.sort_unstable();
        group.packages.dedup();
    }
    groups.sort_by(|left, right| {
        let first = if options.epss {
            right.likeliest().total_cmp(&left.likeliest())
        } else {
            right.tally.levels.cmp(&left.tally.levels)
        };
        first.then_with(|| (left.name, left.version).cmp(&(right.name, right.version)))
    });
    groups
}

/// The packages of a finding.
pub(crate) fn packages<'a>(
    analysis: &'a Analysis,
    finding: &'a Finding,
) -> impl Iterator<Item = &'a Package> {
    finding.packages.iter().filter_map(|it| analysis.inventory.packages.get(*it))
}

/// Every hole: of the image's description, of reading and of matching; each once.
pub(crate) fn gaps(analysis: &Analysis) -> Vec<&Gap> {
    let image = analysis.inventory.subject.image().map_or(&[][..], |it| &it.gaps);
    let mut seen = BTreeSet::new();
    image.iter().chain(analysis.all_gaps()).filter(|it| seen.insert(*it)).collect()
}

/// Is nothing known of what is inside? Then no package was found, and there is a hole through which they
/// may have fallen: a gap about all of the image, or one of reading it. Nothing is counted, for no number
/// would be true, and no gate stands open.
pub fn is_dark(analysis: &Analysis) -> bool {
    let inventory = &analysis.inventory;
    let image = inventory.subject.image();
    let is_torn = || !inventory.gaps.is_empty() || image.is_some_and(|it| !it.gaps.is_empty());
    let digest = image.and_then(|it| it.digest.as_ref());
    let about_all = |digest: &model::Digest| {
        analysis.gaps.iter().any(|gap| gap.at.rsplit('@').next() == Some(digest.as_str()))
    };
    inventory.packages.is_empty() && (is_torn() || digest.is_some_and(about_all))
}

/// What it rests on, in a sentence, and whether that should worry.
pub(crate) fn basis(basis: &Basis) -> (String, bool) {
    const HINT: &str = "run `foretop almanac update` for all of them";
    if basis.starter {
        return (
            format!(
                "rests on the built-in starter sheet alone, which knows only the best-known flaws: {HINT}"
            ),
            true,
        );
    }
    if basis.almanac.is_empty() {
        return (format!("rests on no advisories at all: {HINT}"), true);
    }
    let almanac = short(&basis.almanac);
    match &basis.current {
        Some(current) => {
            let day = current.get(..10).unwrap_or(current);
            (format!("rests on the advisories of {day} (almanac {almanac})"), false)
        }
        None => (format!("rests on advisories of unknown age (almanac {almanac})"), true),
    }
}

/// The first 12 digits of a digest.
pub(crate) fn short(digest: &str) -> &str {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.get(..12).unwrap_or(hex)
}
