//! What is stated about an image: attached, listed, got, verified, and heard by `cves`.

use serde_json::Value;
use testkit::{FakeRegistry, RealRegistry, image, layer};

use crate::pages::{page, steps, walk};
use crate::place::{Memory, Place};
use crate::sandbox::Sandbox;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const IMAGE: &[u8] = include_bytes!("../../../attestation/fixtures/cosign/manifest.json");
const VEX: &str = r#"{
  "@context": "https://openvex.dev/ns/v0.2.0",
  "@id": "https://tea.example/vex/1",
  "author": "Tea",
  "timestamp": "2026-11-22T00:00:00Z",
  "version": 1,
  "statements": [{
    "vulnerability": {"name": "CVE-2026-0001"},
    "products": [{"@id": "pkg:docker/tea"}],
    "status": "not_affected",
    "justification": "component_not_present"
  }]
}
"#;

fn registry() -> FakeRegistry {
    let registry = FakeRegistry::start();
    let built = image().layer(layer().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n"));
    registry.push("tea", "1", &built);
    registry
}

/// A transcript in which the registry and the image have other names.
fn transcript(home: &Sandbox, registry: &FakeRegistry, lines: &[&str]) -> String {
    let lines: Vec<String> = lines.iter().map(|it| it.replace("HOST", &registry.host())).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    nameless(&home.transcript(&lines).replace(&registry.host(), "HOST"))
}

/// The same without what things are called by their content, in which the registry's name is.
fn nameless(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        told += "sha256:…";
        told += if digits == 64 { &part[64..] } else { part };
    }
    told
}

#[test]
fn attached_listed_and_got() {
    let registry = registry();
    let home = Sandbox::new();
    home.file("vex.json", VEX);
    home.file("tea.json", r#"{"warm": true}"#);
    let told = transcript(
        &home,
        &registry,
        &[
            "attestation list HOST/tea:1",
            "attestation add --file vex.json HOST/tea:1",
            "attestation add --file tea.json --predicate-type https://tea.example/warm --referrer HOST/tea:1",
            "attest list HOST/tea:1",
            "attestation list HOST/tea:1 --predicate-type https://openvex.dev/ns --format json",
            "attestation get HOST/tea:1",
            "attestation get HOST/tea:1 --predicate-type https://tea.example/warm",
            "attestation get HOST/tea:1 --predicate-type https://tea.example/warm --predicate",
            "attestation get HOST/tea:1 --predicate-type https://spdx.dev/Document",
            "attestation get HOST/tea:1 123456789012",
            "vex get HOST/tea:1 --output got.json",
        ],
    );
    insta::assert_snapshot!(told);
    assert_eq!(fs_err::read_to_string(home.path("got.json")).unwrap(), VEX);
}

#[test]
fn what_does_not_fit_is_refused() {
    let registry = registry();
    let home = Sandbox::new();
    let other = "7".repeat(64);
    home.file("vex.json", VEX);
    home.file(
        "other.json",
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://tea.example/warm","subject":[{{"name":"x","digest":{{"sha256":"{other}"}}}}],"predicate":{{}}}}"#
        ),
    );
    home.file("what.json", "{}");
    home.file("junk.json", "junk");
    let told = transcript(
        &home,
        &registry,
        &[
            "attestation add --file other.json HOST/tea:1",
            "attestation add --file what.json HOST/tea:1",
            "attestation add --file junk.json HOST/tea:1",
            "attestation add --file none.json HOST/tea:1",
            "attestation add --file vex.json --predicate-type https://spdx.dev/Document HOST/tea:2",
            "attestation add --file vex.json archive://image.tar",
            "attestation add --file vex.json --referrer-repository HOST/kept HOST/tea:1",
            "attestation list local://tea:1",
            "attestation list sbom://vex.json",
            "attestation get HOST/tea:1 --key a.pub",
            "attestation get HOST/tea:1 --verify",
            "attestation get HOST/tea:1 --verify --key a.pub",
            "attestation get HOST/tea:1 --verify --key a.pub --skip-tlog",
            "attestation get HOST/tea:1 --verify --key vex.json --skip-tlog",
        ],
    );
    insta::assert_snapshot!(told);
    assert!(registry.seen().iter().all(|it| it.method == "GET" || it.method == "HEAD"));
    let home = home.with("FORETOP_OFFLINE", "1");
    let offline = transcript(
        &home,
        &registry,
        &["attestation add --file vex.json HOST/tea:1", "attestation list HOST/tea:1"],
    );
    insta::assert_snapshot!(offline);
}

