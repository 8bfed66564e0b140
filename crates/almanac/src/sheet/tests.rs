//! What goes into a sheet comes out of it, and whatever is done to its bytes, reading it ends well.

use std::cmp::Ordering;

use ecosystem::order::{BadVersion, Order};
use model::{
    Advisory, Affected, Bound, Exploited, Forecast, Level, Names, Outlook, Rating, Space, Span,
    Status,
};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::compile::{Builder, Compiled, FLAWS, TEXTS};
use crate::contract::Row;

mod shared;

/// Orders whole numbers, and knows nothing else.
struct Whole;

impl Order for Whole {
    fn id(&self) -> &'static str {
        "whole"
    }

    fn title(&self) -> &'static str {
        "as children count"
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        Ok(number(left)?.cmp(&number(right)?))
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        key.extend_from_slice(&number(version)?.to_be_bytes());
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        &["1", "2", "30"]
    }
}

fn number(version: &str) -> Result<u32, BadVersion> {
    version.parse().map_err(|_| BadVersion::new("whole", version, "it is no number"))
}

/// Makes other keys.
struct Longer;

impl Order for Longer {
    fn id(&self) -> &'static str {
        "whole"
    }

    fn title(&self) -> &'static str {
        Whole.title()
    }

    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
        Whole.compare(left, right)
    }

    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
        key.extend_from_slice(&u64::from(number(version)?).to_be_bytes());
        Ok(())
    }

    fn examples(&self) -> &'static [&'static str] {
        Whole.examples()
    }
}

pub(crate) fn whole(space: &Space) -> Option<&'static dyn Order> {
    (space.family() != "nowhere").then_some(&Whole)
}

fn longer(space: &Space) -> Option<&'static dyn Order> {
    (space.family() != "nowhere").then_some(&Longer)
}

fn full_row() -> Affected {
    Affected {
        names: Names::Source,
        status: Status::UnderInvestigation,
        spans: vec![
            Span::before("5"),
            Span {
                from: Some(Bound { version: "7".into(), included: false }),
                to: Some(Bound { version: "9".into(), included: true }),
            },
            Span::all(),
        ],
        versions: ["11", "12", "13", "20", "odd"].map(String::from).to_vec(),
        outlook: Some(Outlook::EndOfLife),
        reason: Some("minor issue".into()),
        rating: Some(Rating::word("debian", "unimportant")),
        bulletins: vec!["DSA-1-1".into(), "DSA-2-1".into()],
        arch: vec!["amd64".into()],
        module: Some("nodejs:18".into()),
        channel: Some("esm-infra".into()),
        products: vec!["cpe:/o:redhat:enterprise_linux:9".into()],
        ..Affected::new(Space::release("debian", "12"), "zlib")
    }
}

fn full() -> Advisory {
    Advisory {
        id: "CVE-2022-37434".into(),
        aliases: vec!["GHSA-cfmr-vrgj-vqwv".into()],
        related: vec!["CVE-2018-25032".into()],
        published: Some("2022-08-05T07:15:00Z".into()),
        modified: Some("2024-11-21T07:15:00.120Z".into()),
        withdrawn: Some("yesterday".into()),
        title: "zlib: heap buffer over-read".into(),
        details: "A large gzip header extra field.".repeat(20),
        ratings: vec![Rating {
            source: "nvd".into(),
            level: Level::Critical,
            word: None,
            score: Some(9.8),
            vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into()),
        }],
        weaknesses: vec![787],
        references: vec!["https://example.org/1".into(), "https://example.org/2".into()],
        malicious: true,
        affected: vec![full_row()],
    }
}

pub(crate) fn short(id: &str, space: &str, package: &str, fix: &str) -> Advisory {
    let mut row = Affected::new(Space::from(space), package);
    row.spans.push(Span::before(fix));
    Advisory {
        id: id.into(),
        title: format!("about {id}"),
        affected: vec![row],
        ..Advisory::default()
    }
}

pub(crate) fn compile(advisories: impl IntoIterator<Item = Advisory>) -> Compiled {
    let mut builder = Builder::with_orders("test", "all", whole);
    for it in advisories {
        builder.add(it);
    }
    builder.finish().unwrap()
}

fn sheet(compiled: &Compiled, space: &str) -> Sheet {
    let found = compiled.sheets.iter().find(|it| it.entry.space.as_str() == space).unwrap();
    let sheet = Sheet::with_orders(found.bytes.clone(), whole).unwrap();
    assert_eq!(sheet.walk(), Ok(()));
    sheet
}

