//! Rules and the outbox: what is told is told once, and by whom.

use std::collections::BTreeSet;

use model::{EventKind, OrganisationId, Secret, Source};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::integrations::{owned, sealed};
use super::kit::{acme, at, digest, image, rows};
use crate::{
    Bundle, Error, IntegrationState, NewEvent, NewIntegration, NewJob, NewMessage, NewRule,
    OutboxState, Page, Recollection, RuleRecord, SWITCHED_OFF, Store,
};

/// A channel of that name, and its id.
pub(super) async fn channel(store: &Store, whose: &OrganisationId, name: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(format!("{name} {}", whose.0)).into();
    let new = NewIntegration {
        kind: "webhook",
        name,
        settings: &owned(&[("url", "https://x.test")]),
        secrets: &[],
        unset: &[],
        address: &["url"],
        scope: &[],
        proof: None,
        hook: (&hash, &Secret::new(name)),
    };
    sealed(store).put_integration(whose, &at(0), &new).await.unwrap().0.id
}

/// A rule that tells by it.
pub(super) async fn rule(
    store: &Store,
    whose: &OrganisationId,
    name: &str,
    channel: &str,
) -> RuleRecord {
    let definition = json!({ "environments": ["production", "prod*"], "on": ["all"] });
    let new = NewRule { name, kind: "webhook", channel, definition: &definition };
    store.put_rule(whose, &at(1), &new).await.unwrap().0
}

/// That is to be told.
pub(super) fn message(rule: &RuleRecord, key: &str, minute: i64) -> NewMessage {
    NewMessage {
        rule: rule.id.clone(),
        integration: rule.integration.clone(),
        key: key.to_owned(),
        about: format!("about {key}"),
        body: json!({ "key": key }),
        ready: at(minute).at,
        instead_of: None,
    }
}

/// Tells, and goes on behind what was there until now.
pub(super) async fn tell(
    store: &Store,
    whose: &OrganisationId,
    minute: i64,
    messages: &[NewMessage],
    told: &[Recollection],
) -> bool {
    let from = store.told_until(whose).await.unwrap().unwrap();
    let kinds = EventKind::ALL;
    let to = store.tidings(whose, &kinds, &from, 1000).await.unwrap().cursor;
    let bundle = Bundle { from: &from, to: &to, messages, told, jobs: &[] };
    store.tell(whose, at(minute).at, &bundle).await.unwrap()
}

/// What there is, the first first: `waiting one 0`.
async fn outbox(store: &Store, whose: &OrganisationId) -> Vec<String> {
    let all = store.outbox(whose, None, &Page::first(1000)).await.unwrap().rows;
    let line = |it: &crate::OutboxEntry| {
        let trouble = it.trouble.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
        format!("{} {} {}{trouble}", it.state.as_str(), it.about, it.attempts)
    };
    all.iter().rev().map(line).collect()
}

