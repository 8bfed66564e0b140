//! A registry that stalls, resets, loops and lies.

use std::sync::Arc;
use std::time::Instant;

use image::{Outgoing, Settings};
use testkit::{FakeRegistry, Fault, image, layer};

use super::{WHOLE, check, hasty, outcome, read, settings, small};

/// What comes of asking for a manifest, or of a layer (`path` says), when this happens so often.
fn check_fault(path: &str, times: usize, fault: Fault, expect: &str) {
    let registry = FakeRegistry::start();
    registry.push("app", "1", &small());
    let path = if path == "layer" { big_layer() } else { path.to_owned() };
    let stalls = matches!(fault, Fault::StallAfter(_) | Fault::Drip);
    registry.plan(&path, times, fault);
    check(&registry, "app:1", if stalls { hasty() } else { settings() }, expect);
}

/// The digest of the layer that is of some size.
fn big_layer() -> String {
    small().blobs().blobs[0].0.clone()
}

const IS_IT: &str = "hint: is HOST a registry, and does no proxy or login page stand before it?";
const RIGHT_NAME: &str = "hint: is HOST the registry's right name?";

#[test]
fn what_passes_is_waited_for() {
    for status in [408, 429, 500, 502, 503, 504] {
        check_fault("manifests", 2, Fault::status(status), WHOLE);
    }
    check_fault("layer", 2, Fault::status(429), WHOLE);
    check_fault("layer", 2, Fault::status(500), WHOLE);
    check_fault("manifests", 1, Fault::retry_after(429, "0"), WHOLE);
    check_fault("manifests", 1, Fault::retry_after(503, "Sun, 06 Nov 1994 08:49:37 GMT"), WHOLE);
    check_fault("manifests", 1, Fault::HangUp, WHOLE);
    check_fault("manifests", 1, Fault::BreakAfter(10), WHOLE);
    check_fault("manifests", 1, Fault::StallAfter(10), WHOLE);
}

#[test]
fn what_does_not_pass_is_told() {
    check_fault(
        "manifests",
        9,
        Fault::status(500),
        "Unavailable: HOST/app:1: HOST answered 500 (tried 3 times)",
    );
    check_fault(
        "manifests",
        9,
        Fault::status(429),
        "Unavailable: HOST/app:1: HOST has had too many requests (tried 3 times)\n\
         hint: log in to be allowed more: docker login HOST",
    );
    check_fault(
        "manifests",
        1,
        Fault::retry_after(429, "3600"),
        "Unavailable: HOST/app:1: HOST has had too many requests; it asks to wait 3600 seconds\n\
         hint: log in to be allowed more: docker login HOST",
    );
    check_fault(
        "manifests",
        9,
        Fault::StallAfter(0),
        "Unavailable: HOST/app:1: HOST sent nothing for 1 s (tried 3 times)\nhint: try again later",
    );
    check_fault(
        "manifests",
        1,
        Fault::status(403),
        "Denied: HOST/app:1: HOST does not give it to everybody\n\
         hint: if it exists, log in: docker login HOST",
    );
    check_fault(
        "manifests",
        1,
        Fault::status(401),
        "Denied: HOST/app:1: HOST does not give it to everybody\n\
         hint: if it exists, log in: docker login HOST",
    );
    check_fault("manifests", 1, Fault::status(418), "Unavailable: HOST/app:1: HOST answered 418");
}

