//! For tests: what a feed says, as text.

use std::fmt::Write as _;

use model::{Advisory, Affected, Bound, Rating, Span, Status};

use crate::{Document, Feed, Parsed};

/// Parses `text` as the document `x` of that part, and compares what it says, line by line.
#[track_caller]
pub(crate) fn check(feed: &dyn Feed, part: &str, text: &str, expect: &str) {
    let recognised = feed.recognises("x", &text.as_bytes()[..text.len().min(4096)]);
    let parsed = feed.parse(part, &Document { path: "x", bytes: text.as_bytes() });
    assert!(recognised.is_some() || parsed.advisories.is_empty(), "it is not recognised");
    let shown = show(&parsed);
    let expect: Vec<&str> = expect.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    assert_eq!(shown, expect, "\n{}", shown.join("\n"));
}

/// What was parsed, a line for each thing.
pub(crate) fn show(parsed: &Parsed) -> Vec<String> {
    let mut lines = Vec::new();
    for advisory in &parsed.advisories {
        show_advisory(advisory, &mut lines);
    }
    for it in &parsed.exploited {
        let due = it.due.as_ref().map_or(String::new(), |it| format!(", due {it}"));
        let ransomware = if it.ransomware { ", ransomware" } else { "" };
        let told = format!("{}; {}", it.title, it.action);
        lines.push(format!("{} exploited since {}{due}{ransomware}: {told}", it.id, it.added));
    }
    for it in &parsed.forecasts {
        lines.push(format!("{} {} of {}", it.id, it.score, it.percentile));
    }
    lines.extend(parsed.gaps.iter().map(|gap| format!("! {gap}")));
    lines.extend(
        parsed.current.iter().filter(|it| !it.is_empty()).map(|it| format!("current {it}")),
    );
    lines
}

fn show_advisory(advisory: &Advisory, lines: &mut Vec<String>) {
    let mut line = advisory.id.clone();
    for alias in &advisory.aliases {
        let _ = write!(line, " ={alias}");
    }
    for related in &advisory.related {
        let _ = write!(line, " ~{related}");
    }
    if advisory.malicious {
        line.push_str(" malicious");
    }
    if let Some(withdrawn) = &advisory.withdrawn {
        let _ = write!(line, " withdrawn {withdrawn}");
    }
    for weakness in &advisory.weaknesses {
        let _ = write!(line, " CWE-{weakness}");
    }
    let _ = write!(line, ": {}", advisory.title);
    lines.push(line);
    lines.extend(advisory.ratings.iter().map(|it| format!("* {}", show_rating(it))));
    lines.extend(advisory.references.iter().map(|it| format!("@ {it}")));
    lines.extend(advisory.affected.iter().map(|it| format!("- {}", show_affected(it))));
}

fn show_rating(rating: &Rating) -> String {
    let mut shown = format!("{} {}", rating.source, rating.level);
    for it in
        [rating.word.clone(), rating.score.map(|it| format!("{it:.1}")), rating.vector.clone()]
            .into_iter()
            .flatten()
    {
        let _ = write!(shown, " {it}");
    }
    shown
}

fn show_affected(affected: &Affected) -> String {
    let names = format!("{:?}", affected.names).to_lowercase();
    let mut shown = format!("{} {} ({names})", affected.space, affected.package);
    match affected.status {
        Status::Affected => {}
        Status::NotAffected => shown.push_str(" not affected"),
        Status::UnderInvestigation => shown.push_str(" under investigation"),
    }
    for span in &affected.spans {
        let _ = write!(shown, " {}", show_span(span));
    }
    for version in &affected.versions {
        let _ = write!(shown, " ={version}");
    }
    let marks = [
        affected.outlook.map(|it| format!("{it:?}").to_lowercase()),
        affected.module.as_ref().map(|it| format!("module {it}")),
        affected.channel.as_ref().map(|it| format!("channel {it}")),
        affected.rating.as_ref().map(show_rating),
        affected.reason.as_ref().map(|it| format!("\"{it}\"")),
        (!affected.arch.is_empty()).then(|| format!("on {}", affected.arch.join(" "))),
        (!affected.products.is_empty()).then(|| format!("in {}", affected.products.join(" "))),
        (!affected.bulletins.is_empty()).then(|| format!("by {}", affected.bulletins.join(" "))),
    ];
    for mark in marks.into_iter().flatten() {
        let _ = write!(shown, ", {mark}");
    }
    shown
}

fn show_span(span: &Span) -> String {
    let edge = |it: &Option<Bound>| it.as_ref().map_or(String::new(), |it| it.version.clone());
    let is_in = |it: &Option<Bound>| it.as_ref().is_some_and(|it| it.included);
    let (open, close) =
        (if is_in(&span.from) { "[" } else { "(" }, if is_in(&span.to) { "]" } else { ")" });
    format!("{open}{}..{}{close}", edge(&span.from), edge(&span.to))
}
