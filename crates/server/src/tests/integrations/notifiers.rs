//! Who is told something: configured without a word, tested with one, and never looked at.

use api::Tried;
use testkit::{ReceiverStandIn, Receives};

use super::*;

/// A server that may speak to these.
async fn house(allowed: Option<&[&str]>) -> House {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let start = "2026-11-21T10:00:05Z".parse::<Moment>().unwrap();
    let clock = Arc::new(AtomicI64::new(start.micros()));
    let outgoing = allowed.map(|it| Arc::new(image::Outgoing::only(it.iter().copied()).unwrap()));
    let settings = image::Settings { retries: 0, outgoing, ..image::Settings::default() };
    House::of(app_of("sqlite::memory:", &clock, false, settings).await, clock).await
}

fn shown(configured: &Configured) -> String {
    let word = |it: Tried| match it {
        Tried::Ok => "ok",
        Tried::Warned => "warned",
        Tried::Failed => "failed",
    };
    let lines: Vec<String> = configured
        .checks
        .iter()
        .map(|it| format!("{}: {}: {}", word(it.outcome), it.what, it.detail))
        .collect();
    lines.join("\n")
}

#[tokio::test]
async fn configuring_says_nothing_and_a_test_says_one_thing() {
    for (kind, receives) in [
        ("slack", Receives::Slack),
        ("teams", Receives::Teams),
        ("webhook", Receives::Webhook(String::new())),
    ] {
        let house = house(Some(&["127.0.0.1"])).await;
        let ann = house.client("ann").await;
        let stand_in = ReceiverStandIn::start(receives);
        let made = house.configured(kind, &[("url", &stand_in.url())]).await;
        assert_eq!(made.integration.state, IntegrationState::Connected, "{}", shown(&made));
        assert_eq!(made.integration.secrets, ["url"]);
        house.later(1).await;
        house.later(4000).await;
        assert!(stand_in.heard().is_empty(), "{kind}");

        let tested = ann.try_integration("acme", kind, "ours").await.unwrap();
        let line = "ok: a test message is taken: 127.0.0.1:";
        assert!(shown(&tested).contains(line), "{}", shown(&tested));
        let heard = stand_in.heard();
        let said = String::from_utf8(heard[0].body.clone()).unwrap();
        assert_eq!(heard.len(), 1);
        assert!(said.contains("This is a test of Foretop") && said.contains("acme"), "{said}");

        // What does not work says so, and works again with the next test.
        house.clock.fetch_add(1_000_000, Ordering::SeqCst);
        stand_in.plan(Fault::Status(404, Vec::new(), "no_service".to_owned()));
        let tested = ann.try_integration("acme", kind, "ours").await.unwrap();
        assert_eq!(tested.integration.state, IntegrationState::Error);
        let why = house.state(kind).await.1;
        assert!(why.starts_with("a test message is taken: 127.0.0.1:"), "{why}");
        assert!(why.contains("404") && !why.contains(ReceiverStandIn::SECRET), "{why}");
        house.clock.fetch_add(1_000_000, Ordering::SeqCst);
        ann.try_integration("acme", kind, "ours").await.unwrap();
        assert_eq!(house.state(kind).await.0, IntegrationState::Connected);

        // Nowhere is the address to be seen.
        let list = serde_json::to_string(&ann.integrations("acme").await.unwrap()).unwrap();
        let events = ann.events("acme", &EventQuery::default()).await.unwrap();
        let events = serde_json::to_string(&events).unwrap();
        for text in [list, events, format!("{tested:?}")] {
            assert!(!text.contains("vErYs3cReT"), "{text}");
        }
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let house = house(None).await;
    let ann = house.client("ann").await;
    let refused = async |kind: &str, parameters: &[(&str, &str)]| {
        let made = ann.configure_integration("acme", kind, "ours", &told(parameters)).await;
        made.unwrap_err().to_string()
    };
    let url = ("url", "https://hooks.slack.com/services/T0/B0/s3cret");
    for (kind, parameters, expect) in [
        ("slack", &[][..], "parameters: url: it must be told"),
        ("slack", &[("url", "s3cret")], "url: it is no URL"),
        (
            "slack",
            &[url, ("template", "{{ titel }}")],
            "template: the template fails: undefined value in line 1",
        ),
        (
            "slack",
            &[("url", "https://169.254.169.254/s3cret")],
            "169.254.169.254: it is a link-local address",
        ),
        ("slack", &[("url", "https://localhost/s3cret")], "localhost: it is this machine itself"),
        ("webhook", &[url, ("secret", "s3cret!")], "secret: it is no Base64 after whsec_"),
        (
            "email",
            &[("host", "mail.example"), ("from", "x"), ("to", "y@z.example")],
            "from: `x` is no address",
        ),
    ] {
        let why = refused(kind, parameters).await;
        assert!(why.starts_with(expect) && !why.contains("s3cret"), "{why}");
    }
    assert!(ann.integrations("acme").await.unwrap().items.is_empty());
}

/// Who may spend the headers of a channel may not send them elsewhere.
#[tokio::test]
async fn secrets_stay_with_their_address() {
    let house = house(Some(&["127.0.0.1"])).await;
    let ann = house.client("ann").await;
    let (here, there) =
        (ReceiverStandIn::start(Receives::Anything), ReceiverStandIn::start(Receives::Anything));
    let first = [("url", here.url()), ("headers", "x-key: s3cret".to_owned())];
    let first: Vec<(&str, &str)> = first.iter().map(|(key, it)| (*key, it.as_str())).collect();
    house.configured("webhook", &first).await;
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    let moved = told(&[("url", &there.url())]);
    let why = ann.configure_integration("acme", "webhook", "ours", &moved).await.unwrap_err();
    assert_eq!(why.to_string(), "parameters: headers: it was told for another address");
    // A template is no address: with another one, nothing need be told again.
    house.clock.fetch_add(1_000_000, Ordering::SeqCst);
    let made = house.configured("webhook", &[("template", "{{ title }}")]).await;
    assert_eq!(made.integration.secrets, ["headers", "url"]);
    ann.try_integration("acme", "webhook", "ours").await.unwrap();
    let heard = here.heard();
    assert!(heard[0].headers.contains(&("x-key".to_owned(), "s3cret".to_owned())));
    assert!(there.heard().is_empty());
}

/// With a list, registries are reached as it says, too.
#[tokio::test]
async fn registries_obey_the_list() {
    let house = house(Some(&["hooks.slack.com"])).await;
    let ann = house.client("ann").await;
    let host = house.registry.host();
    let made = told(&[("registry", host.as_str())]);
    let error = ann.configure_integration("acme", "oci", "ours", &made).await.unwrap_err();
    assert_eq!(error.to_string(), "127.0.0.1: it is not in the list of outgoing hosts");
    let problem = error.problem().unwrap();
    assert!(
        problem.hint.as_deref().unwrap_or_default().contains("--outgoing 127.0.0.1"),
        "{problem:?}"
    );
    assert!(house.registry.seen().is_empty());
}
