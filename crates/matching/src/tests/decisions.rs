//! Names, ranges, aliases, and who decides.

use super::{check, check_verdicts};

const SSL: &str = "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12 source:openssl
    pkg:deb/debian/openssl@3.0.11-1?distro=debian-12";

#[test]
fn one_finding_for_all_binaries_of_a_source() {
    check(
        SSL,
        "debian-tracker debian:12 openssl CVE-1 source <3.0.13-1",
        "CVE-1 unspecified openssl@3.0.11-1 [libssl3 openssl] by debian-tracker CVE-1: fix 3.0.13-1",
    );
    check(
        SSL,
        "debian-tracker debian:12 libssl3 CVE-1 binary <3.0.13-1",
        "CVE-1 unspecified libssl3@3.0.11-1 [libssl3] by debian-tracker CVE-1: fix 3.0.13-1",
    );
    check(SSL, "debian-tracker debian:12 libssl3 CVE-1 source <3.0.13-1", "");
    // The row of the source does not mean the binary of the same name that is built from another.
    check(
        "pkg:deb/debian/linux@1?distro=debian-12 source:other",
        "debian-tracker debian:12 linux CVE-1 source all",
        "",
    );
}

#[test]
fn rebuilt_binaries_are_compared_by_their_source() {
    check(
        "pkg:deb/debian/bash@5.2-1+b4?distro=debian-12 source:bash@5.2-1",
        "debian-tracker debian:12 bash CVE-1 <=5.2-1",
        "CVE-1 unspecified bash@5.2-1 [bash] by debian-tracker CVE-1: no fix, Open",
    );
}

#[test]
fn epochs_of_rpms_are_qualifiers() {
    let rows = "redhat-vex rhel:9 openssl CVE-1 <1:3.0.7-27.el9";
    check(
        "pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?distro=rhel-9.4&epoch=1 source:openssl@3.0.7-27.el9",
        rows,
        "",
    );
    check(
        "pkg:rpm/redhat/openssl-libs@3.0.7-26.el9?distro=rhel-9.4&epoch=1 source:openssl@3.0.7-26.el9",
        rows,
        "CVE-1 unspecified openssl@1:3.0.7-26.el9 [openssl-libs] by redhat-vex CVE-1: fix 1:3.0.7-27.el9",
    );
}

#[test]
fn headers_have_no_flaw_of_the_kernel() {
    let kernel = "pkg:deb/debian/linux-libc-dev@6.1.76-1?distro=debian-12 source:linux
        pkg:deb/debian/linux-image-6.1.0-18-amd64@6.1.76-1?distro=debian-12 source:linux-signed-amd64@6.1.76+1";
    check(
        kernel,
        "debian-tracker debian:12 linux CVE-1 source <6.1.90-1",
        "CVE-1 unspecified linux@6.1.76-1 [linux-image-6.1.0-18-amd64] by debian-tracker CVE-1: fix 6.1.90-1",
    );
    check_verdicts(
        "pkg:deb/debian/linux-libc-dev@6.1.76-1?distro=debian-12 source:linux",
        "debian-tracker debian:12 linux CVE-1 source <6.1.90-1",
        "",
        "linux-libc-dev CVE-1: Harmless",
    );
    // Unless its vendor names it.
    check(
        "pkg:deb/debian/linux-libc-dev@6.1.76-1?distro=debian-12 source:linux",
        "debian-tracker debian:12 linux-libc-dev CVE-1 binary <6.1.90-1",
        "CVE-1 unspecified linux-libc-dev@6.1.76-1 [linux-libc-dev] by debian-tracker CVE-1: fix 6.1.90-1",
    );
}

