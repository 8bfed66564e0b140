//! Tests of the Alpine feed.

use super::*;
use crate::spelt::{check, survives_junk};

const MAIN: &str = include_str!("../../fixtures/alpine/main.json");

const TOLD: &str = "
part v3.20/main
CVE-2024-0001 = GHSA-aaaa-bbbb-cccc
  alpine:3.20 Source teapot Affected <1.2.3-r1 <1.2.5-r0
CVE-2024-0002 ~ XSA-7
  alpine:3.20 Source teapot Affected <1.2.3-r1
  alpine:3.20 Source kettle Affected <2.0-r0
CVE-2024-0003 ~ XSA-7
  alpine:3.20 Source teapot Affected <1.2.3-r1
CVE-2024-0004
  alpine:3.20 Source teapot NotAffected * (fixed in version 0: it never had the flaw)
gap: alpine/v3.20/main.json: `to be told`, fixed in kettle 2.0-r0, names no flaw
gap: alpine/v3.20/main.json: package 3 cannot be read: missing field `name` at line 1 column 27
";

#[test]
fn reads_fixes_and_flaws_it_never_had() {
    check(&Alpine, "alpine/v3.20/main.json", MAIN, TOLD);
}

#[test]
fn a_part_is_a_release_and_a_repository() {
    let names: Vec<String> = Alpine.parts().into_iter().map(|it| it.name).collect();
    assert!(names.contains(&"v3.20/community".to_owned()));
    assert!(names.contains(&"edge/main".to_owned()));
    // Without a name of its own in sight, the repository is called as its file is.
    let edge = r#"{"distroversion": "edge", "apkurl": "", "packages": []}"#;
    check(&Alpine, "edge/testing.json", edge, "part edge/testing");
}

#[test]
fn a_release_it_does_not_know_is_a_gap() {
    let odd = MAIN.replace("v3.20", "latest");
    assert_eq!(Alpine.recognises("main.json", odd.as_bytes()), None);
    let parsed = Alpine.parse("v3.20/main", &Document { path: "x", bytes: odd.as_bytes() });
    let told = parsed.gaps.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told, ["x: its release `latest` is none that we know"]);
}

#[test]
fn no_packages_are_none() {
    let none =
        r#"{"distroversion": "v3.3", "apkurl": "", "reponame": "community", "packages": null}"#;
    check(&Alpine, "community.json", none, "part v3.3/community");
}

#[test]
fn takes_no_document_of_its_kin() {
    let wolfi = include_bytes!("../../fixtures/wolfi/security.json");
    assert_eq!(Alpine.recognises("security.json", wolfi), None);
}

#[test]
fn junk_is_no_reason_to_panic() {
    survives_junk(&Alpine, MAIN);
}

/// What a hostile document repeats is told as far as anybody would write it, and the rest is a hole.
#[test]
fn names_versions_and_flaws_have_their_bounds() {
    let holes = |secfixes: &serde_json::Value, name: &str| {
        let pkg = serde_json::json!({"pkg": {"name": name, "secfixes": secfixes}});
        let document = serde_json::json!({"distroversion": "v3.20", "packages": [pkg]});
        let bytes = document.to_string();
        let parsed = Alpine.parse("v3.20/main", &Document { path: "x", bytes: bytes.as_bytes() });
        let spans = parsed.advisories.iter().flat_map(|it| &it.affected).map(|it| it.spans.len());
        let told = (parsed.advisories.len(), spans.max().unwrap_or_default());
        (told, parsed.gaps.first().map(|it| it.why.clone()).unwrap_or_default())
    };
    let long = "9".repeat(300);
    let flaws = |count: usize| {
        (0..count).map(|it| format!("CVE-2024-1{it:04}")).collect::<Vec<_>>().join(" ")
    };
    let one = serde_json::json!({"1-r0": ["CVE-2024-0001"]});
    assert_eq!(holes(&one, "a"), ((1, 1), String::new()));
    assert!(holes(&one, &long).1.ends_with("is too long for a name"));
    let (told, why) = holes(&serde_json::json!({long: ["CVE-2024-0001"]}), "a");
    assert!(told == (0, 0) && why.ends_with("too long for a version"), "{why}");
    let (told, why) = holes(&serde_json::json!({"1-r0": [flaws(33)]}), "a");
    assert!(told == (32, 1) && why.ends_with("names too many flaws"), "{why}");
    let (told, why) = holes(&serde_json::json!({"1-r0": [flaws(5000)]}), "a");
    assert!(told == (0, 0) && why.ends_with("names too many flaws"), "{why}");
    let often = (0..1000).map(|it| (format!("1.{it}-r0"), vec!["CVE-2024-0001"]));
    let often: std::collections::BTreeMap<_, _> = often.collect();
    let (told, why) = holes(&serde_json::json!(often), "a");
    assert_eq!(told, (1, 256));
    assert_eq!(why, "CVE-2024-0001 is fixed in more versions of a than can be told");
}
