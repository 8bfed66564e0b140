//! Tests of rpm's databases.

mod hostile;
mod live;

use model::hash_path;

use super::source_package;
use crate::Beside;
use crate::Nothing;
use crate::shown::{facts_of, fixture, read};

/// What `rpm -qa` says of the fixtures, in the order in which they were installed.
const SIX: &str = "\
pkg:rpm/zeroed-libs@0.1-0?arch=noarch&epoch=0&upstream=zeroed-0.1-0.src.rpm
  source: zeroed 0.1-0
  licenses: Apache-2.0
  author: Foretop Tests
  description: Libraries of zeroed
  url: https://example.org/zeroed
  size: 21261
  installed size: 120
pkg:rpm/zeroed@0.1-0?arch=noarch&epoch=0&upstream=zeroed-0.1-0.src.rpm
  source: zeroed 0.1-0
  licenses: Apache-2.0
  author: Foretop Tests
  description: The zeroed of our tests
  url: https://example.org/zeroed
  size: 1644
  installed size: 7
pkg:rpm/plain-libs@1.0-1.el9?arch=noarch&upstream=plain-1.0-1.el9.src.rpm
  source: plain 1.0-1.el9
  licenses: MIT
  author: Foretop Tests
  description: Libraries of plain
  url: https://example.org/plain
  size: 1696
  installed size: 1
pkg:rpm/plain@1.0-1.el9?arch=noarch&upstream=plain-1.0-1.el9.src.rpm
  source: plain 1.0-1.el9
  licenses: MIT
  author: Foretop Tests
  description: The plain of our tests
  url: https://example.org/plain
  size: 1633
  installed size: 6
pkg:rpm/epochal-libs@2.5-3.el9?arch=noarch&epoch=2&rpmmod=nodejs:18:8080020230101:abcdef&upstream=epochal-2.5-3.el9.src.rpm
  source: epochal 2.5-3.el9
  licenses: GPL-2.0-or-later
  author: Foretop Tests
  description: Libraries of epochal
  url: https://example.org/epochal
  size: 1781
  installed size: 1
pkg:rpm/epochal@2.5-3.el9?arch=noarch&epoch=2&rpmmod=nodejs:18:8080020230101:abcdef&upstream=epochal-2.5-3.el9.src.rpm
  source: epochal 2.5-3.el9
  licenses: GPL-2.0-or-later
  author: Foretop Tests
  description: The epochal of our tests
  url: https://example.org/epochal
  size: 1711
  installed size: 8
zeroed-libs owns 120
zeroed owns 1
plain-libs owns 1
plain owns 1
epochal-libs owns 1
epochal owns 1
";

/// Entries and ownership, sorted: hash files have no order.
fn sorted(text: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in text.lines() {
        match entries.last_mut() {
            Some(last) if line.starts_with(' ') => *last += line,
            _ => entries.push(line.to_owned()),
        }
    }
    entries.sort();
    entries
}

fn check(path: &str) {
    let bytes = fixture(&format!("rpm/{path}.gz"));
    let path = path.split_once('/').expect("a folder, then the path").1;
    assert_eq!(sorted(&facts_of("rpm-database", path, bytes)), sorted(SIX), "{path}");
}

#[test]
fn sqlite() {
    check("sqlite/var/lib/rpm/rpmdb.sqlite");
}

#[test]
fn ndb() {
    check("ndb/usr/lib/sysimage/rpm/Packages.db");
}

#[test]
fn berkeley_db_in_both_byte_orders() {
    check("bdb-little/var/lib/rpm/Packages");
    check("bdb-big/var/lib/rpm/Packages");
}

struct Log(Vec<u8>);

impl Beside for Log {
    fn bytes(&self, path: &str) -> Option<&[u8]> {
        (path == "var/lib/rpm/rpmdb.sqlite-wal").then_some(&self.0)
    }
}

