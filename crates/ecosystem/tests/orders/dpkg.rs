//! Against `dpkg --compare-versions`, which takes one pair at a time.

use std::cmp::Ordering;
use std::process::{Command, Stdio};

use crate::generated::Grammar;
use crate::tool;

const VERSIONS: Grammar = Grammar {
    first: &["0", "1", "2", "10", "01", "20240101", "1a"],
    marks: &[".", "", "+", "~", "-", ".", "~~", "."],
    words: &["0", "1", "2", "10", "007", "a", "b", "rc", "dfsg", "deb12u", "Z", "99999999999", ""],
    epochs: &["", "", "", "0:", "1:"],
    ends: &["", "", "-1", "-0", "-1ubuntu2", "-1~bpo", "~"],
};

#[test]
fn agrees_with_dpkg() {
    for (left, right) in VERSIONS.pairs(110) {
        let is = |relation| {
            Command::new("dpkg")
                .args(["--compare-versions", &left, relation, &right])
                .stderr(Stdio::null())
                .status()
                .ok()
                .and_then(|it| it.code())
        };
        let said = match is("lt") {
            None => return tool::left_out("dpkg"),
            Some(0) => Ordering::Less,
            Some(1) if is("eq") == Some(0) => Ordering::Equal,
            Some(1) => Ordering::Greater,
            Some(_) => {
                assert!(
                    !tool::reads("dpkg", &left) || !tool::reads("dpkg", &right),
                    "{left} {right}"
                );
                continue;
            }
        };
        tool::agree("dpkg", &left, &right, said);
    }
}

#[test]
fn knows_what_policy_says() {
    tool::check(
        "dpkg",
        "
        ~~ < ~~a
        ~~a < ~
        ~ < 0
        1.0 = 1.0-0
        1. = 1.0
        1.0 < 1.0a
        1.0a < 1.0+
        1:0 > 99999999999999999999999
        1.2-3-4 > 1.2-3
        2.36-9+deb12u9 < 2.36-9+deb12u10
        ",
    );
}

#[test]
fn refuses_what_dpkg_refuses() {
    for version in ["", " ", "1-", ":1", "a:1", "0:", "1 2", "2147483648:1", "1:-1", "1\u{e9}"] {
        assert!(!tool::reads("dpkg", version), "{version}");
    }
    assert!(tool::reads("dpkg", " 2147483647:1 "));
}
