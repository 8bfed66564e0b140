//! Against pacman's `vercmp`, which takes one pair at a time.

use crate::generated::Grammar;
use crate::tool;

const VERSIONS: Grammar = Grammar {
    first: &["0", "1", "2", "10", "01", "20240101", "1a", "a", "r12"],
    marks: &[".", "", "+", "_", "..", "."],
    words: &["0", "1", "2", "10", "007", "a", "b", "rc", "g12", "Z", "99999999999999999999"],
    epochs: &["", "", "", "0:", "1:"],
    ends: &["-1", "-1", "-2", "-1.1", "-10"],
};

#[test]
fn agrees_with_vercmp() {
    for (left, right) in VERSIONS.pairs(400) {
        if !(tool::reads("pacman", &left) && tool::reads("pacman", &right)) {
            continue;
        }
        let Some(said) = tool::ask("vercmp", &[&left, &right], "") else { return };
        let said = tool::ordering(&said).expect("vercmp prints a number");
        tool::agree("pacman", &left, &right, said);
    }
}

#[test]
fn knows_what_vercmp_says_and_where_it_makes_no_order() {
    tool::check(
        "pacman",
        "
        1.0a < 1.0b
        1.0b < 1.0beta
        1.0beta < 1.0p
        1.0p < 1.0pre
        1.0pre < 1.0rc
        1.0rc < 1.0
        1.0 < 1.0.a
        1.0.a < 1.0.1
        1.0 < 1.0-1
        1.0-1 < 1.0-1.1
        1:0.1 > 99
        1.0.1 < 1.0..1
        ",
    );
}

#[test]
fn refuses_what_would_go_in_circles() {
    for version in ["", "1.", "1.0_", "1.0-", "1.0-1.", "-1", "1 2"] {
        assert!(!tool::reads("pacman", version), "{version}");
    }
}
