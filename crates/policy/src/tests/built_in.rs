//! Each of our policies over a table of images: met, not met, unknown, configured.

use super::*;
use crate::{Outcome, Referrer, ResultKind};

/// Judges by one of our policies.
fn check_in(id: &str, config: &Value, facts: &Facts, world: &World, expect: &str) {
    let set = Set::built_in().only(&[id]).unwrap();
    let config = json!({ "policies": [{ "name": id, "config": config }] });
    let config = Config::read(&config.to_string()).unwrap();
    let verdicts = judge(&set, &config, facts, world, &Limits::default()).unwrap();
    let told = shown(&verdicts[0]);
    assert_eq!(told, expect, "{id} {:?}", verdicts[0]);
    for violation in &verdicts[0].violations {
        assert!(
            violation.remediation.as_ref().is_some_and(|it| it.ends_with('.')),
            "{violation:?}"
        );
        let columns: Vec<&String> = violation.detail.as_object().unwrap().keys().collect();
        let mut order: Vec<&String> = verdicts[0].details_order.iter().collect();
        order.sort();
        assert_eq!(columns, order);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "tables read better")]
fn check(id: &str, config: Value, input: Value, expect: &str) {
    check_in(id, &config, &facts(input), &World::default(), expect);
}

#[test]
fn every_file_is_there() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/builtin");
    let mut files: Vec<String> = folder
        .read_dir()
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let listed: Vec<String> = crate::built_in_modules().into_iter().map(|it| it.name).collect();
    assert_eq!(listed, files);
    let set = Set::built_in();
    assert_eq!(set.flaws(), Vec::<String>::new());
    for policy in set.policies() {
        assert_eq!(format!("{}.rego", policy.id), policy.file);
        assert!(!policy.description.is_empty() && policy.not_compliant_title.is_some());
        assert_eq!(policy.opt_in, policy.weight == 0);
    }
    let points: u32 = set.policies().iter().map(|it| it.weight).sum();
    assert_eq!(points, 90);
    assert_eq!(set.policies()[0].kind, ResultKind::Vulnerability);
}

#[test]
fn fixable_vulnerabilities() {
    let check = |config: Value, input: Value, expect: &str| {
        check("fixable-vulnerabilities", config, input, expect);
    };
    let found = "not met\npkg:deb/debian/curl@7.88.1 has CVE-2023-1";
    check(json!({}), image(), "met");
    check(json!({}), flawed(json!({})), found);
    check(json!({}), flawed(json!({ "fixed_by": null })), "met");
    check(json!({ "fixable_only": false }), flawed(json!({ "fixed_by": null })), found);
    check(json!({}), flawed(json!({ "cvss": { "severity": "MEDIUM" } })), "met");
    check(
        json!({ "severities": ["MEDIUM"] }),
        flawed(json!({ "cvss": { "severity": "MEDIUM" } })),
        found,
    );
    check(json!({}), flawed(json!({ "cvss": { "severity": "HIGH" } })), found);
    check(json!({ "package_types": ["npm"] }), flawed(json!({})), "met");
    check(json!({ "package_types": ["npm", "deb"] }), flawed(json!({})), found);
    check(json!({ "grace_period_days": 5 }), flawed(json!({})), "met");
    check(json!({ "grace_period_days": 4 }), flawed(json!({})), found);
    check(json!({ "grace_period_days": 5 }), flawed(json!({ "published_at": null })), found);
    check(json!({}), flawed(json!({ "suppressed": true })), "met");
    let none = "unknown: the image was compared with no advisories";
    check(json!({}), with(image(), "/vulnerabilities", json!("<none>")), none);
    check(json!({}), with(image(), "/analysis/basis/almanac", json!("")), none);
    let starter = with(flawed(json!({})), "/analysis/basis/starter", json!(true));
    check(json!({}), starter.clone(), found);
    check(
        json!({ "severities": [] }),
        starter,
        "unknown: the image was compared with the best-known flaws alone: there is no almanac",
    );
    // Of what does not count, nobody asks when it became known.
    let idle = json!({ "published_at": "yesterday", "in_use": false });
    check(json!({ "grace_period_days": 5, "in_use_only": true }), flawed(idle), "met");
    // What is no date is no reason to let a flaw through, nor to say nothing.
    check(json!({ "grace_period_days": 5 }), flawed(json!({ "published_at": "yesterday" })), found);
}

