//! A table of NVD's ratings: `cve,published,modified,cvss2,cvss3,score,cwe`.

use model::{Advisory, Gap};

use super::{finished, moment, rating, weakness};
use crate::json::without_mark;
use crate::{Document, Parsed};

const COLUMNS: &[u8] = b"cve,published,modified,cvss2,cvss3,score,cwe";

/// So many odd lines are told one by one.
const GAPS: usize = 20;

pub(super) fn is_table(head: &[u8]) -> bool {
    without_mark(head).starts_with(COLUMNS)
}

pub(super) fn read(document: &Document<'_>) -> Parsed {
    let mut parsed = Parsed::default();
    let mut odd = 0_usize;
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).from_reader(without_mark(document.bytes));
    let mut newest: Option<String> = None;
    for (number, record) in reader.records().enumerate() {
        if let Some(advisory) = record.ok().as_ref().and_then(advisory) {
            newest = newest.max(advisory.modified.clone());
            parsed.advisories.push(advisory);
        } else {
            odd += 1;
            if odd <= GAPS {
                let at = format!("{}:{}", document.path, number + 2);
                parsed.gaps.push(Gap::new(at, "the line is no entry"));
            }
        }
    }
    if odd > GAPS {
        let why = format!("{} more lines are no entries", odd - GAPS);
        parsed.gaps.push(Gap::new(document.path, why));
    }
    parsed.current = newest;
    parsed
}

fn advisory(record: &csv::StringRecord) -> Option<Advisory> {
    let field = |at: usize| record.get(at).map_or("", str::trim);
    let id = Some(field(0)).filter(|it| it.starts_with("CVE-"))?;
    let score: Option<f64> = field(5).parse().ok();
    // The score is that of the newer vector.
    let mut ratings = Vec::new();
    match (field(3), field(4)) {
        ("", "") => ratings.extend(rating("nvd", "", score)),
        (two, "") => ratings.extend(rating("nvd", two, score)),
        (two, three) => {
            ratings.extend(rating("nvd", three, score));
            ratings.extend(rating("nvd", two, None));
        }
    }
    let weaknesses = field(6).split([' ', ';', '|', ',']).filter_map(weakness);
    let advisory = Advisory {
        id: id.to_owned(),
        published: moment(field(1)),
        modified: moment(field(2)),
        ratings,
        weaknesses: weaknesses.collect(),
        ..Advisory::default()
    };
    Some(finished(advisory, false))
}