#[test]
fn aliases_are_one_finding() {
    check(
        "pkg:pypi/flask@1.0",
        "osv pypi flask PYSEC-1 =CVE-1 <2.1
         osv pypi flask GHSA-1 =CVE-1 <2.0 score:ghsa/7.5/CVSS:3.1
         nvd nowhere - CVE-1 score:nvd/9.8/CVSS:3.1",
        "CVE-1 high flask@1.0 [flask] by osv GHSA-1: fix 2.0, also GHSA-1 PYSEC-1, score 7.5",
    );
    check(
        "pkg:golang/example.org/m@v1.0.0",
        "osv golang example.org/m GO-1 =GHSA-1 <1.1.0\nosv golang example.org/m GHSA-1 <1.2.0",
        "GHSA-1 unspecified example.org/m@v1.0.0 [m] by osv GO-1: fix 1.1.0, also GO-1",
    );
}

#[test]
fn a_module_of_go_is_one_in_every_spelling() {
    for path in ["github.com/Azure/x", "github.com/azure/x", "github.com/!azure/x"] {
        check(
            &format!("pkg:golang/{path}@v1.0.0"),
            "osv golang github.com/azure/x GO-1 <1.1.0",
            "GO-1 unspecified github.com/azure/x@v1.0.0 [x] by osv GO-1: fix 1.1.0",
        );
    }
}

#[test]
fn the_first_who_knows_decides() {
    let rows = "osv cargo smallvec RUSTSEC-1 =CVE-1 >=0.6.3,<0.6.10
         osv cargo smallvec GHSA-1 =CVE-1 <0.6.10";
    check("pkg:cargo/smallvec@0.5.0", rows, "");
    check_verdicts("pkg:cargo/smallvec@0.5.0", rows, "", "smallvec CVE-1: NotInRange");
    // Who does not know leaves the word to the next.
    check(
        "pkg:cargo/smallvec@0.5.0",
        "osv cargo smallvec RUSTSEC-1 =CVE-1 all withdrawn
         osv cargo smallvec GHSA-1 =CVE-1 <0.6.10",
        "CVE-1 unspecified smallvec@0.5.0 [smallvec] by osv GHSA-1: fix 0.6.10, also GHSA-1 RUSTSEC-1",
    );
    check(
        "pkg:cargo/smallvec@0.5.0",
        "starter cargo smallvec GHSA-1 =CVE-1 <0.6.10\nosv cargo smallvec OTHER-1 =CVE-1 >=0.6",
        "",
    );
}

#[test]
fn who_is_silent_overrules_nobody() {
    // The first speaks of 8 alone, and the other of 7 by itself.
    let rows = "osv composer core DRUPAL-1 =CVE-1 >=8.0.0,<8.3.9 >=8.4.0,<8.4.6
         osv composer core FOP-1 =CVE-1 >=7.0,<7.58 >=8.0,<8.3.9 >=8.4,<8.4.6";
    check(
        "pkg:composer/core@7.1",
        rows,
        "CVE-1 unspecified core@7.1 [core] by osv FOP-1: fix 7.58, also DRUPAL-1 FOP-1",
    );
    check_verdicts("pkg:composer/core@7.58", rows, "", "core CVE-1: NotInRange");
    check_verdicts("pkg:composer/core@8.3.9", rows, "", "core CVE-1: NotInRange");
    // The first knows a fix of 25, and the other versions after it that have none.
    let rows = "osv golang d GO-1 =CVE-1 <25.0.13
         osv golang d GHSA-1 =CVE-1 <=25.0.12 >=26.0.0-rc1,<28.0.0";
    let expect = "CVE-1 unspecified d@v26.1.0 [d] by osv GHSA-1: fix 28.0.0, also GHSA-1 GO-1";
    check("pkg:golang/d@v26.1.0", rows, expect);
    check_verdicts("pkg:golang/d@v25.0.13", rows, "", "d CVE-1: NotInRange");
    // Between two lines that the first knows.
    let rows = "osv composer core GHSA-1 =CVE-1 >=7.0.0,<7.96 >=9.0.0,<9.4.14
         osv composer core DRUPAL-1 =CVE-1 >=8.0.0,<9.4.14";
    let expect =
        "CVE-1 unspecified core@8.9.1 [core] by osv DRUPAL-1: fix 9.4.14, also DRUPAL-1 GHSA-1";
    check("pkg:composer/core@8.9.1", rows, expect);
    check_verdicts("pkg:composer/core@7.99", rows, "", "core CVE-1: NotInRange");
    // A list is of versions before the first range.
    let rows = "osv maven d GHSA-1 =CVE-1 >=2.9.0,<2.9.10\nosv maven d SAPKB-1 =CVE-1 v:2.8.9";
    let expect = "CVE-1 unspecified d@2.8.9 [d] by osv SAPKB-1: no fix, Open, also GHSA-1 SAPKB-1";
    check("pkg:maven/d@2.8.9", rows, expect);
}

