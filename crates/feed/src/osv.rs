//! OSV: the format that most databases publish in, and the zips of osv.dev.

mod ecosystems;
mod flaws;
mod ranges;
mod rate;
mod record;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use model::{Advisory, Gap};

use crate::brief::tellable;
use crate::fetch::Plan;
use crate::json::{fields, without_mark};
use crate::{Document, Feed, Parsed, Part};

use flaws::{Flaw, Names};
use record::{Record, Reference};
use rows::Rows;

pub(crate) struct Osv;

/// The part of records that lie about one by one.
const LOOSE: &str = "loose";

impl Feed for Osv {
    fn id(&self) -> &'static str {
        "osv"
    }

    fn title(&self) -> &'static str {
        "Open Source Vulnerabilities"
    }

    fn about(&self) -> &'static str {
        "https://osv.dev; each database keeps its own terms, most are CC-BY-4.0 or CC0"
    }

    fn version(&self) -> u16 {
        3
    }

    fn every_hours(&self) -> u32 {
        1
    }

    fn parts(&self) -> Vec<Part> {
        let part = |name: &str| {
            let folder = name.replace(' ', "%20");
            let url =
                format!("https://osv-vulnerabilities.storage.googleapis.com/{folder}/all.zip");
            Part { name: name.to_owned(), urls: vec![url] }
        };
        ecosystems::hosted().map(part).collect()
    }

    fn plan(&self) -> Plan {
        Plan::OsvDelta
    }

    fn recognises(&self, path: &str, head: &[u8]) -> Option<String> {
        is_record(head).then(|| part_of(path).unwrap_or(LOOSE).to_owned())
    }

    fn parse(&self, part: &str, document: &Document<'_>) -> Parsed {
        match serde_json::from_slice::<Record<'_>>(without_mark(document.bytes)) {
            Ok(record) if record.id.is_empty() => {
                Parsed::gap(document.path, "the record has no id")
            }
            Ok(record) => read(part, &record),
            Err(error) => Parsed::gap(document.path, format!("the record cannot be read: {error}")),
        }
    }
}

/// `PyPI` of `osv/PyPI/all.zip/PYSEC-2021-1.json`, and of `osv/PyPI/newer/PYSEC-2021-1.json`.
fn part_of(path: &str) -> Option<&str> {
    let (folders, _) = path.rsplit_once("/all.zip/").or_else(|| path.rsplit_once("/newer/"))?;
    folders.rsplit('/').next().filter(|it| ecosystems::is_known(it))
}

fn is_record(head: &[u8]) -> bool {
    let fields = fields(head);
    let has = |name: &str| fields.contains(&name);
    // Where the details are long, nothing that follows them is seen.
    let is_about = ["modified", "schema_version", "affected", "details"].into_iter().any(&has);
    // Some write the fields in the order of the alphabet, and the first is longer than the head.
    let is_cut = has("affected") && memchr::memmem::find(head, b"\"ecosystem\"").is_some();
    let is_other =
        ["@context", "dataType", "document", "bomFormat", "spdxVersion"].into_iter().any(has);
    !is_other && ((has("id") && is_about) || is_cut)
}

fn read(part: &str, record: &Record<'_>) -> Parsed {
    let mut parsed = Parsed::default();
    let rows = Rows::read(part, record, &mut parsed.gaps);
    let current = date(&record.modified);
    parsed.current.clone_from(&current);
    // The record is in the zip of each of its ecosystems: what it says there is told there.
    if rows.is_empty() && rows.others > 0 {
        return parsed;
    }
    let names = Names {
        id: &record.id,
        aliases: record.aliases.iter().map(|it| &**it).collect(),
        upstream: record.upstream.iter().map(|it| &**it).collect(),
        related: record.related.iter().map(|it| &**it).collect(),
        pages: record.references.iter().map(|it| last_part(&it.url)).collect(),
    };
    let mut flaws = flaws::flaws(&names, rows.is_distribution);
    let (most, hole) = tellable(flaws.len(), rows.len());
    flaws.truncate(most);
    parsed.gaps.extend(hole.map(|why| gap(record, "", why)));
    let is_alone = flaws.len() == 1;
    // What is told of each flaw again was told once.
    let most_references =
        if is_alone { usize::MAX } else { (MOST_TEXTS / flaws.len().max(1)).max(20) };
    let pages = Pages::of(&record.references, &flaws.iter().map(|it| &*it.id).collect());
    let line = headline(record);
    let stars = if is_alone { HashMap::new() } else { stars(record) };
    for flaw in &flaws {
        let details = if is_alone { record.details.to_string() } else { String::new() };
        parsed.advisories.push(Advisory {
            id: flaw.id.clone(),
            aliases: flaw.aliases.clone(),
            related: flaw.related.clone(),
            published: date(&record.published),
            modified: current.clone(),
            withdrawn: record.withdrawn.some(),
            title: title(&line, &stars, flaw),
            details,
            ratings: rate::of_record(record, is_alone),
            weaknesses: rows.weaknesses.clone(),
            references: pages.about(&flaw.id, most_references),
            malicious: record.id.starts_with("MAL-") || rows.malicious,
            affected: rows.about(flaw),
        });
    }
    parsed
}

