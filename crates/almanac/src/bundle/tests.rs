//! Bundles: what goes out comes in, and a damaged one changes nothing.

use proptest::prelude::*;

use super::*;
use crate::compile::Builder;
use crate::manifest::PartState;
use crate::sheet::tests::short;
use crate::sign::SecretKey;

/// A directory with a signed almanac.
fn signed(dir: &Path, key: &SecretKey) {
    let writer = Writer::lock(dir).unwrap();
    let mut builder = Builder::with_orders("test", "all", |_| None);
    builder.add(short("CVE-1", "npm", "a", "1"));
    builder.add(short("CVE-2", "debian:12", "zlib", "1"));
    let compiled = builder.finish().unwrap();
    for it in &compiled.sheets {
        writer.put(it).unwrap();
    }
    let mut manifest = Manifest::new("2026-01-01T00:00:00Z");
    manifest.replace(PartState::default(), &compiled);
    manifest.parts[0].feed = "test".into();
    let manifest = manifest.to_bytes();
    writer.install(&manifest, Some(&key.sign(&manifest, "")), Trust::Local).unwrap();
}

fn bundle() -> (Vec<u8>, SecretKey) {
    let key = SecretKey::generate().unwrap();
    let dir = tempfile::tempdir().unwrap();
    signed(&dir.path().join("almanac"), &key);
    let file = dir.path().join("bundle.tar.zst");
    export(&dir.path().join("almanac"), &file).unwrap();
    let tar = zstd::decode_all(&*fs_err::read(&file).unwrap()).unwrap();
    (tar, key)
}

#[test]
fn what_goes_out_comes_in() {
    let key = SecretKey::generate().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    let file = dir.path().join("bundle.tar.zst");
    signed(&from, &key);
    export(&from, &file).unwrap();
    let installed = import(&file, &to, Trust::Signed(&[key.public()])).unwrap();
    let (from, to) = (Almanac::open(&from).unwrap(), Almanac::open(&to).unwrap());
    assert_eq!(from.written(), to.written());
    assert_eq!(*to.digest(), installed.digest);
    assert_eq!(to.verify(&[key.public()]).len(), 0);
    assert_eq!(to.manifest().sheets.len(), 3);
}

#[test]
fn a_sheet_comes_once() {
    let (tar, _) = bundle();
    let mut parts = ustar::Reader::new(&*tar);
    let mut twice = Vec::new();
    while let Some((name, size)) = parts.next().unwrap() {
        let mut bytes = Vec::new();
        parts.read_to_end(&mut bytes).unwrap();
        let times = if name.starts_with("sheets/") { 2 } else { 1 };
        for _ in 0..times {
            ustar::write(&mut twice, &name, size, &mut &*bytes).unwrap();
        }
    }
    ustar::end(&mut twice).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let why = import_from(&*twice, "x", dir.path(), Trust::Anyone).unwrap_err().to_string();
    assert!(why.ends_with("or twice"), "{why}");
}

#[test]
fn sheets_that_would_fill_the_disk_are_refused() {
    let sheet = |it| {
        let digest = crate::compile::digest_of(&[it]);
        format!(
            r#"{{"feed":"a","part":"{it}","space":"npm","digest":"{digest}","size":{},"advisories":1,"rows":1,"gaps":0}}"#,
            u64::MAX
        )
    };
    let manifest =
        format!(r#"{{"format":1,"created":"","sheets":[{},{}],"parts":[]}}"#, sheet(1), sheet(2));
    let why = Manifest::parse(manifest.as_bytes()).unwrap_err().to_string();
    assert!(why.ends_with("its sheets together would have more than 64 GiB"), "{why}");
}

#[test]
fn a_stranger_is_not_believed() {
    let (tar, key) = bundle();
    let stranger = SecretKey::generate().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("to");
    let take = |tar: &[u8], keys: &[_]| import_from(tar, "it", &to, Trust::Signed(keys));
    let why = take(&tar, &[stranger.public()]).unwrap_err();
    assert!(matches!(why, Error::Untrusted(_)), "{why}");
    assert!(!to.exists(), "nothing is written before it is trusted");
    take(&tar, &[key.public()]).unwrap();
}

#[test]
fn tar_reads_what_we_write() {
    let (tar, _) = bundle();
    let mut reader = ustar::Reader::new(&*tar);
    let mut names = Vec::new();
    while let Some((name, size)) = reader.next().unwrap() {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, size);
        names.push(name.chars().take(21).collect::<String>());
    }
    assert_eq!(names[..2], ["almanac.json", "almanac.json.minisig"]);
    assert_eq!(names.len(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_damaged_bundle_changes_nothing(at: prop::sample::Index, cut: bool) {
        let (mut tar, key) = bundle();
        let at = at.index(tar.len() - 1024);
        if cut {
            tar.truncate(at);
        } else {
            tar[at] ^= 0x21;
        }
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("to");
        if import_from(&*tar, "it", &to, Trust::Signed(&[key.public()])).is_ok() {
            // What was hit says nothing: a byte between two files.
            prop_assert_eq!(Almanac::open(&to).unwrap().verify(&[key.public()]).len(), 0);
        } else {
            prop_assert!(Almanac::open(&to).is_err());
        }
    }
}
