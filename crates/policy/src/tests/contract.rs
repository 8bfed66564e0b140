//! What the contract promises to whoever writes a policy.

use super::*;
use crate::{Grade, Outcome, Referrer, Score};

#[test]
fn what_pass_says() {
    let check = |rules: &str, expect: &str| {
        let text = format!("package docker.scout\nimport rego.v1\n{rules}\n");
        assert_eq!(says(&text, &facts(json!({}))), expect, "{rules}");
    };
    check("pass := true", "met");
    check("pass := false", "not met");
    check("pass := 1", "unknown: its `pass` is neither true nor false");
    check("pass if false", "unknown: it has no `pass`");
    check("violation contains \"x\"", "not met\nx");
    check("pass if count(violation) == 0\nviolation contains \"x\"", "not met\nx");
    check("pass if count(violation) == 0\nviolation contains \"x\" if false", "met");
    check("pass := true\nviolation contains {\"message\": \"x\"}", "met\nx");
    check("pass := true\nunknown contains \"who knows\"", "unknown: who knows");
    check("pass := false\nunknown contains \"who knows\"\nviolation contains \"x\"", "not met\nx");
    check("pass := true\nunknown := 3", "met");
    check(
        "pass := false\nviolation := [{\"message\": \"b\"}, {\"message\": \"a\"}]",
        "not met\nb\na",
    );
    check("pass := false\nviolation contains {\"detail\": 1}", "not met\n{\"detail\":1}");
}

