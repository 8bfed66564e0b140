//! What the tools document or were seen to say, for those that cannot be asked here.

use std::cmp::Ordering;

use crate::tool::say;

/// Lines of versions in ascending order; those on one line are equal.
fn check(id: &str, lines: &str) {
    let lines: Vec<Vec<&str>> =
        lines.trim().lines().map(|it| it.split_whitespace().collect()).collect();
    let mut wrong = Vec::new();
    for (row, lefts) in lines.iter().enumerate() {
        for (column, rights) in lines.iter().enumerate() {
            let expect = match row.cmp(&column) {
                Ordering::Less => "<",
                Ordering::Equal => "=",
                Ordering::Greater => ">",
            };
            for left in lefts {
                for right in rights {
                    let said = say(id, left, right);
                    if said != expect {
                        wrong.push(format!("{left} {expect} {right}, not {said}"));
                    }
                }
            }
        }
    }
    assert_eq!(wrong, [""; 0], "{id}");
}

fn check_refused(id: &str, versions: &[&str]) {
    for version in versions {
        assert_eq!(say(id, version, version), "!", "{id}: {version:?}");
    }
}

#[test]
fn pep440() {
    check(
        "pep440",
        "
        1.0.dev456 1.0DEV456 1.0-dev_456
        1.0a1 1.0-alpha.1 1.0_A_1 1.0alpha1
        1.0a2.dev456
        1.0a12.dev456
        1.0a12
        1.0b1.dev456
        1.0b2 1.0beta2
        1.0b2.post345.dev456
        1.0b2.post345
        1.0rc1.dev456
        1.0rc1 1.0c1 1.0-preview_1 1.0pre1
        1 1.0 1.0.0 v1.0 0!1.0
        1.0+abc 1.0+ABC
        1.0+abc.5
        1.0+abc.7 1.0+abc-7
        1.0+5
        1.0.post0 1.0-r 1.0.rev 1.0-0
        1.0.post456.dev34
        1.0.post456 1.0-456
        1.1.dev1
        1.1
        1!0.1
        ",
    );
    check_refused(
        "pep440",
        &["", "trunk", "1.0-NA", "1.0-1.1", "2019-09-12", "1.0+", "1..0", "!1"],
    );
}

/// As Maven 4.0.0-rc-7 orders them; Maven 3 goes another way with some.
#[test]
fn maven() {
    check(
        "maven",
        "
        1-alpha2snapshot
        1-alpha2 1a2 1-ALPHA-2 1.0.alpha2
        1-alpha-123
        1-beta-2
        1-beta123
        1-m2 1milestone-2
        1-m11
        1-rc 1cr
        1-rc0
        1-cr2 1.0.0-RC2 1.0.0.RC2
        1-rc123
        1-SNAPSHOT
        1 1.0 1.0.0-0.0 1-0 1ga 1-final 1.release 1-ga0 1.0.final
        1-ga1
        1-sp
        1-sp2
        1-a
        1-abc
        1-def
        1-pom-1
        1-1-snapshot
        ",
    );
    check(
        "maven",
        "
        2.0
        2.0.a 2-a
        2-1
        2.0-1
        2.0.2
        2.0.123
        2.1.0
        2.1-a
        2.1b
        2.1-1
        2.1.0.1
        2.2
        2.123
        11.a2
        11.b2
        11.m11
        11
        11.a
        11b
        ",
    );
    check("maven", "6.1.0rc3\n6.1.0\n6.1H.5-beta");
    check("maven", "1-0.alpha\n1-0.beta\n1");
    check("maven", "1.0.0.RC1\n1.0.0-RC2");
    check("maven", "2.0.X1\n2.0-X3\n2.0.1");
    check(
        "maven",
        "20190126.230843\n1234567890.12345\n123456789012345.1H.5-beta\n12345678901234567890.1",
    );
    check_refused("maven", &["", &"1-".repeat(200)]);
}

#[test]
fn rubygems() {
    check(
        "rubygems",
        "
        0.beta.1
        0 0.0
        0.0.1
        1.a.9
        1.a.10
        1.0.0-alpha 1.0.0.pre.alpha 1.pre.alpha
        1.0.0.rc1 1.rc.1
        1 1.0 1.0.0
        1.8.2.a9
        1.8.2.a10
        1.8.2.b
        1.8.2
        1.9.3
        1.10
        ",
    );
    check_refused("rubygems", &["junk", "1.0\n2.0", "1..2", "1.2 3.4", "1.", "-1", "1.0-"]);
}

