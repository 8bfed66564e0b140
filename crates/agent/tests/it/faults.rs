//! What goes wrong between an agent, its cluster and its server.

use std::time::Duration;

use agent::Reporter;
use agent::health::Health;
use agent::kubernetes::Patience;
use api::Sort;
use testkit::{FakeCluster, Upset};

use crate::cluster::{PATIENCE, mapping, open, reporter, runs, telling};
use crate::fleet::{add_node, container, digest, pod};
use crate::server::{self, Running, Server};
use crate::voice::Heard;

fn cluster() -> FakeCluster {
    let cluster = FakeCluster::start();
    add_node(&cluster, "n1", "amd64");
    cluster
}

fn put(cluster: &FakeCluster, number: u64) -> Running {
    cluster.apply("pods", pod("shop", "web", 1, "n1", &[("acme/web:v1", digest(number))]));
    let web = container("shop", "web", 0, "acme/web:v1", &digest(number), Some("linux/amd64"));
    runs(&[("e", web)])
}

#[tokio::test]
async fn whatever_happens_to_a_watch() {
    let all = [
        Upset::Cut,
        Upset::Gone,
        Upset::Junk,
        Upset::Reorder,
        Upset::Twice,
        Upset::Close,
        Upset::Refuse(401),
        Upset::Refuse(403),
        Upset::Refuse(410),
        Upset::Refuse(429),
        Upset::Refuse(500),
    ];
    let cluster = cluster();
    let server = Server::new();
    telling(&cluster, mapping(&[], None, Some("e")), &server, async |_| {
        let mut number = 0;
        for upset in all {
            cluster.upset("watch", "pods", upset);
            cluster.end_watches();
            for _ in 0..3 {
                number += 1;
                let expect = put(&cluster, number);
                server.until_runs("eu1", &expect).await;
            }
        }
    })
    .await;
    assert_eq!(cluster.planned(), 0);
}

#[tokio::test]
async fn who_cannot_see_is_silent() {
    let cluster = cluster();
    let expect = put(&cluster, 1);
    let server = Server::new();
    // A watch that says nothing is given up after a second and a few more.
    let kubernetes = open(&cluster, mapping(&[], None, Some("e")), PATIENCE).await.unwrap();
    let (heard, health) = (Heard::default(), Health::default());
    let telling = reporter("eu1", &server, &heard, &health);
    let test = async {
        server.until_runs("eu1", &expect).await;
        server.until("heartbeats", |it| it.beats() > 2).await;
        assert_eq!(health.trouble(), None);
        // The right to look is taken away.
        cluster.allow(&[("list", "nodes"), ("watch", "nodes")]);
        cluster.end_watches();
        while health.trouble().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let why = health.trouble().unwrap();
        assert!(why.contains("it is not allowed to"), "{why}");
        let (beats, snapshots) = (server.beats(), server.snapshots());
        // Many times as long as between two heartbeats.
        let lists = cluster.lists();
        while cluster.lists() < lists + 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!((server.beats(), server.snapshots()), (beats, snapshots));
        // It is given back; what is there by now is told.
        let expect = put(&cluster, 2);
        cluster.allow(&[
            ("list", "nodes"),
            ("watch", "nodes"),
            ("list", "pods"),
            ("watch", "pods"),
        ]);
        server.until_runs("eu1", &expect).await;
        assert_eq!(health.trouble(), None);
    };
    tokio::select! {
        () = telling.run(&kubernetes) => {}
        () = test => {}
    }
    // Once is enough.
    let said = heard.said();
    let complaints = said.iter().filter(|it| it.starts_with("! ")).count();
    assert!(complaints <= 2, "{said:?}");
    assert!(!said.join("\n").contains("secret-token"));
}

