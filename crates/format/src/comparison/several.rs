//! Several comparisons at once: what a promotion from one environment to another would bring.

use std::fmt::Write as _;

use model::{Comparison, Fate, Gap};

use super::{Options, Parts, Promotion, Report, page};
use crate::html;
use crate::list::shown;
use crate::page::short;
use crate::words::many;

/// What runs in two places, application by application.
#[derive(Clone, Debug, Default)]
pub struct Several {
    /// What is looked at: an environment.
    pub after: String,
    /// What it is held against.
    pub before: String,
    /// Each application.
    pub applications: Vec<Application>,
    /// What policies say, where they are asked.
    pub policies: Option<Promotion>,
}

/// An application in both places, or in one.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// For which platform.
    pub platform: String,
    /// The image that is looked at, with its digest.
    pub after: Option<String>,
    /// The image that it is held against, with its digest.
    pub before: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of comparing an application.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The same image is on both sides.
    Unchanged,
    /// Other images are.
    Compared(Box<Comparison>),
    /// It is new there: held against nothing.
    Added(Box<Comparison>),
    /// It is not here, and a promotion leaves it where it is.
    Removed,
    /// Nobody can tell, and why.
    Unknown(Vec<Gap>),
}

impl Outcome {
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Compared(_) => "compared",
            Self::Added(_) => "added",
            Self::Removed => "removed",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl Application {
    /// All that is different, where something is to be compared.
    pub fn comparison(&self) -> Option<&Comparison> {
        match &self.outcome {
            Outcome::Compared(it) | Outcome::Added(it) => Some(it),
            Outcome::Unchanged | Outcome::Removed | Outcome::Unknown(_) => None,
        }
    }
}

/// What is held against what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Between {
    /// What is looked at: an environment.
    pub after: String,
    /// What it is held against.
    pub before: String,
}

/// What is remembered of each application until all are known.
#[derive(Debug, Default)]
pub(super) struct Overview {
    pub(super) between: Between,
    rows: Vec<Row>,
    /// Of the part that has its turn.
    next: usize,
}

/// An application in few words.
#[derive(Debug)]
struct Row {
    name: String,
    platform: String,
    after: Option<String>,
    before: Option<String>,
    outcome: &'static str,
    introduced: usize,
    fixed: usize,
    unclear: usize,
}

impl Overview {
    pub(super) fn of(between: Between) -> Self {
        Self { between, ..Self::default() }
    }

