//! Schedules: what is checked again and again.

use model::{EventKind, Moment, OrganisationId};
use serde_json::{Value as Json, json};

use super::kit::{acme, at, rows};
use crate::{
    Error, EventSelection, JobState, NewJob, NewSchedule, Page, ScheduleRecord, Store, Turn,
};

fn new<'a>(name: &'a str, question: &'a Json, next: Option<i64>) -> NewSchedule<'a> {
    let next = next.map(|it| at(it).at);
    NewSchedule { name, environment: "production", cron: "0 8 * * *", zone: "UTC", question, next }
}

pub(super) async fn put(
    store: &Store,
    organisation: &OrganisationId,
    name: &str,
    environment: &str,
    next: i64,
) -> ScheduleRecord {
    let question = json!({ "severities": ["critical"] });
    let new = NewSchedule { environment, ..new(name, &question, Some(next)) };
    store.put_schedule(organisation, &at(1), &new).await.unwrap().0
}

fn work(organisation: &OrganisationId, now: Moment) -> NewJob {
    NewJob {
        kind: "check".to_owned(),
        payload: json!({ "organisation": organisation }),
        key: Some(format!("check {}", organisation.0)),
        asked: now,
        ready: now,
        attempts: 3,
    }
}

/// Takes the turns that have come by that minute; the next of each is as many minutes later.
async fn take(store: &Store, minute: i64, later: i64) -> u64 {
    let now = at(minute).at;
    let turns = store.turns(now, 100).await.unwrap();
    let turns: Vec<(Turn, Option<Moment>)> =
        turns.into_iter().map(|it| (it, Some(at(minute + later).at))).collect();
    store.take_turns(&turns, now, |whose| work(whose, now)).await.unwrap()
}

async fn told(
    store: &Store,
    acme: &OrganisationId,
    kind: EventKind,
) -> Vec<(String, Option<String>)> {
    let selection = EventSelection { kinds: vec![kind], ..EventSelection::default() };
    let all = store.events(acme, &selection, &Page::first(1_000)).await.unwrap().rows;
    all.into_iter().map(|it| (it.about, it.environment)).collect()
}

async fn awaited(store: &Store, acme: &OrganisationId) -> Vec<String> {
    let all = store.awaited_schedules(acme).await.unwrap();
    all.into_iter().map(|it| it.name).collect()
}

async fn one(store: &Store, acme: &OrganisationId, name: &str) -> ScheduleRecord {
    store.schedule(acme, name).await.unwrap().unwrap()
}

pub(super) async fn are_kept_and_replaced(store: &Store) {
    let acme = acme(store).await;
    let question = json!({ "severities": ["critical"] });
    let next = Some(600);
    let (made, is_new) =
        store.put_schedule(&acme, &at(1), &new(" dáily ", &question, next)).await.unwrap();
    assert!(is_new && !made.is_nowhere && made.name == "dáily" && made.outcome.is_none());
    assert_eq!((made.next, made.due, made.revision), (Some(at(600).at), None, 0));
    assert_eq!(one(store, &acme, "dáily ").await, made);
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    assert_eq!(store.schedule(&other, "dáily").await.unwrap(), None);
    assert!(store.schedules(&other).await.unwrap().is_empty());
    // What came of it holds as long as the question does.
    store.ask_schedule(&acme, "dáily", at(2).at, work(&acme, at(2).at)).await.unwrap();
    let asked = one(store, &acme, "dáily").await;
    let outcome = json!({ "found": 1 });
    assert!(store.checked(&asked, &at(3), "failed", &outcome, None).await.unwrap());
    let later = NewSchedule { cron: "0 9 * * *", ..new("dáily", &question, Some(660)) };
    let (changed, is_new) = store.put_schedule(&acme, &at(4), &later).await.unwrap();
    assert!(!is_new && changed.id == made.id && changed.revision == 1);
    assert_eq!((changed.cron.as_str(), changed.verdict.as_deref()), ("0 9 * * *", Some("failed")));
    assert_eq!((changed.outcome, changed.checked), (Some(outcome), Some(at(3).at)));
    let others = json!({ "severities": ["high"] });
    let (changed, _) =
        store.put_schedule(&acme, &at(5), &new("dáily", &others, next)).await.unwrap();
    assert_eq!((changed.verdict, changed.outcome, changed.checked), (None, None, None));
    // Nothing is kept of what makes no sense.
    let nowhere = NewSchedule { environment: "nowhere", ..new("x", &question, next) };
    let refused = store.put_schedule(&acme, &at(6), &nowhere).await.unwrap_err();
    assert!(matches!(refused, Error::NotFound { what: "environment", .. }), "{refused}");
    let long = json!("x".repeat(70_000));
    for new in [new("", &question, next), new("x", &long, next)] {
        let refused = store.put_schedule(&acme, &at(6), &new).await.unwrap_err();
        assert!(matches!(refused, Error::Refused { .. }), "{refused}");
    }
    assert!(store.delete_schedule(&acme, &at(7), "dáily").await.unwrap());
    assert!(!store.delete_schedule(&acme, &at(7), "dáily").await.unwrap());
    assert_eq!(rows(store, "schedules").await, 0);
    let place = Some("production".to_owned());
    let set = told(store, &acme, EventKind::ScheduleSet).await;
    assert_eq!(set, vec![("dáily".to_owned(), place.clone()); 3]);
    let gone = told(store, &acme, EventKind::ScheduleDeleted).await;
    assert_eq!(gone, [("dáily".to_owned(), place)]);
}

