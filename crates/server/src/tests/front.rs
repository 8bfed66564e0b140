//! What stands before the router, asked as anybody may ask it.

use api::{Carrier as _, Client, Https};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use futures_util::StreamExt as _;
use tower::ServiceExt as _;

use super::{app, digest};
use crate::{App, Bound, Limits, Listening, front};

async fn ask(router: &Router, request: Request<Body>) -> (StatusCode, String, Response<()>) {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    (parts.status, text, Response::from_parts(parts, ()))
}

fn get(path: &str) -> axum::http::request::Builder {
    Request::get(path)
}

fn empty(request: axum::http::request::Builder) -> Request<Body> {
    request.body(Body::empty()).unwrap()
}

fn sent(method: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    request.header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap()
}

async fn with_staging() -> (App, Router) {
    let app = app().await;
    let router = front(app.clone(), Limits { rate: None, ..Limits::default() });
    for (path, name) in [("/api/v1/orgs", "local"), ("/api/v1/orgs/local/environments", "staging")]
    {
        let (status, ..) =
            ask(&router, sent("POST", path, format!(r#"{{"name":"{name}"}}"#))).await;
        assert_eq!(status, StatusCode::CREATED);
    }
    (app, router)
}

#[tokio::test]
async fn it_lives_is_ready_and_counts() {
    let (_, router) = with_staging().await;
    assert_eq!(ask(&router, empty(get("/healthz"))).await.1, "ok\n");
    assert_eq!(ask(&router, empty(get("/readyz"))).await.1, "ready\n");
    let (_, text, _) = ask(&router, empty(get("/metrics"))).await;
    let line = r#"foretop_http_requests_total{method="POST",route="/api/v1/orgs",status="201"} 1"#;
    assert!(text.contains(line), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn problems_say_what_and_which_request() {
    let (_, router) = with_staging().await;
    let check = async |request: Request<Body>, status: u16, detail: &str| {
        let (found, text, response) = ask(&router, request).await;
        let problem: api::Problem = serde_json::from_str(&text).unwrap();
        assert_eq!((found.as_u16(), problem.status, &*problem.detail), (status, status, detail));
        assert_eq!(problem.request.unwrap(), response.headers()["x-request-id"].to_str().unwrap());
    };
    let path = "/api/v1/orgs/local/environments";
    check(empty(get("/api/v1/nowhere")), 404, "path `/api/v1/nowhere`: there is none").await;
    check(sent("PUT", path, ""), 405, &format!("{path} does not take PUT")).await;
    check(sent("POST", path, "{"), 400, "body: EOF while parsing an object at line 1 column 1")
        .await;
    check(
        sent("POST", path, r#"{"nam":"x"}"#),
        422,
        "body: nam: unknown field `nam`, expected `name` at line 1 column 6",
    )
    .await;
    check(
        empty(Request::post(path)),
        415,
        "body: Expected request with `Content-Type: application/json`",
    )
    .await;
    check(
        sent("POST", path, r#"{"name":"staging"}"#),
        409,
        "environment `staging`: there is one already",
    )
    .await;
    check(empty(get(&format!("{path}?limit=0"))), 400, "limit: it is a number from 1 to 1000")
        .await;
    check(
        empty(get("/api/v1/orgs/other/environments")),
        404,
        "organization `other`: there is none",
    )
    .await;
    let long = |length: usize| sent("POST", path, vec![b' '; length]);
    check(long((16 << 10) + 1), 413, "body: it is longer than 16 KiB, the most that is taken here")
        .await;
    let push = format!("/api/v1/orgs/local/images/{}", digest('1'));
    let long = sent("PUT", &push, vec![b' '; (128 << 20) + 1]);
    check(long, 413, "body: it is longer than 131072 KiB, the most that is taken here").await;
    let packed = Request::post(path).header(header::CONTENT_ENCODING, "gzip");
    check(packed.body(Body::from("x")).unwrap(), 415, "body: it is compressed").await;
}

#[tokio::test]
async fn who_has_it_already_is_not_sent_it_again() {
    let (_, router) = with_staging().await;
    let path = "/api/v1/orgs/local/environments/staging";
    let (_, _, first) = ask(&router, empty(get(path))).await;
    let tag = first.headers()[header::ETAG].clone();
    let again = empty(get(path).header(header::IF_NONE_MATCH, &tag));
    let (status, text, _) = ask(&router, again).await;
    assert_eq!((status, &*text), (StatusCode::NOT_MODIFIED, ""));

    let rename = |tag: &header::HeaderValue| {
        let mut request = sent("PATCH", path, r#"{"name":"test"}"#);
        request.headers_mut().insert(header::IF_MATCH, tag.clone());
        request
    };
    let wrong = header::HeaderValue::from_static("\"another\"");
    assert_eq!(ask(&router, rename(&wrong)).await.0, StatusCode::PRECONDITION_FAILED);
    assert_eq!(ask(&router, rename(&tag)).await.0, StatusCode::OK);
    assert_eq!(ask(&router, rename(&tag)).await.0, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn who_asks_too_often_is_told_to_wait() {
    let router = front(app().await, Limits { rate: Some(1), ..Limits::default() });
    let mut passed = 0;
    // On a busy machine more of it is there again while they ask, so they ask until they are refused.
    loop {
        let (status, _, response) = ask(&router, empty(get("/api/v1/version"))).await;
        if status == StatusCode::OK {
            passed += 1;
            assert!(passed < MANY, "nobody is ever refused");
            continue;
        }
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
        assert!(passed >= 10, "only {passed} of them");
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        // Nobody has looked at what they show now, so they are who they were.
        let shown = format!("Bearer another{passed}");
        let other = get("/api/v1/version").header(header::AUTHORIZATION, shown);
        if ask(&router, empty(other)).await.0 == StatusCode::TOO_MANY_REQUESTS {
            return;
        }
        passed += 1;
    }
}

/// More than anybody may ask at one a second, however busy the machine is.
const MANY: usize = 1000;

#[tokio::test]
async fn each_listens_only_so_often() {
    let (_, router) = with_staging().await;
    let listen = || router.clone().oneshot(empty(get("/api/v1/orgs/local/events/live")));
    let mut listening = Vec::new();
    for _ in 0..crate::live::EACH {
        let response = listen().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        listening.push(response);
    }
    assert_eq!(listen().await.unwrap().status(), StatusCode::TOO_MANY_REQUESTS);
    listening.pop();
    assert_eq!(listen().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn what_nobody_can_look_at_has_no_tag() {
    let (_, router) = with_staging().await;
    let put = async |method: &str, path: &str, tag: &str, body: &'static str| {
        let mut request = sent(method, &format!("/api/v1/orgs/local/{path}"), body);
        request.headers_mut().insert(header::IF_MATCH, tag.parse().unwrap());
        ask(&router, request).await
    };
    let (status, text, _) = put("PUT", "members/bob", "\"a\"", r#"{"role":"owner"}"#).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
    assert!(text.contains("if-match: nobody can look at what is at this path"), "{text}");
    let (_, _, first) = ask(&router, empty(get("/api/v1/orgs/local/retention/events"))).await;
    let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
    let keep = r#"{"days":400}"#;
    assert_eq!(put("PUT", "retention/events", &tag, keep).await.0, StatusCode::OK);
    assert_eq!(put("PUT", "retention/events", &tag, keep).await.0, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn changes_are_told_as_they_happen() {
    let (_, router) = with_staging().await;
    let live = empty(get("/api/v1/orgs/local/events/live"));
    let response = router.clone().oneshot(live).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    let path = "/api/v1/orgs/local/environments/staging/deployments";
    let image = format!("acme/web:v1@{}", digest('1'));
    let recording = format!(r#"{{"recordings":[{{"image":"{image}"}}]}}"#);
    assert_eq!(ask(&router, sent("POST", path, recording)).await.0, StatusCode::OK);
    let told = body.next().await.unwrap().unwrap();
    assert!(told.starts_with(b"id: ") && told.ends_with(b"\n\n"), "where to go on: {told:?}");
    let told = body.next().await.unwrap().unwrap();
    let told = std::str::from_utf8(&told).unwrap();
    assert!(told.contains("event: deployment-started\n"), "{told}");
    assert!(told.contains(r#""about":"docker.io/acme/web""#), "{told}");
}

#[tokio::test]
async fn it_serves_on_a_socket_and_ends_when_told_to() {
    let (app, router) = with_staging().await;
    let listening = Listening { address: "127.0.0.1:0".parse().unwrap(), tls: None, workers: 1 };
    let bound = Bound::to(&listening).await.unwrap();
    let address = bound.address();
    let taken = Bound::to(&Listening { address, ..listening }).await.err().unwrap().to_string();
    assert!(taken.starts_with(&format!("cannot listen on {address}: ")), "{taken}");
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(bound.serve(app, router, async {
        let _ = ended.await;
    }));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = format!("http://{address}");
    let https = Https::new(reqwest::Client::new(), &root, None).unwrap();
    let client = Client::new(std::sync::Arc::new(https), None);
    assert_eq!(client.environment("local", "staging").await.unwrap().name, "staging");
    let unknown = client.environment("local", "nowhere").await.unwrap_err();
    assert_eq!(unknown.hint(), Some("there are: staging"));
    end.send(()).unwrap();
    serving.await.unwrap().unwrap();
    let gone = Https::new(reqwest::Client::new(), &root, None).unwrap();
    let request = Request::get("/healthz").body(Vec::new()).unwrap();
    assert!(gone.carry_in_parts(request, &mut |_| Ok(())).await.is_err());
}

/// A router with room for a MiB of long documents, and where to push to.
async fn narrow(at_once: usize) -> (Router, String) {
    // A document waits a small part of it for its turn.
    let patience = std::time::Duration::from_secs(24);
    let limits = Limits { rate: None, at_once, bytes: 1 << 20, patience, ..Limits::default() };
    let router = front(app().await, limits);
    let (status, ..) = ask(&router, sent("POST", "/api/v1/orgs", r#"{"name":"local"}"#)).await;
    assert_eq!(status, StatusCode::CREATED);
    (router, format!("/api/v1/orgs/local/images/{}", digest('1')))
}

/// From that address.
fn by(address: &str, mut request: Request<Body>) -> Request<Body> {
    let address: std::net::SocketAddr = format!("{address}:1").parse().unwrap();
    request.extensions_mut().insert(axum::extract::ConnectInfo(address));
    request
}

/// So much comes, and then nothing until whoever sends it is told to end. Gives back when all came.
async fn slowly(router: &Router, address: &str, path: &str, length: usize) -> Slow {
    let (begun, began) = tokio::sync::oneshot::channel::<()>();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>(vec![b' '; length - 1])]);
    let last = futures_util::stream::once(async move {
        begun.send(()).unwrap();
        let _ = ended.await;
        Ok(vec![b' '])
    });
    let request = by(address, sent("PUT", path, Body::from_stream(first.chain(last))));
    let router = router.clone();
    let answer = tokio::spawn(async move { ask(&router, request).await.0 });
    began.await.unwrap();
    Slow { end, answer }
}

struct Slow {
    end: tokio::sync::oneshot::Sender<()>,
    answer: tokio::task::JoinHandle<StatusCode>,
}

impl Slow {
    async fn end(self) -> StatusCode {
        // They may have been told to end before.
        let _ = self.end.send(());
        self.answer.await.unwrap()
    }
}

#[tokio::test]
async fn what_is_sent_slowly_holds_no_place_and_what_is_too_much_at_once_is_told() {
    let (router, push) = narrow(1).await;
    // As much comes as one has, and then nothing for a while.
    let slow = slowly(&router, "192.0.2.1", &push, 256 << 10).await;
    // There is one place, and whoever is slow does not have it.
    assert_eq!(ask(&router, empty(get("/api/v1/orgs"))).await.0, StatusCode::OK);
    let more = || sent("PUT", &push, vec![b' '; 100_000]);
    let (status, text, response) = ask(&router, by("192.0.2.1", more())).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    assert!(text.contains("as much is being taken in as there is room for"), "{text}");
    // What others send, and what is short, has room.
    let (status, ..) = ask(&router, by("192.0.2.2", more())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "blanks are no inventory");
    let short = sent("POST", "/api/v1/orgs", r#"{"name":"other"}"#);
    assert_eq!(ask(&router, by("192.0.2.1", short)).await.0, StatusCode::CREATED);
    assert_eq!(slow.end().await, StatusCode::BAD_REQUEST);
    // Now there is room again, and what is wrong is only what was sent.
    assert_eq!(ask(&router, by("192.0.2.1", more())).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn nobody_keeps_all_others_from_sending() {
    let (router, push) = narrow(10).await;
    // What is more than anybody has goes one by one, beside the others.
    let large = slowly(&router, "192.0.2.1", &push, 1 << 20).await;
    let another = sent("PUT", &push, vec![b' '; 300 << 10]);
    let (status, ..) = ask(&router, by("192.0.2.2", another)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let mut all = vec![large];
    for number in 1..5 {
        all.push(slowly(&router, &format!("192.0.2.{number}"), &push, 256 << 10).await);
    }
    // There is no room any more for what is long, whoever sends it; short words have their own.
    let more = by("192.0.2.9", sent("PUT", &push, vec![b' '; 100]));
    assert_eq!(ask(&router, more).await.0, StatusCode::SERVICE_UNAVAILABLE);
    let path = "/api/v1/orgs/local/repositories/acme";
    let few = |address| slowly(&router, address, path, 2);
    let many = futures_util::future::join_all((0..128).map(|_| few("192.0.2.1"))).await;
    let short = || sent("PUT", path, r#"{"enabled":true}"#);
    assert_eq!(ask(&router, by("192.0.2.2", short())).await.0, StatusCode::OK);
    let (status, ..) = ask(&router, by("192.0.2.1", short())).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{} are under way", many.len());
    for slow in all {
        assert_eq!(slow.end().await, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_proxy_says_who_asks() {
    let proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let router = front(app().await, Limits { rate: Some(1), proxies, ..Limits::default() });
    let asked = async |direct: &str, said: &str| {
        let mut request = empty(get("/api/v1/version").header("x-forwarded-for", said));
        let direct: std::net::SocketAddr = format!("{direct}:1").parse().unwrap();
        request.extensions_mut().insert(axum::extract::ConnectInfo(direct));
        ask(&router, request).await.0
    };
    // On a busy machine more of it is there again while they ask.
    let passed = async |direct: &str, said: &dyn Fn(usize) -> String| {
        for number in 0..MANY {
            let status = asked(direct, &said(number)).await;
            if status != StatusCode::OK {
                assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
                return number;
            }
        }
        MANY
    };
    // What somebody writes before it is theirs, and changes nothing.
    let theirs = |number: usize| format!("198.51.100.{}, 203.0.113.9", number % 256);
    assert!((10..MANY).contains(&passed("10.0.0.1", &theirs).await));
    assert_eq!(asked("10.0.0.1", "203.0.113.8").await, StatusCode::OK);
    // Whoever is no proxy is who they are, whatever they say.
    let made_up = |number: usize| format!("203.0.{}.7", number % 256);
    assert!((10..MANY).contains(&passed("192.0.2.1", &made_up).await));
}

#[tokio::test]
async fn made_up_methods_are_not_counted_one_by_one() {
    let (_, router) = with_staging().await;
    for method in ["ONE", "TWO"] {
        ask(&router, sent(method, "/api/v1/orgs", "")).await;
    }
    let (_, text, _) = ask(&router, empty(get("/metrics"))).await;
    assert!(text.contains(r#"method="other",route="/api/v1/orgs",status="405"} 2"#), "{text}");
}

#[tokio::test]
async fn what_is_odd_is_refused_and_nothing_falls_over() {
    let (_, router) = with_staging().await;
    let path = "/api/v1/orgs/local/environments";
    let refused = async |request: Request<Body>, status: u16| {
        let asked = format!("{} {}", request.method(), request.uri());
        let (found, text, response) = ask(&router, request).await;
        assert_eq!(found.as_u16(), status, "{asked}: {text}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], api::PROBLEM, "{asked}: {text}");
    };
    let deep = format!(r#"{{"name":{}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(10_000));
    for (body, status) in [
        (r#"{"name":"\ud800"}"#, 400),
        (r#"{"name":"a\u0000b"}"#, 422),
        (r#"{"name":"a\nb"}"#, 422),
        (r#"{"name":"a\u202eb"}"#, 422),
        (r#"{"name":"\u2066a\u2069"}"#, 422),
        (r#"{"name":" "}"#, 422),
        (r#"{"name":".."}"#, 422),
        (&long, 422),
        (&deep, 422),
        (r#"{"name":1e999}"#, 400),
        (r#"{"name":12345678901234567890123456789012345678901234567890}"#, 422),
        (r#"{"name":"a","name":"b"}"#, 422),
        (r#"{"name":"a"} and more"#, 400),
        (r#"["a"]"#, 422),
        ("null", 422),
        ("", 400),
        ("\u{feff}{}", 400),
    ] {
        refused(sent("POST", path, body.to_owned()), status).await;
    }
    refused(sent("POST", path, b"{\"name\":\"\xff\"}".to_vec()), 400).await;
    for (path, status) in [
        ("/api/v1/orgs/local/environments/..%2f..%2flocal", 404),
        ("/api/v1/orgs/local/../local/environments", 404),
        ("/api/v1/orgs/local/environments/a%2Fb%00", 404),
        ("/api/v1/orgs/local/environments/%ff", 400),
        ("/api/v1/orgs//environments", 422),
        ("/api/v1/orgs/local/environments/staging/", 404),
        ("/api/v1/orgs/local/environments?limit=99999999999999999999999", 400),
        ("/api/v1/orgs/local/environments?limit=1&limit=2", 400),
        ("/api/v1/orgs/local/deployments?at=now&history=yes", 400),
    ] {
        refused(empty(get(path)), status).await;
    }
    let other = sent("POST", path, r#"{"name":"a"}"#);
    let kinds = ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"];
    for kind in kinds {
        let mut request = sent("POST", path, r#"{"name":"a"}"#);
        request.headers_mut().insert(header::CONTENT_TYPE, kind.parse().unwrap());
        refused(request, 415).await;
    }
    assert_eq!(ask(&router, other).await.0, StatusCode::CREATED);
    for name in ["שלום", "生产 🚀", "a / b", "%2e%2e"] {
        let made = ask(&router, sent("POST", path, format!(r#"{{"name":"{name}"}}"#))).await;
        assert_eq!(made.0, StatusCode::CREATED, "{name}");
    }
}