#[test]
fn what_is_not_there() {
    let registry = FakeRegistry::start();
    registry.push("app", "1", &small());
    check(&registry, "app:2", settings(), "NotFound: HOST/app:2: HOST has no such tag or digest");
    check(&registry, "other:1", settings(), "NotFound: HOST/other:1: HOST has no such repository");
    check_fault("manifests", 1, Fault::status(404), "NotFound: HOST/app:1: HOST does not have it");
    check_fault(
        "layer",
        9,
        Fault::Status(404, Vec::new(), r#"{"errors":[{"code":"BLOB_UNKNOWN"}]}"#.into()),
        "NotFound: HOST/app:1: HOST does not have a part of it\nhint: push it again",
    );
}

#[test]
fn nobody_is_there() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    drop(registry);
    let watch = std::sync::Arc::default();
    let error = super::read(&format!("{host}/app:1"), "", settings(), &watch).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("127.0.0.1 cannot be reached: "), "{text}");
    assert!(text.ends_with("(tried 3 times)"), "{text}");
}

#[test]
fn web_pages() {
    let html = format!("Unavailable: HOST/app:1: HOST answered with HTML\n{IS_IT}");
    check_fault("manifests", 1, Fault::Html(200), &html);
    check_fault("manifests", 1, Fault::Html(404), &html);
    check_fault("layer", 1, Fault::Html(200), &html);
    check_fault(
        "manifests",
        9,
        Fault::Html(502),
        &format!("Unavailable: HOST/app:1: HOST answered with HTML (tried 3 times)\n{IS_IT}"),
    );
}

#[test]
fn redirects_lead_no_further_in_than_who_sends_them() {
    let inside = FakeRegistry::start();
    inside.push("app", "1", &small());
    let registry = FakeRegistry::start();
    registry.push("app", "1", &small());
    let rules = |all: &[&str]| Some(Arc::new(Outgoing::only(all.iter().copied()).unwrap()));
    // By one name it is somebody in the world, and by the other somebody near.
    let (world, near) = (registry.host().replace("127.0.0.1", "localhost"), registry.host());
    for (host, redirects, outgoing, may) in [
        (&world, rules(&["localhost"]), None, false),
        (&world, rules(&["*"]), None, true),
        (&world, None, None, true),
        (&near, rules(&["localhost"]), None, true),
        (&world, rules(&["localhost"]), rules(&["localhost", "127.0.0.1"]), true),
    ] {
        let digest = registry.tag("app", "1").unwrap();
        let target = format!("http://{}/v2/app/manifests/{digest}", inside.host());
        let login = format!("Bearer realm=\"http://{}/token\",service=\"x\"", inside.host());
        let login = vec![("WWW-Authenticate".to_owned(), login)];
        // Where tokens are to be had is a place that one is sent to, too.
        for fault in [Fault::Redirect(target), Fault::Status(401, login, String::new())] {
            let before = inside.seen().len();
            registry.plan("manifests", 1, fault);
            let (redirects, outgoing) = (redirects.clone(), outgoing.clone());
            let settings = Settings { redirects, outgoing, ..settings() };
            let found = read(&format!("{host}/app:1"), "", settings, &Arc::default());
            let found = found.map(|it| it.name);
            assert_eq!(inside.seen().len() > before, may, "{host}: {found:?}");
            let why = found.err().map(|it| it.to_string()).unwrap_or_default();
            assert_eq!(why.contains("not in the list of outgoing hosts"), !may, "{why}");
        }
    }
}

#[test]
fn redirects_that_lead_nowhere() {
    let registry = || {
        let registry = FakeRegistry::start();
        registry.push("app", "1", &small());
        registry
    };
    let to = |target: &str, times: usize, expect: &str| {
        let registry = registry();
        let target = target.replace("HOST", &registry.host());
        registry.plan("v2", times, Fault::Redirect(target));
        check(&registry, "app:1", settings(), &format!("{expect}\n{RIGHT_NAME}"));
    };
    to("/v2/app/manifests/1", 9, "Unavailable: HOST/app:1: HOST redirects in a loop");
    to("ftp://HOST/x", 9, "Unavailable: HOST/app:1: HOST redirects to a place without TLS");
    to("http://10.0.0.1/", 9, "Unavailable: HOST/app:1: HOST redirects to a place without TLS");
    to("http://[", 9, "Unavailable: HOST/app:1: HOST redirects to nowhere");

    let endless = registry();
    for number in 1..9 {
        endless.plan("v2", 1, Fault::Redirect(format!("/v2/app/manifests/{number}")));
    }
    let expect = format!("Unavailable: HOST/app:1: HOST redirects over 5 times\n{RIGHT_NAME}");
    check(&endless, "app:0", settings(), &expect.replace("app:1", "app:0"));

    let fair = registry();
    fair.plan("manifests/latest", 1, Fault::Redirect("1".to_owned()));
    check(&fair, "app", settings(), &WHOLE.replace(":1", ":latest"));
}

