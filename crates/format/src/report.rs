//! How an analysis looks on paper: one file per report, listed in `ALL`.

use std::io::{self, Write};

use model::Analysis;

pub(crate) mod basis;
mod better;
mod csv;
pub(crate) mod cyclonedx;
mod explain;
mod gitlab;
mod ground;
mod json;
mod markdown;
mod only_packages;
pub(crate) mod packages;
mod quickview;
mod sarif;
mod sbom;
mod spdx;

pub use crate::page::is_dark;
pub use basis::{basis_for_json, write_basis};
pub use better::Better;
pub use csv::row as csv_row;
pub use explain::{write_explanation, write_explanation_json};
pub use ground::Ground;
pub use quickview::{Beside, Quickviews, write_quickview, write_quickview_markdown};

/// A way of writing an analysis down.
pub trait Report: Sync {
    /// What `--format` calls it, which is also its file's name with `_` for `-`: `only-packages`.
    fn id(&self) -> &'static str;
    /// One line for help.
    fn title(&self) -> &'static str;
    /// The document. Same analysis and options, same bytes. Every gap is in it, in whatever place the
    /// form has for it.
    fn write(&self, analysis: &Analysis, options: &Options) -> String;
    /// The same, its last line ended, written there: a long one is never held in one piece.
    fn write_to(
        &self,
        analysis: &Analysis,
        options: &Options,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let text = self.write(analysis, options);
        out.write_all(text.as_bytes())?;
        if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") }
    }
    /// Begins the document about so many images, whose subjects have names that differ. `None`: the
    /// form holds one only.
    fn several<'a>(
        &'a self,
        _images: usize,
        _options: &'a Options,
    ) -> Option<Box<dyn Several + 'a>> {
        None
    }
    /// The document about several images at once.
    fn write_several(&self, analyses: &[Analysis], options: &Options) -> Option<String> {
        let mut several = self.several(analyses.len(), options)?;
        let mut text: String = analyses.iter().map(|it| several.image(it)).collect();
        text.push_str(&several.end());
        Some(text)
    }
}

/// A document about several images, image by image, so that nobody has to hold all of them.
pub trait Several {
    /// What is to be written next, now that this image is known.
    fn image(&mut self, analysis: &Analysis) -> String;
    /// What stands behind the last one.
    fn end(&mut self) -> String;
}

/// Each report below a heading of its own, for people.
struct BelowHeadings<'a>(&'a dyn Report, &'a Options);

impl Several for BelowHeadings<'_> {
    fn image(&mut self, analysis: &Analysis) -> String {
        let name = crate::list::shown(analysis.inventory.subject.name());
        let text = self.0.write(analysis, self.1);
        format!("# {name}\n\n{}\n\n", text.trim_end_matches('\n'))
    }

    fn end(&mut self) -> String {
        String::new()
    }
}

/// An array of documents, for programs.
struct Array<'a> {
    report: &'a dyn Report,
    options: &'a Options,
    is_begun: bool,
}

impl<'a> Array<'a> {
    fn of(report: &'a dyn Report, options: &'a Options) -> Box<dyn Several + 'a> {
        Box::new(Self { report, options, is_begun: false })
    }
}

impl Several for Array<'_> {
    fn image(&mut self, analysis: &Analysis) -> String {
        let mark = if self.is_begun { ",\n" } else { "[\n" };
        self.is_begun = true;
        let mut text = self.report.write(analysis, self.options);
        text.truncate(text.trim_end().len());
        text.insert_str(0, mark);
        text
    }

    fn end(&mut self) -> String {
        if self.is_begun { "\n]\n" } else { "[\n\n]\n" }.to_owned()
    }
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
