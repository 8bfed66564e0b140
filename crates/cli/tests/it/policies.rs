//! `foretop policy`: what policies say of an image, ours and others', from files and bundles.

use testkit::FakeRegistry;

use crate::sandbox::Sandbox;
use crate::story::{npm, service};
use crate::teahouse::DOCUMENTS;

/// A team's own rule, as its members would write it.
pub(crate) const OURS: &str = r#"# METADATA
# title: No tea of the old garden
# custom:
#   name: old-garden
#   weight: 5
#   not_compliant_title: Tea of the old garden found
#   details_order:
#   - purl
package docker.scout

import rego.v1

default pass := false

pass if count(violation) == 0

leaves := object.get(data.config, "leaves", "tea-leaves")

violation contains v if {
	sbom := oci.referrer("https://scout.docker.com/sbom/v0.1")
	some found in sbom.statement.predicate.artifacts
	found.name == leaves
	print("found", found.name)
	v := {
		"message": sprintf("%s is of the old garden", [found.purl]),
		"detail": {"purl": found.purl},
		"remediation": "Buy from the new one.",
	}
}
"#;

/// A house with an almanac, an image with a flaw that is mended, and one without.
pub(crate) fn house() -> Sandbox {
    let house = Sandbox::new().with("FORETOP_OFFLINE", "1");
    for (path, text) in DOCUMENTS {
        house.file(&format!("feeds/{path}"), text);
    }
    house.done("almanac build --from feeds");
    for (tag, version) in [("v1", "1.2.0"), ("v2", "1.4.0")] {
        let image = service(npm(testkit::layer(), "tea-leaves", version));
        house.file(&format!("{tag}.tar"), image.docker_archive(&format!("myorg/web:{tag}")));
    }
    house.file("rules/team/garden.rego", OURS);
    house
}

#[test]
fn ours_judge_an_image() {
    let house = house();
    let only = "--only-policy fixable-vulnerabilities";
    let said = house.exits(2, &format!("policy archive://v1.tar --exit-code {only}"));
    assert!(said.contains("FAILED  (0/1 policies met)"), "{said}");
    assert!(said.contains("Fixable critical or high vulnerabilities found"), "{said}");
    assert!(said.contains("CVE-2024-0021") && said.contains("1.4.0"), "{said}");
    let said = house.done(&format!("policy archive://v2.tar --exit-code {only}"));
    assert!(said.contains("SUCCESS  (1/1 policies met)") && said.contains("A  (100%"), "{said}");
    // A policy that cannot tell is told, and lets nothing through.
    let said = house.exits(2, "policy archive://v2.tar -e --only-policy no-stale-base-images");
    assert!(said.contains("No data") && said.contains("the base image is unknown"), "{said}");
    let all = house.json("policy archive://v1.tar --format json");
    let ids: Vec<_> = all["policies"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids.len(), 7, "{ids:?}");
    assert_eq!(all["met"], false);
    let state = |id: &str| {
        let all = all["policies"].as_array().unwrap();
        all.iter().find(|it| it["id"] == id).unwrap()["state"].clone()
    };
    assert_eq!(state("fixable-vulnerabilities"), "not-met");
    assert_eq!(state("high-profile-vulnerabilities"), "met");
    assert_eq!(state("approved-base-images"), "unknown");
    house.done("policy archive://v1.tar --result-file result.json");
    let result = fs_err::read(house.path("result.json")).unwrap();
    let result: serde_json::Value = serde_json::from_slice(&result).unwrap();
    assert_eq!(result["fixable-vulnerabilities"]["pass"], false);
    assert_eq!(result["no-stale-base-images"]["pass"], serde_json::Value::Null);
    let markdown = house.done("policy archive://v1.tar --format markdown");
    assert!(markdown.contains("<tr><td>:warning:</td>"), "{markdown}");
}