#[test]
fn manifests_that_are_none() {
    let pushed = |kind: &str, bytes: &[u8], expect: &str| {
        let registry = FakeRegistry::start();
        registry.push_manifest("app", "1", kind, bytes);
        check(&registry, "app:1", settings(), expect);
    };
    let oci = "application/vnd.oci.image.manifest.v1+json";
    pushed(
        oci,
        &vec![b' '; (4 << 20) + 1],
        "Limit: HOST/app:1: HOST answered with more than 4194304 bytes",
    );
    pushed(
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        br#"{"schemaVersion": 1, "fsLayers": []}"#,
        "Unsupported: HOST/app:1: it is an image of docker's schema 1, from before 2017\n\
         hint: pull it with an old docker and push it again",
    );
    pushed(
        oci,
        br#"{"schemaVersion": 2"#,
        "Corrupt: HOST/app:1: its manifest is no JSON (EOF while parsing an object at line 1 \
         column 19)",
    );
    pushed(
        oci,
        b"",
        "Corrupt: HOST/app:1: its manifest is no JSON (EOF while parsing a value at line 1 column 0)",
    );
}

#[test]
fn manifests_that_are_not_what_was_asked_for() {
    let registry = FakeRegistry::start();
    let digest = registry.push("app", "1", &small());
    registry.plan("manifests", 1, Fault::WrongDigest);
    let outcome_ = outcome(&registry, "app:1", settings());
    let expect =
        format!("Corrupt: HOST/app:1: its digest is {digest}, not sha256:{}", "0".repeat(64));
    assert!(outcome_.starts_with(&expect), "{outcome_}");
    registry.plan("manifests", 1, Fault::Spoil);
    let outcome_ = outcome(&registry, &format!("app@{digest}"), settings());
    assert!(outcome_.contains(&format!(", not {digest}")), "{outcome_}");
    let config = &small().blobs().blobs[2].0;
    registry.plan(config, 1, Fault::Spoil);
    let outcome_ = outcome(&registry, "app:1", settings());
    assert!(outcome_.contains(&format!(", not {config}")), "{outcome_}");
}

#[test]
fn broken_downloads_go_on_where_they_broke() {
    let registry = FakeRegistry::start();
    registry.push("app", "1", &small());
    registry.plan(&big_layer(), 1, Fault::BreakAfter(100_000));
    registry.plan(&big_layer(), 1, Fault::StallAfter(100_000));
    check(&registry, "app:1", hasty(), WHOLE);
    let ranges: Vec<Option<String>> = registry
        .seen()
        .into_iter()
        .filter(|it| it.path.contains(&big_layer()))
        .map(|it| it.range)
        .collect();
    let start = |range: &Option<String>| {
        let Some(range) = range else { return 0 };
        let start = range.strip_prefix("bytes=").and_then(|it| it.strip_suffix('-'));
        start.unwrap().parse::<usize>().unwrap()
    };
    let starts: Vec<usize> = ranges.iter().map(start).collect();
    // How much of what was sent before a break arrives is not for us to say, nor is how often a busy
    // machine breaks it.
    assert!(starts.len() >= 3 && starts.is_sorted(), "{starts:?}");
    assert!(starts.first() == Some(&0) && starts.last() > Some(&0), "{starts:?}");
}

