//! Evaluations, and counts of findings.

use model::{EventKind, OrganisationId};
use serde_json::json;

use super::kit::{acme, at, rows};
use crate::{Counts, EventSelection, NewEvent, Page, Retention, Store};

fn found(number: usize, environment: &str) -> NewEvent {
    NewEvent {
        kind: EventKind::FindingNew,
        environment: Some(environment.to_owned()),
        about: format!("CVE-2026-{number:04}"),
        detail: json!({ "number": number }),
    }
}

async fn found_in(store: &Store, acme: &OrganisationId, environment: Option<&str>) -> Vec<String> {
    let selection = EventSelection {
        environment: environment.map(str::to_owned),
        kinds: vec![EventKind::FindingNew],
        ..EventSelection::default()
    };
    let page = Page::first(1000);
    let events = store.events(acme, &selection, &page).await.unwrap().rows;
    events.into_iter().rev().map(|it| it.about).collect()
}

pub(super) async fn are_told_once(store: &Store) {
    let acme = acme(store).await;
    assert_eq!(store.last_evaluation(&acme).await.unwrap(), None);
    assert!(store.evaluated(&acme, &at(1), None, "a", &[]).await.unwrap());
    let events: Vec<NewEvent> = (0..700)
        .map(|it| found(it, ["production", "gone"].into_iter().nth(it % 2).unwrap()))
        .collect();
    assert!(store.evaluated(&acme, &at(2), Some("a"), "b", &events).await.unwrap());
    // Again, after a crash; or late, from what is not the last any more.
    assert!(!store.evaluated(&acme, &at(3), Some("a"), "b", &events).await.unwrap());
    assert!(!store.evaluated(&acme, &at(3), None, "c", &events).await.unwrap());
    assert!(!store.evaluated(&acme, &at(3), Some("b"), "b", &events).await.unwrap());
    let last = store.last_evaluation(&acme).await.unwrap().unwrap();
    assert_eq!((last.almanac.as_str(), last.at), ("b", at(2).at));
    let all = found_in(store, &acme, None).await;
    let expect: Vec<String> = events.iter().map(|it| it.about.clone()).collect();
    assert_eq!(all, expect, "each once, in their order");
    assert_eq!(found_in(store, &acme, Some("production")).await.len(), 350);
    let was = async |almanac| store.was_evaluated(&acme, almanac).await.unwrap();
    assert_eq!((was("a").await, was("b").await, was("c").await), (true, true, false));
    // An older almanac again is a change like others.
    assert!(store.evaluated(&acme, &at(4), Some("b"), "a", &[]).await.unwrap());
    let keep = Retention { evaluations_before: Some(at(9).at), ..Retention::default() };
    store.expire(&acme, &at(9), &keep).await.unwrap();
    assert_eq!(rows(store, "evaluations").await, 1, "the last stays");
    assert!(!store.evaluated(&acme, &at(10), None, "b", &events).await.unwrap());
}

pub(super) async fn of_many_at_once_are_told_once(store: &Store) {
    let acme = acme(store).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (store, acme) = (store.clone(), acme.clone());
            tokio::spawn(async move {
                let events: Vec<NewEvent> = (0..50).map(|it| found(it, "production")).collect();
                store.evaluated(&acme, &at(1), None, "a", &events).await.unwrap()
            })
        })
        .collect();
    let mut written = 0;
    for task in tasks {
        written += i32::from(task.await.unwrap());
    }
    assert_eq!((written, found_in(store, &acme, None).await.len()), (1, 50));
}

fn counts(critical: u64) -> Counts {
    Counts { critical, images: 3, ..Counts::default() }
}

pub(super) async fn counts_are_written_as_they_change(store: &Store) {
    let acme = acme(store).await;
    let count = async |minute, almanac, critical| {
        let all = [("production".to_owned(), counts(critical)), ("gone".to_owned(), counts(9))];
        store.count(&acme, at(minute).at, almanac, &all).await.unwrap()
    };
    assert_eq!(count(10, "a", 1).await, 1);
    assert_eq!(count(20, "b", 1).await, 0);
    assert_eq!(count(30, "c", 2).await, 1);
    assert_eq!(count(25, "d", 3).await, 1, "by a clock that was set back");
    let told = async |from, until| {
        let all =
            store.counts(&acme, "production", (at(from).at, at(until).at), None).await.unwrap();
        all.into_iter().map(|it| (it.almanac, it.counts.critical, it.at)).collect::<Vec<_>>()
    };
    let a = ("a".to_owned(), 1, at(10).at);
    let c = ("c".to_owned(), 2, at(30).at);
    let d = ("d".to_owned(), 3, at(30).at.next());
    assert_eq!(told(0, 60).await, [a.clone(), c.clone(), d.clone()]);
    assert_eq!(told(10, 30).await, std::slice::from_ref(&a));
    assert_eq!(told(20, 60).await, [a.clone(), c.clone(), d.clone()]);
    assert_eq!(told(40, 60).await, std::slice::from_ref(&d));
    assert_eq!(told(0, 10).await, []);
    assert!(store.counts(&acme, "gone", (at(0).at, at(9).at), None).await.is_err());

    // Of each so many seconds the last one holds.
    let thinned = async |every| {
        let range = (at(0).at, at(60).at);
        let all = store.counts(&acme, "production", range, Some(every)).await.unwrap();
        all.into_iter().map(|it| it.almanac).collect::<Vec<_>>()
    };
    assert_eq!(thinned(20 * 60).await, ["a", "d"]);
    assert_eq!(thinned(u32::MAX).await, ["d"]);
    assert_eq!(thinned(0).await, ["a", "d"], "within a second");

    let present = store.present_counts(&acme).await.unwrap();
    let present: Vec<(u64, &str)> =
        present.values().map(|it| (it.counts.critical, it.almanac.as_str())).collect();
    assert_eq!(present, [(3, "d")]);
    let keep = Retention { counts_before: Some(at(30).at), ..Retention::default() };
    assert_eq!(store.expire(&acme, &at(60), &keep).await.unwrap().counts, 1);
    assert_eq!(told(0, 60).await, [c, d]);
}

pub(super) async fn counts_go_with_what_they_count(store: &Store) {
    let acme = acme(store).await;
    let all = [("production".to_owned(), counts(1)), ("staging".to_owned(), counts(2))];
    assert_eq!(store.count(&acme, at(1).at, "a", &all).await.unwrap(), 2);
    store.rename_environment(&acme, &at(2), "production", "live").await.unwrap();
    assert_eq!(store.counts(&acme, "live", (at(0).at, at(9).at), None).await.unwrap().len(), 1);
    store.delete_environment(&acme, &at(3), "live").await.unwrap();
    assert_eq!(rows(store, "environment_counts").await, 1);
    assert!(store.evaluated(&acme, &at(3), None, "a", &[]).await.unwrap());
    store.set(&acme, &at(4), "x", Some(&json!(1))).await.unwrap();
    store.delete_organisation(&acme).await.unwrap();
    for table in ["environment_counts", "evaluations", "settings", "events"] {
        assert_eq!(rows(store, table).await, 0, "{table}");
    }
}
