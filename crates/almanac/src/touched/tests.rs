//! Two almanacs in, what has to be looked at again out.

use std::fmt::Write as _;

use model::{Advisory, Exploited, Forecast, Level, Rating};
use proptest::prelude::*;

use super::*;
use crate::compile::{Builder, SheetBytes};
use crate::contract::Book as _;
use crate::sheet::tests::{short, whole};

/// Lines of `PART ID SPACE NAME FIX` with `=ALIAS`, `level:WORD`, `title:…`; of no package with `-` as
/// its space. And `PART exploited ID`, `PART forecast ID SCORE`.
fn read(text: &str) -> Almanac {
    let mut builders: BTreeMap<&str, Builder> = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let builder = builders
            .entry(words[0])
            .or_insert_with(|| Builder::with_orders("test", words[0], whole));
        match words[1] {
            "exploited" => builder.add_exploited(Exploited {
                id: words[2].to_owned(),
                added: "2024-01-01".to_owned(),
                due: None,
                ransomware: false,
                title: String::new(),
                action: String::new(),
            }),
            "forecast" => builder.add_forecast(Forecast {
                id: words[2].to_owned(),
                score: words[3].parse().unwrap(),
                percentile: 0.5,
            }),
            id => {
                let mut advisory = match words[2] {
                    "-" => Advisory { id: id.to_owned(), ..Advisory::default() },
                    space => short(id, space, words[3], words[4]),
                };
                for word in words.iter().skip(if words[2] == "-" { 3 } else { 5 }) {
                    if let Some(alias) = word.strip_prefix('=') {
                        advisory.aliases.push(alias.to_owned());
                    } else if let Some(word) = word.strip_prefix("level:") {
                        advisory.ratings.push(Rating {
                            source: "test".to_owned(),
                            level: Level::of_word(word),
                            word: None,
                            score: None,
                            vector: None,
                        });
                    } else if let Some(title) = word.strip_prefix("title:") {
                        title.clone_into(&mut advisory.title);
                    } else {
                        panic!("{word}");
                    }
                }
                builder.add(advisory);
            }
        }
    }
    let sheets: Vec<SheetBytes> =
        builders.into_values().flat_map(|it| it.finish().unwrap().sheets).collect();
    Almanac::in_memory_with(sheets, whole)
}

fn shown(touched: &Touched) -> String {
    let mut told = String::new();
    for space in &touched.spaces {
        writeln!(told, "all of {space}").unwrap();
    }
    for (space, names) in &touched.names {
        for (name, flaws) in names {
            let flaws: Vec<&str> = flaws.iter().map(|it| &**it).collect();
            writeln!(told, "{space} {name}: {}", flaws.join(" ")).unwrap();
        }
    }
    for flaw in &touched.flaws {
        writeln!(told, "flaw {flaw}").unwrap();
    }
    told
}

#[track_caller]
fn check(old: &str, new: &str, expect: &str) {
    let trimmed: Vec<&str> = expect.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    let told = shown(&touched(&read(old), &read(new)));
    assert_eq!(told.trim_end(), trimmed.join("\n"));
}

#[test]
fn rows_by_space_and_name() {
    let old = "a CVE-1 debian:12 openssl 1\na CVE-2 debian:12 openssl 1\na CVE-3 debian:12 zlib 1";
    check(old, old, "");
    check(
        old,
        &old.replace("openssl 1\na CVE-2", "openssl 2\na CVE-2"),
        "debian:12 openssl: CVE-1",
    );
    check(old, &old.replace("CVE-3", "CVE-4"), "debian:12 zlib: CVE-3 CVE-4");
    check(old, &format!("{old}\na CVE-0 debian:12 new 1"), "debian:12 new: CVE-0");
    check(old, &old.replace("zlib 1", "zlib 1 =GHSA-3"), "debian:12 zlib: CVE-3 GHSA-3");
    // A release rates its own packages, and nobody else's.
    check(old, &old.replace("zlib 1", "zlib 1 level:high"), "debian:12 zlib: CVE-3");
}

#[test]
fn words_and_forecasts_do_not_count() {
    let old = "a CVE-1 npm x 1\ne forecast CVE-1 0.5";
    check(old, "a CVE-1 npm x 1 title:told\ne forecast CVE-1 0.7\ne forecast CVE-2 0.1", "");
}

#[test]
fn attacks_and_ratings_by_flaw() {
    let old = "a CVE-1 npm x 1 =GHSA-1\nn CVE-1 -\nn CVE-2 - level:low\nk exploited CVE-9";
    check(old, &format!("{old}\nk exploited CVE-1"), "flaw CVE-1");
    check(&format!("{old}\nk exploited CVE-1"), old, "flaw CVE-1");
    check(old, &old.replace("CVE-1 -", "CVE-1 - level:high"), "flaw CVE-1");
    check(old, &old.replace("n CVE-2 - level:low", ""), "flaw CVE-2");
    check(
        old,
        &old.replace("x 1 =GHSA-1", "x 1 =GHSA-1 level:low"),
        "npm x: CVE-1 GHSA-1
        flaw CVE-1
        flaw GHSA-1",
    );
}