#[test]
fn progress_lets_a_download_break_as_often_as_it_must() {
    let registry = FakeRegistry::start();
    registry.push("app", "1", &small());
    for _ in 0..4 {
        registry.plan(&big_layer(), 1, Fault::StallAfter(70_000));
    }
    // Two attempts are allowed without progress.
    check(&registry, "app:1", hasty(), WHOLE);
}

#[test]
fn registries_that_know_no_ranges() {
    let registry = FakeRegistry::start();
    registry.push("app", "1", &small());
    registry.plan(&big_layer(), 1, Fault::BreakAfter(100_000));
    registry.plan(&big_layer(), 1, Fault::IgnoreRange);
    check(&registry, "app:1", hasty(), WHOLE);
    registry.plan(&big_layer(), 1, Fault::StallAfter(100_000));
    registry.plan(&big_layer(), 1, Fault::WrongRange);
    check(&registry, "app:1", hasty(), WHOLE);
    registry.plan(&big_layer(), 1, Fault::StallAfter(100_000));
    registry.plan(&big_layer(), 1, Fault::status(416));
    check(&registry, "app:1", hasty(), WHOLE);
}

#[test]
fn layers_that_are_not_what_was_pushed() {
    let size = small().blobs().blobs[0].2.len();
    check_fault("layer", 1, Fault::Truncate(1000), WHOLE);
    check_fault(
        "layer",
        99,
        Fault::Truncate(0),
        &format!(
            "Corrupt: HOST/app:1: a layer ends after 0 of {size} bytes (tried 3 times)\n\
             hint: push it again"
        ),
    );
    check_fault(
        "layer",
        99,
        Fault::Lengthen(1),
        &format!("Corrupt: HOST/app:1: a layer is longer than the {size} bytes that it may have"),
    );
    let registry = FakeRegistry::start();
    registry.push("app", "1", &small());
    registry.plan(&big_layer(), 1, Fault::Spoil);
    let outcome = outcome(&registry, "app:1", settings());
    let short = &big_layer()[7..19];
    let expect = format!("Corrupt: layer {short} of HOST/app:1: its digest is sha256:");
    assert!(outcome.starts_with(&expect), "{outcome}");
}

#[test]
fn drops_are_no_stream() {
    let registry = FakeRegistry::start();
    registry.push("app", "1", &small());
    let expect = "Unavailable: HOST/app:1: HOST sent nothing for 1 s\nhint: try again later";
    let once = || Settings { retries: 0, ..hasty() };
    registry.plan(&big_layer(), 1, Fault::Drip);
    check(&registry, "app:1", once(), expect);
    registry.plan("manifests", 1, Fault::Drip);
    check(&registry, "app:1", once(), expect);
}

#[test]
fn the_first_error_ends_it_all() {
    let registry = FakeRegistry::start();
    let many = (0..6).fold(image(), |it, number| it.layer(layer().file("n", number.to_string())));
    registry.push("app", "1", &many);
    let blobs = many.blobs().blobs;
    registry.plan(&blobs[0].0, 99, Fault::StallAfter(0));
    registry.plan(&blobs[1].0, 99, Fault::status(403));
    let patience = std::time::Duration::from_mins(1);
    let patient = Settings { stall: patience, ..settings() };
    let began = Instant::now();
    assert!(outcome(&registry, "app:1", patient).starts_with("Denied: "));
    assert!(began.elapsed() < patience);
}

#[test]
fn layers_over_the_limit_are_not_begun() {
    let registry = FakeRegistry::start();
    registry.push("app", "1", &small());
    let limits = tarball::Limits { total: 1000, ..tarball::Limits::default() };
    let expect = "it is over 1000 bytes";
    let outcome = outcome(&registry, "app:1", Settings { limits, ..settings() });
    assert!(outcome.starts_with("Limit: ") && outcome.ends_with(expect), "{outcome}");
}
