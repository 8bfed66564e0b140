//! Tests of the feed of Ubuntu's tracker.

use super::*;
use crate::spelt::{check, survives_junk, told};

const FLAW: &str = include_str!("../../fixtures/ubuntu-cve-tracker/CVE-2024-0001");

const TOLD: &str = "
part all
CVE-2024-0001 published 2024-01-02T03:00:00Z [ubuntu medium] [nvd critical 9.8]
  | A teapot boils over when nobody looks.
  | https://cve.mitre.org/cgi-bin/cvename.cgi?name=CVE-2024-0001
  | https://ubuntu.com/security/notices/USN-1-1
  ubuntu:14.04 Source teapot Affected * EndOfLife [ubuntu low] (ignored: out of standard support)
  ubuntu:14.04 Source teapot Affected <1.0-1ubuntu0.1+esm1 channel esm [ubuntu low]
  ubuntu:16.04 Source teapot Affected * EndOfLife [ubuntu low] (ignored: end of standard support, was needed)
  ubuntu:16.04 Source teapot Affected * Open channel esm-infra [ubuntu low]
  ubuntu:18.04 Source teapot NotAffected * [ubuntu low] (ignored: was not-affected (1.1 only) now end-of-life)
  ubuntu:20.04 Source teapot Affected <1.2-1ubuntu0.3 [ubuntu low]
  ubuntu:20.04 Source teapot Affected * Open channel fips-updates [ubuntu low] (pending: 1.2-1ubuntu0.3+fips1)
  ubuntu:22.04 Source teapot Affected * Deferred [ubuntu high] (deferred: 2024-02-01)
  ubuntu:24.04 Source teapot NotAffected * [ubuntu low] (not-affected: 1.5-1)
  ubuntu:24.10 Source teapot UnderInvestigation * [ubuntu low] (needs-triage)
  ubuntu:25.04 Source teapot Affected * Open [ubuntu low]
  ubuntu:25.10 Source teapot Affected * WillNotFix [ubuntu low] (ignored: too intrusive to backport)
  ubuntu:26.04 Source teapot Affected <1.6-0ubuntu1 [ubuntu low]
  ubuntu:20.04 Source kettle NotAffected * (released (0): not affected)
  ubuntu:22.04 Source kettle UnderInvestigation * (released)
  ubuntu:24.04 Source kettle UnderInvestigation * (simmering)
  ubuntu:23.04 Source kettle UnderInvestigation *
  ubuntu:23.10 Source kettle Affected * Open
  ubuntu:21.04 Source kettle NotAffected * (ignored: code-not-compiled)
  ubuntu:21.10 Source kettle NotAffected * (ignored: code not compiled on this release)
gap: active/CVE-2024-0001: kettle in ubuntu:22.04, channel main: `released` names no version
gap: active/CVE-2024-0001: kettle in ubuntu:24.04, channel main: its status `simmering` is none that we know
gap: active/CVE-2024-0001: `zany` of kettle is no release that we know
gap: active/CVE-2024-0001: kettle in ubuntu:23.04, channel main: its status `` is none that we know
";

#[test]
fn reads_every_word_of_the_tracker() {
    check(&UbuntuCveTracker, "active/CVE-2024-0001", FLAW, TOLD);
}

#[test]
fn a_file_about_nothing_is_a_gap() {
    let text = "Candidate:\nPublicDate: unknown\njammy_teapot: needed\n";
    check(
        &UbuntuCveTracker,
        "x",
        text,
        "part all\ngap: x: it does not say which flaw it is about\n",
    );
}

#[test]
fn a_flaw_that_was_none_is_withdrawn() {
    check(
        &UbuntuCveTracker,
        "x",
        "Candidate: CVE-2024-0002\nPublicDate: 2024-01-02\nDescription:\n ** REJECT ** A mistake.\n",
        "part all\n\
         CVE-2024-0002 published 2024-01-02T00:00:00Z withdrawn 2024-01-02T00:00:00Z\n  \
         | ** REJECT ** A mistake.\n",
    );
}

#[test]
fn reads_over_slips_of_the_pen() {
    let row = |line: &str| {
        let text = format!("Candidate: CVE-2024-0002\nPublicDate: unknown\n{line}\n");
        let told = told(&UbuntuCveTracker, "x", &text);
        told.strip_prefix("part all\nCVE-2024-0002\n").expect("one advisory").trim().to_owned()
    };
    let fixed = "ubuntu:22.04 Source teapot Affected <1.2-3";
    assert_eq!(row("jammy_teapot: released ( 1.2-3)"), fixed);
    assert_eq!(row("jammy_teapot: released ((1.2-3)"), fixed);
    assert_eq!(row("jammy_teapot: released(1.2-3 in proposed)"), fixed);
    assert_eq!(row("jammy_teapot:released [1.2-3, 1.2-4]"), fixed);
    assert_eq!(row("-- jammy_teapot: needed"), "");
    assert_eq!(row("# jammy_teapot: needed"), "");
    assert_eq!(
        row("jammy_teapot: released (see notes)"),
        "ubuntu:22.04 Source teapot UnderInvestigation * (released: see notes)\n\
         gap: x: teapot in ubuntu:22.04, channel main: `released (see notes)` names no version"
    );
}

#[test]
fn takes_no_document_of_another_feed() {
    for other in [
        r#"{"Candidate": "CVE-2024-0001", "PublicDate": "2024-01-02T03:00:00Z"}"#,
        "Author:\nTitle:\njammy_teapot: needed\n",
        "A Candidate: whom?\nPublicDate\n",
        "",
    ] {
        assert_eq!(UbuntuCveTracker.recognises("CVE-2024-0001", other.as_bytes()), None, "{other}");
    }
}

#[test]
fn junk_is_no_reason_to_panic() {
    survives_junk(&UbuntuCveTracker, FLAW);
}
