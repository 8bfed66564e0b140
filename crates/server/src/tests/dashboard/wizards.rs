//! Integrations on pages: each is connected step by step, tried, changed, and let go of.

use serde_json::Value as Json;
use testkit::{FakeRegistry, Running, SysdigStandIn};

use super::{Browser, House};

impl House {
    /// One that asks others.
    async fn online() -> (Self, Browser, Browser) {
        // Two providers are linked, so somebody has to say which.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let house = Self::with(false, false).await;
        let ann = house.settled().await;
        let bob = house.somebody(&ann, "bob", "acme", "member").await;
        (house, ann, bob)
    }

    /// The state of an integration, as the API tells it.
    async fn state(&self, ann: &Browser, which: &str) -> String {
        let it = self.api(ann, &format!("GET /orgs/acme/integrations/{which}"), Json::Null).await;
        it["state"].as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn a_registry_is_connected_step_by_step_and_let_go_of() {
    let (house, ann, bob) = House::online().await;
    let registry = FakeRegistry::start();
    let host = registry.host();
    let kind = "/o/acme/integrations/distribution";
    let page = house.look(&ann, kind).await.text;
    assert!(page.contains("aria-current=\"step\"") && page.contains("name=\"registry\""), "{page}");
    let step = |number: &'static str| [("step", number), ("name", "ours")];
    let send = async |who: &Browser, fields: &[(&str, &str)]| {
        house.fill_in(who, "same-origin", kind, fields).await
    };
    let where_it_is = [&step("0")[..], &[("registry", &*host), ("password", "hush hush")]].concat();
    assert_eq!(send(&bob, &where_it_is).await.status, 403);
    assert!(!house.look(&bob, kind).await.text.contains("<form method=\"post\" action=\"/o"));
    // What does not work says why, and goes no further.
    let wrong = [&step("0")[..], &[("registry", "127.0.0.1:1")]].concat();
    let answer = send(&ann, &wrong).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.text.contains("It does not work: registry reachable"), "{}", answer.text);
    assert!(answer.text.contains("value=\"127.0.0.1:1\""), "{}", answer.text);
    let answer = send(&ann, &where_it_is).await;
    let next = format!("{kind}?name=ours&step=1");
    assert_eq!((answer.status, answer.header("location")), (303, &*next), "{}", answer.text);
    // A secret is never shown again, and stays where nothing is said of it.
    let page = house.look(&ann, &format!("{kind}?name=ours&step=0")).await.text;
    assert!(!page.contains("hush hush") && page.contains("told already; empty keeps it"), "{page}");
    let answer = send(&ann, &[&step("1")[..], &[("include", "acme/*")]].concat()).await;
    assert_eq!(answer.header("location"), format!("{kind}?name=ours&step=2"), "{}", answer.text);
    let answer = send(&ann, &[&step("2")[..], &[("webhook-auth", "0123456789")]].concat()).await;
    assert_eq!(answer.header("location"), format!("{kind}?done=ours"), "{}", answer.text);
    let page = house.look(&ann, &format!("{kind}?done=ours")).await.text;
    assert!(page.contains("is connected.") && page.contains("connected"), "{page}");
    assert_eq!(house.state(&ann, "distribution/ours").await, "connected");
    // Its page: tried; where webhooks go is told to who asks, and on no page that is looked at.
    let one = format!("{kind}/ours");
    let page = house.look(&ann, &one).await.text;
    assert!(page.contains("acme/*") && !page.contains("/hooks/"), "{page}");
    assert!(!page.contains("hush hush") && !page.contains("0123456789"), "{page}");
    let tried = house.fill_in(&ann, "same-origin", &one, &[("do", "try")]).await.text;
    assert!(tried.contains("Tried just now"), "{tried}");
    let address = house.fill_in(&ann, "same-origin", &one, &[("do", "address")]).await.text;
    assert!(address.contains("/hooks/distribution/"), "{address}");
    for form in [[("do", "try")], [("do", "address")], [("do", "renew")]] {
        assert_eq!(house.fill_in(&bob, "same-origin", &one, &form).await.status, 403, "{form:?}");
    }
    // Nothing is removed that nobody was asked about.
    let asked = house.fill_in(&ann, "same-origin", &one, &[("do", "remove")]).await;
    assert_eq!(asked.header("location"), format!("{one}?remove=1"));
    assert!(house.look(&ann, &format!("{one}?remove=1")).await.text.contains("Keep it"));
    let sure = [("do", "remove"), ("sure", "yes")];
    assert_eq!(house.fill_in(&bob, "same-origin", &one, &sure).await.status, 403);
    assert_eq!(house.fill_in(&ann, "cross-site", &one, &sure).await.status, 403);
    let gone = house.fill_in(&ann, "same-origin", &one, &sure).await;
    assert!(gone.status == 200 && gone.text.contains("is let go of"), "{}", gone.text);
    assert_eq!(house.look(&ann, &one).await.status, 404);
}

#[tokio::test]
async fn azure_is_deployed_and_its_token_pasted_and_what_stays_there_is_named() {
    let (house, ann, _) = House::online().await;
    let registry = FakeRegistry::start();
    let host = registry.host();
    let kind = "/o/acme/integrations/azure";
    let send =
        async |fields: &[(&str, &str)]| house.fill_in(&ann, "same-origin", kind, fields).await;
    let named = [("step", "0"), ("name", "default"), ("registry", &*host)];
    let answer = send(&named).await;
    let location = answer.header("location").to_owned();
    assert_eq!(location, format!("{kind}?name=default&step=1"), "{}", answer.text);
    let page = house.look(&ann, &location).await.text;
    let template = "/api/v1/orgs/acme/integrations/azure/default/template?format=json";
    assert!(page.contains("Deploy to Azure") && page.contains(template), "{page}");
    let template = house.look(&ann, template).await;
    assert!(template.text.contains("docker-scout-readonly-token"), "{}", template.text);
    let pasted = [("step", "2"), ("name", "default"), ("password", "a pasted token")];
    let answer = send(&pasted).await;
    assert_eq!(answer.header("location"), format!("{kind}?done=default"), "{}", answer.text);
    assert_eq!(house.state(&ann, "azure/default").await, "connected");
    // All of Azure's are on one page.
    let page = house.look(&ann, &format!("{kind}?done=default")).await.text;
    assert!(page.contains("is connected.") && page.contains(&host), "{page}");
    assert!(!page.contains("a pasted token"), "{page}");
    let one = format!("{kind}/default");
    let page = house.look(&ann, &format!("{one}?remove=1")).await.text;
    for name in ["docker-scout-readonly-token", "docker-scout-repository"] {
        assert!(page.contains(name), "{page}");
    }
    let sure = [("do", "remove"), ("sure", "yes")];
    let gone = house.fill_in(&ann, "same-origin", &one, &sure).await.text;
    for name in ["docker-scout-readonly-token", "docker-scout-repository"] {
        assert!(gone.contains(name), "{gone}");
    }
}

#[tokio::test]
async fn sysdig_lists_its_clusters_and_a_wrong_token_goes_no_further() {
    let (house, ann, bob) = House::online().await;
    let sysdig = SysdigStandIn::start();
    sysdig.runs("prod-eu", &[Running::default()]);
    sysdig.runs("prod-us", &[]);
    let url = sysdig.url();
    let kind = "/o/acme/integrations/sysdig";
    let send =
        async |fields: &[(&str, &str)]| house.fill_in(&ann, "same-origin", kind, fields).await;
    // A name first, and nothing is kept by that.
    let answer = send(&[("step", "0"), ("name", "prod")]).await;
    assert_eq!(answer.header("location"), format!("{kind}?name=prod&step=1"), "{}", answer.text);
    let page = house.look(&ann, answer.header("location")).await.text;
    assert!(page.contains("name=\"token\"") && page.contains("<option>us1</option>"), "{page}");
    let told = |token: &'static str| {
        [("step", "1"), ("name", "prod"), ("url", &*url), ("token", token)]
            .map(|(key, it)| (key, it.to_owned()))
    };
    let token = async |token: &'static str| {
        let told = told(token);
        let told: Vec<(&str, &str)> = told.iter().map(|(key, it)| (*key, it.as_str())).collect();
        send(&told).await
    };
    let answer = token("wrong").await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.text.contains("It does not work: token accepted"), "{}", answer.text);
    assert!(!answer.text.contains("name=\"cluster\""), "{}", answer.text);
    let answer = token(SysdigStandIn::TOKEN).await;
    let location = answer.header("location").to_owned();
    assert_eq!(location, format!("{kind}?name=prod&step=2"), "{}", answer.text);
    let page = house.look(&ann, &location).await.text;
    assert!(
        page.contains("<option>prod-eu</option><option>prod-us</option>")
            || (page.contains(">prod-eu</option>") && page.contains(">prod-us</option>")),
        "{page}"
    );
    assert_eq!(send(&[("step", "2"), ("name", "prod"), ("cluster", "")]).await.status, 400);
    let answer = send(&[("step", "2"), ("name", "prod"), ("cluster", "prod-eu")]).await;
    let location = answer.header("location").to_owned();
    assert_eq!(location, format!("{kind}?name=prod&step=3"), "{}", answer.text);
    assert_eq!(house.state(&ann, "sysdig/prod").await, "pending");
    // The environment: one that is there, or a new one.
    let line = "POST /orgs/acme/environments";
    house.api(&ann, line, serde_json::json!({ "name": "staging" })).await;
    let page = house.look(&ann, &location).await.text;
    assert!(page.contains("<option>staging</option>"), "{page}");
    let placed =
        [("step", "3"), ("name", "prod"), ("environment", ""), ("new-environment", "production")];
    let answer = send(&placed).await;
    assert_eq!(answer.header("location"), format!("{kind}?done=prod"), "{}", answer.text);
    assert_eq!(house.state(&ann, "sysdig/prod").await, "connected");
    // That cluster is nobody else's any more.
    let other = [("step", "1"), ("name", "other"), ("url", &*url), ("token", SysdigStandIn::TOKEN)];
    assert_eq!(send(&other).await.status, 303);
    let page = house.look(&ann, &format!("{kind}?name=other&step=2")).await.text;
    assert!(page.contains("prod-eu (that of prod already)"), "{page}");
    assert_eq!(house.look(&bob, &format!("{kind}/prod")).await.status, 200);
    let asked = house.look(&bob, "/api/v1/orgs/acme/integrations/sysdig/prod/clusters").await;
    assert_eq!(asked.status, 403);
}

#[tokio::test]
async fn every_kind_has_its_way_and_a_channel_is_one_step() {
    let (house, ann, bob) = House::online().await;
    let all = house.look(&ann, "/o/acme/integrations").await.text;
    for kind in integration::ALL {
        let path = format!("/o/acme/integrations/{}", kind.id);
        assert!(all.contains(&format!("href=\"{path}\"")), "{path}");
        let page = house.look(&ann, &path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        assert!(page.text.contains("<button>"), "{path}: {}", page.text);
        let members = house.look(&bob, &path).await.text;
        assert!(!members.contains("<form method=\"post\" action=\"/o"), "{path}: {members}");
    }
    assert_eq!(house.look(&ann, "/o/acme/integrations/nobody").await.status, 404);
    let path = "/o/acme/integrations/slack";
    let form = [("step", "0"), ("name", "team"), ("url", "not a URL")];
    let answer = house.fill_in(&ann, "same-origin", path, &form).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.text.contains("role=\"alert\""), "{}", answer.text);
    assert!(!answer.text.contains("not a URL"), "an address is a secret: {}", answer.text);
}
