//! Runtimes, and what they say that they run.

use std::collections::{BTreeMap, BTreeSet};

use model::{Act, Digest, EventKind, Inventory, OrganisationId, Source, Subject};

use super::kit::{acme, amd64, at, digest, image, inventory, told, within};
use crate::{
    Container, Error, EventSelection, Page, RunsIn, RuntimeRecord, Selection, Snapshot, Store,
    When, Workload,
};

const CLI: &Source = &Source::Cli;

/// `shop/web=acme/web:v1@01`: a workload, the image by its name, which may be missing, and the digest.
fn container(text: &str) -> Container {
    let (workload, image) = text.split_once('=').unwrap();
    let (namespace, name) = workload.split_once('/').unwrap();
    let (named, number) = image.split_once('@').unwrap();
    let (repository, tag) = named.split_once(':').unzip();
    Container {
        workload: Workload {
            name: name.to_owned(),
            container: "app".to_owned(),
            kind: "deployment".to_owned(),
            namespace: namespace.to_owned(),
        },
        image: named.to_owned(),
        repository: repository.map(|it| format!("docker.io/{it}")),
        tag: tag.map(str::to_owned),
        digest: digest(number.parse().unwrap()),
        platform: None,
    }
}

/// `production: shop/web=acme/web:v1@1 shop/jobs=@9; staging:`.
pub(super) fn snapshot(minute: i64, agent: &str, text: &str) -> Snapshot {
    let environments = text.split(';').filter(|it| !it.trim().is_empty()).map(|it| {
        let (name, all) = it.split_once(": ").unwrap_or((it.trim_end_matches(':'), ""));
        let mut running: Vec<Container> = all.split_whitespace().map(container).collect();
        running.sort();
        RunsIn { environment: name.trim().to_owned(), running }
    });
    Snapshot {
        kind: "kubernetes".to_owned(),
        agent: agent.to_owned(),
        seen: at(minute).at,
        every: 60,
        mark: text.to_owned(),
        environments: environments.collect(),
        make: false,
        gaps: Vec::new(),
    }
}

fn with_gap(it: Snapshot) -> Snapshot {
    let mark = format!("{} and a gap", it.mark);
    Snapshot { gaps: vec!["namespace jobs: forbidden".to_owned()], mark, ..it }
}

async fn say(store: &Store, acme: &OrganisationId, minute: i64, text: &str) -> String {
    let said = store.snap(acme, &at(minute), "eu1", &snapshot(minute, "a", text)).await;
    match said {
        Ok(it) => format!(
            "{} started, {} ended, {} unchanged, {} unplaced",
            it.started.len(),
            it.ended.len(),
            it.unchanged,
            it.unplaced
        ),
        Err(error) => error.to_string(),
    }
}

async fn eu1(store: &Store, acme: &OrganisationId) -> RuntimeRecord {
    store.runtime(acme, "eu1").await.unwrap()
}

async fn happened(store: &Store, acme: &OrganisationId, kind: EventKind) -> usize {
    let selection = EventSelection { kinds: vec![kind], ..EventSelection::default() };
    store.events(acme, &selection, &Page::first(1000)).await.unwrap().rows.len()
}

/// What is inside image `number`: its configuration has a digest 100 behind its own, and it was chosen from
/// an index with one 150 behind it.
fn content(number: u8) -> Inventory {
    let mut content = inventory(number, &["pkg:deb/debian/zlib1g@1.2"], &[]);
    if let Subject::Image(image) = &mut content.subject {
        image.config = Some(digest(number + 100));
        image.index = Some(digest(number + 150));
    }
    content
}

async fn analyse(store: &Store, acme: &OrganisationId, minute: i64, number: u8) {
    let (act, digest, content) = (at(minute), digest(number), content(number));
    store.keep_inventory(acme, &act, &digest, &amd64(), None, &content).await.unwrap();
    store.place_images(acme, &at(minute)).await.unwrap();
}

