//! What is shown at the door: headers and cookies.

use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::House;

async fn told(house: &House, method: &str, path: &str, lines: &[(&str, &str)]) -> String {
    let mut request = Request::builder().method(method).uri(path.to_owned());
    for (name, value) in lines {
        request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let answer = house.send(request.body(Body::empty()).unwrap()).await;
    if answer.status == 401 {
        assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
    }
    answer.told()
}

#[tokio::test]
async fn what_makes_no_sense_is_nobody() {
    let house = House::new().await;
    let ann = house.settled().await;
    let (_, good) = house.token("/me", &ann, "read").await;
    let unused = house.invitation(&ann, "acme", "owner").await;
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
    let mut lines = vec![
        String::new(),
        "Bearer".to_owned(),
        format!("Bearer  {good}x"),
        format!("Bearer {}", &good[..good.len() - 1]),
        format!("Bearer {}", good.to_uppercase()),
        format!("Bearer {good} {good}"),
        format!("Bearer {good}, Bearer {good}"),
        format!("Bearer {unused}"),
        format!("Token {good}"),
        good.clone(),
        basic(&good),
        basic(&format!(":{good}")),
        basic(&format!("acme:{good}")),
        basic(&format!("ANN:{good}")),
        basic(&format!("ann:{good}:")),
        basic("ann:a green horse"),
        basic(&format!("{good}:ann")),
        "Basic \u{e9}".to_owned(),
    ];
    for length in [0, 1, 52, 53, 54, 4_000] {
        lines.push(format!("Bearer {}", "f".repeat(length)));
        lines.push(basic(&"f:".repeat(length)));
    }
    for line in &lines {
        let told = told(&house, "GET", "/api/v1/orgs/acme", &[("authorization", line)]).await;
        assert!(told.starts_with("401 authorization: "), "{line}: {told}");
    }
    for line in [format!("Bearer {good}"), basic(&format!("ann:{good}"))] {
        let told = told(&house, "GET", "/api/v1/orgs/acme", &[("authorization", &line)]).await;
        assert_eq!(told, "200");
    }
    assert_eq!(
        told(&house, "GET", "/api/v1/orgs/acme", &[]).await,
        "401 request: nobody says who is asking"
    );
}

#[tokio::test]
async fn a_cookie_is_taken_from_our_own_pages_alone() {
    let house = House::new().await;
    let ann = house.settled().await;
    let cookie = format!("theme=dark; foretop={ann}");
    let cookie = ("cookie", cookie.as_str());
    let path = "/api/v1/orgs/acme/environments/none";
    assert_eq!(told(&house, "GET", "/api/v1/me", &[cookie]).await, "200");
    let foreign = "403 request: another site's page makes it";
    assert_eq!(told(&house, "DELETE", path, &[cookie]).await, foreign);
    for site in ["cross-site", "same-site", "none"] {
        let lines = [cookie, ("sec-fetch-site", site)];
        assert_eq!(told(&house, "DELETE", path, &lines).await, foreign);
    }
    let ours = "404 environment `none`: there is none";
    assert_eq!(
        told(&house, "DELETE", path, &[cookie, ("sec-fetch-site", "same-origin")]).await,
        ours
    );
    let old = [cookie, ("host", "x.example"), ("origin", "http://x.example")];
    assert_eq!(told(&house, "DELETE", path, &old).await, ours);
    let body = serde_json::json!({ "name": "ann", "password": super::PASSWORD }).to_string();
    let evil = Request::post("/api/v1/sessions")
        .header("host", "x.example")
        .header("origin", "http://evil.example")
        .header(header::CONTENT_TYPE, "application/json");
    let answer = house.send(evil.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.told(), foreign, "nor logs somebody in");
}

/// Where each may ask once a second, and somebody who is known there.
async fn hurried() -> (House, String) {
    let house = House::new().await;
    let ann = house.settled().await;
    let limits = crate::Limits { rate: Some(1), ..crate::Limits::default() };
    (House { router: crate::front(house.app.clone(), limits), ..house }, ann)
}

#[tokio::test]
async fn whoever_makes_proofs_up_asks_no_more_often() {
    let (house, ann) = hurried().await;
    assert_eq!(house.get("/me", &ann).await.status, 200);
    let mut made_up = 0;
    while house.get("/me", &format!("made-up-{made_up}")).await.status == 401 {
        made_up += 1;
    }
    assert!(made_up >= 9, "{made_up}");
    let mut known = 0;
    while house.get("/me", &ann).await.status == 200 {
        known += 1;
    }
    assert!(known >= 10, "who is known asks by themselves: {known}");
}

#[tokio::test]
async fn however_a_proof_is_written_it_is_the_same() {
    let (house, ann) = hurried().await;
    let mut answered = 0;
    for number in 0..60 {
        let written = format!("{}{ann}", " ".repeat(number % 6));
        answered += usize::from(house.get("/me", &written).await.status == 200);
    }
    // Once by where it is from, ten times by whose it is, and as many as there were seconds.
    assert!((11..40).contains(&answered), "{answered}");
}
