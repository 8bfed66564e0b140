//! What was seen being loaded where images run.

use std::collections::{BTreeMap, BTreeSet};

use model::{Digest, Loaded, OrganisationId, Profile};

use super::kit::{acme, amd64, at, digest, inventory, rows};
use crate::{Container, RunsIn, SeenInUse, Snapshot, Store, Workload};

fn profile(name: &str) -> Profile {
    let loaded = Loaded { name: name.to_owned(), version: "1".to_owned(), ..Loaded::default() };
    Profile { packages: [loaded].into_iter().collect(), is_whole: true }
}

/// A runtime says that these run in an environment that it calls so.
async fn snap(
    store: &Store,
    whose: &OrganisationId,
    runtime: &str,
    environment: &str,
    digests: &[Digest],
    minute: i64,
) {
    let running = digests.iter().map(|digest| Container {
        workload: Workload { name: digest.short().to_owned(), ..Workload::default() },
        image: digest.to_string(),
        repository: None,
        tag: None,
        digest: digest.clone(),
        platform: None,
    });
    let snapshot = Snapshot {
        kind: "sysdig".to_owned(),
        agent: runtime.to_owned(),
        seen: at(minute).at,
        every: 1800,
        mark: format!("{runtime} {minute}"),
        environments: vec![RunsIn {
            environment: environment.to_owned(),
            running: running.collect(),
        }],
        make: true,
        gaps: Vec::new(),
    };
    store.snap(whose, &at(minute), runtime, &snapshot).await.unwrap();
}

async fn keep(
    store: &Store,
    whose: &OrganisationId,
    (runtime, environment): (&str, &str),
    minute: i64,
    told: &[(&Digest, &str)],
    is_all: bool,
) -> bool {
    let told: BTreeMap<String, Profile> =
        told.iter().map(|(digest, name)| (digest.to_string(), profile(name))).collect();
    let seen = at(minute).at;
    store.keep_in_use(whose, runtime, environment, seen, &told, is_all).await.unwrap()
}

/// Something of everything, for those who look into all tables.
pub(super) async fn fill(store: &Store, whose: &OrganisationId, word: &str) {
    let name = format!("sysdig {word}");
    snap(store, whose, &name, word, &[digest(1)], 4).await;
    keep(store, whose, (&name, word), 4, &[(&digest(1), word)], true).await;
}

/// Who looked, and what they saw.
fn shown(all: &[SeenInUse]) -> String {
    let one = |it: &SeenInUse| {
        let names: BTreeSet<&str> = it.profile.packages.iter().map(|it| it.name.as_str()).collect();
        format!("{} {} {:?}", it.by, it.seen, names)
    };
    all.iter().map(one).collect::<Vec<_>>().join("\n")
}

