//! What policies say of an image: how many are met, a line about each, and what stands against it.

mod compared;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use model::{Analysis, Level, Subject};
use serde::Serialize;

use crate::html::{self, push_code};
use crate::page;
use crate::paint::{Sign, Style, Text};
use crate::report::Options;
use crate::report::basis::rests_on;
use crate::report::packages::not_known;
use crate::words;

pub use compared::Compared;
pub(crate) use compared::Document;

/// What policies say of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// In the order in which they are told.
    pub policies: Vec<Policy>,
    /// The health score; none, where no policy has points.
    pub health: Option<Health>,
    /// What runs where the image is to go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub there: Option<There>,
}

/// What runs where an image is to go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct There {
    /// The environment.
    pub environment: String,
    /// Whose policies these are, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub policies: String,
    /// Images of the same repository that run there now, by their names.
    pub running: Vec<String>,
    /// Why more may run there than is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
}

/// What one policy says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Its stable name.
    pub id: String,
    /// What it is called, met or not.
    pub title: String,
    /// What came of it.
    pub state: State,
    /// Why nobody can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What its violations are.
    pub kind: Kind,
    /// Its points.
    pub points: u32,
    /// The columns of its violations.
    pub columns: Vec<String>,
    /// What stands against the image.
    pub violations: Vec<Violation>,
    /// How many there are in all.
    pub count: usize,
}

/// What came of a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing stands against the image.
    Met,
    /// Something does.
    NotMet,
    /// Nobody can tell.
    #[default]
    Unknown,
}

/// What violations are, which decides how they are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Flaws of packages.
    Vulnerability,
    /// Licences of packages.
    License,
    /// Something is so, or is not.
    Boolean,
    /// Anything else.
    #[default]
    Generic,
}

/// Something that stands against an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// In a sentence.
    pub message: String,
    /// By column.
    pub detail: serde_json::Value,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<String>,
}

/// The health score, and the sum it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Health {
    /// `A` to `F`.
    pub grade: String,
    /// Points of policies that are met, of a hundred.
    pub percent: u32,
    /// Points of policies that are met.
    pub earned: u64,
    /// Points of all.
    pub possible: u64,
}

impl Judged {
    fn count(&self, state: State) -> usize {
        self.policies.iter().filter(|it| it.state == state).count()
    }

    /// Are all of them met?
    pub fn is_met(&self) -> bool {
        self.policies.iter().all(|it| it.state == State::Met)
    }

    /// `SUCCESS  (7/7 policies met)`, `FAILED  (3/7 policies met, 1 missing data)`.
    fn status(&self) -> (bool, String) {
        let (all, met) = (self.policies.len(), self.count(State::Met));
        let unknown = match self.count(State::Unknown) {
            0 => String::new(),
            unknown => format!(", {unknown} missing data"),
        };
        let word = if self.is_met() { "SUCCESS" } else { "FAILED" };
        (self.is_met(), format!("{word}  ({met}/{all} policies met{unknown})"))
    }
}

impl Health {
    /// `D  (33%: 30 of 90 points)`.
    fn written(&self) -> String {
        let Self { grade, percent, earned, possible } = self;
        format!("{grade}  ({percent}%: {earned} of {possible} points)")
    }
}

impl Policy {
    /// How much stands against the image, in a cell.
    fn results(&self) -> Results {
        match (self.state, self.kind) {
            (State::Unknown, _) => Results::Text("No data".to_owned()),
            (_, Kind::Vulnerability) => Results::Levels(self.levels()),
            (_, Kind::Boolean) => Results::Text(String::new()),
            (_, Kind::License) if self.count == self.violations.len() => {
                let purls: BTreeSet<_> =
                    self.violations.iter().filter_map(|it| it.detail["purl"].as_str()).collect();
                let packages = if purls.is_empty() { self.count } else { purls.len() };
                Results::Text(words::many(packages, "package"))
            }
            (_, Kind::License) => Results::Text(words::many(self.count, "package")),
            (_, Kind::Generic) => Results::Text(words::many(self.count, "deviation")),
        }
    }