#[test]
fn nuget() {
    check(
        "nuget",
        "
        0
        1.0-0
        1.0-2
        1.0-10
        1.0-99999999999
        1.0-alpha 1.0.0-ALPHA 1.0.0.0-Alpha+meta
        1.0-alpha.1
        1.0-alpha.beta
        1.0-beta.2
        1.0-beta.11
        1.0-beta11
        1.0-beta2
        1.0-rc
        1 1.0 1.0.0 1.0.0.0 01.00 1.0+build.1
        1.0.0.1-rc
        1.0.0.1
        1.0.1
        2.0.50727
        ",
    );
    check_refused(
        "nuget",
        &["", "1.2.3.4.5", "a", "1.0-", "1.0-01", "1.0-a..b", "1.0+", "1..0", "1.0-a_b", "v1.0"],
    );
}

#[test]
fn composer() {
    check(
        "composer",
        "
        dev-feature
        dev-master master DEV-master
        1.0-dev
        1.0-alpha 1.0a
        1.0-alpha1-dev
        1.0-alpha1 v1.0a1 1.0.0.0-alpha.1
        1.0-beta2 1.0b2 1.0.b.2
        1.0-RC1 1.0rc1 1.0_rc-1
        1 1.0 1.0.0.0 v1 1.0+build 1.0-stable 1.0@stable
        1.0-patch1 1.0-p1 1.0pl1
        1.0.1
        1.2
        1.10
        1.x-dev
        2.0.0
        20100102
        ",
    );
    check_refused("composer", &["", "a", "1.0.0-meh", "1.0.0.0.0", "1.0.0+foo bar", "feature-dev"]);
}

#[test]
fn cran() {
    check("cran", "0\n0.0\n0.1-1 0.1.1\n0.1-9\n0.1-10\n1\n1.0\n1.0.0 1-0-0 01.0.0");
    check_refused("cran", &["", "1.", "1.0a", "1..0", ".1", "1.0-rc1"]);
}

#[test]
fn hackage() {
    check("hackage", "0\n0.0\n0.1\n1\n1.0\n1.0.0\n1.2\n1.10\n2");
    check_refused("hackage", &["", "1.", "1.0-1", "1.0a", ".1"]);
}

#[test]
fn conan() {
    check(
        "conan",
        "
        0 0.0
        1.0-
        1.0-1
        1.0-2
        1.0-alpha 1-alpha.0
        1.0-alpha.1
        1.0-alpha.b
        1.0-beta
        1 1.0 1.0.0
        1.0+1
        1.0+2
        1.0.1
        1.1.0l
        1.1.1
        1.1.1a
        1.1.1w
        1.1.2
        1.9
        1.10
        9e
        9f
        10
        cci.20230101
        system
        ",
    );
    check_refused("conan", &["", "1 0", "1.é"]);
}

/// conda's documentation gives most of these.
#[test]
fn conda() {
    check(
        "conda",
        "
        0.4 0.4.0
        0.4.1.rc 0.4.1.RC
        0.4.1
        0.5a1
        0.5b3
        0.5C1
        0.5
        0.9.6
        0.960923
        1.0
        1.1*
        1.1dev1
        1.1_ 1.1-
        1.1a1
        1.1.0dev1 1.1.dev1
        1.1.a1
        1.1.0rc1
        1.1.0 1.1 1.1+0
        1.1+1
        1.1.0post1 1.1.post1
        1.1post1
        1996.07.12
        1!0.4.1
        1!3.1.1.6
        2!0.4.1
        ",
    );
    check(
        "conda",
        "
        1.0.1dev
        1.0.1_
        1.0.1a
        1.0.1b
        1.0.1
        1.0.1post.a
        1.0.1post.b
        ",
    );
    check_refused(
        "conda",
        &["", "3.5&1", "1.2-3_4", "a!1.0", "1!2!3", "1+2+3", "+1", "1..2", "5.5.mw."],
    );
}

#[test]
fn bitnami() {
    check(
        "bitnami",
        "
        0 0.0.0
        1.0.0 1 1.0 1.0.0+foo
        1.0.0-0
        1.0.0-1 1.0.0-1+metadata
        1.0.0-1.1
        1.0.0-1.2
        1.0.0-2
        1.0.0-2.2
        1.0.0-2.11
        1.0.0-3.1
        1.0.0-rc1
        1.0.1
        1.2.2147483648
        2019.09.25
        ",
    );
    check_refused(
        "bitnami",
        &["", "foo", "1.2.beta", "1.2.3.4", "v1.2.3", "1.7rc2", "1.0-", "1.2.3-alpha.01"],
    );
}

#[test]
fn pear() {
    check(
        "pear",
        "
        1.0foo 1.0.xyz
        1.0dev
        1.0a 1.0alpha 1-0-alpha
        1.0alpha1 1.0a.1
        1.0b2 1.0beta2
        1.0RC1 1.0rc1
        1.0
        1.0.0
        1.0.1
        1.0pl1 1.0p1 1.0patch1
        1.1
        1.10
        ",
    );
    check_refused("pear", &["", "v1.0", "1.0-", "alpha"]);
}