fn look_up<'a>(sheet: &'a Sheet, name: &str) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    sheet.look_up(7, name, &mut rows);
    rows
}

/// Rows in a line each: `ID names <5 | >=1 <=2 …`.
fn told(rows: &[Row<'_>]) -> Vec<String> {
    let end = |it: &crate::contract::End<'_>, sign: &str| {
        let equal = if it.included { "=" } else { "" };
        let unknown = if it.key.is_none() { "?" } else { "" };
        format!("{sign}{equal}{}{unknown}", it.version)
    };
    let tell = |row: &Row<'_>| {
        let mut words = vec![row.id.to_owned()];
        for it in &row.stretches {
            words.push("|".into());
            words.extend(it.from.iter().map(|it| end(it, ">")));
            words.extend(it.to.iter().map(|it| end(it, "<")));
        }
        words.extend(row.versions.iter().map(|it| end(it, "")));
        words.extend(row.bulletins.iter().map(|it| format!("[{it}]")));
        words.extend(row.torn.map(|it| format!("torn: {it}")));
        words.join(" ")
    };
    rows.iter().map(tell).collect()
}

#[test]
fn everything_that_goes_in_comes_out() {
    let sheet = sheet(&compile([full()]), "debian:12");
    let rows = look_up(&sheet, "zlib");
    assert_eq!(
        told(&rows),
        ["CVE-2022-37434 | <5 | >7 <=9 | =odd? =11 =12 =13 =20 [DSA-1-1] [DSA-2-1]"]
    );
    let row = &rows[0];
    let wanted = full_row();
    assert_eq!((row.feed, row.advisory.sheet, row.torn), ("test", 7, None));
    assert_eq!((row.names, row.status, row.outlook), (wanted.names, wanted.status, wanted.outlook));
    assert_eq!(
        (row.aliases.as_slice(), row.withdrawn, row.malicious),
        (&["GHSA-cfmr-vrgj-vqwv"][..], true, true)
    );
    assert_eq!(row.reason, wanted.reason.as_deref());
    assert_eq!(row.rating, wanted.rating);
    assert_eq!(
        (row.arch.as_slice(), row.products.as_slice()),
        (&["amd64"][..], &["cpe:/o:redhat:enterprise_linux:9"][..])
    );
    assert_eq!((row.module, row.channel), (Some("nodejs:18"), Some("esm-infra")));

    let wanted = full();
    let known = sheet.known(row.advisory.advisory).unwrap();
    assert_eq!(
        (known.id, known.aliases, known.related),
        (wanted.id, wanted.aliases, wanted.related)
    );
    assert_eq!(
        (known.published, known.modified, known.withdrawn),
        (wanted.published, wanted.modified, wanted.withdrawn)
    );
    assert_eq!((known.ratings, known.weaknesses), (wanted.ratings, wanted.weaknesses));
    let text = sheet.text(row.advisory.advisory).unwrap();
    assert_eq!(
        (text.title, text.details, text.references),
        (wanted.title, wanted.details, wanted.references)
    );
    assert_eq!(sheet.packages(0), ["zlib"]);
    assert!(look_up(&sheet, "zli").is_empty() && look_up(&sheet, "zlibb").is_empty());
}

#[test]
fn a_flaw_is_found_by_each_of_its_names() {
    let sheet = sheet(&compile([full(), short("CVE-1", "debian:12", "zlib", "3")]), "debian:12");
    for name in ["CVE-2022-37434", "GHSA-cfmr-vrgj-vqwv", "DSA-1-1", "DSA-2-1"] {
        let flaw = sheet.flaw(name).unwrap();
        let ids: Vec<String> =
            flaw.advisories.iter().map(|it| sheet.known(*it).unwrap().id).collect();
        assert_eq!(ids, ["CVE-2022-37434"], "{name}");
    }
    assert_eq!(sheet.flaw("CVE-2018-25032"), None, "what is only related is another flaw");
    assert_eq!(sheet.flaws("DSA").collect::<Vec<_>>(), ["DSA-1-1", "DSA-2-1"]);
    assert_eq!(told(&look_up(&sheet, "zlib"))[0], "CVE-1 | <3");
}

#[test]
fn names_are_listed_by_their_beginning() {
    let names = ["a", "ab", "abc", "b"];
    let sheet =
        sheet(&compile(names.iter().map(|it| short(&format!("CVE-{it}"), "npm", it, "1"))), "npm");
    assert_eq!(sheet.names("").collect::<Vec<_>>(), names);
    assert_eq!(sheet.names("ab").collect::<Vec<_>>(), ["ab", "abc"]);
    assert_eq!(sheet.names("c").count(), 0);
}

