//! Policies in force: which count where, what lets an image through, and what runs and does not meet them.

use testkit::{FakeRegistry, image, layer};

use crate::sandbox::Sandbox;
use crate::serving::Serving;
use crate::story::{npm, service};
use crate::teahouse::DOCUMENTS;

const FLAW: &str = "CVE-2024-0021";

/// What production asks for; staging lets more through.
const STRICT: &str = r#"{"policies": [{"name": "fixable-vulnerabilities"}]}"#;
const LENIENT: &str = r#"{"policies": [
    {"name": "fixable-vulnerabilities", "config": {"severities": ["CRITICAL"]}}
]}"#;
const ONLY: &str = "--only-policy fixable-vulnerabilities";

fn almanac(ann: &Sandbox) {
    for (path, text) in DOCUMENTS {
        ann.file(&format!("feeds/{path}"), text);
    }
    ann.done("almanac build --from feeds");
}

/// An image with a flaw that is mended, which runs in two environments.
fn begun(ann: &Sandbox) {
    almanac(ann);
    let image = service(npm(testkit::layer(), "tea-leaves", "1.2.0"));
    ann.file("v1.tar", image.docker_archive("myorg/web:v1"));
    ann.file("strict.json", STRICT);
    ann.file("lenient.json", LENIENT);
    ann.done("push archive://v1.tar");
    for place in ["production", "staging"] {
        ann.done(&format!("env {place} myorg/web:v1"));
    }
}

/// The gate: staging lets it through, production does not, until somebody accepts the risk.
fn gate(ann: &Sandbox) {
    let said = ann.done(&format!("policy set --policy-config strict.json {ONLY}"));
    assert!(said.contains("Policies are in force now: version 1, 1 policy"), "{said}");
    let said = ann.done(&format!("policy set --env staging --policy-config lenient.json {ONLY}"));
    assert!(said.contains("Policies in staging are in force now: version 1"), "{said}");
    let said = ann.done(&format!("policy set --env staging --policy-config lenient.json {ONLY}"));
    assert!(said.contains("are in force already: version 1"), "{said}");

    let said = ann.done("policy myorg/web:v1 --exit-code --env staging");
    assert!(said.contains("of staging, version 1"), "{said}");
    let said = ann.exits(2, "policy myorg/web:v1 --exit-code --env production");
    assert!(said.contains("of the organization, version 1") && said.contains(FLAW), "{said}");
    // Whoever brings policies judges by those, and it is said.
    let own =
        format!("policy myorg/web:v1 -e --env production --policy-config lenient.json {ONLY}");
    let said = ann.done(&own);
    assert!(said.contains("those that are named here"), "{said}");

    ann.done(&format!(
        "exception add proxy --cve {FLAW} --kind accepted-risk --env production --expires 2999-01-01"
    ));
    ann.done("policy myorg/web:v1 --exit-code --env production");
    let why = ann.done(&format!("explain archive://v1.tar {FLAW} --env production"));
    assert!(why.contains("(exception proxy) says accepted"), "{why}");
    // It is to hold for a moment alone, and that is waited for.
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(10);
    ann.done(&format!(
        "exception add proxy --cve {FLAW} --kind accepted-risk --env production --expires {soon}"
    ));
    while jiff::Timestamp::now() <= soon {
        ann.done("policy list");
    }
    ann.exits(2, "policy myorg/web:v1 --exit-code --env production");
    let why = ann.done(&format!("explain archive://v1.tar {FLAW} --env production"));
    assert!(why.contains("(exception proxy) says accepted"), "{why}");
    assert!(why.contains("which does not apply: it expired on"), "{why}");
    ann.done("policy myorg/web:v1 --exit-code --env staging");
    ann.done("exception remove proxy");
}

