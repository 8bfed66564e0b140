//! Ranges as they are written, and the spans they mean.

use model::Bound;

use super::*;

fn show(kind: &str, text: &str) -> String {
    let spans = match parse(kind, text) {
        Ok(spans) => spans,
        Err(bad) => return format!("bad: {}", bad.why),
    };
    let side = |bound: &Option<Bound>, marks: [char; 2]| match bound {
        None => (marks[0], String::new()),
        Some(it) => (marks[usize::from(it.included)], it.version.clone()),
    };
    let texts: Vec<String> = spans
        .iter()
        .map(|span| {
            let (open, from) = side(&span.from, ['(', '[']);
            let (close, to) = side(&span.to, [')', ']']);
            format!("{open}{from}, {to}{close}")
        })
        .collect();
    if texts.is_empty() { "nothing".to_owned() } else { texts.join(" ") }
}

fn check(kind: &str, cases: &[(&str, &str)]) {
    for (text, expect) in cases {
        assert_eq!(show(kind, text), *expect, "{kind}: {text}");
    }
}

#[test]
fn reads_comparisons() {
    check(
        "debian",
        &[
            (">= 1.0, < 2.0", "[1.0, 2.0)"),
            (">=1.0 <2.0", "[1.0, 2.0)"),
            ("< 1.2.3 || = 2", "(, 1.2.3) [2, 2]"),
            ("<= 1:1.2-3", "(, 1:1.2-3]"),
            ("> 1, > 1, >= 2, > 2, <= 4, < 4, < 5", "(2, 4)"),
            ("1.0", "[1.0, 1.0]"),
            ("!= 1.0", "(, 1.0) (1.0, )"),
            (">= 1.0, != 1.0, != 2.0, < 2.0", "(1.0, 2.0)"),
            ("= 1, = 2", "nothing"),
            ("= 1, != 1.", "[1, 1]"),
            ("< 1, > 1", "nothing"),
            ("*", "(, )"),
            ("", "bad: there is nothing to compare with"),
            ("< 1 ||", "bad: there is nothing to compare with"),
            (">=", "bad: no version stands behind `>=`"),
            ("^1", "bad: there is no `^` in such ranges"),
            ("1 - 2", "bad: it has a hyphen between two versions"),
            ("< 1-", "bad: `1-` is no version as dpkg has them: its revision is empty"),
        ],
    );
    check("nowhere", &[("< 1", "bad: nobody taught us the order of versions of `nowhere`")]);
    check("deb", &[("< 1", "(, 1)")]);
    check("rhel:9", &[("< 1", "(, 1)")]);
}

#[test]
fn reads_what_npm_and_cargo_write() {
    check(
        "npm",
        &[
            ("", "(, )"),
            ("*", "(, )"),
            ("1.2.3", "[1.2.3, 1.2.3]"),
            ("1.2", "[1.2.0-0, 1.3.0-0)"),
            ("1.x || >=2.5.0 || 5.0.0 - 7.2.3", "[1.0.0-0, 2.0.0-0) [2.5.0, ) [5.0.0-0, 7.2.4-0)"),
            ("^1.2.3", "[1.2.3, 2.0.0-0)"),
            ("^0.2.3", "[0.2.3, 0.3.0-0)"),
            ("^0.0.3-beta", "[0.0.3-beta, 0.0.4-0)"),
            ("^0.0", "[0.0.0-0, 0.1.0-0)"),
            ("^0", "[0.0.0-0, 1.0.0-0)"),
            ("~1.2.3", "[1.2.3, 1.3.0-0)"),
            ("~> 1", "[1.0.0-0, 2.0.0-0)"),
            ("<=1.2", "(, 1.3.0-0)"),
            (">1", "[2.0.0-0, )"),
            (">x", "(, 0.0.0-0)"),
            ("1.2 - 3", "[1.2.0-0, 4.0.0-0)"),
            ("1.2.3-a - 2.3.4-b", "[1.2.3-a, 2.3.4-b]"),
            ("1.x.3", "bad: `1.x.3` has a number behind one that is open"),
            ("1.2-beta", "bad: `1.2-beta` has a prerelease without three numbers before it"),
            ("^18446744073709551615.0.0", "bad: its number is too big"),
            ("latest", "bad: `latest` is not made of numbers"),
        ],
    );
    check(
        "cargo",
        &[
            (">= 1.2, < 1.5", "[1.2, 1.5)"),
            ("^0.9", "[0.9.0-0, 0.10.0-0)"),
            ("= 1.2", "[1.2, 1.2]"),
            ("1.*", "[1.0.0-0, 2.0.0-0)"),
        ],
    );
}