#[test]
fn write_ahead_log() {
    let database = fixture("rpm/wal/var/lib/rpm/rpmdb.sqlite.gz");
    let log = fixture("rpm/wal/var/lib/rpm/rpmdb.sqlite-wal.gz");
    let names = |log: &[u8]| {
        let log = Log(log.to_vec());
        let found = read("rpm-database", "var/lib/rpm/rpmdb.sqlite", &database, &log);
        assert_eq!(found.gaps, []);
        let names: Vec<&str> = found.packages.iter().map(|it| it.purl.name()).collect();
        names.join(" ")
    };
    assert_eq!(names(&[]), "zeroed-libs zeroed");
    assert_eq!(names(&log), "zeroed-libs plain-libs plain epochal-libs epochal");
    // Of a log that breaks off, the transactions before that count; the first one is the deletion.
    let mut torn = log.clone();
    torn[32 + 24 + 512 + 24 + 512 + 100] ^= 1;
    assert!(names(&torn).starts_with("zeroed-libs"));
    assert_eq!(names(&log[..31]), "zeroed-libs zeroed");
    assert_eq!(names(b"no log at all"), "zeroed-libs zeroed");
}

#[test]
fn paths_of_files() {
    let bytes = fixture("rpm/sqlite/var/lib/rpm/rpmdb.sqlite.gz");
    let found = read("rpm-database", "var/lib/rpm/rpmdb.sqlite", &bytes, &Nothing);
    let of = |name| &found.owned.iter().find(|it| it.package == name).expect("it is there").paths;
    assert_eq!(of("plain"), &[hash_path("usr/bin/plain")]);
    let last = hash_path("usr/lib64/libzeroed-with-a-rather-long-name-120.so");
    assert!(of("zeroed-libs").contains(&last));
}

#[test]
fn what_is_no_database() {
    let check = |bytes: &[u8], expect: &str| {
        assert_eq!(facts_of("rpm-database", "var/lib/rpm/Packages", bytes), expect);
    };
    check(b"", "gap: var/lib/rpm/Packages: is too short for a database\n");
    check(&[0; 512], "gap: var/lib/rpm/Packages: is no database of rpm that we know\n");
    check(
        b"SQLite format 3\0",
        "gap: var/lib/rpm/Packages: cannot be read: unexpected end of file\n",
    );
}

#[test]
fn manifest() {
    let check = |text: &str, expect: &str| {
        let path = "var/lib/rpmmanifest/container-manifest-2";
        assert_eq!(facts_of("rpm-manifest", path, text), expect);
    };
    check(
        "openssl-libs\t3.3.0-2.azl3\t1700000000\t1690000000\tMicrosoft Corporation\t(none)\t4711\t\
         x86_64\t0\topenssl-3.3.0-2.azl3.src.rpm\n\
         gpg-pubkey\t3135ce90-5e6fda74\t1\t1\t(none)\t(none)\t0\t(none)\t0\t(none)\n\
         vim\t9.0-1.azl3\t1\t1\t(none)\t2\t1\tx86_64\t2\t(none)\n\nbroken\n",
        "pkg:rpm/openssl-libs@3.3.0-2.azl3?arch=x86_64&upstream=openssl-3.3.0-2.azl3.src.rpm\n  \
         source: openssl 3.3.0-2.azl3\n  author: Microsoft Corporation\n  installed size: 4711\n\
         pkg:rpm/vim@9.0-1.azl3?arch=x86_64&epoch=2\n  source: vim\n  installed size: 1\n\
         gap: var/lib/rpmmanifest/container-manifest-2:5: a line without a package and its version\n",
    );
}

#[test]
fn source_packages() {
    let check = |file: &str, expect: &str| {
        let shown = source_package(file).map_or_else(String::new, |it| {
            format!("{} {}", it.name, it.version.unwrap_or_default())
        });
        assert_eq!(shown, expect);
    };
    check("openssl-3.0.7-27.el9.src.rpm", "openssl 3.0.7-27.el9");
    check("gcc-toolset-12-gcc-12.2.1-7.4.el8.src.rpm", "gcc-toolset-12-gcc 12.2.1-7.4.el8");
    check("x-1-2.nosrc.rpm", "x 1-2");
    check("x-1-2.x86_64.rpm", "");
    check("-1-2.src.rpm", "");
    check("x-1.src.rpm", "");
    check("", "");
}