pub(super) async fn say_all_that_runs(store: &Store) {
    let acme = acme(store).await;
    store.record(&acme, &at(1), "production", CLI, &image("acme/web:v9", 99)).await.unwrap();
    let first = "production: shop/web=acme/web:v1@1 shop/db=postgres:16@2; \
                 staging: test/web=acme/web:v2@3";
    assert_eq!(say(store, &acme, 2, first).await, "3 started, 0 ended, 0 unchanged, 0 unplaced");
    let production = "web v9 63 00:01- cli pending\n\
                      web v1 01 00:02- runtime:eu1 pending\n\
                      docker.io/postgres 16 02 00:02- runtime:eu1 pending";
    let production = production.split('\n').rev().collect::<Vec<_>>();
    let told_now = told(store, &acme, "production", When::Now).await;
    for line in &production {
        assert!(told_now.contains(line), "{told_now}");
    }
    assert_eq!(say(store, &acme, 3, first).await, "0 started, 0 ended, 3 unchanged, 0 unplaced");
    let it = eu1(store, &acme).await;
    assert_eq!((it.heard, it.running), (at(3).at, 3));
    assert_eq!(it.environments, ["production", "staging"]);
    // One is replaced, one ends, and an environment is not named any more.
    let next = "production: shop/web=acme/web:v2@3";
    assert_eq!(say(store, &acme, 4, next).await, "1 started, 2 ended, 0 unchanged, 0 unplaced");
    let expect = "web v2 03 00:04- runtime:eu1 pending";
    assert!(told(store, &acme, "production", When::Now).await.contains(expect));
    assert_eq!(told(store, &acme, "staging", When::Now).await, "");
    assert_eq!(eu1(store, &acme).await.environments, ["production"]);
    let error = say(store, &acme, 5, "qa: a/b=acme/web:v1@1").await;
    assert_eq!(error, "environment `qa`: there is none");
    let made = Snapshot { make: true, ..snapshot(6, "a", "qa: a/b=acme/web:v1@1") };
    store.snap(&acme, &at(6), "eu1", &made).await.unwrap();
    assert_eq!(told(store, &acme, "qa", When::Now).await, "web v1 01 00:06- runtime:eu1 pending");
    let left = told(store, &acme, "production", When::Now).await;
    assert_eq!(left, "web v9 63 00:01- cli pending", "what others recorded stays");
}

pub(super) async fn end_nothing_out_of_sight(store: &Store) {
    let acme = acme(store).await;
    say(store, &acme, 1, "production: a/web=acme/web:v1@1 b/db=postgres:16@2; staging: c/d=x:v1@3")
        .await;
    let partly = with_gap(snapshot(2, "a", "production: a/web=acme/web:v2@4"));
    let snapped = store.snap(&acme, &at(2), "eu1", &partly).await.unwrap();
    assert_eq!((snapped.started.len(), snapped.ended.len(), snapped.unchanged), (1, 0, 1));
    let now = told(store, &acme, "production", When::Now).await;
    assert!(now.contains("web v2 04") && now.contains("docker.io/postgres 16 02"), "{now}");
    assert!(told(store, &acme, "staging", When::Now).await.contains("v1 03"));
    assert_eq!(eu1(store, &acme).await.gaps, ["namespace jobs: forbidden"]);
    say(store, &acme, 3, "production: a/web=acme/web:v2@4").await;
    let now = told(store, &acme, "production", When::Now).await;
    assert_eq!(now, "web v2 04 00:02- runtime:eu1 pending");
    assert_eq!(told(store, &acme, "staging", When::Now).await, "");
    assert!(eu1(store, &acme).await.gaps.is_empty());
}

pub(super) async fn do_not_go_back(store: &Store) {
    let acme = acme(store).await;
    say(store, &acme, 10, "production: a/web=acme/web:v2@2").await;
    let late = snapshot(9, "a", "production: a/web=acme/web:v1@1");
    let error = store.snap(&acme, &at(11), "eu1", &late).await.unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    assert!(told(store, &acme, "production", When::Now).await.contains("v2 02 00:10"));
    // A clock that was set back by far is that of somebody who goes on to speak.
    let set_back = snapshot(3, "a", "production: a/web=acme/web:v3@3");
    store.snap(&acme, &at(12), "eu1", &set_back).await.unwrap();
    assert!(told(store, &acme, "production", When::Now).await.contains("v3 03 00:12"));
    // One that is ahead by far is not believed, so that nobody waits for it.
    let ahead = snapshot(600, "a", "production: a/web=acme/web:v4@4");
    store.snap(&acme, &at(13), "eu1", &ahead).await.unwrap();
    say(store, &acme, 14, "production: a/web=acme/web:v5@5").await;
    let now = told(store, &acme, "production", When::Now).await;
    assert_eq!(now, "web v5 05 00:14- runtime:eu1 pending");
}

