//! Policies as people write them, from the published contract alone: together they use every function.

use std::collections::BTreeSet;

use super::*;
use crate::Referrer;

const SIX: [(&str, &str); 6] = [
    ("internal-packages", include_str!("rego/internal-packages.rego")),
    ("signed-attestations", include_str!("rego/signed-attestations.rego")),
    ("mend-in-time", include_str!("rego/mend-in-time.rego")),
    ("fresh-base", include_str!("rego/fresh-base.rego")),
    ("labels", include_str!("rego/labels.rego")),
    ("known-builder", include_str!("rego/known-builder.rego")),
];

fn six() -> Set {
    Set::read(SIX.map(|(name, text)| Module::file(format!("{name}.rego"), text))).unwrap()
}

fn check_in(id: &str, config: &Value, facts: &Facts, world: &World, expect: &str) {
    let set = six().only(&[id]).unwrap();
    let config = json!({ "policies": [{ "name": id, "config": config }] });
    let config = Config::read(&config.to_string()).unwrap();
    let verdicts = judge(&set, &config, facts, world, &Limits::default()).unwrap();
    assert_eq!(shown(&verdicts[0]), expect, "{:?}", verdicts[0]);
}

#[test]
fn they_use_every_function() {
    let set = six();
    assert_eq!(set.flaws(), Vec::<String>::new());
    let used: BTreeSet<&str> =
        set.prepared().iter().flat_map(|it| it.calls.keys().copied()).collect();
    let families = ["oci.", "scout.", "cosign.", "gpg."];
    let ours = crate::builtins::all().map(|it| it.name);
    let unused: Vec<&str> = ours
        .filter(|name| families.iter().any(|it| name.starts_with(it)) && !used.contains(name))
        .collect();
    assert_eq!(unused, Vec::<&str>::new());
}

#[test]
fn internal_packages() {
    let check = |config: Value, expect: &str| {
        check_in(
            "internal-packages",
            &config,
            &facts(flawed(json!({}))),
            &World::default(),
            expect,
        );
    };
    check(json!({}), "met");
    check(
        json!({ "blocked": ["*debian/curl*"] }),
        "not met\n\"curl\" 7.88.1 of type deb is blocked (pattern \"*debian/curl*\"), \
         found in /var/lib/dpkg/status, 1 flaws, better 7.88.2",
    );
}

#[test]
fn signed_attestations() {
    let referrer = |kind: &str, good: bool| Referrer {
        predicate_type: kind.to_owned(),
        image: Some(format!("example.org/app-{}@sha256:1", if good { "good" } else { "bad" })),
        statement: json!({ "subject": [{ "digest": { "sha256": "a".repeat(64) } }], "predicate": {} }),
        envelope: Some(json!({ "good": good })),
    };
    let facts = |good: bool| Facts {
        referrers: vec![
            referrer("https://spdx.dev/Document", true),
            referrer("https://slsa.dev/provenance/v1", good),
        ],
        ..facts(image())
    };
    let world = World::default();
    check_in("signed-attestations", &json!({}), &facts(true), &world, "met");
    check_in(
        "signed-attestations",
        &json!({}),
        &facts(false),
        &world,
        "not met\nenvelope of https://slsa.dev/provenance/v1: bad signature\n\
         signature of https://slsa.dev/provenance/v1: no signature",
    );
    check_in(
        "signed-attestations",
        &json!({}),
        &super::facts(image()),
        &world,
        "not met\nhttps://slsa.dev/provenance/v1 is about another image\n\
         https://slsa.dev/provenance/v1 is missing\n\
         https://spdx.dev/Document is about another image\n\
         https://spdx.dev/Document is missing",
    );
}

#[test]
fn mend_in_time() {
    let check = |config: Value, input: Value, expect: &str| {
        check_in("mend-in-time", &config, &facts(input), &World::default(), expect);
    };
    check(json!({}), flawed(json!({})), "met");
    check(
        json!({ "days": { "CRITICAL": 3 } }),
        flawed(json!({})),
        "not met\nCVE-2023-1 of pkg:deb/debian/curl@7.88.1 was to be mended by 2023-11-13 (9.8)",
    );
    check(json!({ "days": { "CRITICAL": 3 } }), flawed(json!({ "suppressed": true })), "met");
    let statements = json!({ "statements": [{
        "vulnerability": { "name": "CVE-2023-1" },
        "products": [{ "@id": "pkg:deb/debian/curl@7.88.1" }],
        "status": "under_investigation",
    }]});
    let facts = Facts { statements: Some(statements), ..facts(flawed(json!({}))) };
    let config = json!({ "days": { "CRITICAL": 3 } });
    check_in("mend-in-time", &config, &facts, &World::default(), "met");
}

#[test]
fn fresh_base() {
    let world = |digest: &'static str| World {
        digests: [("docker.io/library/node:25", "sha256:new")].into(),
        base: Some(json!([{ "name": "node", "tag": "25", "digest": digest }])),
        ..World::default()
    };
    let check = |world: &World, expect: &str| {
        check_in("fresh-base", &json!({}), &facts(image()), world, expect);
    };
    check(&world("sha256:new"), "met");
    check(&world("sha256:old"), "not met\nnode:25 is sha256:new by now, not sha256:old");
    check(&World::default(), "not met\nno base image is known");
}

#[test]
fn labels() {
    let check = |labels: Value, expect: &str| {
        let input = with(image(), "/source/image/config/config/Labels", labels);
        check_in("labels", &json!({}), &facts(input), &World::default(), expect);
    };
    let none = "not met\nno label org.opencontainers.image.version\nno owner anywhere";
    check(json!(null), none);
    check(json!("<none>"), none);
    let version = "org.opencontainers.image.version";
    let owned = |it: &str| json!({ version: it, "org.example.owner": "us" });
    check(owned("1.4.0"), "met");
    check(owned("1.4.0-rc.1"), "not met\n1.4.0-rc.1 is no release from 1.0.0 on");
    check(owned("0.9.0"), "not met\n0.9.0 is no release from 1.0.0 on");
    check(owned("latest"), "not met\nlatest is no release from 1.0.0 on");
}

#[test]
fn known_builder() {
    let provenance = |repository: &str| Facts {
        provenance: Some(json!({
            "source": { "repository": repository, "commit": "c0ffee", "signature": "s" },
            "mode": "max",
        })),
        ..facts(image())
    };
    let check = |facts: &Facts, expect: &str| {
        check_in("known-builder", &json!({}), facts, &World::default(), expect);
    };
    check(&provenance("https://git.example.org/team/app"), "met");
    check(
        &provenance("https://elsewhere.example.com/app"),
        "not met\nit is built from https://elsewhere.example.com/app",
    );
    check(&facts(image()), "not met\nnobody says what it is built from");
}
