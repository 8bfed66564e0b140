//! Whoever is not in an organisation: for them it is not there.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;

use super::super::{digest, inventory};
use super::House;
use crate::{Limits, front};

/// Every way into an organisation, with `{org}` left open.
fn ways() -> Vec<String> {
    let document = serde_json::to_value(crate::openapi()).unwrap();
    let mut ways = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(path) = path.strip_prefix("/api/v1").filter(|it| it.contains("{org}")) else {
            continue;
        };
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

/// The way, with names for what it leaves open, of things that are there, or of others.
fn filled(way: &str, organisation: &str, names: &[(&str, &str)]) -> String {
    let way = way.replace("{org}", organisation);
    let name = |part: &str| names.iter().find(|(it, _)| *it == part).map(|(_, name)| *name);
    let parts = way.split('/').map(|it| match name(it) {
        Some(name) => name.to_owned(),
        None if it == "{digest}" => digest('0'),
        None if it.starts_with('{') => "web0".to_owned(),
        None => it.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Asks with a token and a header.
async fn ask(
    router: &Router,
    line: &str,
    token: &str,
    header: (&str, &str),
    body: &Json,
) -> String {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header(header.0, header.1);
    let request = request.body(Body::from(body.to_string())).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let mut problem: Json = serde_json::from_slice(&body).unwrap_or_default();
    let mut headers: Vec<_> = parts.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    problem.as_object_mut().map(|it| it.remove("request"));
    format!("{} {problem} {headers:?}", parts.status)
}

#[tokio::test]
async fn what_is_there_and_what_is_not_is_one_to_strangers() {
    let house = House::new().await;
    let ann = house.settled().await;
    let image = digest('1');
    let recordings = json!({ "recordings": [{ "image": "acme/web:v1", "digest": image }] });
    let inventory = serde_json::to_value(inventory(&["pkg:npm/pg@8.0.0"])).unwrap();
    for (line, body) in [
        ("POST /orgs".to_owned(), json!({ "name": "beta" })),
        ("POST /orgs/acme/environments".to_owned(), json!({ "name": "web" })),
        ("PUT /orgs/acme/repositories/acme%2Fweb".to_owned(), json!({ "enabled": true })),
        (format!("PUT /orgs/acme/images/{image}"), json!({ "inventory": inventory })),
        ("POST /orgs/acme/environments/web/deployments".to_owned(), recordings),
    ] {
        let done = house.ask(&line, &ann, body).await;
        assert!(done.status < 300, "{line}: {}", done.told());
    }
    let bob = house.somebody(&ann, "bob", "beta", "owner").await;
    let (token, _) = house.token("/orgs/acme", &ann, "admin").await;
    house.invitation(&ann, "acme", "owner").await;
    let invitations = house.get("/orgs/acme/invitations", &ann).await.json();
    let there = [
        ("{environment}", "web"),
        ("{digest}", &image),
        ("{repository}", "acme%2Fweb"),
        ("{token}", &token),
        ("{invitation}", invitations["items"][0]["id"].as_str().unwrap()),
        ("{user}", "ann"),
        ("{what}", "events"),
    ];
    let router = front(house.app.clone(), Limits { rate: None, ..Limits::default() });
    for way in ways() {
        for header in
            [("x", "y"), ("if-match", "\"x\""), ("if-match", "*"), ("idempotency-key", "k")]
        {
            for body in [json!({}), json!({ "name": "web" })] {
                let asked = async |organisation: &str, names: &[(&str, &str)]| {
                    let line = filled(&way, organisation, names);
                    let told = ask(&router, &line, &bob, header, &body).await;
                    told.replace("acme", "none")
                };
                let nowhere = asked("none", &[]).await;
                // What is not there is not what anybody has seen, either.
                let expect = if header.0 == "if-match" { &["404 ", "412 "][..] } else { &["404 "] };
                let fits = expect.iter().any(|it| nowhere.starts_with(it));
                assert!(fits, "{way} {header:?}: {nowhere}");
                assert_eq!(asked("acme", &there).await, nowhere, "{way} {header:?}");
                assert_eq!(asked("acme", &[]).await, nowhere, "{way} {header:?}");
            }
        }
    }
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
    let web = [("{environment}", "web")];
    for way in ways() {
        for token in ["", &bob, &personal, &beta] {
            for body in [Json::Null, junk.clone()] {
                let there = house.ask(&filled(&way, "acme", &web), token, body.clone()).await;
                let expect = if token.is_empty() { 401 } else { 404 };
                assert_eq!(there.status, expect, "{way}: {}", there.told());
                let nowhere = house.ask(&filled(&way, "none", &web), token, body).await;
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
    house.somebody(&ann, "cid", "acme", "member").await;
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
        let anothers = house.ask(&line, &bob, Json::Null).await;
        assert_eq!(anothers.status, 404, "{line}");
        let (path, id) = line.rsplit_once('/').unwrap();
        let nobodys = house.ask(&format!("{path}/none"), &bob, Json::Null).await;
        assert_eq!(anothers.told().replace(id, "none"), nobodys.told(), "{line}");
    }
    for (method, body) in [("DELETE", Json::Null), ("PATCH", json!({ "disabled": true }))] {
        let line = |name: &str| format!("{method} /orgs/beta/members/{name}");
        // Cid is somewhere, and nobody is nowhere.
        let somewhere = house.ask(&line("cid"), &bob, body.clone()).await.told();
        let nowhere = house.ask(&line("nobody"), &bob, body).await.told();
        assert_eq!(somewhere.replace("cid", "nobody"), nowhere);
        assert!(nowhere.starts_with("404 "), "{nowhere}");
    }
    // That a name is taken is all that there is to be heard.
    let taken = house.ask("POST /orgs", &bob, json!({ "name": "acme" })).await;
    assert_eq!(taken.told(), "409 organization `acme`: there is one already");
    assert_eq!(house.get("/orgs/acme", &secret).await.status, 200);
    assert_eq!(house.get("/me", &ann).await.status, 200);
    assert_eq!(house.get(&format!("/invitations/{invitation}"), "").await.status, 200);
}
