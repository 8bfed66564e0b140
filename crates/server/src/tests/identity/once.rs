//! A request under a key is done once, however often it is made, and whoever dies meanwhile.

use std::task::Poll;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value as Json, json};

use super::{Answer, House};

async fn ask(house: &House, token: &str, key: &str, line: &str, body: Json) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    ask_at(house, token, key, &format!("{method} /orgs/acme{path}"), body).await
}

async fn ask_at(house: &House, token: &str, key: &str, line: &str, body: Json) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
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
async fn secrets_are_kept_nowhere_and_made_once() {
    let house = House::new().await;
    let ann = house.settled().await;
    let told =
        "409 idempotency key: this was done, and the secret it was answered with is kept nowhere";
    let body = json!({ "name": "ci", "scope": "read" });
    let made = ask(&house, &ann, "a", "POST /tokens", body.clone()).await;
    assert_eq!(made.status, 201);
    let again = ask(&house, &ann, "a", "POST /tokens", body).await;
    assert_eq!(again.told(), told);
    let listed = house.get("/orgs/acme/tokens", &ann).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let rotate = format!("POST /tokens/{}/rotations", listed["items"][0]["id"].as_str().unwrap());
    assert_eq!(ask(&house, &ann, "b", &rotate, json!({})).await.status, 201);
    assert_eq!(ask(&house, &ann, "b", &rotate, json!({})).await.told(), told);
}

