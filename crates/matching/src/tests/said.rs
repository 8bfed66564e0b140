//! Statements: which fit, which count, and why others do not.

use super::{check_chain, check_with};
use crate::{Asked, Options};

const IMAGE: &str = "image ghcr.io/org/app:1.3 sha256:1111111111111111111111111111111111111111111111111111111111111111
    pkg:pypi/flask@1.0
    pkg:pypi/jinja2@2.0";
const ROWS: &str = "osv pypi flask CVE-1 =GHSA-1 <2.0";

#[track_caller]
fn check_said(said: &str, is_suppressed: bool) {
    let end = if is_suppressed { ", suppressed by a" } else { "" };
    let expect =
        format!("CVE-1 unspecified flask@1.0 [flask] by osv CVE-1: fix 2.0, also GHSA-1{end}");
    check_with(IMAGE, ROWS, said, Options::default(), &expect);
}

#[track_caller]
fn check_near(said: &str, reason: &str) {
    check_said(said, false);
    check_chain(
        IMAGE,
        ROWS,
        said,
        Asked::Flaw("ghsa-1"),
        &format!(
            "flask CVE-1 GHSA-1: affected
             - package: pkg:pypi/flask@1.0 (installed)
             - space: pypi, by its type; osv speaks there
             - advisory: osv: CVE-1 about flask
             - range: affected: < 2.0
             - comparison: 1.0 is in it: < 2.0
             - statement: a says not_affected, which does not apply: {reason}"
        ),
    );
}

#[test]
fn products_that_fit() {
    for product in [
        "pkg:docker/ghcr.io/org/app",
        "pkg:docker/org/app@1.3?repository_url=ghcr.io",
        "pkg:oci/app?repository_url=ghcr.io/org/app",
        "pkg:oci/app?repository_url=ghcr.io/org&tag=1.3",
        "pkg:oci/app",
        "pkg:oci/app@sha256:1111111111111111111111111111111111111111111111111111111111111111",
        "pkg:oci/else@sha256%3A1111111111111111111111111111111111111111111111111111111111111111?repository_url=quay.io/x/else",
        "sha256:1111111111111111111111111111111111111111111111111111111111111111",
        "ghcr.io/org/app",
        "ghcr.io/org/app:1.3",
        "ghcr.io/org/app@sha256:1111111111111111111111111111111111111111111111111111111111111111",
        "*",
        "pkg:pypi/flask",
        "pkg:pypi/Flask@1.0",
        "pkg:pypi/flask@*",
    ] {
        check_said(&format!("a CVE-1 not_affected product:{product}"), true);
        let other_name = format!("a ghsa-1 fixed product:{product}");
        check_said(&other_name, true);
    }
    check_said("a CVE-1 not_affected", true);
    check_said("a * accepted", true);
    check_said("a CVE-1 not_affected product:ghcr.io/org/app part:pkg:pypi/flask", true);
    check_said("a CVE-1 not_affected product:pkg:pypi/jinja2 part:pkg:pypi/flask@1.0", true);
    check_said("a CVE-1 not_affected product:quay.io/x product:* part:*", true);
}

#[test]
fn versions_of_products() {
    check_said("a CVE-1 not_affected product:pkg:pypi/flask versions:vers:pypi/>=0.9|<1.1", true);
    check_said("a CVE-1 not_affected product:pkg:pypi/flask versions:<=1.0", true);
    check_near(
        "a CVE-1 not_affected product:pkg:pypi/flask versions:vers:pypi/<1.0",
        "version 1.0 is not in its range vers:pypi/<1.0",
    );
}

#[test]
fn products_that_nearly_fit() {
    check_near(
        "a CVE-1 not_affected product:pkg:docker/ghcr.io/org/app@1.2",
        "product pkg:docker/ghcr.io/org/app@1.2 is not this image (tag is 1.3)",
    );
    check_near(
        "a CVE-1 not_affected product:pkg:docker/org/app@1.3",
        "product pkg:docker/org/app@1.3 is not this image (repository is ghcr.io/org/app)",
    );
    check_near(
        "a CVE-1 not_affected product:pkg:pypi/flask@1.1",
        "product pkg:pypi/flask@1.1 is not this package (version is 1.0)",
    );
    check_near(
        "a CVE-1 not_affected product:ghcr.io/org/app part:pkg:pypi/jinja2",
        "product pkg:pypi/jinja2 is not this package (name is flask)",
    );
    check_near(
        "a CVE-1 not_affected product:pkg:pypi/django part:pkg:pypi/flask",
        "product pkg:pypi/django is not in this image",
    );
    check_near(
        "a CVE-1 not_affected product:cpe:2.3:a:x:y:1:*:*:*:*:*:*:*",
        "product cpe:2.3:a:x:y:1:*:*:*:*:*:*:* is none of the CPEs of this package or image",
    );
    check_near("a CVE-1 not_affected expires:2025-06-01", "it expired on 2025-06-01");
}

