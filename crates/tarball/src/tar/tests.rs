//! Tests of tar archives, honest and hostile.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// A header block of type `kind`, with the rest as given.
fn block(kind: u8, name: &str, size: u64) -> [u8; BLOCK] {
    edited(kind, name, size, |_| {})
}

fn edited(kind: u8, name: &str, size: u64, edit: impl Fn(&mut [u8])) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    edit(&mut block);
    summed(block)
}

fn summed(mut block: [u8; BLOCK]) -> [u8; BLOCK] {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|it| u32::from(*it)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

fn gnu(block: &mut [u8]) {
    block[257..265].copy_from_slice(b"ustar  \0");
}

/// Content in whole blocks.
fn padded(content: &[u8]) -> Vec<u8> {
    let mut bytes = content.to_vec();
    bytes.resize(content.len().div_ceil(BLOCK) * BLOCK, 0);
    bytes
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let body: String = records.iter().map(|(key, value)| record(key, value)).collect();
    [block(b'x', "pax", body.len() as u64).to_vec(), padded(body.as_bytes())].concat()
}

fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}

const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// Every entry on a line: path, kind, size, content.
fn listing(archive: &[u8]) -> String {
    let mut reader = TarReader::new(archive, &Limits::default());
    let mut text = String::new();
    loop {
        match reader.next() {
            Ok(Some(entry)) => {
                let mut body = Vec::new();
                let read = reader.body().take(100).read_to_end(&mut body);
                let body = String::from_utf8_lossy(&body).replace('\0', ".");
                let kind = match &entry.kind {
                    EntryKind::File => format!("{} bytes", entry.size),
                    EntryKind::Directory => "directory".to_owned(),
                    EntryKind::Symlink(target) => format!("-> {target}"),
                    EntryKind::Hardlink(target) => format!("== {target}"),
                    EntryKind::Other => "other".to_owned(),
                };
                writeln!(text, "{} ({kind}) {body}", entry.path).unwrap();
                if let Err(error) = read {
                    writeln!(text, "body: {error}").unwrap();
                }
            }
            Ok(None) => return text,
            Err(problem) => {
                writeln!(text, "problem: {problem}").unwrap();
                return text;
            }
        }
    }
}

fn check<B: AsRef<[u8]>>(parts: &[B], expect: &str) {
    let archive: Vec<u8> = parts.iter().flat_map(|it| it.as_ref().to_vec()).collect();
    assert_eq!(listing(&archive), expect);
}

fn file(name: &str, content: &str) -> Vec<u8> {
    [block(b'0', name, content.len() as u64).to_vec(), padded(content.as_bytes())].concat()
}

#[test]
fn plain_entries() {
    check::<&[u8]>(&[], "");
    check(
        &[
            file("./a", "one"),
            block(b'5', "d/", 0).to_vec(),
            edited(b'2', "l", 0, |it| it[157..160].copy_from_slice(b"../")).to_vec(),
            edited(b'1', "h", 0, |it| it[157..160].copy_from_slice(b"./a")).to_vec(),
            block(b'6', "pipe", 0).to_vec(),
            file("/../../e", ""),
            END.to_vec(),
        ],
        "a (3 bytes) one\nd (directory) \nl (-> ../) \nh (== a) \npipe (other) \ne (0 bytes) \n",
    );
}

#[test]
fn prefixes_and_old_dialects() {
    let prefix = |it: &mut [u8]| it[345..348].copy_from_slice(b"a/b");
    check(&[edited(b'0', "c", 0, prefix)], "a/b/c (0 bytes) \n");
    // GNU keeps times there, but Go before 1.8 did not know.
    check(&[edited(b'0', "c", 0, |it| (gnu(it), prefix(it)).0)], "a/b/c (0 bytes) \n");
    let times = |it: &mut [u8]| it[345..356].copy_from_slice(b"12345671234");
    check(&[edited(b'0', "c", 0, |it| (gnu(it), times(it)).0)], "c (0 bytes) \n");
    let old = |it: &mut [u8]| it[257..265].fill(0);
    check(&[edited(0, "d/", 5, old), edited(0, "f", 0, old)], "d (directory) \nf (0 bytes) \n");
}

