//! Chains, told whole.

use super::{check_chain, read_inventory};
use crate::{Asked, packages_called};

#[test]
fn a_finding() {
    check_chain(
        "distro debian 12
         pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12 source:openssl at:/var/lib/dpkg/status",
        "debian-tracker debian:12 openssl CVE-1 source <3.0.13-1 bulletin:DSA-1-1
         debian-tracker debian:12 openssl CVE-2 source not-affected all reason:code_not_present
         debian-tracker debian:12 openssl CVE-3 source all outlook:minor reason:no-dsa",
        "ignore CVE-1 accepted because:we_know",
        Asked::All,
        "libssl3 CVE-1: affected, but suppressed by a statement
         - place: /var/lib/dpkg/status in layer 1
         - package: pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12 (installed, built from openssl)
         - space: debian:12, by the package's own word: debian 12; debian-tracker speaks there
         - advisory: debian-tracker: CVE-1 (DSA-1-1) about the source openssl
         - range: affected: < 3.0.13-1
         - comparison: 3.0.11-1 is in it: < 3.0.13-1
         - statement: ignore says accepted (we_know)
         libssl3 CVE-2: not affected, says the publisher
         - place: /var/lib/dpkg/status in layer 1
         - package: pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12 (installed, built from openssl)
         - space: debian:12, by the package's own word: debian 12; debian-tracker speaks there
         - advisory: debian-tracker: CVE-2 about the source openssl
         - range: not affected: all versions
         - comparison: 3.0.11-1 is among those that are not affected
         - status: code not present
         libssl3 CVE-3: affected
         - place: /var/lib/dpkg/status in layer 1
         - package: pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12 (installed, built from openssl)
         - space: debian:12, by the package's own word: debian 12; debian-tracker speaks there
         - advisory: debian-tracker: CVE-3 about the source openssl
         - range: affected: all versions
         - comparison: 3.0.11-1 is in it: all versions
         - status: minor, no update of its own (no-dsa)",
    );
}

#[test]
fn an_absence() {
    check_chain(
        "pkg:cargo/smallvec@0.5.0",
        "osv cargo smallvec RUSTSEC-1 =CVE-1 >=0.6.3,<0.6.10\nosv cargo smallvec GHSA-1 =CVE-1 <0.6.10",
        "",
        Asked::Flaw("CVE-1"),
        "smallvec CVE-1 GHSA-1 RUSTSEC-1: not affected: the version is outside the affected range
         - package: pkg:cargo/smallvec@0.5.0 (installed)
         - space: cargo, by its type; osv speaks there
         - advisory: osv: RUSTSEC-1 about smallvec
         - range: affected: >= 0.6.3 and < 0.6.10
         - comparison: 0.5.0 is outside
         - advisory: osv: GHSA-1 about smallvec
         - range: affected: < 0.6.10
         - comparison: 0.5.0 is in it: < 0.6.10
         - source: RUSTSEC-1 of osv decides over GHSA-1 of osv: RustSec is kept by those who know the crates",
    );
}

#[test]
fn who_was_silent_and_who_decides() {
    check_chain(
        "pkg:composer/drupal/core@7.1",
        "osv composer drupal/core DRUPAL-1 =CVE-1 >=8.0.0,<8.3.9
         osv composer drupal/core FOP-1 =CVE-1 >=7.0,<7.58",
        "",
        Asked::Flaw("CVE-1"),
        "core CVE-1 DRUPAL-1 FOP-1: affected
         - package: pkg:composer/drupal/core@7.1 (installed)
         - space: composer, by its type; osv speaks there
         - advisory: osv: DRUPAL-1 about drupal/core
         - range: affected: >= 8.0.0 and < 8.3.9
         - comparison: 7.1 is outside
         - advisory: osv: FOP-1 about drupal/core
         - range: affected: >= 7.0 and < 7.58
         - comparison: 7.1 is in it: >= 7.0 and < 7.58
         - source: DRUPAL-1 of osv is silent about 7.1 (its first range begins at 8.0.0), and FOP-1 of osv has it in a range apart from those
         - source: FOP-1 of osv decides",
    );
}

