//! What the applications of a runtime are called: by their repository, and where workloads of one
//! repository run different images, by their workload as well.
//!
//! A workload keeps the name that it has: nothing is called otherwise because something else comes or
//! goes. Only workloads of one name that do not run the same image any more part, and those whose image
//! is another one leave.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::Digest;
use sha2::{Digest as _, Sha256};

use crate::contract::Workload;
use crate::names;

/// Characters of a workload's part of a name.
const LONGEST: usize = 100;

/// A container whose image is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    pub(super) workload: &'a Workload,
    pub(super) repository: &'a str,
    pub(super) platform: &'a str,
    pub(super) digest: &'a Digest,
    /// The application that the workload was of until now.
    pub(super) held: Option<&'a str>,
}

/// The application of each. `running` says which image an application runs by now, for a platform.
pub(super) fn applications<'a>(
    told: &[Told<'a>],
    running: impl Fn(&str, &str) -> Option<&'a Digest>,
) -> Vec<String> {
    let mut groups: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (index, it) in told.iter().enumerate() {
        groups.entry((it.repository, it.platform)).or_default().push(index);
    }
    let mut applications = vec![String::new(); told.len()];
    for ((repository, platform), members) in groups {
        let mut crew = Crew::default();
        for it in members.iter().filter_map(|it| told.get(*it)) {
            crew.join(repository, it);
        }
        let images = crew.part(repository, |name| running(name, platform));
        for index in members {
            let (Some(it), Some(place)) = (told.get(index), applications.get_mut(index)) else {
                continue;
            };
            let name = crew.names.get(it.workload).map_or(repository, String::as_str);
            *place = match images.get(name) {
                Some(image) if *image != it.digest => format!("{name}@{}", it.digest.short()),
                _ => name.to_owned(),
            };
        }
    }
    applications
}

/// The workloads of a repository, for one platform.
#[derive(Default)]
struct Crew<'a> {
    names: BTreeMap<&'a Workload, String>,
    images: BTreeMap<&'a Workload, BTreeSet<&'a Digest>>,
}

impl<'a> Crew<'a> {
    fn join(&mut self, repository: &str, it: &Told<'a>) {
        let held = it.held.map(base).filter(|name| {
            name.strip_prefix(repository)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
        });
        let name = self.names.entry(it.workload).or_insert_with(|| repository.to_owned());
        if let Some(held) = held {
            held.clone_into(name);
        }
        self.images.entry(it.workload).or_default().insert(it.digest);
    }

    /// Gives a name of their own to those that run something else than the others of their name. Says
    /// which image each name has.
    fn part(
        &mut self,
        repository: &str,
        running: impl Fn(&str) -> Option<&'a Digest>,
    ) -> BTreeMap<String, &'a Digest> {
        let mut by_name: BTreeMap<String, Vec<&'a Workload>> = BTreeMap::new();
        for (workload, name) in &self.names {
            by_name.entry(name.clone()).or_default().push(*workload);
        }
        let mut images = BTreeMap::new();
        let mut leaving = Vec::new();
        for (name, workloads) in by_name {
            let runs = |workload: &&Workload, digest: &Digest| {
                self.images.get(workload).is_some_and(|it| it.contains(digest))
            };
            let first = || self.images.get(workloads.first()?)?.first().copied();
            let ran = running(&name).filter(|it| workloads.iter().any(|who| runs(who, it)));
            let Some(image) = ran.or_else(first) else { continue };
            leaving.extend(workloads.iter().filter(|it| !runs(it, image)).copied());
            images.insert(name, image);
        }
        for workload in leaving {
            let free = own(repository, workload).into_iter().find(|it| !images.contains_key(it));
            let (Some(name), Some(all)) = (free, self.images.get(workload)) else { continue };
            let ran = running(&name).filter(|it| all.contains(it));
            let Some(image) = ran.or_else(|| all.first().copied()) else { continue };
            images.insert(name.clone(), image);
            self.names.insert(workload, name);
        }
        images
    }
}

/// The name that an image was added to, if one was.
fn base(application: &str) -> &str {
    match application.rsplit_once('@') {
        Some((base, short)) if short.bytes().all(|it| it.is_ascii_hexdigit()) => base,
        _ => application,
    }
}

/// The names that a workload may have of its own, the shortest first; the last one nobody else has.
fn own(repository: &str, workload: &Workload) -> Vec<String> {
    let clean = |text: &str| -> String {
        let text = names::told(text).replace(['@', '#'], "_");
        text.chars().take(LONGEST).collect()
    };
    let Workload { name, container, kind, namespace } = workload;
    let [name, container, kind, namespace] = [name, container, kind, namespace].map(|it| clean(it));
    let sum = sum(&workload.canonical());
    vec![
        format!("{repository}#{name}"),
        format!("{repository}#{name}/{container}"),
        format!("{repository}#{namespace}/{name}/{container}"),
        format!("{repository}#{namespace}/{kind}/{name}/{container}"),
        format!("{repository}#{sum}"),
    ]
}

