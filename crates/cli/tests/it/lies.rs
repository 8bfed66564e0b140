//! Provenance that lies about the base image: it opens no gate, neither where the named image is known nor
//! where nobody can hold it against anything. What is honest passes.

use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testkit::{FakeRegistry, Fault, Guard, ImageBuilder, Seen, image};

use crate::bases::{kettle, provenance, state, tea, web};
use crate::sandbox::Sandbox;

/// An approved base, and images whose provenance says that they stand on it: one that does, one that does not.
struct Place {
    house: Sandbox,
    registry: FakeRegistry,
    used: String,
}

impl Place {
    fn new() -> Self {
        let registry = FakeRegistry::start();
        let used = registry.push("tea", "1.0", &tea());
        let house = Sandbox::new().with("SOURCE_DATE_EPOCH", "1717200000");
        let place = Self { house, registry, used };
        place.configure(&json!([]));
        place.stated("honest", &web(tea()));
        place.stated("liar", &other());
        place
    }

    /// Only tea is approved; and whose provenance is believed.
    fn configure(&self, keys: &Value) {
        let config = json!({ "policies": [{ "name": "approved-base-images", "config": {
            "allowed_base_images": [format!("{}/tea:*", self.registry.host())],
            "allowed_distros_only": false,
            "provenance_keys": keys,
        }}]});
        self.house.file("policies.json", config.to_string());
    }

    fn provenance(&self) -> String {
        let tea = format!("{}/tea:1.0", self.registry.host());
        provenance(&format!("FROM {tea}\n"), &[(&tea, &self.used)])
    }

    fn stated(&self, name: &str, image: &ImageBuilder) {
        self.registry.push(name, "1", image);
        state(&self.house, &self.named(name), &self.provenance());
    }

    fn named(&self, name: &str) -> String {
        format!("{}/{name}:1", self.registry.host())
    }

    /// The registry has the base no more.
    fn forgets_tea(&self) {
        self.registry.plan("/v2/tea/", 100_000, Fault::status(404));
    }

    fn gate(&self, code: u8, name: &str, expect: &str) {
        let only = "--policy-config policies.json --only-policy approved-base-images";
        let line = format!("policy registry://{} -e {only}", self.named(name));
        let said = self.house.exits(code, &line);
        assert!(said.contains(expect), "{name}: {expect}: {said}");
    }

    /// The same, as it is judged where it runs.
    fn running(&self, name: &str, state: &str, expect: &str) {
        self.house.done(&format!("push registry://{}", self.named(name)));
        self.house.done(&format!("env {name} {}", self.named(name)));
        let line = format!("policy results --env {name} --format json");
        let told = self.house.json(&line);
        let policy = &told["policies"][0];
        assert_eq!(policy[state], 1, "{name}: {told}");
        assert!(told.to_string().contains(expect), "{name}: {expect}: {told}");
    }

    fn put_into_force(&self) {
        let only = "--only-policy approved-base-images";
        self.house.done(&format!("policy set --policy-config policies.json {only}"));
    }
}

/// It begins otherwise than the approved base.
fn other() -> ImageBuilder {
    web(image().layer(kettle("9.0-r0", "")))
}

const STATED: &str = "and not verified: its layers are not known";

#[test]
fn about_a_base_that_its_registry_tells() {
    let place = Place::new();
    place.gate(0, "honest", "SUCCESS");
    place.gate(2, "liar", "the base image is unknown");
    place.put_into_force();
    place.running("honest", "met", "");
    place.running("liar", "unknown", "the base image is unknown");
}

#[test]
fn about_a_base_that_nobody_can_ask_for() {
    let place = Place::new();
    place.forgets_tea();
    // Both say the same, and nobody can tell who lies.
    for name in ["honest", "liar"] {
        place.gate(2, name, STATED);
    }
    place.put_into_force();
    for name in ["honest", "liar"] {
        place.running(name, "unknown", STATED);
    }
    // Who may use any base may use that one.
    let any = json!({ "policies": [{ "name": "approved-base-images", "config": {
        "allowed_distros_only": false }}]});
    place.house.file("policies.json", any.to_string());
    place.gate(0, "liar", "SUCCESS");
}

#[test]
fn about_a_base_that_is_remembered() {
    let place = Place::new();
    let tea = format!("registry://{}/tea:1.0", place.registry.host());
    place.house.done(&format!("push {tea}"));
    place.forgets_tea();
    place.gate(0, "honest", "SUCCESS");
    place.gate(2, "liar", "the base image is unknown");
    place.put_into_force();
    place.running("honest", "met", "");
    place.running("liar", "unknown", "the base image is unknown");
}

