use proptest::prelude::*;

use super::RedhatVex;
use crate::contract::{Document, Feed};
use crate::told::{self, told};

fn check(name: &str, expect: &str) {
    let path = format!("{}/fixtures/redhat-vex/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let bytes = fs_err::read(path).unwrap();
    assert_eq!(RedhatVex.recognises("vex", &bytes[..2000]), Some("all".to_owned()), "{name}");
    assert_eq!(told(&RedhatVex, "all", name, &bytes), expect, "{name}");
}

#[test]
fn tells_streams_apart() {
    check(
        "streams",
        "CVE-2024-1001 lamp: it burns [redhat high=Important 8.1]\n\
\x20 rhel:7 lamp Binary Affected ..; outlook EndOfLife; reason Out of support scope; rating redhat low\n\
\x20 rhel:8 lamp Binary NotAffected ..; reason vulnerable_code_not_present\n\
\x20 rhel:9 lamp Binary Affected ..1:3.0.1-23.el9_2.4 1:3.0.1-23.el9_3..1:3.0.1-26.el9_3.2; rating redhat high=Important 8.1; bulletins RHSA-2024:1101 RHSA-2024:1102\n\
\x20 rhel:9 lamp Binary Affected ..1:3.0.1-14.el9_0.9; rating redhat high=Important 8.1; bulletins RHSA-2024:1103; channel eus-9.0\n\
\x20 rhel:9 lamp-doc Binary Affected ..1:3.0.1-23.el9_2.4 1:3.0.1-23.el9_3..1:3.0.1-26.el9_3.2; rating redhat high=Important 8.1; bulletins RHSA-2024:1101 RHSA-2024:1102\n\
\x20 rhel:9 lamp-doc Binary Affected ..1:3.0.1-14.el9_0.9; rating redhat high=Important 8.1; bulletins RHSA-2024:1103; channel eus-9.0\n\
\x20 rhel:7 lamp-libs Binary Affected ..; outlook EndOfLife; reason Out of support scope; rating redhat low\n\
\x20 rhel:8 lamp-libs Binary NotAffected ..; reason vulnerable_code_not_present\n\
\x20 rhel:9 lamp-libs Binary Affected ..1:3.0.1-23.el9_2.4 1:3.0.1-23.el9_3..1:3.0.1-26.el9_3.2; rating redhat high=Important 8.1; bulletins RHSA-2024:1101 RHSA-2024:1102\n\
\x20 rhel:9 lamp-libs Binary Affected ..1:3.0.1-14.el9_0.9; rating redhat high=Important 8.1; bulletins RHSA-2024:1103; channel eus-9.0\n\
\x20 redhat openshift4/oil-rhel9 Either UnderInvestigation ..; products cpe:/a:redhat:openshift:4\n\
\x20 redhat wick Source Affected ..; outlook Deferred; reason Fix deferred; products cpe:/a:redhat:openshift:4\n\
\x20 rhel:9 wick Binary Affected ..2.0-1.el9; rating redhat high=Important 8.1; bulletins RHSA-2024:1104; arch x86_64; products cpe:/a:redhat:openshift:4.16::el9\n\
\x20 rhel:9 wick Binary Affected ..2.0-2.el9; rating redhat high=Important 8.1; bulletins RHSA-2024:1104; arch s390x; products cpe:/a:redhat:openshift:4.16::el9\n\
",
    );
}

#[test]
fn tells_modules_apart() {
    check(
        "modules",
        "CVE-2024-1002 oil: it leaks [redhat medium=Moderate]\n\
\x20 rhel:8 can Binary Affected ..1.0-3.module+el8.9.0+2+ab; module oil:3\n\
\x20 rhel:8 oil Source Affected ..; outlook WillNotFix; reason Will not fix; module oil:1\n\
\x20 rhel:8 oil Binary Affected ..2.5-111.module+el8.9.0+19193+435404ae; module oil:2\n\
\x20 rhel:8 oil Either NotAffected ..; module oil:4\n\
gap: modules: its module `rhel8` has no stream: `red_hat_enterprise_linux_8:oil-flatpak`\n\
",
    );
}

#[test]
fn reads_names_where_there_are_no_purls() {
    check(
        "plain",
        "CVE-2024-1003 it breaks [redhat medium 4.3]\n\
\x20 rhel:8 vase Binary Affected ..1.0-2.el8\n\
\x20 rhel:9 vase Either Affected ..; outlook Open; rating redhat medium 4.3\n\
gap: plain: it is not in the product tree: `red_hat_enterprise_linux_9:lost`\n\
gap: plain: its product has no CPE: `no_cpe:vase`\n\
",
    );
}

#[test]
fn reads_the_newer_shape() {
    check(
        "minors",
        "CVE-2026-1004 It tips over [redhat low]\n\
\x20 rhel:9 bowl Source Affected ..2.9-10.el9_6 2.9-11..; bulletins RHSA-2026:1\n\
\x20 rhel:9 bowl Source Affected ..; outlook Open; reason Affected; channel eus-9.4\n\
",
    );
}

#[test]
fn tells_of_what_is_no_document() {
    let told = |text: &str| told(&RedhatVex, "all", "x.json", text.as_bytes());
    assert_eq!(
        told("{"),
        "gap: x.json: it is no CSAF document: EOF while parsing an object at line 1 column 1\n"
    );
    assert_eq!(told(r#"{"document":{"tracking":{"id":"CVE-1-1","status":"deleted"}}}"#), "");
    assert_eq!(
        told(r#"{"vulnerabilities":[{"title":"x"}]}"#),
        "gap: x.json: a flaw without a name: `x`\n"
    );
    assert_eq!(
        told(r#"{"vulnerabilities":[{"cve":"CVE-1-1"}]}"#),
        "CVE-1-1  []\ngap: x.json: it says nothing about any product: `CVE-1-1`\n"
    );
}

#[test]
fn leaves_other_documents_alone() {
    let advisory = br#"{"document":{"aggregate_severity":{"namespace":
        "https://access.redhat.com/security/updates/classification/"},
        "category":"csaf_security_advisory"}}"#;
    assert_eq!(RedhatVex.recognises("x.json", advisory), None);
    let other =
        br#"{"document":{"category":"csaf_vex","publisher":{"namespace":"https://example.com"}}}"#;
    assert_eq!(RedhatVex.recognises("x.json", other), None);
}

#[test]
fn circles_and_deep_trees_end() {
    let circle = r#"{"product_tree":{"relationships":[
        {"full_product_name":{"product_id":"a"},"product_reference":"a","relates_to_product_reference":"a"}]},
        "vulnerabilities":[{"cve":"CVE-1-1","product_status":{"fixed":["a"]}}]}"#;
    assert_eq!(
        told(&RedhatVex, "all", "x", circle.as_bytes()),
        "CVE-1-1  []\ngap: x: its product is not in the product tree: `a`\n"
    );
    let deep = format!("{{\"product_tree\":{}", "{\"branches\":[".repeat(10_000));
    assert!(told(&RedhatVex, "all", "x", deep.as_bytes()).starts_with("gap: x: it is no CSAF"));
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>, at in 0_usize..6000, byte: u8, text in ".{0,40}") {
        let parse = |bytes: &[u8]| RedhatVex.parse("all", &Document { path: "x", bytes });
        told::text(&parse(&bytes));
        let streams = include_str!("../../fixtures/redhat-vex/modules.json");
        let mut bent = streams.as_bytes().to_vec();
        if let Some(it) = bent.get_mut(at) {
            *it = byte;
        }
        told::text(&parse(&bent));
        let quoted = serde_json::to_string(&text).unwrap();
        told::text(&parse(streams.replace("\"pkg:rpmmod/redhat/oil:4/oil\"", &quoted).as_bytes()));
        told::text(&parse(streams.replace("\"cpe:/o:redhat:enterprise_linux:8\"", &quoted).as_bytes()));
        super::streams::without_fix(ecosystem::order::find("rpm"), &[text.clone(), format!("1-{text}.el9_2.1")], Some(4));
        let _ = super::component::of_id(&text);
        let _ = super::component::of_purl(&format!("pkg:rpm/redhat/{text}"));
    }
}