#[tokio::test]
async fn a_cluster_that_hangs() {
    let cluster = cluster();
    let expect = put(&cluster, 1);
    cluster.upset("list", "pods", Upset::Hang);
    cluster.upset("watch", "pods", Upset::Hang);
    let server = Server::new();
    let patience = Patience { answer: Duration::from_millis(300), ..PATIENCE };
    let kubernetes = open(&cluster, mapping(&[], None, Some("e")), patience).await.unwrap();
    let (heard, health) = (Heard::default(), Health::default());
    let telling = reporter("eu1", &server, &heard, &health);
    let test = async {
        server.until_runs("eu1", &expect).await;
        let expect = put(&cluster, 2);
        server.until_runs("eu1", &expect).await;
    };
    tokio::select! {
        () = telling.run(&kubernetes) => {}
        () = test => {}
    }
    assert_eq!(cluster.planned(), 0);
}

#[tokio::test]
async fn a_server_that_is_away_is_told_the_latest() {
    let cluster = cluster();
    let server = Server::new();
    let all = [
        server::Upset::Away,
        server::Upset::Refuse(Sort::Unavailable),
        server::Upset::Refuse(Sort::TooMany),
        server::Upset::Refuse(Sort::NotFound),
        server::Upset::Refuse(Sort::Forbidden),
    ];
    for upset in all {
        server.upset(upset);
    }
    telling(&cluster, mapping(&[], None, Some("e")), &server, async |heard| {
        // Much happens meanwhile; only the last of it is told.
        (1..50).for_each(|number| drop(put(&cluster, number)));
        let expect = put(&cluster, 50);
        server.until_runs("eu1", &expect).await;
        assert!(server.snapshots() < 10, "{}", server.snapshots());
        let said = heard.said().join("\n");
        assert!(said.contains("! tell what runs in eu1: nobody is there"), "{said}");
        assert!(said.contains("! tell what runs in eu1: it was told to"), "{said}");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_forgot_is_told_again() {
    let cluster = cluster();
    let expect = put(&cluster, 1);
    let server = Server::new();
    telling(&cluster, mapping(&[], None, Some("e")), &server, async |heard| {
        server.until_runs("eu1", &expect).await;
        server.forget();
        server.until_runs("eu1", &expect).await;
        // A heartbeat that is not believed, and one that is not answered.
        server.upset(server::Upset::Refuse(Sort::Conflict));
        let before = server.snapshots();
        server.until("another snapshot", |it| it.snapshots() > before).await;
        assert!(!heard.said().iter().any(|it| it.starts_with("! ")), "{:?}", heard.said());
        server.upset(server::Upset::Hang);
        let expect = put(&cluster, 2);
        server.until_runs("eu1", &expect).await;
        // Who is not known any more comes in anew, with another token perhaps.
        let doors = server.doors();
        server.upset(server::Upset::Refuse(Sort::Unauthenticated));
        server.until("another door", |it| it.doors() > doors).await;
        let expect = put(&cluster, 3);
        server.until_runs("eu1", &expect).await;
    })
    .await;
}

#[tokio::test]
async fn flapping_is_told_now_and_then() {
    let cluster = cluster();
    put(&cluster, 1);
    let server = Server::new();
    let kubernetes = open(&cluster, mapping(&[], None, Some("e")), PATIENCE).await.unwrap();
    let (heard, health) = (Heard::default(), Health::default());
    let mut telling = reporter("eu1", &server, &heard, &health);
    telling.pace.apart = Duration::from_millis(200);
    telling.pace.longest = Duration::from_millis(100);
    let began = std::time::Instant::now();
    let test = async {
        for number in 2..400 {
            put(&cluster, number);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let expect = put(&cluster, 400);
        server.until_runs("eu1", &expect).await;
    };
    tokio::select! {
        () = Reporter::run(&telling, &kubernetes) => {}
        () = test => {}
    }
    let most = began.elapsed().as_millis() / 200 + 2;
    assert!(u128::from(server.snapshots()) <= most, "{} of {most}", server.snapshots());
    assert!(server.snapshots() > 2, "changes are told while it flaps");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_gap() {
    let cluster = cluster();
    put(&cluster, 1);
    let mut odd = pod("shop", "odd", 1, "n1", &[("acme/odd:v1", "who-knows".to_owned())]);
    odd["spec"]["containers"][0]["ports"] = "none".into();
    cluster.apply("pods", odd);
    let mut broken = pod("shop", "broken", 1, "n1", &[]);
    broken["spec"]["containers"] = 7.into();
    cluster.apply("pods", broken);
    let server = Server::new();
    telling(&cluster, mapping(&[], None, Some("e")), &server, async |heard| {
        server.until("it is told", |it| it.snapshots() > 0).await;
        let expect = [
            "pod shop/broken-5f7b9-1: cannot be read: invalid type: integer `7`, expected a sequence",
            "pod shop/odd-5f7b9-1: container c0 runs, and which image is not told: `who-knows`",
        ];
        assert_eq!(server.snapshot("eu1").unwrap().gaps, expect);
        assert!(heard.said().contains(&format!("! {}", expect[0])), "{:?}", heard.said());
        cluster.delete("pods", "shop", "odd-5f7b9-1");
        cluster.delete("pods", "shop", "broken-5f7b9-1");
        server.until("no gaps", |it| it.snapshot("eu1").unwrap().gaps.is_empty()).await;
    })
    .await;
}

#[tokio::test]
async fn what_is_too_long_is_given_up() {
    let cluster = cluster();
    let expect = put(&cluster, 1);
    let server = Server::new();
    let patience = Patience { most: Some(20_000), ..PATIENCE };
    let kubernetes = open(&cluster, mapping(&[], None, Some("e")), patience).await.unwrap();
    let (heard, health) = (Heard::default(), Health::default());
    let telling = reporter("eu1", &server, &heard, &health);
    let test = async {
        server.until_runs("eu1", &expect).await;
        // An event, and after it each list, is longer than anybody takes.
        let mut long = pod("shop", "long", 1, "n1", &[("acme/long:v1", digest(9))]);
        long["metadata"]["annotations"] = serde_json::json!({ "long": "x".repeat(30_000) });
        cluster.apply("pods", long);
        let why = async |expect: &str| loop {
            let why = health.trouble().unwrap_or_default();
            if why.contains(expect) {
                return why;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        why("an answer of the cluster is longer than 20000 bytes").await;
        let (beats, lists) = (server.beats(), cluster.lists());
        while cluster.lists() < lists + 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(server.beats(), beats, "who does not see all of it says nothing");
        cluster.delete("pods", "shop", "long-5f7b9-1");
        let expect = put(&cluster, 2);
        server.until_runs("eu1", &expect).await;
    };
    tokio::select! {
        () = telling.run(&kubernetes) => {}
        () = test => {}
    }
    let said = heard.said().join("\n");
    assert!(said.contains("! watch pods: an event of the cluster is longer than 20000"), "{said}");
}

/// Whoever is to be heard of once in an hour is alive meanwhile.
#[tokio::test]
async fn who_waits_is_alive() {
    let cluster = cluster();
    let expect = put(&cluster, 1);
    let server = Server::new();
    let kubernetes = open(&cluster, mapping(&[], None, Some("e")), PATIENCE).await.unwrap();
    let (heard, health) = (Heard::default(), Health::default());
    let mut telling = reporter("eu1", &server, &heard, &health);
    telling.pace.every = Duration::from_hours(1);
    let test = async {
        server.until_runs("eu1", &expect).await;
        for _ in 0..5 {
            let before = health.last_alive();
            while health.last_alive() == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        assert_eq!(server.beats(), 0);
    };
    let test = tokio::time::timeout(Duration::from_secs(30), test);
    tokio::select! {
        () = telling.run(&kubernetes) => {}
        done = test => done.expect("it looks as if it were stuck"),
    }
}
