//! The handshake and the deliveries of Azure's Event Grid, over HTTP, in their order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use integration::{Delivery, Received, Secrets, receive};
use model::{Moment, Secret};
use testkit::{Answered, Delivered, EventGrid, Form, Hook, Sink, Subscribed, Told};

use super::party;

const SECRET: &str = "a secret of ours";

/// An address where Azure's inbox answers, but for the first so many, whom it fails.
fn endpoint(secret: &'static str, failures: usize) -> (Sink, &'static Mutex<Vec<String>>) {
    let party = party("azure", &[("registry", "acme.azurecr.io")]);
    let taken: &'static Mutex<Vec<String>> = Box::leak(Box::default());
    let failed = AtomicUsize::new(failures);
    let sink = Sink::answering(move |hook| {
        if failed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |it| it.checked_sub(1)).is_ok() {
            return Answered::status(503);
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &hook.headers {
            let name = name.parse::<HeaderName>().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let method = hook.method.parse().unwrap();
        let query = hook.path.split_once('?').map_or("", |it| it.1);
        let delivery = Delivery { method: &method, query, headers: &headers, body: &hook.body };
        let secrets = Secrets::new(Some(Secret::new(secret)), None);
        let now: Moment = "2026-11-21T10:00:05Z".parse().unwrap();
        match receive(party.inbox().unwrap(), &delivery, &secrets, now) {
            Received::Handshake(answer) => Answered {
                status: answer.status,
                headers: answer
                    .headers
                    .into_iter()
                    .map(|(name, it)| (name.to_owned(), it))
                    .collect(),
                body: answer.body.into_bytes(),
            },
            Received::Refused(why) => Answered::status(why.status()),
            Received::Heard { heard, .. } => {
                taken.lock().unwrap().extend(heard.notices.into_iter().map(|it| it.id));
                Answered::status(200)
            }
        }
    });
    (sink, taken)
}

fn pushed(form: Form, id: &str) -> Hook {
    let told = Told {
        pushed: true,
        registry: "acme.azurecr.io".to_owned(),
        repository: "team/app".to_owned(),
        tag: "1".to_owned(),
        digest: format!("sha256:{}", "1".repeat(64)),
        id: id.to_owned(),
        at: "2026-11-21T10:00:00Z".to_owned(),
        seconds: 1_795_255_200,
    };
    Hook::new(form, &told, SECRET)
}

#[test]
fn hands_are_shaken_in_both_schemas() {
    let (sink, taken) = endpoint(SECRET, 0);
    let grid = EventGrid::new(&sink.host(), "/hooks/azure/x");
    assert_eq!(grid.subscribe("a code"), Subscribed::Active);
    assert_eq!(grid.subscribe_with_cloud_events(), Subscribed::Active);
    // Somebody who takes everything has not understood the question.
    let deaf = Sink::start();
    let grid = EventGrid::new(&deaf.host(), "/");
    assert_eq!(grid.subscribe("a code"), Subscribed::AwaitingManualAction);
    assert!(matches!(grid.subscribe_with_cloud_events(), Subscribed::Failed(_)));
    assert!(taken.lock().unwrap().is_empty());
}

#[test]
fn a_handshake_that_fails_once_is_made_again() {
    let (sink, _) = endpoint(SECRET, 1);
    assert_eq!(EventGrid::new(&sink.host(), "/").subscribe("a code"), Subscribed::Active);
    let (sink, _) = endpoint(SECRET, 2);
    let failed = Subscribed::Failed("status 503".to_owned());
    assert_eq!(EventGrid::new(&sink.host(), "/").subscribe("a code"), failed);
}

#[test]
fn deliveries_are_tried_again_until_they_are_taken() {
    for form in [Form::EventGrid, Form::AzureCloudEvents] {
        let (sink, taken) = endpoint(SECRET, 3);
        let grid = EventGrid::new(&sink.host(), "/");
        assert_eq!(grid.deliver(&pushed(form, "one")), Delivered::Taken(vec![10, 30, 60]));
        assert_eq!(grid.deliver(&pushed(form, "one")), Delivered::Taken(vec![]));
        // It tells at least once: the id tells that it is the same.
        let taken = taken.lock().unwrap();
        assert_eq!(taken.len(), 2);
        assert_eq!(taken[0], taken[1]);
    }
}

#[test]
fn what_is_not_ours_is_not_tried_again() {
    let (sink, taken) = endpoint("another secret", 0);
    let grid = EventGrid::new(&sink.host(), "/");
    assert_eq!(grid.deliver(&pushed(Form::EventGrid, "one")), Delivered::DeadLetter(1));
    let (sink, _) = endpoint(SECRET, 99);
    let grid = EventGrid::new(&sink.host(), "/");
    assert_eq!(grid.deliver(&pushed(Form::EventGrid, "one")), Delivered::DeadLetter(11));
    assert!(taken.lock().unwrap().is_empty());
}

#[test]
fn the_secret_may_be_in_the_address() {
    let (sink, taken) = endpoint(SECRET, 0);
    let mut hook = pushed(Form::AzureCloudEvents, "one");
    hook.headers.retain(|it| it.0 != "authorization");
    let grid = EventGrid::new(&sink.host(), "/?code=a%20secret%20of%20ours");
    assert_eq!(grid.deliver(&hook), Delivered::Taken(vec![]));
    assert_eq!(taken.lock().unwrap().len(), 1);
    let grid = EventGrid::new(&sink.host(), "/?code=a+secret");
    assert_eq!(grid.deliver(&hook), Delivered::DeadLetter(1));
}
