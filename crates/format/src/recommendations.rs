//! What an image would stand on better: its base image, and tags of the same repository that are better.

use std::fmt::Write as _;

use model::{Basis, Gap, Level};
use serde::Serialize;

use crate::html::{self, push_code};
use crate::paint::{Sign, Style, Text};
use crate::report::Options;
use crate::report::basis::{basis_for_json, rests_on};
use crate::words::many;

/// What an image would stand on better.
#[derive(Clone, Debug, Default)]
pub struct Recommendations {
    /// The image.
    pub target: String,
    /// What it stands on.
    pub base: Stand,
    /// How that is known.
    pub how: String,
    /// What was said about it and does not hold.
    pub doubts: Vec<String>,
    /// Was it asked whether the tag leads to another image by now?
    pub asked_refresh: bool,
    /// Does the tag lead to the image that was used? `None`: nobody can tell.
    pub is_current: Option<bool>,
    /// The same tag, as it is now, where that is better.
    pub refresh: Option<Candidate>,
    /// Were other tags asked for?
    pub asked_update: bool,
    /// Other tags that are better, best first.
    pub updates: Vec<Candidate>,
    /// What was looked at and is not recommended, and why.
    pub left_out: Vec<LeftOut>,
    /// What is not known.
    pub gaps: Vec<Gap>,
    /// What the findings rest on.
    pub basis: Basis,
}

/// An image that others may stand on.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stand {
    /// `python:3.12-slim`.
    pub name: String,
    /// Digest of its manifest.
    pub digest: Option<String>,
    /// Its findings by level, the worst first.
    pub vulnerabilities: Counts,
    /// Bytes as stored; none where nobody can tell.
    pub size: Option<u64>,
    /// How many packages.
    pub packages: u64,
    /// When it was made, in RFC 3339.
    pub created: Option<String>,
    /// `debian 12`.
    pub system: Option<String>,
}

/// Findings by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Of each level.
    pub critical: i64,
    /// The next one.
    pub high: i64,
    /// The next one.
    pub medium: i64,
    /// The next one.
    pub low: i64,
    /// Those of which nobody says how bad they are.
    pub unspecified: i64,
}

/// A tag that is better.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Candidate {
    /// What it is.
    #[serde(flatten)]
    pub stand: Stand,
    /// In what it differs.
    pub steps: Vec<String>,
    /// Other tags that lead to the same image.
    pub also: Vec<String>,
    /// Why it is better.
    pub benefits: Vec<String>,
    /// Findings, less those of what is used now.
    pub delta: Counts,
    /// What to change, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// A line of a Dockerfile.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Change {
    /// Which file.
    pub file: String,
    /// Which line, the first being 1.
    pub line: usize,
    /// What is there.
    pub from: String,
    /// What is to be there.
    pub to: String,
}

impl Change {
    /// Is what is to be there already there, as where a tag leads to another image by now?
    fn is_nothing(&self) -> bool {
        self.from == self.to
    }
}

/// What to do where no line is changed.
const STAYS: &str = "build the image anew, with --pull";

/// A tag that is not recommended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LeftOut {
    /// Which.
    pub name: String,
    /// Why not.
    pub why: String,
}

impl Counts {
    /// Of counts by level, the worst first.
    pub fn of(counts: [u64; 5]) -> Self {
        let [critical, high, medium, low, unspecified] =
            counts.map(|it| i64::try_from(it).unwrap_or(i64::MAX));
        Self { critical, high, medium, low, unspecified }
    }

    /// These less the others.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self {
            critical: self.critical - other.critical,
            high: self.high - other.high,
            medium: self.medium - other.medium,
            low: self.low - other.low,
            unspecified: self.unspecified - other.unspecified,
        }
    }

    pub(crate) fn told(self) -> impl Iterator<Item = (Level, char, i64)> {
        let all = [
            (Level::Critical, 'C', self.critical),
            (Level::High, 'H', self.high),
            (Level::Medium, 'M', self.medium),
            (Level::Low, 'L', self.low),
            (Level::Unspecified, '?', self.unspecified),
        ];
        all.into_iter().filter(|(level, _, count)| *level != Level::Unspecified || *count != 0)
    }
}

impl Counts {
    /// In cells, as others are written.
    pub(crate) fn write(self, text: &mut Text<'_>) {
        for (number, (level, _, count)) in self.told().enumerate() {
            text.push(if number == 0 { "" } else { "  " });
            text.cell(level, usize::try_from(count).unwrap_or_default());
        }
    }

    /// What there is more or less of, to stand below such cells.
    pub(crate) fn as_delta(self) -> String {
        let cell = |(_, _, count): (Level, char, i64)| match count {
            0 => " ".repeat(5),
            count => format!("{count:>+5}"),
        };
        let cells: Vec<String> = self.told().map(cell).collect();
        cells.join("  ").trim_end().to_owned()
    }