#[test]
fn the_end() {
    let rest = file("hidden", "x");
    check(&[file("a", ""), END.to_vec(), rest.clone()], "a (0 bytes) \n");
    check(&[file("a", ""), vec![0; BLOCK]], "a (0 bytes) \n");
    check(&[file("a", ""), vec![0; 100]], "a (0 bytes) \n");
    check(
        &[file("a", ""), vec![0; BLOCK], rest],
        "a (0 bytes) \nproblem: something follows the block of zeros that should end it\n",
    );
    check(&[file("a", "12")[..BLOCK + 2].to_vec()], "a (2 bytes) 12\n");
    check(
        &[file("a", "12")[..=BLOCK].to_vec()],
        "a (2 bytes) 1\nbody: it ends in the middle of a file\nproblem: it ends in the middle of a file\n",
    );
    check(&[file("a", "")[..300].to_vec()], "problem: it ends in the middle of a header\n");
}

#[test]
fn broken_headers() {
    let mut wrong = block(b'0', "a", 0);
    wrong[0] = b'b';
    let expect = "problem: it is no tar archive, or a broken one: a header's checksum is wrong\n";
    check(&[wrong], expect);
    let size = "problem: it is no tar archive, or a broken one: a header's size is no number\n";
    check(&[edited(b'0', "a", 0, |it| it[124..136].fill(0xff))], size);
    check(&[edited(b'0', "a", 0, |it| it[124..136].copy_from_slice(b"-00000000001"))], size);
    check(
        &[edited(b'0', "a", 0, |it| it[124..136].copy_from_slice(b"\x80\0\0\0\xff\0\0\0\0\0\0\0"))],
        size,
    );
    // Old writers summed signed bytes.
    let mut block = edited(b'0', "\u{e4}", 0, |_| {});
    block[148..156].fill(b' ');
    let sum: i32 = block.iter().map(|it| i32::from(it.cast_signed())).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    check(&[block], "\u{e4} (0 bytes) \n");
}

#[test]
fn long_names() {
    let long = "d/".repeat(100) + "f";
    let named = |kind, name: &str| {
        let body = format!("{name}\0");
        [block(kind, "././@LongLink", body.len() as u64).to_vec(), padded(body.as_bytes())].concat()
    };
    check(&[named(b'L', &long), file("d", "x")], &format!("{long} (1 bytes) x\n"));
    check(
        &[named(b'K', "target"), named(b'L', "name"), block(b'2', "x", 0).to_vec()],
        "name (-> target) \n",
    );
    let huge = [block(b'L', "x", (1 << 20) + 1).to_vec(), vec![0; (1 << 20) + 1]].concat();
    check(&[huge], "problem: an extended header in it is larger than 1048576 bytes\n");
    let path = "p".repeat(4097);
    check(
        &[pax(&[("path", &path)]), file("a", "")],
        "problem: a path in it is longer than 4096 bytes\n",
    );
    check(
        &[block(b'x', "x", 10).to_vec()],
        "problem: it ends in the middle of an extended header\n",
    );
}

#[test]
fn pax_headers_apply_to_the_next_file() {
    check(
        &[pax(&[("path", "long")]), file("a", "x"), file("b", "")],
        "long (1 bytes) x\nb (0 bytes) \n",
    );
    // The size of a PAX header is the size of the file, not of the long name between them:
    // other readers went out of step here and showed other files than were unpacked.
    let name = [block(b'L', "x", 5).to_vec(), padded(b"name\0")].concat();
    let hidden = file("hidden", "");
    check(
        &[
            pax(&[("size", "512")]),
            name.clone(),
            block(b'0', "a", 0).to_vec(),
            hidden[..BLOCK].to_vec(),
            file("b", ""),
        ],
        "name (512 bytes) hidden..............................................................................................\nb (0 bytes) \n",
    );
    check(
        &[pax(&[("size", "0")]), block(b'0', "a", 512).to_vec(), file("b", "")],
        "a (0 bytes) \nb (0 bytes) \n",
    );
    check(&[pax(&[("path", "pax")]), name, file("a", "")], "name (0 bytes) \n");
    check(&[pax(&[("linkpath", "to")]), block(b'2', "a", 0).to_vec()], "a (-> to) \n");
    check(&[pax(&[("size", "-1")]), file("a", "")], "problem: a PAX header in it is broken\n");
    check(&[pax(&[("path", "a\0b")]), file("a", "")], "problem: a PAX header in it is broken\n");
}

