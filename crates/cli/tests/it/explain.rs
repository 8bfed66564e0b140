//! `foretop explain`.

use crate::cves::with_statements;
use crate::teahouse::timeless;

#[track_caller]
fn check(name: &str, words: &str) {
    let sandbox = with_statements();
    let shown = sandbox.foretop(&format!("explain {words}"));
    insta::assert_snapshot!(name, timeless(&shown));
}

#[test]
fn a_finding_past_the_end_of_its_distribution() {
    check("a_finding", "archive://tea.tar CVE-2024-0001");
}

#[test]
fn a_flaw_too_small_for_an_update() {
    check("no_dsa", "archive://tea.tar CVE-2024-0002");
}

#[test]
fn a_vendor_says_not_affected() {
    check("vendor_not_affected", "archive://tea.tar CVE-2024-0003");
}

#[test]
fn a_version_of_0() {
    check("alpine_0", "archive://alpine.tar CVE-2024-0012");
}

#[test]
fn a_statement_that_counts() {
    check("vex_counts", "--vex-location vex archive://tea.tar CVE-2024-0021");
}

#[test]
fn a_statement_about_something_else() {
    check("vex_elsewhere", "--vex-location vex archive://tea.tar CVE-2024-0002");
}

#[test]
fn a_decision_that_has_expired() {
    check("expired", "--ignore-file decisions.toml archive://tea.tar CVE-2024-0002");
}

#[test]
fn a_package_that_the_distribution_owns() {
    check("owned", "archive://tea.tar pkg:pypi/brew");
}

#[test]
fn a_version_nobody_can_read() {
    check("unreadable", "archive://tea.tar steeper");
}

#[test]
fn an_advisory_that_was_withdrawn() {
    check("withdrawn", "archive://tea.tar GHSA-dddd-eeee-ffff");
}

#[test]
fn a_package_nobody_speaks_of() {
    check("unheard", "archive://tea.tar saucer");
}

#[test]
fn a_flaw_of_nothing_in_it() {
    check("elsewhere", "archive://alpine.tar CVE-2024-0021");
}

#[test]
fn nothing_of_that_name() {
    check("nothing", "archive://tea.tar coffee");
    check("no_such_purl", "archive://tea.tar pkg:npm/coffee");
}

#[test]
fn for_scripts() {
    check("as_json", "--format json archive://tea.tar CVE-2024-0001");
}
