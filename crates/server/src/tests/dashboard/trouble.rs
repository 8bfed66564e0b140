//! What a first look tells: whether something is wrong, why, and what to do; and how one gets a first look at
//! a demo.

use super::*;
use crate::demo_link;

/// An image with that version of Log4j runs.
async fn runs(house: &House, owner: &Browser, environment: &str, digit: char, version: &str) {
    let purl = format!("pkg:maven/org.apache.logging.log4j/log4j-core@{version}");
    let body = json!({ "image": "acme/api:v1", "inventory": inventory(&[&purl]) });
    let digest = digest(digit);
    house.api(owner, &format!("PUT /orgs/acme/images/{digest}"), body).await;
    let recording = json!([{ "image": "acme/api:v1", "digest": digest, "application": "api" }]);
    let line = format!("POST /orgs/acme/environments/{environment}/deployments");
    house.api(owner, &line, json!({ "recordings": recording, "create": true })).await;
}

#[tokio::test]
async fn the_first_look_tells_why_since_when_and_what_to_do() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    runs(&house, &ann, "production", '1', "2.14.1").await;
    runs(&house, &ann, "staging", '2', "2.17.1").await;
    let organisation = house.app.store().organisation("acme").await.unwrap().id;
    house.app.settle(&organisation).await.unwrap();
    let overview = house.look(&ann, "/o/acme").await.text;
    let (before, production) = overview.split_once(">production</a>").unwrap();
    assert!(!before.contains("class=\"state"), "nothing is told before its name");
    let (production, staging) = production.split_once(">staging</a>").unwrap();
    for said in [
        "class=\"state bad\"",
        "In trouble: 2 critical findings",
        "</strong> Since <time",
        "/o/acme/vulnerabilities/CVE-2021-44228\">CVE-2021-44228</a> <span class=\"mark danger\"",
        ">exploited</span> in log4j-core 2.14.1",
        ">api</a>, deployed <time",
        "<strong>update to 2.15.0</strong>",
        "/o/acme/compare?from=staging&amp;to=production\">What would staging bring?</a> It has 0 critical.",
    ] {
        assert!(production.contains(said), "{said}: {production}");
    }
    assert!(!staging.contains("In trouble") && !staging.contains("bring?"), "{staging}");
}

#[tokio::test]
async fn one_link_leads_into_a_demo_and_into_nothing_else() {
    let house = House::new(false).await;
    let root = "http://127.0.0.1:1";
    let invited = first_start(&house.app, root, "demo").await.unwrap().unwrap();
    let invited = invited.rsplit('/').next().unwrap().to_owned();
    // Nobody has asked for a demo: there is no such path.
    let nobody = Browser::default();
    let answer = house.look(&nobody, &format!("/visit/{invited}")).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (404, ""));

    let link = demo_link(&house.app, root, Some(&invited), "ada").await.unwrap();
    let router = front(house.app.clone(), Limits { rate: None, ..Limits::default() });
    let house = House { router, app: house.app };
    let path = link.strip_prefix(root).unwrap();
    let answer = house.look(&nobody, path).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
    assert_eq!(answer.header("cache-control"), "no-store");
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("foretop=fts_") && cookie.contains("HttpOnly"), "{cookie}");
    let ada = Browser { cookie: cookie.split(';').next().unwrap().to_owned() };
    let overview = house.look(&ada, "/o/demo").await;
    assert_eq!(overview.status, 200);
    assert!(overview.text.contains("This is a demo") && overview.text.contains("ada (owner)"));
    assert!(house.look(&nobody, "/login").await.text.contains("This is a demo"));
    for other in [&invited, "fti_x", ""] {
        let answer = house.look(&nobody, &format!("/visit/{other}")).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (404, ""), "{other}");
    }
    let sent = house.fill_in(&nobody, "cross-site", path, &[]).await;
    assert_eq!(sent.status, 405);
}

#[tokio::test]
async fn events_lead_to_no_environment_that_is_gone() {
    let house = House::new(false).await;
    let ann = house.settled().await;
    for name in ["staging", "gone"] {
        house.api(&ann, "POST /orgs/acme/environments", json!({ "name": name })).await;
    }
    house.api(&ann, "DELETE /orgs/acme/environments/gone", json!({})).await;
    for path in ["/o/acme/events", "/o/acme"] {
        let page = house.look(&ann, path).await.text;
        assert!(!page.contains("/o/acme/environments/gone"), "{path}: {page}");
    }
    let page = house.look(&ann, "/o/acme/events").await.text;
    assert!(page.contains("<a href=\"/o/acme/environments/staging\""), "{page}");
    assert!(page.contains("gone"), "{page}");
}
