//! Headers and databases that no rpm writes.

use super::super::{Visited, package};
use crate::listing::Listing;
use crate::shown::{facts, facts_of, fixture};

/// A header with these fields: tag, type, count, data.
fn header(fields: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
    let mut index = Vec::new();
    let mut data = Vec::new();
    for (tag, kind, count, bytes) in fields {
        if *kind == 4 {
            data.resize(data.len().next_multiple_of(4), 0);
        }
        let start = u32::try_from(data.len()).unwrap();
        index.extend([*tag, *kind, start, *count].map(u32::to_be_bytes).concat());
        data.extend_from_slice(bytes);
    }
    let lengths = [fields.len(), data.len()].map(|it| u32::try_from(it).unwrap().to_be_bytes());
    [lengths.concat(), index, data].concat()
}

fn check(fields: &[(u32, u32, u32, &[u8])], expect: &str) {
    let mut listing = Listing::of("db");
    if let Err(why) = package(&header(fields), &mut listing) {
        listing.refuse(why);
    }
    assert_eq!(facts(&listing.finish()), expect);
}

const NAME: (u32, u32, u32, &[u8]) = (1000, 6, 1, b"x\0");
const VERSION: (u32, u32, u32, &[u8]) = (1001, 6, 1, b"1\0");
const RELEASE: (u32, u32, u32, &[u8]) = (1002, 6, 1, b"2\0");

#[test]
fn few_fields() {
    check(&[NAME, VERSION, RELEASE], "pkg:rpm/x@1-2\n  source: x\n");
    check(&[NAME, VERSION], "pkg:rpm/x@1\n  source: x\n");
    check(&[VERSION], "gap: db: a package without a name\n");
    check(&[NAME], "gap: db: the record of `x` has no version\n");
    check(&[(1000, 6, 1, b"no end")], "gap: db: a package without a name\n");
    check(&[(1000, 4, 1, b"\0\0\0\x01")], "gap: db: a package without a name\n");
    check(&[(1000, 6, 1, b"gpg-pubkey\0"), VERSION], "");
}

#[test]
fn the_last_of_equal_fields_counts() {
    check(&[NAME, VERSION, (1001, 6, 1, b"7\0")], "pkg:rpm/x@7\n  source: x\n");
}

#[test]
fn lists_of_files() {
    let files = |names: u32, folders: &'static [u8], indexes: &'static [u8], expect: &str| {
        let fields = [
            NAME,
            VERSION,
            (1116, 4, names, indexes),
            (1117, 8, names, b"a\0b\0"),
            (1118, 8, 1, folders),
        ];
        check(&fields, &format!("pkg:rpm/x@1\n  source: x\n{expect}"));
    };
    let gap = |why: &str| format!("gap: db: the list of files of `x` {why}\n");
    files(2, b"/usr/\0", &[0; 8], "x owns 2\n");
    files(1, b"/usr/\0", &[0; 8], "x owns 1\n");
    files(900, b"/usr/\0", &[0; 8], &{
        format!("x owns 2\n{}", gap("names a directory that is not there"))
    });
    files(2, b"/usr/\0", b"\0\0\0\0\0\0\0\x01", &{
        format!("x owns 1\n{}", gap("names a directory that is not there"))
    });
    check(
        &[NAME, VERSION, (1117, 8, 1, b"a\0")],
        &format!("pkg:rpm/x@1\n  source: x\n{}", gap("has no directories")),
    );
    check(&[NAME, VERSION, (1027, 8, 2, b"/a\0/b/c\0")], "pkg:rpm/x@1\n  source: x\nx owns 2\n");
}

#[test]
fn a_long_directory_for_many_names_is_a_trick() {
    let folder = [&[b'/'; 4000], &b"\0"[..]].concat();
    let names = b"a\0".repeat(10_000);
    let indexes = vec![0; 40_000];
    let mut listing = Listing::of("db");
    let blob = header(&[
        NAME,
        VERSION,
        (1116, 4, 10_000, &indexes),
        (1117, 8, 10_000, &names),
        (1118, 8, 1, &folder),
    ]);
    let why = package(&blob, &mut listing).unwrap_err();
    assert_eq!(why, "the list of files of `x` is larger than its header can tell");
}

