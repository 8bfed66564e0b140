//! What policies ask registries: answered as the registry has it, and never guessed.

use std::sync::Arc;

use attestation::Key;
use gate::{Beside, Keys, World};
use image::{Attached, Credentials, Settings};
use model::{Inventory, Reference, Secret, Subject};
use policy::Outside as _;
use serde_json::{Value, json};
use testkit::{AttestationForm, FakeRegistry, Fault, Guard, image, index, layer};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const SPDX: &str = "https://spdx.dev/Document";

struct Nobody;

impl Keys for Nobody {
    fn named(&self, name: &str) -> Result<Key, String> {
        Err(format!("{name}: there is no such key"))
    }
}

/// Asks, in a world where registries answer.
fn asked<T>(ask: impl FnOnce(&World<'_>) -> T) -> T {
    let settings = Settings { retries: 0, ..Settings::default() };
    asked_with(Some(Arc::new(settings)), ask)
}

/// Asks; without settings, in a world where no registry is asked.
fn asked_with<T>(settings: Option<Arc<Settings>>, ask: impl FnOnce(&World<'_>) -> T) -> T {
    asked_about(&Beside::default(), (settings, false), ask)
}

/// Asks, of an image beside which that is stated.
fn asked_about<T>(
    beside: &Beside,
    (settings, guarded): (Option<Arc<Settings>>, bool),
    ask: impl FnOnce(&World<'_>) -> T,
) -> T {
    let runtime = tokio::runtime::Runtime::new().expect("there are threads");
    let runtime = runtime.handle().clone();
    ask(&World { runtime, settings, keys: &Nobody, beside, guarded })
}

#[test]
fn a_registry_that_is_not_where_the_image_is() {
    let (registry, [_, first, _, alone]) = registry();
    let registry = registry.guarded(Guard::Basic("ann".to_owned(), "pr00f".to_owned()));
    let name = format!("{}/tea:alone", registry.host());
    let password = Secret::new("pr00f");
    let login = Credentials::Basic { user: "ann".to_owned(), password };
    let settings = Settings { retries: 0, credentials: Some(login), ..Settings::default() };
    let settings = Some(Arc::new(settings));
    let inventory = Inventory {
        subject: Subject::Image(Box::default()),
        distro: None,
        packages: Vec::new(),
        statements: Vec::new(),
        gaps: Vec::new(),
    };
    let beside = |host: &str| {
        let found: Reference = format!("{host}/web:1").parse().expect("it is a name");
        Beside::of(&inventory, Some(&found), || Ok(Attached::default()))
    };
    // Where the image is, it is asked as all registries are.
    for guarded in [false, true] {
        let told = asked_about(&beside(&registry.host()), (settings.clone(), guarded), |world| {
            world.image_digest(&name)
        });
        assert_eq!(told.unwrap(), Some(alone.clone()));
    }
    let before = registry.seen().len();
    for beside in [beside("other.example"), Beside::default()] {
        asked_about(&beside, (settings.clone(), false), |world| {
            assert!(world.image_digest(&name).is_err());
            assert!(world.index(&name, &first).is_err());
        });
        assert!(registry.seen()[before..].iter().all(|it| it.authorization.is_none()));
        assert!(registry.seen().len() > before);
    }
    // Nor is it asked at all by who is where others are not.
    let before = registry.seen().len();
    let told =
        asked_about(&beside("other.example"), (settings, true), |world| world.image_digest(&name));
    assert!(told.is_err(), "{told:?}");
    assert_eq!(registry.seen().len(), before);
}

/// A registry with an index of two images, an attestation beside the first, and one image alone.
fn registry() -> (FakeRegistry, [String; 4]) {
    let registry = FakeRegistry::start().with_referrers();
    let one = || image().layer(layer().file("etc/tea", "tea"));
    let both = index()
        .image("linux/amd64", one())
        .attestation(AttestationForm::Artifact, SPDX)
        .image("linux/arm64", one());
    let whole = registry.push_index("tea", "1", &both);
    let other = image().layer(layer().file("etc/cup", "cup"));
    let alone = registry.push("tea", "alone", &other);
    let listed = registry.blob("tea", &whole).expect("it was pushed");
    let listed: Value = serde_json::from_slice(&listed).expect("it is an index");
    let digest =
        |at: usize| listed["manifests"][at]["digest"].as_str().unwrap_or_default().to_owned();
    let (attestation, first) = (digest(0), digest(1));
    (registry, [whole, first, attestation, alone])
}

#[test]
fn the_index_of_an_image() {
    let (registry, [whole, first, _, alone]) = registry();
    let name = |tag: &str| format!("{}/tea:{tag}", registry.host());
    asked(|world| {
        let found = world.index(&name("1"), &first).unwrap().unwrap();
        assert_eq!(found["manifests"].as_array().unwrap().len(), 3, "{found}");
        assert_eq!(world.index(&name("1"), &whole).unwrap(), Some(found));
        assert_eq!(world.index(&name("alone"), &alone).unwrap(), None);
        let why = world.index(&name("1"), &alone).unwrap_err();
        assert!(why.contains("leads elsewhere by now"), "{why}");
        let other = format!("sha256:{}", "7".repeat(64));
        assert_eq!(world.index(&name("1"), &other).unwrap(), None);
        let why = world.index(&name("1"), "sha256:short").unwrap_err();
        assert!(why.starts_with("sha256:short: "), "{why}");
        assert!(world.index("N:", &first).is_err());
    });
}

#[test]
fn what_refers_to_an_image() {
    let (registry, [_, first, attestation, alone]) = registry();
    let name = format!("{}/tea:1", registry.host());
    // More than the stand-in lists on one page.
    for number in 0..5 {
        let about = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": format!("x/{number}"),
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": first, "size": 2 },
            "layers": [], "subject": { "mediaType": MANIFEST, "digest": first, "size": 1 },
        });
        registry.push_manifest(
            "tea",
            &format!("about{number}"),
            MANIFEST,
            about.to_string().as_bytes(),
        );
    }
    asked(|world| {
        let found = world.referrer_index(&name, &first).unwrap().unwrap();
        let listed = found["manifests"].as_array().unwrap();
        assert!(listed.len() >= 5, "{found}");
        assert_eq!(world.referrer_index(&name, &alone).unwrap(), None);
        let found = world.referrer_by_digest(&name, &attestation).unwrap().unwrap();
        assert_eq!(found["statement"]["predicateType"], SPDX, "{found}");
        assert_eq!(found["manifest"]["subject"]["digest"], json!(first), "{found}");
        assert_eq!(found["image"], json!(format!("{}/tea@{attestation}", registry.host())));
        assert_eq!(found["envelope"], Value::Null);
        let other = format!("sha256:{}", "7".repeat(64));
        assert_eq!(world.referrer_by_digest(&name, &other).unwrap(), None);
        // An image states nothing, and is what lies there all the same.
        let found = world.referrer_by_digest(&name, &alone).unwrap().unwrap();
        assert_eq!(found.get("statement"), None, "{found}");
    });
}

#[test]
fn a_registry_that_does_not_know_referrers_lists_them_under_a_tag() {
    let registry = FakeRegistry::start();
    let alone = registry.push("tea", "1", &image().layer(layer().file("etc/tea", "tea")));
    let name = format!("{}/tea:1", registry.host());
    let ask = || asked(|world| world.referrer_index(&name, &alone).unwrap());
    assert_eq!(ask(), None);
    let list = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [
        { "mediaType": MANIFEST, "digest": alone, "size": 1, "artifactType": "x/y" },
    ]});
    let tag = alone.replace(':', "-");
    registry.push_manifest("tea", &tag, INDEX, list.to_string().as_bytes());
    assert_eq!(ask().unwrap()["manifests"][0]["artifactType"], "x/y");
}

