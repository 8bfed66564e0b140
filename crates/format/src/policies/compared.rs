//! What policies say of two images, beside each other.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Health, Judged, Policy, Results, State, mark, sign};
use crate::html;
use crate::paint::{Style, Text};

/// What policies say of both sides of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Of what is looked at.
    pub after: Judged,
    /// Of what it is held against.
    pub before: Judged,
}

/// What one policy says of both.
#[derive(Serialize)]
pub(crate) struct Pair<'a> {
    /// Its stable name.
    id: &'a str,
    /// What it is called for what is looked at.
    title: &'a str,
    change: Change,
    analyzed: Word<'a>,
    comparison: Word<'a>,
}

/// What it says of one side.
#[derive(Clone, Copy, Serialize)]
struct Word<'a> {
    state: State,
    why: Option<&'a str>,
    violations: usize,
    #[serde(skip)]
    policy: Option<&'a Policy>,
}

/// What became of a policy, whatever the number of violations.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    Same,
    Improved,
    /// It was met, and is not any more, or nobody can tell any more; or nobody could, and it is not met.
    Worse,
}

impl Change {
    fn of(after: State, before: State) -> Self {
        match (after, before) {
            _ if after == before => Self::Same,
            (State::Met, _) | (State::Unknown, State::NotMet) => Self::Improved,
            _ => Self::Worse,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Improved => "improved",
            Self::Worse => "worse",
        }
    }
}

/// Both scores.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    worse: bool,
    health: Sides<&'a Option<Health>>,
    policies: Vec<Pair<'a>>,
}

#[derive(Serialize)]
struct Sides<T> {
    analyzed: T,
    comparison: T,
}

impl Compared {
    /// Is any policy worse off than before?
    pub fn is_worse(&self) -> bool {
        self.pairs().iter().any(|it| it.change == Change::Worse)
    }

    /// Each policy that is worse off, and what it was.
    pub fn worse(&self) -> impl Iterator<Item = (&Policy, State)> {
        let is_worse = |(after, before): &(&Policy, &Policy)| {
            Change::of(after.state, before.state) == Change::Worse
        };
        self.both().filter(is_worse).map(|(after, before)| (after, before.state))
    }

    /// Each policy by which both sides were judged: as it says of the one, and of the other.
    fn both(&self) -> impl Iterator<Item = (&Policy, &Policy)> {
        let before = |id: &str| self.before.policies.iter().find(|it| it.id == id);
        self.after.policies.iter().filter_map(move |after| Some((after, before(&after.id)?)))
    }