pub(super) async fn of_two_agents_the_first_counts(store: &Store) {
    let acme = acme(store).await;
    let text = "production: a/web=acme/web:v1@1";
    say(store, &acme, 1, text).await;
    let other = |minute, text: &str| (at(minute), snapshot(minute, "b", text));
    // What both say is no trouble.
    let (act, same) = other(2, text);
    assert_eq!(store.snap(&acme, &act, "eu1", &same).await.unwrap().unchanged, 1);
    assert!(!eu1(store, &acme).await.differ);
    store.heartbeat(&acme, &act, "eu1", "b", text).await.unwrap();
    assert_eq!(eu1(store, &acme).await.heard, at(1).at, "that one is not the one that counts");
    let different = "production: a/web=acme/web:v2@2";
    for minute in [2, 3, 4] {
        let (act, it) = other(minute, different);
        let error = store.snap(&acme, &act, "eu1", &it).await.unwrap_err();
        let expect = "runtime `eu1`: `a` reports it, and was heard of";
        assert!(error.to_string().starts_with(expect), "{error}");
        assert!(error.hint().unwrap().contains("a name of its own"));
    }
    let it = eu1(store, &acme).await;
    assert!(it.differ);
    assert_eq!(it.agents, [("a".to_owned(), at(1).at), ("b".to_owned(), at(4).at)]);
    let now = told(store, &acme, "production", When::Now).await;
    assert_eq!(now, "web v1 01 00:01- runtime:eu1 pending");
    // Until the first is silent for more than three times as long as it promised.
    let (act, it) = other(5, different);
    store.snap(&acme, &act, "eu1", &it).await.unwrap();
    assert!(told(store, &acme, "production", When::Now).await.contains("v2 02 00:05"));
    let it = eu1(store, &acme).await;
    assert_eq!((it.agents, it.differ), (vec![("b".to_owned(), at(5).at)], false));
    // Who only says the same takes over sooner, and is nobody's other one then.
    for minute in [6, 8] {
        store.heartbeat(&acme, &at(minute), "eu1", "c", different).await.unwrap();
    }
    assert_eq!(eu1(store, &acme).await.agents, [("c".to_owned(), at(8).at)]);
    // While it is to tell anew what is true, nobody knows whether another one says something else.
    let web = Selection { digest: Some(digest(2)), ..Selection::default() };
    store.remove(&acme, &at(9), "production", &web).await.unwrap();
    store.heartbeat(&acme, &at(9), "eu1", "d", different).await.unwrap_err();
    let it = eu1(store, &acme).await;
    assert_eq!((it.agents.len(), it.differ), (2, false));
}

