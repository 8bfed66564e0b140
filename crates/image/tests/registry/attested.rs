//! Statements beside images: attached in every way, found wherever they are, and verified.

use std::sync::Arc;

use attestation::{Key, Log, Refused};
use image::attach::{Done, Saying, Way, attach};
use image::{Ask, Attached, Error, Opened, Place, Progress, Silent};
use model::{Digest, ImageDescription};
use serde_json::{Value, json};
use testkit::{AttestationForm, FakeRegistry, RealRegistry, image, index, layer};

use super::{settings, show_error, small};

const VEX: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"a","author":"Tea","timestamp":"2026-11-22T00:00:00Z","version":1,"statements":[]}"#;
const TEA: &str = "https://example.com/tea";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn vex() -> Saying {
    Saying::read("vex.json", VEX.into(), None).unwrap()
}

fn tea(about: &str) -> Saying {
    let hex = about.trim_start_matches("sha256:");
    let text = json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": TEA,
        "subject": [{"name": "tea", "digest": {"sha256": hex}}], "predicate": {"warm": true},
    });
    Saying::read("tea.json", text.to_string().into_bytes(), None).unwrap()
}

fn attaching(name: &str, sayings: &[Saying], way: &Way) -> Result<Vec<Done>, Error> {
    let progress: Arc<dyn Progress> = Arc::new(Silent);
    run(attach(name, sayings, way, &Arc::new(settings()), &progress))
}

/// What an image is, and what is stated beside it.
fn attached(name: &str, wanted: image::Wanted) -> (ImageDescription, Attached) {
    opened(name, async |image| (image.description().unwrap().clone(), image.attached(wanted).await))
}

/// The signatures of an image.
fn signatures(name: &str) -> image::Signatures {
    opened(name, async |image| image.signatures().await)
}

fn opened<T>(name: &str, look: impl AsyncFnOnce(Box<dyn image::Image>) -> T) -> T {
    let ask = Ask {
        name: name.to_owned(),
        platform: None,
        reference: None,
        manifest: None,
        settings: Arc::new(settings()),
        progress: Arc::new(Silent),
    };
    run(async {
        let source = image::ALL.iter().find(|it| it.scheme() == "registry").unwrap();
        let Some(Opened::Image(image)) = source.open(&ask).await.unwrap() else { panic!("{name}") };
        look(image).await
    })
}

/// Each statement in a line, and each gap.
fn told(attached: &Attached) -> Vec<String> {
    let stated = attached.statements.iter().map(|it| {
        let seal = if it.seal.is_some() { " sealed" } else { "" };
        format!("{} {}{seal}", it.place.name(), it.predicate_type)
    });
    stated.chain(attached.gaps.iter().map(|it| format!("gap: {it}"))).collect()
}

fn json_of(bytes: Option<Vec<u8>>) -> Value {
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}

#[test]
fn into_the_index_of_an_only_image() {
    let registry = FakeRegistry::start();
    let digest = registry.push("app", "1", &small());
    let name = format!("{}/app:1", registry.host());
    let done = attaching(&name, &[vex(), tea(&digest)], &Way::Index).unwrap();
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].predicate_types, [attestation::OPENVEX, TEA]);
    let now = registry.tag("app", "1").unwrap();
    assert_eq!(done[0].index.as_ref().map(Digest::to_string), Some(now.clone()));
    let (found, attached) = attached(&name, |_| true);
    // The image is the same as before.
    assert_eq!(found.digest.unwrap().to_string(), digest);
    assert_eq!(found.index.unwrap().to_string(), now);
    let index = format!("index {}", attestation::OPENVEX);
    assert_eq!(told(&attached), [index.as_str(), "index https://example.com/tea"]);
    let statement = attestation::Statement::read(&attached.statements[0].bytes).unwrap();
    assert!(statement.is_about(&digest.parse().unwrap()));
    assert_eq!(statement.predicate.get(), VEX);
    // It is an index as BuildKit writes it.
    let index = json_of(registry.blob("app", &now));
    let entries = index["manifests"].as_array().unwrap();
    assert_eq!(entries[0]["platform"], json!({"os": "linux", "architecture": "amd64"}));
    assert_eq!(entries[1]["annotations"]["vnd.docker.reference.digest"], digest);
    let manifest = json_of(registry.blob("app", entries[1]["digest"].as_str().unwrap()));
    assert_eq!(manifest["subject"]["digest"], digest);
    // The same once more changes nothing, something else is added.
    attaching(&name, &[vex(), tea(&digest)], &Way::Index).unwrap();
    assert_eq!(registry.tag("app", "1").unwrap(), now);
    let other = Saying::read("a", b"{}".to_vec(), Some("https://example.com/a")).unwrap();
    attaching(&name, &[other], &Way::Index).unwrap();
    let (_, attached) = self::attached(&name, |_| true);
    assert_eq!(attached.statements.len(), 3);
}

