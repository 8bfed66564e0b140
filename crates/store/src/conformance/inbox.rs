//! The inbox: what integrations told.

use model::{Moment, Secret};
use serde_json::json;

use super::integrations::{one, put};
use super::kit::{at, rows};
use crate::{
    Error, IntegrationRecord, Kept, NewIntegration, NewJob, NewNotice, NoticeState, Page, Setback,
    Store, WaitingNotice,
};

pub(super) fn notice(id: &str, is_unique: bool) -> NewNotice {
    NewNotice {
        id: id.to_owned(),
        is_unique,
        about: format!("about {id}"),
        repository: None,
        payload: json!({ "id": id }),
        trouble: None,
    }
}

fn job(record: &IntegrationRecord, ready: Moment) -> NewJob {
    NewJob {
        kind: "hear".to_owned(),
        payload: json!({ "integration": record.id }),
        key: Some(record.id.clone()),
        asked: ready,
        ready,
        attempts: 3,
    }
}

pub(super) async fn hear(
    store: &Store,
    record: &IntegrationRecord,
    minute: i64,
    notices: &[NewNotice],
) -> (u64, u64) {
    let now = at(minute).at;
    let Kept { new, known } = store.hear(record, now, notices, &job(record, now)).await.unwrap();
    (new, known)
}

async fn waiting(store: &Store, record: &IntegrationRecord, minute: i64) -> Vec<String> {
    let waiting = store.waiting_notices(record, at(minute).at, None, 100).await.unwrap();
    waiting.into_iter().map(|it| it.payload["id"].as_str().unwrap().to_owned()).collect()
}

async fn all(store: &Store, record: &IntegrationRecord, state: Option<NoticeState>) -> Vec<String> {
    let page = store.notices(&record.id, state, &Page::first(100)).await.unwrap();
    let line = |it: crate::NoticeReport| {
        let trouble = it.trouble.map(|it| format!(": {it}")).unwrap_or_default();
        format!("{} {} {}{trouble}", it.about, it.state.as_str(), it.attempts)
    };
    page.rows.into_iter().rev().map(line).collect()
}

pub(super) async fn deal(store: &Store, record: &IntegrationRecord, minute: i64) {
    let waiting = store.waiting_notices(record, at(minute).at, None, 100).await.unwrap();
    let ids: Vec<String> = waiting.into_iter().map(|it| it.id).collect();
    store.notices_done(record, &ids, at(minute).at).await.unwrap();
}

pub(super) async fn hear_once(store: &Store) {
    let (store, _, record) = one(store).await;
    assert_eq!(hear(&store, &record, 1, &[notice("b", true), notice("a", true)]).await, (2, 0));
    assert_eq!(hear(&store, &record, 2, &[notice("a", true), notice("c", true)]).await, (1, 1));
    assert_eq!(hear(&store, &record, 2, &[]).await, (0, 0));
    // One job is enough for all of it.
    let jobs = store.claim_jobs(&["hear"], at(3).at, 60, 9).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert!(waiting(&store, &record, 0).await.is_empty(), "not before it came");
    assert_eq!(waiting(&store, &record, 3).await, ["a", "b", "c"]);
    let some = store.waiting_notices(&record, at(3).at, None, 2).await.unwrap();
    let after = some.last();
    let rest = store.waiting_notices(&record, at(3).at, after, 2).await.unwrap();
    assert_eq!((some.len(), rest.len()), (2, 1), "they go on behind the last");
    deal(&store, &record, 3).await;
    // A unique one is not heard again, also after it was dealt with.
    assert_eq!(hear(&store, &record, 4, &[notice("a", true), notice("d", true)]).await, (1, 1));
    assert_eq!(waiting(&store, &record, 5).await, ["d"]);
    let done = Some(NoticeState::Done);
    assert_eq!(
        all(&store, &record, done).await,
        ["about a done 1", "about b done 1", "about c done 1"]
    );
    assert_eq!(store.forget_notices(at(3).at, at(9).at).await.unwrap(), 0);
    assert_eq!(store.forget_notices(at(4).at, at(9).at).await.unwrap(), 3);
    assert_eq!(hear(&store, &record, 6, &[notice("a", true)]).await, (1, 0), "it is forgotten");
}

