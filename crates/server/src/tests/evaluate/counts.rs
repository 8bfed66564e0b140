//! How many findings there are where, and how that becomes known.

use api::CountsQuery;
use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt as _;

use super::House;
use crate::{App, router};

const ALMANAC: &str = "npm lodash CVE-1 <4.17.21 high\nnpm left-pad CVE-3 all critical";

/// `production 1 critical 1 high 2 images; staging -`.
async fn present(house: &House) -> String {
    let client = house.client().await;
    let all = client.environments("acme", &api::PageQuery::default()).await.unwrap().items;
    let line = |it: api::Environment| match it.counts {
        None => format!("{} -", it.name),
        Some(counts) => format!(
            "{} {} critical {} high {} low, {} images, {} pending",
            it.name, counts.critical, counts.high, counts.low, counts.images, counts.pending
        ),
    };
    all.into_iter().map(line).collect::<Vec<_>>().join("; ")
}

async fn count(app: &App) {
    let acme = app.store.organisation("acme").await.unwrap().id;
    app.tally.count(app, &acme).await.unwrap();
}

#[tokio::test]
async fn each_flaw_of_each_package_counts_once() {
    let house = House::new();
    house.install(ALMANAC);
    house.company("acme", super::RUNS).await;
    assert_eq!(present(&house).await, "production -; staging -");
    let app = house.app().await;
    count(&app).await;
    let before = "production 1 critical 1 high 0 low, 2 images, 0 pending; \
                  staging 0 critical 1 high 0 low, 2 images, 0 pending";
    assert_eq!(present(&house).await, before);
    // An image that nobody has read yet, and one that was read anew.
    house.run("acme", "staging 9").await;
    house.run("acme", "production 2 npm/left-pad@2.0.0").await;
    count(&app).await;
    let after = "production 2 critical 1 high 0 low, 2 images, 0 pending; \
                 staging 1 critical 0 high 0 low, 3 images, 1 pending";
    assert_eq!(present(&house).await, after);
    house.install("npm left-pad CVE-3 all low");
    let app = house.app().await;
    count(&app).await;
    count(&app).await;
    let client = house.client().await;
    let query = |after: Option<String>, limit| CountsQuery { after, limit, ..Default::default() };
    let trend = async |query: CountsQuery| {
        let page = client.counts("acme", "production", &query).await.unwrap();
        let all: Vec<_> = page.items.iter().map(|it| (it.critical, it.high, it.low)).collect();
        (all, page.next)
    };
    let all = [(1, 1, 0), (2, 1, 0), (0, 0, 2)];
    assert_eq!(trend(query(None, None)).await, (all.to_vec(), None));
    let (first, next) = trend(query(None, Some(1))).await;
    assert_eq!(first, all[..1]);
    assert_eq!(trend(query(next, None)).await, (all[1..].to_vec(), None));
}

#[tokio::test]
async fn prometheus_is_told() {
    let house = House::new();
    house.install(ALMANAC);
    house.company("acme", super::RUNS).await;
    let app = house.app().await;
    let ask = async |app: &App, path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(app.clone()).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    };
    let path = "/v1/exporter/org/acme/metrics";
    let line = r#"scout_stream_vulnerabilities{streamName="production",severity="critical"} 1"#;
    assert!(!ask(&app, path).await.1.contains("production"), "what is not known is left out");
    count(&app).await;
    assert!(!ask(&app, path).await.1.contains(line), "it is remembered for a minute");
    let app = house.app().await;
    for path in [path, "/api/v1/orgs/acme/metrics"] {
        let (status, text) = ask(&app, path).await;
        assert_eq!(status, 200);
        assert!(text.contains(line) && text.ends_with("# EOF\n"), "{text}");
    }
    assert_eq!(ask(&app, "/v1/exporter/org/nobody/metrics").await.0, 404);
}
