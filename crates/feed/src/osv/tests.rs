//! OSV: records in, rows out.

use super::*;
use crate::shown::check;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../fixtures/osv/", $name))
    };
}

#[test]
fn a_part_tells_its_own_ecosystem() {
    check(
        &Osv,
        "npm",
        fixture!("github.json"),
        "GHSA-aaaa-bbbb-cccc =CVE-2026-0001 ~GHSA-dddd-eeee-ffff CWE-346 CWE-352: A router forgets to ask who is there
         * ghsa medium MODERATE 6.5 CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:H/A:N
         @ https://nvd.nist.gov/vuln/detail/CVE-2026-0001
         @ https://example.com/news
         @ https://example.com/a-router
         - npm a-router (either) [7.0.0..7.12.0)
         - npm @scope/runtime (either) (..2.17.2]
         current 2026-01-11T15:07:45.745370Z",
    );
    let parsed =
        Osv.parse(LOOSE, &Document { path: "x", bytes: fixture!("github.json").as_bytes() });
    let last = parsed.advisories[0].affected.last().unwrap();
    assert_eq!((last.space.as_str(), &*last.package), ("pypi", "other-place"));
    // What only other parts tell is left to them.
    check(&Osv, "Go", fixture!("github.json"), "current 2026-01-11T15:07:45.745370Z");
}

#[test]
fn a_distribution_tells_of_upstream_flaws() {
    check(
        &Osv,
        "Debian",
        fixture!("debian.json"),
        "CVE-2024-0001 =DEBIAN-CVE-2024-0001: A library reads past its end.
         * nvd high 7.5 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H
         @ https://security-tracker.debian.org/tracker/CVE-2024-0001
         - debian:12 libfoo (source) (..3.0.14-1~deb12u2)
         - debian:11 libfoo (source) (..), debian low unimportant
         current 2025-11-20T10:17:53.824117Z",
    );
}

#[test]
fn an_erratum_is_told_for_each_flaw() {
    check(
        &Osv,
        "AlmaLinux",
        fixture!("almalinux.json"),
        "CVE-2024-0001: nginx: it reads too far
         * almalinux medium Moderate
         @ https://errata.almalinux.org/9/ALSA-2024-0001.html
         @ https://access.redhat.com/security/cve/CVE-2024-0001
         - almalinux:9 nginx (binary) (..1:1.22.1-8.module_el9.6.0+1+2), module nginx:1.22, by ALSA-2024:0001
         - almalinux:9 nginx-filesystem (binary) (..1:1.22.1-8.module_el9.6.0+1+2), module nginx:1.22, by ALSA-2024:0001
         CVE-2024-0002: nginx: it writes too far
         * almalinux medium Moderate
         @ https://errata.almalinux.org/9/ALSA-2024-0001.html
         @ https://access.redhat.com/security/cve/CVE-2024-0002
         - almalinux:9 nginx (binary) (..1:1.22.1-8.module_el9.6.0+1+2), module nginx:1.22, by ALSA-2024:0001
         - almalinux:9 nginx-filesystem (binary) (..1:1.22.1-8.module_el9.6.0+1+2), module nginx:1.22, by ALSA-2024:0001
         current 2024-06-03T09:34:58Z",
    );
}

#[test]
fn ubuntu_has_channels_and_ratings_of_its_own() {
    check(
        &Osv,
        "Ubuntu",
        fixture!("ubuntu.json"),
        "CVE-2024-0001: libfoo vulnerabilities
         @ https://ubuntu.com/security/notices/USN-1000-1
         @ https://ubuntu.com/security/CVE-2024-0001
         - ubuntu:22.04 libfoo (source) (..3.0.2-0ubuntu1.17), ubuntu low, by USN-1000-1
         - ubuntu:18.04 libfoo (source) (..1.1.1-1ubuntu2.1~18.04.23+esm5), channel esm-infra, by USN-1000-1
         - ubuntu:22.04 libfoo (source) (..3.0.2-0ubuntu1.17+Fips1), channel fips-updates, by USN-1000-1
         CVE-2024-0002: libfoo vulnerabilities
         @ https://ubuntu.com/security/notices/USN-1000-1
         @ https://ubuntu.com/security/CVE-2024-0002
         - ubuntu:22.04 libfoo (source) (..3.0.2-0ubuntu1.17), by USN-1000-1
         - ubuntu:18.04 libfoo (source) (..1.1.1-1ubuntu2.1~18.04.23+esm5), channel esm-infra, by USN-1000-1
         - ubuntu:22.04 libfoo (source) (..3.0.2-0ubuntu1.17+Fips1), channel fips-updates, by USN-1000-1
         current 2025-10-13T04:37:56Z",
    );
}

