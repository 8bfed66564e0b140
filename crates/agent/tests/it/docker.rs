//! A host that is followed, through a stand-in for its engine.

use std::time::Duration;

use agent::docker::{Docker, Patience};
use agent::health::Health;
use agent::{Container, Mapping};
use api::Workload;
use image::Settings;
use serde_json::{Value, json};
use testkit::{Answer, EngineBuilder, EngineStandIn, engine};

use crate::cluster::{mapping, reporter, runs};
use crate::fleet::digest;
use crate::server::Server;
use crate::voice::Heard;

const LIST: &str = "/containers/json?all=true";
const EVENTS: &str = "/events?filters=%7B%22type%22%3A%5B%22container%22%5D%7D";

fn listed(number: u64, image: &str, project: Option<(&str, &str)>, state: &str) -> Value {
    let labels = project.map(|(project, service)| {
        json!({"com.docker.compose.project": project, "com.docker.compose.service": service})
    });
    json!({"Id": format!("{number:064x}"), "Names": [format!("/c{number}")], "Image": image,
           "ImageID": digest(number), "Labels": labels, "State": state, "Status": "Up"})
}

fn with_image(engine: EngineBuilder, number: u64, pulled: Option<&str>) -> EngineBuilder {
    let digests: Vec<String> =
        pulled.into_iter().map(|it| format!("{it}@{}", digest(number + 100))).collect();
    let image = json!({"Id": digest(number), "RepoDigests": digests, "RepoTags": [],
                       "Os": "linux", "Architecture": "arm64", "Variant": "v8"});
    engine.answer(&format!("/images/{}/json", digest(number)), Answer::Json(200, image))
}

fn container(project: &str, kind: &str, name: &str, image: &str, digest: String) -> Container {
    Container {
        workload: Workload {
            namespace: project.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            container: name.to_owned(),
        },
        image: image.to_owned(),
        digest,
        platform: Some("linux/arm64/v8".to_owned()),
    }
}

fn settings(engine: &EngineStandIn) -> Settings {
    Settings {
        docker_host: Some(format!("unix://{}", engine.socket().display())),
        stall: Duration::from_secs(2),
        ..Settings::default()
    }
}

const PATIENCE: Patience = Patience {
    look: Duration::from_mins(1),
    together: Duration::from_millis(5),
    again: Duration::from_millis(10),
};

async fn telling(
    engine: &EngineStandIn,
    mapping: Mapping,
    patience: Patience,
    server: &Server,
    test: impl AsyncFnOnce(&Heard, &Health),
) {
    let docker = Docker::new(settings(engine), mapping, patience);
    let (heard, health) = (Heard::default(), Health::default());
    let reporter = reporter("host", server, &heard, &health);
    tokio::select! {
        () = reporter.run(&docker) => panic!("it goes on for ever"),
        () = test(&heard, &health) => {}
    }
}

