//! What members, editors and owners may, and what they hear when they may not.

use axum::body::Body;
use axum::http::{Request, header};
use futures_util::StreamExt as _;
use serde_json::{Value as Json, json};

use super::super::digest;
use super::{Answer, House};

/// Every change, with the least role that may make it.
fn changes() -> Vec<(&'static str, &'static str, Json)> {
    let recording = json!({ "image": "acme/web:v1", "digest": digest('1') });
    let recordings = json!({ "recordings": [recording] });
    vec![
        ("editor", "PUT /orgs/acme/repositories/acme%2Fweb", json!({ "enabled": true })),
        ("editor", "POST /orgs/acme/environments/staging/deployments", recordings.clone()),
        ("editor", "DELETE /orgs/acme/environments/staging/deployments?image=acme/web", Json::Null),
        ("editor", "PUT /orgs/acme/environments/staging/runtimes/cluster-1", recordings),
        ("owner", "POST /orgs/acme/environments", json!({ "name": "other" })),
        ("owner", "PATCH /orgs/acme/environments/other", json!({ "name": "another" })),
        ("owner", "DELETE /orgs/acme/environments/another", Json::Null),
        ("owner", "GET /orgs/acme/tokens", Json::Null),
        ("owner", "POST /orgs/acme/tokens", json!({ "name": "ci", "scope": "read" })),
        ("owner", "GET /orgs/acme/invitations", Json::Null),
        ("owner", "POST /orgs/acme/invitations", json!({ "role": "owner" })),
        ("owner", "PUT /orgs/acme/retention/events", json!({ "days": 400 })),
        ("owner", "DELETE /orgs/acme/retention/events", Json::Null),
        ("owner", "POST /orgs/acme/retention/runs?dry_run=true", Json::Null),
        ("owner", "POST /orgs/acme/retention/runs", Json::Null),
        ("owner", "DELETE /orgs/acme/repositories/acme%2Fweb?force=true", Json::Null),
        ("owner", "PATCH /orgs/acme/members/bob", json!({ "disabled": true })),
        ("owner", "PATCH /orgs/acme/members/bob", json!({ "disabled": false })),
        ("owner", "PUT /orgs/acme/members/bob", json!({ "role": "editor" })),
        ("owner", "DELETE /orgs/acme/members/bob", Json::Null),
        ("owner", "DELETE /orgs/acme", Json::Null),
    ]
}

#[tokio::test]
async fn each_does_what_they_may() {
    let house = House::new().await;
    let ann = house.settled().await;
    let cid = house.somebody(&ann, "cid", "acme", "member").await;
    let dan = house.somebody(&ann, "dan", "acme", "editor").await;
    house.somebody(&ann, "bob", "acme", "member").await;
    let staging = json!({ "name": "staging" });
    assert_eq!(house.ask("POST /orgs/acme/environments", &ann, staging).await.status, 201);
    for (least, line, body) in changes() {
        let by = |token: &str| {
            let (house, token, body) = (house.clone(), token.to_owned(), body.clone());
            async move { house.ask(line, &token, body).await }
        };
        let article = |role: &str| if role == "editor" { "an editor" } else { "an owner" };
        let check = |answer: Answer, who: &str| {
            let told = answer.told();
            let expect = format!("403 {who}: only {} may ", article(least));
            assert!(told.starts_with(&expect), "{line}: {told}");
            assert_eq!(answer.text("hint"), "ask ann, who owns it");
        };
        check(by(&cid).await, "cid");
        let editor = by(&dan).await;
        if least == "owner" {
            check(editor, "dan");
        } else {
            assert!(editor.status < 300, "{line}: {}", editor.told());
        }
        let owner = by(&ann).await;
        // What the editor took out is not there any more.
        let gone = line.contains("deployments?") && owner.status == 404;
        assert!(owner.status < 300 || gone, "{line}: {}", owner.told());
    }
    assert_eq!(house.get("/orgs/acme", &ann).await.status, 404, "it was deleted");
}

