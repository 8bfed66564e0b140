//! Several comparisons at once: what a promotion from one environment to another would bring.

use std::fmt::Write as _;

use model::{Comparison, Fate, Gap};

use super::{Options, Report, page};
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

    fn count(&self, fate: Fate) -> usize {
        self.comparison().map_or(0, |it| page::count(it, fate).0)
    }

    /// `shop/web`, with its platform where several are told of.
    fn title(&self, several: &Several) -> String {
        let alone = several.applications.iter().all(|it| it.platform == self.platform);
        if alone { self.name.clone() } else { format!("{} ({})", self.name, self.platform) }
    }
}

impl Several {
    /// How many applications came to that.
    pub(super) fn number(&self, outcome: &str) -> usize {
        self.applications.iter().filter(|it| it.outcome.as_str() == outcome).count()
    }

    pub(super) fn total(&self, fate: Fate) -> usize {
        self.applications.iter().map(|it| it.count(fate)).sum()
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
            parts.push(format!("{removed} only in {} (a promotion leaves it there)", self.before));
        }
        if !parts.is_empty() {
            says.push(format!("applications: {}", parts.join(", ")));
        }
        says
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

/// A row of the table over all.
fn cells(several: &Several, it: &Application) -> [String; 6] {
    let count = |fate| match &it.outcome {
        Outcome::Compared(_) | Outcome::Added(_) => it.count(fate).to_string(),
        Outcome::Unchanged => "0".to_owned(),
        Outcome::Removed => "-".to_owned(),
        Outcome::Unknown(_) => "?".to_owned(),
    };
    let outcome = match &it.outcome {
        Outcome::Compared(_) => "changed",
        Outcome::Unknown(_) => "cannot tell",
        other => other.as_str(),
    };
    [
        it.title(several),
        outcome.to_owned(),
        brief(it.after.as_deref()),
        brief(it.before.as_deref()),
        count(Fate::Introduced),
        count(Fate::Fixed),
    ]
}

const HEAD: [&str; 4] = ["APPLICATION", "", "INTRODUCED", "FIXED"];

/// For a terminal: the table over all, then each application below a heading of its own.
pub(super) fn text(report: &dyn Report, several: &Several, options: &Options) -> String {
    let Several { after, before, applications } = several;
    let mut out = String::new();
    let _ = writeln!(out, "# {} compared to {}\n", shown(after), shown(before));
    for line in several.says() {
        let _ = writeln!(out, "  {}", shown(&line));
    }
    let head = [HEAD[0], HEAD[1], after, before, HEAD[2], HEAD[3]].map(str::to_owned);
    let mut rows = vec![head];
    rows.extend(applications.iter().map(|it| cells(several, it)));
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
    for it in applications {
        let title = it.title(several);
        match &it.outcome {
            // They are one line, and that stands above.
            Outcome::Unchanged | Outcome::Removed => {}
            Outcome::Unknown(gaps) => {
                let _ = writeln!(out, "\n# {}\n", shown(&title));
                for gap in gaps {
                    let _ = writeln!(out, "  ? {}", shown(&gap.to_string()));
                }
            }
            Outcome::Compared(comparison) | Outcome::Added(comparison) => {
                let text = report.write(comparison, options);
                let text = text.trim_end_matches('\n');
                let _ = writeln!(out, "\n# {}\n\n{text}", shown(&title));
            }
        }
    }
    out
}

/// For a comment: the same, as far as there is room.
pub(super) fn markdown(report: &dyn Report, several: &Several, options: &Options) -> String {
    let Several { after, before, applications } = several;
    let mut out = String::from("<h2>:mag: <code>");
    html::push_code(&mut out, after);
    out.push_str("</code> compared to <code>");
    html::push_code(&mut out, before);
    out.push_str("</code></h2>\n\n");
    for line in several.says() {
        out.push_str("<p>");
        html::push(&mut out, &line);
        out.push_str("</p>\n");
    }
    out.push_str("\n<table>\n<tr><th>application</th><th></th><th>");
    html::push(&mut out, after);
    out.push_str("</th><th>");
    html::push(&mut out, before);
    out.push_str("</th><th>introduced</th><th>fixed</th></tr>\n");
    let rows = applications.iter().take_while(|it| {
        html::within(&mut out, html::ROOM, |out| {
            out.push_str("<tr>");
            for cell in cells(several, it) {
                out.push_str("<td>");
                html::push(out, &cell);
                out.push_str("</td>");
            }
            out.push_str("</tr>\n");
        })
    });
    let mut left = applications.len() - rows.count();
    out.push_str("</table>\n\n");
    for it in applications {
        let mut part = String::from("<h3><code>");
        html::push_code(&mut part, &it.title(several));
        part.push_str("</code></h3>\n\n");
        match &it.outcome {
            Outcome::Unchanged | Outcome::Removed => continue,
            Outcome::Unknown(gaps) => {
                let gaps: Vec<&Gap> = gaps.iter().collect();
                html::gaps(&mut part, &gaps);
            }
            Outcome::Compared(comparison) | Outcome::Added(comparison) => {
                part.push_str(&report.write(comparison, options));
            }
        }
        if !html::within(&mut out, html::ROOM, |out| out.push_str(&part)) {
            left += 1;
        }
    }
    if left > 0 {
        let _ = writeln!(
            out,
            "<p>:scissors: Cut here, since no comment may be longer: {} left out. See <code>foretop compare</code> or another format for all.</p>",
            many(left, "part")
        );
    }
    out
}
