//! Many at once.

use std::collections::BTreeMap;

use model::{EventKind, Moment, Source};
use serde_json::json;

use super::kit::{acme, amd64, at, digest, image, inventory, no_orphans, rows, within};
use crate::{Change, Error, EventSelection, NewJob, Page, Selection, Store, Together, When};

pub(super) async fn recordings_of_one_application_make_one_true_history(store: &Store) {
    let acme = acme(store).await;
    let tasks: Vec<_> = (0..40_u8)
        .map(|number| {
            let (store, acme) = (store.clone(), acme.clone());
            tokio::spawn(async move {
                let act = at(i64::from(number % 7));
                let web = image("acme/web:v1", number % 10);
                store.record(&acme, &act, "production", &Source::Cli, &web).await.unwrap()
            })
        })
        .collect();
    let mut changes = 0;
    for task in tasks {
        if task.await.unwrap().change != Change::Unchanged {
            changes += 1;
        }
    }
    let page = Page::first(100);
    let now = store.deployments(&acme, &within("production"), When::Now, &page).await.unwrap();
    assert_eq!(now.rows.len(), 1);
    let ever = store.deployments(&acme, &within("production"), When::Ever, &page).await.unwrap();
    assert_eq!(ever.rows.len(), changes);
    for pair in ever.rows.windows(2) {
        assert_eq!(pair[1].until, Some(pair[0].from));
        assert_ne!(pair[0].digest, pair[1].digest);
    }
    let kinds = vec![EventKind::DeploymentStarted, EventKind::DeploymentReplaced];
    let selection = EventSelection { kinds, ..EventSelection::default() };
    let events = store.events(&acme, &selection, &page).await.unwrap().rows;
    assert_eq!(events.len(), changes, "an event for each change");
}