#[test]
fn what_nothing_loads_counts_unless_somebody_says_otherwise() {
    for id in [
        "fixable-vulnerabilities",
        "high-profile-vulnerabilities",
        "known-exploited",
        "exploit-probability",
    ] {
        let outcome = |config: Value, in_use: Value| {
            let flaw = json!({ "id": "CVE-2021-44228", "cisa_exploited": true, "in_use": in_use,
                "epss": { "score": 0.9, "percentile": 0.99 } });
            let set = Set::built_in().only(&[id]).unwrap();
            let config = json!({ "policies": [{ "name": id, "config": config }] });
            let config = Config::read(&config.to_string()).unwrap();
            let (facts, world) = (facts(flawed(flaw)), World::default());
            let verdicts = judge(&set, &config, &facts, &world, &Limits::default()).unwrap();
            verdicts[0].outcome.to_string()
        };
        let (all, only) = (json!({}), json!({ "in_use_only": true }));
        assert_eq!(outcome(all.clone(), json!(false)), "not met", "{id}");
        assert_eq!(outcome(all, json!(true)), "not met", "{id}");
        assert_eq!(outcome(only.clone(), json!(false)), "met", "{id}");
        assert_eq!(outcome(only.clone(), json!(true)), "not met", "{id}");
        // Nobody looked, or nobody can tell: it may be loaded.
        assert_eq!(outcome(only, Value::Null), "not met", "{id}");
    }
}

#[test]
fn high_profile_vulnerabilities() {
    let check = |config: Value, input: Value, expect: &str| {
        check("high-profile-vulnerabilities", config, input, expect);
    };
    let log4shell = || flawed(json!({ "id": "CVE-2021-44228" }));
    let profile =
        "not met\npkg:deb/debian/curl@7.88.1 has CVE-2021-44228, which is of a high profile";
    check(json!({}), image(), "met");
    check(json!({}), flawed(json!({})), "met");
    check(json!({}), log4shell(), profile);
    check(
        json!({}),
        flawed(json!({ "id": "X", "source_id": "X", "aliases": ["CVE-2021-44228"] })),
        profile,
    );
    check(json!({ "ignored_cves": ["CVE-2021-44228"] }), log4shell(), "met");
    check(json!({ "cves": ["CVE-1"] }), log4shell(), "met");
    let exploited = || flawed(json!({ "cisa_exploited": true, "fixed_by": null }));
    let found =
        "not met\npkg:deb/debian/curl@7.88.1 has CVE-2023-1, which is known to be exploited";
    check(json!({}), exploited(), found);
    check(json!({ "include_cisa_kev": false }), exploited(), "met");
    check(json!({ "ignored_cves": ["DSA-1"] }), exploited(), "met");
    check(
        json!({}),
        with(image(), "/analysis/basis/almanac", json!("")),
        "unknown: the image was compared with no advisories",
    );
    for (basis, said, why) in HALF {
        let half = |input: Value| with(input, basis, said());
        check(json!({}), half(image()), why);
        check(json!({}), half(log4shell()), profile);
        check(json!({ "include_cisa_kev": false }), half(image()), "met");
    }
}

fn attested(all: &[(&str, Value)]) -> Facts {
    let referrer = |(kind, predicate): &(&str, Value)| Referrer {
        predicate_type: (*kind).to_owned(),
        image: Some("example.org/app@sha256:1".to_owned()),
        statement: json!({ "predicateType": kind, "predicate": predicate }),
        envelope: None,
    };
    Facts { referrers: all.iter().map(referrer).collect(), ..facts(image()) }
}