#[test]
fn whole_spaces() {
    let old = "a CVE-1 npm x 1";
    check(old, &format!("{old}\nb CVE-2 pypi y 1"), "all of pypi\npypi y: CVE-2");
    check(old, "", "all of npm\nnpm x: CVE-1");
    check(old, &format!("{old}\nb CVE-2 npm x 1"), "npm x: CVE-2");
    // The parts of a feed that is sorted otherwise.
    check(old, "b CVE-1 npm x 1", "npm x: CVE-1");
}

#[test]
fn what_cannot_be_read_is_looked_at_whole() {
    let good = read("a CVE-1 debian:12 x 1\nb CVE-2 npm y 1");
    let spoilt = |space: &str| {
        let mut sheets = Vec::new();
        for (number, entry) in (0..).zip(&good.manifest().sheets) {
            let mut bytes = good.sheet(number).unwrap().bytes().to_vec();
            let mut entry = entry.clone();
            if entry.space.as_str() == space {
                bytes.truncate(bytes.len() / 2);
                entry.digest = crate::compile::digest_of(&bytes);
            }
            sheets.push(SheetBytes { entry, bytes });
        }
        Almanac::in_memory_with(sheets, whole)
    };
    assert_eq!(shown(&touched(&good, &spoilt("debian:12"))), "all of debian:12\n");
    assert_eq!(shown(&touched(&spoilt("debian:12"), &good)), "all of debian:12\n");
    assert_eq!(shown(&touched(&good, &spoilt("npm"))), "all of debian:12\nall of npm\n");
    let spoilt = spoilt("npm");
    let concerned = spoilt.concerned("CVE-1");
    assert_eq!(concerned.torn, BTreeSet::from([&Space::of("npm")]));
    assert_eq!(concerned.packages, BTreeSet::from([(&Space::release("debian", "12"), "x")]));
}

#[test]
fn who_may_have_a_flaw() {
    let almanac = read(
        "a GHSA-aa npm x 1 =CVE-1\na CVE-2 npm x 1\nb CVE-1 debian:12 node-x 1\nb CVE-3 debian:12 z 1",
    );
    let check = |flaw: &str, expect: &str| {
        let it = almanac.concerned_by(flaw);
        let packages = it.packages.iter().map(|(space, name)| format!("{space} {name}"));
        let told: Vec<String> = it.flaws.iter().cloned().chain(packages).collect();
        assert_eq!(told.join(", "), expect);
    };
    check("CVE-1", "CVE-1, GHSA-aa, debian:12 node-x, npm x");
    check("cve-1", "CVE-1, GHSA-aa, debian:12 node-x, npm x");
    check("ghsa-AA", "GHSA-aa, npm x");
    check("CVE-9", "");
}

proptest! {
    /// Whatever is not told says the same in both.
    #[test]
    fn nothing_is_left_out(
        old in prop::collection::vec((0_u8..4, 0_u8..3, 0_u8..3, 0_u8..4), 0..12),
        new in prop::collection::vec((0_u8..4, 0_u8..3, 0_u8..3, 0_u8..4), 0..12),
    ) {
        let text = |rows: &[(u8, u8, u8, u8)]| {
            let mut text = String::new();
            for (flaw, space, name, fix) in rows {
                let space = ["npm", "debian:12", "pypi"][usize::from(*space)];
                writeln!(text, "a CVE-{flaw}{name} {space} n{name} {fix} =X-{flaw}").unwrap();
            }
            text
        };
        let (old, new) = (read(&text(&old)), read(&text(&new)));
        let touched = touched(&old, &new);
        for space in ["npm", "debian:12", "pypi"].map(Space::from) {
            for name in ["n0", "n1", "n2"] {
                let flaws = touched.names.get(&space).and_then(|it| it.get(name));
                let rows = |almanac: &Almanac| {
                    let mut rows = Vec::new();
                    almanac.look_up(&space, name, &mut rows);
                    rows.retain(|row| {
                        let is_told = |it: &str| flaws.is_some_and(|flaws| flaws.contains(it));
                        !is_told(row.id) && !row.aliases.iter().any(|it| is_told(it))
                    });
                    let mut told: Vec<String> = rows
                        .iter()
                        .map(|it| format!("{} {:?} {:?}", it.id, it.aliases, it.stretches))
                        .collect();
                    told.sort();
                    told
                };
                prop_assert_eq!(rows(&old), rows(&new));
            }
        }
        prop_assert_eq!(super::touched(&old, &old), Touched::default());
    }
}