    /// The same, as it is written.
    fn pairs(&self) -> Vec<Pair<'_>> {
        let pairs = self.both().map(|(after, before)| Pair {
            id: &after.id,
            title: &after.title,
            change: Change::of(after.state, before.state),
            analyzed: Word::of(after),
            comparison: Word::of(before),
        });
        pairs.collect()
    }

    /// For scripts.
    pub(crate) fn document(&self) -> Document<'_> {
        let Self { after, before } = self;
        let health = Sides { analyzed: &after.health, comparison: &before.health };
        Document { worse: self.is_worse(), health, policies: self.pairs() }
    }

    /// The section of a comparison.
    pub(crate) fn write(&self, text: &mut Text<'_>) {
        let Self { after, before } = self;
        text.heading("Policies");
        let (is_met, status) = after.status();
        text.styled(Style::Bold, "Policy status");
        text.push("  ");
        text.styled(if is_met { Style::Good } else { Style::Warning }, &status);
        text.push(&format!(", was {}\n", before.status().1));
        if let (Some(now), Some(was)) = (&after.health, &before.health) {
            text.styled(Style::Bold, "Health score");
            text.push(&format!("  {}, was {}\n", now.written(), was.written()));
        }
        text.push("\n");
        let pairs = self.pairs();
        let title = |it: &Pair<'_>| crate::list::shown(it.title).chars().count();
        let width = pairs.iter().map(title).max().unwrap_or(0).clamp(20, 60) + 3;
        text.padded("  Policy", width);
        for head in ["Analyzed", "Comparison"] {
            text.bar();
            text.padded(&format!("  {head}"), CELL);
        }
        text.trim();
        text.push("\n");
        text.rules(&[width, CELL, CELL]);
        for it in &pairs {
            text.padded(&format!("  {}", it.title), width);
            for word in [it.analyzed, it.comparison] {
                text.bar();
                word.write(text);
            }
            match it.change {
                Change::Same => {}
                Change::Improved => text.styled(Style::Good, it.change.word()),
                Change::Worse => text.styled(Style::Warning, it.change.word()),
            }
            text.trim();
            text.push("\n");
            let (now, was) = (it.analyzed.why, it.comparison.why);
            let told = if now == was {
                [("", now), ("", None)]
            } else {
                [("analyzed: ", now), ("comparison: ", was)]
            };
            for (side, why) in told {
                let Some(why) = why else { continue };
                text.push(&format!("    {side}"));
                text.push_shown(why);
                text.push("\n");
            }
        }
        text.push("\n");
    }

    /// The same for a comment on GitHub or GitLab.
    pub(crate) fn write_markdown(&self, out: &mut String) {
        let Self { after, before } = self;
        let (is_met, status) = after.status();
        let unfolds = if self.is_worse() { " open=\"true\"" } else { "" };
        let sign = if is_met { ":white_check_mark:" } else { ":x:" };
        let was = before.status().1;
        let _ = writeln!(
            out,
            "<details{unfolds}><summary>{sign} Policy status: {status}, was {was}</summary>\n<table>\n\
             <tr><th>Policy</th><th>Analyzed</th><th>Comparison</th><th></th></tr>"
        );
        for it in self.pairs() {
            out.push_str("<tr><td>");
            html::push(out, it.title);
            for word in [it.analyzed, it.comparison] {
                let _ = write!(out, "</td><td>{} ", mark(word.state));
                match (word.why, word.policy) {
                    (Some(why), _) => html::push(out, why),
                    (None, Some(policy)) => policy.results().write_markdown(out),
                    (None, None) => {}
                }
            }
            let _ = writeln!(out, "</td><td>{}</td></tr>", it.change.word());
        }
        out.push_str("</table>\n</details>\n\n");
    }
}

/// Columns of what is told of one side.
const CELL: usize = 34;

impl<'a> Word<'a> {
    fn of(it: &'a Policy) -> Self {
        let (why, policy) = (it.why.as_deref(), Some(it));
        Self { state: it.state, why, violations: it.count, policy }
    }

    /// A cell.
    fn write(self, text: &mut Text<'_>) {
        text.push(" ");
        text.sign(sign(self.state));
        text.push(" ");
        let taken = match self.policy.map(Policy::results) {
            Some(Results::Levels(levels)) => {
                for (level, count) in &levels {
                    text.cell(*level, *count);
                    text.push(" ");
                }
                levels.len() * 6
            }
            Some(Results::Text(said)) => {
                text.push(&said);
                said.chars().count()
            }
            None => 0,
        };
        text.spaces((CELL - 3).saturating_sub(taken));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_told_any_more_is_worse() {
        let check = |after: State, before: State, expect: &str| {
            let judged = |state| {
                let policy = Policy { id: "one".to_owned(), state, ..Policy::default() };
                Judged { policies: vec![policy], ..Judged::default() }
            };
            let compared = Compared { after: judged(after), before: judged(before) };
            assert_eq!(compared.pairs()[0].change.word(), expect, "{after:?} {before:?}");
            assert_eq!(compared.is_worse(), expect == "worse");
        };
        check(State::Met, State::Met, "");
        check(State::Unknown, State::Unknown, "");
        check(State::Met, State::NotMet, "improved");
        check(State::Met, State::Unknown, "improved");
        check(State::Unknown, State::NotMet, "improved");
        check(State::NotMet, State::Met, "worse");
        check(State::Unknown, State::Met, "worse");
        check(State::NotMet, State::Unknown, "worse");
    }
}
