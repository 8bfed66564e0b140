//! How a comparison looks on paper: one file per report, listed in `ALL`.

use model::Comparison;

use crate::policies::Compared;
use crate::report;

pub use grounds::Grounds;
pub use promotion::{Promotion, Setback, Worse};
pub use several::{Application, Between, Outcome, Several};

mod grounds;
mod json;
mod markdown;
mod page;
mod promotion;
mod several;
#[cfg(test)]
mod tests;
mod text;

/// A way of writing a comparison down.
pub trait Report: Sync {
    /// What `--format` calls it, which is also its file's name.
    fn id(&self) -> &'static str;
    /// One line for help.
    fn title(&self) -> &'static str;
    /// The document. Same comparison and options, same bytes. Every gap of either side is in it, in
    /// whatever place the form has for it.
    fn write(&self, comparison: &Comparison, options: &Options) -> String;
    /// Begins the document about several applications: how much is different over all, then each.
    fn several<'a>(&'a self, between: Between, options: &'a Options) -> Box<dyn Parts + 'a>;
    /// The document about several applications that are all there.
    fn write_several(&self, several: &Several, options: &Options) -> String {
        let between = Between { after: several.after.clone(), before: several.before.clone() };
        let mut parts = self.several(between, options);
        let all: Vec<String> = several.applications.iter().map(|it| parts.part(it)).collect();
        let mut text = parts.begin(several.policies.as_ref());
        for it in &all {
            text.push_str(&parts.next(it));
        }
        text.push_str(&parts.end());
        text
    }
}

/// A document about several applications, one by one, so that nobody has to hold all of them: first each
/// is told, which is laid aside; then what stands above all of them is known, and each gets its place.
pub trait Parts {
    /// How this application is told of.
    fn part(&mut self, application: &Application) -> String;
    /// There are no more: what stands before the first, and what policies say of them, if they are asked.
    fn begin(&mut self, policies: Option<&Promotion>) -> String;
    /// What is to be written next, now that this part has its turn: all have, in their order.
    fn next(&mut self, part: &str) -> String;
    /// What stands behind the last one.
    fn end(&mut self) -> String;
}

/// What a reader wants to see.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What all reports want to know: when, by whom, and where it is shown.
    pub report: report::Options,
    /// Findings that are the same on both sides are left out (`--ignore-unchanged`).
    pub ignore_unchanged: bool,
    /// What policies say of both sides, where they are asked.
    pub policies: Option<Compared>,
    /// What both sides stand on, where somebody looked.
    pub grounds: Grounds,
}

/// Every report. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Report] = &[&text::Text, &json::Json, &markdown::Markdown];

/// The report with that id.
pub fn find(id: &str) -> Option<&'static dyn Report> {
    ALL.iter().copied().find(|report| report.id() == id)
}