    /// In the badges of a comment, with what there is more or less of.
    pub(crate) fn badges(self, out: &mut String, delta: Self) {
        badges(out, self);
        let delta = delta.told().filter(|it| it.2 != 0);
        let delta: Vec<String> =
            delta.map(|(_, letter, count)| format!("{count:+}{letter}")).collect();
        if !delta.is_empty() {
            let _ = write!(out, "<br>{}", delta.join(" "));
        }
    }
}

const LABEL: usize = 20;

/// For people.
pub fn write_text(it: &Recommendations, options: &Options) -> String {
    let mut text = Text::new(options, 2048);
    text.heading("Recommended fixes");
    let mut row = |label: &str, value: &str| {
        text.padded(&format!("  {label}"), LABEL);
        text.bar();
        text.push("  ");
        text.push_shown(value);
        text.push("\n");
    };
    row("Target", &it.target);
    row("Base image", &it.base.name);
    row("  found by", &it.how);
    if let Some(digest) = &it.base.digest {
        row("  digest", digest);
    }
    stand(&mut text, &it.base, None);
    for doubt in &it.doubts {
        line(&mut text, Sign::Warning, doubt);
    }
    if it.asked_refresh {
        text.push("\n");
        text.heading("Refresh base image");
        match (&it.refresh, it.is_current) {
            (Some(refresh), _) => candidate(&mut text, refresh),
            (None, Some(true)) => line(&mut text, Sign::Good, "This image version is up to date."),
            (None, Some(false)) => {
                let says = "The tag leads to a later image, which is no better.";
                line(&mut text, Sign::Same, says);
            }
            (None, None) => line(&mut text, Sign::Unknown, "Not known: see below."),
        }
    }
    if it.asked_update {
        text.push("\n");
        text.heading("Change base image");
        if it.updates.is_empty() {
            line(&mut text, Sign::Same, "No tag of the same family is known to be better.");
        }
        for update in &it.updates {
            candidate(&mut text, update);
        }
    }
    if !it.left_out.is_empty() {
        text.push("\nLooked at and not recommended:\n");
        for left in &it.left_out {
            line(&mut text, Sign::Set, &format!("{}: {}", left.name, left.why));
        }
    }
    if !it.gaps.is_empty() {
        text.push("\nNot known:\n");
        for gap in &it.gaps {
            line(&mut text, Sign::Unknown, &gap.to_string());
        }
    }
    text.push("\n");
    rests_on(&mut text, &it.basis);
    text.out
}

fn line(text: &mut Text<'_>, sign: Sign, says: &str) {
    text.push("  ");
    text.sign(sign);
    text.push(" ");
    text.push_shown(says);
    text.push("\n");
}

fn stand(text: &mut Text<'_>, it: &Stand, delta: Option<Counts>) {
    let head = |text: &mut Text<'_>, label: &str| {
        text.padded(&format!("    {label}"), LABEL);
        text.bar();
        text.push("  ");
    };
    head(text, "vulnerabilities");
    it.vulnerabilities.write(text);
    text.push("\n");
    if let Some(delta) = delta {
        head(text, "");
        text.push(&delta.as_delta());
        text.push("\n");
    }
    let facts = facts(it);
    if !facts.is_empty() {
        head(text, "image");
        text.push_shown(&facts.join(", "));
        text.push("\n");
    }
}

fn facts(it: &Stand) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(it.size.map(|it| format!("{}.{} MB", it / 1_000_000, it / 100_000 % 10)));
    facts.push(many(usize::try_from(it.packages).unwrap_or(usize::MAX), "package"));
    facts.extend(it.system.clone());
    let day = |it: &String| it.split('T').next().unwrap_or_default().to_owned();
    facts.extend(it.created.as_ref().map(|it| format!("made {}", day(it))));
    facts
}

fn candidate(text: &mut Text<'_>, it: &Candidate) {
    text.push("  ");
    text.styled(Style::Bold, &it.stand.name);
    if !it.steps.is_empty() {
        text.push_shown(&format!("  ({})", it.steps.join(", ")));
    }
    text.push("\n");
    if !it.also.is_empty() {
        text.push_shown(&format!("    also known as {}", it.also.join(", ")));
        text.push("\n");
    }
    stand(text, &it.stand, Some(it.delta));
    for benefit in &it.benefits {
        text.push("    ");
        text.sign(Sign::Good);
        text.push(" ");
        text.push_shown(benefit);
        text.push("\n");
    }
    if let Some(change) = &it.change {
        text.push_shown(&format!("    {}:{}", change.file, change.line));
        if change.is_nothing() {
            text.push_shown(&format!(" stays as it is: {STAYS}"));
            text.push("\n");
            return;
        }
        text.push("\n      ");
        text.push_shown(&format!("- {}", change.from));
        text.push("\n      ");
        text.push_shown(&format!("+ {}", change.to));
        text.push("\n");
    }
}