#[test]
fn thresholds_are_said_in_a_file() {
    let house = house();
    let only = "--only-policy fixable-vulnerabilities --policy-config policies.json";
    let line = format!("policy archive://v1.tar -e {only}");
    let config = |text: &str| house.file("policies.json", text);
    config(
        r#"{"policies": [{"name": "fixable-vulnerabilities", "config": {"severities": ["CRITICAL"]}}]}"#,
    );
    house.done(&line);
    config(r#"{"policies": [{"name": "gaps"}]}"#);
    house.exits(2, &line);
    let ids = house.json("policy archive://v1.tar --format json --policy-config policies.json");
    assert_eq!(ids["policies"].as_array().unwrap().len(), 8);
    for (text, expect) in [
        ("{", "cannot read the policies' configuration"),
        (r#"{"policies": [{"name": "nobody"}]}"#, "nobody"),
        (r#"{"polices": []}"#, "polices"),
    ] {
        config(text);
        let said = house.exits(1, &line);
        assert!(said.contains(expect) && said.contains("hint: "), "{text}: {said}");
    }
}

#[test]
fn files_of_a_team_are_judged_as_they_are() {
    let house = house();
    let said = house.exits(2, "policy archive://v2.tar -e --policy-dir rules");
    assert!(said.contains("Tea of the old garden found") && said.contains("(0/1"), "{said}");
    assert!(said.contains("pkg:npm/tea-leaves@1.4.0"), "{said}");
    assert!(said.contains("Fix: Buy from the new one."), "{said}");
    house.file(
        "policies.json",
        r#"{"debug": true, "policies": [{"name": "old-garden", "config": {"leaves": "coffee"}}]}"#,
    );
    let with = "--policy-file rules/team/garden.rego --policy-config policies.json";
    house.done(&format!("policy archive://v2.tar -e {with}"));
    house.file("policies.json", r#"{"debug": true}"#);
    let said = house.done(&format!("policy archive://v2.tar {with}"));
    assert!(said.contains("old-garden#23: found tea-leaves"), "{said}");
    // What is wrong with a policy is its own, and never its image's good.
    house.file("broken/one.rego", OURS.replace("oci.referrer", "oci.nobody"));
    let said = house.exits(2, "policy archive://v2.tar -e --policy-dir broken");
    assert!(said.contains("oci.nobody"), "{said}");
    for (line, expect) in [
        ("--policy-dir nowhere", "cannot read"),
        ("--policy-file nowhere.rego", "there is no such file"),
        ("--policy-dir feeds", "there is no file of Rego in it"),
        ("--policy-dir rules --only-policy nobody", "nobody"),
    ] {
        let said = house.exits(1, &format!("policy archive://v2.tar {line}"));
        assert!(said.contains(expect) && said.contains("hint: "), "{line}: {said}");
    }
}

#[test]
fn a_bundle_goes_round_and_is_pulled_once() {
    let registry = FakeRegistry::start();
    let house = house().with("FORETOP_OFFLINE", "0");
    let bundle = format!("{}/acme/policies:v1", registry.host());
    let said = house.done(&format!("policy publish {bundle} --policy-dir rules"));
    assert!(said.contains("Policies pushed to ") && said.contains("old-garden"), "{said}");
    let judge = format!("policy archive://v2.tar -e --policy-bundle {bundle}");
    let said = house.exits(2, &judge);
    assert!(said.contains("Tea of the old garden found"), "{said}");
    let blobs = || registry.seen().iter().filter(|it| it.path.contains("/blobs/")).count();
    let before = blobs();
    house.exits(2, &judge);
    // Its configuration, which is empty, tells that it is one; its files are here.
    assert!(blobs() <= before + 1, "{}", blobs() - before);
    // Ours go the same way.
    let own = format!("{}/acme/ours:v1", registry.host());
    house.done(&format!("policy publish {own}"));
    let all = house.json(&format!("policy archive://v1.tar --format json --policy-bundle {own}"));
    assert_eq!(all["policies"].as_array().unwrap().len(), 7);
    let missing = format!("{}/acme/nothing:v1", registry.host());
    house.exits(1, &format!("policy archive://v1.tar --policy-bundle {missing}"));
}

/// Where the former build is in staging, and the later one in production.
fn promoting() -> Sandbox {
    let house = house();
    for line in [
        "push archive://v1.tar",
        "push archive://v2.tar",
        "env production myorg/web:v2",
        "env staging myorg/web:v1",
    ] {
        house.done(line);
    }
    house
}

/// The gate of an environment: an exception opens it, and shuts it when it is let go of.
#[test]
fn what_is_accepted_where_it_goes_lets_it_through() {
    let house = promoting();
    let gate = "policy myorg/web:v1 --exit-code --only-policy fixable-vulnerabilities --env";
    for place in ["production", "staging"] {
        let said = house.exits(2, &format!("{gate} {place}"));
        assert!(
            said.contains(&format!("Environment      │  {place}")) || said.contains(place),
            "{said}"
        );
    }
    let said = house.exits(2, &format!("{gate} production"));
    assert!(said.contains("runs now") && said.contains("myorg/web:v2@sha256:"), "{said}");
    house.done("exception add later --cve CVE-2024-0021 --kind accepted-risk --env staging --expires 2999-01-01",
    );
    house.done(&format!("{gate} staging"));
    house.exits(2, &format!("{gate} production"));
    house.done("exception remove later");
    house.exits(2, &format!("{gate} staging"));
    let said = house.exits(1, &format!("{gate} nowhere"));
    assert!(said.contains("environment `nowhere`: there is none"), "{said}");
}

#[test]
fn held_against_what_runs_there_and_what_was_last() {
    let house = house();
    for line in ["push archive://v1.tar", "env production myorg/web:v1", "push archive://v2.tar"] {
        house.done(line);
    }
    let gate = "policy --only-policy fixable-vulnerabilities";
    let said = house.done(&format!("{gate} --exit-code --to-env production myorg/web:v2"));
    for word in ["Held against", "myorg/web:v1", "SUCCESS", ", was FAILED", "improved"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    house.exits(2, &format!("{gate} --exit-code --to-env production myorg/web:v1"));
    let told = house.json(&format!("{gate} --to-latest --format json myorg/web:v1"));
    let with = told["comparison"]["with"].as_str().unwrap();
    assert!(with.contains("myorg/web"), "{told}");
    let pair = &told["comparison"]["difference"]["policies"][0];
    assert_eq!(pair["id"], "fixable-vulnerabilities");
    assert!(pair["change"].is_string() && pair["comparison"]["state"].is_string(), "{told}");
    let said = house.exits(1, &format!("{gate} --to-env nowhere myorg/web:v2"));
    assert!(said.contains("environment `nowhere`: there is none"), "{said}");
    let said = house.exits(1, &format!("{gate} --to-env production --env production myorg/web:v2"));
    assert!(said.contains("cannot be used with"), "{said}");
}

#[test]
fn a_promotion_is_judged_by_the_policies_of_where_it_goes() {
    let house = promoting();
    house.done("policy set --env production --built-in --only-policy fixable-vulnerabilities");
    let gate = "compare --exit-on policy --env staging --to-env production";
    let said = house.exits(2, gate);
    for word in [
        "docker.io/myorg/web: fixable-vulnerabilities",
        "is met by what runs in production, and not met by what runs in staging",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(
        said.contains("by the policies of production, 1 of 1 application would be worse"),
        "{said}"
    );
    // The report tells of it, in every form.
    let told = house.json(&format!("{gate} --format json"));
    let setback = &told["policies"]["worse"][0]["policies"][0];
    assert_eq!((&setback["was"], &setback["is"]), (&"met".into(), &"not-met".into()), "{told}");
    let told = house.json(&format!("{gate} --hide-policies --format json"));
    assert!(told["policies"].is_null() && told["summary"]["applications"] == 1, "{told}");
    // It is told, and shuts only the gate that was asked for.
    let said = house.done(&format!(
        "{} --only-policy fixable-vulnerabilities",
        gate.replace("--exit-on policy ", "")
    ));
    assert!(said.contains("and not met by what runs in staging"), "{said}");
    let said = house.done("compare --env staging --to-env production");
    assert!(!said.contains("not met by"), "{said}");
    let said = house.done("compare --exit-on policy --env production --to-env staging --only-policy fixable-vulnerabilities");
    assert!(
        said.contains("by the policies of staging, 0 of 1 application would be worse"),
        "{said}"
    );
    // What is accepted there is accepted of what comes.
    house.done("exception add later --cve CVE-2024-0021 --kind accepted-risk --env production --expires 2999-01-01");
    house.done(gate);
    house.done("exception remove later");
    // What is new has to meet all of them.
    house.done("env staging myorg/web:v2");
    house.done(gate);
    house.done("env staging myorg/web:v1 --app jobs");
    let said = house.exits(2, gate);
    assert!(said.contains("is not met by what would be new in production"), "{said}");
    house.done("env staging myorg/web:v2 --app jobs");
    house.done(gate);
    // Of what is not analysed nobody can tell.
    let unheard = format!("env staging myorg/web:v3@sha256:{} --app jobs", "1".repeat(64));
    house.done(&unheard);
    let said = house.exits(2, gate);
    assert!(said.contains("nobody can tell what policies say"), "{said}");
    house.exits(1, &format!("{gate} --only-policy nobody"));
    house.exits(1, "compare --exit-on policy --env staging --to-env nowhere");
}