#[tokio::test]
async fn tells_what_containers_run() {
    let first = json!([
        listed(1, "acme/web:1", Some(("shop", "web")), "running"),
        listed(1, "acme/web:1", Some(("shop", "web")), "running"),
        listed(2, "built", Some(("tools", "db")), "restarting"),
        listed(3, "busybox", None, "running"),
        listed(4, "gone", None, "exited"),
    ]);
    let mut engine = engine().answer(LIST, Answer::Json(200, first)).answer(EVENTS, Answer::Live);
    for (number, pulled) in [(1, Some("acme/web")), (2, None), (3, Some("busybox"))] {
        engine = with_image(engine, number, pulled);
    }
    let engine = with_image(engine, 5, Some("acme/web")).start();
    let server = Server::new();
    let rules = mapping(&["shop=production", "tools=staging"], None, None);
    let web = container("shop", "service", "web", "acme/web:1", digest(101));
    let db = container("tools", "service", "db", "built", digest(2));
    telling(&engine, rules, PATIENCE, &server, async |heard, _| {
        let all = runs(&[("production", web.clone()), ("staging", db.clone())]);
        server.until_runs("host", &all).await;
        assert_eq!(server.snapshot("host").unwrap().kind, "docker");
        let left = "left out, for no environment is theirs: containers of no project (1 container)";
        assert!(heard.said().contains(&left.to_owned()), "{:?}", heard.said());
        // A container is replaced, by an image whose tag leads elsewhere by now.
        let second = json!([listed(5, &digest(5), Some(("shop", "web")), "running")]);
        let inspected = json!({"Config": {"Image": "acme/web:2", "Env": ["PASSWORD=secret"]}});
        engine.change(&format!("/containers/{:064x}/json", 5), Answer::Json(200, inspected));
        engine.change(LIST, Answer::Json(200, second));
        engine.tell(&json!({"Type": "container", "Action": "start"}));
        let web = container("shop", "service", "web", "acme/web:2", digest(105));
        server.until_runs("host", &runs(&[("production", web)])).await;
        // An engine that is started anew says nothing, and is looked at.
        engine.change(LIST, Answer::Json(200, json!([])));
        engine.hang_up();
        server.until_runs("host", &runs(&[])).await;
    })
    .await;
    assert!(engine.requests().iter().all(|it| !it.contains("secret")));
    // What an image is was asked once.
    let asked = engine.requests().into_iter().filter(|it| it.contains(&digest(1))).count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn an_engine_without_events_is_looked_at() {
    let engine = engine().answer(LIST, Answer::Json(200, json!([]))).start();
    let server = Server::new();
    let patience = Patience { look: Duration::from_millis(20), ..PATIENCE };
    telling(&engine, mapping(&[], None, Some("e")), patience, &server, async |_, _| {
        server.until_runs("host", &runs(&[])).await;
        let image = json!({"Os": "linux", "Architecture": "arm64", "Variant": "v8"});
        engine.change(&format!("/images/{}/json", digest(7)), Answer::Json(200, image));
        engine.change(LIST, Answer::Json(200, json!([listed(7, "own", None, "running")])));
        let own = container("", "container", "c7", "own", digest(7));
        server.until_runs("host", &runs(&[("e", own)])).await;
    })
    .await;
}

#[tokio::test]
async fn an_engine_that_is_not_well() {
    let all = json!([listed(1, "web", None, "running")]);
    let engine = with_image(engine(), 1, None)
        .answer(LIST, Answer::Json(200, all.clone()))
        .answer(EVENTS, Answer::Live)
        .start();
    let server = Server::new();
    let patience = Patience { look: Duration::from_millis(20), ..PATIENCE };
    telling(&engine, mapping(&[], None, Some("e")), patience, &server, async |heard, health| {
        let web = runs(&[("e", container("", "container", "c1", "web", digest(1)))]);
        server.until_runs("host", &web).await;
        let broken = [
            Answer::Json(500, json!({"message": "out of order"})),
            Answer::Json(403, json!({"message": "not you"})),
            Answer::Cut(b"[{\"Id\": \"0123456789".to_vec(), 9),
            Answer::Bytes(200, b"<html>".to_vec()),
            Answer::Json(200, json!({"not": "a list"})),
        ];
        for answer in broken {
            engine.change(LIST, answer);
            while health.trouble().is_none() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let (beats, snapshots) = (server.beats(), server.snapshots());
            let asked = engine.requests().len();
            while engine.requests().len() < asked + 4 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            assert_eq!((server.beats(), server.snapshots()), (beats, snapshots));
            engine.change(LIST, Answer::Json(200, all.clone()));
            server.until("a heartbeat", |it| it.beats() > beats).await;
        }
        assert_eq!(server.snapshots(), 1, "nothing else ran");
        let said = heard.said().join("\n");
        assert!(said.contains("the engine says: out of order"), "{said}");
        // A container whose image nobody knows is a gap.
        let mut odd = listed(9, "odd", None, "running");
        odd["ImageID"] = "who-knows".into();
        engine.change(LIST, Answer::Json(200, json!([odd])));
        server.until("a gap", |it| it.snapshot("host").unwrap().gaps.len() == 1).await;
    })
    .await;
}

#[tokio::test]
async fn without_an_engine_once_says_so() {
    let docker = Docker::new(
        Settings {
            docker_host: Some("unix:///nowhere/engine.sock".to_owned()),
            ..Settings::default()
        },
        mapping(&[], None, Some("e")),
        PATIENCE,
    );
    let server = Server::new();
    let (heard, health) = (Heard::default(), Health::default());
    let reporter = reporter("host", &server, &heard, &health);
    let trouble = reporter.once(&docker, Duration::from_secs(20)).await.unwrap_err();
    let expect = "look at the container engine: unix:///nowhere/engine.sock: it cannot be reached: \
                  No such file or directory (os error 2)";
    assert_eq!(trouble.to_string(), expect);
    assert!(trouble.hint.unwrap().contains("DOCKER_HOST"));
}