pub(super) async fn are_of_a_sane_number(store: &Store) {
    let acme = acme(store).await;
    for number in 0..1_000 {
        put(store, &acme, &format!("s{number}"), "production", 600).await;
    }
    let question = json!({});
    let refused = store.put_schedule(&acme, &at(1), &new("s1000", &question, None)).await;
    assert!(matches!(refused, Err(Error::Refused { .. })));
    // One that is there may be told something else, and all have their turn in parts, with one job.
    store.put_schedule(&acme, &at(1), &new("s1", &question, Some(600))).await.unwrap();
    let mut taken = Vec::new();
    loop {
        match take(store, 600, 1_440).await {
            0 => break,
            some => taken.push(some),
        }
    }
    assert_eq!(taken, vec![100; 10]);
    assert_eq!(store.awaited_schedules(&acme).await.unwrap().len(), 1_000);
    assert_eq!(store.jobs(JobState::Ready, 10).await.unwrap().len(), 1);
}

pub(super) async fn have_their_turn_once(store: &Store) {
    let acme = acme(store).await;
    put(store, &acme, "early", "production", 10).await;
    put(store, &acme, "late", "production", 20).await;
    assert_eq!(take(store, 9, 60).await, 0);
    // However long nobody was there, it is one turn.
    let turns = store.turns(at(15).at, 100).await.unwrap();
    assert!(turns.len() == 1 && turns[0].has_come);
    let turns: Vec<_> = turns.into_iter().map(|it| (it, Some(at(60).at))).collect();
    let work = |whose: &OrganisationId| work(whose, at(15).at);
    assert_eq!(store.take_turns(&turns, at(15).at, work).await.unwrap(), 1);
    assert_eq!(store.take_turns(&turns, at(15).at, work).await.unwrap(), 0, "somebody else has it");
    assert_eq!(awaited(store, &acme).await, ["early"]);
    let early = one(store, &acme, "early").await;
    assert_eq!((early.due, early.next), (Some(at(15).at), Some(at(60).at)));
    // What waits already waits once, since then.
    assert!(store.ask_schedule(&acme, "early", at(16).at, work(&acme)).await.unwrap());
    assert!(!store.ask_schedule(&acme, "gone", at(16).at, work(&acme)).await.unwrap());
    assert_eq!(one(store, &acme, "early").await, early);
    assert_eq!(store.jobs(JobState::Ready, 10).await.unwrap().len(), 1);
    // Of two who checked it, one says so.
    let note = Some((EventKind::CheckFailed, json!({})));
    let outcome = json!({});
    assert!(store.checked(&early, &at(17), "failed", &outcome, note.clone()).await.unwrap());
    assert!(!store.checked(&early, &at(17), "failed", &outcome, note.clone()).await.unwrap());
    assert_eq!(told(store, &acme, EventKind::CheckFailed).await.len(), 1);
    assert!(awaited(store, &acme).await.is_empty());
    // Who was told something else meanwhile is not answered.
    assert_eq!(take(store, 30, 60).await, 1);
    let late = one(store, &acme, "late").await;
    put(store, &acme, "late", "production", 40).await;
    assert!(!store.checked(&late, &at(31), "failed", &outcome, note).await.unwrap());
    let long = json!("x".repeat(70_000));
    assert!(store.checked(&late, &at(31), "failed", &long, None).await.is_err());
}