/// What is shown to every registry that we name is not shown to one that only the image names.
#[test]
fn about_where_the_base_is() {
    let guard = || Guard::Basic("ann".to_owned(), "pr00f".to_owned());
    let (own, other) = (FakeRegistry::start().guarded(guard()), FakeRegistry::start());
    let tea_there = format!("{}/tea:1.0", other.host());
    let used = other.push("tea", "1.0", &tea());
    let tools_there = format!("{}/tools:1", other.host());
    let built_with = other.push("tools", "1", &image().layer(kettle("9.0-r0", "")));
    own.push("web", "1", &web(tea()));
    let house = Sandbox::new().with("SOURCE_DATE_EPOCH", "1717200000");
    let house =
        house.with("FORETOP_REGISTRY_USER", "ann").with("FORETOP_REGISTRY_PASSWORD", "pr00f");
    let named = format!("{}/web:1", own.host());
    let dockerfile = format!("FROM {tools_there} AS build\nRUN make\n\nFROM {tea_there}\n");
    let images = [(&*tools_there, &*built_with), (&*tea_there, &*used)];
    state(&house, &named, &provenance(&dockerfile, &images));
    let other = other.guarded(guard());
    let shown = |all: Vec<Seen>| all.into_iter().filter(|it| it.authorization.is_some()).count();
    for line in
        ["cves --ignore-base", "quickview", "policy", "recommendations", "cves --multi-stage"]
    {
        let before = other.seen().len();
        let said = house.foretop(&format!("{line} registry://{named}"));
        assert!(other.seen().len() > before, "{line}: it is asked for the base: {said}");
        assert_eq!(shown(other.seen()), 0, "{line}: {:?}", other.seen());
    }
    assert!(shown(own.seen()) > 0);
}

fn openssl(words: &[&str]) -> Option<bool> {
    let mut openssl = Command::new("openssl");
    let ran = openssl.args(words).stdout(Stdio::null()).stderr(Stdio::null()).status();
    Some(ran.ok()?.success())
}

/// A new key in that folder: its public part.
fn key(folder: &Path, name: &str) -> Option<String> {
    let at = |end: &str| folder.join(format!("{name}.{end}")).display().to_string();
    let (private, public) = (at("key"), at("pub"));
    let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    assert!(openssl(&[&["genpkey", "-out", &private], &curve[..]].concat())?);
    assert!(openssl(&["pkey", "-in", &private, "-pubout", "-out", &public])?);
    fs_err::read_to_string(public).ok()
}

/// An envelope of the statement, signed by that key.
fn envelope(folder: &Path, name: &str, statement: &str) -> String {
    let kind = "application/vnd.in-toto+json";
    let at = |end: &str| folder.join(format!("{name}.{end}")).display().to_string();
    let (private, message, signature) = (at("key"), at("message"), at("sig"));
    let pae = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
    fs_err::write(&message, pae).unwrap();
    let words = ["dgst", "-sha256", "-sign", &private, "-out", &signature, &message];
    assert_eq!(openssl(&words), Some(true));
    let signature = STANDARD.encode(fs_err::read(&signature).unwrap());
    json!({
        "payloadType": kind, "payload": STANDARD.encode(statement),
        "signatures": [{ "sig": signature }],
    })
    .to_string()
}

#[test]
fn who_signs_is_believed_where_configuration_says_so() {
    let place = Place::new();
    place.forgets_tea();
    let folder = place.house.path("keys");
    fs_err::create_dir_all(&folder).unwrap();
    let Some(ours) = key(&folder, "ours") else {
        println!("left out: openssl is missing");
        return;
    };
    let theirs = key(&folder, "theirs").unwrap();
    let signed = |name: &str, image: &ImageBuilder| {
        let digest = place.registry.push(name, "1", image);
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "digest": { "sha256": digest.trim_start_matches("sha256:") }}],
            "predicateType": "https://slsa.dev/provenance/v0.2",
            "predicate": serde_json::from_str::<Value>(&place.provenance()).unwrap(),
        });
        let envelope = envelope(&folder, "ours", &statement.to_string());
        place.house.file("signed.json", &envelope);
        place
            .house
            .done(&format!("attestation add --referrer --file signed.json {}", place.named(name)));
        envelope
    };
    let envelope = signed("signed", &web(tea()));
    place.gate(2, "signed", STATED);
    place.configure(&json!([theirs]));
    place.gate(2, "signed", STATED);
    place.configure(&json!([ours, theirs]));
    place.gate(0, "signed", "SUCCESS");
    place.put_into_force();
    place.running("signed", "met", "");
    place.gate(2, "honest", STATED);
    // What was signed for another image says nothing of this one.
    place.registry.push("thief", "1", &other());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.dsse.envelope.v1+json",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json",
                   "digest": place.registry.push_blob("thief", "application/json", b"{}"), "size": 2},
        "layers": [{
            "mediaType": "application/vnd.dsse.envelope.v1+json", "size": envelope.len(),
            "digest": place.registry.push_blob("thief", "application/json", envelope.as_bytes()),
            "annotations": {"predicateType": "https://slsa.dev/provenance/v0.2"},
        }],
    });
    let digest = place.registry.tag("thief", "1").unwrap();
    let tag = format!("{}.att", digest.replace(':', "-"));
    let kind = "application/vnd.oci.image.manifest.v1+json";
    place.registry.push_manifest("thief", &tag, kind, manifest.to_string().as_bytes());
    place.gate(2, "thief", "");
}