/// For a comment on GitHub or GitLab.
pub fn write_markdown(it: &Recommendations) -> String {
    let mut out = "<h2>:mag: Recommended fixes for <code>".to_owned();
    push_code(&mut out, &it.target);
    out.push_str("</code></h2>\n\n<table>\n");
    html::code(&mut out, "base image", &it.base.name);
    html::line(&mut out, "found by", &it.how);
    html::row(&mut out, "vulnerabilities", |out| badges(out, it.base.vulnerabilities));
    html::line(&mut out, "image", &facts(&it.base).join(", "));
    out.push_str("</table>\n\n");
    for doubt in &it.doubts {
        out.push_str("<p>:warning: ");
        html::push(&mut out, doubt);
        out.push_str("</p>\n");
    }
    if it.asked_refresh {
        out.push_str("<h3>Refresh base image</h3>\n\n");
        match (&it.refresh, it.is_current) {
            (Some(refresh), _) => in_markdown(&mut out, refresh),
            (None, Some(true)) => {
                out.push_str(":white_check_mark: This image version is up to date.\n\n");
            }
            (None, Some(false)) => {
                out.push_str("The tag leads to a later image, which is no better.\n\n");
            }
            (None, None) => out.push_str(":question: Not known: see below.\n\n"),
        }
    }
    if it.asked_update {
        out.push_str("<h3>Change base image</h3>\n\n");
        if it.updates.is_empty() {
            out.push_str("No tag of the same family is known to be better.\n\n");
        }
        it.updates.iter().for_each(|it| in_markdown(&mut out, it));
    }
    if !it.left_out.is_empty() {
        out.push_str("<p>Looked at and not recommended:</p>\n<ul>\n");
        for left in &it.left_out {
            out.push_str("<li><code>");
            push_code(&mut out, &left.name);
            out.push_str("</code>: ");
            html::push(&mut out, &left.why);
            out.push_str("</li>\n");
        }
        out.push_str("</ul>\n\n");
    }
    if !it.gaps.is_empty() {
        out.push_str("<details><summary>:question: Not known</summary>");
        html::gaps(&mut out, &it.gaps.iter().collect::<Vec<_>>());
        out.push_str("</details>\n\n");
    }
    let (said, worrying) = crate::page::basis(&it.basis);
    out.push_str(if worrying { "<p>:warning: " } else { "<p>" });
    html::push(&mut out, &said);
    for warning in it.basis.warnings.iter().take(20) {
        out.push_str("<br>:warning: ");
        html::push(&mut out, warning);
    }
    out.push_str("</p>\n");
    out
}

fn badges(out: &mut String, counts: Counts) {
    for (level, _, count) in counts.told() {
        html::badge(out, level, usize::try_from(count).unwrap_or_default());
    }
}

fn in_markdown(out: &mut String, it: &Candidate) {
    out.push_str("<table>\n");
    html::code(out, "tag", &it.stand.name);
    if !it.also.is_empty() {
        html::code(out, "also known as", &it.also.join(", "));
    }
    if !it.steps.is_empty() {
        html::line(out, "what it is", &it.steps.join(", "));
    }
    html::row(out, "vulnerabilities", |out| {
        it.stand.vulnerabilities.badges(out, it.delta);
    });
    html::line(out, "image", &facts(&it.stand).join(", "));
    html::row(out, "benefits", |out| {
        for (number, benefit) in it.benefits.iter().enumerate() {
            out.push_str(if number == 0 { "" } else { "<br>" });
            html::push(out, benefit);
        }
    });
    if let Some(change) = &it.change {
        html::row(out, "change", |out| {
            html::push(out, &format!("{}:{}", change.file, change.line));
            if change.is_nothing() {
                html::push(out, &format!(" stays as it is: {STAYS}"));
                return;
            }
            out.push_str("<br><code>");
            push_code(out, &change.from);
            out.push_str("</code><br><code>");
            push_code(out, &change.to);
            out.push_str("</code>");
        });
    }
    out.push_str("</table>\n\n");
}

/// For programs.
pub fn write_json(it: &Recommendations) -> String {
    let basis = serde_json::to_value(basis_for_json(&it.basis)).unwrap_or_default();
    let told = serde_json::json!({
        "target": it.target,
        "base": it.base,
        "found_by": it.how,
        "doubts": it.doubts,
        "current": it.is_current,
        "refresh": it.refresh,
        "updates": it.updates,
        "left_out": it.left_out,
        "gaps": it.gaps,
        "basis": basis,
    });
    serde_json::to_string_pretty(&told).unwrap_or_default() + "\n"
}
