//! NVD: the United States' database of CVE, read for its ratings, weaknesses and descriptions.

mod table;
mod v1;
mod v2;

use model::{Advisory, Rating};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Text, fields, nullable, without_mark};
use crate::rating::{checked, of_vector};
use crate::{Document, Feed, Parsed, Part};

pub(crate) struct Nvd;

/// Older numbers are in the file of the first year.
const FIRST_YEAR: u16 = 2002;
const LAST_YEAR: u16 = 2026;

/// What is no file of a year: pages of the API, tables.
const OTHER: &str = "other";

impl Feed for Nvd {
    fn id(&self) -> &'static str {
        "nvd"
    }

    fn title(&self) -> &'static str {
        "National Vulnerability Database"
    }

    fn about(&self) -> &'static str {
        "https://nvd.nist.gov; public domain. This product uses the NVD API but is not endorsed or certified by the NVD"
    }

    fn version(&self) -> u16 {
        1
    }

    fn every_hours(&self) -> u32 {
        12
    }

    fn parts(&self) -> Vec<Part> {
        let part = |year: u16| {
            let url = format!("https://nvd.nist.gov/feeds/json/cve/2.0/nvdcve-2.0-{year}.json.gz");
            Part { name: year.to_string(), urls: vec![url] }
        };
        (FIRST_YEAR..=LAST_YEAR).map(part).collect()
    }

    fn recognises(&self, path: &str, head: &[u8]) -> Option<String> {
        let fields = fields(head);
        let has = |name: &str| fields.contains(&name);
        let is_page = has("resultsPerPage") && memchr::memmem::find(head, b"\"NVD_CVE\"").is_some();
        let is_year = has("CVE_data_type") && has("CVE_data_format");
        let is_ours = is_page || is_year || table::is_table(head);
        is_ours.then(|| year_of(path).unwrap_or(OTHER).to_owned())
    }

    fn parse(&self, _: &str, document: &Document<'_>) -> Parsed {
        let bytes = without_mark(document.bytes);
        if table::is_table(bytes) {
            return table::read(document);
        }
        let file: File<'_> = match serde_json::from_slice(bytes) {
            Ok(file) => file,
            Err(error) => {
                return Parsed::gap(document.path, format!("the file cannot be read: {error}"));
            }
        };
        let mut parsed = Parsed { current: file.timestamp.and_then(moment), ..Parsed::default() };
        let first = file.items.iter().map(|it| (v1::read as Read, *it));
        let second = file.vulnerabilities.iter().map(|it| (v2::read as Read, *it));
        for (number, (read, raw)) in first.chain(second).enumerate() {
            match read(raw.get()) {
                Ok(advisory) if advisory.id.is_empty() => {
                    let at = format!("{}#{number}", document.path);
                    parsed.hole(at, "the entry has no id");
                }
                Ok(advisory) => parsed.advisories.push(advisory),
                Err(error) => {
                    let at = format!("{}#{number}", document.path);
                    parsed.hole(at, format!("the entry cannot be read: {error}"));
                }
            }
        }
        parsed
    }
}

type Read = fn(&str) -> serde_json::Result<Advisory>;

/// Both versions of the format: `CVE_Items` is the older.
#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow, default, alias = "CVE_data_timestamp")]
    timestamp: Option<&'a str>,
    #[serde(borrow, default, rename = "CVE_Items")]
    items: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    vulnerabilities: Vec<&'a RawValue>,
}

/// A text in some language, in both versions alike; so are those below.
#[derive(Deserialize)]
struct Description<'a> {
    #[serde(borrow, default)]
    lang: Text<'a>,
    #[serde(borrow, default)]
    value: Text<'a>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, default)]
    url: Text<'a>,
    #[serde(borrow, default, deserialize_with = "nullable")]
    tags: Vec<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cvss<'a> {
    #[serde(borrow, default)]
    vector_string: Text<'a>,
    #[serde(default)]
    base_score: Option<f64>,
}

/// `2021` of `nvd/nvdcve-1.1-2021.json`.
fn year_of(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let rest = name.strip_prefix("nvdcve-")?;
    let year = rest.split_once('-')?.1.get(..4)?;
    year.bytes().all(|it| it.is_ascii_digit()).then_some(year)
}

/// NVD leaves out the seconds, or the zone.
fn moment(text: &str) -> Option<String> {
    let (start, zone) = text.strip_suffix('Z').map_or((text, "Z"), |it| (it, "Z"));
    let (date, time) = start.split_once('T')?;
    let seconds = if time.len() == 5 { ":00" } else { "" };
    (date.len() == 10 && time.len() >= 5).then(|| format!("{date}T{time}{seconds}{zone}"))
}

/// The rating of a vector with the score that was published beside it.
fn rating(source: &str, vector: &str, score: Option<f64>) -> Option<Rating> {
    let published = score.and_then(checked);
    let Some(mut rating) = of_vector(source, vector) else {
        let score = published?;
        let level = model::Level::of_score(score);
        let source = source.to_owned();
        return Some(Rating { source, level, word: None, score: Some(score), vector: None });
    };
    if let Some(score) = published {
        rating.score = Some(score);
        rating.level = model::Level::of_score(score);
    }
    Some(rating)
}

/// The number of `CWE-79`; `NVD-CWE-noinfo` is none.
fn weakness(text: &str) -> Option<u32> {
    text.strip_prefix("CWE-")?.parse().ok()
}

/// Tidies what both versions fill in.
fn finished(mut advisory: Advisory, is_rejected: bool) -> Advisory {
    advisory.weaknesses.sort_unstable();
    advisory.weaknesses.dedup();
    let mut seen = std::collections::HashSet::new();
    advisory.references.retain(|it| seen.insert(it.clone()));
    if is_rejected {
        advisory.withdrawn = advisory.modified.clone().or_else(|| advisory.published.clone());
    }
    advisory
}

/// The one in English.
fn english(texts: &[Description<'_>]) -> String {
    let english = texts.iter().find(|it| it.lang.starts_with("en"));
    english.map_or(String::new(), |it| it.value.to_string())
}

/// The most telling first.
fn addresses(references: &[Reference<'_>]) -> Vec<String> {
    let mut told: Vec<_> = references.iter().filter(|it| !it.url.is_empty()).collect();
    told.sort_by_key(|it| rank(&it.tags));
    told.into_iter().map(|it| it.url.to_string()).collect()
}

fn rank(tags: &[Text<'_>]) -> u8 {
    let has = |tag: &str| tags.iter().any(|it| &**it == tag);
    match () {
        () if has("Vendor Advisory") => 0,
        () if has("Patch") => 1,
        () if has("Broken Link") => 3,
        () => 2,
    }
}

#[cfg(test)]
mod tests;