pub(super) async fn rules_are_kept_and_replaced(store: &Store) {
    let acme = acme(store).await;
    let none = json!({});
    let new = NewRule { name: "x", kind: "webhook", channel: "ops", definition: &none };
    let unknown = store.put_rule(&acme, &at(1), &new).await;
    assert!(matches!(unknown, Err(Error::NotFound { what: "integration", .. })), "{unknown:?}");
    assert_eq!(store.told_until(&acme).await.unwrap(), None);
    let ops = channel(store, &acme, "ops").await;
    let team = channel(store, &acme, "team").await;
    let made = rule(store, &acme, " first ", "ops").await;
    assert_eq!((made.name.as_str(), &made.integration), ("first", &ops));
    assert!(tell(store, &acme, 2, &[message(&made, "one", 2)], &[]).await);

    // What the former one had to tell by another channel is told no more.
    let new = NewRule { name: "first", kind: "webhook", channel: "team", definition: &none };
    let (other, is_new) = store.put_rule(&acme, &at(3), &new).await.unwrap();
    assert_eq!((&other.id, &other.integration, is_new), (&made.id, &team, false));
    assert_eq!((other.created, other.changed), (at(1).at, at(3).at));
    assert!(outbox(store, &acme).await.is_empty());
    assert_eq!(store.rules(&acme).await.unwrap(), std::slice::from_ref(&other));
    assert_eq!(store.rule(&acme, "first").await.unwrap(), Some(other));
    assert_eq!(store.rule(&acme, "second").await.unwrap(), None);

    // Who deletes an integration makes nobody silent by that.
    let in_use = store.delete_integration(&acme, &at(4), "webhook", "team").await.unwrap_err();
    assert!(matches!(in_use, Error::InUse { .. }) && in_use.to_string().contains("first"));
    assert!(store.delete_integration(&acme, &at(4), "webhook", "ops").await.unwrap());
    assert!(store.delete_rule(&acme, &at(5), "first").await.unwrap());
    assert!(!store.delete_rule(&acme, &at(5), "first").await.unwrap());
    assert_eq!(store.told_until(&acme).await.unwrap(), None);
    assert!(store.delete_integration(&acme, &at(6), "webhook", "team").await.unwrap());
    for table in ["rules", "outbox", "told", "told_until"] {
        assert_eq!(rows(store, table).await, 0, "{table}");
    }
}

pub(super) async fn rules_follow_their_environments(store: &Store) {
    let acme = acme(store).await;
    channel(store, &acme, "ops").await;
    rule(store, &acme, "first", "ops").await;
    store.rename_environment(&acme, &at(2), "production", "live").await.unwrap();
    let found = store.rule(&acme, "first").await.unwrap().unwrap();
    assert_eq!(found.definition["environments"], json!(["live", "prod*"]));
}

pub(super) async fn looks_miss_nothing_and_tell_once(store: &Store) {
    let acme = acme(store).await;
    channel(store, &acme, "ops").await;
    let event = |number: usize| NewEvent {
        kind: EventKind::FindingNew,
        environment: Some("production".to_owned()),
        about: format!("CVE-{number}"),
        detail: json!({}),
    };
    // What was before there was a rule is not told.
    store.evaluated(&acme, &at(1), None, "a", &[event(0)]).await.unwrap();
    let made = rule(store, &acme, "first", "ops").await;
    let events: Vec<NewEvent> = (1..8).map(event).collect();
    store.evaluated(&acme, &at(2), Some("a"), "b", &events).await.unwrap();
    store.rename_environment(&acme, &at(2), "production", "live").await.unwrap();
    let from = store.all_told_until().await.unwrap().remove(&acme).unwrap();
    let kinds = [EventKind::FindingNew];
    let mut seen = Vec::new();
    let mut cursor = from.clone();
    loop {
        let part = store.tidings(&acme, &kinds, &cursor, 3).await.unwrap();
        cursor = part.cursor;
        for it in part.tidings {
            assert_eq!(it.event.environment.as_deref(), Some("production"));
            assert_eq!(it.environment_now.as_deref(), Some("live"));
            seen.push(it.event.about);
        }
        if part.is_all {
            break;
        }
    }
    let expect: Vec<String> = (1..8).map(|it| format!("CVE-{it}")).collect();
    assert_eq!(seen, expect);

    let messages = [message(&made, "one", 2), message(&made, "two", 2)];
    let told = [Recollection { rule: made.id.clone(), what: "x".to_owned(), severity: 3 }];
    let job = NewJob {
        kind: "deliver".to_owned(),
        payload: json!({}),
        key: Some(made.integration.clone()),
        asked: at(3).at,
        ready: at(3).at,
        attempts: 3,
    };
    let jobs = [job];
    let bundle = Bundle { from: &from, to: &cursor, messages: &messages, told: &told, jobs: &jobs };
    // Many at once, and again by one that died before it could say so.
    let mut tasks = Vec::new();
    for _ in 0..6 {
        let (store, acme) = (store.clone(), acme.clone());
        let (from, cursor) = (from.clone(), cursor.clone());
        let (messages, told, jobs) = (messages.to_vec(), told.to_vec(), jobs.to_vec());
        tasks.push(tokio::spawn(async move {
            let bundle =
                Bundle { from: &from, to: &cursor, messages: &messages, told: &told, jobs: &jobs };
            store.tell(&acme, at(3).at, &bundle).await.unwrap()
        }));
    }
    let mut kept = 0;
    for task in tasks {
        kept += i32::from(task.await.unwrap());
    }
    assert_eq!(kept, 1);
    assert!(!store.tell(&acme, at(4).at, &bundle).await.unwrap());
    assert_eq!(outbox(store, &acme).await, ["waiting about one 0", "waiting about two 0"]);
    assert_eq!(rows(store, "jobs").await, 1);
    let known = store.recollections(&made.id, at(3).at).await.unwrap();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [("x".to_owned(), 3)]);
    assert!(store.recollections(&made.id, at(4).at).await.unwrap().is_empty());
    // The same thing a second time is there already; and it is remembered anew.
    let worse = [Recollection { severity: 4, ..told[0].clone() }];
    assert!(tell(store, &acme, 5, &messages, &worse).await);
    assert_eq!(outbox(store, &acme).await.len(), 2);
    assert_eq!(store.recollections(&made.id, at(4).at).await.unwrap()["x"], 4);
    // A rule that is gone tells nothing, and is in nobody's way.
    let second = rule(store, &acme, "second", "ops").await;
    store.delete_rule(&acme, &at(6), "second").await.unwrap();
    assert!(tell(store, &acme, 7, &[message(&second, "three", 7)], &[]).await);
    assert_eq!(outbox(store, &acme).await.len(), 2);
}