pub(super) async fn are_heard_of_again_and_again(store: &Store) {
    let acme = acme(store).await;
    let text = "production: a/web=acme/web:v1@1";
    let error = store.heartbeat(&acme, &at(1), "eu1", "a", text).await.unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    say(store, &acme, 1, text).await;
    for (minute, mark, is_known) in [(2, text, true), (3, "another", false), (4, "", false)] {
        let beat = store.heartbeat(&acme, &at(minute), "eu1", "a", mark).await;
        assert_eq!(beat.is_ok(), is_known, "{mark}");
    }
    assert_eq!(eu1(store, &acme).await.heard, at(2).at);
    let silent = async |minute| store.fall_silent(&acme, &at(minute), at(0).at).await.unwrap();
    assert!(silent(5).await.is_empty(), "three times as long is not too long");
    assert!(store.silent_runtimes(&acme, at(5).at).await.unwrap().is_empty());
    // Who began to listen a minute ago cannot tell.
    assert!(store.fall_silent(&acme, &at(6), at(5).at).await.unwrap().is_empty());
    assert_eq!(silent(6).await, ["eu1"]);
    assert!(silent(7).await.is_empty(), "it is told once");
    assert!(eu1(store, &acme).await.is_stale(at(6).at));
    assert!(told(store, &acme, "production", When::Now).await.contains("v1 01"), "not empty");
    for minute in [8, 9] {
        store.heartbeat(&acme, &at(minute), "eu1", "a", text).await.unwrap();
    }
    assert_eq!(happened(store, &acme, EventKind::RuntimeSilent).await, 1);
    assert_eq!(happened(store, &acme, EventKind::RuntimeHeard).await, 1);
    assert_eq!(silent(20).await, ["eu1"]);
    say(store, &acme, 21, "production:").await;
    assert_eq!(happened(store, &acme, EventKind::RuntimeHeard).await, 2);
}

pub(super) async fn tell_digests_of_all_kinds(store: &Store) {
    let acme = acme(store).await;
    analyse(store, &acme, 1, 1).await;
    // By its manifest, its configuration and its index; nobody knows the last two.
    let text = "production: a/one=@1 a/two=@101 a/three=x:v1@151 a/four=@102 a/five=x:v2@152";
    assert_eq!(say(store, &acme, 2, text).await, "3 started, 0 ended, 0 unchanged, 1 unplaced");
    let it = eu1(store, &acme).await;
    assert_eq!(it.unplaced.len(), 1);
    assert_eq!(it.unplaced[0].workload.name, "four");
    assert_eq!(
        (&it.unplaced[0].digest, &*it.unplaced[0].environment),
        (&digest(102), "production")
    );
    let count = async || {
        let all = store.environments(&acme).await.unwrap();
        let it = all.into_iter().find(|it| it.name == "production").unwrap();
        (it.running, it.pending)
    };
    assert_eq!(count().await, (4, 2));
    let shown = async || {
        let now = told(store, &acme, "production", When::Now).await;
        let mut lines: Vec<&str> = now.lines().collect();
        lines.sort_unstable();
        lines.join("; ")
    };
    assert_eq!(
        shown().await,
        "docker.io/x v2 98 00:02- runtime:eu1 pending; \
         docker.io/x#three v1 01 00:02- runtime:eu1; \
         unnamed - 01 00:02- runtime:eu1"
    );
    let before = happened(store, &acme, EventKind::DeploymentReplaced).await;
    analyse(store, &acme, 3, 2).await;
    assert_eq!(count().await, (4, 0));
    assert_eq!(
        shown().await,
        "docker.io/x v2 02 00:02- runtime:eu1; \
         docker.io/x#three v1 01 00:02- runtime:eu1; \
         unnamed - 01 00:02- runtime:eu1; \
         unnamed#four - 02 00:03- runtime:eu1"
    );
    assert_eq!(happened(store, &acme, EventKind::DeploymentReplaced).await, before);
    assert_eq!(happened(store, &acme, EventKind::DeploymentIdentified).await, 1);
    assert!(eu1(store, &acme).await.unplaced.is_empty());
    // What is said again changes nothing, nor does another look.
    let again = format!("{text} ");
    assert_eq!(say(store, &acme, 4, &again).await, "0 started, 0 ended, 4 unchanged, 0 unplaced");
    assert!(store.place_images(&acme, &at(5)).await.unwrap().is_empty());
    let events = store.events(&acme, &EventSelection::default(), &Page::first(1)).await.unwrap();
    assert!(events.rows[0].act.at < at(4).at);
}