#[test]
fn into_an_index_of_several() {
    let registry = FakeRegistry::start();
    let both = index()
        .image("linux/amd64", image().layer(layer().file("a", "amd64")))
        .attestation(AttestationForm::Artifact, "https://spdx.dev/Document")
        .image("linux/arm64", image().layer(layer().file("a", "arm64")));
    let former = registry.push_index("app", "1", &both);
    let name = format!("{}/app:1", registry.host());
    let images = json_of(registry.blob("app", &former));
    let arm = images["manifests"][2]["digest"].as_str().unwrap().to_owned();
    // What does not say about what it is is about each, the other about the one that it names.
    let done = attaching(&name, &[vex(), tea(&arm)], &Way::Index).unwrap();
    let types: Vec<usize> = done.iter().map(|it| it.predicate_types.len()).collect();
    assert_eq!(types, [1, 2]);
    assert_eq!(done[1].about.to_string(), arm);
    let now = json_of(registry.blob("app", &registry.tag("app", "1").unwrap()));
    // What was there is there.
    assert_eq!(
        now["manifests"].as_array().unwrap()[..3],
        images["manifests"].as_array().unwrap()[..]
    );
    // What is about the index that was would be about none.
    let before = registry.seen().len();
    let error = attaching(&name, &[tea(&former)], &Way::Index).unwrap_err();
    assert!(error.to_string().contains("it is about sha256:"), "{error}");
    let now = registry.tag("app", "1").unwrap();
    let error = attaching(&name, &[vex(), tea(&now)], &Way::Index).unwrap_err();
    assert!(error.hint().unwrap().contains("--referrer"), "{error:?}");
    assert!(registry.seen()[before..].iter().all(|it| matches!(&*it.method, "GET" | "HEAD")));
    let done = attaching(&name, &[tea(&now)], &Way::Referrer(None)).unwrap();
    assert_eq!((done.len(), done[0].about.to_string()), (1, now));
    let (_, attached) = attached(&name, |it| it == TEA);
    assert!(told(&attached).contains(&format!("referrers {TEA}")), "{:?}", told(&attached));
}

#[test]
fn as_referrers() {
    for knows in [false, true] {
        let registry = FakeRegistry::start();
        let registry = if knows { registry.with_referrers() } else { registry };
        let digest = registry.push("app", "1", &small());
        let name = format!("{}/app:1", registry.host());
        let way = Way::Referrer(None);
        for warm in ["a", "b", "c"] {
            let kind = format!("{TEA}/{warm}");
            let saying = Saying::read("a", b"{\"warm\":1}".to_vec(), Some(&kind)).unwrap();
            let done = attaching(&name, &[saying], &way).unwrap();
            assert_eq!(done[0].index, None);
        }
        let by_digest = format!("{}/app@{digest}", registry.host());
        attaching(&by_digest, &[vex()], &way).unwrap();
        attaching(&by_digest, &[vex()], &way).unwrap();
        assert_eq!(registry.tag("app", "1").unwrap(), digest, "the tag stays");
        let fallback = registry.tag("app", &digest.replace(':', "-"));
        assert_eq!(fallback.is_some(), !knows, "a list is kept where the registry keeps none");
        let (_, attached) = attached(&name, |_| true);
        let mut told = told(&attached);
        told.sort();
        let expect = ["a", "b", "c"].map(|it| format!("referrers {TEA}/{it}"));
        let vex = format!("referrers {}", attestation::OPENVEX);
        assert_eq!(told, [&expect[..], &[vex]].concat(), "{knows}");
        let (_, one) = self::attached(&name, |it| it.ends_with("/b"));
        assert_eq!(self::told(&one), [format!("referrers {TEA}/b")]);
    }
}

