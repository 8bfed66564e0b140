//! All that runs in an environment, as documents.

use api::{Client, Pushing, Recording, Recordings};
use axum::body::Body;
use axum::http::{Request, header};
use tower::ServiceExt as _;

use super::{app, digest, inventory};
use crate::{Limits, front, here, router};

#[tokio::test]
async fn a_document_holds_all_there_is_and_is_not() {
    let app = app().await;
    let client = Client::new(here(router(app.clone())), None);
    client.create_organisation("local").await.unwrap();
    client.create_environment("local", "pro/duc\"tion").await.unwrap();
    let purls = ["pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "pkg:npm/pg@8.0.0"];
    for digit in ['1', '2'] {
        let pushing = Pushing { image: None, platform: None, inventory: inventory(&purls) };
        client.push("local", &digest(digit), &pushing).await.unwrap();
    }
    let recording = |application: &str, digit: char| Recording {
        image: "acme/web:v1".to_owned(),
        digest: Some(digest(digit)),
        application: Some(application.to_owned()),
        platform: None,
    };
    let names = [("@one", '1'), ("two", '1'), ("three", '2'), ("four", '3')];
    let recordings = names.map(|(name, digit)| recording(name, digit)).to_vec();
    let sent = Recordings { recordings, source: None, create: false };
    client.record("local", "pro/duc\"tion", &sent).await.unwrap();

    let router = front(app, Limits { rate: None, ..Limits::default() });
    let ask = async |environment: &str, format: &str| {
        let path = format!(
            "/api/v1/orgs/local/environments/{}/export?format={format}",
            api::segment(environment)
        );
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let headers = response.headers().clone();
        let header = |name| headers.get(&name).map_or("-", |it| it.to_str().unwrap()).to_owned();
        let said = format!(
            "{} {} {}",
            response.status().as_u16(),
            header(header::CONTENT_TYPE),
            header(header::CONTENT_DISPOSITION)
        );
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (said, String::from_utf8(bytes.to_vec()).unwrap())
    };
    let (said, text) = ask("pro/duc\"tion", "csv").await;
    assert_eq!(said, "200 text/csv; charset=utf-8 attachment; filename=\"pro_duc_tion.csv\"");
    let rows = |record: &str| text.lines().filter(|it| it.starts_with(record)).count();
    // Four findings of each of three deployments; one that nobody can tell of.
    assert_eq!([rows("deployment,"), rows("finding,"), rows("pending,")], [3, 12, 1]);
    assert!(text.contains(",\"'@one\","), "{text}");

    let (said, text) = ask("pro/duc\"tion", "json").await;
    assert_eq!(said, "200 application/json attachment; filename=\"pro_duc_tion.json\"");
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&document["count"], &document["pending"]), (&3.into(), &1.into()));
    assert_eq!(document["environment"], "pro/duc\"tion");

    let (said, text) = ask("pro/duc\"tion", "cyclonedx").await;
    assert!(said.ends_with("filename=\"pro_duc_tion.cdx.json\""), "{said}");
    let bill: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bill["components"].as_array().unwrap().len(), 3);
    let flaws = bill["vulnerabilities"].as_array().unwrap();
    // Told once, of both images.
    assert_eq!(flaws.len(), 4);
    assert!(flaws.iter().all(|it| it["affects"].as_array().unwrap().len() == 2));

    assert!(ask("pro/duc\"tion", "pdf").await.1.contains("there are csv, json, cyclonedx"));
    let (said, _) = ask("nowhere", "csv").await;
    assert!(said.starts_with("404 "), "{said}");
}
