//! Events of one thing, put together: a flaw is told once, in however many images and packages it is.

use std::collections::{BTreeMap, BTreeSet};

use model::{Level, Moment, Topic};
use serde::{Deserialize, Serialize};

use super::heard::{Heard, Package};

/// Of each group so much is remembered by name; how much it is, is counted.
const NAMED: usize = 20;
/// Images of one environment that a group remembers, and of all.
const IMAGES: usize = 8;
const ALL_IMAGES: usize = 64;
/// Environments that are remembered of one of many groups.
const ENVIRONMENTS: usize = 20;
/// Groups that are remembered by name, the worst of them; the others are counted.
const GROUPS: usize = 200;

/// Events of one thing, by one topic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    /// The topic's name.
    pub(crate) topic: String,
    /// The kind of the last event.
    pub(crate) kind: String,
    /// The flaw, the environment, the tag.
    pub(crate) about: String,
    pub(crate) level: Option<Level>,
    /// The best level that it had before.
    #[serde(default)]
    pub(crate) former: Option<Level>,
    #[serde(default)]
    pub(crate) exploited: bool,
    /// So many events.
    pub(crate) count: u64,
    /// The ids of the first of them.
    #[serde(default)]
    pub(crate) events: BTreeSet<String>,
    pub(crate) at: Option<Moment>,
    #[serde(default)]
    pub(crate) environments: BTreeMap<String, Part>,
    #[serde(default)]
    pub(crate) packages: BTreeMap<String, Mended>,
    /// So many packages are not among them.
    #[serde(default)]
    pub(crate) more_packages: u64,
    /// So many images are remembered.
    #[serde(default)]
    images: usize,
    /// Is it in use, is it not, can nobody tell?
    #[serde(default)]
    pub(crate) in_use: [bool; 3],
    /// May it be in none of the repositories that are asked for?
    #[serde(default)]
    pub(crate) is_maybe_elsewhere: bool,
    /// What there is to say of the events of other topics, a line each.
    #[serde(default)]
    pub(crate) lines: Vec<String>,
    /// So many lines are not among them.
    #[serde(default)]
    pub(crate) more_lines: u64,
}

/// A group in one environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// In so many images, as far as one event tells.
    pub(crate) images: u64,
    pub(crate) digests: BTreeSet<String>,
}

/// A package, `openssl 3.0.1`, and what mends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mended {
    pub(crate) name: String,
    pub(crate) fixed: Option<String>,
}

/// What of a group is said on a line, if its topic is about no flaw.
pub(super) fn line(heard: &Heard) -> String {
    super::lines::line(heard)
}

impl Group {
    /// Under which name the events of a topic are put together.
    pub(crate) fn subject(topic: &Topic, heard: &Heard) -> String {
        match topic.id {
            // What happens in an environment is told together.
            "environment-changed" | "evaluation-incomplete" => {
                heard.environment.clone().unwrap_or_else(|| heard.about.clone())
            }
            _ => heard.about.clone(),
        }
    }

    pub(crate) fn new(topic: &Topic, about: String) -> Self {
        Self { topic: topic.id.to_owned(), about, ..Self::default() }
    }

    /// One more event.
    pub(crate) fn add(&mut self, topic: &Topic, heard: &Heard, is_maybe_elsewhere: bool) {
        heard.kind.as_str().clone_into(&mut self.kind);
        self.level = self.level.max(heard.level);
        self.former = match (self.former, heard.former) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        };
        self.exploited |= heard.exploited;
        self.count += 1;
        self.at = self.at.max(Some(heard.at));
        if self.events.len() < NAMED {
            self.events.insert(heard.id.clone());
        }
        if let Some(environment) = &heard.environment {
            let part = self.environments.entry(environment.clone()).or_default();
            part.images = part.images.max(heard.images);
            for digest in &heard.digests {
                if part.digests.len() >= IMAGES || self.images >= ALL_IMAGES {
                    break;
                }
                self.images += usize::from(part.digests.insert(digest.clone()));
            }
        }
        if let Some(package) = &heard.package {
            self.add_package(package);
        }
        self.is_maybe_elsewhere |= is_maybe_elsewhere;
        if topic.of_flaws {
            let told = match heard.in_use {
                Some(true) => 0,
                Some(false) => 1,
                None => 2,
            };
            if let Some(it) = self.in_use.get_mut(told) {
                *it = true;
            }
        } else {
            self.add_line(line(heard));
        }
    }

    fn add_line(&mut self, line: String) {
        if self.lines.contains(&line) {
            return;
        }
        if self.lines.len() < NAMED {
            self.lines.push(line);
        } else {
            self.more_lines += 1;
        }
    }

    fn add_package(&mut self, package: &Package) {
        let key = format!("{} {}", package.name, package.version).trim().to_owned();
        if self.packages.contains_key(&key) || self.packages.len() < NAMED {
            let mended = Mended { name: package.name.clone(), fixed: package.fixed.clone() };
            self.packages.insert(key, mended);
        } else {
            self.more_packages += 1;
        }
    }

    /// What another look found of the same thing.
    fn join(&mut self, other: Self) {
        self.kind = other.kind;
        self.level = self.level.max(other.level);
        self.former = match (self.former, other.former) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        };
        self.exploited |= other.exploited;
        self.count += other.count;
        self.at = self.at.max(other.at);
        self.is_maybe_elsewhere |= other.is_maybe_elsewhere;
        for id in other.events {
            if self.events.len() < NAMED {
                self.events.insert(id);
            }
        }
        for (name, part) in other.environments {
            let it = self.environments.entry(name).or_default();
            it.images = it.images.max(part.images);
            for digest in part.digests {
                if it.digests.len() < IMAGES && self.images < ALL_IMAGES {
                    self.images += usize::from(it.digests.insert(digest));
                }
            }
        }
        for (key, mended) in other.packages {
            if self.packages.contains_key(&key) || self.packages.len() < NAMED {
                self.packages.insert(key, mended);
            } else {
                self.more_packages += 1;
            }
        }
        self.more_packages += other.more_packages;
        for (to, from) in self.in_use.iter_mut().zip(other.in_use) {
            *to |= from;
        }
        for line in other.lines {
            self.add_line(line);
        }
        self.more_lines += other.more_lines;
    }

    /// The worst first.
    fn rank(&self) -> Rank<'_> {
        let rank = (self.exploited, self.level, self.environments.len());
        (std::cmp::Reverse(rank), &self.topic, &self.about)
    }
}

