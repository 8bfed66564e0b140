//! Almanacs in memory and on disk: looked up, replaced, damaged, compared.

use std::path::Path;

use model::{Advisory, Exploited};

use super::*;
use crate::compile::Builder;
use crate::diff::{ChangeKind, ChangedThing, diff};
use crate::manifest::PartState;
use crate::sheet::tests::{compile, short, whole};
use crate::sign::SecretKey;
use crate::store::{Trust, Writer, missing};

/// An almanac of one part, installed.
fn install(dir: &Path, advisories: Vec<Advisory>, trust: Trust<'_>) -> Result<usize, Error> {
    let writer = Writer::lock(dir)?;
    // Without orders, so that it is the same whichever ones this program knows.
    let mut builder = Builder::with_orders("test", "all", |_| None);
    for it in advisories {
        builder.add(it);
    }
    let compiled = builder.finish()?;
    for it in &compiled.sheets {
        writer.put(it)?;
    }
    let mut manifest = Manifest::new("2026-01-01T00:00:00Z");
    let state = PartState { feed: "test".into(), part: "all".into(), ..PartState::default() };
    manifest.replace(state, &compiled);
    Ok(writer.install(&manifest.to_bytes(), None, trust)?.removed)
}

fn ids(almanac: &Almanac, space: &str, name: &str) -> Vec<String> {
    let mut rows = Vec::new();
    almanac.look_up(&Space::from(space), name, &mut rows);
    rows.iter().map(|it| format!("{}{}", it.id, it.torn.unwrap_or_default())).collect()
}

#[test]
fn sheets_of_all_feeds_answer() {
    let mut sheets = compile([short("CVE-1", "npm", "a", "1")]).sheets;
    let mut builder = Builder::with_orders("other", "all", whole);
    builder.add(short("GHSA-1", "npm", "a", "2"));
    builder.add(Advisory { aliases: vec!["CVE-1".into()], ..short("GHSA-2", "pypi", "a", "2") });
    builder.add_exploited(Exploited {
        id: "CVE-1".into(),
        added: "2024-01-01".into(),
        due: None,
        ransomware: false,
        title: String::new(),
        action: String::new(),
    });
    sheets.extend(builder.finish().unwrap().sheets);
    let almanac = Almanac::in_memory_with(sheets, whole);
    assert_eq!(ids(&almanac, "npm", "a"), ["CVE-1", "GHSA-1"]);
    assert_eq!(ids(&almanac, "npm", "b"), [""; 0]);
    assert_eq!(ids(&almanac, "cargo", "a"), [""; 0]);
    assert_eq!(almanac.feeds(&Space::of("npm")), ["other", "test"]);
    assert_eq!(almanac.feeds(&Space::of("cargo")), [""; 0]);
    assert_eq!(almanac.names(&Space::of("npm"), "", 9), ["a"]);

    let about = almanac.about("CVE-1");
    assert!(about.exploited.is_some());
    let found: Vec<String> =
        about.advisories.iter().map(|it| almanac.known(*it).unwrap().id).collect();
    assert_eq!(found, ["CVE-1", "GHSA-2"]);
    let shown = almanac.show("GHSA-2");
    assert_eq!(shown[0].text.title, "about GHSA-2", "its texts are in another sheet");
    assert_eq!(shown[0].rows[0].0, "a");
    assert_eq!(almanac.verify(&[]).len(), 0);
}

#[test]
fn an_update_replaces_the_former_one_and_clears_up() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let absent = Almanac::open(dir).unwrap_err();
    assert!(matches!(absent, Error::Absent(_)), "{absent}");
    install(dir, vec![short("CVE-1", "npm", "a", "1")], Trust::Local).unwrap();
    let reader = Almanac::open(dir).unwrap();
    assert_eq!(*reader.standing(), Standing::Local);

    // Somebody still reads the first one: its sheet stays, though it was not even opened yet.
    let removed = install(dir, vec![short("CVE-2", "npm", "a", "1")], Trust::Local).unwrap();
    assert_eq!(removed, 0);
    assert_eq!(ids(&reader, "npm", "a"), ["CVE-1"]);
    assert_eq!(ids(&Almanac::open(dir).unwrap(), "npm", "a"), ["CVE-2"]);
    drop(reader);
    let removed = install(dir, vec![short("CVE-2", "npm", "a", "1")], Trust::Local).unwrap();
    assert_eq!(removed, 1);
    assert_eq!(fs_err::read_dir(dir.join("sheets")).unwrap().count(), 1);
    assert_eq!(fs_err::read_dir(dir.join("seals")).unwrap().count(), 1);
}