#[test]
fn supply_chain_attestations() {
    let check = |config: Value, facts: &Facts, expect: &str| {
        check_in("supply-chain-attestations", &config, facts, &World::default(), expect);
    };
    const SPDX: &str = "https://spdx.dev/Document";
    const V02: &str = "https://slsa.dev/provenance/v0.2";
    const V1: &str = "https://slsa.dev/provenance/v1";
    let no_sbom = "The attestation https://spdx.dev/Document is missing";
    let no_provenance = "The attestation https://slsa.dev/provenance/v0.2 is missing";
    check(json!({}), &attested(&[]), &format!("not met\n{no_provenance}\n{no_sbom}"));
    let min = json!({ "buildType": "https://mobyproject.org/buildkit@v1",
        "metadata": { "completeness": { "parameters": false } } });
    let max = json!({ "buildType": "https://mobyproject.org/buildkit@v1",
        "metadata": { "completeness": { "parameters": true } } });
    check(json!({}), &attested(&[(SPDX, json!({})), (V02, max.clone())]), "met");
    check(
        json!({}),
        &attested(&[(SPDX, json!({})), (V02, min.clone())]),
        "not met\nThe provenance https://slsa.dev/provenance/v0.2 does not tell all: it was not made with mode=max",
    );
    check(
        json!({}),
        &attested(&[("https://cyclonedx.org/bom", json!({})), (V02, max.clone())]),
        "met",
    );
    let min1 =
        json!({ "buildDefinition": { "buildType": "https://github.com/moby/buildkit/blob/x" } });
    let max1 = json!({
        "buildDefinition": { "buildType": "https://github.com/moby/buildkit/blob/x",
            "internalParameters": { "buildConfig": { "llbDefinition": [1] } } },
    });
    check(json!({}), &attested(&[(SPDX, json!({})), (V1, max1)]), "met");
    check(
        json!({}),
        &attested(&[(SPDX, json!({})), (V1, min1)]),
        "not met\nThe provenance https://slsa.dev/provenance/v1 does not tell all: it was not made with mode=max",
    );
    // Who is not BuildKit has no modes.
    let other = json!({ "buildDefinition": { "buildType": "https://example.org/build" } });
    check(json!({}), &attested(&[(SPDX, json!({})), (V1, other)]), "met");
    check(json!({ "required_attestations": [SPDX] }), &attested(&[(SPDX, json!({}))]), "met");
    let unread = || Some("the registry does not answer".to_owned());
    check(
        json!({}),
        &Facts { referrers_unread: unread(), ..attested(&[]) },
        "unknown: cannot tell whether there is an attestation `https://cyclonedx.org/bom`: \
         the registry does not answer",
    );
}

fn based(image: Value) -> World {
    let digests = [("docker.io/library/node:25", "sha256:new"), ("docker.io/library/old:1", "?")];
    World { base: Some(image), digests: digests.into(), ..World::default() }
}