#[tokio::test]
async fn the_refusal_says_who_may() {
    let house = House::new().await;
    let ann = house.settled().await;
    let cid = house.somebody(&ann, "cid", "acme", "member").await;
    let make = || house.ask("POST /orgs/acme/environments", &cid, json!({ "name": "x" }));
    let told = make().await;
    assert_eq!(told.told(), "403 cid: only an owner may manage environments, and you are a member");
    house.somebody(&ann, "zoe", "acme", "owner").await;
    assert_eq!(make().await.text("hint"), "ask one who owns it: ann, zoe");
    let all = house.get("/orgs/acme/members", &cid).await.json();
    let roles: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|it| it["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["owner", "member", "owner"]);
}

#[tokio::test]
async fn who_makes_it_owns_it_and_somebody_always_does() {
    let house = House::new().await;
    let ann = house.settled().await;
    let cid = house.somebody(&ann, "cid", "acme", "member").await;
    assert_eq!(house.ask("POST /orgs", &cid, json!({ "name": "cid" })).await.status, 201);
    let again = house.ask("POST /orgs", &ann, json!({ "name": "cid" })).await;
    assert_eq!(again.told(), "409 organization `cid`: there is one already");
    let names = |answer: Answer| -> Vec<String> {
        let items = answer.json()["items"].as_array().unwrap().clone();
        items.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(house.get("/orgs", &cid).await), ["acme", "cid"]);
    assert_eq!(names(house.get("/orgs", &ann).await), ["acme"]);
    let leave = house.ask("DELETE /orgs/cid/members/cid", &cid, Json::Null).await;
    assert_eq!(leave.told(), "409 user `cid`: nobody else owns `cid`");
    assert_eq!(leave.text("hint"), "make somebody else an owner first");
    // But everybody may leave what others own.
    assert_eq!(house.ask("DELETE /orgs/acme/members/cid", &cid, Json::Null).await.status, 204);
    assert_eq!(house.get("/orgs/acme", &cid).await.status, 404);
    let nobody = house.ask("PUT /orgs/acme/members/nobody", &ann, json!({ "role": "owner" })).await;
    assert_eq!(nobody.told(), "404 user `nobody`: there is none");
}

fn streamed(method: &str, path: &str, token: &str, body: Body) -> Request<Body> {
    let request = Request::builder().method(method).uri(format!("/api/v1/orgs/acme{path}"));
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()
}

#[tokio::test]
async fn what_somebody_may_not_send_is_not_waited_for() {
    let house = House::new().await;
    let ann = house.settled().await;
    let cid = house.somebody(&ann, "cid", "acme", "member").await;
    for (method, path) in [
        ("PUT", format!("/images/{}", digest('1'))),
        ("POST", "/environments/staging/deployments".to_owned()),
        ("PUT", "/environments/staging/runtimes/cluster-1".to_owned()),
    ] {
        let never = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let request = streamed(method, &path, &cid, Body::from_stream(never));
        assert_eq!(house.send(request).await.status, 403, "{method} {path}");
    }
}

#[tokio::test]
async fn who_is_out_before_all_came_that_they_sent_is_out() {
    let house = House::new().await;
    let ann = house.settled().await;
    let dan = house.somebody(&ann, "dan", "acme", "owner").await;
    let (begun, began) = tokio::sync::oneshot::channel::<()>();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>("{\"name\":")]);
    let last = futures_util::stream::once(async move {
        begun.send(()).unwrap();
        let _ = ended.await;
        Ok("\"late\"}")
    });
    let request = streamed("POST", "/environments", &dan, Body::from_stream(first.chain(last)));
    let sending = tokio::spawn({
        let house = house.clone();
        async move { house.send(request).await }
    });
    began.await.unwrap();
    let out = house.ask("DELETE /orgs/acme/members/dan", &ann, Json::Null).await;
    assert_eq!(out.status, 204, "{}", out.told());
    end.send(()).unwrap();
    let answer = sending.await.unwrap();
    assert_eq!(answer.told(), "404 organization `acme`: there is none");
    assert_eq!(house.get("/orgs/acme/environments/late", &ann).await.status, 404);
}