    /// One more.
    pub(super) fn add(&mut self, it: &Application) {
        let count = |fate| it.comparison().map_or(0, |it| page::count(it, fate).0);
        self.rows.push(Row {
            name: it.name.clone(),
            platform: it.platform.clone(),
            after: it.after.clone(),
            before: it.before.clone(),
            outcome: it.outcome.as_str(),
            introduced: count(Fate::Introduced),
            fixed: count(Fate::Fixed),
            unclear: count(Fate::Unclear),
        });
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many applications came to that.
    pub(super) fn number(&self, outcome: &str) -> usize {
        self.rows.iter().filter(|it| it.outcome == outcome).count()
    }

    pub(super) fn total(&self, fate: Fate) -> usize {
        let of = |it: &Row| match fate {
            Fate::Introduced => it.introduced,
            Fate::Fixed => it.fixed,
            Fate::Unclear => it.unclear,
            Fate::Changed | Fate::Unchanged => 0,
        };
        self.rows.iter().map(of).sum()
    }

    /// Names need no platform where all are for one.
    fn is_of_one_platform(&self) -> bool {
        let mut platforms = self.rows.iter().map(|it| &it.platform);
        let first = platforms.next();
        platforms.all(|it| Some(it) == first)
    }

    /// What the part that has its turn is called, and what came of it.
    fn turn(&mut self, alone: bool) -> (String, &'static str) {
        let row = self.rows.get(self.next);
        self.next += 1;
        row.map_or_else(Default::default, |it| (it.title(alone), it.outcome))
    }

    /// Sentences over all, the most important first.
    fn says(&self) -> Vec<String> {
        let mut says = Vec::new();
        let numbers = [Fate::Introduced, Fate::Fixed].map(|it| self.total(it));
        says.push(format!(
            "{} introduced, {} fixed",
            many(numbers[0], "vulnerability"),
            many(numbers[1], "vulnerability")
        ));
        let unclear = self.total(Fate::Unclear);
        if unclear > 0 {
            let what = many(unclear, "vulnerability");
            says.push(format!("{what} on one side alone, and may be hidden on the other"));
        }
        let unknown = self.number("unknown");
        if unknown > 0 {
            says.push(format!("{}: cannot tell", many(unknown, "application")));
        }
        let mut parts = Vec::new();
        for (outcome, what) in
            [("compared", "changed"), ("added", "added"), ("unchanged", "unchanged")]
        {
            let number = self.number(outcome);
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        let removed = self.number("removed");
        if removed > 0 {
            let before = &self.between.before;
            parts.push(format!("{removed} only in {before} (a promotion leaves it there)"));
        }
        if !parts.is_empty() {
            says.push(format!("applications: {}", parts.join(", ")));
        }
        says
    }
}

impl Row {
    /// `shop/web`, with its platform where several are told of.
    fn title(&self, alone: bool) -> String {
        if alone { self.name.clone() } else { format!("{} ({})", self.name, self.platform) }
    }

    /// As it stands in the table over all.
    fn cells(&self, alone: bool) -> [String; 6] {
        let count = |number: usize| match self.outcome {
            "compared" | "added" => number.to_string(),
            "unchanged" => "0".to_owned(),
            "removed" => "-".to_owned(),
            _ => "?".to_owned(),
        };
        let outcome = match self.outcome {
            "compared" => "changed",
            "unknown" => "cannot tell",
            other => other,
        };
        [
            self.title(alone),
            outcome.to_owned(),
            brief(self.after.as_deref()),
            brief(self.before.as_deref()),
            count(self.introduced),
            count(self.fixed),
        ]
    }
}

/// `acme/web:v1 (0123456789ab)`.
fn brief(image: Option<&str>) -> String {
    let Some(image) = image else { return "-".to_owned() };
    match image.split_once('@') {
        Some((name, digest)) => format!("{name} ({})", short(digest)),
        None => image.to_owned(),
    }
}

const HEAD: [&str; 4] = ["APPLICATION", "", "INTRODUCED", "FIXED"];

/// For a terminal: the table over all, then each application below a heading of its own.
pub(super) struct Text<'a> {
    overview: Overview,
    report: &'a dyn Report,
    options: &'a Options,
    alone: bool,
}

impl<'a> Text<'a> {
    pub(super) fn new(report: &'a dyn Report, between: Between, options: &'a Options) -> Self {
        Self { overview: Overview::of(between), report, options, alone: true }
    }
}

impl Parts for Text<'_> {
    fn part(&mut self, it: &Application) -> String {
        self.overview.add(it);
        match &it.outcome {
            // They are one line, and that stands above.
            Outcome::Unchanged | Outcome::Removed => String::new(),
            Outcome::Unknown(gaps) => {
                let mut text = String::new();
                for gap in gaps {
                    let _ = writeln!(text, "  ? {}", shown(&gap.to_string()));
                }
                text
            }
            Outcome::Compared(comparison) | Outcome::Added(comparison) => {
                let mut text = self.report.write(comparison, self.options);
                text.truncate(text.trim_end_matches('\n').len());
                text.push('\n');
                text
            }
        }
    }

    fn begin(&mut self, policies: Option<&Promotion>) -> String {
        self.alone = self.overview.is_of_one_platform();
        let Between { after, before } = &self.overview.between;
        let mut out = String::new();
        let _ = writeln!(out, "# {} compared to {}\n", shown(after), shown(before));
        for line in self.overview.says() {
            let _ = writeln!(out, "  {}", shown(&line));
        }
        let head = [HEAD[0], HEAD[1], after, before, HEAD[2], HEAD[3]].map(str::to_owned);
        let mut rows = vec![head];
        rows.extend(self.overview.rows.iter().map(|it| it.cells(self.alone)));
        let rows: Vec<[String; 6]> =
            rows.into_iter().map(|it| it.map(|cell| shown(&cell).into_owned())).collect();
        let width = |at: usize| {
            rows.iter().filter_map(|it| it.get(at)).map(|it| it.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..6).map(width).collect();
        out.push('\n');
        for row in &rows {
            let line: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            let _ = writeln!(out, "  {}", line.join("  ").trim_end());
        }
        if let Some(policies) = policies {
            let _ = writeln!(out, "\n# Policies of {}\n", shown(before));
            let _ = writeln!(out, "  {}", policies.says());
            for it in &policies.worse {
                for line in it.lines([after, before]) {
                    let _ = writeln!(out, "  ! {}: {}", shown(&it.application), shown(&line));
                }
            }
        }
        out
    }

    fn next(&mut self, part: &str) -> String {
        let (title, outcome) = self.overview.turn(self.alone);
        match outcome {
            "unchanged" | "removed" => String::new(),
            _ => format!("\n# {}\n\n{part}", shown(&title)),
        }
    }

    fn end(&mut self) -> String {
        String::new()
    }
}

/// For a comment: the same, as far as there is room.
pub(super) struct Markdown<'a> {
    overview: Overview,
    report: &'a dyn Report,
    options: &'a Options,
    alone: bool,
    /// So much is written by now, and so many parts are left out.
    length: usize,
    left: usize,
}

