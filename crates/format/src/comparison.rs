//! How a comparison looks on paper: one file per report, listed in `ALL`.

use model::Comparison;

use crate::report;

mod json;
mod markdown;
mod page;
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
}

/// What a reader wants to see.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What all reports want to know: when, by whom, and where it is shown.
    pub report: report::Options,
    /// Findings that are the same on both sides are left out (`--ignore-unchanged`).
    pub ignore_unchanged: bool,
}

/// Every report. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Report] = &[&text::Text, &json::Json, &markdown::Markdown];

/// The report with that id.
pub fn find(id: &str) -> Option<&'static dyn Report> {
    ALL.iter().copied().find(|report| report.id() == id)
}
