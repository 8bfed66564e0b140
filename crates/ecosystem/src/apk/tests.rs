//! Tests of apk's database.

use model::hash_path;

use crate::Nothing;
use crate::shown::{facts_of, read};

const PATH: &str = "lib/apk/db/installed";

fn check(text: &str, expect: &str) {
    assert_eq!(facts_of("apk-installed", PATH, text), expect);
}

const FULL: &str = "C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=\nP:ssl_client\nV:1.36.1-r15\nA:x86_64\nS:4748\n\
    I:28672\nT:External ssl_client for busybox wget\nU:https://busybox.net/\nL:GPL-2.0-only\n\
    o:busybox\nm:Maintainer <m@example.org>\nt:1699383189\nc:0123\n\
    D:so:libc.musl-x86_64.so.1\nF:usr\nM:0:0:755\nF:usr/bin\nR:ssl_client\na:0:0:755\n\
    Z:Q1thVYMbQRJ3Q9yS1J7QBKhYsjNqA=\n";

#[test]
fn a_full_record() {
    check(
        FULL,
        "pkg:apk/ssl_client@1.36.1-r15?arch=x86_64&upstream=busybox\n  source: busybox\n  \
         licenses: GPL-2.0-only\n  author: Maintainer <m@example.org>\n  \
         description: External ssl_client for busybox wget\n  url: https://busybox.net/\n  \
         size: 4748\n  installed size: 28672\nssl_client owns 1\n",
    );
    let found = read("apk-installed", PATH, FULL.as_bytes(), &Nothing);
    assert_eq!(found.owned[0].paths, [hash_path("usr/bin/ssl_client")]);
}

#[test]
fn records_are_parted_by_empty_lines() {
    check(
        "P:a\nV:1\no:a\nF:\nR:x\nR:y\n\nP:b\nV:2\n\n\n",
        "pkg:apk/a@1\n  source: a\npkg:apk/b@2\n  source: b\na owns 2\n",
    );
    let found = read("apk-installed", PATH, b"P:a\nV:1\nF:\nR:x\n", &Nothing);
    assert_eq!(found.owned[0].paths, [hash_path("x")], "a file at the root");
}

#[test]
fn holes_are_told() {
    check("", "");
    check(
        "V:1.0\n\nP:x\n\nP:y\nV:1",
        "pkg:apk/y@1\n  source: y\n\
         gap: lib/apk/db/installed:1: a record without a package name\n\
         gap: lib/apk/db/installed:3: the record of `x` has no version\n",
    );
    let long = "x".repeat(5000);
    check(
        &format!("P:x\nV:1\nF:{long}\nR:a\nR:b\nF:usr\nR:c\n"),
        "pkg:apk/x@1\n  source: x\nx owns 1\n\
         gap: lib/apk/db/installed:1: a file of `x` has a path longer than 4096 bytes\n",
    );
}
