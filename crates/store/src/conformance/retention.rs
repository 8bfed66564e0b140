//! Retention: what goes when, and what stays.

use model::{EventKind, OrganisationId, Retained, Source};
use serde_json::json;

use super::kit::{acme, amd64, at, digest, image, inventory, no_orphans, rows};
use crate::{EventSelection, Expired, ImageSelection, Keeping, NewEvent, Page, Retention, Store};

const REPOSITORY: &str = "docker.io/acme/web";

/// An image that is analysed, with a package of its own.
async fn known(store: &Store, acme: &OrganisationId, minute: i64, number: u8) {
    let own = format!("pkg:npm/own{number}@1.0.0");
    let kept = inventory(number, &["pkg:deb/debian/zlib1g@1.2"], &[&own]);
    let seen = Some(REPOSITORY);
    store.keep_inventory(acme, &at(minute), &digest(number), &amd64(), seen, &kept).await.unwrap();
}

async fn left(store: &Store, acme: &OrganisationId) -> Vec<u8> {
    let none = ImageSelection::default();
    let images = store.images(acme, &none, &Page::first(99)).await.unwrap().rows;
    let number = |it: &model::ImageRecord| u8::from_str_radix(&it.digest.hex()[..2], 16).unwrap();
    images.iter().map(number).collect()
}

pub(super) async fn keeps_what_runs(store: &Store) {
    let acme = acme(store).await;
    for number in 1..=6 {
        known(store, &acme, if number == 4 { 50 } else { 1 }, number).await;
    }
    // One ran and one runs, one was led to long ago, one lately, one is led to, one is new.
    for (minute, number) in [(2, 1), (3, 2)] {
        let web = image("acme/web:v1", number);
        store.record(&acme, &at(minute), "production", &Source::Cli, &web).await.unwrap();
    }
    for (minute, number) in [(2, 6), (3, 5), (45, 3)] {
        store
            .point_tag(&acme, &at(minute), REPOSITORY, "v1", &amd64(), &digest(number))
            .await
            .unwrap();
    }
    let before = Some(at(40).at);
    let images = Retention { images_before: before, ..Retention::default() };
    let would = store.expirable(&acme, &images).await.unwrap();
    assert_eq!(would, Expired { images: 1, ..Expired::default() });
    assert_eq!(store.expire(&acme, &at(60), &images).await.unwrap(), would);
    assert_eq!(left(store, &acme).await, [1, 2, 3, 4, 5], "the history tells of the first");
    no_orphans(store).await;

    let all = Retention { history_before: before, events_before: before, ..images };
    let would = store.expirable(&acme, &all).await.unwrap();
    assert_eq!((would.images, would.deployments, would.tags), (1, 1, 1));
    assert!(would.events > 5, "{would:?}");
    assert_eq!(store.expire(&acme, &at(60), &all).await.unwrap(), would);
    assert_eq!(left(store, &acme).await, [2, 3, 4, 5]);
    no_orphans(store).await;
    assert_eq!(store.expire(&acme, &at(61), &all).await.unwrap(), Expired::default());
    assert_eq!(store.expirable(&acme, &all).await.unwrap(), Expired::default());
    let events =
        store.events(&acme, &EventSelection::default(), &Page::first(99)).await.unwrap().rows;
    let mut kinds: Vec<&str> = events.iter().map(|it| it.kind.as_str()).collect();
    kinds.dedup();
    assert_eq!(kinds, ["expired", "tag-moved", "image-analysed"]);
    let told: u64 = events.iter().filter_map(|it| it.detail["events"].as_u64()).sum();
    assert_eq!(told, would.events, "each part is told");
}

