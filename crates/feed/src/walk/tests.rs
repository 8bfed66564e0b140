//! Walks over folders and containers, hostile ones among them.

use std::io::{Cursor, Write as _};

use super::*;

const SMALL: Limits = Limits {
    total: 1 << 20,
    document: 64 << 10,
    depth: 3,
    entries: 100,
    ratio: 50,
    ratio_floor: 4_096,
};

fn check_with(limits: &Limits, files: &[(&str, Vec<u8>)], expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let place = folder.path().join(path);
        fs_err::create_dir_all(place.parent().unwrap()).unwrap();
        fs_err::write(place, bytes).unwrap();
    }
    let mut shown = Vec::new();
    let gaps = walk(folder.path(), limits, &mut |path, bytes| {
        let text = String::from_utf8_lossy(bytes);
        let text =
            if text.len() > 40 { format!("{} bytes", text.len()) } else { text.into_owned() };
        shown.push(format!("{path}: {text}"));
    });
    shown.extend(gaps.iter().map(|gap| format!("! {gap}")));
    let expect: Vec<&str> = expect.lines().map(str::trim_start).collect();
    assert_eq!(shown, expect);
}

fn check(files: &[(&str, Vec<u8>)], expect: &str) {
    check_with(&SMALL, files, expect);
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    zip_by(zip::CompressionMethod::Deflated, entries)
}

