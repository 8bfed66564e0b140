//! Tests of Rust crates, from executables and lock files.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::Cargo;
use crate::Ecosystem as _;
use crate::executable::building::{elf, mach_o, pe};
use crate::shown::{Read, check};

fn auditable() -> Read {
    Cargo.catalogers()[0].read
}

fn lock() -> Read {
    Cargo.catalogers()[1].read
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).expect("memory does not fail");
    encoder.finish().expect("memory does not fail")
}

#[test]
fn reads_what_a_program_was_built_from() {
    let section = packed(
        br#"{"packages":[
        {"name":"app","version":"0.1.0","source":"local","root":true,"dependencies":[1]},
        {"name":"serde","version":"1.0.200","source":"crates.io"},
        {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
        {"name":"log","version":"0.4.21","source":"crates.io","kind":"runtime"}],"format":3}"#,
    );
    let expect = "
        pkg:cargo/app@0.1.0
        pkg:cargo/serde@1.0.200
        pkg:cargo/log@0.4.21";
    check(auditable(), "app", elf(&[(".dep-v0", &section)]), expect);
    check(auditable(), "app.exe", pe(".dep-v0", &section), expect);
    check(auditable(), "app", mach_o(".dep-v0", &section), expect);
    check(auditable(), "app", elf(&[(".text", &section)]), "");
}

#[test]
fn tells_of_lists_it_cannot_read() {
    let list = |bytes: &[u8]| elf(&[(".dep-v0", bytes)]);
    let gap = |why: &str| format!("gap: app: its list of crates {why}");
    check(auditable(), "app", list(b"no zlib"), &gap("cannot be inflated"));
    check(
        auditable(),
        "app",
        list(&packed(b"{}")),
        &gap("cannot be read: missing field `packages` at line 1 column 2"),
    );
    check(auditable(), "app", list(&packed(&vec![b' '; 9 << 20])), &gap("is too large"));
    let whole = list(&packed(b"{\"packages\":[]}"));
    for end in 0..whole.len() {
        check(auditable(), "app", &whole[..end], "");
    }
}

#[test]
fn reads_lock_files() {
    check(
        lock(),
        "Cargo.lock",
        r#"
        version = 4

        [[package]]
        name = "app"
        version = "0.1.0"
        dependencies = ["serde"]

        [[package]]
        name = "serde"
        version = "1.0.200"
        source = "registry+https://github.com/rust-lang/crates.io-index"
        checksum = "00"

        [[package]]
        name = "mine"
        version = "2.0.0"
        source = "sparse+https://crates.example.com/index/"

        [[package]]
        name = "forked"
        version = "3.0.0"
        source = "git+https://example.com/forked.git?branch=main#0123abcd"
        "#,
        "pkg:cargo/serde@1.0.200 (declared)
         pkg:cargo/mine@2.0.0?repository_url=https:%2F%2Fcrates.example.com%2Findex%2F (declared)
         pkg:cargo/forked@3.0.0?vcs_url=git%2Bhttps:%2F%2Fexample.com%2Fforked.git%400123abcd (declared)"
            .replace("%2F", "/")
            .as_str(),
    );
    check(
        lock(),
        "Cargo.lock",
        "[root]\nname = \"old\"\nversion = \"0.0.1\"\n\n[[package]]\nname = \"libc\"\n\
         version = \"0.2.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n\
         [metadata]\n\"checksum libc 0.2.0\" = \"x\"\n",
        "pkg:cargo/libc@0.2.0 (declared)",
    );
}

#[test]
fn tells_of_lock_files_it_cannot_read() {
    check(
        lock(),
        "Cargo.lock",
        "[[package]]\nname = \"a\"\n",
        "gap: Cargo.lock: broken TOML: missing field `version`",
    );
    check(lock(), "Cargo.lock", "a = 1\na = 2\n", "gap: Cargo.lock: broken TOML: duplicate key");
    let junk = "gap: Cargo.lock: broken TOML: key with no value, expected `=`";
    check(lock(), "Cargo.lock", b"\xff", junk);
}
