//! Tests of the Debian tracker's feed.

use super::*;
use crate::spelt::{check, survives_junk, told};

const TRACKER: &str = include_str!("../../fixtures/debian-tracker/tracker.json");

const TOLD: &str = r#"
part all
CVE-2024-0001
  | A "teapot" boils over.
  | https://security-tracker.debian.org/tracker/CVE-2024-0001
  | https://bugs.debian.org/1000001
  | https://bugs.debian.org/1000002
  debian:11 Source teapot NotAffected * [debian low] (fixed_version 0: not affected)
  debian:12 Source teapot Affected <1.2-3+deb12u1 [debian high]
  debian:13 Source teapot Affected * Minor (no-dsa: Minor issue)
  debian:14 Source teapot Affected * Open [debian medium]
  debian:sid Source teapot Affected <1.5-1
  debian:12 Source kettle Affected <1:2.0-1 [debian low] by DSA-1-1
CVE-2024-0002
  | The lid falls off.
  | https://security-tracker.debian.org/tracker/CVE-2024-0002
  debian:10 Source teapot Affected * EndOfLife (end-of-life)
  debian:11 Source teapot Affected * WillNotFix (ignored: Too intrusive to backport)
  debian:12 Source teapot Affected * Deferred (postponed: Wait for upstream)
  debian:13 Source teapot Affected * Minor [debian low "unimportant"] (unimportant)
  debian:14 Source teapot UnderInvestigation * (undetermined)
TEMP-0000000-A1B2C3
  | https://security-tracker.debian.org/tracker/TEMP-0000000-A1B2C3
  debian:13 Source teapot UnderInvestigation * [debian low] (resolved)
  debian:sid Source teapot UnderInvestigation * [debian low] (simmering)
gap: debian/tracker.json: TEMP-0000000-A1B2C3 in teapot of trixie: it is resolved in no version
gap: debian/tracker.json: TEMP-0000000-A1B2C3 in teapot of sid: its status `simmering` is none that we know
gap: debian/tracker.json: what it says about CVE-2024-0003 in teapot cannot be read: invalid length 1, expected struct Flaw with 3 elements at line 1 column 13
gap: debian/tracker.json: what it says about mug cannot be read: invalid type: integer `7`, expected an object at line 1 column 1
gap: debian/tracker.json: the release `hoth` is none that we know: 1 rows are left out
"#;

#[test]
fn reads_every_word_of_the_tracker() {
    check(&DebianTracker, "debian/tracker.json", TRACKER, TOLD);
}

/// A document with one row.
fn row(release: &str) -> String {
    format!("{{\"teapot\":{{\"CVE-2024-0001\":{{\"releases\":{{\"bookworm\":{release}}}}}}}}}")
}

#[test]
fn a_fix_outweighs_what_was_said_before_it() {
    let text = row(
        r#"{"status":"resolved","fixed_version":"1-2","nodsa":"Later","nodsa_reason":"postponed"}"#,
    );
    let told = told(&DebianTracker, "x", &text);
    assert!(told.contains("debian:12 Source teapot Affected <1-2\n"), "{told}");
}

#[test]
fn a_long_note_is_cut() {
    let note = "é".repeat(1000);
    let text = row(&format!(r#"{{"status":"open","nodsa":"{note}","nodsa_reason":"ignored"}}"#));
    let told = told(&DebianTracker, "x", &text);
    assert_eq!(told.matches('é').count(), 300);
    assert!(told.contains("é…)"));
}

#[test]
fn a_document_that_is_cut_off_is_a_gap() {
    let text = TRACKER.get(..TRACKER.len() / 2).expect("it is all ASCII");
    let told = told(&DebianTracker, "x", text);
    assert!(told.starts_with("part all\ngap: x: it cannot be read: EOF"), "{told}");
}

#[test]
fn holes_and_strange_releases_are_bounded() {
    let releases: Vec<String> =
        (0..1000).map(|it| format!("\"r{it}\":{{\"status\":\"open\"}}")).collect();
    let text = format!("{{\"a\":{{\"CVE-1-1\":{{\"releases\":{{{}}}}}}}}}", releases.join(","));
    let parsed = DebianTracker.parse("all", &Document { path: "x", bytes: text.as_bytes() });
    assert_eq!(parsed.gaps.len(), 100);
}

#[test]
fn takes_no_document_of_another_feed() {
    for other in [
        r#"{"id": "CVE-2024-0001", "affected": []}"#,
        r#"{"document": {"category": "csaf_vex"}}"#,
        r#"{"vulnerabilities": [{"cve": {"id": "CVE-2024-0001"}}]}"#,
        r#"{"teapot": {"versions": {}}}"#,
        r#"{"teapot": {"CVE-2024-0001": {"fixed_version": "1-2"}}}"#,
        "{}",
        "",
    ] {
        assert_eq!(DebianTracker.recognises("tracker.json", other.as_bytes()), None, "{other}");
    }
}

#[test]
fn junk_is_no_reason_to_panic() {
    survives_junk(&DebianTracker, TRACKER);
}
