//! Who may be spoken to, and who may not.

use testkit::{FakeRegistry, ReceiverStandIn, Receives};

use super::{PATIENT, connected, message, say, shown, ways_of};

/// Why it does not connect, or what its checks say.
async fn tried(kind: &str, settings: &[(&str, &str)], allowed: Option<&[&str]>) -> String {
    let ways = ways_of(allowed, PATIENT);
    match connected(kind, settings, &ways) {
        Err(error) => format!("refused: {error} [{}]", error.hint().unwrap_or_default()),
        Ok(party) => {
            let checks = party.notifier().unwrap().checks().await;
            format!("{:?}", checks[0].outcome)
        }
    }
}

#[tokio::test]
async fn without_a_list_nobody_near_is_spoken_to() {
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "10.0.0.1",
        "0.0.0.0",
        "192.168.1.1:8080",
        "2130706433",
        "0x7f.1",
        "127.1",
    ] {
        for kind in ["slack", "teams", "webhook"] {
            let url = format!("https://{host}/s3cret-path?s3cret-query=1");
            let told = tried(kind, &[("url", &url)], None).await;
            assert!(told.starts_with("refused: "), "{host}: {told}");
            assert!(told.contains("--outgoing") && !told.contains("s3cret"), "{host}: {told}");
        }
    }
    for host in ["127.0.0.1", "localhost", "::1", "169.254.169.254"] {
        let mail = [("host", host), ("from", "a@a.example"), ("to", "b@b.example")];
        let told = tried("email", &mail, None).await;
        assert!(told.starts_with("refused: ") && told.contains("--outgoing"), "{host}: {told}");
    }
    // What this means shows only when somebody looks where it leads.
    let mail = [("host", "127.1"), ("from", "a@a.example"), ("to", "b@b.example")];
    let told = tried("email", &mail, None).await;
    assert!(told.contains("it leads to 127.0.0.1, which is this machine itself"), "{told}");
    let ways = ways_of(None, PATIENT);
    let party = connected("email", &mail, &ways).unwrap_or_else(|why| panic!("{why}"));
    let told = shown(&say(&*party, &message()).await);
    assert_eq!(told, "close: 127.1: it leads to 127.0.0.1, which is this machine itself");
}

#[tokio::test]
async fn with_a_list_only_who_is_named() {
    let stand_in = ReceiverStandIn::start(Receives::Slack);
    let url = stand_in.url();
    let named = url.replace("127.0.0.1", "localhost");
    for (url, allowed, may) in [
        (&url, &["127.0.0.1"][..], true),
        (&url, &["127.0.0.0/8"], true),
        (&url, &["*"], true),
        (&url, &["hooks.slack.com", "10.0.0.0/8"], false),
        (&url, &["localhost"], false),
        (&url, &[], false),
        (&named, &["localhost"], true),
        (&named, &["127.0.0.0/8", "::1"], true),
        (&named, &["10.0.0.0/8"], false),
        (&named, &["*.localhost"], false),
    ] {
        let told = tried("slack", &[("url", url)], Some(allowed)).await;
        assert_eq!(told.starts_with("Ok"), may, "{url} {allowed:?}: {told}");
        assert!(may || told.contains("--outgoing"), "{told}");
        if let Ok(party) = connected("slack", &[("url", url)], &ways_of(Some(allowed), PATIENT)) {
            let told = shown(&say(&*party, &message()).await);
            assert_eq!(told.starts_with("told: "), may, "{url} {allowed:?}: {told}");
            assert!(may || told.starts_with("close: "), "{told}");
        }
    }
}

/// A list holds for registries, too; without one they may be anywhere, as they always were.
#[tokio::test]
async fn registries_are_reached_as_the_list_says() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let check = async |allowed: Option<&[&str]>| {
        let party = connected("oci", &[("registry", &host)], &ways_of(allowed, PATIENT));
        let party = party.unwrap_or_else(|why| panic!("{why}"));
        let checks = party.directory().unwrap().checks().await;
        format!("{:?}", checks[0].outcome)
    };
    assert!(check(None).await.starts_with("Ok"));
    assert!(check(Some(&["127.0.0.0/8"])).await.starts_with("Ok"));
    let told = check(Some(&["registry.example"])).await;
    assert!(told.starts_with("Failed") && told.contains("--outgoing"), "{told}");
}

#[tokio::test]
async fn without_tls_only_where_somebody_trusts_the_way() {
    let plain = [("url", "http://hooks.example/s3cret-path")];
    let told = tried("slack", &plain, None).await;
    assert!(told.starts_with("refused: hooks.example: it is without TLS"), "{told}");
    let told = tried("slack", &plain, Some(&["*.example"])).await;
    assert!(told.contains("its name is not found"), "{told}");
    for url in
        ["s3cret", "ftp://a.example/s3cret", "https://", "file:///s3cret", "https://a b/s3cret"]
    {
        let told = tried("webhook", &[("url", url)], None).await;
        assert!(told.starts_with("refused: url: ") && !told.contains("s3cret"), "{told}");
    }
    let mail = [
        ("host", "mail.example"),
        ("from", "a@a.example"),
        ("to", "b@b.example"),
        ("tls", "none"),
        ("user", "ada"),
        ("password", "s3cret"),
    ];
    let told = tried("email", &mail, None).await;
    assert!(told.starts_with("refused: tls: the password would be sent"), "{told}");
}