#[test]
fn the_younger_record_replaces_what_the_older_said() {
    let dated = |day: &str, package: &str, fix: &str, bulletin: Option<&str>| {
        let mut it = short("CVE-1", "debian:12", package, fix);
        it.modified = Some(format!("2024-01-{day}T00:00:00Z"));
        it.title = format!("of day {day}");
        it.affected[0].bulletins.extend(bulletin.map(String::from));
        it
    };
    let check = |records: Vec<Advisory>, package: &str, expect: &[&str]| {
        for records in [records.clone(), records.into_iter().rev().collect()] {
            let sheet = sheet(&compile(records), "debian:12");
            assert_eq!(told(&look_up(&sheet, package)), expect);
            assert_eq!(sheet.text(0).unwrap().title, "of day 02");
        }
    };
    let old = || dated("01", "zlib", "3", None);
    check(vec![old(), dated("02", "zlib", "4", None)], "zlib", &["CVE-1 | <4"]);
    check(vec![old(), dated("02", "bash", "4", None)], "zlib", &["CVE-1 | <3"]);
    let same = || dated("02", "zlib", "3", None);
    check(
        vec![same(), same(), dated("02", "zlib", "4", None)],
        "zlib",
        &["CVE-1 | <3", "CVE-1 | <4"],
    );
    let old = dated("01", "zlib", "3", Some("A-1"));
    let new = dated("02", "zlib", "4", Some("A-2"));
    check(vec![old, new], "zlib", &["CVE-1 | <3 [A-1]", "CVE-1 | <4 [A-2]"]);
}

#[test]
fn rows_about_another_module_stay() {
    let of = |module: &str, day: &str| {
        let mut it = short("CVE-1", "almalinux:8", "nodejs", "3");
        it.modified = Some(format!("2024-01-{day}T00:00:00Z"));
        it.affected[0].module = Some(module.into());
        it
    };
    let sheet = sheet(&compile([of("nodejs:16", "01"), of("nodejs:18", "02")]), "almalinux:8");
    assert_eq!(look_up(&sheet, "nodejs").len(), 2);
}

#[test]
fn what_cannot_be_read_is_a_gap() {
    let compiled = compile([
        short("CVE-1", "debian:12", "a", "one"),
        short("CVE-2", "debian:12", "b", "one"),
        short("CVE-3", "nowhere", "c", "1"),
    ]);
    assert_eq!(compiled.gaps, 2);
    let gaps: Vec<String> = compiled.samples.iter().map(ToString::to_string).collect();
    assert_eq!(
        gaps,
        [
            "debian:12 a CVE-1: `one` is no version as whole has them: it is no number",
            "nowhere: nobody taught us how versions are ordered there"
        ]
    );
    assert_eq!(told(&look_up(&sheet(&compiled, "debian:12"), "b")), ["CVE-2 | <one?"]);
    assert_eq!(told(&look_up(&sheet(&compiled, "nowhere"), "c")), ["CVE-3 | <1?"]);
    assert_eq!(sheet(&compiled, "debian:12").meta().gaps, 1);
}

#[test]
fn texts_of_a_part_with_several_spaces_are_there_once() {
    let mut both = short("CVE-1", "debian:11", "zlib", "1");
    both.affected.push(short("CVE-1", "debian:12", "zlib", "2").affected.remove(0));
    let compiled = compile([both]);
    let spaces: Vec<&str> = compiled.sheets.iter().map(|it| it.entry.space.as_str()).collect();
    assert_eq!(spaces, ["debian:11", "debian:12", TEXTS]);
    assert_eq!(sheet(&compiled, "debian:12").text(0), None);
    let texts = sheet(&compiled, TEXTS);
    assert_eq!(texts.flaw("CVE-1").unwrap().advisories, [0]);
    assert_eq!(texts.text(0).unwrap().title, "about CVE-1");
}

