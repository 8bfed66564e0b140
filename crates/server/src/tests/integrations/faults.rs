//! What goes wrong is seen, and holds up nothing else.

use axum::http::StatusCode;
use model::ImageState;
use testkit::Guard;

use super::*;
use crate::{Limits, front};

#[tokio::test]
async fn what_is_tried_again_later_keeps_nothing_waiting() {
    let house = House::new().await;
    let host = house.registry.host();
    let made =
        house.configured("distribution", &[("registry", &host), ("webhook-auth", SECRET)]).await;
    let path = hook(&made.integration);
    house.later(1).await;
    house.registry.plan("/v2/team/bad/", 10_000, Fault::status(500));
    let bad = house.push("team/bad", "1", "bad");
    assert_eq!(house.post(&path, &notification("bad", "team/bad", "1", &bad)).await.0, 200);
    // Each further try is later; by the fifth it is most of an hour.
    for _ in 0..5 {
        house.later(1_000).await;
    }
    assert_eq!(house.notices("distribution", NoticeState::Waiting).await.len(), 1);
    let good = house.push("team/app", "1", "cup");
    assert_eq!(house.post(&path, &notification("good", "team/app", "1", &good)).await.0, 200);
    house.later(1).await;
    assert_eq!(house.known(&format!("{host}/team/app")).await, ("1".to_owned(), 1));
    // And without a job of its own, as after a restart.
    house.later(31).await;
    house.push("team/web", "1", "pot");
    house.later(3_700).await;
    assert_eq!(house.known(&format!("{host}/team/web")).await.0, "1");
}

#[tokio::test]
async fn who_is_not_let_in_is_not_connected() {
    let mut house = House::new().await;
    let guard = Guard::Basic("reader".to_owned(), "pass".to_owned());
    house.registry = FakeRegistry::start().guarded(guard);
    let host = house.registry.host();
    house.push("team/app", "1", "cup");
    let wrong = [
        ("registry", host.as_str()),
        ("repository", "team/app"),
        ("user", "reader"),
        ("password", "wrong"),
    ];
    let made = house.configured("oci", &wrong).await;
    assert_eq!(made.integration.state, IntegrationState::Error);
    for _ in 0..3 {
        house.later(400).await;
        let (state, why) = house.state("oci").await;
        assert_eq!(state, IntegrationState::Error);
        assert!(why.starts_with("team/app: "), "{why}");
    }
    let right = [
        ("registry", host.as_str()),
        ("repository", "team/app"),
        ("user", "reader"),
        ("password", "pass"),
    ];
    house.configured("oci", &right).await;
    house.later(1).await;
    assert_eq!(house.state("oci").await, (IntegrationState::Connected, String::new()));
    assert_eq!(house.known(&format!("{host}/team/app")).await.0, "1");
}

#[tokio::test]
async fn who_is_let_in_no_longer_is_connected_no_longer() {
    let house = House::new().await;
    let host = house.registry.host();
    house.push("team/app", "1", "cup");
    house.push("team/web", "1", "pot");
    house.configured("oci", &[("registry", &host)]).await;
    house.later(1).await;
    assert_eq!(house.state("oci").await, (IntegrationState::Connected, String::new()));
    // One that cannot be looked at for now is told of, and the rest goes on.
    house.registry.plan("/v2/team/web/", 10_000, Fault::status(500));
    house.later(400).await;
    let (now, why) = house.state("oci").await;
    assert_eq!(now, IntegrationState::Connected);
    assert!(why.starts_with("one thing could not be looked at: team/web: "), "{why}");
    // Known repositories are looked at where no list is given; but of those no tags are, either.
    house.registry.forgive();
    house.registry.plan("/v2/", 10_000, Fault::status(403));
    house.later(400).await;
    let (now, why) = house.state("oci").await;
    assert_eq!(now, IntegrationState::Error, "{why}");
    house.registry.forgive();
    // After a failed look the next one is soon.
    house.later(31).await;
    assert_eq!(house.state("oci").await, (IntegrationState::Connected, String::new()));
}