pub(super) async fn whoever_breaks_off_has_told_nothing(store: &Store) {
    let acme = acme(store).await;
    channel(store, &acme, "ops").await;
    let made = rule(store, &acme, "first", "ops").await;
    let from = store.told_until(&acme).await.unwrap().unwrap();
    let messages: Vec<NewMessage> = (0..5).map(|it| message(&made, &format!("m{it}"), 1)).collect();
    let bundle = Bundle { from: &from, to: &from, messages: &messages, told: &[], jobs: &[] };
    // Dropped after so many steps: what is there is nothing or all of it.
    for steps in 0..200 {
        let mut telling = Box::pin(store.tell(&acme, at(1).at, &bundle));
        let mut done = false;
        for _ in 0..steps {
            let once = std::future::poll_fn(|context| {
                std::task::Poll::Ready(telling.as_mut().poll(context))
            });
            if once.await.is_ready() {
                done = true;
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(telling);
        let there = outbox(store, &acme).await.len();
        assert!(there == 0 || there == 5, "{there} after {steps} steps");
        if done {
            break;
        }
    }
    assert!(store.tell(&acme, at(1).at, &bundle).await.unwrap());
    assert_eq!(outbox(store, &acme).await.len(), 5);
}

pub(super) async fn what_waits_is_gone_on_with(store: &Store) {
    let acme = acme(store).await;
    channel(store, &acme, "ops").await;
    let made = rule(store, &acme, "first", "ops").await;
    let first = message(&made, "gathered 1", 60);
    assert!(tell(store, &acme, 1, &[first, message(&made, "one", 1)], &[]).await);
    let waiting = store.untried_messages(&acme, "gathered ").await.unwrap();
    assert_eq!(waiting.len(), 1);
    let more = |body: Json| NewMessage {
        body: json!({ "key": "more" }),
        about: "more".to_owned(),
        instead_of: Some((waiting[0].id.clone(), body)),
        ..message(&made, "gathered 1", 60)
    };
    assert!(tell(store, &acme, 2, &[more(waiting[0].body.clone())], &[]).await);
    assert!(!tell(store, &acme, 2, &[more(waiting[0].body.clone())], &[]).await, "it is another");
    let waiting = store.untried_messages(&acme, "gathered ").await.unwrap();
    assert_eq!(waiting[0].body, json!({ "key": "more" }));
    // Nobody has it changed who is telling it.
    let begun = store.begin_message(&waiting[0].id).await.unwrap().unwrap();
    assert_eq!((begun.attempts, begun.body.clone()), (1, waiting[0].body.clone()));
    assert!(!tell(store, &acme, 3, &[more(begun.body)], &[]).await);
    assert!(store.untried_messages(&acme, "gathered ").await.unwrap().is_empty());
    let counts = store.count_waiting(&acme).await.unwrap();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(made.id, 2)]);
}