#[test]
fn expiry_and_other_flaws() {
    check_said("a CVE-1 not_affected expires:2025-06-02", true);
    check_said("a CVE-2 not_affected", false);
}

#[test]
fn the_more_specific_then_the_later_counts() {
    check_said("b CVE-1 affected said:2024-01-01\na CVE-1 not_affected said:2024-02-01", true);
    check_said(
        "a CVE-1 not_affected product:pkg:pypi/flask said:2024-01-01
         b CVE-1 affected said:2024-02-01",
        true,
    );
    check_said("b CVE-1 affected\na CVE-1 not_affected", true);
}

#[test]
fn who_does_not_know_suppresses_nothing() {
    check_with(
        IMAGE,
        ROWS,
        "a CVE-1 under_investigation",
        Options::default(),
        "CVE-1 unspecified flask@1.0 [flask] by osv CVE-1: fix 2.0, also GHSA-1, statement by a",
    );
}

#[test]
fn a_part_of_a_finding_can_be_suppressed() {
    check_with(
        "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12 source:openssl
         pkg:deb/debian/openssl@3.0.11-1?distro=debian-12",
        "debian-tracker debian:12 openssl CVE-1 source all",
        "a CVE-1 not_affected product:pkg:deb/debian/libssl3",
        Options::default(),
        "CVE-1 unspecified openssl@3.0.11-1 [libssl3] by debian-tracker CVE-1: no fix, Open, suppressed by a
         CVE-1 unspecified openssl@3.0.11-1 [openssl] by debian-tracker CVE-1: no fix, Open",
    );
    // By the source's name all of them are meant.
    check_with(
        "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12 source:openssl
         pkg:deb/debian/openssl@3.0.11-1?distro=debian-12",
        "debian-tracker debian:12 openssl CVE-1 source all",
        "a CVE-1 not_affected product:pkg:deb/debian/openssl@3.0.11-1?arch=source",
        Options::default(),
        "CVE-1 unspecified openssl@3.0.11-1 [libssl3 openssl] by debian-tracker CVE-1: no fix, Open, suppressed by a",
    );
}

#[test]
fn a_directory_is_no_image_of_its_name() {
    let said = "a CVE-1 not_affected product:nginx";
    let finding = "CVE-1 unspecified flask@1.0 [flask] by osv CVE-1: fix 2.0, also GHSA-1";
    let options = Options::default();
    check_with("directory nginx\npkg:pypi/flask@1.0", ROWS, said, options, finding);
    let suppressed = format!("{finding}, suppressed by a");
    check_with("image nginx\npkg:pypi/flask@1.0", ROWS, said, options, &suppressed);
}

#[test]
fn tags_are_of_the_repository_that_was_asked() {
    let digest = format!("sha256:{}", "2".repeat(64));
    let image = format!("image nginx:1.25 {digest} 1.25.3 quay.io/x/y:z\npkg:pypi/flask@1.0");
    let finding = "CVE-1 unspecified flask@1.0 [flask] by osv CVE-1: fix 2.0, also GHSA-1";
    let suppressed = format!("{finding}, suppressed by a");
    for product in ["nginx:1.25.3", "pkg:docker/library/nginx@1.25", "quay.io/x/y:z"] {
        let said = format!("a CVE-1 not_affected product:{product}");
        check_with(&image, ROWS, &said, Options::default(), &suppressed);
    }
    let said = "a CVE-1 not_affected product:quay.io/x/y:1.25.3";
    check_with(&image, ROWS, said, Options::default(), finding);
}

#[test]
fn a_long_statement_is_quoted_as_far_as_it_counts() {
    let mut said = super::read_statements("a CVE-1 not_affected product:pkg:pypi/flask@1.0");
    let own = said[0].products[0].clone();
    let others = (0..100).map(|it| model::Product {
        names: vec![format!("pkg:pypi/other-{it}")],
        ..model::Product::default()
    });
    said[0].products = others.chain([own.clone()]).collect();
    let inventory = super::read_inventory(IMAGE);
    let book = super::book::Shelf::read(ROWS);
    let question = crate::Question {
        inventory: &inventory,
        book: &book,
        statements: &said,
        options: Options::default(),
    };
    let (findings, _) = crate::analyze(&question);
    let quoted = findings[0].statement.clone().unwrap();
    assert_eq!(quoted.products, [own]);
    assert_eq!(quoted.origin, said[0].origin);
}