#[test]
fn headers_that_are_cut_off() {
    let whole = header(&[NAME, VERSION, RELEASE]);
    for length in 0..whole.len() {
        let mut listing = Listing::of("db");
        assert!(package(&whole[..length], &mut listing).is_err(), "{length} bytes");
    }
    let lengths = [[0xff; 4], [0xff; 4]].concat();
    assert!(package(&lengths, &mut Listing::of("db")).is_err());
}

#[test]
fn the_readable_rest_is_kept() {
    let check = |fixture_at: &str, damage: &dyn Fn(&mut Vec<u8>), expect: &str| {
        let mut bytes = fixture(&format!("rpm/{fixture_at}.gz"));
        damage(&mut bytes);
        let text = facts_of("rpm-database", "db", bytes);
        let names: Vec<&str> = text
            .lines()
            .filter_map(|it| {
                it.strip_prefix("pkg:rpm/")
                    .and_then(|it| it.split('@').next())
                    .or_else(|| it.starts_with("gap: ").then_some(it))
            })
            .collect();
        assert_eq!(names.join("\n"), expect);
    };
    let find = |bytes: &[u8], what: &[u8]| {
        bytes.windows(what.len()).position(|it| it == what).expect("it is there")
    };
    // The blob of the second package does not start as it should.
    check(
        "ndb/usr/lib/sysimage/rpm/Packages.db",
        &|bytes| {
            let at = find(bytes, b"BlbS\x03");
            bytes[at] = 0;
        },
        "zeroed-libs\nplain-libs\nplain\nepochal-libs\nepochal\n\
         gap: db: package 3 is not where the table of slots says",
    );
    // The chain of the long first header leads back to itself.
    check(
        "bdb-little/var/lib/rpm/Packages",
        &|bytes| {
            let chain: Vec<usize> =
                (0..bytes.len()).step_by(4096).filter(|it| bytes[it + 25] == 7).collect();
            let first = bytes[chain[0] + 8];
            for page in chain {
                bytes[page + 16] = first;
            }
        },
        "zeroed\nplain\nepochal\nplain-libs\nepochal-libs\n\
         gap: db: page 3 is in two chains, or in one that never ends",
    );
    check(
        "bdb-little/var/lib/rpm/Packages",
        &|bytes| bytes.truncate(4096 * 2),
        "gap: db: is cut off: 1 of 13 pages are there\ngap: db: page 9 is not there\n\
         gap: db: page 11 is not there\ngap: db: page 13 is not there",
    );
    // A bucket is empty, or no bucket any more: what it held is missing.
    for kind in [0, 99] {
        check(
            "bdb-little/var/lib/rpm/Packages",
            &|bytes| bytes[4096..8192].fill(kind),
            "zeroed-libs\nplain-libs\nepochal-libs\ngap: db: page 1 should hold packages, and does not",
        );
    }
    // The second page of the table is no page any more.
    check(
        "sqlite/var/lib/rpm/rpmdb.sqlite",
        &|bytes| {
            let at = find(bytes, b"The plain of our tests") / 4096 * 4096;
            bytes[at] = 0;
        },
        "zeroed-libs\nzeroed\nepochal-libs\nepochal\ngap: db: page 63 is no part of a table",
    );
}

/// Its pages stand behind each other: what is before the end is read.
#[test]
fn a_database_that_is_cut_off() {
    let bytes = fixture("rpm/sqlite/var/lib/rpm/rpmdb.sqlite.gz");
    let text = facts_of("rpm-database", "db", &bytes[..62 * 4096]);
    assert!(text.starts_with("pkg:rpm/zeroed-libs@"), "{text}");
    assert!(text.ends_with("gap: db: page 64 is not there, or used twice\n"), "{text}");
}

/// A page of 512 bytes that says it has 65535 cells must not cost 65535 gaps.
#[test]
fn a_page_says_no_more_than_it_holds() {
    let mut bytes = fixture("rpm/wal/var/lib/rpm/rpmdb.sqlite.gz");
    let root = (512..bytes.len()).step_by(512).find(|it| matches!(bytes[*it], 5 | 13)).unwrap();
    bytes[root + 3..root + 5].fill(0xff);
    let number = root / 512 + 1;
    assert_eq!(
        facts_of("rpm-database", "db", &bytes),
        format!("gap: db: page {number} is broken\n")
    );
}

#[test]
fn no_page_is_read_twice() {
    let mut visited = Visited::default();
    assert!(visited.insert(0));
    assert!(visited.insert(70));
    assert!(!visited.insert(70));
    assert!(!visited.insert(u32::MAX), "and none is that far out");
}