pub(super) async fn are_asked_anew_where_somebody_interferes(store: &Store) {
    let acme = acme(store).await;
    let text = "production: a/web=acme/web:v1@1; staging: a/web=acme/web:v1@1";
    let beats = async |minute| store.heartbeat(&acme, &at(minute), "eu1", "a", text).await.is_ok();
    say(store, &acme, 1, text).await;
    assert!(beats(2).await);
    let web = Selection { digest: Some(digest(1)), ..Selection::default() };
    store.remove(&acme, &at(3), "production", &web).await.unwrap();
    assert!(!beats(3).await);
    assert_eq!(say(store, &acme, 4, text).await, "1 started, 0 ended, 1 unchanged, 0 unplaced");
    store.delete_image_that_runs(&acme, &at(5), &digest(1)).await.unwrap();
    assert!(!beats(5).await);
    assert_eq!(say(store, &acme, 6, text).await, "2 started, 0 ended, 0 unchanged, 0 unplaced");
    // Another name is followed, for it is still the same.
    store.rename_environment(&acme, &at(7), "production", "live").await.unwrap();
    assert!(beats(7).await);
    let next = "production: a/web=acme/web:v2@2; staging: a/web=acme/web:v1@1";
    assert_eq!(say(store, &acme, 8, next).await, "1 started, 0 ended, 1 unchanged, 0 unplaced");
    assert!(told(store, &acme, "live", When::Now).await.contains("v2 02"));
    store.delete_environment(&acme, &at(9), "live").await.unwrap();
    let beat = store.heartbeat(&acme, &at(9), "eu1", "a", next).await;
    assert!(beat.is_err());
    let error = say(store, &acme, 9, next).await;
    assert_eq!(error, "environment `production`: there is none");
    assert!(told(store, &acme, "staging", When::Now).await.contains("v1 01"));
}

pub(super) async fn are_removed_with_what_they_said(store: &Store) {
    let acme = acme(store).await;
    let error = store.runtime(&acme, "eu1").await.unwrap_err();
    assert_eq!(error.to_string(), "runtime `eu1`: there is none");
    say(store, &acme, 1, "production: a/web=acme/web:v1@1 b/c=@9; staging: d/e=x:v1@2").await;
    store.record(&acme, &at(1), "staging", CLI, &image("acme/web:v9", 99)).await.unwrap();
    let ended = store.remove_runtime(&acme, &at(2), "eu1").await.unwrap();
    assert_eq!(ended.len(), 2);
    assert!(store.remove_runtime(&acme, &at(3), "eu1").await.is_err());
    assert!(store.all_runtimes(&acme, None).await.unwrap().is_empty());
    assert_eq!(told(store, &acme, "production", When::Now).await, "");
    let there = store.environments(&acme).await.unwrap();
    let counts: Vec<_> = there.iter().map(|it| (it.running, it.pending)).collect();
    assert_eq!(counts, [(0, 0), (1, 1)]);
    let ever = told(store, &acme, "production", When::Ever).await;
    assert_eq!(ever, "web v1 01 00:01-00:02 runtime:eu1 pending");
}

/// What the clusters that speak at once say.
async fn say_in_turn(store: &Store, cluster: u8, round: u8) {
    let image = 1 + (cluster + round) % 20;
    let text = format!(
        "production: a/web{cluster}=acme/web:v{round}@{image} a/db=@{}; \
         shared: b/web{cluster}=acme/db:v1@{image}; staging: c/x=acme/x:v1@{}",
        image + 100,
        image + 150,
    );
    let minute = i64::from(round);
    let said = snapshot(minute, "a", &text);
    let acme = store.organisation("acme").await.unwrap().id;
    store.snap(&acme, &at(minute), &format!("c{cluster}"), &said).await.unwrap();
}