#[test]
fn the_fix_is_no_version_that_the_silent_one_calls_affected() {
    check(
        "pkg:pypi/a@3.5",
        "osv pypi a GHSA-1 =CVE-1 >=4.0,<4.2\nosv pypi a PYSEC-1 =CVE-1 >=3.0,<4.0",
        "CVE-1 unspecified a@3.5 [a] by osv PYSEC-1: fix 4.2, also GHSA-1 PYSEC-1",
    );
}

#[test]
fn a_fix_is_a_word() {
    // Whoever takes the whole of it says less than whoever tells the lines apart.
    let rows =
        "osv cargo a RUSTSEC-1 =CVE-1 <0.6.2 >=0.7.0-0,<0.7.6\nosv cargo a GHSA-1 =CVE-1 <0.7.6";
    check("pkg:cargo/a@0.6.2", rows, "");
    check_verdicts("pkg:cargo/a@0.6.3", rows, "", "a CVE-1: NotInRange");
    // Versions listed one by one were looked at one by one.
    let rows = "osv pypi a GHSA-1 =CVE-1 v:1.0\nosv pypi a PYSEC-1 =CVE-1 <2.0";
    check_verdicts("pkg:pypi/a@0.9", rows, "", "a CVE-1: NotInRange");
}

#[test]
fn where_sources_disagree_nothing_can_be_told() {
    let gap = |example: &str| {
        format!("gap: 1 flaw of gem: the sources disagree about this version (CVE-1 of {example})")
    };
    // Did it begin with 3.0.0, or did nobody look at what was before?
    let rows = "osv gem a GHSA-1 =CVE-1 >=3.0.0,<3.2.17\nosv gem a RUBYSEC-1 =CVE-1 <3.2.17";
    check("pkg:gem/a@2.1", rows, &gap("a@2.1"));
    check_verdicts("pkg:gem/a@2.1", rows, "", "a CVE-1: CannotTell");
    check("pkg:gem/a@3.2.17", rows, "");
    // Nobody says that it is gone behind the last known one.
    let rows = "osv gem a GHSA-1 =CVE-1 <=1.27.0\nosv gem a RUBYSEC-1 =CVE-1 <1.28.0";
    check("pkg:gem/a@1.27.5", rows, &gap("a@1.27.5"));
    // Anew, and for ever?
    let rows = "osv gem a GHSA-1 =CVE-1 <4.0.3\nosv gem a RUBYSEC-1 =CVE-1 <4.0.3 >=4.1";
    check("pkg:gem/a@6.1", rows, &gap("a@6.1"));
    // RustSec tells what is not affected, too, and the starter sheet does not object.
    let rows = "osv cargo a RUSTSEC-1 =CVE-1 >=0.1.14-0,<0.1.15\nosv cargo a GHSA-1 =CVE-1 >=0.1.13,<0.1.15";
    check("pkg:cargo/a@0.1.13", rows, "");
    let rows = "osv gem a GHSA-1 =CVE-1 >=3.0.0\nstarter gem a X-1 =CVE-1 <3.2.17";
    check("pkg:gem/a@2.1", rows, "");
}

