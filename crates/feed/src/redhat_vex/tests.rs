//! Red Hat: documents in, rows out.

use proptest::prelude::*;

use super::RedhatVex;
use crate::contract::{Document, Feed};
use crate::shown::{check, show};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../fixtures/redhat-vex/", $name, ".json"))
    };
}

#[test]
fn tells_streams_apart() {
    check(&RedhatVex, "all", fixture!("streams"), "CVE-2024-1001 CWE-787: lamp: it burns
         * redhat high Important 8.1 CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H
         @ https://access.redhat.com/security/cve/CVE-2024-1001
         @ https://example.org/lamp
         - rhel:7 lamp (binary) (..), endoflife, redhat low, \"Out of support scope\"
         - rhel:8 lamp (binary) not affected (..), \"vulnerable_code_not_present\"
         - rhel:9 lamp (binary) (..1:3.0.1-23.el9_2.4) [1:3.0.1-23.el9_3..1:3.0.1-26.el9_3.2), redhat high Important 8.1 CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H, by RHSA-2024:1101 RHSA-2024:1102
         - rhel:9 lamp (binary) (..1:3.0.1-14.el9_0.9), channel eus-9.0, redhat high Important 8.1 CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H, by RHSA-2024:1103
         - rhel:9 lamp-doc (binary) (..1:3.0.1-23.el9_2.4) [1:3.0.1-23.el9_3..1:3.0.1-26.el9_3.2), redhat high Important 8.1 CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H, by RHSA-2024:1101 RHSA-2024:1102
         - rhel:9 lamp-doc (binary) (..1:3.0.1-14.el9_0.9), channel eus-9.0, redhat high Important 8.1 CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H, by RHSA-2024:1103
         - rhel:7 lamp-libs (binary) (..), endoflife, redhat low, \"Out of support scope\"
         - rhel:8 lamp-libs (binary) not affected (..), \"vulnerable_code_not_present\"
         - rhel:9 lamp-libs (binary) (..1:3.0.1-23.el9_2.4) [1:3.0.1-23.el9_3..1:3.0.1-26.el9_3.2), redhat high Important 8.1 CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H, by RHSA-2024:1101 RHSA-2024:1102
         - rhel:9 lamp-libs (binary) (..1:3.0.1-14.el9_0.9), channel eus-9.0, redhat high Important 8.1 CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H, by RHSA-2024:1103
         - redhat openshift4/oil-rhel9 (either) under investigation (..), in cpe:/a:redhat:openshift:4
         - redhat wick (source) (..), deferred, \"Fix deferred\", in cpe:/a:redhat:openshift:4
         - rhel:9 wick (binary) (..2.0-1.el9), redhat high Important 8.1 CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H, on x86_64, in cpe:/a:redhat:openshift:4.16::el9, by RHSA-2024:1104
         - rhel:9 wick (binary) (..2.0-2.el9), redhat high Important 8.1 CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H, on s390x, in cpe:/a:redhat:openshift:4.16::el9, by RHSA-2024:1104
         current 2024-05-02T10:00:00+00:00");
}

#[test]
fn tells_modules_apart() {
    check(
        &RedhatVex,
        "all",
        fixture!("modules"),
        "CVE-2024-1002: oil: it leaks
         * redhat medium Moderate
         - rhel:8 can (binary) (..1.0-3.module+el8.9.0+2+ab), module oil:3
         - rhel:8 oil (source) (..), willnotfix, module oil:1, \"Will not fix\"
         - rhel:8 oil (binary) (..2.5-111.module+el8.9.0+19193+435404ae), module oil:2
         - rhel:8 oil (either) not affected (..), module oil:4
         ! x: its module `rhel8` has no stream: `red_hat_enterprise_linux_8:oil-flatpak`
         current 2024-05-02T10:00:00+00:00",
    );
}

#[test]
fn reads_names_where_there_are_no_purls() {
    check(
        &RedhatVex,
        "all",
        fixture!("plain"),
        "CVE-2024-1003: it breaks
         * redhat medium 4.3 AV:N/AC:M/Au:N/C:N/I:P/A:N
         - rhel:8 vase (binary) (..1.0-2.el8)
         - rhel:9 vase (either) (..), open, redhat medium 4.3 AV:N/AC:M/Au:N/C:N/I:P/A:N
         ! x: it is not in the product tree: `red_hat_enterprise_linux_9:lost`
         ! x: its product has no CPE: `no_cpe:vase`
         current 2024-05-02T10:00:00+00:00",
    );
}

#[test]
fn reads_the_newer_shape() {
    check(
        &RedhatVex,
        "all",
        fixture!("minors"),
        "CVE-2026-1004: It tips over
         * redhat low
         - rhel:9 bowl (source) (..2.9-10.el9_6) [2.9-11..), by RHSA-2026:1
         - rhel:9 bowl (source) (..), open, channel eus-9.4, \"Affected\"
         current 2024-05-02T10:00:00+00:00",
    );
}

#[test]
fn tells_of_what_is_no_document() {
    let check = |text: &str, expect: &str| {
        let parsed = RedhatVex.parse("all", &Document { path: "x", bytes: text.as_bytes() });
        assert_eq!(show(&parsed).join("\n"), expect, "{text}");
    };
    check("{", "! x: it is no CSAF document: EOF while parsing an object at line 1 column 1");
    check(r#"{"document":{"tracking":{"id":"CVE-1-1","status":"deleted"}}}"#, "");
    check(r#"{"vulnerabilities":[{"title":"x"}]}"#, "! x: a flaw without a name: `x`");
    check(
        r#"{"vulnerabilities":[{"cve":"CVE-1-1"}]}"#,
        "CVE-1-1: \n! x: it says nothing about any product: `CVE-1-1`",
    );
    check(
        r#"{"product_tree":{"relationships":[{"full_product_name":{"product_id":"a"},
            "product_reference":"a","relates_to_product_reference":"a"}]},
            "vulnerabilities":[{"cve":"CVE-1-1","product_status":{"fixed":["a"]}}]}"#,
        "CVE-1-1: \n! x: its product is not in the product tree: `a`",
    );
    let deep = format!("{{\"product_tree\":{}", "{\"branches\":[".repeat(10_000));
    let parsed = RedhatVex.parse("all", &Document { path: "x", bytes: deep.as_bytes() });
    assert!(show(&parsed).join("\n").starts_with("! x: it is no CSAF document: recursion limit"));
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

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>, at in 0_usize..6000, byte: u8, text in ".{0,40}") {
        let parse = |bytes: &[u8]| RedhatVex.parse("all", &Document { path: "x", bytes });
        show(&parse(&bytes));
        let streams = fixture!("modules");
        let mut bent = streams.as_bytes().to_vec();
        if let Some(it) = bent.get_mut(at) {
            *it = byte;
        }
        show(&parse(&bent));
        let quoted = serde_json::to_string(&text).unwrap();
        show(&parse(streams.replace("\"pkg:rpmmod/redhat/oil:4/oil\"", &quoted).as_bytes()));
        show(&parse(streams.replace("\"cpe:/o:redhat:enterprise_linux:8\"", &quoted).as_bytes()));
        super::streams::without_fix(ecosystem::order::find("rpm"), &[text.clone(), format!("1-{text}.el9_2.1")], Some(4));
        let _ = super::component::of_id(&text);
        let _ = super::component::of_purl(&format!("pkg:rpm/redhat/{text}"));
    }
}