/// A registry with what cosign signed by one key, beside an image of ours.
fn signed() -> (FakeRegistry, Value) {
    let made: Value =
        serde_json::from_str(include_str!("../../../attestation/fixtures/cosign/p256.json"))
            .unwrap();
    let envelope = made["envelope"].as_str().unwrap();
    let notes = serde_json::json!({"predicateType": "https://openvex.dev/ns"});
    (beside(&[(ENVELOPE, envelope, notes)]), made)
}

const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A registry with these attestations, where cosign puts them, beside an image of ours.
fn beside(attestations: &[(&str, &str, Value)]) -> FakeRegistry {
    let registry = FakeRegistry::start();
    let manifest: Value = serde_json::from_slice(IMAGE).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap();
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["{layer}"]}}}}"#
    );
    registry.push_blob("tea", "application/json", config.as_bytes());
    let digest = registry.push_manifest("tea", "1", MANIFEST, IMAGE);
    let empty = registry.push_blob("tea", "application/json", b"{}");
    let layers = attestations.iter().map(|(kind, text, notes)| {
        let blob = registry.push_blob("tea", "application/json", text.as_bytes());
        serde_json::json!({
            "mediaType": kind, "digest": blob, "size": text.len(), "annotations": notes,
        })
    });
    let attestation = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2},
        "layers": layers.collect::<Vec<_>>(),
    });
    let tag = format!("{}.att", digest.replace(':', "-"));
    registry.push_manifest("tea", &tag, MANIFEST, attestation.to_string().as_bytes());
    registry
}

/// A signature beside which a certificate stands whose time is over: it is refused, whether the certificate
/// or the key in it is named, and nothing of what it states is told.
#[test]
fn what_was_signed_by_a_certificate_that_ran_out() {
    let made: Value =
        serde_json::from_str(include_str!("../../../attestation/fixtures/cosign/expired.json"))
            .unwrap();
    let text = |name: &str| made[name].as_str().unwrap();
    let notes = serde_json::json!({
        "predicateType": "https://tea.example/warm/v1",
        "dev.sigstore.cosign/certificate": text("certificate"),
    });
    let home = Sandbox::new();
    home.file("key.pub", text("key"));
    home.file("certificate.pem", text("certificate"));
    for attested in
        [(ENVELOPE, text("envelope"), notes), (BUNDLE, text("bundle"), serde_json::json!({}))]
    {
        let registry = beside(&[attested]);
        let tea = format!("{}/tea:1", registry.host());
        let list = home.done(&format!("attestation list {tea}"));
        assert!(list.contains("keyless"), "{list}");
        let verify = format!("attestation get {tea} --verify --skip-tlog --key");
        let said = home.exits(1, &format!("{verify} key.pub"));
        assert!(said.contains("not verified: it is signed without a key (keyless)"), "{said}");
        assert!(said.contains("hint: ask cosign") && !said.contains("warm\""), "{said}");
        let said = home.exits(1, &format!("{verify} certificate.pem"));
        assert!(said.contains("it is no public key: it is a certificate"), "{said}");
        home.exits(1, &format!("attestation get {tea} --verify --key key.pub"));
    }
    // The same envelope without its certificate is one of that key, which has no time.
    let notes = serde_json::json!({"predicateType": "https://tea.example/warm/v1"});
    let registry = beside(&[(ENVELOPE, text("envelope"), notes)]);
    let tea = format!("{}/tea:1", registry.host());
    home.done(&format!("attestation get {tea} --verify --skip-tlog --key key.pub"));
}

#[test]
fn what_cosign_signed() {
    let (registry, made) = signed();
    let home = Sandbox::new();
    home.file("cosign.pub", made["key"].as_str().unwrap());
    home.file("other.pub", include_str!("../../../attestation/fixtures/cosign/other.pub"));
    // Whoever has such a page can say what is verified.
    registry.put_page("/cosign.pub", "1", made["key"].as_str().unwrap());
    let told = transcript(
        &home,
        &registry,
        &[
            "attestation list HOST/tea:1",
            "attestation get HOST/tea:1 --verify --skip-tlog --key cosign.pub --predicate",
            "attestation get HOST/tea:1 --verify --skip-tlog --key http://HOST/cosign.pub --output got",
            "vex get HOST/tea:1 --verify --skip-tlog --key other.pub",
            "vex get HOST/tea:1 --verify --skip-tlog --key http://tea.example/cosign.pub",
        ],
    );
    insta::assert_snapshot!(told);
}

