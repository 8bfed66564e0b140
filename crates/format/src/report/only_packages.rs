//! only-packages: for people: a table of packages, each with the count of its vulnerabilities.

use std::borrow::Cow;

use model::Analysis;

use super::basis::rests_on;
use super::packages::{NOTHING_KNOWN, not_known};
use super::{BelowHeadings, Options, Report, Several};
use crate::list::{name, shown};
use crate::page::{self, Tally};
use crate::paint::{Style, Text};
use crate::words;

pub(crate) struct OnlyPackages;

impl Report for OnlyPackages {
    fn id(&self) -> &'static str {
        "only-packages"
    }

    fn title(&self) -> &'static str {
        "a table of packages, each with the count of its vulnerabilities"
    }

    fn several<'a>(&'a self, _: usize, options: &'a Options) -> Option<Box<dyn Several + 'a>> {
        Some(Box::new(BelowHeadings(self, options)))
    }

    fn write(&self, analysis: &Analysis, options: &Options) -> String {
        let packages = &analysis.inventory.packages;
        let mut tallies = vec![Tally::default(); packages.len()];
        for finding in &analysis.findings {
            for number in &finding.packages {
                if let Some(tally) = tallies.get_mut(*number) {
                    tally.add(finding);
                }
            }
        }
        let rows: Vec<([Cow<'_, str>; 3], &Tally)> = packages
            .iter()
            .zip(&tallies)
            .filter(|(_, tally)| !options.only_vuln_packages || tally.total() > 0)
            .map(|(package, tally)| {
                let purl = &package.purl;
                let name = shown(&name(purl)).into_owned().into();
                ([name, shown(purl.version().unwrap_or_default()), shown(purl.kind())], tally)
            })
            .collect();
        let mut text = Text::new(options, rows.len().saturating_mul(96).saturating_add(1024));
        if page::is_dark(analysis) {
            text.push(NOTHING_KNOWN);
            text.push("\n");
        } else {
            table(&mut text, &rows);
        }
        not_known(&mut text, analysis);
        rests_on(&mut text, &analysis.basis);
        text.out
    }
}

/// One name that is a page long does not make every line as long.
const WIDEST: usize = 80;

fn table(text: &mut Text<'_>, rows: &[([Cow<'_, str>; 3], &Tally)]) {
    let head = ["Name", "Version", "Type"];
    let mut widths = head.map(str::len);
    for (cells, _) in rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count()).min(WIDEST);
        }
    }
    let mut line = String::from("  ");
    for (width, title) in widths.iter().zip(head) {
        line.push_str(title);
        line.extend(std::iter::repeat_n(' ', width.saturating_sub(title.len()) + 2));
    }
    line.push_str("Vulnerabilities");
    text.styled(Style::Bold, &line);
    text.push("\n");
    text.rule(line.len().max(widths.iter().sum::<usize>() + 8 + CELLS), None);
    for (cells, tally) in rows {
        text.push("  ");
        for (width, cell) in widths.iter().zip(cells) {
            text.padded(cell, *width);
            text.push("  ");
        }
        text.cells(tally);
        if tally.suppressed > 0 {
            text.push(&format!("  ({} suppressed)", tally.suppressed));
        }
        text.push("\n");
    }
    let concerned = rows.iter().filter(|(_, tally)| tally.total() > 0).count();
    let packages = words::many(rows.len(), "package");
    text.push(&format!("\n{packages}, {concerned} of them with vulnerabilities\n"));
}

/// Columns of four counts.
const CELLS: usize = 26;