#[test]
fn approved_base_images() {
    let check = |config: Value, input: Value, world: World, expect: &str| {
        check_in("approved-base-images", &config, &facts(input), &world, expect);
    };
    let node = || based(json!([{ "name": "node", "tag": "25", "digest": "sha256:old" }]));
    check(json!({}), image(), node(), "met");
    check(json!({}), image(), World::default(), "unknown: the base image is unknown");
    check(json!({}), image(), based(json!([])), "met");
    let mute = World { mute: Some("its layers could not be read"), ..World::default() };
    check(
        json!({}),
        image(),
        mute,
        "unknown: cannot tell the base image: its layers could not be read",
    );
    let refused = "not met\nThe base image docker.io/library/node:25 is not allowed";
    check(
        json!({ "allowed_base_images": ["docker.io/library/python:*"] }),
        image(),
        node(),
        refused,
    );
    check(json!({ "allowed_base_images": [] }), image(), node(), refused);
    check(json!({ "allowed_base_images": ["docker.io/library/node:2*"] }), image(), node(), "met");
    check(json!({ "allowed_base_images": ["docker.io/*"] }), image(), node(), "met");
    check(json!({ "allowed_base_images": ["node"] }), image(), node(), "met");
    check(json!({ "allowed_base_images": ["*@sha256:old"] }), image(), node(), "met");
    let distro = |name: &str| with(image(), "/source/image/distro/os_name", json!(name));
    let strange = "not met\nThe distribution slackware:12 of the base image is not allowed";
    check(json!({}), distro("slackware"), node(), strange);
    check(json!({ "allowed_distros_only": false }), distro("slackware"), node(), "met");
    check(json!({ "allowed_distros": ["slackware:12"] }), distro("slackware"), node(), "met");
    let support = |until: &str| with(image(), "/analysis/support", json!({ "until": until }));
    let ended =
        "not met\nThe distribution debian:12 of the base image has no support since 2023-11-13";
    check(json!({}), support("2023-11-13"), node(), ended);
    check(json!({}), support("2023-11-14"), node(), "met");
    let unsupported = based(json!([{ "name": "node", "tag": "8", "supported": false }]));
    let told =
        "not met\nThe tag of the base image docker.io/library/node:8 is not supported any more";
    check(json!({}), image(), unsupported, told);
}

/// Nobody could hold what is said of the base against the layers.
#[test]
fn approved_base_images_that_are_only_stated() {
    let check = |config: Value, statement: Value, expect: &str| {
        let mut base =
            json!({ "name": "node", "tag": "25", "digest": "sha256:new", "stated": true });
        if !statement.is_null() {
            base["statement"] = statement;
        }
        let world = based(json!([base]));
        check_in("approved-base-images", &config, &facts(image()), &world, expect);
    };
    let allowed = |keys: Value| json!({ "allowed_base_images": ["node"], "provenance_keys": keys });
    let unknown = "unknown: the base image is stated to be docker.io/library/node:25, and not verified: its \
                   layers are not known";
    check(allowed(json!([])), Value::Null, unknown);
    check(allowed(json!([])), json!("acme/web@good"), unknown);
    check(allowed(json!(["k"])), Value::Null, unknown);
    check(allowed(json!(["k"])), json!("acme/web@bad"), unknown);
    check(allowed(json!("k")), json!("acme/web@good"), unknown);
    check(allowed(json!(["k"])), json!("acme/web@good"), "met");
    check(allowed(json!(["j", "k"])), json!("acme/web@good"), "met");
    // Where all are allowed nothing rests on it; where it is not allowed, it is that for all that is known.
    check(json!({}), Value::Null, "met");
    let python = json!({ "allowed_base_images": ["python"] });
    let refused = "not met\nThe base image docker.io/library/node:25 is not allowed";
    check(python, Value::Null, refused);
    let world =
        || based(json!([{ "name": "node", "tag": "25", "digest": "sha256:new", "stated": true }]));
    let unknown =
        "unknown: the base image is stated to be node, and not verified: its layers are not known";
    check_in("no-stale-base-images", &json!({}), &facts(image()), &world(), unknown);
}

