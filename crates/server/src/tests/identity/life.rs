//! The life of people and tokens: disabled, enabled, forgotten passwords, other secrets.

use axum::body::Body;
use axum::http::{Request, header};
use futures_util::StreamExt as _;
use serde_json::{Value as Json, json};

use super::{House, PASSWORD};
use crate::offer_reset;

fn act(house: &House) -> model::Act {
    model::Act { who: "root".to_owned(), origin: String::new(), at: house.app.now() }
}

#[tokio::test]
async fn who_is_disabled_is_nobody_from_then_on() {
    let house = House::new().await;
    let ann = house.settled().await;
    let bob = house.somebody(&ann, "bob", "acme", "editor").await;
    let (_, token) = house.token("/me", &bob, "write").await;
    let live = Request::builder().uri("/api/v1/orgs/acme/events/live");
    let live = live.header(header::AUTHORIZATION, format!("Bearer {token}"));
    let request = live.body(Body::empty()).unwrap();
    let listening = tower::ServiceExt::oneshot(house.router.clone(), request).await.unwrap();
    let mut listening = listening.into_body().into_data_stream();
    assert!(listening.next().await.is_some(), "where to go on");

    let put = |disabled: bool| {
        house.ask("PATCH /orgs/acme/members/bob", &ann, json!({ "disabled": disabled }))
    };
    assert_eq!(put(true).await.status, 204);
    for secret in [&bob, &token] {
        assert_eq!(house.get("/me", secret).await.status, 401);
    }
    assert!(listening.next().await.is_none(), "who listened hears nothing more");
    let body = json!({ "name": "bob", "password": PASSWORD });
    assert_eq!(house.ask("POST /sessions", "", body).await.status, 401);
    let members = house.get("/orgs/acme/members", &ann).await.json();
    assert_eq!(members["items"][1]["disabled"], true);
    assert_eq!(put(false).await.status, 204);
    assert_eq!(house.get("/me", &token).await.status, 200, "tokens lead somewhere again");
    assert_eq!(house.get("/me", &bob).await.status, 401, "sessions are over");
    let last = house.ask("PATCH /orgs/acme/members/ann", &ann, json!({ "disabled": true })).await;
    assert_eq!(last.told(), "409 user `ann`: nobody else owns `acme`");
}

#[tokio::test]
async fn owners_decide_about_those_who_are_theirs_alone() {
    let house = House::new().await;
    let ann = house.settled().await;
    let bob = house.somebody(&ann, "bob", "acme", "member").await;
    let disable = json!({ "disabled": true });
    let none = house.ask("PATCH /orgs/acme/members/cid", &ann, disable.clone()).await;
    assert_eq!(none.told(), "404 member `cid`: there is none");
    // He has an organisation of his own now, which ann does not hear of.
    assert_eq!(house.ask("POST /orgs", &bob, json!({ "name": "secret" })).await.status, 201);
    let refused = house.ask("PATCH /orgs/acme/members/bob", &ann, disable).await;
    assert_eq!(refused.told(), "403 member `bob`: whether they log in is not for you to say");
    assert!(!String::from_utf8(refused.body).unwrap().contains("secret"));
    assert_eq!(house.get("/me", &bob).await.status, 200);
}

#[tokio::test]
async fn a_forgotten_password_is_chosen_anew_once() {
    let house = House::new().await;
    let ann = house.settled().await;
    let (_, token) = house.token("/me", &ann, "read").await;
    let store = house.app.store();
    let (link, _) = offer_reset(store, &act(&house), "https://x/", "ann").await.unwrap();
    let secret = link.strip_prefix("https://x/reset/").unwrap();
    assert!(secret.starts_with("ftr_"), "{link}");
    assert_eq!(house.get(&format!("/resets/{secret}"), "").await.json()["name"], "ann");
    let path = format!("POST /resets/{secret}");
    let weak = house.ask(&path, "", json!({ "password": "short" })).await;
    assert_eq!(weak.status, 422, "{}", weak.told());
    let anew = json!({ "password": "a blue horse!" });
    assert_eq!(house.ask(&path, "", anew.clone()).await.json()["name"], "ann");
    let again = house.ask(&path, "", anew.clone()).await;
    let why = "404 address: it was used, or another was made, or it has run out";
    assert_eq!(again.told(), why);
    assert_eq!(house.get("/me", &ann).await.status, 401, "sessions are over");
    assert_eq!(house.get("/me", &token).await.status, 200, "tokens stay");
    let body = json!({ "name": "ann", "password": PASSWORD });
    assert_eq!(house.ask("POST /sessions", "", body).await.status, 401);
    let body = json!({ "name": "ann", "password": "a blue horse!" });
    assert_eq!(house.ask("POST /sessions", "", body).await.status, 201);

    // It has an end, and it is nothing else than it is.
    let (link, _) = offer_reset(store, &act(&house), "", "ann").await.unwrap();
    let secret = link.strip_prefix("/reset/").unwrap();
    assert_eq!(house.get("/me", secret).await.status, 401);
    assert_eq!(house.get(&format!("/invitations/{secret}"), "").await.status, 404);
    house.wait(86_400);
    assert_eq!(house.get(&format!("/resets/{secret}"), "").await.told(), why);
    let none = offer_reset(store, &act(&house), "", "nobody").await.unwrap_err();
    assert_eq!(none.to_string(), "user `nobody`: there is none");
}

#[tokio::test]
async fn a_token_is_replaced_and_the_former_fades_out() {
    let house = House::new().await;
    let ann = house.settled().await;
    let (id, former) = house.token("/orgs/acme", &ann, "write").await;
    let path = format!("POST /orgs/acme/tokens/{id}/rotations");
    let made = house.ask(&path, &ann, json!({ "overlap_hours": 1 })).await;
    assert_eq!(made.status, 201, "{}", made.told());
    let anew = made.text("secret");
    assert_eq!(made.json()["token"]["scope"], "write");
    for secret in [&former, &anew] {
        assert_eq!(house.get("/orgs/acme", secret).await.status, 200);
    }
    house.wait(3600);
    assert_eq!(house.get("/orgs/acme", &former).await.status, 401);
    assert_eq!(house.get("/orgs/acme", &anew).await.status, 200);
    assert_eq!(house.ask(&path, &ann, json!({})).await.status, 404, "it is good no more");
    let refused = house.ask(&path, &ann, json!({ "overlap_hours": 721 })).await;
    assert_eq!(refused.told(), "400 overlap_hours: it is a number from 0 to 720");

    // One's own, at once; and only by whoever logged in, so that a lost one does not live on.
    let (id, mine) = house.token("/me", &ann, "admin").await;
    let path = format!("POST /me/tokens/{id}/rotations");
    assert_eq!(house.ask(&path, &mine, json!({})).await.status, 403);
    assert_eq!(house.ask(&path, &ann, Json::Object(serde_json::Map::new())).await.status, 201);
    assert_eq!(house.get("/me", &mine).await.status, 401);
}
