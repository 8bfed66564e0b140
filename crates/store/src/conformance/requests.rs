//! Requests under keys, and settings.

use model::{EventKind, Holder, Secret};
use serde_json::json;

use super::kit::{acme, at, rows};
use crate::{EventSelection, Idempotent, Page, Store, Together};

const REQUEST: [u8; 32] = [1; 32];

async fn holder(store: &Store) -> Holder {
    Holder::Organisation(acme(store).await)
}

fn claim(told: Idempotent) -> String {
    let Idempotent::GoAhead { claim } = told else { panic!("{told:?}") };
    claim
}

pub(super) async fn are_answered_once(store: &Store) {
    let acme = holder(store).await;
    let ann = store.create_user(&at(0), "ann", &Secret::new("x")).await.unwrap();
    let ann = Holder::User(ann.id);
    let begin = async |holder, key, request: u8, minute| {
        store.begin_request(holder, key, &[request; 32], at(minute).at).await
    };
    let first = claim(begin(&acme, "k", 1, 0).await.unwrap());
    assert_eq!(begin(&acme, "k", 1, 0).await.unwrap(), Idempotent::InProgress);
    claim(begin(&acme, "other", 1, 0).await.unwrap());
    let of_ann = claim(begin(&ann, "k", 2, 0).await.unwrap());
    let refused = begin(&acme, "k", 2, 0).await.unwrap_err();
    assert_eq!(refused.to_string(), "idempotency key: another request was made under it");
    assert!(!store.answer_request(&acme, "k", &of_ann, 201, b"no").await.unwrap());
    assert!(store.answer_request(&acme, "k", &first, 201, b"\0yes").await.unwrap());
    assert!(!store.answer_request(&acme, "k", &first, 200, b"again").await.unwrap());
    assert!(!store.drop_request(&acme, "k", &first).await.unwrap());
    let answered = Idempotent::Answered { status: 201, body: b"\0yes".to_vec() };
    assert_eq!(begin(&acme, "k", 1, 1439).await.unwrap(), answered);
    assert!(begin(&acme, "k", 2, 1439).await.is_err());
    // A day later the key is free.
    claim(begin(&acme, "k", 2, 1440).await.unwrap());
    for key in ["", "a\nb", &"x".repeat(256)] {
        assert!(begin(&acme, key, 1, 0).await.is_err(), "{key}");
    }
}

pub(super) async fn of_one_key_are_done_by_one(store: &Store) {
    let acme = holder(store).await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (store, acme) = (store.clone(), acme.clone());
            tokio::spawn(async move {
                store.begin_request(&acme, "k", &REQUEST, at(0).at).await.unwrap()
            })
        })
        .collect();
    let mut claims = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Idempotent::GoAhead { claim } => claims.push(claim),
            told => assert_eq!(told, Idempotent::InProgress),
        }
    }
    assert_eq!(claims.len(), 1);
    // Whoever died is taken over from, by the same request; what it says later does not count.
    let later = at(0).at.plus_seconds(60);
    assert!(store.begin_request(&acme, "k", &[2; 32], later).await.is_err());
    let second = claim(store.begin_request(&acme, "k", &REQUEST, later).await.unwrap());
    assert!(!store.answer_request(&acme, "k", &claims[0], 200, b"").await.unwrap());
    assert!(!store.drop_request(&acme, "k", &claims[0]).await.unwrap());
    assert!(store.drop_request(&acme, "k", &second).await.unwrap());
    claim(store.begin_request(&acme, "k", &REQUEST, later).await.unwrap());
}

