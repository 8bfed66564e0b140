//! ground: what an image stands on, in the lines of a report.

use model::Finding;

use crate::page::Tally;
use crate::paint::{Sign, Text};

/// What an image stands on, as far as it is known.
#[derive(Clone, Debug)]
pub struct Ground {
    /// What that is called; none where there is no base, or nobody can tell.
    pub name: Option<String>,
    /// It was built from scratch.
    pub is_scratch: bool,
    /// How that is known, or why it is not.
    pub how: String,
    /// What of its findings comes from there; none where nobody can tell.
    pub findings: Option<Vec<Finding>>,
    /// What was said about it and does not hold.
    pub doubts: Vec<String>,
}

impl Ground {
    /// What to call it, also where it has no name.
    pub(crate) fn called(&self) -> &str {
        match &self.name {
            Some(name) => name,
            None if self.is_scratch => "none (from scratch)",
            None => "not known",
        }
    }

    /// How many of the findings come from there.
    pub(crate) fn tally(&self) -> Option<Tally> {
        self.findings.as_ref().map(Tally::of)
    }

    /// The lines that say how that is known, and what does not hold; `title` says of what.
    pub(crate) fn tell(&self, text: &mut Text<'_>, title: &str) {
        let mut line = |sign: Sign, says: &str| {
            text.push("  ");
            text.sign(sign);
            text.push(" ");
            text.push_shown(says);
            text.push("\n");
        };
        if self.name.is_some() || self.is_scratch {
            line(Sign::Same, &format!("{title}: {}", self.how));
        } else {
            line(Sign::Unknown, &format!("{title} not known: {}", self.how));
        }
        for doubt in self.doubts.iter().filter(|it| **it != self.how) {
            line(Sign::Warning, doubt);
        }
    }
}
