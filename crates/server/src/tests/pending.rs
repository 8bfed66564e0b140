//! What runs and nobody has read yet: it is found and read, or it is told why not.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::{Client, DeploymentQuery, EventQuery, Pushing, Recording, Recordings};
use engine::Engine;
use model::Moment;
use store::{JobState, NewJob, Store};
use testkit::FakeRegistry;

use super::inventory;
use crate::{Access, App, Reach, World, here, jobs, resolve, router};

/// A registry, a client of one who only takes down what is told, and a worker beside.
struct House {
    registry: FakeRegistry,
    client: Client,
    worker: App,
    clock: Arc<AtomicI64>,
}

impl House {
    async fn new() -> Self {
        // Two providers are linked, so somebody has to say which.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = Store::open("sqlite::memory:").await.unwrap();
        let start = "2026-11-21T10:00:00Z".parse::<Moment>().unwrap();
        let clock = Arc::new(AtomicI64::new(start.micros()));
        let app = |jobs: bool, offline: bool| {
            let reach = Reach {
                engine: Engine::default(),
                settings: Arc::new(image::Settings::default()),
                jobs,
                offline,
            };
            let ticking = Arc::clone(&clock);
            let now = Arc::new(move || Moment::from_micros(ticking.load(Ordering::SeqCst)));
            let access = Access::Local { name: "ann".to_owned() };
            App::new(store.clone(), World::new(None), access, reach, now)
        };
        let client = Client::new(here(router(app(false, true))), None);
        let worker = app(true, false);
        client.create_organisation("local").await.unwrap();
        client.create_environment("local", "production").await.unwrap();
        Self { registry: FakeRegistry::start(), client, worker, clock }
    }

    /// The digest of an image that the registry has.
    fn pushed(&self, name: &str) -> String {
        let layer = testkit::layer()
            .file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n")
            .file("lib/apk/db/installed", format!("P:{name}\nV:1.0-r0\nA:x86_64\n\n"));
        self.registry.push(name, "v1", &testkit::image().layer(layer))
    }

    async fn record(&self, name: &str, digest: &str) {
        let recording = Recording {
            image: format!("{}/{name}:v1", self.registry.host()),
            digest: Some(digest.to_owned()),
            application: Some(name.to_owned()),
            platform: None,
        };
        let sent = Recordings { recordings: vec![recording], source: None, create: false };
        self.client.record("local", "production", &sent).await.unwrap();
    }

    /// Time goes by, and what is found pending is read; which jobs that were.
    async fn later(&self, seconds: i64) -> String {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        let find = NewJob {
            kind: "find_pending".to_owned(),
            payload: serde_json::Value::Null,
            key: Some("find_pending".to_owned()),
            asked: self.worker.now(),
            ready: self.worker.now(),
            attempts: 3,
        };
        self.worker.store().enqueue(&find).await.unwrap();
        jobs::all(&self.worker).await.join(" ")
    }

    /// What runs, and whether it is read.
    async fn running(&self) -> String {
        let query = DeploymentQuery::default();
        let page = self.client.deployments("local", &query).await.unwrap();
        let line = |it: &api::Deployment| {
            format!("{}{}", it.application, if it.pending { " pending" } else { "" })
        };
        page.items.iter().map(line).collect::<Vec<_>>().join("; ")
    }
}

#[tokio::test]
async fn what_is_pending_is_found_in_the_registry() {
    let house = House::new().await;
    let digest = house.pushed("web");
    house.record("web", &digest).await;
    assert_eq!(house.running().await, "web pending");
    assert!(jobs::all(&house.worker).await.is_empty(), "whoever took it down told nobody");
    assert_eq!(house.later(0).await, "find_pending analyse_image");
    assert_eq!(house.running().await, "web");
    assert_eq!(house.later(300).await, "find_pending", "and there is nothing left to do");
}

#[tokio::test]
async fn what_was_pushed_meanwhile_is_not_asked_for() {
    let house = House::new().await;
    let digest = super::digest('1');
    house.record("web", &digest).await;
    let pushing =
        Pushing { image: None, platform: None, inventory: inventory(&["pkg:npm/pg@8.0.0"]) };
    house.client.push("local", &digest, &pushing).await.unwrap();
    assert_eq!(house.running().await, "web");
    assert_eq!(house.later(0).await, "find_pending");
    assert!(house.registry.seen().is_empty());
}

