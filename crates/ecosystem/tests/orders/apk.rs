//! Against facts that apk-tools itself keeps in its tests, for apk is on few machines.

use crate::tool;

#[test]
fn knows_what_apk_says() {
    tool::check(
        "apk",
        "
        2.34 > 0.1.0_alpha
        0.1.0_alpha < 0.1.3_alpha
        0.1.0_alpha2 > 0.1.0_alpha
        0.1.0_alpha_pre2 < 0.1.0_alpha
        1.3_pre1-r1 < 1.3.2
        1.0_p10-r0 > 1.0_p9-r0
        6.0_pre1 < 6.0
        6.0_p1 > 6.0
        8.2.0 < 8.2.001
        8.2.0015 < 8.2.002
        1.0~1234 < 1.0~2345
        1.0~1234-r1 < 1.0~2345-r0
        1.0~1234-r1 > 1.0~1234-r0
        1.0 < 1.0-r0
        1.0-r9 < 1.0-r10
        1.0_alpha < 1.0_beta
        1.0_beta < 1.0_pre
        1.0_pre < 1.0_rc
        1.0_rc < 1.0
        1.0 < 1.0_cvs
        1.0_cvs < 1.0_svn
        1.0_svn < 1.0_git
        1.0_git < 1.0_hg
        1.0_hg < 1.0_p
        1.0_rc < 1.0_rc0
        1.0 < 1.0a
        1.0a < 1.0b-r1
        1.0z < 1.0.0
        1.010 < 1.02
        01.2 = 1.2
        1.0-r01 = 1.0-r1
        20240101 < 99999999999999999999
        ",
    );
}

#[test]
fn refuses_what_apk_refuses() {
    for version in [
        "",
        "0.1bc",
        "0.1a1",
        "0.1a.1",
        "0.1_pre2~",
        "0.1_pre2~1234xbcd",
        "0.1_pre2~1234abcd_pre1",
        "0.1_foobar",
        "0.1-pre1.1",
        "0.1-r",
        "0.1-r2_pre1",
        "0.1-r2-r3",
        "0.1-r2.1",
        ".1",
        "a",
        "_pre1",
        "-r1",
        "0.1_",
        "0.1__alpha",
        "0.1_1_alpha",
        "1.",
        "1..2",
        "1.0 ",
    ] {
        assert!(!tool::reads("apk", version), "{version}");
    }
    for version in ["1.2", "0.1_pre2~1234abcd", "0.1_p1_pre2", "0.1_git20240101_pre1"] {
        assert!(tool::reads("apk", version), "{version}");
    }
}