/// Clusters that share environments speak at the same time, to any number of servers, while people record,
/// remove and rename, and images are placed: nobody waits for each other for ever, and in the end what runs
/// is what each said last.
pub(super) async fn speak_at_once(store: &Store) {
    const CLUSTERS: u8 = 6;
    const ROUNDS: u8 = 12;
    let acme = acme(store).await;
    store.create_environment(&acme, &at(0), "shared").await.unwrap();
    let mut tasks = Vec::new();
    // By now each calls the environment by its first name.
    for cluster in 0..CLUSTERS {
        say_in_turn(store, cluster, 0).await;
    }
    for cluster in 0..CLUSTERS {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            for round in 1..=ROUNDS {
                say_in_turn(&store, cluster, round).await;
            }
        }));
    }
    let (people, organisation) = (store.clone(), acme.clone());
    tasks.push(tokio::spawn(async move {
        let mut names = ["shared", "common"];
        for round in 1..=ROUNDS {
            let act = at(i64::from(round));
            let web = image("acme/web:v1", round);
            let recorded = people.record(&organisation, &act, "production", CLI, &web).await;
            recorded.unwrap();
            let (digest_of, platform, content) = (digest(round), amd64(), content(round));
            let kept =
                people.keep_inventory(&organisation, &act, &digest_of, &platform, None, &content);
            kept.await.unwrap();
            people.place_images(&organisation, &act).await.unwrap();
            people.rename_environment(&organisation, &act, names[0], names[1]).await.unwrap();
            names.reverse();
            let some = Selection { digest: Some(digest(round)), ..Selection::default() };
            // It may have ended meanwhile.
            let _ = people.remove(&organisation, &act, "staging", &some).await;
            people.fall_silent(&organisation, &act, act.at).await.unwrap();
        }
    }));
    for task in tasks {
        task.await.unwrap();
    }
    for cluster in 0..CLUSTERS {
        say_in_turn(store, cluster, ROUNDS + 1).await;
        let name = format!("c{cluster}");
        let told = store.containers(&acme, &name).await.unwrap();
        assert_eq!(told.len(), 4, "{told:?}");
        let image = 1 + (cluster + ROUNDS + 1) % 20;
        let (mut placed, mut lost) = (0, 0);
        for it in told {
            let known = [image, image + 100, image + 150].map(digest);
            assert!(known.contains(&it.container.digest), "{it:?}");
            placed += u32::from(it.placed.is_some());
            lost += u32::from(it.placed.is_none());
        }
        let is_analysed = image <= ROUNDS;
        assert_eq!((placed, lost), if is_analysed { (4, 0) } else { (3, 1) }, "{name}");
    }
    assert_eq!(store.mend().await.unwrap(), 0, "nothing is counted wrongly");
}

/// Numbers that look as if by chance, and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// What a runtime is known to run, told without a database.
#[derive(Default)]
struct Truth {
    /// By the environment's id: each workload with what it was told to run.
    runs: BTreeMap<String, BTreeMap<Workload, BTreeSet<Container>>>,
    /// Which environment a name that is told leads to.
    called: BTreeMap<String, String>,
    analysed: BTreeSet<u8>,
}

impl Truth {
    /// The images that are to run in an environment, and the digests that are nobody's.
    fn of(&self, id: &str) -> (BTreeSet<(String, Digest)>, BTreeSet<Digest>) {
        let (mut images, mut unplaced) = (BTreeSet::new(), BTreeSet::new());
        for it in self.runs.get(id).into_iter().flat_map(|it| it.values()).flatten() {
            let known = self.analysed.iter().find(|number| {
                [**number, **number + 100, **number + 150].map(digest).contains(&it.digest)
            });
            match (known, &it.repository) {
                (Some(number), name) => {
                    let name = name.clone().unwrap_or_else(|| "unnamed".to_owned());
                    images.insert((name, digest(*number)));
                }
                (None, Some(name)) => {
                    images.insert((name.clone(), it.digest.clone()));
                }
                (None, None) => {
                    unplaced.insert(it.digest.clone());
                }
            }
        }
        (images, unplaced)
    }
}