pub(super) async fn reports_and_recordings_do_not_disturb_each_other(store: &Store) {
    let acme = acme(store).await;
    let tasks: Vec<_> = (0..24_u8)
        .map(|number| {
            let (store, acme) = (store.clone(), acme.clone());
            tokio::spawn(async move {
                let act = at(i64::from(number));
                let all = [image("acme/web:v1", number), image("acme/api:v1", number)];
                let none = Selection::default();
                let (cli, web) = (&Source::Cli, all.first().unwrap());
                match number % 4 {
                    0 => drop(store.report(&acme, &act, "production", "east", &all).await.unwrap()),
                    1 => drop(store.record(&acme, &act, "staging", cli, web).await.unwrap()),
                    2 => drop(
                        store
                            .promote(&acme, &act, "staging", "production", cli, &none)
                            .await
                            .unwrap(),
                    ),
                    _ => drop(
                        store
                            .promote(&acme, &act, "production", "staging", cli, &none)
                            .await
                            .unwrap(),
                    ),
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let selection = within("production");
    let page = Page::first(100);
    let now = store.deployments(&acme, &selection, When::Now, &page).await.unwrap().rows;
    let reported = now.iter().filter(|it| it.source.runtime().is_some()).count();
    assert_eq!(reported, 2);
    let digests: Vec<_> =
        now.iter().filter(|it| it.source.runtime().is_some()).map(|it| &it.digest).collect();
    assert_eq!(digests[0], digests[1], "a report is taken as a whole");
}

pub(super) async fn inventories_come_and_go(store: &Store) {
    let acme = acme(store).await;
    let tasks: Vec<_> = (0..32_u8)
        .map(|number| {
            let (store, acme) = (store.clone(), acme.clone());
            tokio::spawn(async move {
                let image = digest(number % 4);
                let own = [format!("pkg:npm/own{}@1.0.0", number % 3)];
                let own: Vec<&str> = own.iter().map(String::as_str).collect();
                let base = ["pkg:deb/debian/zlib1g@1.2", "pkg:deb/debian/bash@5"];
                let kept = inventory(number % 4, &base, &own);
                let act = at(i64::from(number));
                if number % 5 == 4 {
                    match store.delete_image(&acme, &act, &image).await {
                        Ok(()) | Err(Error::NotFound { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                } else {
                    store.keep_inventory(&acme, &act, &image, &amd64(), None, &kept).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    no_orphans(store).await;
    for number in 0..4 {
        let image = digest(number);
        if let Some(record) = store.image(&acme, &image).await.unwrap() {
            let kept = store.inventory(&acme, &image).await.unwrap().unwrap();
            assert_eq!(record.packages, Some(3));
            assert_eq!(kept.packages.len(), 3);
            store.delete_image(&acme, &at(99), &image).await.unwrap();
        }
    }
    assert_eq!(rows(store, "packages").await, 0);
}

/// A part that is begun within another of the same is an error, and not a wait without an end.
pub(super) async fn nobody_waits_for_themselves(store: &Store) {
    let acme = acme(store).await;
    let together = Together::default();
    let change = async {
        let part = store.db.write().await.unwrap();
        let within = store.create_environment(&acme, &at(1), "qa").await;
        assert!(matches!(within, Err(Error::Unavailable { .. })), "{within:?}");
        // What is deleted in the midst of one is in nobody's way either.
        store.db.scrub().await;
        drop(part);
        store.create_environment(&acme, &at(1), "qa").await.unwrap();
    };
    let patience = std::time::Duration::from_secs(20);
    tokio::time::timeout(patience, together.hold(change)).await.expect("nobody waits");
    together.commit().await.unwrap();
    assert_eq!(store.environments(&acme).await.unwrap().len(), 3);
}

/// Six claim; some die with what they have, some are slow; each job is finished exactly once.
pub(super) async fn claimers_share_the_work(store: &Store) {
    let jobs: Vec<NewJob> = (0..60)
        .map(|number| NewJob {
            kind: "analyze".to_owned(),
            payload: json!(number),
            key: Some(format!("image {number}")),
            asked: Moment::default(),
            ready: Moment::default(),
            attempts: 100,
        })
        .collect();
    assert_eq!(store.enqueue_all(&jobs).await.unwrap(), 60);
    let tasks: Vec<_> = (0..6_i64)
        .map(|claimer| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut finished = Vec::new();
                for round in 0..200_i64 {
                    // Each has a clock of its own, some far ahead: leases run out while held.
                    let now = at(0).at.plus_seconds(round * 20 + claimer * 50);
                    let taken = store.claim_jobs(&["analyze"], now, 30, 3).await.unwrap();
                    for (at, job) in taken.iter().enumerate() {
                        let dies = claimer < 2 && (round + i64::try_from(at).unwrap()) % 2 == 0;
                        if !dies && store.finish_job(job, now).await.unwrap() {
                            finished.push(job.payload.to_string());
                        }
                    }
                }
                finished
            })
        })
        .collect();
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for task in tasks {
        for payload in task.await.unwrap() {
            *times.entry(payload).or_default() += 1;
        }
    }
    assert_eq!(times.len(), 60, "nothing is lost");
    assert!(times.values().all(|it| *it == 1), "nothing is doubled: {times:?}");
}

pub(super) async fn images_are_analysed_while_they_are_recorded(store: &Store) {
    let acme = acme(store).await;
    let tasks: Vec<_> = (0..30_u8)
        .map(|number| {
            let (store, acme) = (store.clone(), acme.clone());
            tokio::spawn(async move {
                let act = at(i64::from(number % 5));
                let environment = if number % 2 == 0 { "production" } else { "staging" };
                let (this, other) = (number % 4 + 1, (number + 1) % 4 + 1);
                if number % 5 == 0 {
                    let kept = inventory(this, &["pkg:deb/debian/zlib1g@1"], &[]);
                    store
                        .keep_inventory(&acme, &act, &digest(this), &amd64(), None, &kept)
                        .await
                        .unwrap();
                } else {
                    let all = [image("acme/web:v1", this), image("acme/api:v1", other)];
                    store.record_all(&acme, &act, environment, &Source::Cli, &all).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for number in 1..5 {
        let kept = inventory(number, &["pkg:deb/debian/zlib1g@1"], &[]);
        store.keep_inventory(&acme, &at(9), &digest(number), &amd64(), None, &kept).await.unwrap();
    }
    let all = store.environments(&acme).await.unwrap();
    assert_eq!(all.iter().map(|it| (it.running, it.pending)).collect::<Vec<_>>(), [(2, 0), (2, 0)]);
    let page = Page::first(9);
    let running = store.running(&acme, &Selection::default(), &page).await.unwrap().rows;
    assert!(running.iter().all(|it| !it.deployment.pending));
}
