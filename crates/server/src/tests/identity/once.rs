//! A request under a key is done once, however often it is made.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value as Json, json};

use super::{Answer, House};

async fn ask(house: &House, token: &str, key: &str, line: &str, body: Json) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1/orgs/acme{path}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", key);
    house.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn the_same_again_is_answered_as_it_was() {
    let house = House::new().await;
    let ann = house.settled().await;
    let make = async |key: &str, name: &str| {
        ask(&house, &ann, key, "POST /environments", json!({ "name": name })).await
    };
    let first = make("a", "staging").await;
    let again = make("a", "staging").await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert!(!first.headers.contains_key("idempotent-replayed"));
    // Without the key, or under another, it is another request.
    assert_eq!(make("b", "staging").await.status, 409);
    assert_eq!(make("b", "staging").await.headers["content-type"], "application/problem+json");
    assert_eq!(make("a", "production").await.status, 422);
    assert_eq!(make("", "production").await.status, 422);
    // Another's key is another key, even where the text is the same.
    let dan = house.somebody(&ann, "dan", "acme", "owner").await;
    let made = ask(&house, &dan, "a", "POST /environments", json!({ "name": "test" })).await;
    assert_eq!(made.status, 201);
    house.wait(25 * 3600);
    house.app.store().forget_requests(house.app.now()).await.unwrap();
    assert_eq!(make("a", "staging").await.status, 409);
}

#[tokio::test]
async fn secrets_are_kept_nowhere() {
    let house = House::new().await;
    let ann = house.settled().await;
    let make = async || {
        let body = json!({ "name": "ci", "scope": "read" });
        ask(&house, &ann, "a", "POST /tokens", body).await.text("secret")
    };
    assert_ne!(make().await, make().await);
}