#[test]
fn a_crowd_is_not_heard_one_by_one() {
    let row = |number: usize, text: &str| format!("osv gem a {text}-{number} =CVE-1 ");
    let crowd = |claims: usize| {
        let denials = (0..600).map(|it| row(it, "GHSA") + ">=5.0,<6.0");
        let claims = (0..claims).map(|it| row(it, "RUBYSEC") + "<4.0");
        denials.chain(claims).collect::<Vec<String>>().join("\n")
    };
    // The claim is about a range of its own, so it is heard; of a thousand nobody can tell.
    check_verdicts("pkg:gem/a@1.0", &crowd(3), "", "a CVE-1: Affected");
    check_verdicts("pkg:gem/a@1.0", &crowd(600), "", "a CVE-1: CannotTell");
    check_verdicts("pkg:gem/a@6.0", &crowd(600), "", "a CVE-1: NotInRange");
}

#[test]
fn a_distribution_speaks_for_itself() {
    check(
        SSL,
        "debian-tracker debian:12 openssl CVE-1 source >=3.1
         osv debian:12 openssl CVE-1 source >=3.0,<3.0.13-1",
        "",
    );
}

#[test]
fn a_vendors_not_affected_beats_all() {
    let rows = "debian-tracker debian:12 openssl CVE-1 source all
         osv debian:12 openssl CVE-1 source not-affected all reason:code_not_present";
    check(SSL, rows, "");
    check_verdicts(SSL, rows, "", "libssl3 CVE-1: NotAffected\nopenssl CVE-1: NotAffected");
}

#[test]
fn withdrawn_and_investigated() {
    check("pkg:pypi/a@1.0", "osv pypi a GHSA-1 all withdrawn", "");
    check_verdicts("pkg:pypi/a@1.0", "osv pypi a GHSA-1 all withdrawn", "", "a GHSA-1: Withdrawn");
    check(
        SSL,
        "ubuntu-vex debian:12 openssl CVE-1 source investigating all",
        "gap: 1 flaw of debian:12: under investigation, says ubuntu-vex (CVE-1 of openssl)",
    );
}

#[test]
fn versions_that_cannot_be_read() {
    check(
        "pkg:pypi/a@one?x=1\npkg:pypi/a",
        "osv pypi a GHSA-1 <2.0",
        "gap: 1 package of pypi: not matched, for the package has no version (a)
         gap: 1 package of pypi: not matched, for the package's version cannot be read: \
         a number is missing (a@one)",
    );
    // All versions are all versions, and a listed one is listed.
    check(
        "pkg:pypi/a@one",
        "osv pypi a GHSA-1 all\nosv pypi a GHSA-2 v:one",
        "GHSA-1 unspecified a@one [a] by osv GHSA-1: no fix, Open
         GHSA-2 unspecified a@one [a] by osv GHSA-2: no fix, Open",
    );
    check(
        "pkg:pypi/a@1.0",
        "osv pypi a GHSA-1 <two",
        "gap: 1 advisory of osv about pypi: names a version that cannot be read (GHSA-1 of a)",
    );
    for version in ["1.0", "2.5", "4.0"] {
        check(
            &format!("pkg:pypi/a@{version}"),
            "osv pypi a GHSA-1 >=3.0,<2.0",
            "gap: 1 advisory of osv about pypi: has a range that ends before it begins (GHSA-1 of a)",
        );
    }
    check(
        "pkg:pypi/a@1.0",
        "osv pypi a GHSA-1 >=3.0,<2.0 >=1.0,<1.1",
        "GHSA-1 unspecified a@1.0 [a] by osv GHSA-1: fix 1.1",
    );
    check(
        "pkg:pypi/a@1.0",
        "osv pypi a GHSA-1 >=2.0 torn",
        "gap: 1 advisory of osv about pypi: could not be read whole: it is cut off (GHSA-1 of a)",
    );
    check_verdicts("pkg:pypi/a@1.0", "osv pypi a GHSA-1 <two", "", "a GHSA-1: CannotTell");
}