#[test]
fn what_is_made_again_and_is_the_same_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let made = |created: &str, fetched: Option<&str>, id: &str| {
        let writer = Writer::lock(dir).unwrap();
        let compiled = compile(vec![short(id, "npm", "a", "1")]);
        compiled.sheets.iter().for_each(|it| writer.put(it).unwrap());
        let mut manifest = Manifest::new(created);
        let fetched = fetched.map(str::to_owned);
        manifest.replace(PartState { fetched, ..PartState::default() }, &compiled);
        let installed = writer.install_made(&manifest).unwrap();
        let created = Almanac::open(dir).unwrap().manifest().created.clone();
        format!("{created} {:?} {}", installed.standing, installed.unchanged)
    };
    assert_eq!(made("day 1", None, "CVE-1"), "day 1 Local false");
    assert_eq!(made("day 2", None, "CVE-1"), "day 1 Local true");
    assert_eq!(made("day 3", None, "CVE-2"), "day 3 Local false");
    // That somebody asked and nothing was new is news.
    assert_eq!(made("day 4", Some("day 4"), "CVE-2"), "day 4 Local false");

    let key = SecretKey::generate().unwrap();
    let written = Almanac::open(dir).unwrap().written().to_vec();
    let signature = key.sign(&written, "");
    let trust = [key.public()];
    let writer = Writer::lock(dir).unwrap();
    writer.install(&written, Some(&signature), Trust::Signed(&trust)).unwrap();
    drop(writer);
    let signed = made("day 5", Some("day 4"), "CVE-2");
    assert!(signed.starts_with("day 4 Signed") && signed.ends_with("true"), "{signed}");
    assert!(Almanac::open(dir).unwrap().signature().is_some());

    // For what was made here just now we answer, whoever did not answer for the same before.
    Writer::lock(dir).unwrap().install(&written, None, Trust::Anyone).unwrap();
    assert_eq!(made("day 6", Some("day 4"), "CVE-2"), "day 6 Local false");
}

#[test]
fn whatever_fails_leaves_the_former_one_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    install(dir, vec![short("CVE-1", "npm", "a", "1")], Trust::Local).unwrap();
    let check = |result: Result<usize, Error>, expect: &str| {
        let why = result.unwrap_err().to_string();
        assert!(why.contains(expect), "{why}");
        assert_eq!(ids(&Almanac::open(dir).unwrap(), "npm", "a"), ["CVE-1"]);
    };
    let other = || vec![short("CVE-2", "npm", "a", "1")];
    check(install(dir, other(), Trust::Signed(&[])), "it is not signed");
    {
        let writer = Writer::lock(dir).unwrap();
        check(install(dir, other(), Trust::Local), "another process is changing it");
        let compiled = compile(other());
        let mut manifest = Manifest::new("");
        manifest.replace(PartState::default(), &compiled);
        assert_eq!(missing(dir, &manifest).len(), 1);
        let install = writer.install(&manifest.to_bytes(), None, Trust::Anyone);
        check(install.map(|it| it.removed), "1 of its sheets are not there");
        check(writer.install(b"{}", None, Trust::Anyone).map(|it| it.removed), "missing field");

        let mut torn = compiled.sheets[0].clone();
        let last = torn.bytes.len() - 1;
        torn.bytes[last] ^= 1;
        check(writer.put(&torn).map(|()| 0), "it is not what its digest says");
        torn.bytes.push(0);
        check(writer.put(&torn).map(|()| 0), "longer than the manifest says");
        // This one dies in the middle: nothing was installed, and the next one clears it away.
        let incoming = writer.receive(&compiled.sheets[0].entry).unwrap();
        std::mem::forget(incoming);
        assert_eq!(fs_err::read_dir(dir.join("staging")).unwrap().count(), 1);
    }
    Writer::lock(dir).unwrap();
    assert_eq!(fs_err::read_dir(dir.join("staging")).unwrap().count(), 0);
}

#[test]
fn a_damaged_sheet_is_told_and_never_silent() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    install(dir, vec![short("CVE-1", "npm", "a", "1")], Trust::Local).unwrap();
    let entry = Almanac::open(dir).unwrap().manifest().sheets[0].clone();
    let path = store::sheet_path(dir, &entry.digest);
    let good = fs_err::read(&path).unwrap();
    let with = |bytes: Option<&[u8]>| {
        fs_err::remove_file(&path).unwrap();
        if let Some(bytes) = bytes {
            fs_err::write(&path, bytes).unwrap();
        }
        let almanac = Almanac::open(dir).unwrap();
        (ids(&almanac, "npm", "a"), almanac.verify(&[]).len())
    };
    assert_eq!(with(Some(&good)), (vec!["CVE-1".to_owned()], 0));
    assert_eq!(with(Some(&good[..good.len() - 1])), (vec![SHEET_TORN.to_owned()], 1));
    assert_eq!(with(Some(&[])), (vec![SHEET_TORN.to_owned()], 1));
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(with(Some(&flipped)).1, 1);
    fs_err::write(&path, &good).unwrap();
    assert_eq!(with(None), (vec![SHEET_TORN.to_owned()], 1));
}

