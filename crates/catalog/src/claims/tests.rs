//! Tests of the matcher: it claims what globs claim.

use ecosystem::{Beside, File};
use globset::GlobBuilder;
use model::Found;
use proptest::prelude::*;

use super::*;

fn nothing(_: &File<'_>, _: &dyn Beside) -> Found {
    Found::default()
}

/// A cataloger with these claims.
fn claiming(globs: &[&'static str]) -> &'static Cataloger {
    let claims: Vec<Claim> = globs.iter().map(|it| Claim::Path(it)).collect();
    Box::leak(Box::new(Cataloger {
        id: "toy",
        reads: "toys",
        version: 1,
        claims: claims.leak(),
        peeks: &[],
        read: nothing,
    }))
}

fn check(glob: &'static str, path: &str, expect: bool) {
    let mut owners = Vec::new();
    Claims::new(&[claiming(&[glob])]).claimants(path, &mut owners);
    assert_eq!(!owners.is_empty(), expect, "{glob} {path}");
}

#[test]
fn globs() {
    check("var/lib/dpkg/status", "var/lib/dpkg/status", true);
    check("var/lib/dpkg/status", "x/var/lib/dpkg/status", false);
    check("var/lib/dpkg/status.d/*", "var/lib/dpkg/status.d/tzdata", true);
    check("var/lib/dpkg/status.d/*", "var/lib/dpkg/status.d/a/b", false);
    check("**/package.json", "package.json", true);
    check("**/package.json", "a/b/package.json", true);
    check("**/package.json", "a/bpackage.json", false);
    check("**/node_modules/*/package.json", "node_modules/a/package.json", true);
    check("**/node_modules/*/package.json", "x/node_modules/a/b/package.json", false);
    check("**/*.{jar,war}", "a.jar", true);
    check("**/*.{jar,war}", "x/y/a.b.war", true);
    check("**/*.{jar,war}", "x.jar/a", false);
    check("**/*.dist-info/METADATA", "lib/a-1.dist-info/METADATA", true);
    check("**/libssl.so*", "usr/lib/libssl.so.3", true);
    check("**/libssl.so*", "usr/lib/libssl.so.3/x", false);
    check("opt/**", "opt/a/b", true);
    check("opt/**/x.txt", "opt/x.txt", true);
    check("**/*-release", "etc/alpine-release", true);
    check("**/python[23]", "usr/bin/python3", true);
    check("**/a/b.txt", "xa/b.txt", false);
    check("*.txt", "a.txt", true);
    check("*.txt", "d/a.txt", false);
}

#[test]
fn the_fingerprint_follows_what_is_claimed() {
    let of = |globs: &[&'static str]| Claims::new(&[claiming(globs)]).fingerprint();
    assert_eq!(of(&["a"]), of(&["a"]));
    assert_ne!(of(&["a"]), of(&["b"]));
    assert_eq!(of(&[]).len(), 32);
}

#[test]
fn every_claim_of_every_ecosystem_compiles() {
    let mut owners = Vec::new();
    Claims::all().claimants("etc/os-release", &mut owners);
    assert_eq!(Claims::all().cataloger(owners[0]).id, crate::os_release::CATALOGER.id);
}

#[test]
fn directories_above() {
    let directories: Vec<&str> = ancestors("a/b/c").collect();
    assert_eq!(directories, ["a/b", "a"]);
    assert_eq!(ancestors("a").count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The look-ups may only leave out what no glob would match.
    #[test]
    fn looks_up_what_globset_matches(
        glob in "(\\*\\*/|[ab]/)?(\\*|a\\*|\\*a|[ab])?/?(\\*\\.[ab]|[ab]|[ab]\\*|\\*[ab]|\\*)",
        path in "([ab]{1,2}/){0,3}[ab]{1,2}(\\.[ab])?",
    ) {
        let leaked: &'static str = glob.clone().leak();
        let mut owners = Vec::new();
        Claims::new(&[claiming(&[leaked])]).claimants(&path, &mut owners);
        let expect = GlobBuilder::new(&glob).literal_separator(true).build().unwrap();
        prop_assert_eq!(!owners.is_empty(), expect.compile_matcher().is_match(&path), "{} {}", glob, path);
    }
}