pub(super) async fn is_told_in_order_and_given_up(store: &Store) {
    let acme = acme(store).await;
    let ops = channel(store, &acme, "ops").await;
    let made = rule(store, &acme, "first", "ops").await;
    let messages: Vec<NewMessage> =
        (1..=4).map(|it| message(&made, &format!("m{it}"), it)).collect();
    assert!(tell(store, &acme, 0, &messages, &[]).await);
    assert!(store.due_channels(at(0).at).await.unwrap().is_empty());
    assert_eq!(store.due_channels(at(1).at).await.unwrap(), [(ops.clone(), acme.clone())]);
    let next_of = async |minute: i64, often: u32| {
        store.next_message(&ops, at(minute).at, often).await.unwrap()
    };
    let next = async |minute: i64| next_of(minute, 5).await;
    assert_eq!(next(0).await, None);
    let first = next(9).await.unwrap();
    assert_eq!((first.key.as_str(), first.rule.as_deref()), ("m1", Some("first")));
    assert!(store.begin_message(&first.id).await.unwrap().is_some());
    store.message_waits(&first.id, "it is busy", at(30).at).await.unwrap();
    let second = next(9).await.unwrap();
    assert_eq!(second.key, "m2");
    store.message_ended(&second.id, OutboxState::Sent, None, at(9).at).await.unwrap();
    assert!(store.begin_message(&second.id).await.unwrap().is_none());
    let third = next(9).await.unwrap();
    store.message_ended(&third.id, OutboxState::Dropped, Some("too long"), at(9).at).await.unwrap();
    assert_eq!(
        outbox(store, &acme).await,
        [
            "waiting about m1 1: it is busy",
            "sent about m2 0",
            "dropped about m3 0: too long",
            "waiting about m4 0"
        ]
    );
    // What was first is first again, unless it was tried too often: then it is in nobody's way.
    assert_eq!(
        (next(29).await.unwrap().key, next(30).await.unwrap().key),
        ("m4".into(), "m1".into())
    );
    assert_eq!(next_of(30, 1).await.unwrap().key, "m4");
    // One that is switched off tells nothing.
    let record = store.integration_by_id(&ops).await.unwrap().unwrap();
    let why = format!("{SWITCHED_OFF}the channel is gone");
    let off = IntegrationState::Failed { why };
    assert!(store.integration_is(&record, &at(10), &off).await.unwrap());
    assert!(store.due_channels(at(60).at).await.unwrap().is_empty());
    let on = IntegrationState::Connected { but: None };
    assert!(store.integration_is(&record, &at(11), &on).await.unwrap());
    assert_eq!(store.due_channels(at(60).at).await.unwrap().len(), 1);

    // What is too old is not told, but how much that was.
    let give_up = async |before: i64, now: i64| {
        let instead = |count: u64, first: model::Moment, former: Vec<Json>| {
            (format!("{count} late"), json!({ "count": count, "first": first, "former": former }))
        };
        let whose = (&acme, ops.as_str());
        let (before, now) = (at(before).at, at(now).at);
        store.give_up_messages(whose, before, now, ("late", "too old"), instead).await.unwrap()
    };
    assert_eq!(give_up(1, 60).await, 0);
    assert_eq!(give_up(2, 60).await, 1);
    assert_eq!(give_up(61, 61).await, 1, "the one in its stead does not count");
    let left = outbox(store, &acme).await;
    assert_eq!(
        left,
        [
            "failed about m1 1: too old",
            "sent about m2 0",
            "dropped about m3 0: too long",
            "failed about m4 0: too old",
            "failed 1 late 0: too old",
            "waiting 1 late 0"
        ]
    );
    let late = next(70).await.unwrap();
    assert_eq!((late.rule.clone(), late.body["former"][0]["count"].clone()), (None, json!(1)));

    // Somebody mended it.
    let revived = store.retry_messages(&acme, Some(&third.id), at(80).at).await.unwrap();
    assert_eq!(revived.into_iter().collect::<Vec<_>>(), [(ops.clone(), 1)]);
    assert_eq!(store.retry_messages(&acme, None, at(80).at).await.unwrap()[&ops], 3);
    assert!(store.retry_messages(&acme, Some("none"), at(80).at).await.unwrap().is_empty());
    assert_eq!(next(80).await.unwrap().attempts, 0);
    let dropped = store.outbox(&acme, Some(OutboxState::Sent), &Page::first(1)).await.unwrap();
    assert_eq!(dropped.rows.len(), 1);
    assert_eq!(store.forget_messages(at(9).at, at(90).at, at(90).at).await.unwrap(), 0);
    assert_eq!(store.forget_messages(at(10).at, at(90).at, at(90).at).await.unwrap(), 1);
}