#[test]
fn no_stale_base_images() {
    let check = |world: World, expect: &str| {
        check_in("no-stale-base-images", &json!({}), &facts(image()), &world, expect);
    };
    check(
        based(json!([{ "name": "node", "tag": "25", "digest": "sha256:old" }])),
        "not met\ndocker.io/library/node:25 has changed since the image was built",
    );
    check(based(json!([{ "name": "node", "tag": "25", "digest": "sha256:new" }])), "met");
    let indexed = json!([{ "name": "node", "tag": "25", "digest": "sha256:x", "index_digest": "sha256:new" }]);
    check(based(indexed), "met");
    check(based(json!([])), "met");
    check(World::default(), "unknown: the base image is unknown");
    check(
        based(json!([{ "name": "node", "digest": "sha256:old" }])),
        "unknown: the tag of the base image node is unknown",
    );
    check(
        based(json!([{ "name": "node", "tag": "25" }])),
        "unknown: the digest of the base image node is unknown",
    );
    // Found by its layers, it is known to be of yesterday or not known to be of today.
    let newer = json!({ "digest": "sha256:new", "than": "sha256:old" });
    check(
        based(json!([{ "name": "node", "tag": "25", "newer": newer }])),
        "not met\ndocker.io/library/node:25 has changed since the image was built",
    );
    check(
        based(json!([{ "name": "node", "tag": "gone", "digest": "sha256:old" }])),
        "unknown: there is no image docker.io/library/node:gone any more",
    );
    check(
        based(json!([{ "name": "old", "tag": "1", "digest": "sha256:old" }])),
        "unknown: cannot tell the digest of `docker.io/library/old:1`: the registry does not answer",
    );
}

#[test]
fn default_non_root_user() {
    let check = |user: Value, expect: &str| {
        let input = with(image(), "/source/image/config/config/User", user);
        check("default-non-root-user", json!({}), input, expect);
    };
    let implicit = "not met\nThe image says nothing of a user, so it runs as root";
    check(json!("app"), "met");
    check(json!("1000:1000"), "met");
    check(json!("10"), "met");
    check(json!(""), implicit);
    check(json!("<none>"), implicit);
    check(json!("root"), "not met\nThe image runs as root");
    check(json!("root:app"), "not met\nThe image runs as root:app");
    check(json!("0"), "not met\nThe image runs as 0");
    check(json!("00:1"), "not met\nThe image runs as 00:1");
    super::built_in::check(
        "default-non-root-user",
        json!({}),
        json!({ "source": { "type": "directory" } }),
        "unknown: it does not apply: only images run as a user, and this is none",
    );
    super::built_in::check(
        "default-non-root-user",
        json!({}),
        json!({ "source": { "image": {} } }),
        "unknown: the configuration of the image could not be read",
    );
}

#[test]
fn copyleft_license() {
    let check = |config: Value, licenses: Value, expect: &str| {
        let input = with(image(), "/artifacts/0/licenses", licenses);
        check("copyleft-license", config, input, expect);
    };
    let found = |it: &str| format!("not met\npkg:deb/debian/curl@7.88.1 is under {it}");
    check(json!({}), json!(["MIT"]), "met");
    check(json!({}), json!([]), "met");
    check(json!({}), json!("<none>"), "met");
    for license in ["GPL-3.0-only", "GPL-3.0", "gpl-2.0+", "AGPL-3.0-or-later", "MPL-2.0"] {
        check(json!({}), json!([license]), &found(license));
    }
    check(json!({}), json!(["MIT AND GPL-2.0-only"]), &found("MIT AND GPL-2.0-only"));
    check(json!({}), json!(["MIT OR GPL-2.0-only"]), "met");
    check(json!({}), json!(["(GPL-2.0 or LGPL-3.0)"]), &found("(GPL-2.0 or LGPL-3.0)"));
    let exception = "GPL-2.0-only WITH Classpath-exception-2.0";
    check(json!({}), json!([exception]), &found(exception));
    check(json!({ "licenses": ["MIT"] }), json!(["GPL-3.0"]), "met");
    check(json!({ "licenses": ["MIT"] }), json!(["MIT"]), &found("MIT"));
    for purl in ["pkg:deb/debian/curl@7.88.1", "pkg:deb/debian/curl"] {
        check(json!({ "ignored_packages": [purl] }), json!(["GPL-3.0"]), "met");
    }
    check(
        json!({ "ignored_packages": ["pkg:deb/debian/cur"] }),
        json!(["GPL-3.0"]),
        &found("GPL-3.0"),
    );
    super::built_in::check(
        "copyleft-license",
        json!({}),
        json!({}),
        "unknown: what is in the image is not known",
    );
}

