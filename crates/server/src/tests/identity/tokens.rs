//! Tokens: what they may, and until when.

use serde_json::{Value as Json, json};

use super::House;

#[tokio::test]
async fn a_token_may_the_lesser_of_its_scope_and_its_holders_role() {
    let house = House::new().await;
    let ann = house.settled().await;
    let dan = house.somebody(&ann, "dan", "acme", "editor").await;
    let too_much = json!({ "name": "x", "scope": "admin" });
    assert_eq!(
        house.ask("POST /me/tokens", &dan, too_much).await.told(),
        "422 token with the scope `admin`: its owner is no more than editor anywhere"
    );
    let (_, read) = house.token("/me", &ann, "read").await;
    let (_, write) = house.token("/me", &dan, "write").await;
    let (_, admin) = house.token("/orgs/acme", &ann, "admin").await;
    let make = |token: &str, name: &str| {
        let (house, token, body) = (house.clone(), token.to_owned(), json!({ "name": name }));
        async move { house.ask("POST /orgs/acme/environments", &token, body).await }
    };
    let told = make(&read, "x").await;
    assert_eq!(
        told.told(),
        "403 ann: only an owner may manage environments, and this token may no more than a member"
    );
    assert_eq!(told.text("hint"), "use a token of somebody who may, with the scope `admin`");
    assert_eq!(make(&write, "x").await.status, 403);
    assert_eq!(make(&admin, "x").await.status, 201);
    let me = house.get("/me", &read).await.json();
    assert_eq!((&me["by"], &me["scope"]), (&json!("token"), &json!("read")));
    assert_eq!(me["organisations"][0]["role"], "member");
    let me = house.get("/me", &admin).await.json();
    assert_eq!(me["name"], "token a test");

    // The holder becomes less, and with them the token; at once.
    let put = |role: &str| {
        let (house, ann, body) = (house.clone(), ann.clone(), json!({ "role": role }));
        async move { house.ask("PUT /orgs/acme/members/dan", &ann, body).await.status }
    };
    let enable =
        || house.ask("PUT /orgs/acme/repositories/a%2Fb", &write, json!({"enabled": true}));
    assert_eq!(enable().await.status, 200);
    assert_eq!(put("member").await, 204);
    assert_eq!(enable().await.status, 403);
    assert_eq!(put("owner").await, 204);
    assert_eq!(enable().await.status, 200);
    assert_eq!(make(&write, "y").await.status, 403, "it is more no more than its scope");
}

#[tokio::test]
async fn a_lost_token_makes_no_others() {
    let house = House::new().await;
    let ann = house.settled().await;
    let (id, admin) = house.token("/me", &ann, "admin").await;
    let (_, read) = house.token("/me", &ann, "read").await;
    let (_, acmes) = house.token("/orgs/acme", &ann, "admin").await;
    let new = || json!({ "name": "x", "scope": "read" });
    assert_eq!(
        house.ask("POST /me/tokens", &admin, new()).await.told(),
        "403 token: it takes somebody who logged in with their password"
    );
    for line in ["POST /me/tokens", "POST /orgs"] {
        let told = house.ask(line, &read, new_for(line)).await.told();
        assert!(told.ends_with(": this token may not decide about ann"), "{told}");
        let told = house.ask(line, &acmes, new_for(line)).await.told();
        assert!(told.ends_with(": an organization's token is not a person"), "{told}");
    }
    for line in ["GET /me/tokens", "GET /sessions", &format!("DELETE /me/tokens/{id}")] {
        assert_eq!(house.ask(line, &read, Json::Null).await.status, 403, "{line}");
    }
}

fn new_for(line: &str) -> Json {
    match line {
        "POST /orgs" => json!({ "name": "x" }),
        _ => json!({ "name": "x", "scope": "read" }),
    }
}

#[tokio::test]
async fn it_is_good_until_it_runs_out_or_is_revoked() {
    let house = House::new().await;
    let ann = house.settled().await;
    let until = |text: &str| json!({ "name": "short", "scope": "read", "expires": text });
    let over = house.ask("POST /me/tokens", &ann, until("2026-11-21T09:00:00Z")).await;
    assert_eq!(over.told(), "422 expires: that is over already");
    let junk = house.ask("POST /me/tokens", &ann, until("tomorrow")).await;
    assert_eq!(junk.status, 400);
    let made = house.ask("POST /me/tokens", &ann, until("2026-11-21T10:00:10.5Z")).await;
    let (short, prefix) = (made.text("secret"), made.json()["token"]["prefix"].clone());
    assert!(short.starts_with(prefix.as_str().unwrap()) && short.starts_with("ftp_"));
    assert_eq!(house.get("/me", &short).await.status, 200);
    house.wait(10);
    assert_eq!(house.get("/me", &short).await.status, 200);
    house.clock.fetch_add(500_000, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(house.get("/me", &short).await.status, 401, "remembered or not");

    let (id, long) = house.token("/orgs/acme", &ann, "read").await;
    assert!(long.starts_with("fto_"));
    assert_eq!(house.get("/orgs/acme", &long).await.status, 200);
    let listed = |all: &str| {
        let (house, ann, path) = (house.clone(), ann.clone(), format!("/orgs/acme/tokens{all}"));
        async move { house.get(&path, &ann).await.json()["items"].as_array().unwrap().clone() }
    };
    assert!(listed("").await[0]["last_used"].is_string());
    assert!(!listed("").await[0].to_string().contains(&long));
    let line = format!("DELETE /orgs/acme/tokens/{id}");
    assert_eq!(house.ask(&line, &ann, Json::Null).await.status, 204);
    assert_eq!(house.ask(&line, &ann, Json::Null).await.status, 404);
    assert_eq!(house.get("/orgs/acme", &long).await.status, 401, "at once");
    assert_eq!((listed("").await.len(), listed("?all=true").await.len()), (0, 1));
}

#[tokio::test]
async fn another_process_notices_within_a_second() {
    let house = House::new().await;
    let ann = house.settled().await;
    let (id, token) = house.token("/me", &ann, "read").await;
    let beside = house.beside();
    assert_eq!(beside.get("/orgs/acme", &token).await.status, 200);
    let line = format!("DELETE /me/tokens/{id}");
    assert_eq!(house.ask(&line, &ann, Json::Null).await.status, 204);
    assert_eq!(house.get("/orgs/acme", &token).await.status, 401);
    house.wait(1);
    assert_eq!(beside.get("/orgs/acme", &token).await.status, 401);

    // What is granted holds at once, everywhere.
    assert_eq!(beside.get("/orgs/beta", &ann).await.status, 404);
    assert_eq!(house.ask("POST /orgs", &ann, json!({ "name": "beta" })).await.status, 201);
    assert_eq!(beside.get("/orgs/beta", &ann).await.status, 200);
}