#[test]
fn global_pax_headers_change_nothing() {
    let mut global = pax(&[("path", "evil"), ("size", "99")]);
    global[156] = b'g';
    let header = summed(*global.first_chunk().unwrap());
    global[..BLOCK].copy_from_slice(&header);
    check(&[global, file("a", "x")], "a (1 bytes) x\n");
}

#[test]
fn entries_without_a_body_and_unknown_ones() {
    check(
        &[block(b'5', "d", 512), edited(b'1', "h", 9, |it| it[157] = b'd'), block(b'0', "a", 0)],
        "d (directory) \nh (== d) \na (0 bytes) \n",
    );
    check(
        &[block(b'D', "d/", 5).to_vec(), padded(b"Yf\0\0\0"), file("d/f", "")],
        "d (directory) \nd/f (0 bytes) \n",
    );
    check(
        &[block(b'Z', "z", 3).to_vec(), padded(b"abc"), file("a", "")],
        "z (other) \na (0 bytes) \n",
    );
}

#[test]
fn sparse_files() {
    let expect = "f (10 bytes) ..abc...de\nnext (0 bytes) \n";
    let data = padded(b"abcde");
    let next = file("next", "");
    let old = edited(b'S', "f", 5, |it| {
        gnu(it);
        for (number, text) in [2, 3, 8, 2].iter().enumerate() {
            it[386 + 12 * number..][..11].copy_from_slice(format!("{text:011o}").as_bytes());
        }
        it[483..494].copy_from_slice(format!("{:011o}", 10).as_bytes());
    });
    check(&[old.to_vec(), data.clone(), next.clone()], expect);

    let map = ("GNU.sparse.map", "2,3,8,2");
    let size = ("GNU.sparse.size", "10");
    check(
        &[
            pax(&[map, size, ("GNU.sparse.name", "f")]),
            block(b'0', "x", 5).to_vec(),
            data.clone(),
            next.clone(),
        ],
        expect,
    );
    let pairs = [
        ("GNU.sparse.offset", "2"),
        ("GNU.sparse.numbytes", "3"),
        ("GNU.sparse.offset", "8"),
        ("GNU.sparse.numbytes", "2"),
        size,
    ];
    check(&[pax(&pairs), block(b'0', "f", 5).to_vec(), data.clone(), next.clone()], expect);

    let one = [
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "f"),
        ("GNU.sparse.realsize", "10"),
    ];
    let body = [padded(b"2\n2\n3\n8\n2\n"), b"abcde".to_vec()].concat();
    check(
        &[pax(&one), block(b'0', "x", body.len() as u64).to_vec(), padded(&body), next.clone()],
        expect,
    );

    let broken = "problem: the map of a sparse file in it is broken\n";
    for map in ["5,9", "2,3,4,2", "9223372036854775807,9", "1", "0,6"] {
        check(
            &[pax(&[("GNU.sparse.map", map), size]), block(b'0', "f", 5).to_vec(), data.clone()],
            broken,
        );
    }
    for map in ["", "99999\n", "1\nx\n2\n", "9223372036854775807\n"] {
        check(
            &[pax(&one), block(b'0', "f", 512).to_vec(), padded(format!("{map:512}").as_bytes())],
            broken,
        );
    }
}

#[test]
fn a_sparse_file_of_twenty_gigabytes_costs_nothing() {
    let records = [("GNU.sparse.map", "0,5"), ("GNU.sparse.size", "20000000000")];
    let archive =
        [pax(&records), block(b'0', "f", 5).to_vec(), padded(b"abcde"), file("a", "")].concat();
    let mut reader = TarReader::new(&archive[..], &Limits::default());
    assert_eq!(reader.next().unwrap().unwrap().size, 20_000_000_000);
    assert_eq!(reader.next().unwrap().unwrap().path, "a");
    assert_eq!(reader.position(), archive.len() as u64);
}

#[test]
fn the_readers_own_error_comes_out_at_the_next_entry() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other(Problem::Limit("the digest is wrong".to_owned())))
        }
    }
    let archive = file("a", "abc");
    let mut reader = TarReader::new(archive[..=BLOCK].chain(Fails), &Limits::default());
    reader.next().unwrap();
    let body = io::read_to_string(reader.body());
    assert_eq!(body.unwrap_err().to_string(), "the digest is wrong");
    assert!(matches!(reader.next(), Err(Problem::Limit(_))));
    assert!(matches!(reader.next(), Err(Problem::Corrupt(_))));
}

