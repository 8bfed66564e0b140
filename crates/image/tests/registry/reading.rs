//! What is read from a registry that behaves.

use std::sync::Arc;

use testkit::{AttestationForm, FakeRegistry, Guard, image, index, layer};

use super::{WHOLE, Watch, check, outcome, read, settings, show_error, small};

fn platforms() -> testkit::IndexBuilder {
    index()
        .image("linux/amd64", image().layer(layer().file("a", "amd64")))
        .attestation(AttestationForm::Legacy, "https://spdx.dev/Document")
        .image("linux/arm64", image().layer(layer().file("a", "arm64")))
        .attestation(AttestationForm::Artifact, "https://slsa.dev/provenance/v1")
        .image("linux/arm/v6", image().layer(layer().file("a", "armv6")))
}

/// What of an index is read for `platform`.
fn check_platform(name: &str, platform: &str, expect: &str) {
    let registry = FakeRegistry::start();
    registry.push_index("app", "1", &platforms());
    registry.push_index("nested", "1", &index().nested(&index().nested(&platforms())));
    let watch = Arc::new(Watch::default());
    let found = read(&format!("{}/{name}", registry.host()), platform, settings(), &watch);
    let shown = found.map_or_else(
        |error| show_error(&error),
        |found| {
            assert!(found.index.is_some());
            assert_ne!(found.index, found.digest);
            let stated: Vec<&str> = found
                .attestations
                .iter()
                .flat_map(|it| it.predicate_types.iter().map(String::as_str))
                .collect();
            format!("{} {}", found.platform, stated.join(" "))
        },
    );
    assert_eq!(shown.replace(&registry.host(), "HOST"), expect);
}

#[test]
fn a_whole_image() {
    let registry = FakeRegistry::start();
    let digest = registry.push("app", "1", &small());
    check(&registry, "app:1", settings(), WHOLE);

    let watch = Arc::new(Watch::default());
    let name = format!("{}/app:1", registry.host());
    let found = read(&name, "", settings(), &watch).unwrap();
    assert_eq!(found.digest.as_ref().unwrap().to_string(), digest);
    assert_eq!(found.index, None);
    assert_eq!(found.tags, [name]);
    assert!(found.raw_manifest.is_some() && found.raw_config.is_some());
    let sizes: u64 = found.layers.iter().filter_map(|it| it.size).sum();
    assert_eq!(found.size, sizes);
    assert_eq!(*watch.expected.lock().unwrap(), sizes);
    assert_eq!(*watch.came.lock().unwrap(), sizes);
}

#[test]
fn by_digest() {
    let registry = FakeRegistry::start();
    let digest = registry.push("app", "1", &small());
    let whole = WHOLE.replace(":1", &format!("@{digest}"));
    check(&registry, &format!("app@{digest}"), settings(), &whole);
    // The tag beside a digest is not asked for, so nothing is known about it.
    let named = format!("app:nonsense@{digest}");
    let whole = WHOLE.replace(":1", &format!(":nonsense@{digest}"));
    check(&registry, &named, settings(), &whole);
    let index = registry.push_index("index", "1", &platforms());
    let watch = Arc::new(Watch::default());
    let name = format!("{}/index@{index}", registry.host());
    let found = read(&name, "linux/arm64", settings(), &watch).unwrap();
    assert_eq!(found.index.unwrap().to_string(), index);
    assert_eq!(found.tags, [""; 0]);
}

#[test]
fn by_platform() {
    check_platform("app:1", "linux/amd64", "linux/amd64 https://spdx.dev/Document");
    check_platform("app:1", "linux/arm64/v8", "linux/arm64 https://slsa.dev/provenance/v1");
    check_platform("app:1", "linux/arm/v7", "linux/arm ");
    check_platform("nested:1", "linux/arm64", "linux/arm64 https://slsa.dev/provenance/v1");
    check_platform(
        "app:1",
        "windows/amd64",
        "NotFound: HOST/app:1: there is none for windows/amd64; there is linux/amd64, linux/arm64, \
         linux/arm/v6\nhint: choose one of these with --platform",
    );
}

#[test]
fn an_image_for_another_platform_is_refused_only_when_one_is_asked_for() {
    let registry = FakeRegistry::start();
    registry.push("app", "1", &small().platform("linux", "s390x"));
    let name = format!("{}/app:1", registry.host());
    let watch = Arc::new(Watch::default());
    assert!(read(&name, "", settings(), &watch).is_ok());
    let error = read(&name, "linux/amd64", settings(), &watch).unwrap_err();
    let expect = format!("{name}: there is none for linux/amd64; it is for linux/s390x");
    assert_eq!(error.to_string(), expect);
}

#[test]
fn what_is_known_is_not_read_and_nothing_is_read_twice() {
    let registry = FakeRegistry::start();
    let twice = || layer().file("same", "bytes");
    registry.push("app", "1", &image().layer(twice()).layer(twice()).layer(layer().file("b", "")));
    let name = format!("{}/app:1", registry.host());
    let watch = Arc::new(Watch::default());
    let found = read(&name, "", settings(), &watch).unwrap();
    let layers = watch.layers.lock().unwrap();
    assert_eq!(layers.values().map(Vec::len).collect::<Vec<_>>(), [1, 1]);

    let known = layers.keys().cloned().collect();
    drop(layers);
    let asked = registry.seen().len();
    let watch = Arc::new(Watch { known, ..Watch::default() });
    assert_eq!(read(&name, "", settings(), &watch).unwrap(), found);
    assert_eq!(*watch.expected.lock().unwrap(), 0);
    // The manifest and the configuration, and that is all.
    assert_eq!(registry.seen().len() - asked, 2);
}

#[test]
fn with_tls_and_an_authority_of_its_own() {
    let registry = FakeRegistry::start_with_tls().guarded(Guard::Anonymous);
    registry.push("app", "1", &small());
    let trusting = || image::Settings {
        certificate_authorities: vec![FakeRegistry::authority()],
        ..settings()
    };
    check(&registry, "app:1", trusting(), WHOLE);
    let outcome = outcome(&registry, "app:1", settings());
    let start = "Unavailable: HOST/app:1: 127.0.0.1 cannot prove who it is: ";
    assert!(outcome.starts_with(start), "{outcome}");
    let nonsense = image::Settings {
        certificate_authorities: vec![concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into()],
        ..settings()
    };
    let watch = Arc::new(Watch::default());
    let error = read("registry.invalid/app", "", nonsense, &watch).unwrap_err();
    let text = error.to_string();
    assert!(text.ends_with("Cargo.toml: it holds no certificate in PEM form"), "{text}");
}

#[test]
fn a_name_that_is_none() {
    let watch = Arc::new(Watch::default());
    let check = |name: &str, expect: &str| {
        assert_eq!(show_error(&read(name, "", settings(), &watch).unwrap_err()), expect);
    };
    check(
        "Debian",
        "Invalid: `Debian` is not an image reference: a repository's name is lower case\n\
         hint: name it like this: debian:12, registry.example/team/name:tag",
    );
    check(
        "localhost:99999/app",
        "Invalid: localhost:99999/app:latest: `localhost:99999` is no host: invalid port number",
    );
}
