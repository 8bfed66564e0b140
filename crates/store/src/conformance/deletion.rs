//! Deletion: what is deleted is gone, and what is others' stays.

use std::collections::BTreeSet;
use std::time::Duration;

use model::{EventKind, Holder, OrganisationId, Role, Scope, Secret, Source};
use serde_json::json;

use super::in_use;
use super::kit::{
    acme, amd64, at, digest, image, inventory, no_orphans, rows, told, within, workload,
};
use super::runtimes::snapshot;
use super::telling;
use crate::backup::TABLES;
use crate::db::values;
use crate::{
    Cleared, Counts, Error, EventSelection, ImageSelection, Keyring, NewIntegration, NewJob,
    NewNotice, NewToken, Page, Recollection, Retention, Selection, Store, Together, When,
};

/// Nobody else says this word.
const WORD: &str = "heliotrope";
const BASE: &[&str] = &["pkg:deb/debian/libssl3@3.0.11", "pkg:deb/debian/zlib1g@1.2"];
const REPOSITORY: &str = "docker.io/acme/web";

/// A backup, inflated: every value of every row of every table.
async fn all(store: &Store) -> String {
    let mut document = Vec::new();
    store.backup(&mut document).await.unwrap();
    String::from_utf8(zstd::decode_all(&document[..]).unwrap()).unwrap()
}

/// Where the database is, where it is a file.
async fn path(store: &Store) -> Option<String> {
    if !store.db.is_file() {
        return None;
    }
    let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
    Some(store.db.row(sql, vec![]).await.unwrap().unwrap().text("file").unwrap())
}

/// The bytes of its log.
async fn log(store: &Store) -> Option<Vec<u8>> {
    Some(fs_err::read(format!("{}-wal", path(store).await?)).unwrap_or_default())
}

/// The bytes that it has on the disk.
async fn on_disk(store: &Store) -> Option<Vec<u8>> {
    let mut bytes = fs_err::read(path(store).await?).unwrap();
    bytes.extend(log(store).await?);
    Some(bytes)
}

fn says(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|it| it == word.as_bytes())
}