#[test]
fn the_fix_is_the_first_good_version() {
    check(
        "pkg:pypi/a@1.0",
        "osv pypi a GHSA-1 <1.2 >=1.2,<1.5 >=2.0,<2.1",
        "GHSA-1 unspecified a@1.0 [a] by osv GHSA-1: fix 1.5",
    );
    check(
        "pkg:pypi/a@1.0",
        "osv pypi a GHSA-1 <=1.2 outlook:never",
        "GHSA-1 unspecified a@1.0 [a] by osv GHSA-1: no fix, WillNotFix",
    );
    check(
        SSL,
        "debian-tracker debian:12 openssl CVE-1 source all outlook:minor reason:no-dsa",
        "CVE-1 unspecified openssl@3.0.11-1 [libssl3 openssl] by debian-tracker CVE-1: no fix, Minor",
    );
}

#[test]
fn the_vendors_severity_comes_first() {
    check(
        SSL,
        "debian-tracker debian:12 openssl CVE-1 source all level:unimportant
         nvd nowhere - CVE-1 score:nvd/9.8/CVSS:3.1",
        "CVE-1 low openssl@3.0.11-1 [libssl3 openssl] by debian-tracker CVE-1: no fix, Open, score 9.8",
    );
    check(
        SSL,
        "debian-tracker debian:12 openssl CVE-1 source all
         nvd nowhere - CVE-1 score:nvd/5/AV:N score:nvd/9.8/CVSS:3.1 score:nvd/7.7/CVSS:4.0",
        "CVE-1 high openssl@3.0.11-1 [libssl3 openssl] by debian-tracker CVE-1: no fix, Open, score 7.7",
    );
}

#[test]
fn worst_first() {
    check(
        "pkg:pypi/a@1.0",
        "osv pypi a CVE-3 all level:high
         osv pypi a CVE-2 all level:high
         osv pypi a CVE-1 all level:low
         osv pypi a MAL-1 all malicious
         exploited CVE-3",
        "MAL-1 critical a@1.0 [a] by osv MAL-1: no fix, Open
         CVE-3 high a@1.0 [a] by osv CVE-3: no fix, Open, exploited
         CVE-2 high a@1.0 [a] by osv CVE-2: no fix, Open
         CVE-1 low a@1.0 [a] by osv CVE-1: no fix, Open",
    );
}

#[test]
fn go_without_and_with_the_word_go() {
    let rows = "osv golang stdlib GO-1 <1.22.5\nosv golang m GO-2 <1.0.0";
    check(
        "pkg:golang/stdlib@go1.22.3\npkg:golang/m",
        rows,
        "GO-1 unspecified stdlib@1.22.3 [stdlib] by osv GO-1: fix 1.22.5
         gap: 1 package of golang: not matched, for the package has no version (m)",
    );
}

#[test]
fn nuget_does_not_tell_cases_apart() {
    let expect =
        "GHSA-1 unspecified newtonsoft.json@12.0.0 [Newtonsoft.Json] by osv GHSA-1: fix 13.0.1";
    check("pkg:nuget/Newtonsoft.Json@12.0.0", "osv nuget newtonsoft.json GHSA-1 <13.0.1", expect);
    let expect = expect.replace("newtonsoft.json@", "Newtonsoft.Json@");
    check("pkg:nuget/Newtonsoft.Json@12.0.0", "osv nuget Newtonsoft.Json GHSA-1 <13.0.1", &expect);
}

#[test]
fn rows_of_the_source_and_of_the_binary_are_one_finding() {
    check(
        SSL,
        "debian-tracker debian:12 openssl CVE-1 source <3.0.13-1
         debian-tracker debian:12 libssl3 CVE-1 binary <3.0.13-1",
        "CVE-1 unspecified openssl@3.0.11-1 [libssl3 openssl] by debian-tracker CVE-1: fix 3.0.13-1",
    );
}
