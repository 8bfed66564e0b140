//! Answers that are kept: true whenever they are told, and told to whom they may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use store::Store;

use super::House;

/// Lists of `acme` that are kept.
const LISTS: [&str; 7] = [
    "deployments",
    "deployments?history=true",
    "environments",
    "images",
    "repositories",
    "events",
    "tags?image=web",
];

/// A server on a database that others have open, too.
async fn house(address: &str) -> House {
    let start = "2026-11-21T10:00:00Z".parse::<model::Moment>().unwrap().micros();
    House::on(Store::open(address).await.unwrap(), Arc::new(AtomicI64::new(start)), true)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite://{}", folder.path().join("store.db").display());
    are_for_whom_they_may_be(&address).await;
    are_true(&address).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    let Some(server) = testkit::Postgres::start() else {
        println!("left out: PostgreSQL is not installed");
        return;
    };
    let address = server.database();
    are_for_whom_they_may_be(&address).await;
    are_true(&address).await;
}

async fn are_for_whom_they_may_be(address: &str) {
    let house = house(address).await;
    let ann = house.settled().await;
    let bob = house.somebody(&ann, "bob", "acme", "member").await;
    let made = house.ask("POST /orgs", &ann, json!({ "name": "other" })).await;
    assert_eq!(made.status, 201);
    // Bob is remembered, so that looking at him writes nothing any more.
    let path = |list: &str| format!("/orgs/acme/{list}");
    for token in [&ann, &bob] {
        house.get(&path("environments"), token).await;
    }
    for list in LISTS {
        let first = house.get(&path(list), &ann).await;
        assert_eq!(first.status, 200, "{list}: {}", first.told());
        let kept = house.app.answers.count();
        assert!(kept > 0, "{list}");
        let again = house.get(&path(list), &bob).await;
        assert_eq!((again.status, &again.body), (200, &first.body), "{list}");
        assert_eq!(house.app.answers.count(), kept, "{list}");
        for name in [header::ETAG, header::CONTENT_TYPE, header::CACHE_CONTROL] {
            assert_eq!(again.headers[&name], first.headers[&name], "{list}");
        }
        // The same question about another organisation is another question.
        let other = house.get(&format!("/orgs/other/{list}"), &ann).await;
        assert_eq!(other.status, 200, "{list}");
        assert_eq!(house.get(&format!("/orgs/other/{list}"), &bob).await.status, 404, "{list}");
        assert_eq!(house.get(&path(list), "").await.status, 401, "{list}");

        let tag = first.headers[header::ETAG].clone();
        for wish in ["max-age=0", "no-cache"] {
            let request = Request::get(format!("/api/v1{}", path(list)))
                .header(header::AUTHORIZATION, format!("Bearer {bob}"))
                .header(header::CACHE_CONTROL, wish);
            let known = request.header(header::IF_NONE_MATCH, &tag);
            let answer = house.send(known.body(Body::empty()).unwrap()).await;
            assert_eq!((answer.status, answer.body.len()), (304, 0), "{list}, {wish}");
            assert_eq!(answer.headers[header::ETAG], tag);
        }
    }
    let gone = house.ask("DELETE /orgs/acme/members/bob", &ann, json!(null)).await;
    assert_eq!(gone.status, 204, "{}", gone.told());
    for list in LISTS {
        assert_eq!(house.get(&path(list), &bob).await.status, 404, "{list}");
    }
    house.app.store().close().await;
}

/// Whoever asks after something was written hears of it, whichever process wrote it.
async fn are_true(address: &str) {
    let (house, other) = (house(address).await, house(address).await);
    let ann = house.log_in("ann").await;
    let (written, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (house, ann) = (house.clone(), ann.clone());
            let (written, done) = (Arc::clone(&written), Arc::clone(&done));
            tokio::spawn(async move {
                while !done.load(Ordering::SeqCst) {
                    let before = written.load(Ordering::SeqCst);
                    let answer = house.get("/orgs/acme/environments?limit=1000", &ann).await;
                    let seen = answer.json()["items"].as_array().unwrap().len();
                    assert!(seen >= before, "{before} were made, and {seen} are told");
                    // Nothing here waits, and others want their turn.
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for number in 0..60 {
        let writer = if number % 3 == 0 { &house } else { &other };
        let body = json!({ "name": format!("place {number}") });
        let made = writer.ask("POST /orgs/acme/environments", &ann, body).await;
        assert_eq!(made.status, 201, "{}", made.told());
        written.store(number + 1, Ordering::SeqCst);
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    house.app.store().close().await;
    other.app.store().close().await;
}
