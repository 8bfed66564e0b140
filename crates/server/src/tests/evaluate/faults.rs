//! Whatever happens in between: nothing is lost, nothing is doubled.

use std::pin::pin;
use std::task::Poll;

use super::{House, RUNS, trimmed};
use crate::evaluate;

const OLD: &str = "npm lodash CVE-1 <4.17.21 high";
const NEW: &str = "npm lodash CVE-1 <4.17.21 high\nnpm left-pad CVE-3 all critical";
const EXPECT: &str = "production new CVE-3 left-pad@1.0.0: - → critical in 1";

/// On each database.
async fn everywhere(check: impl AsyncFn(House)) {
    check(House::new()).await;
    match testkit::Postgres::shared() {
        Some(server) => check(House::on(server.database())).await,
        None => println!("left out: PostgreSQL is not installed"),
    }
}

/// A company whose things are judged by the former almanac, when the new one is put into place.
async fn prepared(house: &House) {
    house.company("acme", RUNS).await;
    house.install(OLD);
    house.evaluate().await;
    house.install(NEW);
}

/// Does so many steps, and breaks off. Was it all?
async fn steps<T>(most: usize, work: impl Future<Output = T>) -> bool {
    let mut work = pin!(work);
    let mut steps = 0;
    std::future::poll_fn(|context| {
        steps += 1;
        match work.as_mut().poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending if steps >= most => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_breaks_off_is_followed_by_another() {
    Box::pin(everywhere(async |house| {
        prepared(&house).await;
        let mut broken = 0;
        while !Box::pin(steps(broken + 1, evaluate(&house.app().await, false))).await {
            broken += 1;
            let told = house.told("acme").await;
            assert!(told.is_empty() || told == EXPECT, "after {broken} steps: {told}");
        }
        assert!(broken > 3, "it broke off {broken} times");
        assert_eq!(house.told("acme").await, EXPECT);
        // Whatever was left behind does no harm to the next.
        house.install(OLD);
        evaluate(&house.app().await, true).await.unwrap();
        let gone = "production gone CVE-3 left-pad@1.0.0: critical → - in 1";
        assert_eq!(house.told("acme").await, trimmed(&format!("{gone}\n{EXPECT}")));
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_one_tells() {
    everywhere(async |house| {
        prepared(&house).await;
        let mut working = Vec::new();
        for _ in 0..6 {
            let app = house.app().await;
            working.push(tokio::spawn(async move { evaluate(&app, false).await.unwrap().len() }));
        }
        let mut evaluated = 0;
        for it in working {
            evaluated += it.await.unwrap();
        }
        assert_eq!((evaluated, house.told("acme").await.as_str()), (1, EXPECT));
    })
    .await;
}

#[tokio::test]
async fn without_the_former_almanac_that_is_told() {
    let house = House::new();
    prepared(&house).await;
    fs_err::remove_dir_all(house.folder.path().join("kept")).unwrap();
    for _ in 0..2 {
        house.evaluate().await;
        let told = house.told("acme").await;
        let (start, end) = ("- evaluation-incomplete: cannot tell what changed between ", "more");
        assert!(told.starts_with(start) && told.ends_with(end), "{told}");
        assert_eq!(told.lines().count(), 1);
    }
}

#[tokio::test]
async fn a_damaged_almanac_is_judged_by_when_it_is_mended() {
    let house = House::new();
    prepared(&house).await;
    let sheets = house.folder.path().join("almanac").join("sheets");
    let away = house.folder.path().join("away");
    fs_err::rename(&sheets, &away).unwrap();
    let error = evaluate(&house.app().await, false).await.unwrap_err();
    assert!(error.ends_with(": sheets are missing or cut short"), "{error}");
    assert_eq!(house.told("acme").await, "");
    fs_err::rename(&away, &sheets).unwrap();
    house.evaluate().await;
    assert_eq!(house.told("acme").await, EXPECT);
}

#[tokio::test]
async fn nobody_goes_back_by_himself() {
    let house = House::new();
    prepared(&house).await;
    house.evaluate().await;
    // A machine that is behind the others.
    house.install(OLD);
    house.evaluate().await;
    assert_eq!(house.told("acme").await, EXPECT);
    let evaluated = evaluate(&house.app().await, true).await.unwrap();
    let changed: Vec<_> =
        evaluated[0].changed.iter().map(|it| (it.0.as_str(), it.1.changes)).collect();
    assert_eq!(changed, [("finding-gone", 1)]);
    // Only those are kept that somebody's things were last judged by.
    let kept = fs_err::read_dir(house.folder.path().join("kept")).unwrap();
    assert_eq!(kept.count(), 1);
}
