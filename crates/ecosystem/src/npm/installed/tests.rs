//! What an unpacked package tells.

use super::read;
use crate::shown::check;

const AT: &str = "app/node_modules/x/package.json";

#[test]
fn reads_every_field() {
    check(
        read,
        AT,
        r#"{"name": "left-pad", "version": "1.3.0", "description": "pads\nleft", "license": "WTFPL",
            "homepage": "https://example.org", "author": {"name": "Ann", "email": "a@example.org"},
            "private": true}"#,
        "pkg:npm/left-pad@1.3.0 | license: WTFPL | author: Ann <a@example.org> | url: https://example.org | about: pads",
    );
}

#[test]
fn a_scope_is_a_namespace() {
    check(
        read,
        "node_modules/@babel/core/package.json",
        r#"{"name": "@babel/core", "version": "7.0.0"}"#,
        "pkg:npm/%40babel/core@7.0.0",
    );
}

#[test]
fn licenses_come_in_every_shape() {
    for (shape, expect) in [
        (r#""license": {"type": "MIT", "url": "u"}"#, "MIT"),
        (r#""licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]"#, "MIT, Apache-2.0"),
        (r#""license": ["MIT", "ISC"]"#, "MIT, ISC"),
        (r#""licenses": "BSD"  "#, "BSD"),
        (r#""license": "(MIT OR CC0-1.0)""#, "(MIT OR CC0-1.0)"),
        (r#""license": "SEE LICENSE IN LICENSE.md""#, "SEE LICENSE IN LICENSE.md"),
    ] {
        check(
            read,
            AT,
            format!(r#"{{"name": "x", "version": "1", {shape}}}"#),
            &format!("pkg:npm/x@1 | license: {expect}"),
        );
    }
    check(read, AT, r#"{"name": "x", "version": "1", "license": 7}"#, "pkg:npm/x@1");
}

#[test]
fn the_repository_stands_in_for_a_home_page() {
    for repository in [
        r#"{"type": "git", "url": "git+https://github.com/a/b.git"}"#,
        r#""git://github.com/a/b.git""#,
        r#""github:a/b""#,
        r#""a/b""#,
    ] {
        check(
            read,
            AT,
            format!(r#"{{"name": "x", "version": "1", "repository": {repository}}}"#),
            "pkg:npm/x@1 | url: https://github.com/a/b",
        );
    }
}

#[test]
fn markers_are_no_packages() {
    check(read, AT, r#"{"type": "commonjs"}"#, "");
    check(read, "node_modules/.cache/package.json", r#"{"name": "x", "version": "1"}"#, "");
    check(read, "node_modules/@babel/package.json", r#"{"name": "x", "version": "1"}"#, "");
}

#[test]
fn what_cannot_be_a_package_is_a_gap() {
    check(
        read,
        AT,
        r#"{"name": "x"}"#,
        "gap: app/node_modules/x/package.json: package `x` has no version",
    );
    check(
        read,
        AT,
        r#"{"version": "1"}"#,
        "gap: app/node_modules/x/package.json: a package without a name",
    );
    check(
        read,
        AT,
        r#"{"name": "a b", "version": "1"}"#,
        "gap: app/node_modules/x/package.json: `a b@1` is no npm package",
    );
    check(
        read,
        AT,
        r#"{"name": "../x", "version": "1"}"#,
        "gap: app/node_modules/x/package.json: `../x@1` is no npm package",
    );
    check(
        read,
        AT,
        r#"{"name": "x", "version": "1 2"}"#,
        "gap: app/node_modules/x/package.json: `x@1 2` is no npm package",
    );
    check(read, AT, r#"{"name": 7, "version": {}}"#, "");
    check(
        read,
        AT,
        "",
        "gap: app/node_modules/x/package.json: broken JSON: EOF while parsing a value at line 1 column 0",
    );
    check(
        read,
        AT,
        "[]",
        "gap: app/node_modules/x/package.json: broken JSON: invalid type: sequence, expected an object at line 1 column 0",
    );
}

#[test]
fn the_last_of_equal_keys_counts() {
    check(read, AT, r#"{"name": "x", "version": "1", "version": "2"}"#, "pkg:npm/x@2");
}

#[test]
fn byte_order_marks_and_stray_bytes_do_no_harm() {
    check(read, AT, b"\xEF\xBB\xBF{\"name\": \"x\", \"version\": \"1\"}", "pkg:npm/x@1");
    check(
        read,
        AT,
        b"{\"name\": \"x\", \"version\": \"1\", \"description\": \"\xff\"}",
        "pkg:npm/x@1 | about: \u{FFFD}",
    );
}
