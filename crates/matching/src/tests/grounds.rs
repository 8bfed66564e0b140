//! Spaces, sources, owners, strangers, and distributions nobody looks after.

use super::{check, check_verdicts};

const ROW: &str = "debian-tracker debian:12 openssl CVE-2023-1 source <3.0.13-1 level:high";

#[test]
fn the_distribution_comes_from_the_purl_or_the_image() {
    let expect =
        "CVE-2023-1 high openssl@3.0.11-1 [openssl] by debian-tracker CVE-2023-1: fix 3.0.13-1";
    check("pkg:deb/debian/openssl@3.0.11-1?distro=debian-12", ROW, expect);
    check("pkg:deb/debian/openssl@3.0.11-1?distro=bookworm", ROW, expect);
    check("distro debian 12\npkg:deb/debian/openssl@3.0.11-1", ROW, expect);
    check(
        "pkg:deb/debian/openssl@3.0.11-1",
        ROW,
        "gap: 1 package of debian: no advisory source for debian, whose release is not known (openssl@3.0.11-1)",
    );
}

#[test]
fn kinds_without_a_source_are_counted() {
    check(
        "pkg:generic/a@1\npkg:generic/b@1\npkg:generic/c@1\npkg:generic/d@1\npkg:npm/x@1.0.0",
        "",
        "gap: 1 package of type npm: no advisory source for npm in the almanac (x@1.0.0)
         gap: 4 packages of type generic: no advisory source (a@1, b@1, c@1, …)",
    );
}

#[test]
fn relatives_are_not_silently_matched() {
    check(
        "distro linuxmint 21.3 virginia Mint - ubuntu\npkg:deb/linuxmint/openssl@1?distro=linuxmint-21.3",
        "ubuntu ubuntu:22.04 openssl CVE-1 all",
        "gap: 1 package of linuxmint 21.3: no advisory source for linuxmint 21.3: \
         those of its relative ubuntu do not speak of it (openssl@1)",
    );
}

#[test]
fn what_is_over_is_told() {
    check(
        "pkg:deb/debian/a@1?distro=debian-8",
        ROW,
        "gap: 1 package of debian 8: no advisory source for debian 8, end of life since 2020-06-30 \
         (long-term support, wiki.debian.org/LTS) (a@1)",
    );
    check(
        "pkg:deb/debian/a@1?distro=debian-14",
        ROW,
        "gap: 1 package of debian 14: no advisory source for debian 14, \
         which is end of life or unknown: there is one for other releases (a@1)",
    );
    check(
        "pkg:deb/debian/a@1?distro=debian-10",
        "feed debian-tracker debian:10",
        "gap: debian 10: end of life since 2024-06-30 (long-term support, wiki.debian.org/LTS): \
         what became known later may be missing",
    );
}

#[test]
fn centos_stands_on_the_sources_of_rhel() {
    let row = "redhat-vex rhel:7 bash CVE-1 <5.0-1.el7";
    check(
        "pkg:rpm/centos/bash@4.2-1.el7?distro=centos-7",
        row,
        "CVE-1 unspecified bash@4.2-1.el7 [bash] by redhat-vex CVE-1: fix 5.0-1.el7
         gap: centos 7: end of life since 2024-06-30 (updates, wiki.centos.org): \
         what became known later may be missing",
    );
    check(
        "pkg:rpm/centos/bash@5.1-1.el9?distro=centos-9",
        "redhat-vex rhel:9 bash CVE-1 <5.0-1.el9",
        "gap: centos 9: matched with advisories of rhel:9: z-stream versions differ from CentOS Stream's",
    );
    check(
        "pkg:rpm/centos/bash@4.2-1.el7?distro=centos-7",
        "redhat-vex rhel:7 bash CVE-1 <5.0-1.el7\nfeed centos centos:7",
        "gap: centos 7: end of life since 2024-06-30 (updates, wiki.centos.org): \
         what became known later may be missing",
    );
}

#[test]
fn strangers_have_no_source() {
    check(
        "pkg:rpm/rocky/nginx@1.0-1?distro=rocky-9 by:NGINX_Packaging",
        "rocky rocky:9 nginx CVE-1 all",
        "gap: 1 package of rocky 9: third-party package: no advisory source for those of NGINX Packaging (nginx@1.0-1)",
    );
}

#[test]
fn an_owner_answers_if_somebody_speaks_of_it() {
    let python = "pkg:pypi/flask@1.0 owner:pkg:deb/debian/python3-flask@1.0-1?distro=debian-12";
    let rows = "osv pypi flask GHSA-1 <2.0";
    check(python, rows, "GHSA-1 unspecified flask@1.0 [flask] by osv GHSA-1: fix 2.0");
    let both = format!("{rows}\nfeed debian-tracker debian:12");
    check(python, &both, "");
    check_verdicts(python, &both, "", "flask GHSA-1: Owned\nflask -: Owned");
    let stranger = format!(
        "{python}\npkg:deb/debian/python3-flask@1.0-1?distro=debian-12 by:NGINX<a@nginx.com>"
    );
    check(
        &stranger,
        &both,
        "GHSA-1 unspecified flask@1.0 [flask] by osv GHSA-1: fix 2.0
         gap: 1 package of debian 12: third-party package: no advisory source for those of nginx.com (python3-flask@1.0-1)",
    );
}

#[test]
fn declared_packages_only_if_asked() {
    let package = "pkg:pypi/flask@1.0 kind:declared";
    let rows = "osv pypi flask GHSA-1 <2.0";
    check(package, rows, "");
    check_verdicts(package, rows, "", "flask GHSA-1: NotAsked\nflask -: NotAsked");
    let options = crate::Options { declared: true, ..crate::Options::default() };
    let expect = "GHSA-1 unspecified flask@1.0 [flask] by osv GHSA-1: fix 2.0";
    super::check_with(package, rows, "", options, expect);
    check("pkg:pypi/flask@1.0 kind:vendored", rows, expect);
}

#[test]
fn a_package_nobody_speaks_of() {
    check_verdicts("pkg:pypi/a@1", "feed osv pypi", "", "a -: Unheard");
    check_verdicts("pkg:generic/a@1", "", "", "a -: NoSource");
}