#[test]
fn data_config_is_there() {
    let text = policy("violation contains v if { v := {\"message\": json.marshal(data.config)} }");
    let set = Set::read([Module::file("a.rego", text)]).unwrap();
    let check = |config: &str, expect: &str| {
        let config = Config::read(config).unwrap();
        let verdicts =
            judge(&set, &config, &facts(json!({})), &World::default(), &Limits::default());
        assert_eq!(shown(&verdicts.unwrap()[0]), expect);
    };
    check("{}", "not met\n{}");
    check(r#"{"policies": [{"name": "docker.scout", "config": {"a": 1}}]}"#, "not met\n{\"a\":1}");
}

#[test]
fn errors_are_unknown_and_say_where() {
    let check = |rules: &str, expect: &str| {
        assert_eq!(says(&policy(rules), &facts(json!({ "n": null }))), expect, "{rules}");
    };
    check(
        "violation contains 1 if http.send({})",
        "unknown: a.rego:9: there is no function `http.send`",
    );
    check(
        "violation contains 1 if opa.runtime().env.X",
        "unknown: a.rego:9: there is no function `opa.runtime`",
    );
    check(
        "violation contains 1 if rand.intn(\"x\", 2) == 1",
        "unknown: a.rego:9: there is no function `rand.intn`",
    );
    check(
        "violation contains 1 if oci.referrer()",
        "unknown: a.rego:9: `oci.referrer` takes other arguments",
    );
    check(
        "violation contains x\nx := 1\nx := 2",
        "unknown: a.rego:11: rule conflicts with rule at a.rego:10:1",
    );
    // A function that has no value may not make a policy met.
    check(
        "violation contains 1 if time.parse_rfc3339_ns(\"soon\") > 0",
        "unknown: a.rego:9: `time.parse_rfc3339_ns` cannot read \"soon\"",
    );
    check("violation contains \"x\"\nviolation contains 1 if lower(3) == \"x\"", "not met\nx");
    // What is not there is null in many a document.
    check("violation contains 1 if object.get(input.n, \"a\", 1) == 1", "met");
    check("violation contains 1 if startswith(input.n, \"a\")", "met");
    check("violation contains 1 if input.n.a == 1", "met");
    check("violation contains 1 if lower(input.n) == \"x\"", "met");
    check("violation contains 1 if 1 / input.zero == 1", "met");
    check("violation contains x if some x in input.n", "met");
    check("violation contains x if some x in [y | some y in input.n]", "met");
    check("violation contains x if some x in input.nothing", "met");
    check("violation contains 1 if every x in input.n { x == 1 }", "met");
    check("violation contains x if { some x in [\"a\"]; not x in input.n }", "not met\na");
    check("violation contains x if some x in object.get(input, [\"n\"], [])", "met");
    check(
        "violation contains x if { some k, x in {\"a\": \"b\"}; print([z | some z in input.n]) }",
        "not met\nb",
    );
}

#[test]
fn the_world_is_asked_once() {
    let rules = |id: &str| {
        format!(
            "# METADATA\n# custom:\n#   name: {id}\n{}",
            policy(
                "violation contains v if { v := oci.image_digest(\"a\"); v == oci.image_digest(\"a\") }"
            ),
        )
    };
    let modules = ["x", "y"].map(|it| Module::file(it, rules(it)));
    let world = World { digests: [("a", "sha256:1")].into(), ..World::default() };
    let set = Set::read(modules).unwrap();
    let verdicts = judge(&set, &Config::default(), &facts(json!({})), &world, &Limits::default());
    assert!(verdicts.unwrap().iter().all(|it| shown(it) == "not met\nsha256:1"));
    assert_eq!(*world.asked.borrow(), ["digest a"]);
}

#[test]
fn who_cannot_tell_is_heard_within_not() {
    let world = World { digests: [("a", "?")].into(), ..World::default() };
    for rules in [
        "violation contains 1 if not oci.image_digest(\"a\")",
        "f(x) := oci.image_digest(x)\nviolation contains 1 if f(\"a\") == 1",
        "violation contains 1 if { some x in [y | y := oci.image_digest(\"a\")]; x == 1 }",
    ] {
        let told = says_in(&policy(rules), &facts(json!({})), &world);
        assert_eq!(told, "unknown: cannot tell the digest of `a`: the registry does not answer");
    }
}

#[test]
fn prints_are_told_when_asked_for() {
    let text = format!(
        "# METADATA\n# custom:\n#   name: it\n{}",
        policy(
            "violation contains 1 if {\n\tprint(\"é\", input.a,\n\t\tinput.nothing)\n\tfalse\n}"
        ),
    );
    let set = Set::read([Module::file("x:y/a.rego", text)]).unwrap();
    let prints = |debug: bool| {
        let config = Config { debug, ..Config::default() };
        let facts = facts(json!({ "a": [1] }));
        judge(&set, &config, &facts, &World::default(), &Limits::default())
            .unwrap()
            .remove(0)
            .prints
    };
    assert_eq!(prints(true), ["it#13: é [1] <undefined>"]);
    assert_eq!(prints(false), Vec::<String>::new());
}

#[test]
fn libraries_and_tests_and_strangers() {
    let module = |name: &str, text: &str| Module::file(name, text);
    let library =
        module("lib.rego", "package docker.scout.lib\nimport rego.v1\nbad(x) if x == 1\n");
    let user = "package docker.scout\nimport rego.v1\nimport data.docker.scout.lib as l\n\
        default pass := false\npass if not l.bad(input.n)\n";
    let test = module("a_test.rego", "package docker.scout_test\nimport rego.v1\ntest_x if true\n");
    let set = Set::read([library, module("a.rego", user), test]).unwrap();
    assert_eq!(set.left_out(), ["a_test.rego"]);
    for (n, expect) in [(1, "not met"), (2, "met")] {
        let facts = facts(json!({ "n": n }));
        let verdicts =
            judge(&set, &Config::default(), &facts, &World::default(), &Limits::default());
        assert_eq!(shown(&verdicts.unwrap()[0]), expect);
    }
    let below = module("b.rego", "package docker.scout.b\nimport rego.v1\npass := true\n");
    assert_eq!(Set::read([below]).unwrap().policies()[0].id, "docker.scout.b");
    let check = |modules: Vec<Module>, expect: &str| {
        let error = Set::read(modules).unwrap_err();
        assert_eq!(error.to_string(), expect);
    };
    check(vec![module("a", "package x\n")], "cannot read the policy `a`: its package is `x`");
    check(
        vec![
            module("a", "package docker.scout\npass := true"),
            module("b", "package docker.scout\npass := true"),
        ],
        "cannot read the policy `b`: `a` is called `docker.scout` too",
    );
    check(
        vec![module("a", "package docker.scout\n\npass := ")],
        "cannot read the policy `a`: a:3: expecting expression",
    );
}

#[test]
fn what_is_known_of_attestations() {
    let referrer = Referrer {
        predicate_type: "p".to_owned(),
        image: Some("r@sha256:1".to_owned()),
        statement: json!({ "predicate": 1 }),
        envelope: Some(json!({ "payload": "" })),
    };
    let other = Referrer { statement: json!({ "predicate": 2 }), ..referrer.clone() };
    let facts = Facts {
        referrers: vec![referrer, other],
        provenance: Some(json!({ "base_image": { "name": "node" }, "mode": "max" })),
        statements: Some(json!({ "statements": [] })),
        ..facts(flawed(json!({})))
    };
    let check = |expression: &str, expect: &str| {
        let text = policy(&format!("violation contains json.marshal(x) if x := {expression}"));
        assert_eq!(says(&text, &facts), format!("not met\n{expect}"), "{expression}");
    };
    check("oci.referrer(\"p\").statement.predicate", "1");
    check("oci.referrer(\"p\").image", r#""r@sha256:1""#);
    check("oci.referrer(\"p\").envelope", r#"{"payload":""}"#);
    check("oci.referrer(\"q\")", "null");
    check(
        "oci.referrer(\"https://scout.docker.com/provenance/v0.1\").statement.predicate.mode",
        r#""max""#,
    );
    check("oci.referrer(\"https://openvex.dev/ns/v0.2.0\").statement.predicate.statements", "[]");
    check(
        "oci.referrer(\"https://scout.docker.com/sbom/v0.1\").statement.predicate.artifacts[0].name",
        r#""curl""#,
    );
    check(
        "oci.referrer(\"https://scout.docker.com/sbom/v0.1\").statement.subject[0].name",
        r#""example.org/app""#,
    );
    check("input.vulnerabilities[0].vulnerabilities[0].source_id", r#""CVE-2023-1""#);
    check("time.now_ns()", "1700000000000000000");
}

#[test]
fn scores() {
    let verdict = |weight: u32, outcome: Outcome| {
        let mut one = verdict(
            "package docker.scout\npass := true",
            &facts(json!({})),
            &World::default(),
            &Limits::default(),
        );
        (one.weight, one.outcome) = (weight, outcome);
        one
    };
    let score = |parts: &[(u32, Outcome)]| {
        Score::of(
            &parts.iter().map(|(it, outcome)| verdict(*it, outcome.clone())).collect::<Vec<_>>(),
        )
    };
    let of =
        |earned: u32, lost: u32| score(&[(earned, Outcome::Met), (lost, Outcome::NotMet)]).grade;
    assert_eq!(of(91, 9), Some(Grade::A));
    assert_eq!(of(90, 10), Some(Grade::B));
    assert_eq!(of(71, 29), Some(Grade::B));
    assert_eq!(of(70, 30), Some(Grade::C));
    assert_eq!(of(50, 50), Some(Grade::D));
    assert_eq!(of(30, 60), Some(Grade::D));
    assert_eq!(of(30, 70), Some(Grade::E));
    assert_eq!(of(10, 90), Some(Grade::F));
    assert_eq!(of(0, 0), None);
    // The report of version 1.24 that is known: three of seven met.
    let met = |it: u32| (it, Outcome::Met);
    let lost = |it: u32| (it, Outcome::NotMet);
    let seen = score(&[met(5), lost(5), lost(20), lost(20), met(10), met(15), lost(15)]);
    assert_eq!(seen.to_string(), "D (33%): 30 of 90 points");
    let unknown = score(&[met(20), (20, Outcome::unknown("who knows"))]);
    assert_eq!(unknown.to_string(), "D (50%): 20 of 40 points, 1 unknown");
}

#[test]
fn the_result_file() {
    let text = policy(
        "blocked := \"x\"\nviolation contains {\"message\": blocked, \"detail\": {\"a\": 1}}",
    );
    let verdict = verdict(&text, &facts(json!({})), &World::default(), &Limits::default());
    let mut file = crate::result(std::slice::from_ref(&verdict));
    let metrics = file["docker.scout"]["metrics"].as_object_mut().unwrap();
    assert!(metrics["timer_rego_query_eval_ns"].is_u64());
    metrics.remove("timer_rego_query_eval_ns");
    let expect = json!({ "docker.scout": {
        "pass": false,
        "violations": [{ "a": 1 }],
        "bindings": {
            "pass": false,
            "blocked": "x",
            "violation": [{ "message": "x", "detail": { "a": 1 } }],
        },
        "metrics": { "counter_violations": 1 },
    }});
    assert_eq!(file, expect);
}