pub(super) async fn is_kept_by_runtime_and_environment(store: &Store) {
    let acme = acme(store).await;
    let (config, gone) = (digest(90), digest(91));
    let mut kept = inventory(1, &["pkg:deb/debian/a@1"], &["pkg:npm/b@1"]);
    if let model::Subject::Image(image) = &mut kept.subject {
        image.config = Some(config.clone());
    }
    let seen = Some("docker.io/acme/web");
    store.keep_inventory(&acme, &at(1), &digest(1), &amd64(), seen, &kept).await.unwrap();
    for runtime in ["sysdig one", "sysdig two"] {
        snap(store, &acme, runtime, "production", &[digest(1)], 2).await;
    }
    let asked = async |environment: &str, number: u8| {
        shown(&store.in_use(&acme, environment, &digest(number)).await.unwrap())
    };
    assert_eq!(asked("production", 1).await, "");
    keep(store, &acme, ("sysdig one", "production"), 3, &[(&digest(1), "a"), (&gone, "g")], true)
        .await;
    keep(store, &acme, ("sysdig two", "production"), 4, &[(&config, "b")], true).await;
    let one = "sysdig one 1970-01-01T00:03:00Z {\"a\"}";
    let two = "sysdig two 1970-01-01T00:04:00Z {\"b\"}";
    let both = asked("production", 1).await;
    assert!(both.contains("sysdig one") && both.contains("{\"a\"}"), "{both} {one} {two}");
    assert!(
        both.contains("sysdig two") && both.contains("{\"b\"}"),
        "by its configuration: {both}"
    );
    assert_eq!(asked("production", 2).await, "");
    assert_eq!(asked("elsewhere", 1).await, "");
    // By another name it is the same environment, for the runtime and for us.
    store.rename_environment(&acme, &at(5), "production", "live").await.unwrap();
    assert_eq!(asked("live", 1).await, both);
    assert_eq!(asked("production", 1).await, "");
    keep(store, &acme, ("sysdig one", "production"), 6, &[(&digest(1), "c")], false).await;
    let now = asked("live", 1).await;
    assert!(now.contains("{\"c\"}") && !now.contains("{\"a\"}"), "{now}");
    // What is not told any more is forgotten, once all of it is told.
    assert_eq!(rows(store, "in_use").await, 3);
    keep(store, &acme, ("sysdig one", "production"), 7, &[(&digest(1), "c")], true).await;
    assert_eq!(rows(store, "in_use").await, 2);
    let seen = async |minute: i64, most: usize| {
        let mut all = Vec::new();
        let take = |environment: String, it: SeenInUse| {
            all.push((environment, it));
            all.len() < most
        };
        store.all_in_use(&acme, at(minute).at, take).await.unwrap();
        all
    };
    let all = seen(0, usize::MAX).await;
    let mut told: Vec<String> = all
        .iter()
        .filter(|it| it.1.digest == digest(1).to_string())
        .map(|it| it.1.by.clone())
        .collect();
    told.sort();
    assert_eq!(
        told,
        ["sysdig one", "sysdig two"],
        "each by the digest that the image is analysed by"
    );
    assert_eq!(seen(7, usize::MAX).await.len(), 1, "the rest is old");
    assert_eq!(seen(0, 1).await.len(), 1, "nobody is told more than they hold");
    // Of an environment that the runtime does not name, nothing is kept.
    keep(store, &acme, ("sysdig one", "nowhere"), 8, &[(&digest(1), "x")], true).await;
    assert_eq!(rows(store, "in_use").await, 2);
    store.delete_environment(&acme, &at(9), "live").await.unwrap();
    assert_eq!(rows(store, "in_use").await, 0);
}

pub(super) async fn is_marked_where_it_changes(store: &Store) {
    let acme = acme(store).await;
    let kept = inventory(1, &["pkg:deb/debian/a@1"], &[]);
    let seen = Some("docker.io/acme/web");
    store.keep_inventory(&acme, &at(1), &digest(1), &amd64(), seen, &kept).await.unwrap();
    for runtime in ["sysdig one", "sysdig two"] {
        snap(store, &acme, runtime, "production", &[digest(1)], 2).await;
    }
    let (one, two) = (("sysdig one", "production"), ("sysdig two", "production"));
    let mark = async |minute: i64| {
        let mut all = store.in_use_marks(&acme, at(minute).at).await.unwrap();
        let there = all.drain().next().map(|(_, there)| there).unwrap_or_default();
        there.get(digest(1).as_str()).cloned()
    };
    let all = |name: &'static str| [(&digest(1), name)].map(|(it, name)| (it.clone(), name));
    let keep = async |runtime, minute: i64, told: &[(Digest, &str)], is_all: bool| {
        let told: Vec<_> = told.iter().map(|(digest, name)| (digest, *name)).collect();
        keep(store, &acme, runtime, minute, &told, is_all).await
    };
    assert_eq!(mark(0).await, None);
    assert!(keep(one, 3, &all("a"), true).await);
    let first = mark(0).await;
    assert!(first.is_some());
    // The same, seen later, is the same.
    assert!(!keep(one, 4, &all("a"), true).await);
    assert_eq!(mark(0).await, first);
    assert_eq!(mark(4).await, first, "it was seen just now");
    assert!(keep(one, 5, &all("b"), true).await);
    assert_ne!(mark(0).await, first);
    assert!(keep(one, 6, &all("a"), false).await);
    assert_eq!(mark(0).await, first);
    // Somebody else may see more; and who has seen nothing for long says nothing.
    assert!(keep(two, 9, &all("a"), true).await);
    let both = mark(0).await;
    assert!(both.is_some() && both != first);
    assert_ne!(mark(7).await, both);
    assert!(keep(two, 10, &[], true).await, "it is gone");
    assert_eq!(mark(0).await, first);
    assert!(!keep(two, 11, &[], true).await);
    // Others' is nobody's business.
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    assert!(store.in_use_marks(&other, at(0).at).await.unwrap().is_empty());
}