#[test]
fn the_page() {
    let steps = steps(&page("docs/attestations.md"));
    assert!(steps.len() > 8, "{}", steps.len());
    let Some(registry) = RealRegistry::start() else { return };
    let Some(place) = Place::new(Memory::Alone, false) else { return };
    registry.push_image(&image().layer(layer().file("etc/tea", "tea\n")), "tea:1");
    let host = registry.host().to_owned();
    place.sandbox.file("tea.vex.json", VEX);
    place.sandbox.file("warm.json", "{\"warm\": true}");
    let other = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://tea.example/warm/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicate":{{}}}}"#,
        "7".repeat(64)
    );
    place.sandbox.file("other.json", other);
    let key = include_str!("../../../attestation/fixtures/cosign/other.pub");
    place.sandbox.file("cosign.pub", key);
    let place = place.with("REGISTRY", &host);
    walk(&place, "attestations.md", &steps, |text| text.replace("$REGISTRY", &host));
}

/// A real cosign, where it is installed: what it signs and attests is verified, and the command that we
/// print is one that it does.
#[test]
fn a_real_cosign() {
    let Some(registry) = RealRegistry::start() else { return };
    let home = Sandbox::new().with("COSIGN_PASSWORD", "tea").with("COSIGN_YES", "true");
    #[expect(clippy::disallowed_methods, reason = "cosign is wherever it is installed")]
    let path = std::env::var("PATH").unwrap_or_default();
    let home = home.with("PATH", &path);
    let shell = |line: &str| {
        let mut bash = home.command(std::path::Path::new("/bin/bash"));
        let output = bash.args(["-c", &format!("exec 2>&1\n{line}")]).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    if !shell("cosign version").0 {
        println!("left out: cosign is missing");
        return;
    }
    let host = registry.host();
    home.file("vex.json", VEX);
    for keys in ["cosign", "other"] {
        let (done, said) = shell(&format!("cosign generate-key-pair --output-key-prefix {keys}"));
        assert!(done, "{said}");
    }
    for bundle in [false, true] {
        let name = format!("tea-{bundle}:1");
        registry.push_image(&image().layer(layer().file("etc/tea", "tea\n")), &name);
        let (done, said) = shell(&format!(
            "cosign attest --key cosign.key --tlog-upload=false --new-bundle-format={bundle} \
             --type openvex --predicate vex.json --allow-http-registry {host}/{name}"
        ));
        assert!(done, "{said}");
        let list = home.foretop(&format!("attestation list {host}/{name}"));
        assert_eq!(list.matches(" key ").count(), 1, "{list}");
        let line = format!("vex get {host}/{name} --verify --skip-tlog");
        let got = home.foretop(&format!("{line} --key cosign.pub"));
        assert!(got.starts_with("exit 0\n") && got.contains("CVE-2026-0001"), "{got}");
        let refused = home.foretop(&format!("{line} --key other.pub"));
        assert!(refused.starts_with("exit 1\n"), "{refused}");
        assert!(!refused.contains("CVE-2026-0001"), "{refused}");
        let same = got.split_once("The same by cosign: ").unwrap().1.lines().next().unwrap();
        let (done, said) = shell(&format!(
            "cosign sign --key cosign.key --tlog-upload=false --new-bundle-format={bundle} \
             --allow-http-registry {host}/{name}"
        ));
        assert!(done, "{said}");
        for (key, exit) in [("cosign", 0), ("other", 2)] {
            let key = home.path(&format!("{key}.pub")).display().to_string();
            home.file("signed.rego", signed_by(&format!("{host}/{name}"), &key));
            let told = home
                .foretop(&format!("policy {host}/{name} --policy-file signed.rego --exit-code"));
            assert!(told.starts_with(&format!("exit {exit}\n")), "{told}");
        }
        // For bundles cosign wants the roots of trust of a log, key or no key.
        if !bundle {
            let (done, said) = shell(&format!("{same} --allow-http-registry"));
            assert!(done, "{same}: {said}");
        }
    }
}

/// A policy that is met by an image that was signed with that key.
fn signed_by(image: &str, key: &str) -> String {
    format!(
        "# METADATA\n# title: Signed by us\npackage docker.scout\n\npass if count(violation) == 0\n\n\
         violation contains answer.error if {{\n\
         \tanswer := cosign.verify_image({image:?}, {{\"key_ref\": {key:?}, \"ignore_tlog\": true}})\n\
         \tanswer.error\n}}\n"
    )
}