pub(super) async fn are_true_after_each_of_a_thousand_words(store: &Store) {
    let acme = acme(store).await;
    let mut chance = Chance(6);
    let mut truth = Truth::default();
    store.record(&acme, &at(0), "staging", CLI, &image("acme/by-hand:v1", 99)).await.unwrap();
    let day = at(0).at;
    let mut world: BTreeMap<(String, String), Container> = BTreeMap::new();
    for step in 1..=1_000_i64 {
        let now = day.plus_seconds(step);
        let act = Act { at: now, ..at(0) };
        // A few workloads come, go, or change their image.
        for _ in 0..=chance.below(3) {
            let environment = format!("e{}", chance.below(4));
            let name = format!("w{}", chance.below(6));
            if chance.below(4) == 0 {
                world.remove(&(environment, name));
                continue;
            }
            let number = 1 + chance.below(12);
            let number = number + [0, 0, 100, 150][usize::try_from(chance.below(4)).unwrap()];
            let named = ["acme/web:v1", "acme/web:v2", "acme/db:v1", ""];
            let named = named[usize::try_from(chance.below(4)).unwrap()];
            let container = container(&format!("ns/{name}={named}@{number}"));
            world.insert((environment, name), container);
        }
        match chance.below(20) {
            0 => {
                let number = u8::try_from(1 + chance.below(12)).unwrap();
                let (digest, content) = (digest(number), content(number));
                store.keep_inventory(&acme, &act, &digest, &amd64(), None, &content).await.unwrap();
                store.place_images(&acme, &act).await.unwrap();
                truth.analysed.insert(number);
            }
            1 => {
                let from = format!("e{}", chance.below(4));
                let there = store.environment_names(&acme).await.unwrap();
                if there.values().any(|it| *it == from) {
                    let to = format!("was {from} until {step}");
                    store.rename_environment(&acme, &act, &from, &to).await.unwrap();
                }
            }
            2 => {
                let there = store.environment_names(&acme).await.unwrap();
                let mut ids: Vec<&String> = there.keys().collect();
                ids.retain(|it| there[*it] != "staging" && there[*it] != "production");
                if !ids.is_empty() {
                    let which = usize::try_from(chance.below(ids.len() as u64)).unwrap();
                    let id = ids[which].clone();
                    store.delete_environment(&acme, &act, &there[&id]).await.unwrap();
                    truth.runs.remove(&id);
                    truth.called.retain(|_, it| *it != id);
                }
            }
            3 => {
                let other = snapshot(0, "somebody else", "e0: a/b=acme/other:v1@77");
                let other = Snapshot { seen: now, make: true, ..other };
                assert!(step == 1 || store.snap(&acme, &act, "eu1", &other).await.is_err());
            }
            _ => {}
        }
        let is_whole = chance.below(5) != 0;
        let named: BTreeSet<String> =
            (0..4).map(|it| format!("e{it}")).filter(|_| chance.below(8) != 0).collect();
        let environments: Vec<RunsIn> = named
            .iter()
            .map(|name| {
                let there = world.iter().filter(|((environment, _), _)| environment == name);
                let seen = there.filter(|_| is_whole || chance.below(3) != 0);
                RunsIn { environment: name.clone(), running: seen.map(|it| it.1.clone()).collect() }
            })
            .collect();
        let said = Snapshot {
            kind: "kubernetes".to_owned(),
            agent: "a".to_owned(),
            seen: now,
            every: 3_600,
            mark: format!("{environments:?} {is_whole}"),
            environments: environments.clone(),
            make: true,
            gaps: if is_whole { vec![] } else { vec!["some".to_owned()] },
        };
        store.snap(&acme, &act, "eu1", &said).await.unwrap();
        let names = store.environment_names(&acme).await.unwrap();
        let before = std::mem::take(&mut truth.called);
        if !is_whole {
            truth.called.clone_from(&before);
        }
        let mut told_now = BTreeSet::new();
        for it in environments {
            let present = names.iter().find(|(_, name)| **name == it.environment);
            // Where it was renamed, the old name leads there until a new one has it.
            let id = match before.get(&it.environment) {
                Some(id) if !names.values().any(|name| *name == it.environment) => id.clone(),
                _ => present.unwrap().0.clone(),
            };
            truth.called.insert(it.environment, id.clone());
            told_now.insert(id.clone());
            let mut workloads: BTreeMap<Workload, BTreeSet<Container>> = BTreeMap::new();
            for container in it.running {
                workloads.entry(container.workload.clone()).or_default().insert(container);
            }
            let there = truth.runs.entry(id).or_default();
            if is_whole {
                *there = workloads;
            } else {
                there.extend(workloads);
            }
        }
        if is_whole {
            truth.runs.retain(|id, _| told_now.contains(id));
        }
        is_true(store, &acme, &truth, step).await;
    }
    let left = told(store, &acme, "staging", When::Now).await;
    assert_eq!(left, "by-hand v1 63 00:00- cli pending");
    assert_eq!(store.mend().await.unwrap(), 0, "nothing is counted wrongly");
}