#[test]
fn who_disagrees() {
    check_chain(
        "pkg:gem/a@2.1",
        "osv gem a GHSA-1 =CVE-1 >=3.0.0,<3.2.17\nosv gem a RUBYSEC-1 =CVE-1 <3.2.17",
        "",
        Asked::Flaw("CVE-1"),
        "a CVE-1 GHSA-1 RUBYSEC-1: cannot tell
         - package: pkg:gem/a@2.1 (installed)
         - space: gem, by its type; osv speaks there
         - advisory: osv: GHSA-1 about a
         - range: affected: >= 3.0.0 and < 3.2.17
         - comparison: 2.1 is outside
         - advisory: osv: RUBYSEC-1 about a
         - range: affected: < 3.2.17
         - comparison: 2.1 is in it: < 3.2.17
         - source: GHSA-1 of osv leaves 2.1 out (its first range begins at 3.0.0), and RUBYSEC-1 of osv does not: who is right, nobody says",
    );
}

#[test]
fn who_does_not_tell() {
    check_chain(
        "pkg:composer/a@7.1",
        "osv composer a GHSA-1 =CVE-1 <x?\nosv composer a DRUPAL-1 =CVE-1 <8\nosv composer a FOP-1 =CVE-1 <9",
        "",
        Asked::Flaw("CVE-1"),
        "a CVE-1 DRUPAL-1 FOP-1 GHSA-1: affected
         - package: pkg:composer/a@7.1 (installed)
         - space: composer, by its type; osv speaks there
         - advisory: osv: GHSA-1 about a
         - range: affected: < x?
         - comparison: cannot tell: a version in the advisory cannot be read
         - advisory: osv: DRUPAL-1 about a
         - range: affected: < 8
         - comparison: 7.1 is in it: < 8
         - advisory: osv: FOP-1 about a
         - range: affected: < 9
         - comparison: 7.1 is in it: < 9
         - source: as GHSA-1 of osv cannot tell, DRUPAL-1 of osv decides over FOP-1 of osv: Drupal's own word about its code",
    );
}

#[test]
fn a_vendor_denies() {
    check_chain(
        "pkg:deb/debian/a@1?distro=debian-12",
        "debian-tracker debian:12 a CVE-1 all\nosv debian:12 a CVE-1 not-affected all",
        "",
        Asked::Flaw("CVE-1"),
        "a CVE-1: not affected, says the publisher
         - package: pkg:deb/debian/a@1?distro=debian-12 (installed)
         - space: debian:12, by the package's own word: debian 12; debian-tracker, osv speak there
         - advisory: debian-tracker: CVE-1 about a
         - range: affected: all versions
         - comparison: 1 is in it: all versions
         - advisory: osv: CVE-1 about a
         - range: not affected: all versions
         - comparison: 1 is among those that are not affected
         - source: whatever CVE-1 of debian-tracker says, a vendor's \"not affected\" counts: CVE-1 of osv decides",
    );
}

#[test]
fn the_whole_package() {
    check_chain(
        "pkg:deb/debian/a@1?distro=debian-8",
        "",
        "",
        Asked::Packages(&[0]),
        "a : no advisory source
         - package: pkg:deb/debian/a@1?distro=debian-8 (installed)
         - space: by the package's own word: debian 8
         - source: no advisory source for debian 8, end of life since 2020-06-30 (long-term support, wiki.debian.org/LTS)",
    );
}

#[test]
fn who_may_be_meant() {
    let inventory = read_inventory(
        "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64 source:openssl
         pkg:npm/%40babel/core@7.0.0
         pkg:npm/core@1.0.0",
    );
    for (text, expect) in [
        ("openssl", &[0][..]),
        ("libssl3@3.0.11-1", &[0]),
        ("pkg:deb/debian/libssl3", &[0]),
        ("pkg:deb/debian/libssl3@3.0.11-1", &[0]),
        ("@babel/core", &[1]),
        ("pkg:npm/@babel/core@7.0.0", &[1]),
        ("core", &[1, 2]),
        ("pkg:npm/core@2.0.0", &[]),
        ("", &[]),
        ("pkg:", &[]),
    ] {
        assert_eq!(packages_called(&inventory, text), expect, "{text}");
    }
}