/// Fills every table that an organisation has something in.
async fn settle(store: &Store, organisation: &OrganisationId) {
    let holder = Holder::Organisation(organisation.clone());
    let name = format!("token {WORD}");
    let token =
        NewToken { name, hash: [9; 32], prefix: "p".to_owned(), scope: Scope::Read, expires: None };
    store.create_token(&at(1), &holder, &token).await.unwrap();
    store.begin_request(&holder, WORD, &[1; 32], at(1).at).await.unwrap();
    store.invite(organisation, &at(1), &[3; 32], Role::Member, at(60).at).await.unwrap();
    store.set(organisation, &at(1), WORD, Some(&json!(WORD))).await.unwrap();
    store.keep_secret(organisation, &at(1), WORD, &Secret::new(WORD)).await.unwrap();
    let repository = format!("docker.io/{WORD}/web");
    store.enable_repository(organisation, &at(1), &repository, true).await.unwrap();
    let environment = format!("production of {WORD}");
    store.create_environment(organisation, &at(1), &environment).await.unwrap();
    for number in 1..=5 {
        let own = format!("pkg:npm/{WORD}{number}@1");
        let kept = inventory(number, BASE, &[&own]);
        let seen = Some(repository.as_str());
        let digest = digest(number);
        store.keep_inventory(organisation, &at(1), &digest, &amd64(), seen, &kept).await.unwrap();
        let web = workload(&format!("{WORD}{number}"), "acme/web:v1", number);
        store.record(organisation, &at(2), &environment, &Source::Cli, &web).await.unwrap();
        store.point_tag(organisation, &at(2), &repository, WORD, &amd64(), &digest).await.unwrap();
        let counts = Counts { critical: number.into(), ..Counts::default() };
        let counts = [(environment.clone(), counts)];
        store.count(organisation, at(3).at, WORD, &counts).await.unwrap();
    }
    let mut said = snapshot(3, WORD, &format!("x: {WORD}/web={WORD}/web:v1@1 {WORD}/jobs=@99"));
    said.gaps.push(WORD.to_owned());
    said.environments[0].environment.clone_from(&environment);
    store.snap(organisation, &at(3), WORD, &said).await.unwrap();
    let integration = NewIntegration {
        kind: "oci",
        name: WORD,
        settings: &[("registry".to_owned(), WORD.to_owned())],
        secrets: &[("password".to_owned(), Secret::new(WORD))],
        unset: &[],
        address: &[],
        scope: &[],
        proof: None,
        hook: (&[7; 32], &Secret::new(WORD)),
    };
    let (made, _) = store.put_integration(organisation, &at(1), &integration).await.unwrap();
    let told = NewNotice {
        id: WORD.to_owned(),
        is_unique: true,
        about: WORD.to_owned(),
        repository: Some(WORD.to_owned()),
        payload: json!(WORD),
        trouble: None,
    };
    let hearing = NewJob {
        kind: "hear".to_owned(),
        payload: json!({ "organisation": organisation, "integration": made.id }),
        key: Some(made.id.clone()),
        asked: at(1).at,
        ready: at(1).at,
        attempts: 3,
    };
    store.hear(&made, at(1).at, &[told], &hearing).await.unwrap();
    store.watched(&made, WORD, WORD, WORD, &digest(1)).await.unwrap();
    store.watched_image(&made, &digest(1)).await.unwrap();
    store.watch_begins(&made, &[(WORD, WORD)]).await.unwrap();
    in_use::fill(store, organisation, WORD).await;
    store.evaluated(organisation, &at(3), None, WORD, &[]).await.unwrap();
    telling::channel(store, organisation, WORD).await;
    let rule = telling::rule(store, organisation, WORD, WORD).await;
    let remembered = Recollection { rule: rule.id.clone(), what: WORD.to_owned(), severity: 1 };
    let message = telling::message(&rule, WORD, 1);
    assert!(telling::tell(store, organisation, 1, &[message], &[remembered]).await);
    let schedule = super::schedules::put(store, organisation, WORD, &environment, 10).await;
    assert!(schedule.next.is_some());
    super::policies::fill(store, organisation, WORD, &environment).await;
    super::exceptions::put(store, organisation, WORD, &[&environment], None).await;
    store.feed_is(organisation, &at(3), WORD, true, json!({})).await.unwrap();
    super::bases::learn(store, organisation, WORD).await;
    let job = NewJob {
        kind: "analyze".to_owned(),
        payload: json!({ "organisation": organisation, "repository": repository }),
        key: Some(format!("{}/x", organisation.0)),
        asked: at(4).at,
        ready: at(4).at,
        attempts: 3,
    };
    store.enqueue(&job).await.unwrap();
}

pub(super) async fn of_an_organisation_leaves_no_byte(store: &Store) {
    let store = store.clone().with_keys(Keyring::new(&[1; 32], &[]));
    // Others have packages of it, and people are in both.
    let other = acme(&store).await;
    let ann = store.create_user(&at(0), "ann", &Secret::new("x")).await.unwrap();
    store.put_member(&other, &at(0), &ann.id, Role::Owner).await.unwrap();
    let shared = inventory(1, BASE, &["pkg:npm/left-pad@1.3.0"]);
    store.keep_inventory(&other, &at(1), &digest(1), &amd64(), None, &shared).await.unwrap();
    let before = all(&store).await;

    let name = format!("{WORD} & sons");
    let made = store.create_organisation_owned(&at(0), &name, &ann.id).await.unwrap().id;
    settle(&store, &made).await;
    // What a member was answered may tell of it.
    let holder = Holder::User(ann.id.clone());
    let key = format!("k{WORD}");
    store.begin_request(&holder, &key, &[1; 32], at(1).at).await.unwrap();
    let during = all(&store).await;
    assert!(during.matches(WORD).count() > 50 && during.contains(&made.0));
    store.db.scrub().await;
    assert!(on_disk(&store).await.is_none_or(|it| says(&it, WORD) && says(&it, &made.0)));
    for table in TABLES {
        // People are nobody's.
        if !["users", "sessions", "resets"].contains(&table.name) {
            assert!(rows(&store, table.name).await > 0, "{} is left out of this", table.name);
        }
    }

    store.delete_organisation(&made).await.unwrap();
    assert_eq!(all(&store).await, before, "each row is as it was before there was another");
    if let Some(bytes) = on_disk(&store).await {
        assert!(!says(&bytes, WORD) && !says(&bytes, &made.0), "something is still in the file");
    }
    assert_eq!(store.inventory(&other, &digest(1)).await.unwrap(), Some(shared));
    assert!(matches!(store.delete_organisation(&made).await, Err(Error::Gone(_))));

    let mut document = Vec::new();
    store.backup(&mut document).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}", folder.path().join("restored.db").display());
    let restored = Store::open(&address).await.unwrap();
    restored.restore(&document[..]).await.unwrap();
    assert_eq!(all(&restored).await, before);
    restored.db.scrub().await;
    assert!(on_disk(&restored).await.is_some_and(|it| !says(&it, WORD) && says(&it, "zlib1g")));
    restored.close().await;
}