/// They are listed, shown, written to files, set again and put out of force.
fn listed(ann: &Sandbox) {
    let said = ann.done("policy list");
    for line in
        ["(all others)  of the organization, version 1", "staging       of staging, version 1"]
    {
        assert!(said.contains(line), "{said}");
    }
    let all = ann.json("policy list --format json");
    assert_eq!(all[1]["environment"], "production");
    assert_eq!(all[1]["in_force"]["environment"], serde_json::Value::Null);
    let shown = ann.done("policy show --env staging");
    assert!(shown.contains(r#"{"severities":["CRITICAL"]}"#), "{shown}");
    let shown = ann.json("policy show --env staging --format json");
    let counting = shown["policies"].as_array().unwrap().iter().filter(|it| it["counts"] == true);
    assert_eq!(counting.count(), 1);
    ann.done("policy show --env staging --output written");
    let config = fs_err::read_to_string(ann.path("written/policies.json")).unwrap();
    assert!(config.contains("CRITICAL"), "{config}");
    // What was written is what was in force.
    ann.done(
        "policy archive://v1.tar -e --policy-dir written --policy-config written/policies.json",
    );

    ann.file("rules/tea.rego", TEA);
    ann.done("policy set --env staging --policy-dir rules");
    let said = ann.exits(2, "policy myorg/web:v1 --exit-code --env staging");
    assert!(said.contains("Tea found") && said.contains("of staging, version 2"), "{said}");
    let said = ann.done("policy list --env staging");
    assert!(said.contains("file rules/tea.rego"), "{said}");
    ann.done("policy set --env staging --version 1");
    let said = ann.done("policy myorg/web:v1 --exit-code --env staging");
    assert!(said.contains("of staging, version 3"), "{said}");
    let versions = ann.json("policy list --env staging --format json");
    let numbers: Vec<_> =
        versions.as_array().unwrap().iter().map(|it| it["version"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [3, 2, 1]);
    let said = ann.done("policy unset --env staging");
    assert!(said.contains("in staging now: of the organization, version 1"), "{said}");
    ann.exits(2, "policy myorg/web:v1 --exit-code --env staging");
    let said = ann.exits(1, "policy unset --env staging");
    assert!(said.contains("environment `staging` has none of its own"), "{said}");
    let events = ann.done("events --kind policies-set --env staging");
    assert_eq!(events.matches("policies").count() - events.matches("policies-set").count(), 3);
}

const TEA: &str = r"# METADATA
# title: No tea
# custom:
#   name: tea
#   not_compliant_title: Tea found
package docker.scout

import rego.v1

default pass := false
";

/// What makes no sense is refused, and says what would.
fn refused(ann: &Sandbox) {
    ann.file("broken/one.rego", TEA.replace("false", "oci.nobody(1)"));
    ann.file("nobody.json", r#"{"policies": [{"name": "nobody"}]}"#);
    for (words, expect) in [
        ("", "nothing says which policies are to be in force"),
        ("--env nowhere --built-in", "environment `nowhere`: there is none"),
        ("--version 77", "version `77`"),
        ("--version 1 --policy-config strict.json", "a former version is as it was"),
        ("--built-in --policy-dir rules", "either those that come with Foretop, or others"),
        ("--policy-dir broken", "oci.nobody"),
        ("--policy-config nobody.json", "nobody"),
        ("--policy-dir nowhere", "cannot read"),
    ] {
        let said = ann.exits(1, &format!("policy set {words}"));
        assert!(said.contains(expect), "{words}: {said}");
    }
    let said = ann.exits(1, "policy show --version 77");
    assert!(said.contains("version `77`"), "{said}");
    for verb in ["results", "trend"] {
        let said = ann.exits(1, &format!("policy {verb} --env nowhere"));
        assert!(said.contains("environment `nowhere`: there is none"), "{said}");
    }
}

/// What runs and does not meet them is told.
fn told(ann: &Sandbox) {
    let results = ann.done("policy results --env production");
    assert!(results.contains("Policies: of the organization, version 1"), "{results}");
    assert!(results.contains("✗ docker.io/myorg/web:v1") && results.contains(FLAW), "{results}");
    ann.exits(2, "policy results --env production --exit-code");
    let all = ann.json("policy results --env production --format json");
    assert_eq!(all["policies"][0]["not_met"], 1);
    let said = ann.exits(1, "policy results --env production --only-policy nobody");
    assert!(said.contains("there is fixable-vulnerabilities"), "{said}");
    let trend = ann.json("policy trend --env production --format json");
    assert_eq!(trend[0]["policies"][0]["not_met"], 1);
    let trend = ann.done("policy trend --env production");
    assert!(trend.contains("fixable-vulnerabilities") && trend.contains("0/1"), "{trend}");
}

#[test]
fn all_of_it_without_a_server() {
    let ann = Sandbox::new().with("FORETOP_OFFLINE", "1").with("FORETOP_ORGANIZATION", "");
    begun(&ann);
    gate(&ann);
    listed(&ann);
    refused(&ann);
    told(&ann);
    // Another image that meets them flips, and is told.
    let image = service(npm(testkit::layer(), "tea-leaves", "1.4.0"));
    ann.file("v2.tar", image.docker_archive("myorg/web:v2"));
    ann.done("push archive://v2.tar");
    ann.done("env production myorg/web:v2");
    ann.done("policy results --env production --exit-code");
    let flips = ann.done("events --kind policy-flipped");
    assert!(flips.contains("not met → met (image)") && !flips.contains("staging"), "{flips}");
}

/// What is attested in a registry is asked for; a registry that does not answer makes nothing met.
#[test]
fn what_is_attested_beside_what_runs_is_asked_for() {
    let registry = FakeRegistry::start();
    let built = image().layer(layer().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n"));
    registry.push("tea", "1", &built);
    let ann = Sandbox::new().with("FORETOP_ORGANIZATION", "");
    let tea = format!("{}/tea:1", registry.host());
    ann.file("tea.json", r#"{"warm": true}"#);
    let kind = "--predicate-type https://tea.example/warm";
    ann.done(&format!("attestation add --file tea.json {kind} {tea}"));
    ann.file("policies.json", ATTESTED);
    let only = "--only-policy supply-chain-attestations";
    ann.done(&format!("policy set --policy-config policies.json {only}"));
    ann.done(&format!("push {tea}"));
    ann.done(&format!("env production {tea}"));
    let said = ann.foretop("policy results --env production --exit-code");
    assert!(said.starts_with("exit 0\n"), "{said}");
    let gone = format!("{}/coffee:1", registry.host());
    let other = image().layer(layer().file("etc/os-release", "ID=alpine\nVERSION_ID=3.21.0\n"));
    let digest = registry.push("coffee", "1", &other);
    ann.done(&format!("push {gone}"));
    ann.done(&format!("env staging {gone}@{digest}"));
    drop(registry);
    let all = ann.json("policy results --env staging --format json");
    assert_eq!(
        (&all["policies"][0]["met"], &all["policies"][0]["unknown"]),
        (&0.into(), &1.into())
    );
    let why = all["policies"][0]["images"][0]["why"].as_str().unwrap();
    assert!(why.contains("attestations are not known"), "{why}");
}

const ATTESTED: &str = r#"{"policies": [{
    "name": "supply-chain-attestations",
    "config": {"required_attestations": ["https://tea.example/warm"]}
}]}"#;

#[test]
fn a_server_judges_what_runs_by_itself() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn").with("FORETOP_OFFLINE", "1");
    almanac(&house);
    let serving = Serving::start(&house, "--organization acme --workers 2 --rate-limit 0");
    let sandbox = Sandbox::new().with("FORETOP_OFFLINE", "1");
    serving.settled(&sandbox, "ci --org acme --scope admin");
    begun(&sandbox);
    gate(&sandbox);
    listed(&sandbox);
    refused(&sandbox);
    // Somebody has to have judged it by what is in force by now.
    let is_judged = || {
        let all = sandbox.json("policy results --env production --format json");
        all["policies"][0]["not_met"] == 1 && all["policies"].as_array().unwrap().len() == 1
    };
    let begun = std::time::Instant::now();
    while !is_judged() {
        assert!(begun.elapsed() < std::time::Duration::from_mins(5), "nobody judges");
    }
    told(&sandbox);
}
