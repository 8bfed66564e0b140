//! Outcomes counted: precision and recall of each space, and the least that is accepted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::case::Class;
use crate::judge::Outcome;

/// Counts of one space.
#[derive(Clone, Copy, Default)]
pub(crate) struct Score {
    /// Labels.
    pub(crate) cases: usize,
    pub(crate) true_positives: usize,
    pub(crate) false_positives: usize,
    pub(crate) false_negatives: usize,
    pub(crate) true_negatives: usize,
    /// Gaps that are to be told, and those of them that are.
    pub(crate) gaps: (usize, usize),
    /// Labels whose words (fix, outlook, verdict, severity) are told as they are to be.
    pub(crate) told: usize,
}

/// The least that is accepted of a space.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Floor {
    cases: usize,
    precision: f64,
    recall: f64,
    gaps: f64,
    told: f64,
}

impl Score {
    pub(crate) fn of(outcomes: &[Outcome]) -> Self {
        let mut score = Self::default();
        for outcome in outcomes {
            score.count(outcome);
        }
        score
    }

    fn count(&mut self, outcome: &Outcome) {
        let is_found = outcome.got.class == Class::Finding;
        self.told += usize::from(outcome.is_told_right);
        let Some(label) = &outcome.label else {
            self.false_positives += 1;
            return;
        };
        self.cases += 1;
        match (label.class, is_found) {
            (Class::Finding, true) => self.true_positives += 1,
            (Class::Finding, false) => self.false_negatives += 1,
            (_, true) => self.false_positives += 1,
            (_, false) => self.true_negatives += 1,
        }
        if label.class == Class::Gap {
            self.gaps.0 += 1;
            self.gaps.1 += usize::from(outcome.got.class == Class::Gap);
        }
    }

    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.false_negatives += other.false_negatives;
        self.true_negatives += other.true_negatives;
        self.gaps = (self.gaps.0 + other.gaps.0, self.gaps.1 + other.gaps.1);
        self.told += other.told;
    }

    pub(crate) fn precision(&self) -> f64 {
        share(self.true_positives, self.true_positives + self.false_positives)
    }

    pub(crate) fn recall(&self) -> f64 {
        share(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// What has fallen below the floor, in words.
    pub(crate) fn below(&self, floor: &Floor) -> Vec<String> {
        let numbers = [
            ("precision", self.precision(), floor.precision),
            ("recall", self.recall(), floor.recall),
            ("gaps told", share(self.gaps.1, self.gaps.0), floor.gaps),
            ("told right", share(self.told, self.cases), floor.told),
        ];
        let mut below: Vec<String> = numbers
            .into_iter()
            .filter(|(_, is, least)| is < least)
            .map(|(what, is, least)| format!("{what} is {is:.3}, the floor is {least:.3}"))
            .collect();
        if self.cases < floor.cases {
            below.push(format!("{} cases, the floor is {}", self.cases, floor.cases));
        }
        below
    }

    fn row(&self, space: &str) -> String {
        format!(
            "| {space} | {} | {} | {} | {} | {} | {:.3} | {:.3} | {}/{} | {}/{} |\n",
            self.cases,
            self.true_positives,
            self.false_positives,
            self.false_negatives,
            self.true_negatives,
            self.precision(),
            self.recall(),
            self.gaps.1,
            self.gaps.0,
            self.told,
            self.cases,
        )
    }
}

/// The table of all spaces, as it stands in the documents.
pub(crate) fn table(scores: &BTreeMap<String, Score>) -> String {
    let mut text = String::from(
        "| space | cases | true + | false + | false − | true − | precision | recall | gaps told | told right |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let mut all = Score::default();
    for (space, score) in scores {
        text.push_str(&score.row(space));
        all.add(score);
    }
    let _ = write!(text, "{}", all.row("**all**"));
    text
}

#[expect(clippy::cast_precision_loss, reason = "nobody writes so many cases")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}