#[test]
fn what_makes_no_sense_is_no_answer() {
    let (registry, [_, first, attestation, _]) = registry();
    let name = format!("{}/tea:1", registry.host());
    for junk in [&b"{"[..], b"[]", b"{\"manifests\": 1}", b"junk"] {
        registry.push_manifest("tea", "junk", INDEX, junk);
        let name = format!("{}/tea:junk", registry.host());
        asked(|world| {
            assert!(world.index(&name, &first).is_err(), "{junk:?}");
        });
    }
    for fault in [Fault::Spoil, Fault::status(500), Fault::Html(200)] {
        registry.plan(&attestation, 100, fault);
        asked(|world| {
            let told = world.referrer_by_digest(&name, &attestation);
            assert!(told.is_err(), "{told:?}");
            assert!(world.index(&name, &attestation).is_err());
        });
        registry.forgive();
    }
    asked_with(None, |world| {
        let why = world.referrer_index(&name, &first).unwrap_err();
        assert!(why.contains("FORETOP_OFFLINE"), "{why}");
    });
}

/// What cosign made with one key, of an image of ours.
const MADE: &str = include_str!("../../attestation/fixtures/cosign/p256.json");
const SIGNED: &[u8] = include_bytes!("../../attestation/fixtures/cosign/manifest.json");
const OTHER: &str = include_str!("../../attestation/fixtures/cosign/other.pub");