impl<'a> Markdown<'a> {
    pub(super) fn new(report: &'a dyn Report, between: Between, options: &'a Options) -> Self {
        let overview = Overview::of(between);
        Self { overview, report, options, alone: true, length: 0, left: 0 }
    }
}

impl Parts for Markdown<'_> {
    fn part(&mut self, it: &Application) -> String {
        self.overview.add(it);
        match &it.outcome {
            Outcome::Unchanged | Outcome::Removed => String::new(),
            Outcome::Unknown(gaps) => {
                let mut part = String::new();
                html::gaps(&mut part, &gaps.iter().collect::<Vec<&Gap>>());
                part
            }
            Outcome::Compared(comparison) | Outcome::Added(comparison) => {
                self.report.write(comparison, self.options)
            }
        }
    }

    fn begin(&mut self, policies: Option<&Promotion>) -> String {
        self.alone = self.overview.is_of_one_platform();
        let Between { after, before } = &self.overview.between;
        let mut out = String::from("<h2>:mag: <code>");
        html::push_code(&mut out, after);
        out.push_str("</code> compared to <code>");
        html::push_code(&mut out, before);
        out.push_str("</code></h2>\n\n");
        for line in self.overview.says() {
            out.push_str("<p>");
            html::push(&mut out, &line);
            out.push_str("</p>\n");
        }
        out.push_str("\n<table>\n<tr><th>application</th><th></th><th>");
        html::push(&mut out, after);
        out.push_str("</th><th>");
        html::push(&mut out, before);
        out.push_str("</th><th>introduced</th><th>fixed</th></tr>\n");
        let rows = self.overview.rows.iter().take_while(|it| {
            html::within(&mut out, html::ROOM, |out| {
                out.push_str("<tr>");
                for cell in it.cells(self.alone) {
                    out.push_str("<td>");
                    html::push(out, &cell);
                    out.push_str("</td>");
                }
                out.push_str("</tr>\n");
            })
        });
        self.left = self.overview.rows.len() - rows.count();
        out.push_str("</table>\n\n");
        if let Some(policies) = policies {
            self.left += promotion(&mut out, policies, [after, before]);
        }
        self.length = out.len();
        out
    }

    fn next(&mut self, part: &str) -> String {
        let (title, outcome) = self.overview.turn(self.alone);
        if matches!(outcome, "unchanged" | "removed") {
            return String::new();
        }
        let mut out = String::from("<h3><code>");
        html::push_code(&mut out, &title);
        out.push_str("</code></h3>\n\n");
        out.push_str(part);
        if self.length + out.len() > html::ROOM {
            self.left += 1;
            return String::new();
        }
        self.length += out.len();
        out
    }

    fn end(&mut self) -> String {
        if self.left == 0 {
            return String::new();
        }
        format!(
            "<p>:scissors: Cut here, since no comment may be longer: {} left out. See <code>foretop compare</code> or another format for all.</p>\n",
            many(self.left, "part")
        )
    }
}

/// What policies say, as far as there is room; so many applications are left out.
fn promotion(out: &mut String, policies: &Promotion, [from, to]: [&str; 2]) -> usize {
    out.push_str("<h3>Policies of <code>");
    html::push_code(out, to);
    out.push_str("</code></h3>\n\n<p>");
    html::push(out, &policies.says());
    out.push_str("</p>\n<ul>\n");
    let told = policies.worse.iter().take_while(|it| {
        html::within(out, html::ROOM, |out| {
            for line in it.lines([from, to]) {
                out.push_str("<li>");
                html::push(out, &format!("{}: {line}", it.application));
                out.push_str("</li>\n");
            }
        })
    });
    let left = policies.worse.len() - told.count();
    out.push_str("</ul>\n\n");
    left
}