#[test]
fn end_of_life_distribution() {
    let check = |config: Value, input: Value, expect: &str| {
        check("end-of-life-distribution", config, input, expect);
    };
    let until = |day: &str| with(image(), "/analysis/support", json!({ "until": day }));
    check(json!({}), until("2023-11-14"), "met");
    check(json!({}), until("2023-11-13"), "not met\nThe support of debian:12 ends on 2023-11-13");
    check(
        json!({ "days_ahead": 30 }),
        until("2023-12-01"),
        "not met\nThe support of debian:12 ends on 2023-12-01",
    );
    check(json!({}), image(), "unknown: when the support of debian:12 ends is not known");
    check(json!({ "ends": { "debian:12": "2028-06-30" } }), image(), "met");
    check(json!({ "ends": { "debian:12": "2028-06-30" } }), until("2000-01-01"), "met");
    let bare = with(image(), "/source/image/distro", json!("<none>"));
    check(json!({}), bare.clone(), "unknown: the distribution could not be recognised");
    check(json!({}), with(bare, "/artifacts", json!([])), "met");
}

#[test]
fn gaps() {
    let check = |config: Value, input: Value, expect: &str| check("gaps", config, input, expect);
    let gap = json!([{ "at": "/var/lib/rpm", "why": "it is not a database" }]);
    check(json!({}), image(), "met");
    let found = "not met\n/var/lib/rpm: it is not a database";
    check(json!({}), with(image(), "/gaps", gap.clone()), found);
    check(json!({}), with(image(), "/analysis/gaps", gap.clone()), found);
    check(json!({}), with(image(), "/source/image/gaps", gap.clone()), found);
    check(json!({ "ignored": ["/var/*"] }), with(image(), "/gaps", gap), "met");
    check(json!({}), json!({}), "unknown: this is not a document of an image");
}

#[test]
fn known_exploited() {
    let check =
        |config: Value, input: Value, expect: &str| check("known-exploited", config, input, expect);
    let exploited = || flawed(json!({ "cisa_exploited": true }));
    let found =
        "not met\npkg:deb/debian/curl@7.88.1 has CVE-2023-1, which is known to be exploited";
    check(json!({}), flawed(json!({})), "met");
    check(json!({}), exploited(), found);
    check(json!({ "ignored_cves": ["CVE-2023-1"] }), exploited(), "met");
    check(json!({ "fixable_only": true }), exploited(), found);
    let unfixed = flawed(json!({ "cisa_exploited": true, "fixed_by": null }));
    check(json!({ "fixable_only": true }), unfixed.clone(), "met");
    check(json!({}), unfixed, found);
    check(
        json!({}),
        with(image(), "/analysis/basis/almanac", json!("")),
        "unknown: the image was compared with no advisories",
    );
    for (basis, said, why) in HALF {
        check(json!({}), with(flawed(json!({})), basis, said()), why);
        check(json!({}), with(exploited(), basis, said()), found);
    }
}

type Half = (&'static str, fn() -> Value, &'static str);

/// That something is not known to be used in attacks says nothing then, and why.
const HALF: [Half; 2] = [
    (
        "/analysis/basis/starter",
        || json!(true),
        "unknown: the image was compared with the best-known flaws alone: there is no almanac",
    ),
    (
        "/analysis/basis/untold",
        || json!(["attacks"]),
        "unknown: nobody in the almanac tells which flaws are exploited: it was made without \
         CISA's list",
    ),
];

