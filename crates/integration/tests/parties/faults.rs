//! Registries that page badly, lose tokens, want to be left alone, or lie.

use std::time::Duration;

use testkit::{FakeRegistry, Fault, Vendor, VendorStandIn, image};

use super::{listed, party, party_at, registry};

fn page(body: &str, link: &str) -> Fault {
    let link = ("Link".to_owned(), link.to_owned());
    Fault::Status(200, vec![link], body.to_owned())
}

async fn check(faults: &[(&str, Fault)], expect: &str) {
    let registry = registry();
    let host = registry.host();
    for (path, fault) in faults {
        registry.plan(path, 1, fault.clone());
    }
    let oci = party("oci", &[("registry", &host)]);
    assert_eq!(listed(oci.directory().unwrap()).await.replace(&host, "HOST"), expect);
}

#[tokio::test]
async fn links_in_a_circle_end() {
    let fault = page(r#"{"repositories":["team/app"]}"#, "</v2/_catalog?n=100>; rel=\"next\"");
    check(&[("_catalog", fault)], "team/app: 1 2\ngap: the catalog: its pages lead in a circle\n")
        .await;
}

#[tokio::test]
async fn links_without_end_end() {
    let registry = FakeRegistry::start();
    // Each page leads to one that differs, and says nothing.
    for number in 0..200 {
        let link = format!("</v2/_catalog?n=100&last={number}>; rel=\"next\"");
        registry.plan("_catalog", 1, page(r#"{"repositories":[]}"#, &link));
    }
    let oci = party("oci", &[("registry", &registry.host())]);
    let listed = oci.directory().unwrap().repositories(&[]).await.unwrap();
    assert_eq!(listed.gaps.len(), 1);
    assert_eq!(listed.gaps[0].to_string(), "the catalog: it has no end");
}

#[tokio::test]
async fn gaps_have_an_end() {
    let registry = FakeRegistry::start();
    let names = ["A"; 100].join("\",\"");
    for number in 0..15 {
        let link = format!("</v2/_catalog?n=100&last={number}>; rel=\"next\"");
        registry.plan("_catalog", 1, page(&format!(r#"{{"repositories":["{names}"]}}"#), &link));
    }
    let oci = party("oci", &[("registry", &registry.host())]);
    let listed = oci.directory().unwrap().repositories(&[]).await.unwrap();
    assert_eq!(listed.gaps.len(), 1000);
}

#[tokio::test]
async fn links_elsewhere_are_not_followed() {
    for link in [
        "https://evil.example/v2/_catalog",
        "//evil.example/x",
        "http://127.0.0.1:1/v2/_catalog",
        "file:///etc/passwd",
    ] {
        let fault = page(r#"{"repositories":["team/app"]}"#, &format!("<{link}>; rel=\"next\""));
        let expect = "team/app: 1 2\ngap: the catalog: its next page is on another host\n";
        check(&[("_catalog", fault)], expect).await;
    }
}

#[tokio::test]
async fn a_lost_page_is_a_gap() {
    let first =
        page(r#"{"repositories":["team/app"]}"#, "</v2/_catalog?n=100&last=x>; rel=\"next\"");
    check(
        &[("last=x", Fault::status(404)), ("_catalog?n=100", first)],
        "team/app: 1 2\ngap: the catalog: page 2: HOST answered 404, and not as a registry does\n",
    )
    .await;
}

#[tokio::test]
async fn names_that_are_none_are_gaps() {
    let fault =
        Fault::Status(200, Vec::new(), r#"{"repositories":["../etc","team/app",7,"A"]}"#.into());
    check(
        &[("_catalog", fault)],
        "team/app: 1 2\ngap: the catalog: `../etc` is no name\ngap: the catalog: a name is no text\n\
         gap: the catalog: `A` is no name\n",
    )
    .await;
    let fault = Fault::Status(200, Vec::new(), r#"{"tags":null}"#.into());
    check(&[("team/app/tags", fault)], "library/base: 12\nteam/app: \nteam/web: latest\n").await;
}

#[tokio::test]
async fn nonsense_is_no_list() {
    let check_body = |body: &str, expect: &str| {
        let fault = Fault::Status(200, Vec::new(), body.to_owned());
        let expect = format!("failed: HOST: the catalog: {expect}");
        async move { check(&[("_catalog", fault)], &expect).await }
    };
    check_body("{", "the answer is no JSON: at line 1, column 1").await;
    check_body("[]", "the answer has no `repositories`").await;
    let html = [("_catalog", Fault::Html(200))];
    check(&html, "failed: HOST: HOST answered with HTML").await;
}

#[tokio::test]
async fn a_moment_of_trouble_is_waited_out() {
    let all = "library/base: 12\nteam/app: 1 2\nteam/web: latest\n";
    check(&[("_catalog", Fault::status(503))], all).await;
    check(&[("_catalog", Fault::retry_after(429, "0"))], all).await;
    check(&[("team/app/tags", Fault::HangUp)], all).await;
}

/// Whoever is told to wait for long hears for how long, and so does everybody who asks that host.
#[tokio::test]
async fn patience_is_for_all() {
    let registry = registry();
    registry.plan("_catalog", 1, Fault::retry_after(429, "3000"));
    let oci = party("oci", &[("registry", &registry.host())]);
    let directory = oci.directory().unwrap();
    let first = directory.repositories(&[]).await.unwrap_err();
    assert_eq!(first.wait, Some(Duration::from_mins(50)));
    let asked = registry.seen().len();
    let app = directory.repository(directory.registry(), "team/app");
    let other = directory.tags(&app).await.unwrap_err();
    assert!(other.wait.unwrap() > Duration::from_secs(2900));
    assert!(directory.digest(&app, "1").await.unwrap_err().wait.is_some());
    assert_eq!(registry.seen().len(), asked, "nobody was asked");
}

/// HEAD is asked first, and where it tells nothing the manifest itself is.
#[tokio::test]
async fn digests_are_had_by_head() {
    let registry = registry();
    let oci = party("oci", &[("registry", &registry.host())]);
    let directory = oci.directory().unwrap();
    let app = directory.repository(directory.registry(), "team/app");
    let expect = registry.tag("team/app", "1");
    let asked = |from: usize| {
        let seen = registry.seen();
        seen[from..].iter().map(|it| it.method.clone()).collect::<Vec<_>>().join(" ")
    };
    for (fault, expect_asked) in [
        (None, "HEAD"),
        (Some(Fault::status(405)), "HEAD GET"),
        (Some(Fault::status(404)), "HEAD GET"),
        (Some(Fault::Status(200, Vec::new(), String::new())), "HEAD GET"),
    ] {
        let from = registry.seen().len();
        registry.plan("manifests", usize::from(fault.is_some()), fault.unwrap_or(Fault::HangUp));
        let digest = directory.digest(&app, "1").await.unwrap();
        assert_eq!(digest.map(|it| it.to_string()), expect);
        assert_eq!(asked(from), expect_asked);
    }
    assert_eq!(directory.digest(&app, "gone").await.unwrap(), None);
}

#[tokio::test]
async fn a_token_is_got_once_for_a_repository() {
    let registry = registry();
    let stand_in = VendorStandIn::start(Vendor::Harbor, &registry.host());
    let party = party_at(&stand_in, Vendor::Harbor, &[]);
    let directory = party.directory().unwrap();
    let app = directory.repository(directory.registry(), "team/app");
    for _ in 0..5 {
        assert!(directory.digest(&app, "1").await.unwrap().is_some());
    }
    let seen = stand_in.seen();
    let asked = |word: &str| seen.iter().filter(|it| it.path.contains(word)).count();
    assert_eq!((asked("/service/token"), asked("/manifests/")), (1, 6));
}

#[tokio::test]
async fn tokens_that_expire_are_renewed() {
    let registry = FakeRegistry::start();
    for number in 0..150 {
        registry.push("team/app", &format!("v{number}"), &image());
    }
    for vendor in [Vendor::Azure, Vendor::Harbor] {
        let stand_in = VendorStandIn::start(vendor, &registry.host());
        let party = party_at(&stand_in, vendor, &[]);
        let directory = party.directory().unwrap();
        let app = directory.repository(directory.registry(), "team/app");
        assert!(directory.digest(&app, "v1").await.unwrap().is_some());
        stand_in.expire_tokens();
        assert!(directory.digest(&app, "v2").await.unwrap().is_some());
    }
}