#[test]
fn in_another_repository() {
    let registry = FakeRegistry::start().with_referrers();
    let digest = registry.push("app", "1", &small());
    let name = format!("{}/app:1", registry.host());
    let way = Way::Referrer(Some(format!("{}/kept/apart", registry.host())));
    let done = attaching(&name, &[vex()], &way).unwrap();
    let manifest = json_of(registry.blob("kept/apart", done[0].manifest.as_str()));
    assert_eq!(manifest["subject"]["digest"], digest);
    assert_eq!(registry.blob("app", done[0].manifest.as_str()), None);
    assert!(told(&attached(&name, |_| true).1).is_empty());
}

#[test]
fn what_is_found_twice_is_told_once() {
    // BuildKit's artifacts stand in the index, and are referrers as well.
    let registry = FakeRegistry::start().with_referrers();
    let one = index()
        .image("linux/amd64", image().layer(layer().file("a", "amd64")))
        .attestation(AttestationForm::Artifact, "https://spdx.dev/Document")
        .attestation(AttestationForm::Legacy, "https://slsa.dev/provenance/v1");
    registry.push_index("app", "1", &one);
    let name = format!("{}/app:1", registry.host());
    let mut told = told(&attached(&name, |_| true).1);
    told.sort();
    assert_eq!(told, ["index https://slsa.dev/provenance/v1", "index https://spdx.dev/Document"]);
    let unread = registry.seen().len();
    // What nobody wants is not fetched.
    assert!(attached(&name, |_| false).1.statements.is_empty());
    assert!(registry.seen()[unread..].iter().filter(|it| it.path.contains("/blobs/")).count() <= 1);
}

#[test]
fn what_makes_no_sense_is_a_gap() {
    let registry = FakeRegistry::start();
    let digest = registry.push("app", "1", &small());
    let name = format!("{}/app:1", registry.host());
    let put = |tag: &str, subject: &str, kind: &str, blob: &[u8]| {
        let blob_digest = registry.push_blob("app", kind, blob);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": blob_digest, "size": 2},
            "layers": [{"mediaType": kind, "digest": blob_digest, "size": blob.len()}],
            "subject": {"mediaType": MANIFEST, "digest": subject, "size": 1},
        });
        registry.push_manifest("app", tag, MANIFEST, manifest.to_string().as_bytes())
    };
    let other = format!("sha256:{}", "7".repeat(64));
    let entries = [
        put("x1", &other, attestation::IN_TOTO, b"{}"),
        put("x2", &digest, attestation::DSSE, b"no envelope"),
        put("x3", &digest, attestation::BUNDLE, b"{}"),
        put("x4", &digest, "application/vnd.cncf.notary.signature", b"{}"),
    ];
    let kinds = ["", "", "", "application/vnd.cncf.notary.signature"];
    let entries = entries.iter().zip(kinds).map(|(digest, kind)| {
        json!({"mediaType": MANIFEST, "digest": digest, "size": 1, "artifactType": kind})
    });
    let list =
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries.collect::<Vec<_>>()});
    let tag = digest.replace(':', "-");
    registry.push_manifest("app", &tag, INDEX, list.to_string().as_bytes());
    registry.push_manifest("app", &format!("{tag}.att"), MANIFEST, b"[]");
    let gaps = told(&attached(&name, |_| true).1);
    assert_eq!(gaps.len(), 4, "{gaps:?}");
    for why in ["which is another image", "no DSSE envelope", "no Sigstore bundle", ".att"] {
        assert!(
            gaps.iter().any(|it| it.starts_with("gap: ") && it.contains(why)),
            "{why}: {gaps:?}"
        );
    }
}

