//! Telling: rules and notifications, as a client asks for them.

use std::sync::atomic::Ordering;

use api::{
    Channel, Definition, NotificationQuery, NotificationState, PreviewQuery, Resending, Ruling,
};
use serde_json::json;

use super::{Answer, House};

fn ruling(channel: &str, on: &[&str]) -> Ruling {
    Ruling {
        channel: Channel { kind: "ear".to_owned(), name: channel.to_owned() },
        definition: Definition {
            on: on.iter().map(|it| (*it).to_owned()).collect(),
            environments: vec!["production".to_owned(), "qa".to_owned(), "prod-*".to_owned()],
            ..Definition::default()
        },
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, api::Error>, status: u16) -> String {
    let error = answer.unwrap_err();
    assert_eq!(error.problem().unwrap().status, status, "{error}");
    error.to_string()
}

#[tokio::test]
async fn owners_make_rules_and_members_read_them() {
    let house = House::new().await;
    house.channel("acme", "ops").await;
    let (ann, bob) = (house.client("ann").await, house.client("bob").await);
    let made = ann.put_rule("acme", "first", &ruling("ops", &["new-finding"])).await.unwrap();
    assert_eq!((made.missing, made.waiting), (vec!["qa".to_owned()], 0));
    assert_eq!(made.created_by, "ann");
    refused(bob.put_rule("acme", "second", &ruling("ops", &["all"])).await, 403);
    refused(bob.delete_rule("acme", "first").await, 403);
    refused(bob.test_rule("acme", "first").await, 403);
    let all = bob.rules("acme").await.unwrap().items;
    assert_eq!(all.len(), 1);
    assert_eq!(bob.rule("acme", "first").await.unwrap(), all[0]);
    assert!(bob.rules("other").await.unwrap().items.is_empty());
    refused(ann.rule("other", "first").await, 404);

    let topics = bob.topics().await.unwrap().items;
    assert_eq!(topics.len(), model::Topic::ALL.len());
    let bad = ann.put_rule("acme", "x", &ruling("ops", &["new"])).await.unwrap_err();
    assert_eq!(bad.to_string(), "rule: on: `new` is nothing to be told of");
    assert!(bad.hint().unwrap().starts_with("there are new-finding, known-exploited"));
    let nobody = refused(ann.put_rule("acme", "x", &ruling("nobody", &["all"])).await, 404);
    assert_eq!(nobody, "integration `ear nobody`: there is none");
    let mut registry = ruling("ours", &["all"]);
    "harbor".clone_into(&mut registry.channel.kind);
    let bad = ann.put_rule("acme", "x", &registry).await.unwrap_err().to_string();
    assert!(bad.ends_with("tells nobody anything"), "{bad}");

    // Who deletes the channel would make it silent.
    let whose = house.id("acme").await;
    let gone = house.app.store().delete_integration(&whose, &house.act(), "ear", "ops").await;
    assert!(gone.is_err());
    ann.delete_rule("acme", "first").await.unwrap();
    refused(ann.delete_rule("acme", "first").await, 404);
}

#[tokio::test]
async fn a_rule_is_tried_without_telling_anybody() {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    let ann = house.client("ann").await;
    house.runs("acme", "production", "docker.io/acme/web:v1", 1).await;
    // All of this happened before there was a rule.
    for flaw in ["CVE-1", "CVE-2", "CVE-1"] {
        house.finds("acme", "production", &[(flaw, 1)]).await;
        house.clock.fetch_add(60_000_000, Ordering::SeqCst);
    }
    house.finds("acme", "staging", &[("CVE-3", 1)]).await;
    ann.put_rule("acme", "first", &ruling("ops", &["new-finding"])).await.unwrap();
    let usual = PreviewQuery::default();
    let preview = ann.preview_rule("acme", "first", &usual).await.unwrap();
    let titles: Vec<&str> = preview.messages.iter().map(|it| it.title.as_str()).collect();
    assert_eq!(titles, ["CVE-1 (high) is new in production", "CVE-2 (high) is new in production"]);
    assert!(preview.messages[0].lines.contains(&"Brought by: ann (ci/17)".to_owned()));
    // What came to run is looked through, too.
    assert_eq!((preview.events, preview.is_all), (5, true));
    assert!(ops.titles().is_empty() && house.outbox("acme").await.is_empty());
    let mut daily = ruling("ops", &["new-finding"]);
    daily.definition.digest = serde_json::from_value(json!({ "every": "daily" })).unwrap();
    ann.put_rule("acme", "daily", &daily).await.unwrap();
    let preview = ann.preview_rule("acme", "daily", &usual).await.unwrap();
    let titles: Vec<&str> = preview.messages.iter().map(|it| it.title.as_str()).collect();
    assert_eq!(titles, ["digest: 2 new findings: 2 high in production"]);

    let sent = ann.test_rule("acme", "first").await.unwrap().sent;
    assert_eq!(sent.title, "test: CVE-2 (high) is new in production");
    assert_eq!(ops.titles(), [sent.title]);
    ann.put_rule("acme", "none", &ruling("ops", &["finding-gone"])).await.unwrap();
    let sent = ann.test_rule("acme", "none").await.unwrap().sent;
    assert_eq!(sent.title, "this is a test of the rule `none`");
    ops.answer(&[Answer::Close]);
    let why = ann.test_rule("acme", "none").await.unwrap_err().to_string();
    assert_eq!(why, "rule `none`: the receiver says Close");
    let days = PreviewQuery { days: Some(91) };
    assert!(ann.preview_rule("acme", "first", &days).await.is_err());
}

#[tokio::test]
async fn what_was_told_is_listed_and_told_again() {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    let (ann, bob) = (house.client("ann").await, house.client("bob").await);
    ann.put_rule("acme", "first", &ruling("ops", &["new-finding"])).await.unwrap();
    ops.answer(&[Answer::Take, Answer::Drop, Answer::Later(None)]);
    let flaws = [("CVE-1", 1), ("CVE-2", 1), ("CVE-3", 1)];
    house.finds("acme", "production", &flaws).await;
    house.later(3).await;
    let list = async |state| {
        let query = NotificationQuery { state, ..NotificationQuery::default() };
        bob.notifications("acme", &query).await.unwrap().items
    };
    assert_eq!(list(None).await.len(), 3);
    let dropped = list(Some(NotificationState::Dropped)).await;
    let [dropped] = &dropped[..] else { panic!("{dropped:?}") };
    assert_eq!(dropped.trouble.as_deref(), Some("the receiver says Drop"));
    assert_eq!((dropped.rule.as_deref(), dropped.channel.name.as_str()), (Some("first"), "ops"));
    let waiting = list(Some(NotificationState::Waiting)).await;
    assert!(waiting[0].ready.is_some() && waiting[0].ended.is_none());
    let one = Resending { notification: Some(dropped.id.clone()) };
    refused(bob.retry_notifications("acme", &one).await, 403);
    assert_eq!(ann.retry_notifications("other", &one).await.unwrap().retried, 0, "not theirs");
    assert_eq!(ann.retry_notifications("acme", &one).await.unwrap().retried, 1);
    assert_eq!(ann.retry_notifications("acme", &Resending::default()).await.unwrap().retried, 1);
    house.later(0).await;
    assert_eq!(ops.titles().len(), 3);
    assert!(list(Some(NotificationState::Waiting)).await.is_empty());
}