#[test]
fn malice_is_no_flaw_and_what_is_withdrawn_is_kept() {
    check(
        &Osv,
        "npm",
        fixture!("malicious.json"),
        "MAL-2026-1 =GHSA-aaaa-aaaa-aaaa malicious withdrawn 2026-01-16T00:00:00Z CWE-506: Malicious code in an-attack (npm)
         - npm an-attack (either) (..)
         current 2026-01-15T22:26:24.843253Z",
    );
}

#[test]
fn suse_lists_the_binaries_of_each_product() {
    check(
        &Osv,
        "SUSE",
        fixture!("suse.json"),
        "CVE-2024-0001: Security update for bind
         - sles:15.5 bind (binary) (..9.16.50-150500.8.21.1), by SUSE-SU-2024:1000-1
         - sles:15.5 bind-utils (binary) (..9.16.50-150500.8.21.1), by SUSE-SU-2024:1000-1
         current 2024-06-03T09:34:58Z",
    );
}

#[test]
fn fields_may_come_in_any_order() {
    check(
        &Osv,
        "Hackage",
        fixture!("alphabet.json"),
        "HSEC-2024-0003 =CVE-2024-0003: process: command injection
         - hackage process (either) [1.0.0.0..1.6.23.0), haskell critical 10.0 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H
         current 2025-11-14T14:45:34Z",
    );
}

fn check_affected(id: &str, affected: &str, expect: &str) {
    let text = format!(
        r#"{{"id": "{id}", "modified": "2024-01-01T00:00:00Z", "affected": [{affected}]}}"#
    );
    let parsed = Osv.parse(LOOSE, &Document { path: "x", bytes: text.as_bytes() });
    let shown = crate::shown::show(&parsed);
    let shown: Vec<&str> = shown
        .iter()
        .filter_map(|it| it.strip_prefix("- ").or(it.starts_with('!').then_some(it)))
        .collect();
    assert_eq!(shown.join("\n"), expect, "{affected}");
}

#[test]
fn what_names_no_versions_is_a_gap() {
    check_affected(
        "A-1",
        r#"{"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}"#,
        "! A-1: it names commits alone, and no versions of a package",
    );
    check_affected(
        "A-1",
        r#"{"package": {"ecosystem": "npm", "name": "a"}, "ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}"#,
        "! A-1: a: it names commits alone, and no versions",
    );
    check_affected(
        "A-1",
        r#"{"package": {"ecosystem": "npm", "name": "a"}}"#,
        "! A-1: a: it names no versions",
    );
    check_affected(
        "A-1",
        r#"{"package": {"ecosystem": "Nowhere:7", "name": "a"}, "versions": ["1"]}"#,
        "nowhere:7 a (either) =1\n! A-1: `Nowhere:7` is an ecosystem that nobody taught us",
    );
}

#[test]
fn commits_are_left_aside_where_versions_speak() {
    check_affected(
        "A-1",
        r#"{"package": {"ecosystem": "PyPI", "name": "a"}, "ranges": [
            {"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "abcdef"}]},
            {"type": "ECOSYSTEM", "events": [{"fixed": "2.0"}, {"introduced": "0"}]}]},
           {"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}"#,
        "pypi a (either) (..2.0)",
    );
}

