//! Telling: where something breaks, nothing is lost, and nobody is told for ever.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::watch;

use super::{Answer, Ear, House};
use crate::jobs;

const DAY: i64 = 86_400;

async fn house() -> (House, Arc<Ear>) {
    let house = House::new().await;
    let ops = house.channel("acme", "ops").await;
    house.rule("acme", "first", "ops", json!({ "on": ["new-finding"] })).await;
    (house, ops)
}

#[tokio::test]
async fn who_is_busy_is_asked_again_later_each_time() {
    let (house, ops) = house().await;
    ops.answer(&[Answer::Later(None), Answer::Later(Some(Duration::from_mins(10)))]);
    house.finds("acme", "production", &[("CVE-1", 1), ("CVE-2", 1)]).await;
    house.later(3).await;
    let waiting = [
        "waiting CVE-1 (high) is new in production 1",
        "waiting CVE-2 (high) is new in production 0",
    ];
    assert_eq!(house.outbox("acme").await, waiting, "it is not asked for the other");
    house.later(3).await;
    assert_eq!(house.outbox("acme").await, waiting);
    house.later(10).await;
    house.later(300).await;
    assert!(ops.titles().is_empty(), "it asked for ten minutes");
    house.later(600).await;
    assert_eq!(ops.titles().len(), 2);
    let keys: Vec<String> = ops.heard().into_iter().map(|it| it.0).collect();
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn who_hangs_panics_or_takes_it_never_is_in_nobodys_way() {
    let (house, ops) = house().await;
    ops.answer(&[Answer::Drop, Answer::Panic, Answer::Hang]);
    let flaws = [("CVE-1", 1), ("CVE-2", 1), ("CVE-3", 1)];
    house.finds("acme", "production", &flaws).await;
    house.later(3).await;
    let expect = [
        "dropped CVE-1 (high) is new in production 1",
        "dropped CVE-2 (high) is new in production 1",
        "waiting CVE-3 (high) is new in production 1",
    ];
    assert_eq!(house.outbox("acme").await, expect);
    house.later(60).await;
    assert_eq!(ops.titles(), ["CVE-3 (high) is new in production"]);
    // Somebody mended it.
    let ann = house.client("ann").await;
    let retried = ann.retry_notifications("acme", &api::Resending::default()).await.unwrap();
    assert_eq!(retried.retried, 2);
    house.later(3).await;
    assert_eq!(ops.titles().len(), 3);
}

#[tokio::test]
async fn one_that_fails_long_is_said_not_to_work_and_to_work_again() {
    let (house, ops) = house().await;
    ops.answer(&vec![Answer::Later(None); 5]);
    let other = house.channel("acme", "other").await;
    house.rule("acme", "broken", "other", json!({ "on": ["integration-broken"] })).await;
    house.finds("acme", "production", &[("CVE-1", 1)]).await;
    for _ in 0..4 {
        house.later(400).await;
        assert_eq!(house.state("ops").await, "pending");
    }
    house.later(400).await;
    assert_eq!(house.state("ops").await, "the receiver says Later(None)");
    house.later(400).await;
    assert_eq!((house.state("ops").await.as_str(), ops.titles().len()), ("connected", 1));
    assert_eq!(other.titles(), ["the integration ear ops does not work"]);
}

#[tokio::test]
async fn one_that_is_down_is_tried_less_and_less_and_told_in_order() {
    let (house, ops) = house().await;
    ops.answer(&vec![Answer::Later(None); 6]);
    ops.answer(&[Answer::Take, Answer::Take, Answer::Later(None)]);
    house.finds("acme", "production", &[("CVE-1", 1), ("CVE-2", 1), ("CVE-3", 1)]).await;
    let tried = async |expect: [u32; 3]| {
        let line = |(flaw, tries): (&str, u32)| {
            format!("waiting {flaw} (high) is new in production {tries}")
        };
        let lines = ["CVE-1", "CVE-2", "CVE-3"].into_iter().zip(expect).map(line);
        assert_eq!(house.outbox("acme").await, lines.collect::<Vec<_>>());
    };
    // The first stays the first, so waits grow, and five tries are the receiver's.
    for tries in 1..=5 {
        house.later(120).await;
        tried([tries, 0, 0]).await;
    }
    assert_eq!(house.state("ops").await, "the receiver says Later(None)");
    // It may be that message alone that it does not take, so others are tried: as seldom as that.
    house.later(120).await;
    tried([5, 1, 0]).await;
    house.later(240).await;
    tried([5, 1, 0]).await;
    house.later(240).await;
    let titles = ["CVE-2", "CVE-3"].map(|it| format!("{it} (high) is new in production"));
    assert_eq!(ops.titles(), titles);
    // It takes others: that it does not take the first is no news of the receiver.
    assert_eq!(house.outbox("acme").await[0], "waiting CVE-1 (high) is new in production 6");
    assert_eq!(house.state("ops").await, "connected");
    house.later(400).await;
    assert_eq!(ops.titles().len(), 3);
}

#[tokio::test]
async fn one_that_is_gone_is_switched_off_until_somebody_mends_it() {
    let (house, ops) = house().await;
    // It would tell of itself, too.
    house.rule("acme", "itself", "ops", json!({ "on": ["integration-broken"] })).await;
    let other = house.channel("acme", "other").await;
    house.rule("acme", "broken", "other", json!({ "on": ["integration-broken"] })).await;
    ops.answer(&[Answer::Close]);
    house.finds("acme", "production", &[("CVE-1", 1), ("CVE-2", 1)]).await;
    house.later(3).await;
    assert_eq!(house.state("ops").await, "switched off: the receiver says Close");
    house.later(3).await;
    let told = other.heard().pop().unwrap().1;
    assert_eq!(told.title, "the integration ear ops does not work");
    assert_eq!(told.text, "switched off: the receiver says Close");
    for _ in 0..5 {
        house.later(3600).await;
    }
    assert!(ops.titles().is_empty(), "it is left alone");
    assert_eq!(other.titles().len(), 1);
    house.later(DAY).await;
    house.finds("acme", "production", &[("CVE-3", 1)]).await;
    house.later(60).await;
    // It is told something else, so it is tried again; what is too old is not told any more.
    house.channel("acme", "ops").await;
    house.app.channels.put("ops", &ops);
    house.later(3).await;
    let titles = ops.titles();
    let late = "2 messages were not told here since 2026-11-21T10:00:03Z";
    assert_eq!(titles, ["CVE-3 (high) is new in production", late]);
    assert_eq!(house.state("ops").await, "connected");
}

/// Who stands before a receiver may refuse for it, for a while.
#[tokio::test]
async fn one_that_is_forbidden_is_switched_off_once_it_goes_on() {
    let (house, ops) = house().await;
    ops.answer(&vec![Answer::CloseAtLast; 5]);
    house.finds("acme", "production", &[("CVE-1", 1)]).await;
    for tries in 1..=5 {
        house.later(120).await;
        let expect = format!("waiting CVE-1 (high) is new in production {tries}");
        assert_eq!(house.outbox("acme").await, [expect]);
    }
    assert_eq!(house.state("ops").await, "the receiver says CloseAtLast");
    house.later(400).await;
    assert_eq!((house.state("ops").await.as_str(), ops.titles().len()), ("connected", 1));
    ops.answer(&vec![Answer::CloseAtLast; 100]);
    house.finds("acme", "production", &[("CVE-2", 1)]).await;
    for _ in 0..20 {
        house.later(400).await;
    }
    assert_eq!(house.state("ops").await, "switched off: the receiver says CloseAtLast");
}

#[tokio::test]
async fn what_was_broken_off_is_told_once() {
    let (house, ops) = house().await;
    house.finds("acme", "production", &[("CVE-1", 1)]).await;
    // Whoever looks is gone after so many steps.
    for steps in 0..400 {
        let mut telling = Box::pin(jobs::do_once(&house.app, "tell"));
        let mut is_done = false;
        for _ in 0..steps {
            let step = std::future::poll_fn(|context| {
                std::task::Poll::Ready(telling.as_mut().poll(context))
            });
            is_done = step.await.is_ready();
            if is_done {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(telling);
        let there = house.outbox("acme").await.len();
        assert!(there <= 1, "{there} after {steps} steps");
        if is_done {
            break;
        }
    }
    jobs::do_once(&house.app, "tell").await.unwrap();
    assert_eq!(house.outbox("acme").await, ["waiting CVE-1 (high) is new in production 0"]);
    // Whoever tells it is gone before it is noted that it was: it is said again, under the same key.
    ops.answer(&[Answer::TakeAndHang]);
    {
        let mut telling = Box::pin(jobs::all(&house.app));
        let heard = async {
            while ops.titles().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = &mut telling => panic!("it hangs"),
            () = heard => {}
        }
    }
    // What it took on is somebody else's when nobody hears of it any more.
    house.later(3600).await;
    house.later(3600).await;
    let heard = ops.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0], heard[1]);
    assert_eq!(house.sent("acme").await, 1);
}

#[tokio::test]
async fn a_rule_tells_nothing_of_what_was_before_it() {
    let (house, ops) = house().await;
    let late = house.channel("acme", "late").await;
    house.finds("acme", "production", &[("CVE-1", 1)]).await;
    // Nobody looks for an hour.
    house.clock.fetch_add(3_600_000_000, Ordering::SeqCst);
    house.rule("acme", "second", "late", json!({ "on": ["all"] })).await;
    house.finds("acme", "production", &[("CVE-2", 1)]).await;
    house.later(3).await;
    let [first, second] = ["CVE-1", "CVE-2"].map(|it| format!("{it} (high) is new in production"));
    assert_eq!(ops.titles(), [first, second.clone()]);
    assert_eq!(late.titles(), [second]);
}

#[tokio::test]
async fn several_processes_tell_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut addresses = vec![format!("sqlite://{}", folder.path().join("store.db").display())];
    match testkit::Postgres::shared() {
        Some(server) => addresses.push(server.database()),
        None => println!("left out: PostgreSQL is not installed"),
    }
    for address in addresses {
        let house = House::at(&address).await;
        let ops = house.channel("acme", "ops").await;
        house.rule("acme", "first", "ops", json!({ "on": ["all"] })).await;
        house.finds("acme", "production", &[("CVE-1", 1), ("CVE-2", 1)]).await;
        house.clock.fetch_add(3_000_000, Ordering::SeqCst);
        let mut tasks = Vec::new();
        for _ in 0..6 {
            let app = house.app.clone();
            tasks.push(tokio::spawn(async move {
                jobs::do_once(&app, "tell").await.unwrap();
                jobs::all(&app).await;
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        // Who came late to a channel that was being told by found nothing left, or leaves it to us.
        house.later(1).await;
        assert_eq!((ops.titles().len(), house.sent("acme").await), (2, 2), "{address}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_holds_up_nobody() {
    let house = House::new().await;
    let slow = house.channel("acme", "slow").await;
    slow.answer(&vec![Answer::Hang; 50]);
    let quick = house.channel("acme", "quick").await;
    for name in ["slow", "quick"] {
        house.rule("acme", name, name, json!({ "on": ["new-finding"] })).await;
    }
    let (ticking, start, began) = (Arc::clone(&house.clock), house.app.now(), Instant::now());
    let clock = tokio::spawn(async move {
        loop {
            let micros = i64::try_from(began.elapsed().as_micros()).unwrap();
            ticking.store(start.micros() + micros, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let (stop, stopped) = watch::channel(false);
    let working = tokio::spawn(jobs::work(house.app.clone(), 1, stopped));
    house.finds("acme", "production", &[("CVE-1", 1)]).await;
    let waited = async {
        while quick.titles().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waited).await.unwrap();
    assert!(slow.titles().is_empty());
    stop.send_replace(true);
    working.await.unwrap();
    clock.abort();
}