pub(super) async fn goes_on_where_it_was_broken_off(store: &Store) {
    let store = store.clone().with_keys(Keyring::new(&[1; 32], &[]));
    let other = acme(&store).await;
    let before = all(&store).await;
    let made = store.create_organisation(&at(0), WORD).await.unwrap().id;
    settle(&store, &made).await;
    // Whoever did it died after the first step.
    let mut tx = store.db.write().await.unwrap();
    let sql = "UPDATE organisations SET deleting = 1, name = id WHERE id = $1";
    tx.run(sql, values![&made.0]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(matches!(store.organisation(WORD).await, Err(Error::NotFound { .. })));
    assert!(matches!(store.organisation(&made.0).await, Err(Error::NotFound { .. })));
    let names: Vec<String> =
        store.organisations().await.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["acme"]);
    // Its name is free at once.
    let again = store.create_organisation(&at(1), WORD).await.unwrap();
    store.delete_organisation(&again.id).await.unwrap();
    assert_eq!(store.finish_deletions().await.unwrap(), 1);
    assert_eq!(all(&store).await, before, "what the first step takes along went with the rest");
    assert_eq!(store.finish_deletions().await.unwrap(), 0);
    assert_eq!(store.organisation("acme").await.unwrap().id, other);
}

pub(super) async fn of_an_image_that_runs_is_told(store: &Store) {
    let acme = acme(store).await;
    for number in [1, 2] {
        let own = format!("pkg:npm/own{number}@1");
        let kept = inventory(number, BASE, &[&own]);
        store.keep_inventory(&acme, &at(1), &digest(number), &amd64(), None, &kept).await.unwrap();
    }
    for (minute, environment) in [(2, "staging"), (3, "production")] {
        let web = image("acme/web:v1", 1);
        store.record(&acme, &at(minute), environment, &Source::Cli, &web).await.unwrap();
    }
    store.point_tag(&acme, &at(2), REPOSITORY, "v1", &amd64(), &digest(1)).await.unwrap();
    let job = NewJob {
        kind: "analyse_image".to_owned(),
        payload: json!({}),
        key: Some(format!("{}/{}", acme.0, digest(1))),
        asked: at(4).at,
        ready: at(4).at,
        attempts: 3,
    };
    store.enqueue(&job).await.unwrap();

    let refused = store.delete_image(&acme, &at(4), &digest(1)).await.unwrap_err();
    let expect = format!("image {}: it runs in staging, production", digest(1));
    let either = format!("image {}: it runs in production, staging", digest(1));
    assert!([expect, either].contains(&refused.to_string()), "{refused}");
    let ended = store.delete_image_that_runs(&acme, &at(5), &digest(1)).await.unwrap();
    assert_eq!(ended.len(), 2);
    assert!(store.image(&acme, &digest(1)).await.unwrap().is_none());
    let ran = told(store, &acme, "production", When::Ever).await;
    assert_eq!(ran, "web v1 01 00:03-00:05 cli pending", "the history stays");
    assert_eq!(told(store, &acme, "production", When::Now).await, "");
    assert_eq!((rows(store, "tags").await, rows(store, "jobs").await), (0, 0));
    let events = store.events(&acme, &EventSelection::default(), &Page::first(3)).await.unwrap();
    let lines: Vec<String> = events
        .rows
        .iter()
        .map(|it| format!("{} {} {}", it.kind.as_str(), it.act.who, it.detail["why"]))
        .collect();
    let ended = "deployment-ended ann \"its image was deleted\"";
    assert_eq!(lines, ["image-deleted ann null", ended, ended]);
    let none = store.delete_image_that_runs(&acme, &at(6), &digest(1)).await.unwrap_err();
    assert!(matches!(none, Error::NotFound { what: "image", .. }), "{none}");
    // One that nobody has read yet, and that is known by running alone.
    store.record(&acme, &at(7), "staging", &Source::Cli, &image("acme/web:v1", 9)).await.unwrap();
    assert_eq!(store.delete_image_that_runs(&acme, &at(8), &digest(9)).await.unwrap().len(), 1);
    assert!(store.inventory(&acme, &digest(2)).await.unwrap().is_some());
}