#[test]
fn attacks_are_told_of_the_flaw() {
    let mut builder = Builder::with_orders("kev", "all", whole);
    let exploited = Exploited {
        id: "CVE-1".into(),
        added: "2024-01-01".into(),
        due: Some("2024-02-01".into()),
        ransomware: true,
        title: "a title".into(),
        action: "update".into(),
    };
    let forecast = Forecast { id: "CVE-1".into(), score: 0.97558, percentile: 0.99999 };
    builder.add_exploited(exploited.clone());
    builder.add_forecast(forecast.clone());
    builder.add_forecast(Forecast { id: "CVE-2".into(), ..forecast.clone() });
    let sheet = sheet(&builder.finish().unwrap(), FLAWS);
    let flaw = sheet.flaw("CVE-1").unwrap();
    assert_eq!((flaw.exploited, flaw.forecast), (Some(exploited), Some(forecast)));
    assert_eq!(sheet.flaw("CVE-2").unwrap().exploited, None);
    assert_eq!(sheet.flaw("CVE-3"), None);
}

#[test]
fn keys_are_made_anew_when_the_order_makes_others() {
    let compiled = compile([short("CVE-1", "debian:12", "zlib", "5")]);
    let sheet = Sheet::with_orders(compiled.sheets[0].bytes.clone(), longer).unwrap();
    let rows = look_up(&sheet, "zlib");
    let key = rows[0].stretches[0].to.as_ref().unwrap().key.as_deref();
    assert_eq!(key, Some(&5_u64.to_be_bytes()[..]));
    let sheet = Sheet::with_orders(compiled.sheets[0].bytes.clone(), |_| None).unwrap();
    assert_eq!(told(&look_up(&sheet, "zlib")), ["CVE-1 | <5?"]);
}

#[test]
fn long_lists_become_several_rows() {
    let mut it = short("CVE-1", "debian:12", "zlib", "1");
    it.affected[0].versions = (0..40_000).map(|it| it.to_string()).collect();
    let sheet = sheet(&compile([it]), "debian:12");
    let rows = look_up(&sheet, "zlib");
    assert_eq!(rows.len(), 3);
    assert_eq!(rows.iter().map(|it| it.versions.len()).sum::<usize>(), 40_000);
    assert_eq!(rows.iter().filter(|it| it.stretches.len() == 1).count(), 1);
    assert!(sheet.size() < 1_000_000, "{}", sheet.size());
}

/// Calls everything that reads.
fn exercise(bytes: Vec<u8>) {
    let Ok(sheet) = Sheet::with_orders(bytes, whole) else { return };
    let _ = sheet.walk();
    let names: Vec<&str> = sheet.names("").take(100).collect();
    for name in names.into_iter().chain(["zlib", "", "p5"]) {
        look_up(&sheet, name);
    }
    for flaw in sheet.flaws("").take(100).chain(["CVE-2022-37434"]) {
        sheet.flaw(flaw);
    }
    for advisory in (0..sheet.advisories().min(100)).chain([u32::MAX]) {
        sheet.known(advisory);
        sheet.text(advisory);
        sheet.packages(advisory);
    }
}

fn sample() -> Vec<u8> {
    let more = (0..60).map(|it| {
        let fix = (it % 7).to_string();
        short(&format!("CVE-2024-{it}"), "debian:12", &format!("p{}", it % 20), &fix)
    });
    compile(more.chain([full()])).sheets[0].bytes.clone()
}

proptest! {
    #[test]
    fn torn_sheets_are_read_without_harm(
        flips in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6), cut: Option<Index>,
    ) {
        let mut bytes = sample();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        exercise(bytes);
    }

    #[test]
    fn junk_behind_a_good_header_is_read_without_harm(
        junk in prop::collection::vec(any::<u8>(), 0..400), section in 1_usize..12,
    ) {
        let sample = sample();
        let sheet = Sheet::with_orders(sample.clone(), whole).unwrap();
        let mut sections = sheet.all_sections();
        sections[section] = &junk;
        exercise(crate::layout::file_of(&sections));
    }

    #[test]
    fn the_same_advisories_make_the_same_bytes(order in Just((0..24).collect::<Vec<u32>>()).prop_shuffle()) {
        let advisory = |it: u32| {
            let fix = (it % 5).to_string();
            let mut made = short(&format!("CVE-{}", it % 8), ["npm", "debian:12"][it as usize % 2], &format!("p{}", it % 3), &fix);
            made.modified = (!it.is_multiple_of(4)).then(|| format!("2024-01-0{}T00:00:00Z", it % 4));
            made.references.push(format!("https://example.org/{it}"));
            made
        };
        let digests = |it: Compiled| -> Vec<_> { it.sheets.into_iter().map(|it| it.entry).collect() };
        let sorted = digests(compile((0..24).map(advisory)));
        prop_assert_eq!(digests(compile(order.into_iter().map(advisory))), sorted);
    }
}