/// By which groups are ordered: used in attacks, how bad, in how many environments, then by name.
type Rank<'a> = (std::cmp::Reverse<(bool, Option<Level>, usize)>, &'a str, &'a str);

/// How many there are of each level.
type Levels = Vec<(Option<Level>, u64)>;

/// Much that is told together: the worst of it by name, and all of it in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gathered {
    /// The worst, the worst first.
    pub(crate) groups: Vec<Group>,
    /// The others: how many there are of each topic and level.
    #[serde(default)]
    pub(crate) others: BTreeMap<String, BTreeMap<String, u64>>,
    /// In how many groups each environment is, of all.
    #[serde(default)]
    pub(crate) environments: BTreeMap<String, u64>,
    /// So many of all are of flaws that are known to be exploited.
    #[serde(default)]
    pub(crate) exploited: u64,
    /// So many events.
    #[serde(default)]
    pub(crate) events: u64,
}

impl Gathered {
    pub(crate) fn of(groups: impl IntoIterator<Item = Group>) -> Self {
        let mut gathered = Self::default();
        gathered.add(groups);
        gathered
    }

    /// More of it: of what is there by name already, it is the same thing.
    pub(crate) fn add(&mut self, groups: impl IntoIterator<Item = Group>) {
        let mut known: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (number, it) in self.groups.iter().enumerate() {
            known.insert((it.topic.clone(), it.about.clone()), number);
        }
        for group in groups {
            self.events += group.count;
            let key = (group.topic.clone(), group.about.clone());
            let former = known.get(&key).and_then(|it| self.groups.get_mut(*it));
            let known_in = |name: &String| {
                former.as_ref().is_some_and(|it| it.environments.contains_key(name))
            };
            for name in group.environments.keys().filter(|it| !known_in(it)) {
                *self.environments.entry(name.clone()).or_default() += 1;
            }
            if let Some(former) = former {
                self.exploited += u64::from(group.exploited && !former.exploited);
                former.join(group);
            } else {
                self.exploited += u64::from(group.exploited);
                known.insert(key, self.groups.len());
                self.groups.push(group);
            }
        }
        if self.groups.len() > 1 {
            // Of many, nobody is told where each image runs.
            for group in &mut self.groups {
                group.images = 0;
                for part in group.environments.values_mut() {
                    part.digests.clear();
                }
                while group.environments.len() > ENVIRONMENTS {
                    group.environments.pop_last();
                }
            }
        }
        self.groups.sort_by(|left, right| left.rank().cmp(&right.rank()));
        for group in self.groups.split_off(self.groups.len().min(GROUPS)) {
            let level = group.level.map_or("", Level::as_str).to_owned();
            *self.others.entry(group.topic).or_default().entry(level).or_default() += 1;
        }
    }

    /// How many there are of each topic and level, of all; the worst level first.
    pub(crate) fn counts(&self) -> Vec<(&'static Topic, Levels)> {
        let mut all = Vec::new();
        for topic in Topic::ALL {
            let others = self.others.get(topic.id);
            let mut levels = Vec::new();
            for level in Level::ALL.into_iter().map(Some).chain([None]) {
                let word = level.map_or("", Level::as_str);
                let there =
                    self.groups.iter().filter(|it| it.topic == topic.id && it.level == level);
                let beyond = others.and_then(|it| it.get(word)).copied().unwrap_or_default();
                let count = there.count() as u64 + beyond;
                if count > 0 {
                    levels.push((level, count));
                }
            }
            if !levels.is_empty() {
                all.push((topic, levels));
            }
        }
        all
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        let others: u64 = self.others.values().flat_map(BTreeMap::values).sum();
        self.groups.len() as u64 + others
    }

    pub(crate) fn worst(&self) -> Option<Level> {
        self.groups.iter().filter_map(|it| it.level).max()
    }
}