#[tokio::test]
async fn a_platform_that_nobody_can_read_is_told_of_once() {
    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    let house = House::new().await;
    let host = house.registry.host();
    let good = house.push("team/app", "good", "cup");
    let bad = house.registry.push_manifest("team/app", "bad", MANIFEST, b"{}");
    let entry = |digest: &str, architecture: &str, size: usize| {
        json!({
            "mediaType": MANIFEST, "digest": digest, "size": size,
            "platform": { "os": "linux", "architecture": architecture },
        })
    };
    let size = house.registry.blob("team/app", &good).unwrap().len();
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry(&bad, "arm64", 2), entry(&good, "amd64", size)],
    });
    house.registry.untag("team/app", "good");
    house.registry.untag("team/app", "bad");
    let kind = "application/vnd.oci.image.index.v1+json";
    house.registry.push_manifest("team/app", "1", kind, index.to_string().as_bytes());
    house.configured("oci", &[("registry", &host)]).await;
    house.later(1).await;
    let repository = format!("{host}/team/app");
    assert_eq!(house.known(&repository).await, ("1 1".to_owned(), 1), "it leads to both");
    let acme = house.app.store().organisation("acme").await.unwrap().id;
    let image = house.app.store().image(&acme, &bad.parse().unwrap()).await.unwrap().unwrap();
    assert!(matches!(image.state, ImageState::Failed { .. }), "{:?}", image.state);
    assert_eq!(house.state("oci").await, (IntegrationState::Connected, String::new()));
    // It is not fetched again and again.
    let asked =
        |digest: &str| house.registry.seen().iter().filter(|it| it.path.contains(digest)).count();
    let before = asked(&bad);
    house.later(400).await;
    assert_eq!(asked(&bad), before);
}

#[tokio::test]
async fn whoever_guesses_paths_is_told_to_wait() {
    const MANY: usize = 2_000;
    let house = House::new().await;
    let host = house.registry.host();
    let made =
        house.configured("distribution", &[("registry", &host), ("webhook-auth", SECRET)]).await;
    let path = hook(&made.integration);
    let router = front(house.app.clone(), Limits { rate: Some(1), ..Limits::default() });
    let sent = |path: &str, number: usize| {
        let it = notification(&number.to_string(), "team/app", "1", &super::super::digest('1'));
        let mut request = Request::post(path);
        for (name, value) in &it.headers {
            request = request.header(name, value);
        }
        router.clone().oneshot(request.body(Body::from(it.body)).unwrap())
    };
    assert_eq!(sent(&path, 0).await.unwrap().status(), StatusCode::OK);
    let mut refused = 0;
    for number in 0..MANY {
        let guessed = format!("/hooks/distribution/{number}");
        let status = sent(&guessed, number).await.unwrap().status();
        refused += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
        if refused > 0 {
            break;
        }
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    assert_eq!(refused, 1);
    // Whoever knows one tells as much as there is.
    for number in 1..30 {
        assert_eq!(sent(&path, number).await.unwrap().status(), StatusCode::OK);
    }
}

/// A server that asks no registry says so, and shows nobody a secret.
#[tokio::test]
async fn an_offline_server_asks_no_registry() {
    let clock = Arc::clone(&House::new().await.clock);
    let house = House::of(app_with("sqlite::memory:", &clock, true).await, clock).await;
    let host = house.registry.host();
    let settings = [("registry", host.as_str()), ("user", "reader"), ("password", "pass")];
    let made = house.configured("oci", &settings).await;
    assert_eq!(made.integration.state, IntegrationState::Error);
    let ann = house.client("ann").await;
    let tried = ann.try_integration("acme", "oci", "ours").await.unwrap();
    assert_eq!(tried.integration.state, IntegrationState::Error);
    assert_eq!(tried.integration.why.unwrap(), "registry reachable: nobody outside is asked here");
    // What is no registry is not called one.
    let settings = [("token", "t"), ("url", "http://127.0.0.1:9")];
    let made = house.configured("sysdig", &settings).await;
    assert_eq!(made.integration.why.unwrap(), "API reachable: nobody outside is asked here");
    assert!(house.registry.seen().is_empty());
}

/// What is deleted comes again while it is still there.
#[tokio::test]
async fn a_repository_that_is_deleted_and_still_there_is_seen_again() {
    let house = House::new().await;
    let host = house.registry.host();
    house.push("team/app", "1", "cup");
    house.configured("oci", &[("registry", &host)]).await;
    house.later(1).await;
    let repository = format!("{host}/team/app");
    assert_eq!(house.known(&repository).await, ("1".to_owned(), 1));
    let acme = house.app.store().organisation("acme").await.unwrap().id;
    let act = Act { who: "a test".to_owned(), origin: String::new(), at: house.app.now() };
    house.app.store().delete_repository(&acme, &act, &repository, false).await.unwrap();
    assert_eq!(house.known(&repository).await.0, "");
    house.later(400).await;
    assert_eq!(house.known(&repository).await.0, "1");
}