#[test]
fn exploit_probability() {
    let check = |config: Value, input: Value, expect: &str| {
        check("exploit-probability", config, input, expect);
    };
    let likely = |score: f64| {
        flawed(json!({ "epss": { "id": "CVE-2023-1", "score": score, "percentile": 0.97 } }))
    };
    let found = |it: &str| {
        format!(
            "not met\npkg:deb/debian/curl@7.88.1 has CVE-2023-1, with a probability of {it} to be exploited"
        )
    };
    check(json!({}), image(), "met");
    check(json!({}), likely(0.05), "met");
    check(json!({}), likely(0.5), &found("50.00%"));
    check(json!({ "threshold": 0.6 }), likely(0.5), "met");
    check(json!({ "percentile": 0.95 }), likely(0.05), &found("5.00%"));
    check(json!({}), flawed(json!({})), "unknown: no flaw of the image has a forecast");
    let (basis, said, why) = HALF[0];
    check(json!({}), with(image(), basis, said()), why);
}

#[test]
fn maximum_age() {
    let check = |config: Value, created: Value, expect: &str| {
        let input = with(image(), "/source/image/created", created);
        check("maximum-age", config, input, expect);
    };
    check(json!({}), json!("2023-11-01T00:00:00Z"), "met");
    check(
        json!({ "days": 10 }),
        json!("2023-11-01T00:00:00Z"),
        "not met\nThe image was built 13 days ago",
    );
    check(json!({}), json!("<none>"), "unknown: when the image was built is not known");
    check(
        json!({}),
        json!("1970-01-01T00:00:00Z"),
        "unknown: the image says that it was built on 1970-01-01T00:00:00Z, which is no true date",
    );
    check(json!({}), json!("soon"), "unknown: when the image was built is not known");
}

#[test]
fn what_does_not_apply_leaves_the_score() {
    let input = with(flawed(json!({})), "/source", json!({ "type": "directory" }));
    let set = Set::built_in();
    let config = Config::default();
    let unread = Some("this is no image, which attestations are of".to_owned());
    let facts = Facts { referrers_unread: unread, ..facts(input) };
    let verdicts = judge(&set, &config, &facts, &World::default(), &Limits::default()).unwrap();
    let aside: Vec<&str> = verdicts.iter().filter(|it| !it.applies).map(|it| &*it.id).collect();
    let expect = [
        "approved-base-images",
        "supply-chain-attestations",
        "no-stale-base-images",
        "default-non-root-user",
    ];
    assert_eq!(aside, expect);
    let score = crate::Score::of(&verdicts);
    assert_eq!(score.to_string(), "C (55%): 25 of 45 points, 4 not applicable");
    // Whatever stands against something is not taken aside.
    let text = policy(
        "not_applicable contains \"x\"\nviolation contains {\"message\": \"y\", \"detail\": {}}",
    );
    let one = verdict(&text, &facts, &World::default(), &Limits::default());
    assert!(one.applies && one.outcome == Outcome::NotMet, "{one:?}");
    // Nor may an error pass for that.
    let text = policy("not_applicable contains \"x\" if to_number(input.source.type) == 1\n");
    let one = verdict(&text, &facts, &World::default(), &Limits::default());
    assert!(one.applies && matches!(one.outcome, Outcome::Unknown { .. }), "{one:?}");
}

#[test]
fn the_score_is_the_sum_of_the_seven() {
    let world = based(json!([{ "name": "node", "tag": "25", "digest": "sha256:new" }]));
    let facts = facts(flawed(json!({})));
    let set = Set::built_in();
    let verdicts = judge(&set, &Config::default(), &facts, &world, &Limits::default()).unwrap();
    let met: Vec<&str> =
        verdicts.iter().filter(|it| it.outcome == Outcome::Met).map(|it| &*it.id).collect();
    let expect = [
        "high-profile-vulnerabilities",
        "approved-base-images",
        "no-stale-base-images",
        "copyleft-license",
        "default-non-root-user",
    ];
    assert_eq!(met, expect);
    let score = crate::Score::of(&verdicts);
    assert_eq!(score.to_string(), "C (61%): 55 of 90 points");
}
