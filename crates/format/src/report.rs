//! How an analysis looks on paper: one file per report, listed in `ALL`.

use std::fmt::Write as _;

use model::Analysis;

pub(crate) mod basis;
mod csv;
pub(crate) mod cyclonedx;
mod explain;
mod gitlab;
mod json;
mod markdown;
mod only_packages;
mod packages;
mod quickview;
mod sarif;
mod sbom;
mod spdx;

pub use basis::{basis_for_json, write_basis};
pub use csv::row as csv_row;
pub use explain::{write_explanation, write_explanation_json};
pub use quickview::{write_quickview, write_quickviews};

/// A way of writing an analysis down.
pub trait Report: Sync {
    /// What `--format` calls it, which is also its file's name with `_` for `-`: `only-packages`.
    fn id(&self) -> &'static str;
    /// One line for help.
    fn title(&self) -> &'static str;
    /// The document. Same analysis and options, same bytes. Every gap is in it, in whatever place the
    /// form has for it.
    fn write(&self, analysis: &Analysis, options: &Options) -> String;
    /// The document about several images at once, whose subjects have names that differ. `None`: the
    /// form holds one only.
    fn write_several(&self, _analyses: &[Analysis], _options: &Options) -> Option<String> {
        None
    }
}

/// Each report below a heading of its own, for people.
fn below_headings(report: &dyn Report, analyses: &[Analysis], options: &Options) -> String {
    let mut out = String::new();
    for analysis in analyses {
        let name = crate::list::shown(analysis.inventory.subject.name());
        let text = report.write(analysis, options);
        let _ = writeln!(out, "# {name}\n\n{}\n", text.trim_end_matches('\n'));
    }
    out
}

/// An array of documents, for programs.
fn array(report: &dyn Report, analyses: &[Analysis], options: &Options) -> String {
    let all: Vec<String> = analyses.iter().map(|it| report.write(it, options)).collect();
    let all: Vec<&str> = all.iter().map(|it| it.trim_end()).collect();
    format!("[\n{}\n]\n", all.join(",\n"))
}

/// What a reader wants to see.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `SOURCE_DATE_EPOCH`, or the moment of the analysis, in RFC 3339; no report asks the clock.
    pub created: Option<String>,
    /// Our own version.
    pub tool_version: String,
    /// Colours and box lines are wanted: the report goes to a terminal.
    pub colour: bool,
    /// Signs beyond ASCII may be used.
    pub unicode: bool,
    /// The columns of the terminal, where there is one.
    pub width: Option<usize>,
    /// Descriptions too (`--details`).
    pub details: bool,
    /// EPSS scores too, and findings ordered by them (`--epss`).
    pub epss: bool,
    /// File and layer of each package (`--locations`).
    pub locations: bool,
    /// Packages without findings are left out (`--only-vuln-packages`).
    pub only_vuln_packages: bool,
}

impl Options {
    /// What the formats of inventories want to know.
    fn of_document(&self) -> crate::Options {
        crate::Options {
            created: self.created.clone(),
            tool_version: self.tool_version.clone(),
            terminal: false,
        }
    }
}

/// Every report. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Report] = &[
    &packages::Packages,
    &only_packages::OnlyPackages,
    &json::Json,
    &csv::Csv,
    &sarif::Sarif,
    &gitlab::Gitlab,
    &markdown::Markdown,
    &spdx::Spdx,
    &cyclonedx::CycloneDx,
    &sbom::Sbom,
];

/// The report with that id.
pub fn find(id: &str) -> Option<&'static dyn Report> {
    ALL.iter().copied().find(|report| report.id() == id)
}

#[cfg(test)]
pub(crate) mod tests;