#[tokio::test]
async fn what_cannot_be_had_is_told_once_and_given_up_after_a_while() {
    let house = House::new().await;
    let digest = super::digest('1');
    house.record("web", &digest).await;
    assert_eq!(house.later(0).await, "find_pending analyse_image");
    assert_eq!(house.later(0).await, "find_pending", "it waits for its next try");
    let mut tries = 1;
    for _ in 0..100 {
        let done = house.later(300).await;
        tries += done.matches("analyse_image").count();
    }
    assert_eq!(tries, 10);
    let dead = house.worker.store().jobs(JobState::Dead, 9).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(house.running().await, "web pending");
    let told = house.client.inventory("local", &digest).await.unwrap_err();
    let why = format!("image {digest}: reading it failed: ");
    assert!(told.to_string().starts_with(&why), "{told}");
    assert_eq!(told.hint(), Some("foretop push IMAGE reads it and sends what is inside"));
    let query = EventQuery { kinds: Some("image-failed".to_owned()), ..EventQuery::default() };
    assert_eq!(house.client.events("local", &query).await.unwrap().items.len(), 1);
    // Whoever has it sends it, and it is read.
    let pushing =
        Pushing { image: None, platform: None, inventory: inventory(&["pkg:npm/pg@8.0.0"]) };
    house.client.push("local", &digest, &pushing).await.unwrap();
    assert_eq!(house.running().await, "web");
    assert_eq!(house.later(300).await, "find_pending");
}

#[tokio::test]
async fn a_tag_that_only_a_machine_knows_is_no_image_yet() {
    let house = House::new().await;
    let recording = Recording {
        image: format!("{}/only-here:v1", house.registry.host()),
        digest: None,
        application: None,
        platform: None,
    };
    let sent = Recordings { recordings: vec![recording], source: None, create: false };
    let asking = Client::new(here(router(house.worker.clone())), None);
    let told = asking.record("local", "production", &sent).await.unwrap_err();
    let what = format!("cannot tell which image {}/only-here:v1 is: ", house.registry.host());
    assert!(told.to_string().starts_with(&what), "{told}");
    let hint = "send its digest, or push the image first: foretop push IMAGE";
    assert_eq!(told.hint(), Some(hint));
    assert_eq!(house.running().await, "");
}

#[tokio::test]
async fn a_registry_that_is_away_may_be_there_later() {
    let house = House::new().await;
    // Nobody listens there; a port that was free a moment ago may be another test's by now.
    let host = "127.0.0.1:1";
    let images: Vec<String> =
        (0..20).map(|it| format!(r#"{{"image":"{host}/web:v{it}"}}"#)).collect();
    let body = format!(r#"{{"recordings":[{}]}}"#, images.join(","));
    let path = "/api/v1/orgs/local/environments/production/deployments";
    let request = axum::extract::Request::post(path).header("content-type", "application/json");
    let request = request.body(axum::body::Body::from(body)).unwrap();
    let answer = tower::ServiceExt::oneshot(router(house.worker.clone()), request).await.unwrap();
    assert_eq!(answer.status(), 503, "it passes, so it is kept under no key");
}

#[tokio::test]
async fn looks_go_on_where_they_were() {
    let house = House::new().await;
    for number in 0..20 {
        let digest = house.pushed(&format!("web{number:02}"));
        house.record(&format!("web{number:02}"), &digest).await;
    }
    let store = house.worker.store();
    let organisation = store.organisation("local").await.unwrap().id;
    let act = model::Act { who: "ann".into(), origin: String::new(), at: house.worker.now() };
    let (mut after, mut asked) = (None, Vec::new());
    loop {
        let part = (after, std::time::Duration::ZERO);
        let looked = resolve::tags(&house.worker, &organisation, None, &act, part).await.unwrap();
        assert!(looked.untold.is_empty(), "{:?}", looked.untold);
        asked.push(looked.asked);
        after = looked.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(asked, [8, 8, 4]);
}
