//! Against rpm's own `rpm.vercmp`.

use crate::generated::Grammar;
use crate::tool;

const VERSIONS: Grammar = Grammar {
    first: &["0", "1", "2", "10", "01", "20240101", "1a", "a"],
    marks: &[".", "", "+", "~", "^", "-", ".", "_", "..", "~^", "."],
    words: &[
        "0",
        "1",
        "2",
        "10",
        "007",
        "a",
        "b",
        "rc",
        "git",
        "el8",
        "Z",
        "99999999999999999999",
        "",
    ],
    epochs: &["", "", "", "0:", "1:"],
    ends: &["", "", "-1", "-1.el8_9", "-1~a", "-2^1", "~", "^"],
};

#[test]
fn agrees_with_rpm() {
    let pairs = VERSIONS.pairs(4000);
    let input =
        pairs.iter().fold(String::new(), |sum, (left, right)| sum + left + "\t" + right + "\n");
    let script = r#"%{lua:
        for line in io.lines() do
            local left, right = line:match("^(.*)\t(.*)$")
            io.write(rpm.vercmp(left, right), "\n")
        end}"#;
    let Some(said) = tool::ask("rpm", &["--eval", script], &input) else { return };
    let said: Vec<_> = said.lines().filter_map(tool::ordering).collect();
    assert_eq!(said.len(), pairs.len());
    for ((left, right), said) in pairs.iter().zip(said) {
        tool::agree("rpm", left, right, said);
    }
}

#[test]
fn knows_what_rpm_says() {
    tool::check(
        "rpm",
        "
        1.0 = 0:1.0
        1.0 < 1.0-1
        1.0~rc1 < 1.0
        1.0 < 1.0^20240101
        1.0^20240101 < 1.0.1
        1.0a < 1.0.1
        1.0.1 = 1_0+1
        A < a
        1:1 > 9
        a:1 < 0:1
        1.1.1k-9.el8_7 < 1.1.1k-12.el8_9
        ",
    );
}

#[test]
fn refuses_what_is_no_version() {
    for version in ["", "0:", "-1", "1:-1", "1 2", "1\n"] {
        assert!(!tool::reads("rpm", version), "{version:?}");
    }
}