pub(super) async fn of_a_repository_leaves_what_others_have(store: &Store) {
    let acme = acme(store).await;
    let (web, api) = (REPOSITORY, "docker.io/acme/api");
    for number in 1..=6 {
        let own = format!("pkg:npm/own{number}@1");
        let kept = inventory(number, BASE, &[&own]);
        let (digest, platform) = (digest(number), amd64());
        store.keep_inventory(&acme, &at(1), &digest, &platform, Some(web), &kept).await.unwrap();
        store
            .point_tag(&acme, &at(1), web, &format!("v{number}"), &platform, &digest)
            .await
            .unwrap();
        if number == 6 {
            store
                .keep_inventory(&acme, &at(1), &digest, &platform, Some(api), &kept)
                .await
                .unwrap();
            store.point_tag(&acme, &at(1), api, "v6", &platform, &digest).await.unwrap();
        }
    }
    store.enable_repository(&acme, &at(1), web, true).await.unwrap();
    store.enable_repository(&acme, &at(1), api, true).await.unwrap();
    store
        .record(&acme, &at(2), "production", &Source::Cli, &image("acme/web:v1", 1))
        .await
        .unwrap();
    // The same image under another name runs on.
    store.record(&acme, &at(2), "staging", &Source::Cli, &image("acme/api:v2", 2)).await.unwrap();

    let refused = store.delete_repository(&acme, &at(3), web, false).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("repository `{web}`: it runs in production"));
    let cleared = store.delete_repository(&acme, &at(4), web, true).await.unwrap();
    assert_eq!(cleared, Cleared { images: 4, tags: 6, ended: 1 });
    no_orphans(store).await;
    let images = store.images(&acme, &ImageSelection::default(), &Page::first(9)).await.unwrap();
    let left: Vec<(String, Vec<String>)> =
        images.rows.iter().map(|it| (it.digest.to_string(), it.repositories.clone())).collect();
    let named = vec![api.to_owned()];
    let expect = [(digest(2).to_string(), vec![]), (digest(6).to_string(), named)];
    assert_eq!(left, expect);
    assert!(store.tags(&acme, web, None).await.unwrap().is_empty());
    assert_eq!(store.tags(&acme, api, None).await.unwrap().len(), 1);
    assert!(store.repository(&acme, web).await.unwrap().is_none());
    assert!(store.repository(&acme, api).await.unwrap().is_some());
    assert_eq!(told(store, &acme, "production", When::Ever).await.lines().count(), 1);
    let kinds = vec![EventKind::RepositoryDeleted, EventKind::ImageDeleted];
    let selection = EventSelection { kinds, ..EventSelection::default() };
    let events = store.events(&acme, &selection, &Page::first(9)).await.unwrap().rows;
    assert_eq!(events.len(), 5);
    let none = store.delete_repository(&acme, &at(5), web, true).await.unwrap_err();
    assert!(matches!(none, Error::NotFound { what: "repository", .. }), "{none}");
    assert!(matches!(
        store.delete_repository(&acme, &at(5), "a b", true).await,
        Err(Error::Refused { .. })
    ));
}

/// Others wait for somebody, as far as one can see from outside.
async fn somebody_waits(store: &Store) -> bool {
    if store.db.is_file() {
        // There everybody waits for the one who writes.
        return true;
    }
    let sql = "SELECT COUNT(*) AS rows FROM pg_stat_activity
               WHERE datname = current_database() AND wait_event_type = 'Lock'";
    store.db.row(sql, vec![]).await.unwrap().unwrap().int("rows").unwrap() > 0
}

