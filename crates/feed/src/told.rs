//! Advisories as text, for tests.

use model::{Advisory, Affected, Rating};

use crate::contract::{Document, Feed, Parsed};

/// What a feed reads in that document of that part.
pub(crate) fn told(feed: &dyn Feed, part: &str, path: &str, bytes: &[u8]) -> String {
    text(&feed.parse(part, &Document { path, bytes }))
}

/// Every advisory with its rows, then the gaps.
pub(crate) fn text(parsed: &Parsed) -> String {
    let mut text = String::new();
    for advisory in &parsed.advisories {
        text.push_str(&advisory_line(advisory));
        for row in &advisory.affected {
            text.push_str(&row_line(row));
        }
    }
    for gap in &parsed.gaps {
        text.push_str(&format!("gap: {gap}\n"));
    }
    text
}

fn advisory_line(advisory: &Advisory) -> String {
    let ratings: Vec<String> = advisory.ratings.iter().map(rating).collect();
    format!("{} {} [{}]\n", advisory.id, advisory.title, ratings.join(", "))
}

fn rating(rating: &Rating) -> String {
    let word = rating.word.as_deref().map_or_else(String::new, |it| format!("={it}"));
    let score = rating.score.map_or_else(String::new, |it| format!(" {it}"));
    format!("{} {}{word}{score}", rating.source, rating.level)
}

fn row_line(row: &Affected) -> String {
    let spans: Vec<String> = row
        .spans
        .iter()
        .map(|span| {
            let from = span.from.as_ref().map_or_else(String::new, |it| {
                format!("{}{}", it.version, if it.included { "" } else { "<" })
            });
            let to = span.to.as_ref().map_or_else(String::new, |it| {
                format!("{}{}", if it.included { "=" } else { "" }, it.version)
            });
            format!("{from}..{to}")
        })
        .collect();
    let mut line = format!(
        "  {} {} {:?} {:?} {}",
        row.space,
        row.package,
        row.names,
        row.status,
        spans.join(" ")
    );
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|it| !it.is_empty()) {
            line.push_str(&format!("; {name} {value}"));
        }
    };
    add("outlook", row.outlook.map(|it| format!("{it:?}")));
    add("reason", row.reason.clone());
    add("rating", row.rating.as_ref().map(rating));
    add("bulletins", Some(row.bulletins.join(" ")));
    add("arch", Some(row.arch.join(" ")));
    add("module", row.module.clone());
    add("channel", row.channel.clone());
    add("products", Some(row.products.join(" ")));
    line.push('\n');
    line
}