async fn is_true(store: &Store, acme: &OrganisationId, truth: &Truth, step: i64) {
    let unplaced = eu1(store, acme).await.unplaced;
    let there = store.environments(acme).await.unwrap();
    for it in there {
        let (images, nobodys) = truth.of(&it.id);
        if it.running == 0 && images.is_empty() && nobodys.is_empty() {
            continue;
        }
        let page = Page::first(1000);
        let running = store.deployments(acme, &within(&it.name), When::Now, &page).await.unwrap();
        let running: Vec<_> =
            running.rows.into_iter().filter(|it| it.source.runtime().is_some()).collect();
        let seen: BTreeSet<(String, Digest)> =
            running.iter().map(|it| (it.repository.clone(), it.digest.clone())).collect();
        assert_eq!(seen, images, "step {step}, {}", it.name);
        let lost: BTreeSet<Digest> = unplaced
            .iter()
            .filter(|one| one.environment == it.name)
            .map(|it| it.digest.clone())
            .collect();
        assert_eq!(lost, nobodys, "step {step}, {}", it.name);
        let others = u64::from(it.name == "staging");
        assert_eq!(it.running, running.len() as u64 + lost.len() as u64 + others, "step {step}");
    }
}

pub(super) async fn may_run_thousands_of_containers(store: &Store) {
    // What is allowed is four times that, which takes half a minute as tests are built.
    const MANY: usize = 5_000;
    let acme = acme(store).await;
    let wide = |changed: usize| {
        let container = |number: usize| {
            let mut bytes = [7; 32];
            let image = if number == changed { 1_000_000 } else { number };
            bytes[..8].copy_from_slice(&(image as u64).to_be_bytes());
            Container {
                workload: Workload {
                    name: format!("workload-{number}"),
                    container: "app".to_owned(),
                    kind: "deployment".to_owned(),
                    namespace: format!("namespace-{}", number % 100),
                },
                image: format!("registry.example/team/app-{}:v1", number % 2_000),
                repository: Some(format!("registry.example/team/app-{}", number % 2_000)),
                tag: Some("v1".to_owned()),
                digest: Digest::from_sha256(&bytes),
                platform: Some(amd64()),
            }
        };
        let mut running: Vec<Container> = (0..MANY).map(container).collect();
        running.sort();
        let minute = if changed == usize::MAX { 1 } else { 2 };
        Snapshot {
            environments: vec![RunsIn { environment: "production".to_owned(), running }],
            mark: changed.to_string(),
            ..snapshot(minute, "a", "")
        }
    };
    let began = std::time::Instant::now();
    let first = store.snap(&acme, &at(1), "eu1", &wide(usize::MAX)).await.unwrap();
    let first_took = began.elapsed();
    assert_eq!((first.started.len(), first.pending.len()), (MANY, MANY));
    let began = std::time::Instant::now();
    let next = store.snap(&acme, &at(2), "eu1", &wide(17)).await.unwrap();
    let next_took = began.elapsed();
    assert_eq!((next.started.len(), next.ended.len(), next.unchanged), (1, 0, MANY as u64 - 1));
    let began = std::time::Instant::now();
    store.heartbeat(&acme, &at(3), "eu1", "a", "17").await.unwrap();
    eprintln!("{MANY} containers: {first_took:?}, again {next_took:?}, beat {:?}", began.elapsed());
    let one = &wide(17).environments[0].running[0];
    let all: Vec<Container> = (0..60_000_usize)
        .map(|it| Container {
            workload: Workload { name: it.to_string(), ..Workload::default() },
            ..one.clone()
        })
        .collect();
    let many = Snapshot {
        environments: vec![RunsIn { environment: "production".to_owned(), running: all }],
        ..snapshot(4, "a", "")
    };
    let error = store.snap(&acme, &at(4), "eu1", &many).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error}");
    assert_eq!(eu1(store, &acme).await.running, MANY as u64);
}
