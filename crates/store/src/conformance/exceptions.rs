//! Exceptions: what a team decided about flaws.

use model::{EventKind, OrganisationId};
use serde_json::{Value as Json, json};

use super::kit::{acme, at, rows};
use crate::{Error, EventSelection, ExceptionRecord, NewException, Page, Store};

pub(super) async fn put(
    store: &Store,
    organisation: &OrganisationId,
    name: &str,
    environments: &[&str],
    expires: Option<i64>,
) -> ExceptionRecord {
    let definition = json!({ "flaws": ["CVE-2026-1"], "environments": environments });
    let expires = expires.map(|it| at(it).at);
    let new = NewException { name, definition: &definition, expires };
    store.put_exception(organisation, &at(1), &new).await.unwrap().0
}

async fn told(store: &Store, acme: &OrganisationId, kind: EventKind) -> Vec<String> {
    let selection = EventSelection { kinds: vec![kind], ..EventSelection::default() };
    let all = store.events(acme, &selection, &Page::first(1_000)).await.unwrap().rows;
    all.into_iter().map(|it| it.about).collect()
}

async fn one(store: &Store, acme: &OrganisationId, name: &str) -> ExceptionRecord {
    store.exception(acme, name).await.unwrap().unwrap()
}

pub(super) async fn are_kept_and_replaced(store: &Store) {
    let acme = acme(store).await;
    let made = put(store, &acme, " prōxy ", &["production"], Some(600)).await;
    assert_eq!((made.name.as_str(), made.expires), ("prōxy", Some(at(600).at)));
    assert_eq!(one(store, &acme, "prōxy ").await, made);
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    assert_eq!(store.exception(&other, "prōxy").await.unwrap(), None);
    assert!(store.exceptions(&other).await.unwrap().is_empty());
    let changed = put(store, &acme, "prōxy", &[], None).await;
    assert_eq!((&changed.id, changed.expires), (&made.id, None));
    assert_eq!(changed.definition["environments"], json!([]));
    assert_eq!(store.exceptions(&acme).await.unwrap(), [changed]);
    // Nothing is kept of what makes no sense.
    let nowhere = json!({ "environments": ["nowhere"] });
    let new = |name, definition| NewException { name, definition, expires: None };
    let refused = store.put_exception(&acme, &at(6), &new("x", &nowhere)).await.unwrap_err();
    assert!(matches!(refused, Error::NotFound { what: "environment", .. }), "{refused}");
    let (long, short): (Json, Json) = (json!("x".repeat(70_000)), json!({}));
    for new in [new("", &short), new("x", &long)] {
        let refused = store.put_exception(&acme, &at(6), &new).await.unwrap_err();
        assert!(matches!(refused, Error::Refused { .. }), "{refused}");
    }
    assert!(!store.delete_exception(&other, &at(7), "prōxy").await.unwrap());
    assert!(store.delete_exception(&acme, &at(7), "prōxy").await.unwrap());
    assert!(!store.delete_exception(&acme, &at(7), "prōxy").await.unwrap());
    assert_eq!(rows(store, "exceptions").await, 0);
    assert_eq!(told(store, &acme, EventKind::ExceptionSet).await, ["prōxy", "prōxy"]);
    assert_eq!(told(store, &acme, EventKind::ExceptionDeleted).await, ["prōxy"]);
}

pub(super) async fn expire_once(store: &Store) {
    let acme = acme(store).await;
    for (name, expires) in [("never", None), ("soon", Some(10)), ("later", Some(20))] {
        put(store, &acme, name, &[], expires).await;
    }
    assert!(store.expire_exceptions(&at(9), 100).await.unwrap().is_empty());
    // Several look at once, and one tells.
    let now = at(10);
    let (one_of, other) =
        tokio::join!(store.expire_exceptions(&now, 100), store.expire_exceptions(&now, 100));
    let whose = [one_of.unwrap(), other.unwrap()].concat();
    assert_eq!(whose, std::slice::from_ref(&acme));
    assert_eq!(told(store, &acme, EventKind::ExceptionExpired).await, ["soon"]);
    assert_eq!(one(store, &acme, "soon").await.expired, Some(at(10).at));
    // Who lets it hold for longer is told again when that is over, too.
    assert_eq!(put(store, &acme, "soon", &[], Some(30)).await.expired, None);
    assert_eq!(store.expire_exceptions(&at(20), 100).await.unwrap().len(), 1);
    assert_eq!(store.expire_exceptions(&at(40), 100).await.unwrap().len(), 1);
    assert!(store.expire_exceptions(&at(50), 100).await.unwrap().is_empty());
    let mut expired = told(store, &acme, EventKind::ExceptionExpired).await;
    expired.sort();
    assert_eq!(expired, ["later", "soon", "soon"]);
}

pub(super) async fn follow_their_environments(store: &Store) {
    let acme = acme(store).await;
    put(store, &acme, "both", &["production", "staging"], None).await;
    store.rename_environment(&acme, &at(2), "production", "live").await.unwrap();
    let found = one(store, &acme, "both").await;
    assert_eq!(found.definition["environments"], json!(["live", "staging"]));
}
