//! Coming in: the first start, invitations, logging in and out.

use axum::http::header;
use serde_json::{Value as Json, json};

use super::{House, PASSWORD};
use crate::first_start;

fn secret(link: &str) -> String {
    link.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_first_start_tells_an_address_until_somebody_is_there() {
    let house = House::new().await;
    let first = first_start(&house.app, "https://x/", "acme").await.unwrap().unwrap();
    assert!(first.starts_with("https://x/first/fti_"), "{first}");
    let second = first_start(&house.app, "https://x", "acme").await.unwrap().unwrap();
    let get = |link: &str| {
        let (house, path) = (house.clone(), format!("/invitations/{}", secret(link)));
        async move { house.get(&path, "").await }
    };
    assert_eq!(
        get(&first).await.told(),
        "404 invitation: it was used, or revoked, or has run out",
        "a restart makes a new one and the old one void"
    );
    let told = get(&second).await.json();
    assert_eq!((&told["organisation"], &told["role"]), (&json!("acme"), &json!("owner")));
    house.join(&secret(&second), "ann").await;
    assert_eq!(get(&second).await.status, 404, "once");
    assert_eq!(first_start(&house.app, "https://x", "acme").await.unwrap(), None);
    let ann = house.log_in("ann").await;
    let me = house.get("/me", &ann).await.json();
    assert_eq!(me["organisations"], json!([{ "organisation": "acme", "role": "owner" }]));
    assert_eq!((&me["name"], &me["by"]), (&json!("ann"), &json!("password")));
}

#[tokio::test]
async fn of_two_first_addresses_one_is_good() {
    let house = House::new().await;
    let here = first_start(&house.app, "", "acme").await.unwrap().unwrap();
    // Another process started at the same time, and saw no address to make void.
    let minted = crate::identity::minted(crate::identity::Kind::Invitation).unwrap();
    let acme = house.app.store().organisation("acme").await.unwrap().id;
    let act = model::Act { who: "first start".into(), origin: String::new(), at: house.app.now() };
    let until = act.at.plus_seconds(60);
    let role = model::Role::Owner;
    house.app.store().invite(&acme, &act, &minted.hash, role, until).await.unwrap();
    house.join(&secret(&here), "ann").await;
    assert_eq!(house.get(&format!("/invitations/{}", minted.text), "").await.status, 404);
}

#[tokio::test]
async fn of_two_at_once_one_joins() {
    let house = House::new().await;
    let ann = house.settled().await;
    let secret = house.invitation(&ann, "acme", "member").await;
    let line = format!("POST /invitations/{secret}");
    let joining = |name: &str| {
        let body = json!({ "name": name, "password": PASSWORD });
        let (house, line) = (house.clone(), line.clone());
        async move { house.ask(&line, "", body).await.status }
    };
    let mut statuses = <[u16; 2]>::from(tokio::join!(joining("bob"), joining("cid")));
    statuses.sort_unstable();
    // The slower one is told by the store, or even before that.
    assert!(matches!(statuses, [200, 404 | 422]), "{statuses:?}");
    let members = house.get("/orgs/acme/members", &ann).await.json();
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn whoever_is_here_already_joins_as_who_they_are() {
    let house = House::new().await;
    let ann = house.settled().await;
    let bob = house.somebody(&ann, "bob", "acme", "member").await;
    assert_eq!(house.ask("POST /orgs", &bob, json!({ "name": "beta" })).await.status, 201);
    let secret = house.invitation(&bob, "beta", "editor").await;
    let line = format!("POST /invitations/{secret}");
    assert_eq!(house.ask(&line, "", Json::Null).await.status, 401);
    let half = house.ask(&line, &ann, json!({ "name": "x" })).await;
    assert_eq!(half.status, 422);
    let taken = house.ask(&line, "", json!({ "name": "bob", "password": PASSWORD })).await;
    assert_eq!(taken.told(), "409 user `bob`: there is one already");
    let (_, reader) = house.token("/me", &ann, "read").await;
    let may_not = house.ask(&line, &reader, Json::Null).await;
    assert_eq!(may_not.told(), "403 invitation: this token may not decide about ann");
    assert_eq!(house.ask(&line, &ann, Json::Null).await.status, 200);
    assert_eq!(house.ask(&line, &ann, Json::Null).await.status, 404);
    assert_eq!(house.get("/orgs/beta", &ann).await.status, 200);
    let days = json!({ "role": "member", "days": 31 });
    assert_eq!(house.ask("POST /orgs/beta/invitations", &bob, days).await.status, 400);
    let late = house.invitation(&bob, "beta", "member").await;
    house.wait(7 * 86_400);
    assert_eq!(house.get(&format!("/invitations/{late}"), "").await.status, 404);
}

#[tokio::test]
async fn sessions_begin_and_end() {
    let house = House::new().await;
    let ann = house.settled().await;
    let other = house.log_in("ann").await;
    let all = house.get("/sessions", &ann).await.json()["items"].as_array().unwrap().clone();
    assert_eq!(all.iter().map(|it| it["current"] == true).collect::<Vec<_>>(), [false, true]);
    let id = all[0]["id"].as_str().unwrap();
    assert_eq!(house.ask(&format!("DELETE /sessions/{id}"), &ann, Json::Null).await.status, 204);
    assert_eq!(house.ask(&format!("DELETE /sessions/{id}"), &ann, Json::Null).await.status, 404);
    assert_eq!(house.get("/me", &other).await.status, 401);

    let out = house.ask("DELETE /sessions/current", &ann, Json::Null).await;
    assert_eq!(out.status, 204);
    let cookie = out.headers[header::SET_COOKIE].to_str().unwrap();
    assert_eq!(cookie, "foretop=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    assert_eq!(house.get("/me", &ann).await.status, 401);

    let last = house.log_in("ann").await;
    house.wait(30 * 86_400 - 1);
    assert_eq!(house.get("/me", &last).await.status, 200);
    house.wait(1);
    assert_eq!(house.get("/me", &last).await.status, 401);
}

#[tokio::test]
async fn another_password() {
    let house = House::new().await;
    let ann = house.settled().await;
    let other = house.log_in("ann").await;
    let change = |old: &str, new: &str| json!({ "old": old, "new": new });
    let put = |body: Json| house.ask("PUT /me/password", &ann, body);
    let answer = put(change("wrong", "a purple horse")).await;
    assert_eq!(answer.told(), "422 password: the old one is wrong");
    let answer = put(change(PASSWORD, "purple")).await;
    assert_eq!(answer.told(), "422 password: it is shorter than 12 characters");
    let (_, token) = house.token("/me", &ann, "admin").await;
    let body = change(PASSWORD, "a purple horse");
    let answer = house.ask("PUT /me/password", &token, body.clone()).await;
    assert_eq!(answer.told(), "403 password: it takes somebody who logged in with their password");
    assert_eq!(put(body).await.status, 204);
    assert_eq!(house.get("/me", &ann).await.status, 200);
    assert_eq!(house.get("/me", &token).await.status, 200);
    assert_eq!(house.get("/me", &other).await.status, 401);
    let old = json!({ "name": "ann", "password": PASSWORD });
    assert_eq!(house.ask("POST /sessions", "", old).await.status, 401);
}

#[tokio::test]
async fn wrong_passwords_are_slow_and_tell_nothing() {
    let house = House::new().await;
    house.settled().await;
    let log_in = |name: &str, password: &str| {
        let body = json!({ "name": name, "password": password });
        let house = house.clone();
        async move { house.ask("POST /sessions", "", body).await }
    };
    let known = log_in("ann", "wrong").await;
    let unknown = log_in("bob", "wrong").await;
    assert_eq!(known.told(), "401 log-in: the name or the password is wrong");
    assert_eq!(known.body, unknown.body, "nobody learns who is here");
    for _ in 0..4 {
        assert_eq!(log_in("ann", "wrong").await.status, 401);
    }
    let slow = log_in("ann", PASSWORD).await;
    assert_eq!(slow.told(), "429 log-in: too many wrong passwords");
    assert_eq!(slow.text("hint"), "try again in 1 seconds");
    house.wait(1);
    assert_eq!(log_in("ann", PASSWORD).await.status, 201);
    assert_eq!(log_in("ann", "wrong").await.status, 401);
}

#[tokio::test]
async fn what_is_too_long_costs_nothing() {
    let house = House::new().await;
    let ann = house.settled().await;
    let secret = house.invitation(&ann, "acme", "member").await;
    house.app.people("test").unwrap().stop_hashing();
    let send = |line: &str, name: &str, password: &str| {
        let (line, body) = (line.to_owned(), json!({ "name": name, "password": password }));
        let house = house.clone();
        async move { house.ask(&line, "", body).await.told() }
    };
    let busy = "503 log-in: too many log in at once";
    assert_eq!(send("POST /sessions", "bob", "x").await, busy, "this one is worked on");
    let long = "422 password: it is longer than 1024 bytes";
    assert_eq!(send("POST /sessions", "bob", &"x".repeat(1025)).await, long);
    let name = "422 name: it is longer than 200 characters";
    assert_eq!(send("POST /sessions", &"x".repeat(801), "x").await, name);
    let join = format!("POST /invitations/{secret}");
    assert_eq!(send(&join, "bob", PASSWORD).await, busy, "this one is worked on");
    assert_eq!(send(&join, "bob", &"x".repeat(1025)).await, long);
    let none = "404 invitation: it was used, or revoked, or has run out";
    assert_eq!(send("POST /invitations/x", "bob", PASSWORD).await, none);
    let whole = send("POST /sessions", "bob", &"x".repeat(20_000)).await;
    assert!(whole.starts_with("413 "), "{whole}");
}

#[tokio::test]
async fn whoever_may_not_log_in_is_nobody() {
    let house = House::new().await;
    let ann = house.settled().await;
    let bob = house.somebody(&ann, "bob", "acme", "editor").await;
    let (_, token) = house.token("/me", &bob, "write").await;
    let store = house.app.store();
    let act = model::Act { who: "ann".into(), origin: String::new(), at: house.app.now() };
    let user = store.user("bob").await.unwrap();
    assert_eq!(house.get("/me", &token).await.status, 200);
    store.disable_user(&act, &user.id, true).await.unwrap();
    house.wait(1);
    for shown in [&bob, &token] {
        assert_eq!(house.get("/orgs/acme", shown).await.status, 401);
    }
    let body = json!({ "name": "bob", "password": PASSWORD });
    assert_eq!(
        house.ask("POST /sessions", "", body).await.told(),
        "401 log-in: the name or the password is wrong"
    );
}