/// Asks, and is dropped the `times`th time that it would go on; none is that it did not come so far.
async fn dying(asking: impl Future<Output = Answer>, times: usize) -> Option<Answer> {
    let mut asking = std::pin::pin!(asking);
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        asking.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn whoever_dies_anywhere_in_between_may_ask_again() {
    let house = House::new().await;
    let ann = house.settled().await;
    for times in 1.. {
        let name = format!("place {times}");
        let body = json!({ "name": name });
        let make = || ask(&house, &ann, &name, "POST /environments", body.clone());
        let answered = dying(make(), times).await;
        let done = answered.is_some();
        // Whoever does not answer is believed dead after a while.
        house.wait(61);
        let again = make().await;
        assert_eq!(again.status, 201, "{times}: {}", again.told());
        assert!(!done || again.headers.contains_key("idempotent-replayed"));
        let events = house.get("/orgs/acme/events?kinds=environment-created&limit=1000", &ann);
        let events = events.await.json()["items"].as_array().unwrap().len();
        assert_eq!(events, times, "each once");
        if done {
            break;
        }
    }
}

/// What goes part by part is not held back until all of it is gone, and goes on when the same is asked
/// for again; once it is answered, it is answered so.
#[tokio::test]
async fn what_goes_part_by_part_is_not_one_change() {
    let house = House::new().await;
    let ann = house.settled().await;
    let store = house.app.store();
    let acme = store.organisation("acme").await.unwrap().id;
    let (platform, digest) = ("linux/amd64".parse().unwrap(), model::Digest::from_sha256(&[1; 32]));
    let there =
        async |repository: &str| store.repository(&acme, repository).await.unwrap().is_some();
    // Dies the so many-th time that it would go on; the first time, as soon as others see it gone.
    for times in 0.. {
        let name = format!("acme/web{times}");
        let repository = format!("docker.io/{name}");
        let (who, origin) = ("ann".to_owned(), String::new());
        let act = model::Act { who, origin, at: house.app.now() };
        store.enable_repository(&acme, &act, &repository, true).await.unwrap();
        store.point_tag(&acme, &act, &repository, "v1", &platform, &digest).await.unwrap();
        let line = format!("DELETE /repositories/{}", name.replace('/', "%2F"));
        let delete = || ask(&house, &ann, &name, &line, Json::Null);
        let answered = if times == 0 {
            let gone = async { while there(&repository).await {} };
            tokio::select! { biased; () = gone => None, answer = delete() => Some(answer) }
        } else {
            dying(delete(), times).await
        };
        assert!(times > 0 || answered.is_none(), "it is gone before the last of it went");
        house.wait(61);
        let again = delete().await;
        assert!([200, 404].contains(&again.status), "{times}: {}", again.told());
        assert!(!there(&repository).await);
        assert!(store.tags(&acme, &repository, None).await.unwrap().is_empty());
        let replayed = delete().await;
        assert_eq!((replayed.status, &replayed.body), (again.status, &again.body));
        if let Some(answer) = answered {
            assert_eq!((answer.status, answer.body), (200, again.body));
            assert!(again.headers.contains_key("idempotent-replayed"));
            break;
        }
    }
}

#[tokio::test]
async fn what_goes_part_by_part_goes_on_doing_so() {
    let house = House::new().await;
    let ann = house.settled().await;
    let runs = async || ask(&house, &ann, "r", "POST /retention/runs", Json::Null).await;
    let (first, again) = (runs().await, runs().await);
    assert_eq!((first.status, &first.body), (200, &again.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let mut dead = 0;
    for times in 1.. {
        let name = format!("org{times}");
        let made = house.ask("POST /orgs", &ann, json!({ "name": name })).await;
        assert_eq!(made.status, 201);
        let line = format!("DELETE /orgs/{name}");
        let delete = || ask_at(&house, &ann, &name, &line, Json::Null);
        let answered = dying(delete(), times).await;
        if let Some(answer) = answered {
            assert_eq!(answer.status, 204, "{}", answer.told());
            break;
        }
        dead += u32::from(house.get(&format!("/orgs/{name}"), &ann).await.status == 404);
    }
    assert!(dead > 0, "whoever dies after the first part has changed something");
    // The rest goes later; how much that is depends on where they died.
    house.app.store().finish_deletions().await.unwrap();
    assert_eq!(house.app.store().finish_deletions().await.unwrap(), 0);
}

/// On `SQLite` one alone writes: whoever asks a registry does not keep others from it.
#[tokio::test]
async fn nobody_waits_for_anothers_registry() {
    let house = House::new().await;
    let ann = house.settled().await;
    let house = house.online();
    let registry = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let image = format!("{}/web:v1", registry.local_addr().unwrap());
    let body = json!({ "recordings": [{ "image": image }], "create": true });
    let slow = ask(&house, &ann, "a", "POST /environments/qa/deployments", body);
    let meanwhile = async {
        // It is asked, and does not answer.
        let asked = registry.accept().await.unwrap();
        let body = json!({ "name": "staging" });
        let made = ask(&house, &ann, "b", "POST /environments", body).await;
        assert_eq!(made.status, 201, "{}", made.told());
        drop(asked);
    };
    let (slow, ()) = futures_util::future::join(slow, meanwhile).await;
    assert!(slow.told().starts_with("503 cannot tell which image"), "{}", slow.told());
    assert_eq!(house.get("/orgs/acme/environments/qa", &ann).await.status, 404);
}

#[tokio::test]
async fn of_many_at_once_one_is_done() {
    let house = House::new().await;
    let ann = house.settled().await;
    let make = || ask(&house, &ann, "a", "POST /environments", json!({ "name": "staging" }));
    let answers = futures_util::future::join_all((0..20).map(|_| make())).await;
    let made = answers.iter().filter(|it| it.status == 201).count();
    assert!(made >= 1, "somebody does it");
    for it in answers.iter().filter(|it| it.status != 201) {
        assert_eq!(it.told(), "409 idempotency key: this request is under way");
        assert_eq!(it.headers["retry-after"], "1");
    }
    let fresh = |it: &&Answer| it.status == 201 && !it.headers.contains_key("idempotent-replayed");
    assert_eq!(answers.iter().filter(fresh).count(), 1);
    assert_eq!(make().await.status, 201);
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    let house = House::new().await;
    let ann = house.settled().await;
    let body = json!({ "name": "staging" });
    for key in ["", "x\ty", &"x".repeat(256)] {
        let refused = ask(&house, &ann, key, "POST /environments", body.clone()).await;
        assert_eq!(refused.told(), "422 idempotency key: it is none", "{key:?}");
    }
    let longest = "x".repeat(255);
    assert_eq!(ask(&house, &ann, &longest, "POST /environments", body).await.status, 201);
}

#[tokio::test]
async fn what_is_of_no_organisation_is_done_once_too() {
    let house = House::new().await;
    let ann = house.settled().await;
    let make = async || {
        let request = Request::post("/api/v1/orgs")
            .header(header::AUTHORIZATION, format!("Bearer {ann}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", "a");
        house.send(request.body(Body::from(r#"{"name":"other"}"#)).unwrap()).await
    };
    let (first, again) = (make().await, make().await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(house.get("/orgs/other", &ann).await.status, 200, "its maker is known in it");
}

#[tokio::test]
async fn who_accepts_again_hears_the_same() {
    let house = House::new().await;
    let ann = house.settled().await;
    let made = house.ask("POST /orgs", &ann, json!({ "name": "other" })).await;
    assert_eq!(made.status, 201);
    let bob = house.somebody(&ann, "bob", "acme", "member").await;
    let secret = house.invitation(&ann, "other", "member").await;
    let accept = async || {
        let request = Request::post(format!("/api/v1/invitations/{secret}"))
            .header(header::AUTHORIZATION, format!("Bearer {bob}"))
            .header("idempotency-key", "a");
        house.send(request.body(Body::empty()).unwrap()).await
    };
    let (first, again) = (accept().await, accept().await);
    assert_eq!((first.status, again.status), (200, 200), "{}", again.told());
    assert_eq!(again.json(), json!({ "name": "bob", "organisation": "other" }));
    assert_eq!(again.headers["idempotent-replayed"], "true");
}

#[tokio::test]
async fn what_changes_nothing_is_answered_anew_as_what_it_is() {
    let house = House::new().await;
    let ann = house.settled().await;
    let staging = json!({ "name": "staging" });
    assert_eq!(ask(&house, &ann, "a", "POST /environments", staging).await.status, 201);
    for _ in 0..2 {
        let path = "POST /environments/staging/export?format=csv";
        let told = ask(&house, &ann, "b", path, json!({})).await;
        assert_eq!(told.status, 200, "{}", told.told());
        assert!(told.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
        assert!(!told.headers.contains_key("idempotent-replayed"));
    }
    let missing = json!({ "from": { "environment": "x" }, "to": { "environment": "staging" } });
    for _ in 0..2 {
        let told = ask(&house, &ann, "c", "POST /comparisons", missing.clone()).await;
        assert_eq!(told.status, 404, "{}", told.told());
        assert!(!told.headers.contains_key("idempotent-replayed"));
    }
    // What is kept keeps its kind.
    for replayed in [false, true] {
        let made = ask(&house, &ann, "d", "POST /environments", json!({ "name": "x" })).await;
        assert_eq!(made.headers["content-type"], "application/json");
        assert_eq!(made.headers.contains_key("idempotent-replayed"), replayed);
    }
}

#[tokio::test]
async fn who_changed_what_they_looked_at_may_ask_again() {
    let house = House::new().await;
    let ann = house.settled().await;
    let limits = crate::Limits { rate: None, ..crate::Limits::default() };
    let house = House { router: crate::front(house.app.clone(), limits), ..house };
    assert_eq!(
        ask(&house, &ann, "a", "POST /environments", json!({ "name": "old" })).await.status,
        201
    );
    let looked = house.get("/orgs/acme/environments/old", &ann).await;
    let rename = async |key: &str| {
        let request = Request::patch("/api/v1/orgs/acme/environments/old")
            .header(header::AUTHORIZATION, format!("Bearer {ann}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::IF_MATCH, &looked.headers[header::ETAG])
            .header("idempotency-key", key);
        house.send(request.body(Body::from(r#"{"name":"new"}"#)).unwrap()).await
    };
    let (first, again) = (rename("b").await, rename("b").await);
    assert_eq!((first.status, again.status), (200, 200), "{}", again.told());
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.body, first.body);
    assert_eq!(rename("c").await.status, 412, "it is another request");
}
