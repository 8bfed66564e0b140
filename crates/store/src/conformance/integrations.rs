//! Integrations: what is kept of them, what they told, and what was seen.

use model::{Moment, OrganisationId, Secret};
use serde_json::json;

use super::kit::{acme, at, digest, rows};
use crate::{
    Error, EventSelection, IntegrationRecord, IntegrationState, Kept, Keyring, NewIntegration,
    NewJob, NewNotice, NoticeState, Page, Refused, Store,
};

fn sealed(store: &Store) -> Store {
    store.clone().with_keys(Keyring::new(&[1; 32], &[]))
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// By these it is reached.
const ADDRESS: [&str; 2] = ["registry", "api"];

/// One that watches `registry`, with these secrets; an empty one is let go of.
async fn put(
    store: &Store,
    whose: &OrganisationId,
    minute: i64,
    registry: &str,
    secrets: &[(&str, &str)],
) -> Result<(IntegrationRecord, bool), Error> {
    let (unset, secrets): (Vec<_>, Vec<_>) =
        owned(secrets).into_iter().partition(|(_, secret)| secret.is_empty());
    let unset: Vec<String> = unset.into_iter().map(|it| it.0).collect();
    let secrets: Vec<(String, Secret)> =
        secrets.into_iter().map(|(key, secret)| (key, Secret::new(secret))).collect();
    let new = NewIntegration {
        kind: "harbor",
        name: "ours",
        settings: &owned(&[("registry", registry), ("include", "a*")]),
        secrets: &secrets,
        unset: &unset,
        address: &ADDRESS,
        proof: Some("webhook-auth"),
        hook: (&[7; 32], &Secret::new("in the path")),
    };
    store.put_integration(whose, &at(minute), &new).await
}

async fn one(store: &Store) -> (Store, OrganisationId, IntegrationRecord) {
    let store = sealed(store);
    let acme = acme(&store).await;
    let (record, new) = put(&store, &acme, 1, "h.example", &[]).await.unwrap();
    assert!(new);
    (store, acme, record)
}

async fn told(store: &Store, whose: &OrganisationId) -> Vec<String> {
    let page = Page::first(100);
    let events = store.events(whose, &EventSelection::default(), &page).await.unwrap().rows;
    let ours = events.iter().rev().filter(|it| it.kind.as_str().starts_with("integration-"));
    ours.map(|it| format!("{} {} {}", it.kind.as_str(), it.about, it.detail)).collect()
}

pub(super) async fn are_kept_and_replaced(store: &Store) {
    let (store, acme, first) = one(store).await;
    assert_eq!(first.settings, owned(&[("registry", "h.example"), ("include", "a*")]));
    assert_eq!((&first.state, first.created), (&IntegrationState::Pending, at(1).at));
    let (second, new) = put(&store, &acme, 2, "other.example", &[]).await.unwrap();
    assert!(!new);
    assert_eq!((&second.id, second.created), (&first.id, first.created));
    assert_eq!(second.settings.first().unwrap().1, "other.example");
    assert_eq!(store.integrations(&acme).await.unwrap(), std::slice::from_ref(&second));
    assert_eq!((first.revision, second.revision), (0, 1));
    let found = store.integration(&acme, "harbor", " ours ").await.unwrap();
    assert_eq!(found.as_ref(), Some(&second));
    assert_eq!(store.integration(&acme, "nexus", "ours").await.unwrap(), None);
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    assert!(store.integrations(&other).await.unwrap().is_empty());
    assert_eq!(store.integration(&other, "harbor", "ours").await.unwrap(), None);
    let events = told(&store, &acme).await;
    assert_eq!(events.len(), 2);
    assert!(events[0].starts_with("integration-configured harbor ours {"), "{events:?}");
}

/// Minutes in one.
const WEEK: i64 = 7 * 24 * 60;

/// The secrets of an integration, those before, and the path.
async fn shown(store: &Store, record: &IntegrationRecord, minute: i64) -> String {
    let record = store.integration_by_id(&record.id).await.unwrap().unwrap();
    let it = store.integration_secrets(&record, at(minute).at).await.unwrap();
    let all = |secrets: Vec<(String, Secret)>| {
        let words: Vec<String> =
            secrets.iter().map(|(key, it)| format!("{key}={}", it.expose())).collect();
        words.join(" ")
    };
    let hook = it.hook.map(|it| it.expose().to_owned()).unwrap_or_default();
    format!("{} | {} | {hook}", all(it.new), all(it.old))
}

pub(super) async fn show_no_secret_elsewhere(store: &Store) {
    let (store, acme, record) = one(store).await;
    let secrets = [("password", "p1"), ("webhook-auth", "w1")];
    put(&store, &acme, 2, "h.example", &secrets).await.unwrap();
    put(&store, &acme, 3, "h.example", &[("webhook-auth", "w2")]).await.unwrap();
    put(&store, &acme, 4, "other.example", &[("webhook-auth", "w3")]).await.unwrap();
    assert_eq!(shown(&store, &record, 4).await, "webhook-auth=w3 |  | in the path");
    assert_eq!(rows(&store, "secrets").await, 2, "what is let go of is gone");
    let before = store.integration_secrets(&record, at(4).at).await;
    assert!(matches!(before, Err(Error::Gone(_))), "they are for another address than that one's");
}

pub(super) async fn have_another_path(store: &Store) {
    let (store, acme, record) = one(store).await;
    let other = Secret::new("another path");
    store.replace_hook(&record, &at(2), (&[8; 32], &other)).await.unwrap();
    assert_eq!(store.integration_by_hook(&[7; 32]).await.unwrap(), None);
    assert_eq!(store.integration_by_hook(&[8; 32]).await.unwrap(), Some(record.clone()));
    assert_eq!(shown(&store, &record, 2).await, " |  | another path");
    let last = told(&store, &acme).await.pop().unwrap();
    assert_eq!(last, r#"integration-configured harbor ours {"new":false,"path":"new"}"#);
    store.delete_integration(&acme, &at(3), "harbor", "ours").await.unwrap();
    let gone = store.replace_hook(&record, &at(4), (&[9; 32], &other)).await;
    assert!(matches!(gone, Err(Error::Gone("integration"))));
    assert_eq!(rows(&store, "secrets").await, 0);
}

pub(super) async fn have_secrets_that_are_sealed(store: &Store) {
    let keyless = store.clone();
    let (store, acme, record) = one(store).await;
    let shown = async |record: &IntegrationRecord, minute| shown(&store, record, minute).await;
    assert_eq!(shown(&record, 1).await, " |  | in the path");
    let secrets = [("password", "p1"), ("webhook-auth", "w1")];
    put(&store, &acme, 2, "h.example", &secrets).await.unwrap();
    assert_eq!(shown(&record, 2).await, "password=p1 webhook-auth=w1 |  | in the path");
    // What others prove themselves with holds until there is another; whoever names none changes none.
    let secrets = [("password", "p2"), ("webhook-auth", "w2")];
    put(&store, &acme, 3, "h.example", &secrets).await.unwrap();
    put(&store, &acme, 4, "h.example", &[("webhook-auth", "w2")]).await.unwrap();
    let both = "password=p2 webhook-auth=w2 | webhook-auth=w1 | in the path";
    assert_eq!(shown(&record, 4).await, both);
    // Nobody needs it after a week.
    assert_eq!(shown(&record, 2 + WEEK).await, both);
    assert_eq!(store.forget_former_secrets(at(2 + WEEK).at).await.unwrap(), 0);
    let alone = "password=p2 webhook-auth=w2 |  | in the path";
    assert_eq!(shown(&record, 3 + WEEK).await, alone);
    put(&store, &acme, 5, "h.example", &[("webhook-auth", "w3")]).await.unwrap();
    assert!(shown(&record, 5).await.contains("| webhook-auth=w2 |"));
    assert_eq!(store.forget_former_secrets(at(5 + WEEK).at).await.unwrap(), 1);
    assert_eq!(shown(&record, 5).await, "password=p2 webhook-auth=w3 |  | in the path");
    put(&store, &acme, 6, "h.example", &[("webhook-auth", "w4"), ("password", "")]).await.unwrap();
    assert_eq!(shown(&record, 6).await, "webhook-auth=w4 | webhook-auth=w3 | in the path");
    let named = store.told_secrets(&acme).await.unwrap();
    assert_eq!(named, [(record.id.clone(), vec!["webhook-auth".to_owned()])].into());
    put(&store, &acme, 7, "h.example", &[("webhook-auth", "")]).await.unwrap();
    assert_eq!(shown(&record, 7).await, " |  | in the path");
    assert!(told(&store, &acme).await.iter().all(|it| !it.contains("w1") && !it.contains("p1")));
    // Whoever has no key neither makes one nor opens one.
    let there = store.integration_by_id(&record.id).await.unwrap().unwrap();
    let closed = keyless.integration_secrets(&there, at(6).at).await.unwrap_err();
    assert!(matches!(closed, Error::Refused { .. }), "{closed}");
    let refused = put(&keyless, &acme, 8, "x.example", &[("password", "p2")]).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused}");
    let there = store.integration(&acme, "harbor", "ours").await.unwrap().unwrap();
    assert_eq!(there.settings.first().unwrap().1, "h.example", "all of it or nothing");
}

pub(super) async fn are_found_by_their_hook(store: &Store) {
    let (store, acme, record) = one(store).await;
    assert_eq!(store.integration_by_hook(&[7; 32]).await.unwrap(), Some(record.clone()));
    assert_eq!(store.integration_by_hook(&[8; 32]).await.unwrap(), None);
    assert_eq!(store.integration_by_id(&record.id).await.unwrap(), Some(record));
    store.delete_organisation(&acme).await.unwrap();
    assert_eq!(store.integration_by_hook(&[7; 32]).await.unwrap(), None);
}

pub(super) async fn tell_whether_they_work(store: &Store) {
    let (store, acme, record) = one(store).await;
    let failed = |why: &str| IntegrationState::Failed { why: why.to_owned() };
    let connected = |but: Option<&str>| IntegrationState::Connected { but: but.map(str::to_owned) };
    let says = async |minute, state: &IntegrationState| {
        let news = store.integration_is(&record, &at(minute), state).await.unwrap();
        let now = store.integration_by_id(&record.id).await.unwrap().unwrap();
        assert_eq!(now.state, *state);
        (news, now.state_since)
    };
    assert_eq!(says(2, &connected(None)).await, (true, at(2).at));
    assert_eq!(says(3, &connected(None)).await, (false, at(2).at));
    // What it is short of is seen, and is no news.
    assert_eq!(says(3, &connected(Some("one is closed"))).await, (false, at(2).at));
    assert_eq!(says(3, &connected(None)).await, (false, at(2).at));
    assert_eq!(says(4, &failed("it is away")).await, (true, at(4).at));
    assert_eq!(says(5, &failed("it is away")).await, (false, at(4).at));
    assert_eq!(says(6, &failed("it says no")).await, (true, at(6).at));
    let events = told(&store, &acme).await;
    assert_eq!(
        events[1..],
        [
            r#"integration-changed harbor ours {"state":"connected","why":null}"#,
            r#"integration-changed harbor ours {"state":"failed","why":"it is away"}"#,
            r#"integration-changed harbor ours {"state":"failed","why":"it says no"}"#,
        ]
    );
    // What was found out with former settings says nothing of the present ones.
    let (now, _) = put(&store, &acme, 7, "h.example", &[]).await.unwrap();
    assert!(!store.integration_is(&record, &at(8), &connected(None)).await.unwrap());
    let there = store.integration_by_id(&record.id).await.unwrap().unwrap();
    assert_eq!(there.state, IntegrationState::Pending);
    assert!(store.integration_is(&now, &at(8), &connected(Some("one is closed"))).await.unwrap());
    assert!(!store.integration_is(&record, &at(9), &connected(None)).await.unwrap());
    let there = store.integration_by_id(&record.id).await.unwrap().unwrap();
    assert_eq!(there.state, connected(Some("one is closed")));
}

fn notice(id: &str, is_unique: bool) -> NewNotice {
    NewNotice {
        id: id.to_owned(),
        is_unique,
        about: format!("about {id}"),
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

async fn hear(
    store: &Store,
    record: &IntegrationRecord,
    minute: i64,
    notices: &[NewNotice],
) -> (u64, u64) {
    let now = at(minute).at;
    let Kept { new, known } =
        store.hear(&record.id, now, notices, &job(record, now)).await.unwrap();
    (new, known)
}

async fn waiting(store: &Store, record: &IntegrationRecord, minute: i64) -> Vec<String> {
    let waiting = store.waiting_notices(&record.id, at(minute).at, None, 100).await.unwrap();
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

async fn deal(store: &Store, record: &IntegrationRecord, minute: i64) {
    let waiting = store.waiting_notices(&record.id, at(minute).at, None, 100).await.unwrap();
    let ids: Vec<String> = waiting.into_iter().map(|it| it.id).collect();
    store.notices_done(&ids, at(minute).at).await.unwrap();
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
    let some = store.waiting_notices(&record.id, at(3).at, None, 2).await.unwrap();
    let after = some.last().map(|it| it.id.as_str());
    let rest = store.waiting_notices(&record.id, at(3).at, after, 2).await.unwrap();
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
        proof: None,
        hook: (&[9; 32], &Secret::new("x")),
    };
    let (other, _) = store.put_integration(&other, &at(1), &new).await.unwrap();
    hear(&store, &record, 6, &[notice("b", true)]).await;
    assert_eq!(hear(&store, &other, 6, &[notice("b", true)]).await, (1, 0));
    assert_eq!(waiting(&store, &other, 6).await, ["b"]);
}

pub(super) async fn try_again_and_set_aside(store: &Store) {
    let (store, _, record) = one(store).await;
    let poison = NewNotice { trouble: Some("it is no JSON".to_owned()), ..notice("p", true) };
    hear(&store, &record, 0, &[notice("a", true), notice("b", false), poison]).await;
    assert_eq!(waiting(&store, &record, 0).await, ["a", "b"], "what nobody can read keeps nobody");
    let mut minute = 0;
    for round in 1..=8 {
        let notices = store.waiting_notices(&record.id, at(minute).at, None, 9).await.unwrap();
        assert_eq!(notices.len(), 2, "round {round}");
        for notice in &notices {
            let again = store.notice_failed(notice, at(minute).at, "it is away").await.unwrap();
            assert_eq!(again, round < 8);
        }
        assert!(waiting(&store, &record, minute).await.is_empty(), "not at once");
        minute += 61;
    }
    let aside = [
        "about a aside 8: it is away",
        "about b aside 8: it is away",
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
        store.revive_notices(&record.id, notice, now, &job(&record, now)).await.unwrap()
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
    let full = store.hear(&record.id, now, &[notice("x", true)], &job(&record, now)).await;
    assert_eq!(full.unwrap_err().to_string(), "inbox: 20 notices wait already");
    deal(&store, &record, 3).await;
    assert_eq!(hear(&store, &record, 4, &[notice("x", true)]).await, (1, 0));
    store.delete_integration(&acme, &at(5), "harbor", "ours").await.unwrap();
    let gone = store.hear(&record.id, now, &[notice("y", true)], &job(&record, now)).await;
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
    assert_eq!(hear(&store, &record, 3, &more[..5]).await, (0, 0));
    assert_eq!(waiting(&store, &record, 3).await, ["a"]);
    let aside = all(&store, &record, Some(NoticeState::Aside)).await;
    assert_eq!(aside.len(), 6);
    let last = "what cannot be read, beyond what is kept of it aside 0: there is no room for 9 more, \
                the last of which came at 2026-11-21T00:03:00Z";
    assert_eq!(aside[5], last);
    // It is nothing that one could try again.
    let now = at(4).at;
    assert_eq!(store.revive_notices(&record.id, None, now, &job(&record, now)).await.unwrap(), 0);
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

pub(super) async fn remember_what_was_seen(store: &Store) {
    let (store, acme, record) = one(store).await;
    let id = record.id.as_str();
    assert!(!store.watch_has_begun(id).await.unwrap());
    store.watch_begun(id, at(2).at).await.unwrap();
    assert!(store.watch_has_begun(id).await.unwrap());
    store.watch_begins(id, at(2).at, &[("h.example", "app"), ("h.example", "web")]).await.unwrap();
    store.awaited_no_more(id, "h.example", "app").await.unwrap();
    assert!(!store.is_awaited(id, "h.example", "app").await.unwrap());
    assert!(!store.is_awaited(id, "h.example", "new").await.unwrap());
    assert!(store.is_awaited(id, "h.example", "web").await.unwrap());
    for (repository, tag, number) in
        [("app", "1", 1), ("app", "2", 2), ("app", "1", 3), ("web", "1", 1)]
    {
        store.watched(id, "h.example", repository, tag, &digest(number)).await.unwrap();
    }
    store.unwatched(id, "h.example", "app", "2").await.unwrap();
    let tags = store.watched_tags(id, "h.example", "app").await.unwrap();
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("1".to_owned(), digest(3))]);
    assert!(store.watched_tags(id, "other.example", "app").await.unwrap().is_empty());
    let repositories = store.watched_repositories(id).await.unwrap();
    assert_eq!(repositories, owned(&[("h.example", "app"), ("h.example", "web")]));
    store.watched_image(id, &digest(1)).await.unwrap();
    store.watched_image(id, &digest(1)).await.unwrap();
    assert!(store.is_watched_image(id, &digest(1)).await.unwrap());
    assert!(!store.is_watched_image(id, &digest(2)).await.unwrap());
    // It is looked at when that is due, and at once when somebody says something new.
    assert_eq!(store.due_looks(at(1).at).await.unwrap(), [(record.id.clone(), acme.clone())]);
    store.look_again(id, at(1).at, at(9).at).await.unwrap();
    assert!(store.due_looks(at(8).at).await.unwrap().is_empty());
    assert!(!store.is_look_due(id, at(8).at).await.unwrap());
    assert!(store.is_look_due(id, at(9).at).await.unwrap());
    // What waits is looked into, also where whoever was to do so died.
    hear(&store, &record, 2, &[notice("a", true)]).await;
    assert_eq!(store.due_looks(at(1).at).await.unwrap(), []);
    assert_eq!(store.due_looks(at(2).at).await.unwrap(), [(record.id.clone(), acme.clone())]);
    assert!(!store.is_look_due(id, at(2).at).await.unwrap());
    deal(&store, &record, 3).await;
    assert_eq!(store.due_looks(at(3).at).await.unwrap(), []);
    // Other settings change nothing of that, another registry all.
    put(&store, &acme, 3, "h.example", &[("password", "x")]).await.unwrap();
    assert_eq!(rows(&store, "watched_tags").await, 2);
    assert!(store.is_look_due(id, at(3).at).await.unwrap());
    store.look_again(id, at(2).at, at(9).at).await.unwrap();
    assert!(store.is_look_due(id, at(3).at).await.unwrap(), "it was said after that look began");
    put(&store, &acme, 4, "other.example", &[]).await.unwrap();
    assert_eq!((rows(&store, "watched_tags").await, rows(&store, "watched_images").await), (0, 0));
    assert!(!store.watch_has_begun(id).await.unwrap());
    assert!(!store.is_awaited(id, "h.example", "web").await.unwrap());
    // Whoever looks while it is deleted leaves nothing behind.
    store.delete_integration(&acme, &at(5), "harbor", "ours").await.unwrap();
    store.watched(id, "h.example", "app", "1", &digest(1)).await.unwrap();
    store.watched_image(id, &digest(1)).await.unwrap();
    store.watch_begins(id, at(6).at, &[("h.example", "app")]).await.unwrap();
    for table in ["watched_tags", "watched_images", "awaited_repositories"] {
        assert_eq!(rows(&store, table).await, 0, "{table}");
    }
}

pub(super) async fn are_gone_with_all_they_told(store: &Store) {
    let (store, acme, record) = one(store).await;
    put(&store, &acme, 2, "h.example", &[("password", "x")]).await.unwrap();
    hear(&store, &record, 1, &[notice("a", true)]).await;
    store.watched(&record.id, "h.example", "app", "1", &digest(1)).await.unwrap();
    store.watched_image(&record.id, &digest(1)).await.unwrap();
    store.watch_begins(&record.id, at(2).at, &[("h.example", "app")]).await.unwrap();
    store.keep_secret(&acme, &at(2), "integration", &Secret::new("y")).await.unwrap();
    assert!(!store.delete_integration(&acme, &at(3), "harbor", "theirs").await.unwrap());
    assert!(store.delete_integration(&acme, &at(3), "harbor", "ours").await.unwrap());
    assert!(!store.delete_integration(&acme, &at(3), "harbor", "ours").await.unwrap());
    for table in [
        "integrations",
        "notices",
        "watched_tags",
        "watched_images",
        "awaited_repositories",
        "jobs",
    ] {
        assert_eq!(rows(&store, table).await, 0, "{table}");
    }
    assert_eq!(rows(&store, "secrets").await, 1, "that of somebody else");
    assert_eq!(told(&store, &acme).await.last().unwrap(), "integration-deleted harbor ours {}");
}

pub(super) async fn count_what_is_not_taken(store: &Store) {
    let (store, acme, record) = one(store).await;
    let counted = async || store.refused_webhooks(&acme).await.unwrap();
    assert!(counted().await.is_empty());
    let of = |count, minute, why: &str| Refused { count, last: at(minute).at, why: why.to_owned() };
    let (id, revision) = (&record.id, record.revision);
    store.webhooks_refused(id, revision, &of(3, 2, "no secret")).await.unwrap();
    store.webhooks_refused(id, revision, &of(4, 3, "a wrong secret")).await.unwrap();
    assert_eq!(counted().await.get(id), Some(&of(7, 3, "a wrong secret")));
    let other = store.create_organisation(&at(0), "other").await.unwrap().id;
    assert!(store.refused_webhooks(&other).await.unwrap().is_empty());
    // Those from before it was told something else say nothing.
    let (record, _) = put(&store, &acme, 4, "h.example", &[("webhook-auth", "w1")]).await.unwrap();
    store.webhooks_refused(id, revision, &of(1, 4, "late")).await.unwrap();
    assert!(counted().await.is_empty());
    store.webhooks_refused(id, record.revision, &of(1, 5, "too long")).await.unwrap();
    assert_eq!(counted().await.get(id), Some(&of(1, 5, "too long")));
}