pub(super) async fn are_checked_by_one_of_many(store: &Store) {
    let acme = acme(store).await;
    for number in 0..20 {
        put(store, &acme, &format!("s{number}"), "production", 10).await;
    }
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { take(&store, 15, 60).await })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += task.await.unwrap();
    }
    assert_eq!((taken, store.jobs(JobState::Ready, 10).await.unwrap().len()), (20, 1));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (store, acme) = (store.clone(), acme.clone());
            tokio::spawn(async move {
                let mut written = 0;
                for it in store.awaited_schedules(&acme).await.unwrap() {
                    let note = Some((EventKind::CheckPassed, json!({})));
                    let ours = store.checked(&it, &at(16), "passed", &json!({}), note).await;
                    written += u32::from(ours.unwrap());
                }
                written
            })
        })
        .collect();
    let mut written = 0;
    for task in tasks {
        written += task.await.unwrap();
    }
    assert_eq!((written, told(store, &acme, EventKind::CheckPassed).await.len()), (20, 20));
}

pub(super) async fn do_not_wait_for_a_clock_that_was_set_back(store: &Store) {
    let acme = acme(store).await;
    // By a clock that was years ahead.
    put(store, &acme, "daily", "production", 10).await;
    assert_eq!(take(store, 6_000_000, 1_440).await, 1);
    let daily = one(store, &acme, "daily").await;
    assert!(store.checked(&daily, &at(6_000_000), "passed", &json!({}), None).await.unwrap());
    // It is put right: the next turn is worked out anew, and nothing is checked for it.
    assert_eq!(take(store, 20, 60).await, 1);
    assert_eq!(take(store, 20, 60).await, 0);
    let daily = one(store, &acme, "daily").await;
    assert_eq!((daily.next, daily.due), (Some(at(80).at), None));
    // A little is no matter.
    assert_eq!(take(store, 18, 60).await, 0);
    assert_eq!(take(store, 80, 60).await, 1);
    assert!(one(store, &acme, "daily").await.due.is_some());
}

pub(super) async fn follow_their_environment(store: &Store) {
    let acme = acme(store).await;
    put(store, &acme, "daily", "production", 10).await;
    store.rename_environment(&acme, &at(2), "production", "live").await.unwrap();
    let daily = one(store, &acme, "daily").await;
    assert_eq!((daily.environment.as_str(), daily.is_nowhere), ("live", false));
    store.delete_environment(&acme, &at(3), "live").await.unwrap();
    assert!(one(store, &acme, "daily").await.is_nowhere);
    // Of one that is gone it says so, by the name that it had.
    assert_eq!(take(store, 10, 60).await, 1);
    let daily = one(store, &acme, "daily").await;
    let note = Some((EventKind::CheckFailed, json!({})));
    assert!(store.checked(&daily, &at(11), "unknown", &json!({}), note).await.unwrap());
    let failed = told(store, &acme, EventKind::CheckFailed).await;
    assert_eq!(failed, [("daily".to_owned(), Some("live".to_owned()))]);
    store.create_environment(&acme, &at(12), "live").await.unwrap();
    assert!(!one(store, &acme, "daily").await.is_nowhere);
}

pub(super) async fn go_with_their_organisation(store: &Store) {
    let acme = acme(store).await;
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    store.create_environment(&other, &at(0), "production").await.unwrap();
    for it in [&acme, &other] {
        put(store, it, "daily", "production", 10).await;
    }
    store.delete_organisation(&other).await.unwrap();
    assert_eq!(rows(store, "schedules").await, 1);
    assert_eq!(take(store, 10, 60).await, 1);
}