/// By which a text is told from others, in few letters.
pub(super) fn sum(text: &str) -> String {
    let mut sum = String::with_capacity(32);
    for byte in Sha256::digest(text).iter().take(16) {
        let _ = write!(sum, "{byte:02x}");
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes `web=1 worker=1,2`, a round after the other, and says which application has which image.
    fn check(rounds: &[(&str, &str)]) {
        let mut held: BTreeMap<Workload, String> = BTreeMap::new();
        let mut running: BTreeMap<String, Digest> = BTreeMap::new();
        for (said, expect) in rounds {
            let mut all = Vec::new();
            for part in said.split_whitespace() {
                let (name, digits) = part.split_once('=').unwrap();
                let workload = Workload { name: name.to_owned(), ..Workload::default() };
                for digit in digits.split(',') {
                    let digest = Digest::from_sha256(&[digit.parse().unwrap(); 32]);
                    all.push((workload.clone(), digest));
                }
            }
            let told: Vec<Told<'_>> = all
                .iter()
                .map(|(workload, digest)| Told {
                    workload,
                    repository: "r",
                    platform: "p",
                    digest,
                    held: held.get(workload).map(String::as_str),
                })
                .collect();
            let named = applications(&told, |name, _| running.get(name));
            let mut now: BTreeMap<String, Digest> = BTreeMap::new();
            for (name, (_, digest)) in named.iter().zip(&all) {
                let former = now.insert(name.clone(), digest.clone());
                assert!(former.is_none_or(|it| it == *digest), "{name} has two images");
            }
            held = all.iter().map(|it| it.0.clone()).zip(named.clone()).collect();
            let shown: Vec<String> = now
                .iter()
                .map(|(name, digest)| format!("{name}={}", digest.hex().get(1..2).unwrap()))
                .collect();
            assert_eq!(shown.join(" "), *expect, "{said}");
            running = now;
        }
    }

    #[test]
    fn a_repository_is_the_name_while_all_run_one_image() {
        check(&[("web=1 worker=1", "r=1"), ("web=2 worker=2", "r=2"), ("worker=3", "r=3")]);
    }

    #[test]
    fn who_runs_something_else_leaves_and_does_not_come_back() {
        check(&[
            ("web=1 worker=1", "r=1"),
            ("web=2 worker=1", "r=1 r#web=2"),
            ("web=2 worker=2", "r=2 r#web=2"),
            ("web=3 worker=2", "r=2 r#web=3"),
            ("web=3", "r#web=3"),
            ("web=3 worker=3", "r=3 r#web=3"),
        ]);
    }

    #[test]
    fn from_the_first_the_smallest_has_the_name() {
        check(&[("worker=2 web=1", "r=1 r#worker=2"), ("web=3 worker=4", "r=3 r#worker=4")]);
    }

    #[test]
    fn of_one_that_is_rolled_out_the_former_keeps_the_name() {
        let two = format!("r=1 r@{}=2", "02".repeat(6));
        check(&[("web=1", "r=1"), ("web=1,2", &two), ("web=2", "r=2")]);
    }

    #[test]
    fn whatever_workloads_are_called_their_names_are_told_apart() {
        let workload = |namespace: &str, kind: &str, name: &str, container: &str| Workload {
            namespace: namespace.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            container: container.to_owned(),
        };
        let long = "x".repeat(3_000);
        let all = [
            workload("a", "k", "web", "c"),
            workload("b", "k", "web", "c"),
            workload("b", "l", "web", "c"),
            workload("b", "k", "web", "d"),
            workload("", "", "", ""),
            workload(&long, &long, &long, &long),
            workload(&long, &long, &long, &(long.clone() + "y")),
            workload("@", "#", "\0", "\u{202e}"),
        ];
        let digests: Vec<Digest> =
            (0..).zip(&all).map(|(it, _)| Digest::from_sha256(&[it; 32])).collect();
        let told: Vec<Told<'_>> = all
            .iter()
            .zip(&digests)
            .map(|(workload, digest)| Told {
                workload,
                repository: "r",
                platform: "p",
                digest,
                held: None,
            })
            .collect();
        let named = applications(&told, |_, _| None);
        let different: BTreeSet<&String> = named.iter().collect();
        assert_eq!(different.len(), all.len(), "{named:?}");
        assert!(named.iter().all(|it| it.chars().count() <= 2 + 4 * (LONGEST + 1)), "{named:?}");
    }
}