pub(super) async fn hear_again_what_may_come_again(store: &Store) {
    let (store, _, record) = one(store).await;
    assert_eq!(hear(&store, &record, 1, &[notice("a", false), notice("a", false)]).await, (1, 1));
    assert_eq!(hear(&store, &record, 2, &[notice("a", false)]).await, (0, 1));
    deal(&store, &record, 3).await;
    assert_eq!(hear(&store, &record, 4, &[notice("a", false)]).await, (1, 0));
    deal(&store, &record, 5).await;
    assert_eq!(all(&store, &record, None).await.len(), 2);
    // Another integration hears for itself.
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    let new = NewIntegration {
        kind: "oci",
        name: "x",
        settings: &[],
        secrets: &[],
        unset: &[],
        address: &[],
        scope: &[],
        proof: None,
        hook: (&[9; 32], &Secret::new("x")),
    };
    let (other, _) = store.put_integration(&other, &at(1), &new).await.unwrap();
    hear(&store, &record, 6, &[notice("b", true)]).await;
    assert_eq!(hear(&store, &other, 6, &[notice("b", true)]).await, (1, 0));
    assert_eq!(waiting(&store, &other, 6).await, ["b"]);
}

/// Whatever it is, it is of the notice.
const ODD: Setback<'_> = Setback { why: "it is odd", is_away: false, wait: 0 };

/// While nobody answers nothing is set aside, for a week.
pub(super) async fn wait_for_who_is_away(store: &Store) {
    let (store, _, record) = one(store).await;
    hear(&store, &record, 0, &[notice("a", true)]).await;
    let away = |wait| Setback { why: "it is away", is_away: true, wait };
    let tried = async |minute, wait| {
        let notices = store.waiting_notices(&record, at(minute).at, None, 9).await.unwrap();
        store.notice_failed(&record, &notices[0], at(minute).at, away(wait)).await.unwrap()
    };
    for round in 0..20 {
        assert!(tried(round * 61, 0).await, "{round}");
    }
    // For as long as whoever is asked wants to be left alone.
    assert!(tried(20 * 61, 7200).await);
    assert!(waiting(&store, &record, 20 * 61 + 119).await.is_empty());
    assert_eq!(waiting(&store, &record, 20 * 61 + 120).await, ["a"]);
    assert!(!tried(7 * 24 * 60, 0).await);
    assert_eq!(all(&store, &record, None).await, ["about a aside 22: it is away"]);
}

pub(super) async fn try_again_and_set_aside(store: &Store) {
    let (store, _, record) = one(store).await;
    let poison = NewNotice { trouble: Some("it is no JSON".to_owned()), ..notice("p", true) };
    hear(&store, &record, 0, &[notice("a", true), notice("b", false), poison]).await;
    assert_eq!(waiting(&store, &record, 0).await, ["a", "b"], "what nobody can read keeps nobody");
    let mut minute = 0;
    for round in 1..=8 {
        let notices = store.waiting_notices(&record, at(minute).at, None, 9).await.unwrap();
        assert_eq!(notices.len(), 2, "round {round}");
        for notice in &notices {
            let again = store.notice_failed(&record, notice, at(minute).at, ODD).await.unwrap();
            assert_eq!(again, round < 8);
        }
        assert!(waiting(&store, &record, minute).await.is_empty(), "not at once");
        minute += 61;
    }
    let aside = [
        "about a aside 8: it is odd",
        "about b aside 8: it is odd",
        "about p aside 0: it is no JSON",
    ];
    assert_eq!(all(&store, &record, Some(NoticeState::Aside)).await, aside);
    // What is unique was heard; what is not is worth another try.
    assert_eq!(
        hear(&store, &record, minute, &[notice("a", true), notice("b", false)]).await,
        (1, 1)
    );
    let now = at(minute).at;
    let counts = async || {
        let all = store.count_notices(&record.organisation).await.unwrap();
        all.into_iter().map(|it| (it.0, it.1.waiting, it.1.aside)).collect::<Vec<_>>()
    };
    assert_eq!(counts().await, [(record.id.clone(), 1, 3)]);
    let revive = async |notice: Option<&str>| {
        store.revive_notices(&record, notice, now, &job(&record, now)).await.unwrap()
    };
    assert_eq!(revive(Some("nobody's")).await, 0);
    let page = Page::first(10);
    let reports = store.notices(&record.id, Some(NoticeState::Aside), &page).await.unwrap().rows;
    let tried = reports.iter().find(|it| it.attempts > 0).unwrap();
    let unreadable = reports.iter().find(|it| it.attempts == 0).unwrap();
    assert_eq!(revive(Some(&unreadable.id)).await, 0);
    assert_eq!(revive(Some(&tried.id)).await, 1);
    assert_eq!(revive(None).await, 1);
    assert_eq!(counts().await, [(record.id.clone(), 3, 1)]);
    assert_eq!(waiting(&store, &record, minute).await, ["a", "b", "b"]);
    assert_eq!(all(&store, &record, Some(NoticeState::Aside)).await, aside[2..]);
}