/// What cosign made with one key, of an image of ours.
#[derive(serde::Deserialize)]
struct Made {
    key: String,
    payload: String,
    signature: String,
    envelope: String,
    bundles: Vec<String>,
}

#[test]
fn what_cosign_signed_is_found_and_verified() {
    const IMAGE: &[u8] = include_bytes!("../../../attestation/fixtures/cosign/manifest.json");
    const OTHER: &[u8] = include_bytes!("../../../attestation/fixtures/cosign/other.pub");
    let made: Made =
        serde_json::from_str(include_str!("../../../attestation/fixtures/cosign/p256.json"))
            .unwrap();
    let registry = FakeRegistry::start();
    let config = json_of(Some(IMAGE.to_vec()));
    let layer = config["layers"][0]["digest"].as_str().unwrap();
    let text = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{layer}"]}}}}"#
    );
    registry.push_blob("tea", "application/json", text.as_bytes());
    let digest = registry.push_manifest("tea", "1", MANIFEST, IMAGE);
    let tag = digest.replace(':', "-");
    let manifest = |kind: &str, blob: &str, annotations: Value| {
        let config = registry.push_blob("tea", "application/json", b"{}");
        let blob_digest = registry.push_blob("tea", kind, blob.as_bytes());
        json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
            "layers": [{
                "mediaType": kind, "digest": blob_digest, "size": blob.len(),
                "annotations": annotations,
            }],
        })
    };
    let annotations = json!({"predicateType": "https://openvex.dev/ns"});
    let att = manifest(attestation::DSSE, &made.envelope, annotations);
    registry.push_manifest("tea", &format!("{tag}.att"), MANIFEST, att.to_string().as_bytes());
    let kind = "application/vnd.dev.cosign.simplesigning.v1+json";
    let annotations = json!({"dev.cosignproject.cosign/signature": made.signature});
    let sig = manifest(kind, &made.payload, annotations);
    registry.push_manifest("tea", &format!("{tag}.sig"), MANIFEST, sig.to_string().as_bytes());
    // cosign says nothing of what it lists.
    let bundles = made.bundles.iter().enumerate().map(|(at, bundle)| {
        let kind = format!("{}.v0.3+json", attestation::BUNDLE);
        let mut bundle = manifest(&kind, bundle, json!({}));
        bundle["artifactType"] = kind.into();
        bundle["subject"] = json!({"mediaType": MANIFEST, "digest": digest, "size": IMAGE.len()});
        let bytes = bundle.to_string();
        let digest = registry.push_manifest("tea", &format!("b{at}"), MANIFEST, bytes.as_bytes());
        let empty = "application/vnd.oci.empty.v1+json";
        json!({"mediaType": MANIFEST, "digest": digest, "size": 1, "artifactType": empty})
    });
    let list =
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": bundles.collect::<Vec<_>>()});
    registry.push_manifest("tea", &tag, INDEX, list.to_string().as_bytes());

    let (_, attached) = attached(&format!("{}/tea:1", registry.host()), |_| true);
    let mut all = told(&attached);
    all.sort();
    let expect = [
        "referrers https://openvex.dev/ns sealed",
        "referrers https://sigstore.dev/cosign/sign/v1 sealed",
        "tag https://openvex.dev/ns sealed",
    ];
    assert_eq!(all, expect);
    let key = Key::read(made.key.as_bytes()).unwrap();
    let other = Key::read(OTHER).unwrap();
    let signatures = signatures(&format!("{}/tea:1", registry.host()));
    assert_eq!((signatures.all.len(), signatures.gaps.len()), (1, 0));
    let signature = &signatures.all[0];
    let (name, proof) = signature.verify(&key, Log::Skipped).unwrap();
    assert_eq!((name.ends_with("/tea-p256-false"), proof.algorithm), (true, "ECDSA P-256"));
    assert_eq!(signature.verify(&key, Log::Required), Err(Refused::Unlogged));
    let refused = signature.verify(&other, Log::Skipped).unwrap_err();
    assert!(matches!(refused, Refused::Another { .. }), "{refused}");
    for stated in &attached.statements {
        assert_eq!(stated.verify(&key, Log::Skipped).unwrap().algorithm, "ECDSA P-256");
        assert_eq!(stated.verify(&key, Log::Required), Err(Refused::Unlogged));
        let refused = stated.verify(&other, Log::Skipped).unwrap_err();
        assert!(matches!(refused, Refused::Another { .. } | Refused::OtherKey), "{refused}");
        // Copied to beside another image it is worth nothing.
        let mut copied = stated.clone();
        copied.beside = format!("sha256:{}", "7".repeat(64)).parse().unwrap();
        let refused = copied.verify(&key, Log::Skipped).unwrap_err();
        assert!(matches!(refused, Refused::OtherImage { .. }), "{refused}");
        let bare = image::Stated { seal: None, ..stated.clone() };
        assert_eq!(bare.verify(&key, Log::Skipped), Err(Refused::Unsigned));
        if stated.place == Place::Tag {
            let Some(image::Seal::Envelope { bytes, .. }) = stated.seal.clone() else { panic!() };
            let seal = Some(image::Seal::Envelope { bytes, certificate: true });
            let keyless = image::Stated { seal, ..stated.clone() };
            assert_eq!(keyless.verify(&key, Log::Skipped), Err(Refused::Keyless));
        }
    }
}