#[test]
fn a_fix_in_version_0_means_not_affected() {
    check_affected(
        "A-1",
        r#"{"package": {"ecosystem": "Alpine:v3.20", "name": "a"}, "ranges": [
            {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0"}]}]}"#,
        "alpine:3.20 a (source) not affected (..), \"fixed in version 0, that is in all there ever were\"",
    );
}

#[test]
fn rust_tells_what_is_no_flaw_but_worth_knowing() {
    check_affected(
        "RUSTSEC-2024-0001",
        r#"{"package": {"ecosystem": "crates.io", "name": "a"},
            "database_specific": {"categories": [], "cvss": null, "informational": "unmaintained"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0.0.0-0"}]}]}"#,
        "cargo a (either) [0.0.0-0..), rustsec unspecified unmaintained, \"informational: unmaintained\"",
    );
}

#[test]
fn records_are_recognised_with_their_part() {
    let check = |path: &str, head: &str, expect: Option<&str>| {
        assert_eq!(Osv.recognises(path, head.as_bytes()).as_deref(), expect, "{path} {head}");
    };
    let head = r#"{"id": "A-1", "modified": "#;
    check("osv/PyPI/all.zip/A-1.json", head, Some("PyPI"));
    check("osv/Rocky Linux/all.zip/A-1.json", head, Some("Rocky Linux"));
    check("all.zip/A-1.json", head, Some("loose"));
    check("some-folder/all.zip/A-1.json", head, Some("loose"));
    check("A-1.json", head, Some("loose"));
    check("A-1.json", r#"{"id": "A-1", "summary": "x", "details": "It goes on and"#, Some("loose"));
    check("x", r#"{"id": 3, "title": "x"}"#, None);
    check("x", r#"{"@context": "https://openvex.dev/ns", "id": "x", "modified": "x"}"#, None);
    check("x", r#"{"dataType": "CVE_RECORD", "affected": [{"ecosystem": "npm"}]}"#, None);
    check("x", r#"{"affected": [{"package": {"ecosystem": "Hackage", "#, Some("loose"));
    check("x", r#"[{"id": "A-1", "modified": "x"}]"#, None);
}

#[test]
fn junk_is_a_gap() {
    for text in [
        "",
        "{",
        "[]",
        r#"{"id": ""}"#,
        r#"{"id": "A", "affected": 7}"#,
        r#"{"id": "A", "id": "B"}"#,
    ] {
        let parsed = Osv.parse("npm", &Document { path: "x", bytes: text.as_bytes() });
        assert_eq!((parsed.advisories.len(), parsed.gaps.len()), (0, 1), "{text}");
    }
}

#[test]
fn of_each_rebuild_of_a_module_the_first_is_kept() {
    let row = |fix: &str| {
        format!(
            r#"{{"package": {{"ecosystem": "AlmaLinux:8", "name": "a"}}, "ranges": [
                {{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "{fix}"}}]}}]}}"#
        )
    };
    let rebuilds =
        ["2.0-6.module_el8.5.0+94+1", "2.0-6.module_el8.3.0+2041+2", "2.0-6.module_el8.4.0+7+3"];
    check_affected(
        "ALSA-2024:1",
        &rebuilds.map(row).join(","),
        "almalinux:8 a (binary) (..2.0-6.module_el8.3.0+2041+2), by ALSA-2024:1",
    );
    // Other versions are other branches.
    check_affected(
        "ALSA-2024:1",
        &["2.0-6.module_el8.5.0+94+1", "3.0-1.module_el8.5.0+95+1"].map(row).join(","),
        "almalinux:8 a (binary) (..2.0-6.module_el8.5.0+94+1), by ALSA-2024:1
almalinux:8 a (binary) (..3.0-1.module_el8.5.0+95+1), by ALSA-2024:1",
    );
}

#[test]
fn versions_that_a_range_covers_are_not_listed_again() {
    check_affected(
        "A-1",
        r#"{"package": {"ecosystem": "PyPI", "name": "a"}, "versions": ["0.9", "1.0rc1", "1.0", "3.0", "odd one"],
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2"}, {"fixed": "1.0"}, {"introduced": "0"}, {"fixed": "2.5"}]}]}"#,
        "pypi a (either) (..1.0) [2..2.5) =1.0 =3.0 =odd one",
    );
}

/// What is said of each of its flaws again is bounded, whatever their number.
#[test]
fn a_huge_erratum_has_few_references_of_each_flaw() {
    let many = |what: &str| (10_000..15_000).map(|it| format!("{what}{it}")).collect::<Vec<_>>();
    let references = many("https://example.com/CVE-2024-").into_iter().chain(many("https://x/"));
    let references: Vec<_> =
        references.map(|url| serde_json::json!({"type": "WEB", "url": url})).collect();
    let record = serde_json::json!({
        "id": "ALSA-2024:1", "modified": "2024-01-01T00:00:00Z", "summary": "everything",
        "details": format!("Security Fix(es):\n{}", many("* it burns (CVE-2024-").join(")\n") + ")"),
        "related": many("CVE-2024-"), "references": references,
        "affected": [{"package": {"ecosystem": "AlmaLinux:9", "name": "nginx"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1"}]}]}],
    });
    let bytes = record.to_string();
    let parsed = Osv.parse("AlmaLinux", &Document { path: "x", bytes: bytes.as_bytes() });
    assert_eq!(parsed.advisories.len(), 5000);
    let told: usize = parsed.advisories.iter().map(|it| it.references.len()).sum();
    assert_eq!(told, MOST_TEXTS);
    let (first, last) = (&parsed.advisories[0], parsed.advisories.last().unwrap());
    assert_eq!((&*first.title, &*last.title), ("it burns", "it burns"));
    // Its own page is told, and that of no other flaw.
    assert_eq!(first.references.iter().filter(|it| it.contains("/CVE-")).count(), 1);
}
