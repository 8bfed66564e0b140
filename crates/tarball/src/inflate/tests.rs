//! Tests of compressed streams.

use std::io::Write as _;

use proptest::prelude::*;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::GzBuilder::new()
        .filename("name")
        .comment("comment")
        .extra("extra")
        .write(Vec::new(), flate2::Compression::new(6));
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// A frame to be skipped, as zstd:chunked and eStargz-like writers put in front and behind.
fn skippable(bytes: &[u8]) -> Vec<u8> {
    [&[0x53, 0x2a, 0x4d, 0x18], &(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
}

fn inflated(bytes: &[u8], limits: &Limits) -> String {
    let mut rest = bytes;
    let mut out = Vec::new();
    let outcome = decompress(&mut rest, limits)
        .and_then(|mut stream| stream.read_to_end(&mut out).map_err(Problem::from));
    let text = String::from_utf8_lossy(&out).into_owned();
    match outcome {
        Ok(_) => {
            assert!(rest.is_empty(), "the reader must be read to its end");
            text
        }
        Err(problem) => format!("{text}[{problem}]"),
    }
}

fn check<B: AsRef<[u8]>>(parts: &[B], expect: &str) {
    let bytes: Vec<u8> = parts.iter().flat_map(|it| it.as_ref().to_vec()).collect();
    assert_eq!(inflated(&bytes, &Limits::default()), expect);
}

#[test]
fn plain() {
    check::<&[u8]>(&[], "");
    check(&["a"], "a");
    check(&["<html>"], "<html>");
    check(&["\x1f\u{0}"], "\x1f\u{0}");
}

#[test]
fn gzip_members() {
    check(&[gzip(b"")], "");
    check(&[gzip(b"one")], "one");
    check(&[gzip(b"one"), gzip(b""), gzip(b" two")], "one two");
    check(&[gzip(b"one"), vec![0; 1000]], "one");
    check(&[gzip(b"one"), b"\x1f\x8bgarbage".to_vec()], "one");
    check(&[gzip(b"one"), vec![b'x'; 200_000]], "one");
}

#[test]
fn broken_gzip() {
    let whole = gzip(b"some content");
    for cut in 3..whole.len() {
        let text = inflated(&whole[..cut], &Limits::default());
        assert!(text.ends_with("[it ends in the middle of a gzip stream]"), "{cut}: {text}");
    }
    let mut wrong = whole.clone();
    let end = wrong.len();
    wrong[end - 8] ^= 1;
    check(&[wrong], "[a gzip stream cannot be read: its checksum is wrong]");
    let mut wrong = whole.clone();
    wrong[end - 1] ^= 1;
    check(&[wrong], "[a gzip stream cannot be read: its length is wrong]");
    let mut wrong = whole;
    wrong[3] |= 0x80;
    check(&[wrong], "[a gzip stream cannot be read: its header asks for what gzip does not have]");
}

#[test]
fn zstandard_frames() {
    check(&[zstandard(b"")], "");
    check(&[zstandard(b"one"), zstandard(b" two")], "one two");
    check(&[skippable(b"toc"), zstandard(b"one"), skippable(b""), zstandard(b" two")], "one two");
    check(&[zstandard(b"one"), skippable(&vec![7; 100_000])], "one");
    check(&[zstandard(b"one"), vec![0; 512]], "one");
    check(&[zstandard(b"one"), b"trailing".to_vec()], "one");
    let whole = zstandard(b"some content");
    for cut in 4..whole.len() {
        let text = inflated(&whole[..cut], &Limits::default());
        assert!(text.ends_with("[it ends in the middle of a zstd stream]"), "{cut}: {text}");
    }
}

#[test]
fn what_we_cannot_inflate() {
    let why = |name| {
        format!("[it is compressed with {name}, which is not supported (gzip, zstd and plain are)]")
    };
    check(&[&b"\xfd7zXZ\0...."[..]], &why("xz"));
    check(&[&b"BZh91AY&SY"[..]], &why("bzip2"));
    check(&[&b"BZh9/a/file/name"[..]], "BZh9/a/file/name");
}

#[test]
fn bombs() {
    let zeros = vec![0; 1 << 20];
    let limits = Limits { total: 1 << 19, ..Limits::default() };
    let told = |bytes: &[u8], limits: &Limits| inflated(bytes, limits).replace('\0', "");
    assert_eq!(told(&gzip(&zeros), &limits), "[it is larger than 524288 bytes once inflated]");
    assert_eq!(told(&zstandard(&zeros), &limits), "[it is larger than 524288 bytes once inflated]");
    assert_eq!(told(&zeros, &limits), "[it is larger than 524288 bytes once inflated]");
    let limits = Limits { ratio: 20, ratio_floor: 1000, ..Limits::default() };
    assert_eq!(
        told(&gzip(&zeros), &limits),
        "[it inflates to more than 20 times its size, as bombs do]"
    );
    assert_eq!(told(&zeros, &limits), "");
    let small = [gzip(b"x"), zeros].concat();
    let limits = Limits { total: 1 << 19, ..Limits::default() };
    assert_eq!(told(&small, &limits), "x[more than 524288 bytes follow it]");
}

#[test]
fn errors_of_the_reader_come_out_as_they_are() {
    struct Wrong;
    impl Read for Wrong {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::InvalidData, "the digest is wrong"))
        }
    }
    for bytes in [gzip(b"one"), zstandard(b"one"), b"one".to_vec(), gzip(&vec![7; 300_000])] {
        let error = decompress(bytes.chain(Wrong), &Limits::default())
            .map_err(io::Error::from)
            .and_then(|mut stream| stream.read_to_end(&mut Vec::new()))
            .unwrap_err();
        assert_eq!(error.to_string(), "the digest is wrong");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn survives_damage(
        content in prop::collection::vec(any::<u8>(), 0..3000),
        compressed in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut bytes = if compressed { zstandard(&content) } else { gzip(&content) };
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = inflated(&bytes, &Limits { total: 1 << 22, ..Limits::default() });
    }
}