pub(super) async fn goes_part_by_part(store: &Store) {
    let acme = acme(store).await;
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    let event = NewEvent {
        kind: EventKind::FindingNew,
        environment: None,
        about: "CVE-2026-1".to_owned(),
        detail: json!({}),
    };
    for whose in [&acme, &other] {
        let events = vec![event.clone(); 40];
        assert!(store.evaluated(whose, &at(1), None, "a", &events).await.unwrap());
    }
    for number in 1..=5 {
        known(store, &acme, 1, number).await;
    }
    let before = Some(at(40).at);
    let all = Retention { images_before: before, events_before: before, ..Retention::default() };
    let there = rows(store, "events").await;
    let would = store.expirable(&acme, &all).await.unwrap();
    assert_eq!(would.images, 5);
    assert_eq!(store.expire(&acme, &at(60), &all).await.unwrap(), would);
    let events =
        store.events(&acme, &EventSelection::default(), &Page::first(99)).await.unwrap().rows;
    assert!(events.iter().all(|it| it.kind == EventKind::Expired));
    // No part is larger than it may be, and nothing of others goes.
    let most = events.iter().filter_map(|it| it.detail["events"].as_u64()).max();
    assert_eq!(most, Some(7));
    let parts = i64::try_from(events.len()).unwrap();
    let gone = i64::try_from(would.events).unwrap();
    assert_eq!(rows(store, "events").await, there - gone + parts);
    let others = store.events(&other, &EventSelection::default(), &Page::first(99)).await.unwrap();
    assert_eq!(others.rows.len(), 41);
    for table in ["packages", "package_sets", "set_packages", "inventories"] {
        assert_eq!(rows(store, table).await, 0, "{table}");
    }
}

pub(super) async fn keeps_what_somebody_recorded(store: &Store) {
    let acme = acme(store).await;
    for number in 1..=3 {
        known(store, &acme, 1, number).await;
    }
    for (minute, number) in [(2, 1), (3, 2)] {
        let web = image("acme/web:v1", number);
        store.record(&acme, &at(minute), "production", &Source::Cli, &web).await.unwrap();
    }
    let keepings = store.keepings(&acme).await.unwrap();
    assert!(keepings.iter().all(|it| it.by_default && it.days == it.what.usual()));
    let late = at(0).at.plus_seconds(40 * 365 * 86_400);
    let act = model::Act { at: late, ..at(0) };
    let retention = Retention::at(&keepings, late);
    let expired = store.expire(&acme, &act, &retention).await.unwrap();
    // The one that nobody ever ran, and nothing that somebody said.
    assert_eq!(expired, Expired { images: 1, ..Expired::default() });
    assert_eq!(left(store, &acme).await, [1, 2]);
}

pub(super) async fn is_what_owners_say(store: &Store) {
    let acme = acme(store).await;
    let keeping = async |what: Retained| -> Keeping {
        let all = store.keepings(&acme).await.unwrap();
        *all.iter().find(|it| it.what == what).unwrap()
    };
    let what = Retained::Events;
    assert!(store.keep_for(&acme, &at(1), what, Some(30)).await.unwrap());
    assert!(!store.keep_for(&acme, &at(1), what, Some(30)).await.unwrap());
    assert_eq!(keeping(what).await, Keeping { what, days: Some(30), by_default: false });
    assert!(store.keep_for(&acme, &at(2), Retained::Images, None).await.unwrap());
    assert_eq!(keeping(Retained::Images).await.days, None);
    let now = at(0).at;
    let retention = Retention::at(&store.keepings(&acme).await.unwrap(), now);
    assert_eq!(retention.events_before, Some(now.plus_seconds(-30 * 86_400)));
    assert_eq!((retention.images_before, retention.history_before), (None, None));
    assert!(store.keep_as_usual(&acme, &at(3), what).await.unwrap());
    assert!(keeping(what).await.by_default);
    for days in [0, 36_501] {
        let refused = store.keep_for(&acme, &at(4), what, Some(days)).await.unwrap_err();
        let expect = "retention of events: it is 1 to 36500 days, or for ever";
        assert_eq!(refused.to_string(), expect);
    }
    let kinds = vec![EventKind::SettingChanged];
    let selection = EventSelection { kinds, ..EventSelection::default() };
    let told = store.events(&acme, &selection, &Page::first(9)).await.unwrap().rows;
    let told: Vec<String> =
        told.iter().map(|it| format!("{} {}", it.about, it.detail["to"])).collect();
    let expect = ["retention.events null", "retention.images \"for ever\"", "retention.events 30"];
    assert_eq!(told, expect);
}
