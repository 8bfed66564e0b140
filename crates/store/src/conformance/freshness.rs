//! Of which feeds an organisation was told that they are stale.

use model::EventKind;
use serde_json::json;

use super::kit::{acme, at};
use crate::{EventSelection, Page, Store};

pub(super) async fn is_told_as_it_changes(store: &Store) {
    let acme = acme(store).await;
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    let is = async |minute, feed: &str, stale| {
        store.feed_is(&acme, &at(minute), feed, stale, json!({ "days": 9 })).await.unwrap()
    };
    assert!(!is(1, "osv", false).await, "it never was");
    assert!(is(2, "osv", true).await && !is(3, "osv", true).await);
    assert!(is(3, "kev", true).await);
    let told: Vec<String> = store.stale_feeds(&acme).await.unwrap().into_iter().collect();
    assert_eq!(told, ["kev", "osv"]);
    assert!(store.stale_feeds(&other).await.unwrap().is_empty());
    // Of many who see it at once, one says so.
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (store, acme) = (store.clone(), acme.clone());
            let act = at(4);
            tokio::spawn(async move {
                let back = store.feed_is(&acme, &act, "osv", false, json!({})).await.unwrap();
                let new = store.feed_is(&acme, &act, "nvd", true, json!({})).await.unwrap();
                (back, new)
            })
        })
        .collect();
    let (mut back, mut new) = (0, 0);
    for task in tasks {
        let told = task.await.unwrap();
        back += i32::from(told.0);
        new += i32::from(told.1);
    }
    assert_eq!((back, new), (1, 1));
    let kinds = vec![EventKind::AlmanacStale, EventKind::AlmanacFresh];
    let selection = EventSelection { kinds, ..EventSelection::default() };
    let all = store.events(&acme, &selection, &Page::first(100)).await.unwrap().rows;
    let mut all: Vec<String> =
        all.into_iter().map(|it| format!("{} {}", it.kind.as_str(), it.about)).collect();
    all.sort();
    let expect =
        ["almanac-fresh osv", "almanac-stale kev", "almanac-stale nvd", "almanac-stale osv"];
    assert_eq!(all, expect);
    store.delete_organisation(&acme).await.unwrap();
    assert!(store.stale_feeds(&acme).await.unwrap().is_empty());
}