pub(super) async fn refuse_when_too_much_waits(store: &Store) {
    let (store, acme, record) = one(store).await;
    let many: Vec<NewNotice> = (0..20).map(|it| notice(&format!("{it:02}"), true)).collect();
    assert_eq!(hear(&store, &record, 1, &many).await, (20, 0));
    let now = at(2).at;
    let full = store.hear(&record, now, &[notice("x", true)], &job(&record, now)).await;
    assert_eq!(full.unwrap_err().to_string(), "inbox: 20 notices wait already");
    deal(&store, &record, 3).await;
    assert_eq!(hear(&store, &record, 4, &[notice("x", true)]).await, (1, 0));
    store.delete_integration(&acme, &at(5), "harbor", "ours").await.unwrap();
    let gone = store.hear(&record, now, &[notice("y", true)], &job(&record, now)).await;
    assert!(matches!(gone, Err(Error::Gone("integration"))));
}

pub(super) async fn count_what_nobody_can_read(store: &Store) {
    let (store, _, record) = one(store).await;
    let junk = |number: usize| NewNotice {
        trouble: Some("it is no JSON".to_owned()),
        ..notice(&format!("junk {number}"), true)
    };
    let some: Vec<NewNotice> = (0..4).map(junk).collect();
    assert_eq!(hear(&store, &record, 1, &some).await, (4, 0));
    let mut more: Vec<NewNotice> = (4..9).map(junk).collect();
    more.push(notice("a", true));
    assert_eq!(
        hear(&store, &record, 2, &more).await,
        (2, 0),
        "the first of them, and what can be read"
    );
    assert_eq!(hear(&store, &record, 3, &more[..5]).await, (0, 1));
    assert_eq!(waiting(&store, &record, 3).await, ["a"]);
    let aside = all(&store, &record, Some(NoticeState::Aside)).await;
    assert_eq!(aside.len(), 6);
    let last = "what cannot be read, beyond what is kept of it aside 0: there is no room for 8 more, \
                the last of which came at 2026-11-21T00:03:00Z";
    assert_eq!(aside[5], last);
    // It is nothing that one could try again.
    let now = at(4).at;
    assert_eq!(store.revive_notices(&record, None, now, &job(&record, now)).await.unwrap(), 0);
}

pub(super) async fn forget_the_oldest(store: &Store) {
    let (store, _, record) = one(store).await;
    for round in 0..3 {
        let many: Vec<NewNotice> =
            (0..15).map(|it| notice(&format!("{round} {it:02}"), true)).collect();
        assert_eq!(hear(&store, &record, round, &many).await, (15, 0));
        deal(&store, &record, round).await;
    }
    assert_eq!(store.forget_notices(at(0).at, at(0).at).await.unwrap(), 15);
    assert_eq!(store.forget_notices(at(0).at, at(0).at).await.unwrap(), 0);
    let done = all(&store, &record, Some(NoticeState::Done)).await;
    assert_eq!((done.len(), done[0].as_str()), (30, "about 1 00 done 1"));
}

pub(super) async fn keep_what_nobody_can_read_beside_what_failed(store: &Store) {
    let (store, _, record) = one(store).await;
    let many: Vec<NewNotice> = (0..10).map(|it| notice(&format!("{it:02}"), true)).collect();
    hear(&store, &record, 1, &many).await;
    for round in 0..8 {
        let minute = round * 61 + 2;
        let waiting = store.waiting_notices(&record, at(minute).at, None, 100).await.unwrap();
        assert_eq!(waiting.len(), 10);
        for it in &waiting {
            store.notice_failed(&record, it, at(minute).at, ODD).await.unwrap();
        }
    }
    let junk = |number: usize| NewNotice {
        trouble: Some("it is no JSON".to_owned()),
        ..notice(&format!("junk {number}"), true)
    };
    let all: Vec<NewNotice> = (0..5).map(junk).collect();
    assert_eq!(hear(&store, &record, 600, &all).await, (5, 0), "that is room for other things");
    assert_eq!(hear(&store, &record, 601, &all).await, (0, 5), "and what is known needs none");
}

