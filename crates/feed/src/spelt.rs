//! What a document says, spelt out as lines of text for tests to compare.

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
        let dates = [
            (" published", &advisory.published),
            (" modified", &advisory.modified),
            (" withdrawn", &advisory.withdrawn),
        ];
        let dates =
            dates.into_iter().filter_map(|(name, it)| Some(format!("{name} {}", it.as_ref()?)));
        let words = [advisory.id.clone()]
            .into_iter()
            .chain(advisory.aliases.iter().map(|it| format!(" = {it}")))
            .chain(advisory.related.iter().map(|it| format!(" ~ {it}")))
            .chain(dates)
            .chain(advisory.ratings.iter().map(rating));
        told.extend(words.chain(["\n".to_owned()]));
        let texts = [&advisory.details].into_iter().chain(&advisory.references);
        told.extend(texts.filter(|it| !it.is_empty()).map(|it| format!("  | {it}\n")));
        told.extend(advisory.affected.iter().map(|it| format!("  {}\n", line(it))));
    }
    told.extend(parsed.gaps.iter().map(|it| format!("gap: {it}\n")));
}

fn line(row: &Affected) -> String {
    let words = [format!("{} {:?} {} {:?}", row.space, row.names, row.package, row.status)];
    let words = words
        .into_iter()
        .chain(row.spans.iter().map(|it| format!(" {}", span(it))))
        .chain(row.outlook.map(|it| format!(" {it:?}")))
        .chain(row.channel.iter().map(|it| format!(" channel {it}")))
        .chain(row.rating.iter().map(rating))
        .chain(row.reason.iter().map(|it| format!(" ({it})")))
        .chain(row.bulletins.iter().map(|it| format!(" by {it}")));
    words.collect()
}

fn span(span: &Span) -> String {
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
