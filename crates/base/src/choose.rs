//! Which tags of a base image's repository are worth a look: few, of the same family.

use std::collections::BTreeMap;

use crate::tag::{System, Tag};

/// What a tag has that the present one has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A later build of the same.
    Build,
    /// A later patch.
    Patch,
    /// A later minor version.
    Minor,
    /// A later major version.
    Major,
    /// A later version of the system.
    System,
    /// Less in it.
    Slimmer,
}

impl Step {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "later build",
            Self::Patch => "patch version update",
            Self::Minor => "minor version update",
            Self::Major => "major version update",
            Self::System => "later version of its operating system",
            Self::Slimmer => "slim variant",
        }
    }
}

/// A tag that is worth a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The tag.
    pub tag: String,
    /// In what it differs, at least one.
    pub steps: Vec<Step>,
}

/// Tags that are worth a look in place of `current`: the same family and precision, released; the latest of
/// each kind of step, as it is and slimmer.
pub fn choose<'a>(current: &str, tags: impl IntoIterator<Item = &'a str>) -> Vec<Choice> {
    let Some(here) = Tag::read(current) else { return Vec::new() };
    // By what is different; of each the best one that was seen.
    let mut best: BTreeMap<(Option<Step>, bool), (Rank, &str)> = BTreeMap::new();
    for text in tags {
        if text == current {
            continue;
        }
        let Some(tag) = Tag::read(text) else { continue };
        let Some(step) = here.step_to(&tag) else { continue };
        let rank = here.rank(&tag, text);
        let place = best.entry((step.of_version, tag.slim)).or_insert_with(|| (rank.clone(), text));
        if place.0 < rank {
            *place = (rank, text);
        }
    }
    let choice = |(_, text): (Rank, &str)| {
        let steps = here.step_to(&Tag::read(text)?)?.all();
        (!steps.is_empty()).then(|| Choice { tag: text.to_owned(), steps })
    };
    best.into_values().filter_map(choice).collect()
}

/// How good a tag is among those of the same step: by version, system and day; the same system goes before
/// a later one of an equal version, and of equal ones the shortest.
type Rank = (Vec<u64>, bool, Vec<u64>, Option<u64>, std::cmp::Reverse<(usize, String)>);

struct Steps {
    of_version: Option<Step>,
    system: bool,
    slimmer: bool,
}

impl Steps {
    fn all(&self) -> Vec<Step> {
        let mut all: Vec<Step> = self.of_version.into_iter().collect();
        all.extend(self.system.then_some(Step::System).filter(|it| !all.contains(it)));
        all.extend(self.slimmer.then_some(Step::Slimmer));
        all
    }
}

impl Tag {
    /// What is different in `other`; `None` where it is no other one of the same family, or an earlier one.
    fn step_to(&self, other: &Self) -> Option<Steps> {
        let same_family = self.words == other.words
            && self.version.len() == other.version.len()
            && self.day.is_some() == other.day.is_some()
            && (self.early || !other.early)
            && (other.slim || !self.slim);
        if !same_family {
            return None;
        }
        let system = match (&self.system, &other.system) {
            (None, None) => false,
            (Some(here), Some(there)) if here.name == there.name => {
                if here.version.len() != there.version.len() || there.version < here.version {
                    return None;
                }
                here.version < there.version
            }
            _ => return None,
        };
        // Whoever numbers years in one tag and versions in another numbers two things.
        let scheme = |it: &[u64]| it.first().is_some_and(|it| *it >= 1000);
        if scheme(&self.version) != scheme(&other.version) {
            return None;
        }
        let differs =
            self.version.iter().zip(&other.version).position(|(here, there)| here != there);
        let of_version = match differs {
            Some(at) if other.version.get(at) < self.version.get(at) => return None,
            Some(0) => Some(Step::Major),
            Some(1) => Some(Step::Minor),
            Some(_) => Some(Step::Patch),
            None if system => Some(Step::System),
            None if other.day > self.day => Some(Step::Build),
            None if other.day < self.day => return None,
            None => None,
        };
        Some(Steps { of_version, system, slimmer: other.slim && !self.slim })
    }

    fn rank(&self, other: &Self, text: &str) -> Rank {
        let version = |it: &Option<System>| it.as_ref().map(|it| it.version.clone());
        let same = version(&self.system) == version(&other.system);
        let system = version(&other.system).unwrap_or_default();
        let short = std::cmp::Reverse((text.len(), text.to_owned()));
        (other.version.clone(), same, system, other.day, short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(current: &str, tags: &str, expect: &str) {
        let choices = choose(current, tags.split_whitespace());
        let shown = choices.iter().map(|it| {
            let steps: Vec<String> = it.steps.iter().map(|it| format!("{it:?}")).collect();
            format!("{}: {}", it.tag, steps.join(" "))
        });
        assert_eq!(shown.collect::<Vec<_>>().join("; "), expect, "{current}");
    }

    #[test]
    fn few_and_of_the_same_family() {
        let python = "3.9-slim 3.11 3.11-slim 3.11.4-slim 3.12 3.12-slim 3.13-slim 3.13 3.14-rc-slim \
                      3.14.0b1-slim 4-slim 3 latest 3.12-alpine 3.12-slim-bookworm windowsservercore";
        check("3.11-slim", python, "3.13-slim: Minor");
        check("3.11", python, "3.11-slim: Slimmer; 3.13: Minor; 3.13-slim: Minor Slimmer");
        check("3.14-rc-slim", python, "");
        let debian = "10 11 12 12.1 11-slim 12-slim bookworm bookworm-slim bullseye trixie sid \
                      20240110 bookworm-20240110";
        check("11-slim", debian, "12-slim: Major");
        check("bullseye", debian, "trixie: System; bookworm-slim: System Slimmer");
        check("bookworm-20230101", debian, "bookworm-20240110: Build");
        let nginx =
            "1.26-alpine3.19 1.26-alpine3.20 1.27-alpine3.20 1.27-alpine3.19 1.27-alpine 2-alpine";
        check("1.26-alpine3.19", nginx, "1.27-alpine3.19: Minor; 1.26-alpine3.20: System");
        check(
            "1.26.1",
            "1.26.2 1.26.9 1.26.10 1.27.0 1.27.3 2.0.0 2.1.0 20240101.1.1 v3.0.0",
            "1.26.10: Patch; 1.27.3: Minor; v3.0.0: Major",
        );
        check("jdk-21", "jdk-17 jdk-23 jre-23 jdk-24-ea", "jdk-23: Major");
        check("latest", "slim 1 2 alpine latest", "slim: Slimmer");
        check("no tag", "1 2", "");
    }
}