/// Whoever records an image, and is not done yet, is seen by those who would delete it. On SQLite the
/// two never meet: one writes at a time, and there it is only told that the second finds what the first
/// has left.
pub(super) async fn leaves_what_somebody_records_right_now(store: &Store) {
    let acme = acme(store).await;
    let old = Retention { images_before: Some(at(40).at), ..Retention::default() };
    for expiring in [true, false] {
        for number in [1, 2] {
            let own = format!("pkg:npm/own{number}@1");
            let kept = inventory(number, BASE, &[&own]);
            let seen = Some(REPOSITORY);
            store
                .keep_inventory(&acme, &at(1), &digest(number), &amd64(), seen, &kept)
                .await
                .unwrap();
        }
        let together = Together::default();
        let web = workload("web", "acme/other:v1", 1);
        let act = at(2);
        let recording = store.record(&acme, &act, "production", &Source::Cli, &web);
        together.hold(recording).await.unwrap();
        let deleting = {
            let (store, acme) = (store.clone(), acme.clone());
            tokio::spawn(async move {
                if expiring {
                    store.expire(&acme, &at(60), &old).await.unwrap().images
                } else {
                    let gone = store.delete_repository(&acme, &at(60), REPOSITORY, false).await;
                    gone.unwrap().images
                }
            })
        };
        while !deleting.is_finished() && !somebody_waits(store).await {
            tokio::task::yield_now().await;
        }
        together.commit().await.unwrap();
        assert_eq!(deleting.await.unwrap(), 1, "{expiring}");
        let left = store.images(&acme, &ImageSelection::default(), &Page::first(9)).await.unwrap();
        let left: Vec<_> = left.rows.into_iter().map(|it| it.digest).collect();
        assert_eq!(left, [digest(1)], "{expiring}");
        let running = store.running(&acme, &within("production"), &Page::first(9)).await.unwrap();
        assert!(!running.rows[0].deployment.pending, "it is still known");
        let selection = Selection::default();
        store.remove(&acme, &at(70), "production", &selection).await.unwrap();
        no_orphans(store).await;
    }
}

pub(super) async fn of_an_environment_goes_part_by_part(store: &Store) {
    let acme = acme(store).await;
    for round in 0..20 {
        let act = at(i64::from(round));
        for environment in ["production", "staging"] {
            let web = image("acme/web:v1", round + 1);
            store.record(&acme, &act, environment, &Source::Cli, &web).await.unwrap();
            let counts = Counts { critical: u64::from(round), ..Counts::default() };
            store.count(&acme, act.at, "a", &[(environment.to_owned(), counts)]).await.unwrap();
        }
    }
    let (history, counts) =
        (rows(store, "deployments").await, rows(store, "environment_counts").await);
    store.delete_environment(&acme, &at(30), "staging").await.unwrap();
    assert_eq!(rows(store, "deployments").await, history / 2);
    assert_eq!(rows(store, "environment_counts").await, counts / 2);
    let events = store.events(&acme, &EventSelection::default(), &Page::first(1)).await.unwrap();
    let told = (events.rows[0].kind, events.rows[0].detail["deployments"].as_u64());
    assert_eq!(told, (EventKind::EnvironmentDeleted, Some(20)));
    assert_eq!(told_of(store, &acme, "production").await, 20);
    let none = store.delete_environment(&acme, &at(31), "staging").await.unwrap_err();
    assert!(matches!(none, Error::NotFound { .. }), "{none}");
    // Nothing of it is left in the log.
    if let Some(log) = log(store).await {
        assert_eq!(log.len(), 0);
    }
}

async fn told_of(store: &Store, organisation: &OrganisationId, environment: &str) -> usize {
    told(store, organisation, environment, When::Ever).await.lines().count()
}

/// On SQLite, where one writes and many read: whoever deletes keeps nobody from writing while somebody
/// reads, and what is deleted is in no byte of the file when they are done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_keeps_nobody_from_writing() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}", folder.path().join("store.db").display());
    let store = Store::open(&address).await.unwrap();
    let acme = acme(&store).await;
    for together in [None, Some(Together::default())] {
        let kept = inventory(1, BASE, &[&format!("pkg:npm/{WORD}@1")]);
        store.keep_inventory(&acme, &at(1), &digest(1), &amd64(), None, &kept).await.unwrap();
        let mut reading = store.db.read().await.unwrap();
        assert_eq!(reading.rows("SELECT id FROM images", vec![]).await.unwrap().len(), 1);
        let name = format!("place {}", together.is_some());
        let writing = async {
            let (act, digest) = (at(2), digest(1));
            let deleting = store.delete_image(&acme, &act, &digest);
            match together {
                None => deleting.await.unwrap(),
                Some(together) => {
                    together.hold(deleting).await.unwrap();
                    together.commit().await.unwrap();
                }
            }
            store.create_environment(&acme, &at(3), &name).await.unwrap();
        };
        let patience = Duration::from_secs(15);
        tokio::time::timeout(patience, writing).await.expect("nobody waits for who reads");
        assert_eq!(reading.rows("SELECT id FROM images", vec![]).await.unwrap().len(), 1);
        assert!(says(&on_disk(&store).await.unwrap(), WORD), "it is read just now");
        drop(reading);
        let gone = async {
            while says(&on_disk(&store).await.unwrap(), WORD) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), gone).await.expect("it goes by itself");
    }
    store.close().await;
}