    /// Different flaws of packages, by how bad they are.
    fn levels(&self) -> Vec<(Level, usize)> {
        let level = |it: &Violation| {
            let said = it.detail["severity"].as_str().unwrap_or_default().to_lowercase();
            Level::ALL.into_iter().find(|it| it.as_str() == said).unwrap_or_default()
        };
        let shown = [Level::Critical, Level::High, Level::Medium, Level::Low, Level::Unspecified];
        let count = |wanted: Level| self.violations.iter().filter(|it| level(it) == wanted).count();
        let all = shown.map(|it| (it, count(it)));
        all.into_iter().filter(|(it, count)| *it != Level::Unspecified || *count > 0).collect()
    }
}

/// What stands in a cell.
enum Results {
    Levels(Vec<(Level, usize)>),
    Text(String),
}

impl Results {
    fn write_markdown(&self, out: &mut String) {
        match self {
            Self::Levels(levels) => {
                for (level, count) in levels {
                    html::badge(out, *level, *count);
                }
            }
            Self::Text(said) => html::push(out, said),
        }
    }
}

/// The section that stands under a quick look: status, score, and a line for each policy.
pub(crate) fn section(text: &mut Text<'_>, judged: &Judged) {
    let (is_met, status) = judged.status();
    text.styled(Style::Bold, "Policy status");
    text.push("  ");
    text.styled(if is_met { Style::Good } else { Style::Warning }, &status);
    text.push("\n");
    if let Some(health) = &judged.health {
        text.styled(Style::Bold, "Health score");
        text.push(&format!("  {}\n", health.written()));
    }
    if judged.policies.is_empty() {
        return;
    }
    text.push("\n");
    let title = |it: &Policy| crate::list::shown(&it.title).chars().count();
    let width = judged.policies.iter().map(title).max().unwrap_or(0).clamp(20, 60) + 2;
    text.push("  Status ");
    text.bar();
    let head = "Policy";
    text.spaces((width - head.len()) / 2);
    text.padded(head, width - (width - head.len()) / 2);
    text.bar();
    text.push("           Results\n");
    text.rules(&[9, width, 30]);
    for it in &judged.policies {
        text.push("  ");
        text.sign(sign(it.state));
        text.push("      ");
        text.bar();
        text.push(" ");
        text.padded(&it.title, width - 1);
        text.bar();
        text.push(" ");
        match it.results() {
            Results::Levels(levels) => {
                for (number, (level, count)) in levels.into_iter().enumerate() {
                    text.push(if number == 0 { "" } else { "  " });
                    text.cell(level, count);
                }
            }
            Results::Text(said) => {
                text.push("   ");
                text.push(&said);
            }
        }
        text.trim();
        text.push("\n");
        if let Some(why) = &it.why {
            text.push("         ");
            text.bar();
            text.push(" ");
            text.spaces(width - 1);
            text.bar();
            text.push("    ");
            text.push_shown(why);
            text.push("\n");
        }
    }
}

fn sign(state: State) -> Sign {
    match state {
        State::Met => Sign::Good,
        State::NotMet => Sign::Warning,
        State::Unknown => Sign::Unknown,
    }
}

fn mark(state: State) -> &'static str {
    match state {
        State::Met => ":white_check_mark:",
        State::NotMet => ":warning:",
        State::Unknown => ":question:",
    }
}

/// Violations of one policy that are told one by one.
const TOLD: usize = 100;

