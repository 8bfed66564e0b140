//! Tests of the feed of Ubuntu's VEX documents.

use super::*;
use crate::spelt::{check, survives_junk, told};

const FLAW: &str = include_str!("../../fixtures/ubuntu-vex/CVE-2024-0001.json");

const TOLD: &str = "
part all
CVE-2024-0001 published 2024-01-02T03:00:00Z modified 2026-05-20T14:49:37.715155Z
  | A teapot boils over.
  | https://ubuntu.com/security/CVE-2024-0001
  ubuntu:22.04 Source teapot NotAffected >=1.2-1ubuntu0.5 (fixed)
  ubuntu:16.04 Source teapot NotAffected >=1:1.0-1+esm2 channel esm-infra (fixed)
  ubuntu:14.04 Source teapot Affected * EndOfLife (no longer supported)
  ubuntu:22.04 Source kettle Affected * WillNotFix (ignored: too intrusive)
  ubuntu:24.04 Source kettle Affected * Open
  ubuntu:20.04 Source mug NotAffected * (vulnerable_code_not_present: affects 4 and higher)
  ubuntu:24.04 Source cup UnderInvestigation * (under_investigation)
  ubuntu:22.04 Source cup Affected * Deferred (deferred)
  ubuntu:22.04 Source cup UnderInvestigation * (simmering)
gap: vex/cve/2024/CVE-2024-0001.json: teapot is fixed in no version
gap: vex/cve/2024/CVE-2024-0001.json: `zany` of kettle is no release that we know
gap: vex/cve/2024/CVE-2024-0001.json: kettle is in no release
gap: vex/cve/2024/CVE-2024-0001.json: `pkg:oci/saucer` is no package of Ubuntu
gap: vex/cve/2024/CVE-2024-0001.json: CVE-2024-0001: 2 products without the source package they are built from
gap: vex/cve/2024/CVE-2024-0001.json: CVE-2024-0001: its status `simmering` is none that we know
";

#[test]
fn reads_every_word_of_canonical() {
    check(&UbuntuVex, "vex/cve/2024/CVE-2024-0001.json", FLAW, TOLD);
}

#[test]
fn the_older_shape_has_its_own_place_for_the_time() {
    let text = r#"{
        "metadata": {
            "@context": "https://openvex.dev/ns/v0.2.0",
            "@id": "https://github.com/canonical/ubuntu-security-notices/blob/main/vex/cve/2002/CVE-2002-1",
            "timestamp": "2024-12-18T16:54:46.792568"
        },
        "statements": [{
            "vulnerability": {"name": "CVE-2002-1"},
            "timestamp": "2019-10-23 18:15:00 UTC",
            "status": "not_affected"
        }]
    }"#;
    let told = told(&UbuntuVex, "x", text);
    let line = "CVE-2002-1 published 2019-10-23T18:15:00Z modified 2024-12-18T16:54:46.792568Z\n";
    assert_eq!(told, format!("part all\n{line}"));
}

#[test]
fn takes_no_document_of_another_feed() {
    for other in [
        r#"{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1"}"#,
        r#"{"id": "USN-1-1", "references": ["/canonical/ubuntu-security-notices/"]}"#,
        "",
    ] {
        assert_eq!(UbuntuVex.recognises("CVE-2024-0001.json", other.as_bytes()), None, "{other}");
    }
}

#[test]
fn junk_is_no_reason_to_panic() {
    survives_junk(&UbuntuVex, FLAW);
}
