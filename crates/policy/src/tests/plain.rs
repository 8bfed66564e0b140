//! Our policies say the same as when they were written to be read rather than to be fast.

use proptest::prelude::*;

use super::*;
use crate::Judge;

/// As they were, with every condition where one looks for it.
const PLAIN: [(&str, &str); 5] = [
    ("copyleft-license", include_str!("rego/plain/copyleft-license.rego")),
    ("exploit-probability", include_str!("rego/plain/exploit-probability.rego")),
    ("fixable-vulnerabilities", include_str!("rego/plain/fixable-vulnerabilities.rego")),
    ("high-profile-vulnerabilities", include_str!("rego/plain/high-profile-vulnerabilities.rego")),
    ("known-exploited", include_str!("rego/plain/known-exploited.rego")),
];

fn flaw() -> impl Strategy<Value = Value> {
    let severity = prop::sample::select(vec!["LOW", "MEDIUM", "HIGH", "CRITICAL", "UNSPECIFIED"]);
    let name =
        prop::sample::select(vec!["CVE-2014-0160", "CVE-2021-44228", "CVE-1", "GHSA-1", "X"]);
    let other = prop::sample::select(vec!["CVE-2024-3094", "CVE-2", "DSA-1"]);
    let fixed = prop::sample::select(vec![json!("1.2"), json!("")]);
    let day = prop::sample::select(vec!["2023-11-10T00:00:00Z", "2020-01-01T00:00:00Z", "?"]);
    let score = prop::option::of(0.0..10.0_f64);
    let epss = prop::option::of((0.0..1.0_f64, 0.0..1.0_f64));
    (
        severity,
        name,
        prop::option::of(other),
        prop::option::of(fixed),
        prop::option::of(day),
        score,
        epss,
        any::<bool>(),
        any::<Option<bool>>(),
    )
        .prop_map(|(severity, name, alias, fixed, day, score, epss, exploited, in_use)| {
            let mut flaw = json!({
                "id": name, "source_id": name, "cvss": { "severity": severity },
                "cisa_exploited": exploited,
            });
            if let Some(in_use) = in_use {
                flaw["in_use"] = json!(in_use);
            }
            if let Some(score) = score {
                flaw["cvss"]["score"] = json!(score);
            }
            if let Some(alias) = alias {
                flaw["aliases"] = json!([alias]);
            }
            if let Some(fixed) = fixed {
                flaw["fixed_by"] = fixed;
            }
            if let Some(day) = day {
                flaw["published_at"] = json!(day);
            }
            if let Some((score, percentile)) = epss {
                flaw["epss"] = json!({ "score": score, "percentile": percentile });
            }
            flaw
        })
}

fn document() -> impl Strategy<Value = Value> {
    let license = prop::sample::select(vec![
        "MIT",
        "GPL-2.0-only",
        "MIT OR GPL-2.0-only",
        "MIT AND LGPL-3.0",
        "AGPL-3.0-or-later",
    ]);
    let licenses = prop::collection::vec(license, 0..3);
    let flaws = prop::collection::vec(flaw(), 0..4);
    prop::collection::vec((licenses, flaws), 0..5).prop_map(|packages| {
        let mut input = image();
        let kinds = ["deb", "npm"];
        let purl = |at: usize| format!("pkg:{}/p{at}@1", kinds[at % 2]);
        let all = packages.iter().enumerate();
        input["artifacts"] = all
            .clone()
            .map(|(at, (licenses, _))| json!({ "purl": purl(at), "licenses": licenses }))
            .collect();
        input["vulnerabilities"] = all
            .map(|(at, (_, flaws))| json!({ "purl": purl(at), "vulnerabilities": flaws }))
            .collect();
        input
    })
}

fn config() -> impl Strategy<Value = Value> {
    let lists = prop::sample::select(vec![json!([]), json!(["CVE-1"]), json!(["CVE-2", "X"])]);
    let purls =
        prop::sample::select(vec![json!([]), json!(["pkg:deb/p0"]), json!(["pkg:npm/p1@1"])]);
    let types = prop::sample::select(vec![json!([]), json!(["deb"]), json!(["npm", "deb"])]);
    (lists.clone(), lists, purls, types, any::<(bool, bool, bool)>(), 0..9_u32, 0.0..1.0_f64)
        .prop_map(|(cves, ignored, purls, types, (fixable, kev, in_use), days, threshold)| {
            json!({
                "cves": cves, "ignored_cves": ignored, "ignored_packages": purls,
                "package_types": types, "fixable_only": fixable, "include_cisa_kev": kev,
                "grace_period_days": days, "threshold": threshold, "percentile": 1.5 - threshold,
                "in_use_only": in_use,
            })
        })
}

fn told(module: Module, id: &str, config: &Value, facts: &Facts) -> String {
    let set = Set::read([module]).unwrap().only(&[id]).unwrap();
    let config = json!({ "policies": [{ "name": id, "config": config }] });
    let config = Config::read(&config.to_string()).unwrap();
    let judge = Judge::new(&set, &config, &Limits::default()).unwrap();
    let verdict = judge.judge(facts, &World::default()).remove(0);
    // Where nobody can tell, each says so by its own lines.
    let outcome = match verdict.outcome {
        crate::Outcome::Unknown { .. } => "unknown".to_owned(),
        it => it.to_string(),
    };
    format!("{outcome} {} {:#?}", verdict.count, verdict.violations)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn ours_say_the_same_as_plain_ones(input in document(), config in config()) {
        let facts = facts(input);
        for (id, plain) in PLAIN {
            let ours = crate::built_in_modules();
            let ours = ours.into_iter().find(|it| it.name == format!("{id}.rego")).unwrap();
            let plain = told(Module::file("plain.rego", plain), id, &config, &facts);
            prop_assert_eq!(plain, told(ours, id, &config, &facts), "{}", id);
        }
    }
}