#[test]
fn entries_are_counted() {
    let limits = Limits { entries: 2, ..Limits::default() };
    let archive = [file("a", ""), file("b", ""), file("c", "")].concat();
    let mut reader = TarReader::new(&archive[..], &limits);
    let problem = std::iter::from_fn(|| reader.next().transpose()).find_map(Result::err);
    assert_eq!(problem.unwrap().to_string(), "it has more than 2 entries");
}

/// An entry as the `tar` crate would be told to write it.
#[derive(Clone, Debug)]
enum Given {
    File(String, Vec<u8>),
    Directory(String),
    Symlink(String, String),
    Hardlink(String, String),
}

fn given() -> impl Strategy<Value = Given> {
    let path = || "[a-z\u{e4}]{1,9}(/[a-z]{1,60}){0,5}";
    prop_oneof![
        (path(), prop::collection::vec(any::<u8>(), 0..1500))
            .prop_map(|(it, b)| Given::File(it, b)),
        path().prop_map(Given::Directory),
        (path(), path()).prop_map(|(it, to)| Given::Symlink(it, to)),
        (path(), path()).prop_map(|(it, to)| Given::Hardlink(it, to)),
    ]
}

fn written(entries: &[Given], records: bool) -> Vec<u8> {
    let mut tar = ::tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header =
            if records { ::tar::Header::new_ustar() } else { ::tar::Header::new_gnu() };
        header.set_mode(0o755);
        if records {
            tar.append_pax_extensions([("mtime", &b"1.5"[..]), ("SCHILY.xattr.x", b"\n")]).unwrap();
        }
        // ustar cannot hold every name: then the writer falls back on GNU's way.
        match entry {
            Given::File(path, content) => {
                header.set_size(content.len() as u64);
                tar.append_data(&mut header, path, &content[..]).unwrap();
            }
            Given::Directory(path) => {
                header.set_entry_type(::tar::EntryType::Directory);
                header.set_size(0);
                tar.append_data(&mut header, path, io::empty()).unwrap();
            }
            Given::Symlink(path, target) | Given::Hardlink(path, target) => {
                let hard = matches!(entry, Given::Hardlink(..));
                header.set_entry_type(if hard {
                    ::tar::EntryType::Link
                } else {
                    ::tar::EntryType::Symlink
                });
                header.set_size(0);
                tar.append_link(&mut header, path, target).unwrap();
            }
        }
    }
    tar.into_inner().unwrap()
}

/// What the `tar` crate reads, in the words of [`listing`].
fn theirs(archive: &[u8]) -> String {
    let mut text = String::new();
    for entry in ::tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = clean_path(&String::from_utf8_lossy(&entry.path_bytes())).into_owned();
        let link = entry.link_name_bytes().map(|it| String::from_utf8_lossy(&it).into_owned());
        let kind = match entry.header().entry_type() {
            ::tar::EntryType::Directory => "directory".to_owned(),
            ::tar::EntryType::Symlink => format!("-> {}", link.unwrap()),
            ::tar::EntryType::Link => format!("== {}", clean_path(&link.unwrap())),
            _ => format!("{} bytes", entry.size()),
        };
        let mut body = Vec::new();
        entry.by_ref().take(100).read_to_end(&mut body).unwrap();
        let body = String::from_utf8_lossy(&body).replace('\0', ".");
        writeln!(text, "{path} ({kind}) {body}").unwrap();
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reads_what_others_read(entries in prop::collection::vec(given(), 0..12), records: bool) {
        let archive = written(&entries, records);
        prop_assert_eq!(listing(&archive), theirs(&archive));
    }

    #[test]
    fn survives_damage(
        entries in prop::collection::vec(given(), 0..5),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        cut: prop::sample::Index,
    ) {
        let mut archive = written(&entries, true);
        for (at, byte) in damage {
            let at = at.index(archive.len());
            archive[at] = byte;
            // With a sum that holds, the damage gets further.
            let start = at / BLOCK * BLOCK;
            if let Some(block) = archive[start..].first_chunk_mut::<BLOCK>() {
                *block = summed(*block);
            }
        }
        archive.truncate(cut.index(archive.len()) + 1);
        let _ = listing(&archive);
    }
}