#[test]
fn what_cannot_be_attached_is_refused() {
    let registry = FakeRegistry::start();
    let digest = registry.push("app", "1", &small());
    let check = |name: &str, saying: Saying, expect: &str| {
        let name = format!("{}/{name}", registry.host());
        let error = show_error(&attaching(&name, &[saying], &Way::Index).unwrap_err());
        let error = error.replace(&registry.host(), "HOST").replace(&digest, "DIGEST");
        assert!(error.contains(expect), "{error}");
    };
    let other = format!("sha256:{}", "7".repeat(64));
    check(
        "app:1",
        tea(&other),
        &format!("tea.json: it is about {other}, not about HOST/app:1 (DIGEST)"),
    );
    check("app:2", vex(), "has no such tag or digest");
    check(&format!("app@{digest}"), vex(), "only a tag can be moved to a new index");
    let read = |text: &str, kind: Option<&str>| {
        show_error(&Saying::read("a.json", text.into(), kind).unwrap_err())
    };
    assert!(read("[]", None).contains("a.json: it is no JSON object"));
    assert!(read("{}", None).contains("neither a statement nor an envelope nor OpenVEX"));
    assert!(read(r#"{"payloadType":"a"}"#, None).contains("it is no DSSE envelope"));
    let statement =
        r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"a","predicate":{}}"#;
    assert!(read(statement, Some("b")).contains("it states `a`, not `b`"));
    // Somebody else moves the tag in the meantime.
    registry.plan_after("/manifests/1", 1, 1, testkit::Fault::unknown("MANIFEST_UNKNOWN"));
    check("app:1", vex(), "has no");
    assert_eq!(registry.tag("app", "1").unwrap(), digest);
}

#[test]
fn a_real_registry() {
    let Some(registry) = RealRegistry::start() else { return };
    registry.push_image(&small(), "tea:1");
    let name = format!("{}/tea:1", registry.host());
    let (before, none) = attached(&name, |_| true);
    assert_eq!(told(&none), Vec::<String>::new());
    let digest = before.digest.unwrap();
    attaching(&name, &[tea(digest.as_str())], &Way::Referrer(None)).unwrap();
    attaching(&name, &[vex()], &Way::Index).unwrap();
    let (after, attached) = attached(&name, |_| true);
    assert_eq!(after.digest, Some(digest));
    assert!(after.index.is_some());
    let vex = format!("index {}", attestation::OPENVEX);
    assert_eq!(told(&attached), [vex, format!("referrers {TEA}")]);
}