/// What waits for later costs nothing now.
pub(super) async fn do_not_go_over_what_waits_for_later(store: &Store) {
    let (store, _, record) = one(store).await;
    if !store.db.is_file() {
        return;
    }
    let mut costs = Vec::new();
    for many in [10, 3_000] {
        let mut tx = store.db.write().await.unwrap();
        let sql = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})
             INSERT INTO notices (id, integration, since, lasting, about, payload, state, attempts,
                                  heard_at, ready_at)
             SELECT '{many} ' || i, '{id}', 0, 1, '', 'null', 'waiting', 1, {now}, {later} FROM n",
            id = record.id,
            now = at(1).at.micros(),
            later = at(60).at.micros(),
        );
        tx.define(&sql).await.unwrap();
        tx.commit().await.unwrap();
        let begin = store.db.steps();
        assert!(store.waiting_notices(&record, at(2).at, None, 100).await.unwrap().is_empty());
        store.due_looks(at(0).at).await.unwrap();
        store.count_notices(&record.organisation).await.unwrap();
        costs.push(store.db.steps() - begin);
        let begin = store.db.steps();
        hear(&store, &record, 2, &[]).await;
        costs.push(store.db.steps() - begin);
    }
    let [few, few_heard, many, many_heard] = costs[..] else { panic!("two rounds") };
    assert!(many <= few + 50 && many_heard <= few_heard + 50, "{costs:?}");
    let mut tx = store.db.write().await.unwrap();
    tx.define("DELETE FROM notices").await.unwrap();
    tx.commit().await.unwrap();
}

/// What one host told is not asked of another.
pub(super) async fn are_done_with_another_address(store: &Store) {
    let (store, acme, record) = one(store).await;
    let unreadable = NewNotice { trouble: Some("it is no JSON".to_owned()), ..notice("p", true) };
    let many: Vec<NewNotice> = (0..10).map(|it| notice(&format!("{it:02}"), false)).collect();
    hear(&store, &record, 1, &many).await;
    hear(&store, &record, 1, &[unreadable]).await;
    let (other, _) = put(&store, &acme, 2, "other.example", &[]).await.unwrap();
    let now = at(3).at;
    assert!(waiting(&store, &other, 3).await.is_empty());
    assert!(store.due_looks(at(1).at).await.unwrap().is_empty());
    assert_eq!(store.revive_notices(&other, None, now, &job(&other, now)).await.unwrap(), 0);
    let done = all(&store, &other, Some(NoticeState::Done)).await;
    assert_eq!(done.len(), 11);
    assert!(done.iter().all(|it| it.ends_with(": it was of another address")), "{done:?}");
    // It may tell the same, and that is heard; who is still at the former one is not.
    assert_eq!(hear(&store, &other, 4, &[notice("01", false), notice("p", true)]).await, (2, 0));
    let late = store.hear(&record, now, &[notice("x", true)], &job(&record, now)).await;
    assert!(matches!(late, Err(Error::Gone("integration"))));
    assert_eq!(rows(&store, "notices").await, 13);
    assert_eq!(waiting(&store, &other, 4).await, ["01", "p"]);
}

/// What is tried again comes behind what waits already.
pub(super) async fn are_taken_in_the_order_in_which_they_wait(store: &Store) {
    let (store, _, record) = one(store).await;
    hear(&store, &record, 1, &[notice("a", true)]).await;
    let one: Vec<WaitingNotice> = store.waiting_notices(&record, at(1).at, None, 9).await.unwrap();
    store.notice_failed(&record, &one[0], at(2).at, ODD).await.unwrap();
    hear(&store, &record, 2, &[notice("b", true)]).await;
    hear(&store, &record, 3, &[notice("c", true)]).await;
    assert_eq!(waiting(&store, &record, 4).await, ["b", "a", "c"]);
}