fn zip_by(method: zip::CompressionMethod, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in entries {
        writer.start_file(*path, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = tar::Builder::new(Vec::new());
    for (path, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        writer.append_data(&mut header, path, *bytes).unwrap();
    }
    writer.into_inner().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    liblzma::encode_all(bytes, 1).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

#[test]
fn files_are_handed_out_in_order() {
    check(
        &[("b.json", b"two".to_vec()), ("a/x.json", b"one".to_vec()), ("c", Vec::new())],
        "a/x.json: one
         b.json: two
         c: ",
    );
}

#[test]
fn containers_are_directories() {
    let entries: &[(&str, &[u8])] = &[("main.json", b"one"), ("./sub/b.json", b"two")];
    check(&[("a.zip", zip(entries))], "a.zip/main.json: one\na.zip/sub/b.json: two");
    for (name, bytes) in [
        ("a.tar", tar(entries)),
        ("a.tar.gz", gzip(&tar(entries))),
        ("a.tgz", gzip(&tar(entries))),
        ("a.tar.xz", xz(&tar(entries))),
        ("a.tar.bz2", bzip2(&tar(entries))),
        ("a.tar.zst", zstd(&tar(entries))),
        ("named-otherwise.json", xz(&tar(entries))),
    ] {
        check(&[(name, bytes)], &format!("{name}/main.json: one\n{name}/sub/b.json: two"));
    }
}

#[test]
fn a_compressed_document_keeps_its_name() {
    for (name, bytes) in [
        ("a.json.gz", gzip(b"one")),
        ("a.json.xz", xz(b"one")),
        ("a.json.bz2", bzip2(b"one")),
        ("a.json.zst", zstd(b"one")),
        ("a.json", gzip(b"one")),
    ] {
        check(&[(name, bytes)], "a.json: one");
    }
}

#[test]
fn containers_are_opened_inside_containers() {
    check(&[("a.zip", zip(&[("b.json.gz", &gzip(b"one"))]))], "a.zip/b.json: one");
    check(&[("a.zip", zip(&[("b.tar.xz", &xz(&tar(&[("c", b"one")])))]))], "a.zip/b.tar.xz/c: one");
    check(
        &[("a.tar.xz", xz(&tar(&[("all.zip", &zip(&[("c", b"one"), ("d", b"two")]))])))],
        "a.tar.xz/all.zip/c: one
         a.tar.xz/all.zip/d: two",
    );
    let deep = xz(&xz(&xz(&xz(b"one"))));
    check(&[("a", deep), ("b", b"two".to_vec())], "b: two\n! a: more than 3 containers are nested");
}

#[test]
fn a_document_past_its_limit_is_a_gap_and_the_rest_goes_on() {
    let noise: Vec<u8> =
        (0..70_000_u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    check(
        &[("a.zip", zip(&[("big", &noise), ("small", b"one")])), ("b", noise.clone())],
        "a.zip/small: one
         ! a.zip/big: it is larger than 65536 bytes
         ! b: it is larger than 65536 bytes",
    );
}

#[test]
fn bombs_are_gaps() {
    let zeros = vec![0; 60_000];
    let why = "it inflates to more than 50 times its size, as bombs do";
    check(
        &[("a.zip", zip(&[("bomb", &zeros), ("c", b"one")])), ("b", b"two".to_vec())],
        &format!("a.zip/c: one\nb: two\n! a.zip/bomb: {why}"),
    );
    check(&[("a.xz", xz(&zeros))], &format!("! a.xz: {why}"));
    check(&[("a.bz2", bzip2(&zeros))], &format!("! a.bz2: {why}"));
    check(&[("a.gz", gzip(&zeros))], &format!("! a.gz: {why}"));
}

#[test]
fn the_whole_walk_has_a_limit() {
    let limits = Limits { total: 10, ..SMALL };
    check_with(
        &limits,
        &[("a", b"12345678".to_vec()), ("b", b"12345678".to_vec()), ("c", b"1".to_vec())],
        "a: 12345678
         ! b: it is larger than 2 bytes
         ! c: more than 10 bytes came out: nothing from here on is read",
    );
    let limits = Limits { entries: 2, ..SMALL };
    check_with(
        &limits,
        &[("a.zip", zip(&[("1", b"one"), ("2", b"two"), ("3", b"three")]))],
        "a.zip/1: one
         a.zip/2: two
         ! a.zip: there are more than 2 entries: the rest is not read",
    );
}

#[test]
fn what_is_broken_is_a_gap() {
    let whole = xz(&tar(&[("a", b"one"), ("b", &[7; 3_000])]));
    check(
        &[("x.tar.xz", whole[..whole.len() / 2].to_vec()), ("y", b"two".to_vec())],
        "x.tar.xz/a: one
         y: two
         ! x.tar.xz: premature eof",
    );
    let mut sick = zip_by(zip::CompressionMethod::Stored, &[("a", b"one"), ("b", b"two")]);
    let at = sick.windows(3).position(|it| it == b"one").unwrap();
    sick[at] = b'x';
    check(&[("x.zip", sick)], "x.zip/b: two\n! x.zip/a: Invalid checksum");
    check(
        &[("x.zip", b"PK\x03\x04 and nothing".to_vec())],
        "! x.zip: invalid Zip archive: Could not find EOCD",
    );
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere_outside() {
    let outside = tempfile::NamedTempFile::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("a"), b"one").unwrap();
    let link = |target: &Path, name: &str| {
        fs_err::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
    };
    link(outside.path(), "b");
    link(&folder.path().join("a"), "c");
    link(folder.path(), "d");
    let (files, gaps) = files(folder.path(), &SMALL);
    let files: Vec<&str> = files.iter().map(|it| &*it.path).collect();
    assert_eq!(files, ["a", "c"]);
    let mut gaps: Vec<String> = gaps.iter().map(Gap::to_string).collect();
    gaps.sort();
    assert_eq!(
        gaps,
        ["b: it is a link out of the folder", "d: it is a link to a folder, which is not followed"]
    );
}

#[test]
fn a_file_is_known_by_its_content() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("a"), b"abc").unwrap();
    let (files, _) = files(folder.path(), &SMALL);
    assert_eq!((&*files[0].path, files[0].size), ("a", 3));
    assert_eq!(
        files[0].digest().unwrap().hex(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

proptest::proptest! {
    #[test]
    fn junk_never_panics(
        which in 0_usize..6,
        at in 0_usize..600,
        byte in 0_u8..=255,
        cut in 0_usize..900,
    ) {
        let entries: &[(&str, &[u8])] = &[("main.json", b"one"), ("sub/b.json", b"two")];
        let mut bytes = match which {
            0 => zip(entries),
            1 => tar(entries),
            2 => gzip(&tar(entries)),
            3 => xz(&tar(entries)),
            4 => bzip2(&tar(entries)),
            _ => zstd(&zip(entries)),
        };
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % length);
                let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), &bytes).unwrap();
        walk(file.path(), &SMALL, &mut |_, _| {});
    }
}