pub(super) async fn is_nobody_elses(store: &Store) {
    let acme = acme(store).await;
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    let mine = channel(store, &acme, "ops").await;
    let made = rule(store, &acme, "first", "ops").await;
    channel(store, &other, "ops").await;
    let theirs = rule(store, &other, "first", "ops").await;
    assert!(tell(store, &acme, 1, &[message(&made, "one", 1)], &[]).await);
    // A message of another's rule, or by a channel that is not the rule's, is kept by nobody.
    let crossed = NewMessage { integration: mine.clone(), ..message(&theirs, "two", 1) };
    assert!(tell(store, &other, 1, &[message(&made, "two", 1), crossed], &[]).await);
    assert!(outbox(store, &other).await.is_empty());
    assert!(store.retry_messages(&other, None, at(2).at).await.unwrap().is_empty());
    assert_eq!(store.rules(&other).await.unwrap(), [theirs]);
    let mut ran = Vec::new();
    for (minute, number) in [(2, 3), (3, 2), (4, 1)] {
        let image = image("acme/web:v1", number);
        store.record(&acme, &at(minute), "production", &Source::Cli, &image).await.unwrap();
        let running = BTreeSet::from([digest(number).to_string()]);
        ran.extend(store.running_of(&acme, &running, 10).await.unwrap());
    }
    let former = async |whose: &OrganisationId, at: usize| {
        let found = store.former_of(whose, &ran[at].id).await.unwrap();
        found.map(|it| it.digest)
    };
    let all = [former(&acme, 2).await, former(&acme, 1).await, former(&acme, 0).await];
    assert_eq!(all, [Some(digest(2)), Some(digest(3)), None]);
    assert_eq!(former(&other, 2).await, None);
    let digests = BTreeSet::from([digest(1).to_string(), digest(2).to_string()]);
    assert_eq!(store.running_of(&acme, &digests, 10).await.unwrap().len(), 1);
    assert!(store.running_of(&other, &digests, 10).await.unwrap().is_empty());
    let by_tag = store.running_by_tag(&acme, "docker.io/acme/web", "v1").await.unwrap();
    assert_eq!(by_tag.len(), 1);
    assert!(store.running_by_tag(&other, "docker.io/acme/web", "v1").await.unwrap().is_empty());
    store.delete_organisation(&other).await.unwrap();
    assert_eq!((rows(store, "rules").await, rows(store, "told_until").await), (1, 1));
    assert_eq!(outbox(store, &acme).await.len(), 1);
}