/// Some record an image while others delete it by force: each is done or refused, and in the end
/// what runs is what was recorded and has not ended with its image.
pub(super) async fn and_recordings_do_not_disturb_each_other(store: &Store) {
    let acme = acme(store).await;
    let mut tasks = Vec::new();
    for number in 0..4 {
        let (store, acme) = (store.clone(), acme.clone());
        tasks.push(tokio::spawn(async move {
            for round in 0..8 {
                let act = at(round);
                let environment = if number % 2 == 0 { "production" } else { "staging" };
                match number {
                    0 | 1 => {
                        let web = workload(&format!("w{round}"), "acme/web:v1", 1);
                        let source = Source::Cli;
                        store.record(&acme, &act, environment, &source, &web).await.unwrap();
                    }
                    2 => {
                        let kept = inventory(1, BASE, &[]);
                        let (digest, platform) = (digest(1), amd64());
                        let kept = store
                            .keep_inventory(&acme, &act, &digest, &platform, None, &kept)
                            .await;
                        assert!(matches!(kept, Ok(()) | Err(Error::Gone(_))), "{kept:?}");
                    }
                    _ => {
                        let gone = store.delete_image_that_runs(&acme, &act, &digest(1)).await;
                        let fine = matches!(
                            gone,
                            Ok(_) | Err(Error::NotFound { .. } | Error::Unavailable { .. })
                        );
                        assert!(fine, "{gone:?}");
                    }
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    no_orphans(store).await;
    let (started, ended) = (EventKind::DeploymentStarted, EventKind::DeploymentEnded);
    let of = async |kind: EventKind| -> BTreeSet<String> {
        let selection = EventSelection { kinds: vec![kind], ..EventSelection::default() };
        let events = store.events(&acme, &selection, &Page::first(999)).await.unwrap().rows;
        let ids = events.iter().map(|it| it.detail["deployment"].as_str().unwrap().to_owned());
        ids.collect()
    };
    let (started, ended) = (of(started).await, of(ended).await);
    assert_eq!(started.len(), 16, "each was recorded");
    assert!(ended.is_subset(&started));
    let running = store.running(&acme, &Selection::default(), &Page::first(99)).await.unwrap().rows;
    let running: BTreeSet<String> = running.into_iter().map(|it| it.deployment.id).collect();
    assert_eq!(running, started.difference(&ended).cloned().collect());
    match store.delete_image_that_runs(&acme, &at(30), &digest(1)).await {
        Ok(last) => assert_eq!(last.into_iter().map(|it| it.id).collect::<BTreeSet<_>>(), running),
        Err(Error::NotFound { .. }) => assert!(running.is_empty()),
        Err(error) => panic!("{error}"),
    }
    for environment in ["production", "staging"] {
        let running = store
            .deployments(&acme, &within(environment), When::Now, &Page::first(99))
            .await
            .unwrap();
        assert!(running.rows.is_empty());
    }
}

/// What was deleted is deleted, and nobody is told otherwise, also where the log cannot be emptied; it
/// is, as soon as it can be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn has_happened_when_the_log_is_emptied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = Store::open(&format!("sqlite://{}", path.display())).await.unwrap();
    let acme = acme(&store).await;
    let together = Together::default();
    together.hold(store.delete_environment(&acme, &at(1), "staging")).await.unwrap();
    // Whoever empties it opens the file by its name.
    let elsewhere = folder.path().join("elsewhere");
    fs_err::rename(&path, &elsewhere).unwrap();
    together.commit().await.unwrap();
    fs_err::rename(&elsewhere, &path).unwrap();
    assert_eq!(store.environments(&acme).await.unwrap().len(), 1);
    let emptied = async {
        while log(&store).await.is_some_and(|it| !it.is_empty()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), emptied).await.expect("it goes by itself");
    store.close().await;
}