#[test]
fn images_that_cosign_signed_in_either_form() {
    let made: Value = serde_json::from_str(MADE).unwrap();
    let said = |it: &Value| it.as_str().unwrap().to_owned();
    let registry = FakeRegistry::start();
    let manifest: Value = serde_json::from_slice(SIGNED).unwrap();
    let layer = said(&manifest["layers"][0]["digest"]);
    // As it was written when it was signed.
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{layer}"]}}}}"#
    );
    let mut digest = String::new();
    for repository in ["bare", "tagged", "bundled"] {
        registry.push_blob(repository, "application/json", config.as_bytes());
        digest = registry.push_manifest(repository, "1", MANIFEST, SIGNED);
    }
    let push = |repository: &str, kind: &str, text: &str, annotations: Value| {
        let config = registry.push_blob(repository, "application/json", b"{}");
        let blob = registry.push_blob(repository, kind, text.as_bytes());
        let about = json!({ "mediaType": MANIFEST, "digest": digest, "size": SIGNED.len() });
        json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "subject": about,
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2 },
            "layers": [{
                "mediaType": kind, "digest": blob, "size": text.len(), "annotations": annotations,
            }],
        })
    };
    let tag = digest.replace(':', "-");
    let annotations = json!({ "dev.cosignproject.cosign/signature": made["signature"] });
    let kind = "application/vnd.dev.cosign.simplesigning.v1+json";
    let signature = push("tagged", kind, &said(&made["payload"]), annotations).to_string();
    registry.push_manifest("tagged", &format!("{tag}.sig"), MANIFEST, signature.as_bytes());
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let bundles = made["bundles"].as_array().unwrap().iter().enumerate().map(|(at, it)| {
        let bundle = push("bundled", kind, &said(it), json!({})).to_string();
        let digest =
            registry.push_manifest("bundled", &format!("b{at}"), MANIFEST, bundle.as_bytes());
        json!({ "mediaType": MANIFEST, "digest": digest, "size": 1, "artifactType": kind })
    });
    let bundles: Vec<Value> = bundles.collect();
    let list = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": bundles });
    registry.push_manifest("bundled", &tag, INDEX, list.to_string().as_bytes());
    let check = |repository: &str, key: &str, ignores: bool, expect: Option<&str>| {
        let name = format!("{}/{repository}:1", registry.host());
        let options = json!({ "key_ref": key, "ignore_tlog": ignores });
        let told = asked(|world| world.verify_image(&name, &options)).unwrap();
        match expect {
            None => assert_eq!(told["verified"], true, "{repository}: {told}"),
            Some(why) => assert!(
                told["error"].as_str().unwrap().contains(why) && told.get("verified").is_none(),
                "{repository}: {told}"
            ),
        }
    };
    let key = said(&made["key"]);
    for repository in ["tagged", "bundled"] {
        check(repository, &key, true, None);
        check(repository, &key, false, Some("transparency log"));
        check(repository, OTHER, true, Some("key"));
    }
    check("bare", &key, true, Some("not signed"));
}