#[test]
fn reads_what_rubygems_writes() {
    check(
        "gem",
        &[
            ("~> 1.2.3", "[1.2.3, 1.3.A)"),
            ("~> 1.2", "[1.2, 2.A)"),
            ("~> 1", "[1, 2.A)"),
            ("~> 2.0.0.rc1", "[2.0.0.rc1, 2.1.A)"),
            ("~> 1.2.3, >= 1.2.5", "[1.2.5, 1.3.A)"),
            ("~> a", "bad: `a` does not begin with a number"),
        ],
    );
}

#[test]
fn reads_what_composer_writes() {
    check(
        "composer",
        &[
            (">=1.0,<1.2.3|>=2.0 <2.1", "[1.0.0-dev, 1.2.3) [2.0.0-dev, 2.1)"),
            ("^1.2.3", "[1.2.3-dev, 2.0.0-dev)"),
            ("^0.3", "[0.3.0-dev, 0.4.0-dev)"),
            ("~1.2", "[1.2.0-dev, 2.0.0-dev)"),
            ("~1.2.3.4", "[1.2.3.4-dev, 1.2.4-dev)"),
            ("1.2.*", "[1.2.0-dev, 1.3.0-dev)"),
            ("1.0 - 2.0", "[1.0.0-dev, 2.1.0-dev)"),
            ("1.0 - 2.0.3", "[1.0.0-dev, 2.0.3]"),
            ("*", "(, )"),
        ],
    );
}

#[test]
fn reads_vers() {
    check(
        "ignored",
        &[
            ("vers:npm/1.2.3|>=2.0.0|<5.0.0", "[2.0.0, 5.0.0) [1.2.3, 1.2.3]"),
            ("vers:NPM/ >= 1.0.0 | < 2.0.0 | != 1.5.0", "[1.0.0, 1.5.0) (1.5.0, 2.0.0)"),
            ("vers:deb/<1%3A2.0-1", "(, 1:2.0-1)"),
            ("vers:rpm/>=2|<1", "(, 1) [2, )"),
            ("vers:rpm/>1|>2|<3|<=4", "(1, 4]"),
            ("vers:rpm/<1|<2|>3", "(, 2) (3, )"),
            ("vers:rpm/!=1", "(, 1) (1, )"),
            ("vers:golang/*", "(, )"),
            ("vers:rpm/<1|>=1.", "bad: `1.` is in it twice"),
            ("vers:rpm/", "bad: there is nothing to compare with"),
            ("vers:rpm", "bad: there is no `/` behind its type"),
            ("vers:rpm/<", "bad: `` is no version as rpm has them: it is empty"),
            ("vers:rpm/<1%3", "bad: `1%3` is badly encoded"),
            ("vers:nothing/<1", "bad: nobody taught us the order of versions of `nothing`"),
            ("vers:rpm/~1", "[~1, ~1]"),
        ],
    );
}

#[test]
fn tells_what_is_in_them() {
    let order = crate::order::find("rpm").expect("it is there");
    let has = |text: &str, version: &str| {
        contains(order, &parse("rpm", text).expect("it is a range"), version)
    };
    assert_eq!(has(">= 1, < 2", "1"), Ok(true));
    assert_eq!(has(">= 1, < 2", "2"), Ok(false));
    assert_eq!(has("> 1, <= 2", "1"), Ok(false));
    assert_eq!(has("> 1, <= 2", "2"), Ok(true));
    assert_eq!(has("< 1 || > 3", "4"), Ok(true));
    assert_eq!(has("!= 1.0", "1.0"), Ok(false));
    assert!(has("*", "").is_err());
    assert!(contains(order, &[], "").is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_odd(text in "(vers:)?[a-z]{0,3}/?[<>=!~^|x*%., 0-9a-b-]{0,30}") {
        for kind in ["npm", "gem", "composer", "cargo", "deb", "rpm", "pypi"] {
            let _ = parse(kind, &text);
        }
    }
}