pub(super) async fn are_one_with_what_they_change(store: &Store) {
    let acme = acme(store).await;
    let holder = Holder::Organisation(acme.clone());
    let begin = async |minute| store.begin_request(&holder, "k", &REQUEST, at(minute).at).await;
    let there = async |name: &str| {
        let all = store.environments(&acme).await.unwrap();
        all.iter().any(|it| it.name == name)
    };
    let change = async |together: &Together, name: &str| {
        let change = async {
            store.create_environment(&acme, &at(1), name).await.unwrap();
            // What fails in between leaves nothing, and takes nobody along.
            assert!(store.create_environment(&acme, &at(1), name).await.is_err());
            store.set(&acme, &at(2), name, Some(&json!(1))).await.unwrap();
            assert!(there(name).await, "whoever changes sees it");
        };
        together.hold(change).await;
    };
    let seen = async |name: &str| {
        let set = store.setting(&acme, name).await.unwrap().is_some();
        let events = store.events(&acme, &EventSelection::default(), &Page::first(99)).await;
        (there(name).await, set, events.unwrap().rows.len())
    };
    let before = seen("qa").await;
    // Whoever dies before the answer has changed nothing, and it is done anew.
    let dying = claim(begin(0).await.unwrap());
    let together = Together::default();
    assert_eq!(begin(0).await.unwrap(), Idempotent::InProgress);
    change(&together, "qa").await;
    drop(together);
    assert_eq!(seen("qa").await, before);
    // Whoever was only slow, too.
    let slow = Together::default();
    let claim = claim(begin(1).await.unwrap());
    change(&slow, "qa").await;
    let slow = store.answer_together(slow, &holder, "k", &dying, (201, b"slow")).await;
    assert!(!slow.unwrap());
    assert_eq!(seen("qa").await, before);

    let together = Together::default();
    change(&together, "qa").await;
    let long = vec![b'x'; 100_000];
    let told = store.answer_together(together, &holder, "k", &claim, (201, &long)).await;
    assert!(told.unwrap());
    assert_eq!(begin(2).await.unwrap(), Idempotent::Answered { status: 201, body: long });
    assert_eq!(seen("qa").await, (true, true, before.2 + 2));
}

pub(super) async fn of_one_who_goes_end_with_them(store: &Store) {
    let acme = acme(store).await;
    let holder = Holder::Organisation(acme.clone());
    let claim = claim(store.begin_request(&holder, "k", &REQUEST, at(0).at).await.unwrap());
    let together = Together::default();
    together.hold(store.delete_organisation(&acme)).await.unwrap();
    assert!(store.organisation("acme").await.is_ok(), "not before it is answered");
    let told = store.answer_together(together, &holder, "k", &claim, (204, b"")).await;
    assert!(told.unwrap());
    assert!(store.organisation("acme").await.is_err());
}

pub(super) async fn do_not_hang_when_the_clock_is_set_back(store: &Store) {
    let acme = holder(store).await;
    let begin = async |minute| store.begin_request(&acme, "k", &REQUEST, at(minute).at).await;
    claim(begin(1440).await.unwrap());
    assert_eq!(begin(1439).await.unwrap(), Idempotent::InProgress, "clocks differ a little");
    claim(begin(0).await.unwrap());
}

pub(super) async fn are_forgotten_after_a_day(store: &Store) {
    let acme = holder(store).await;
    for minute in [0, 1] {
        let key = format!("key {minute}");
        claim(store.begin_request(&acme, &key, &REQUEST, at(minute).at).await.unwrap());
    }
    assert_eq!(store.forget_requests(at(1440).at).await.unwrap(), 1);
    assert_eq!(rows(store, "idempotency_keys").await, 1);
    let Holder::Organisation(id) = acme else { panic!("it is") };
    store.delete_organisation(&id).await.unwrap();
    assert_eq!(rows(store, "idempotency_keys").await, 0);
}

pub(super) async fn settings_are_kept_and_told(store: &Store) {
    let acme = acme(store).await;
    assert_eq!(store.setting(&acme, "retention").await.unwrap(), None);
    let days = json!({ "days": 90 });
    assert!(store.set(&acme, &at(1), "retention", Some(&days)).await.unwrap());
    assert!(!store.set(&acme, &at(2), "retention", Some(&days)).await.unwrap());
    assert!(store.set(&acme, &at(3), "watch", Some(&json!(null))).await.unwrap());
    assert_eq!(store.setting(&acme, " retention ").await.unwrap(), Some(days.clone()));
    let all = store.settings(&acme).await.unwrap();
    assert_eq!(all.into_iter().collect::<Vec<_>>().len(), 2);
    assert!(store.set(&acme, &at(4), "retention", None).await.unwrap());
    assert!(!store.set(&acme, &at(4), "retention", None).await.unwrap());
    let long = json!("x".repeat(70_000));
    assert!(store.set(&acme, &at(4), "long", Some(&long)).await.is_err());
    let kinds = vec![EventKind::SettingChanged];
    let selection = EventSelection { kinds, ..EventSelection::default() };
    let events = store.events(&acme, &selection, &Page::first(9)).await.unwrap().rows;
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].detail, json!({ "from": days, "to": null }));
}