#[test]
fn a_manifest_that_nobody_installed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    install(dir, Vec::new(), Trust::Local).unwrap();
    fs_err::write(dir.join("almanac.json"), Manifest::new("").to_bytes()).unwrap();
    let why = Almanac::open(dir).unwrap_err().to_string();
    assert!(why.contains("no seal"), "{why}");
}

#[test]
fn a_signed_one_says_by_whom() {
    let dir = tempfile::tempdir().unwrap();
    let key = SecretKey::generate().unwrap();
    let keys = [key.public()];
    let manifest = Manifest::new("2026-01-01T00:00:00Z").to_bytes();
    let signature = key.sign(&manifest, "");
    let writer = Writer::lock(dir.path()).unwrap();
    writer.install(&manifest, Some(&signature), Trust::Signed(&keys)).unwrap();
    let almanac = Almanac::open(dir.path()).unwrap();
    assert_eq!(*almanac.standing(), Standing::Signed { key: key.public().id() });
    assert_eq!(almanac.verify(&keys).len(), 0);
    assert_eq!(almanac.verify(&[]).len(), 1);
}

#[test]
fn differences_are_told_by_name_and_by_advisory() {
    let almanac =
        |advisories: Vec<Advisory>| Almanac::in_memory_with(compile(advisories).sheets, whole);
    let check = |old: Vec<Advisory>, new: Vec<Advisory>, expect: &[&str]| {
        let told: Vec<String> = diff(&almanac(old), &almanac(new))
            .into_iter()
            .map(|it| {
                let sign = match it.kind {
                    ChangeKind::Added => '+',
                    ChangeKind::Removed => '-',
                    ChangeKind::Changed => '~',
                };
                let (ChangedThing::Name(about) | ChangedThing::Advisory(about)) = it.about;
                format!("{sign} {} {about}", it.space)
            })
            .collect();
        assert_eq!(told, expect);
    };
    let one = || short("CVE-1", "npm", "a", "1");
    let two = || short("CVE-2", "npm", "b", "1");
    check(vec![one()], vec![one()], &[]);
    check(vec![one()], vec![one(), two()], &["+ npm b", "+ npm CVE-2"]);
    check(vec![one(), two()], vec![two()], &["- npm a", "- npm CVE-1"]);
    check(vec![one(), two()], vec![short("CVE-1", "npm", "a", "2"), two()], &["~ npm a"]);
    let retold = Advisory { title: "retold".into(), ..one() };
    check(vec![one()], vec![retold], &["~ npm CVE-1"]);
    let elsewhere = short("CVE-1", "pypi", "a", "1");
    check(vec![one()], vec![elsewhere], &["- npm a", "- npm CVE-1", "+ pypi a", "+ pypi CVE-1"]);
}

#[test]
fn many_words_at_once_are_those_of_each() {
    // Each is longer than half a block, so that there are as many blocks, and in two spaces, so that
    // the words lie in a third sheet.
    let long = |number: usize| {
        let space = if number.is_multiple_of(2) { "npm" } else { "pypi" };
        let details = format!("{number} ").repeat(40_000);
        Advisory { details, ..short(&format!("CVE-{number:02}"), space, "a", "1") }
    };
    let almanac = Almanac::in_memory_with(compile((0..24).map(long)).sheets, whole);
    let mut handles = Vec::new();
    for (sheet, entry) in (0..).zip(&almanac.manifest().sheets) {
        if entry.space.as_str() != TEXTS {
            handles.extend((0..13).rev().map(|advisory| Handle { sheet, advisory }));
        }
    }
    // Some twice, and some that are not there.
    handles.extend_from_within(3..7);
    handles.push(Handle { sheet: 99, advisory: 0 });
    let at_once = almanac.texts(&handles);
    let each: Vec<Option<Text>> = handles.iter().map(|it| almanac.text(*it)).collect();
    assert_eq!(at_once, each);
    let told: Vec<bool> = at_once.iter().map(Option::is_some).collect();
    assert_eq!(told.iter().filter(|it| **it).count(), 24 + 4, "{told:?}");
}