/// Some generators write the year 1 where they know no date.
fn date(text: &str) -> Option<String> {
    let is_date = text.len() >= 10 && text.starts_with(|it: char| it.is_ascii_digit());
    (is_date && !text.starts_with("0001-")).then(|| text.to_owned())
}

/// An erratum about several flaws tells so many references of them, all together.
const MOST_TEXTS: usize = 200_000;

/// One line. An erratum about several flaws often has a line on each: `* name: what (CVE-…)`.
fn title(headline: &str, stars: &HashMap<&str, &str>, flaw: &Flaw) -> String {
    if let Some(line) = stars.get(&*flaw.id) {
        let line = line.trim_start().trim_start_matches('*').trim();
        let line = line.split(" (CVE-").next().unwrap_or(line);
        if !line.is_empty() && line.len() < 300 {
            return line.to_owned();
        }
    }
    headline.to_owned()
}

/// The lines on single flaws, by every word in them that may be the name of one.
fn stars<'a>(record: &'a Record<'_>) -> HashMap<&'a str, &'a str> {
    let mut stars = HashMap::new();
    for line in record.details.lines().filter(|it| it.trim_start().starts_with('*')) {
        for word in line.split(|it: char| !it.is_alphanumeric() && !"-:_".contains(it)) {
            stars.entry(word.trim_end_matches(':')).or_insert(line);
        }
    }
    stars
}

fn headline(record: &Record<'_>) -> String {
    let told = if record.summary.is_empty() { &*record.details } else { &*record.summary };
    let line = told.lines().map(|it| it.trim_start_matches('#').trim()).find(|it| !it.is_empty());
    shortened(line.unwrap_or_default(), 200)
}

fn shortened(line: &str, length: usize) -> String {
    if line.chars().count() <= length {
        return line.to_owned();
    }
    let cut: String = line.chars().take(length).collect();
    let whole = cut.rsplit_once(' ').map_or(&*cut, |(words, _)| words);
    format!("{whole} …")
}

/// The references of an erratum, the most telling first.
struct Pages<'a> {
    /// Of them all: how telling, at which place, and where.
    shared: Vec<(u8, usize, &'a str)>,
    /// Those whose address ends with the name of a flaw, which are about it alone.
    own: HashMap<&'a str, Vec<(u8, usize, &'a str)>>,
}

impl<'a> Pages<'a> {
    fn of(references: &'a [Reference<'_>], flaws: &HashSet<&str>) -> Self {
        let rank = |kind: &str| match kind {
            "ADVISORY" => 0,
            "FIX" => 1,
            "REPORT" | "ARTICLE" => 2,
            "PACKAGE" => 4,
            _ => 3,
        };
        let mut pages = Self { shared: Vec::new(), own: HashMap::new() };
        let told = references.iter().filter(|it| !it.url.is_empty());
        let mut told: Vec<_> =
            told.enumerate().map(|(at, it)| (rank(&it.kind), at, &*it.url)).collect();
        told.sort_unstable();
        let mut seen = HashSet::new();
        for page in told.into_iter().filter(|(_, _, url)| seen.insert(*url)) {
            let last = last_part(page.2);
            let is_own = last.starts_with("CVE-") && flaws.contains(last);
            let list = if is_own { pages.own.entry(last).or_default() } else { &mut pages.shared };
            list.push(page);
        }
        pages
    }

    /// Of a flaw: the most telling of them all, and of its own.
    fn about(&self, flaw: &str, most: usize) -> Vec<String> {
        let own = self.own.get(flaw).into_iter().flatten();
        let mut pages: Vec<_> = own.chain(&self.shared).take(most).copied().collect();
        pages.sort_unstable();
        pages.into_iter().map(|(_, _, url)| url.to_owned()).collect()
    }
}

/// The address of a page about a flaw ends with its name.
fn last_part(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.rsplit(['/', '=']).next().unwrap_or(url)
}

/// Where a gap is: the record, and the package in it.
fn at(record: &Record<'_>, package: &str) -> String {
    if package.is_empty() { record.id.to_string() } else { format!("{}: {package}", &*record.id) }
}

fn gap(record: &Record<'_>, package: &str, why: impl Into<String>) -> Gap {
    Gap::new(at(record, package), why)
}
