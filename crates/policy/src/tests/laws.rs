//! Laws that hold for any text and any facts.

use proptest::prelude::*;

use super::*;

/// Pieces of Rego, in any order.
fn rego() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "package docker.scout\n",
        "import rego.v1\n",
        "import data.docker.scout.lib as l\n",
        "# METADATA\n# title: x\n# custom:\n#   weight: 5\n",
        "default pass := false\n",
        "pass if count(violation) == 0\n",
        "violation contains v if { some v in input.a }\n",
        "f(x) := f(x)\n",
        "print(\"é\", input)\n",
        "x := oci.referrer(\"a\")\n",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "not ",
        "some ",
        "every ",
        "with ",
        " as ",
        ":=",
        "|",
        "\"",
        "`",
        "\n",
        "é",
        "0",
        "1e999",
    ]);
    prop::collection::vec(prop_oneof![4 => pieces.prop_map(str::to_owned), 1 => ".{0,5}"], 0..25)
        .prop_map(|it| it.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zé\"/:@.]{0,12}".prop_map(Value::from),
        Just(json!("pkg:npm/a@1")),
    ];
    let key = prop::sample::select(vec![
        "source",
        "image",
        "config",
        "User",
        "Labels",
        "distro",
        "os_name",
        "artifacts",
        "purl",
        "licenses",
        "vulnerabilities",
        "source_id",
        "id",
        "aliases",
        "cvss",
        "severity",
        "gaps",
        "analysis",
        "basis",
        "almanac",
        "support",
        "until",
        "created",
        "epss",
        "x",
    ]);
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|it| {
                Value::Object(it.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

const STANDING: &str = r#"package docker.scout
import rego.v1
pass if ours == theirs
ours := foretop.flaws({}, ["purl", "flaw"])
theirs := [{"purl": entry.purl, "flaw": flaw} |
    some entry in oci.referrer("https://scout.docker.com/vulnerabilities/v0.1").statement.predicate
    some flaw in entry.vulnerabilities
]
"#;

fn without_time(verdicts: &[Verdict]) -> Vec<Verdict> {
    let mut verdicts = verdicts.to_vec();
    for verdict in &mut verdicts {
        verdict.took = std::time::Duration::ZERO;
    }
    verdicts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_set_or_an_error(text in rego()) {
        let headed = format!("package docker.scout\nimport rego.v1\n{text}");
        for text in [text, headed] {
            if let Ok(set) = Set::read([Module::file("a.rego", text)]) {
                for debug in [false, true] {
                    let config = Config { debug, ..Config::default() };
                    let _ = judge(&set, &config, &facts(image()), &World::default(), &Limits::default());
                }
            }
        }
    }

    #[test]
    fn any_facts_have_verdicts_and_the_same_ones(input in value(), base in value()) {
        let world = World { base: Some(base), ..World::default() };
        let facts = Facts { statements: Some(input.clone()), provenance: Some(input.clone()), ..facts(input) };
        let set = Set::built_in();
        let all: Vec<String> = set.policies().iter().map(|it| it.id.clone()).collect();
        let set = set.only(&all).unwrap();
        let judge = crate::Judge::new(&set, &Config::default(), &Limits::default()).unwrap();
        let (one, other) = (judge.judge(&facts, &world), judge.judge(&facts, &world));
        prop_assert_eq!(one.len(), 12);
        prop_assert_eq!(without_time(&one), without_time(&other));
        let _ = (crate::result(&one), crate::Score::of(&one).to_string());
    }

    /// Our own functions look at the document themselves; whoever goes through it sees the same.
    #[test]
    fn what_stands_is_the_same_either_way(
        flaws in prop::collection::vec((0..3_usize, 0..3_usize, 0..3_usize, value()), 0..12),
    ) {
        let names = ["CVE-1", "GHSA-1", ""];
        let flaws = flaws.into_iter().map(|(purl, id, told, other)| json!({
            "purl": (["pkg:npm/a@1", "pkg:npm/b@1", ""][purl]),
            "vulnerabilities": [
                { "id": names[id], "source_id": names[told], "aliases": other },
                { "id": names[told], "cvss": other, "fixed_by": "1" }, other,
            ],
        }));
        let mut input = image();
        input["vulnerabilities"] = flaws.collect();
        let set = Set::read([Module::file("a.rego", STANDING)]).unwrap();
        let told = judge(&set, &Config::default(), &facts(input), &World::default(), &Limits::default());
        prop_assert_eq!(&told.unwrap()[0].outcome, &crate::Outcome::Met);
    }

    #[test]
    fn any_configuration_is_read_or_not(text in ".{0,60}", config in value()) {
        let _ = Config::read(&text);
        let said = json!({ "policies": [{ "name": "fixable-vulnerabilities", "config": config }] });
        if let Ok(config) = Config::read(&said.to_string()) {
            let set = Set::built_in().only(&["fixable-vulnerabilities"]).unwrap();
            let told = judge(&set, &config, &facts(flawed(json!({}))), &World::default(), &Limits::default());
            prop_assert_eq!(told.unwrap().len(), 1);
        }
    }
}
