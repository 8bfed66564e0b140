//! Whoever is not in an organisation: for them it is not there.

use serde_json::{Value as Json, json};

use super::super::digest;
use super::House;

/// Every way into an organisation, with `{org}` left open.
fn ways() -> Vec<String> {
    let document = serde_json::to_value(crate::openapi()).unwrap();
    let mut ways = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(path) = path.strip_prefix("/api/v1").filter(|it| it.contains("{org}")) else {
            continue;
        };
        let path = path.replace("{digest}", &digest('1'));
        for method in methods.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            if ["GET", "PUT", "POST", "PATCH", "DELETE"].contains(&&*method) {
                ways.push(format!("{method} {path}"));
            }
        }
    }
    assert!(ways.len() > 20, "{ways:?}");
    ways
}

/// The way, with names for what it leaves open.
fn filled(way: &str, organisation: &str) -> String {
    let way = way.replace("{org}", organisation);
    let parts = way.split('/').map(|it| if it.starts_with('{') { "web" } else { it });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn there_is_nothing_for_strangers() {
    let house = House::new().await;
    let ann = house.settled().await;
    for (line, body) in [
        ("POST /orgs", json!({ "name": "beta" })),
        ("POST /orgs/acme/environments", json!({ "name": "web" })),
        ("POST /orgs/beta/environments", json!({ "name": "web" })),
    ] {
        assert_eq!(house.ask(line, &ann, body).await.status, 201);
    }
    let bob = house.somebody(&ann, "bob", "beta", "owner").await;
    let (_, personal) = house.token("/me", &bob, "admin").await;
    let (_, beta) = house.token("/orgs/beta", &bob, "admin").await;
    let junk = json!({ "name": "web" });
    for way in ways() {
        for token in ["", &bob, &personal, &beta] {
            for body in [Json::Null, junk.clone()] {
                let there = house.ask(&filled(&way, "acme"), token, body.clone()).await;
                let expect = if token.is_empty() { 401 } else { 404 };
                assert_eq!(there.status, expect, "{way}: {}", there.told());
                let nowhere = house.ask(&filled(&way, "none"), token, body).await;
                let renamed = String::from_utf8(there.body).unwrap().replace("acme", "none");
                assert_eq!(renamed, String::from_utf8(nowhere.body).unwrap(), "{way}");
            }
        }
    }
    // What is in it is still there.
    assert_eq!(house.get("/orgs/acme/environments/web", &ann).await.status, 200);
    // What takes no such method says so whatever is there.
    for path in ["PUT /orgs/acme", "PUT /orgs/none"] {
        assert_eq!(house.ask(path, &beta, Json::Null).await.status, 405);
    }
}

#[tokio::test]
async fn nobody_reaches_what_is_anothers_by_its_id() {
    let house = House::new().await;
    let ann = house.settled().await;
    assert_eq!(house.ask("POST /orgs", &ann, json!({ "name": "beta" })).await.status, 201);
    let bob = house.somebody(&ann, "bob", "beta", "owner").await;
    let (acmes, secret) = house.token("/orgs/acme", &ann, "read").await;
    let (anns, _) = house.token("/me", &ann, "read").await;
    let invitation = house.invitation(&ann, "acme", "owner").await;
    let all = house.get("/orgs/acme/invitations", &ann).await.json();
    let id = all["items"][0]["id"].as_str().unwrap().to_owned();
    let session = house.get("/sessions", &ann).await.json()["items"][0]["id"].clone();
    for line in [
        format!("DELETE /orgs/beta/tokens/{acmes}"),
        format!("DELETE /me/tokens/{acmes}"),
        format!("DELETE /me/tokens/{anns}"),
        format!("DELETE /orgs/beta/invitations/{id}"),
        format!("DELETE /sessions/{}", session.as_str().unwrap()),
        "DELETE /orgs/beta/members/nobody".to_owned(),
    ] {
        assert_eq!(house.ask(&line, &bob, Json::Null).await.status, 404, "{line}");
    }
    assert_eq!(house.get("/orgs/acme", &secret).await.status, 200);
    assert_eq!(house.get("/me", &ann).await.status, 200);
    assert_eq!(house.get(&format!("/invitations/{invitation}"), "").await.status, 200);
}