/// All of it: what was judged, the section, and what stands against the image by each policy that is not
/// met.
pub fn write_text(analysis: &Analysis, judged: &Judged, options: &Options) -> String {
    let mut text = Text::new(options, 4096);
    text.heading("Overview");
    for (label, value) in overview(analysis, judged) {
        text.padded(&format!("  {label}"), 19);
        text.bar();
        text.push("  ");
        text.push_shown(&value);
        text.push("\n");
    }
    text.push("\n");
    text.heading("Policies");
    section(&mut text, judged);
    text.push("\n");
    not_known(&mut text, analysis);
    rests_on(&mut text, &analysis.basis);
    for policy in judged.policies.iter().filter(|it| it.state == State::NotMet) {
        text.push("\n");
        text.heading(&format!("{} ({})", policy.title, policy.id));
        table(&mut text, policy);
        let mut told = BTreeSet::new();
        for it in policy.violations.iter().filter_map(|it| it.remediation.as_ref()) {
            if told.len() < TOLD && told.insert(it) {
                text.push("  ");
                text.styled(Style::Good, "Fix: ");
                text.wrapped(it, "       ");
            }
        }
    }
    text.out
}

/// What stands against the image, by the columns of the policy; without any, in sentences.
fn table(text: &mut Text<'_>, policy: &Policy) {
    let shown = policy.violations.iter().take(TOLD);
    if policy.columns.is_empty() {
        for it in shown {
            text.push("  ");
            text.wrapped(&it.message, "    ");
        }
    } else {
        let cells = |it: &Violation| -> Vec<String> {
            policy.columns.iter().map(|column| cell(&it.detail[column])).collect()
        };
        let rows: Vec<Vec<String>> =
            std::iter::once(policy.columns.clone()).chain(shown.map(cells)).collect();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|it| it.get(column));
            cells.map(|it| crate::list::shown(it).chars().count()).max().unwrap_or(0).min(80)
        };
        let widths: Vec<usize> = (0..policy.columns.len()).map(width).collect();
        for (number, row) in rows.iter().enumerate() {
            text.push("  ");
            for (cell, width) in row.iter().zip(&widths) {
                text.padded(cell, *width);
                text.push("  ");
            }
            text.trim();
            text.push("\n");
            if number == 0 {
                text.push("  ");
                let line = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
                text.rule(line, None);
            }
        }
    }
    if policy.count > TOLD {
        text.push(&format!("  and {} more: --result-file has them\n", policy.count - TOLD));
    }
}

