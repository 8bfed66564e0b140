//! What a document says, as lines of text, for tests to compare.

use model::{Affected, Bound, Rating, Span};
use proptest::prelude::*;

use crate::contract::{Document, Feed, Parsed};

/// What that feed reads in that document. It must be one that it recognises.
pub(crate) fn told(feed: &dyn Feed, path: &str, text: &str) -> String {
    let part = feed.recognises(path, text.as_bytes()).expect("a document of this feed");
    let parsed = feed.parse(&part, &Document { path, bytes: text.as_bytes() });
    let mut told = format!("part {part}\n");
    tell(&parsed, &mut told);
    told
}

/// Asserts that those lines are what the document says.
#[track_caller]
pub(crate) fn check(feed: &dyn Feed, path: &str, text: &str, expect: &str) {
    assert_eq!(told(feed, path, text).trim(), expect.trim());
}

/// Junk, and a document with a piece of it damaged, are read without a panic.
pub(crate) fn survives_junk(feed: &dyn Feed, text: &str) {
    let cuts = (0..=text.len(), 0..=text.len(), "\\PC{0,12}");
    proptest!(|((begin, end, junk) in cuts, bytes in proptest::collection::vec(any::<u8>(), 0..200))| {
        let (begin, end) = (begin.min(end), begin.max(end));
        let text = text.as_bytes();
        let parts = [text.get(..begin), Some(junk.as_bytes()), text.get(end..)];
        let damaged = parts.into_iter().flatten().collect::<Vec<_>>().concat();
        for bytes in [&*damaged, &*bytes] {
            let head = bytes.get(..4096).unwrap_or(bytes);
            let part = feed.recognises("some/where.json", head).unwrap_or_else(|| "all".to_owned());
            let parsed = feed.parse(&part, &Document { path: "some/where.json", bytes });
            prop_assert!(parsed.gaps.len() <= 101);
        }
    });
}

fn tell(parsed: &Parsed, told: &mut String) {
    for advisory in &parsed.advisories {
        *told += &advisory.id;
        for alias in &advisory.aliases {
            *told += &format!(" = {alias}");
        }
        for other in &advisory.related {
            *told += &format!(" ~ {other}");
        }
        let dates = [
            ("published", &advisory.published),
            ("modified", &advisory.modified),
            ("withdrawn", &advisory.withdrawn),
        ];
        for (name, date) in dates {
            *told += &date.as_ref().map(|it| format!(" {name} {it}")).unwrap_or_default();
        }
        *told += &advisory.ratings.iter().map(rating).collect::<String>();
        *told += "\n";
        for text in [&advisory.details].into_iter().chain(&advisory.references) {
            if !text.is_empty() {
                *told += &format!("  | {text}\n");
            }
        }
        for row in &advisory.affected {
            *told += &format!("  {}\n", line(row));
        }
    }
    for gap in &parsed.gaps {
        *told += &format!("gap: {gap}\n");
    }
}

fn line(row: &Affected) -> String {
    let mut line = format!("{} {:?} {} {:?}", row.space, row.names, row.package, row.status);
    for span in &row.spans {
        line += &format!(" {}", span_of(span));
    }
    if let Some(outlook) = row.outlook {
        line += &format!(" {outlook:?}");
    }
    if let Some(channel) = &row.channel {
        line += &format!(" channel {channel}");
    }
    line += &row.rating.as_ref().map(rating).unwrap_or_default();
    if let Some(reason) = &row.reason {
        line += &format!(" ({reason})");
    }
    for bulletin in &row.bulletins {
        line += &format!(" by {bulletin}");
    }
    line
}

fn span_of(span: &Span) -> String {
    let end = |bound: &Option<Bound>, included, excluded| {
        let bound = bound.as_ref()?;
        Some(format!("{}{}", if bound.included { included } else { excluded }, bound.version))
    };
    let ends = [end(&span.from, ">=", ">"), end(&span.to, "<=", "<")];
    let told = ends.into_iter().flatten().collect::<Vec<_>>().join(",");
    if told.is_empty() { "*".to_owned() } else { told }
}

fn rating(rating: &Rating) -> String {
    let score = rating.score.map(|it| format!(" {it:.1}")).unwrap_or_default();
    let word = rating.word.as_ref().map(|it| format!(" \"{it}\"")).unwrap_or_default();
    format!(" [{} {}{score}{word}]", rating.source, rating.level)
}