/// A value in a cell.
fn cell(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn overview(analysis: &Analysis, judged: &Judged) -> Vec<(&'static str, String)> {
    let subject = &analysis.inventory.subject;
    let is_path = matches!(subject, Subject::Directory { .. });
    let mut lines = vec![(if is_path { "Path" } else { "Target" }, subject.name().to_owned())];
    if let Some(image) = subject.image() {
        if let Some(digest) = &image.digest {
            lines.push(("  digest", page::short(digest.as_str()).to_owned()));
        }
        lines.push(("  platform", image.platform.to_string()));
    }
    if let Some(there) = &judged.there {
        lines.push(("Environment", there.environment.clone()));
        if !there.policies.is_empty() {
            lines.push(("  policies", there.policies.clone()));
        }
        let now = match (&*there.running, &*there.unseen) {
            ([], []) => vec!["nothing of this repository".to_owned()],
            ([], _) => vec!["nothing of this repository that is known".to_owned()],
            (some, _) => some.to_vec(),
        };
        lines.extend(now.into_iter().map(|it| ("  runs now", it)));
        lines.extend(there.unseen.iter().map(|it| ("  not seen", it.clone())));
    }
    lines
}

/// The same for a comment on GitHub or GitLab.
pub fn write_markdown(analysis: &Analysis, judged: &Judged) -> String {
    let mut out = "<h2>:shield: Policies of <code>".to_owned();
    push_code(&mut out, analysis.inventory.subject.name());
    out.push_str("</code></h2>\n\n");
    markdown(&mut out, judged);
    out
}

/// The section for such a comment.
pub(crate) fn markdown(out: &mut String, judged: &Judged) {
    let (is_met, status) = judged.status();
    let sign = if is_met { ":white_check_mark:" } else { ":x:" };
    let _ = writeln!(out, "<p>{sign} Policy status: {status}</p>\n");
    if let Some(Health { grade, percent, earned, possible }) = &judged.health {
        let _ = writeln!(
            out,
            "<p>Health score: <b>{grade}</b> ({percent}%: {earned} of {possible} points)</p>\n"
        );
    }
    out.push_str("<table>\n<tr><th>Status</th><th>Policy</th><th>Results</th></tr>\n");
    for it in &judged.policies {
        let _ = write!(out, "<tr><td>{}</td><td>", mark(it.state));
        html::push(out, &it.title);
        out.push_str("</td><td>");
        it.results().write_markdown(out);
        if let Some(why) = &it.why {
            out.push_str(": ");
            html::push(out, why);
        }
        out.push_str("</td></tr>\n");
    }
    out.push_str("</table>\n\n");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged() -> Judged {
        let violation = |detail: serde_json::Value| Violation {
            message: "it stands against it".to_owned(),
            detail,
            remediation: Some("mend it".to_owned()),
        };
        let flaw = |severity: &str| {
            violation(json!({ "purl": "pkg:npm/lodash@1", "severity": severity, "score": 9.8 }))
        };
        let policies = vec![
            Policy {
                id: "fixable-vulnerabilities".to_owned(),
                title: "Fixable critical or high vulnerabilities found".to_owned(),
                state: State::NotMet,
                kind: Kind::Vulnerability,
                points: 20,
                columns: vec!["purl".to_owned(), "severity".to_owned(), "score".to_owned()],
                violations: vec![flaw("CRITICAL"), flaw("HIGH"), flaw("HIGH")],
                count: 3,
                why: None,
            },
            Policy {
                id: "root".to_owned(),
                title: "Default non-root user".to_owned(),
                state: State::Met,
                kind: Kind::Boolean,
                points: 5,
                ..Policy::default()
            },
            Policy {
                id: "stale".to_owned(),
                title: "No outdated base images".to_owned(),
                why: Some("the base image is unknown\u{1b}[2J".to_owned()),
                ..Policy::default()
            },
        ];
        let health = Health { grade: "E".to_owned(), percent: 20, earned: 5, possible: 25 };
        Judged { policies, health: Some(health), there: None }
    }

    fn write_section(judged: &Judged, options: &Options) -> String {
        let mut text = Text::new(options, 1024);
        section(&mut text, judged);
        text.out
    }

    #[test]
    fn a_section_says_how_many_are_met_and_what_is_not_known() {
        let options = Options { unicode: true, ..Options::default() };
        insta::assert_snapshot!(write_section(&judged(), &options));
        let plain = write_section(&judged(), &Options::default());
        assert!(plain.is_ascii() && !plain.contains('\u{1b}'), "{plain}");
    }

    #[test]
    fn what_nobody_sees_is_not_nothing() {
        let label = |there: There| {
            let analysis = crate::report::tests::analysis();
            overview(&analysis, &Judged { there: Some(there), ..Judged::default() })
        };
        let blind =
            There { unseen: vec!["runtime eu1: it is silent".to_owned()], ..There::default() };
        for (there, expect) in [
            (There::default(), "nothing of this repository"),
            (blind, "nothing of this repository that is known"),
        ] {
            let told = label(there);
            let now = told.iter().find(|it| it.0 == "  runs now").unwrap();
            assert_eq!(now.1, expect);
        }
    }

    #[test]
    fn all_met_is_success_and_nothing_known_is_not() {
        let mut it = judged();
        it.policies.retain(|it| it.state == State::Met);
        assert!(it.is_met() && write_section(&it, &Options::default()).contains("SUCCESS  (1/1"));
        it.policies[0].state = State::Unknown;
        assert!(!it.is_met());
        assert!(write_section(&it, &Options::default()).contains("FAILED  (0/1 policies met, 1 m"));
    }
}
