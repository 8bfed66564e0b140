//! quickview: for people: what it is and how many vulnerabilities of each level it has, in a few lines.

use model::{Analysis, Subject};

use super::Options;
use super::basis::rests_on;
use super::packages::not_known;
use crate::page::{self, Tally};
use crate::paint::{Style, Text};

/// A few lines about `analysis`: target, digest, counts, gaps, and what to ask next.
pub fn write_quickview(analysis: &Analysis, options: &Options) -> String {
    let mut text = Text::new(options, 1024);
    let subject = &analysis.inventory.subject;
    let tally = Tally::of(&analysis.findings);
    let digest = subject
        .image()
        .and_then(|it| it.digest.as_ref())
        .map(|it| page::short(it.as_str()))
        .unwrap_or_default();
    let target = if matches!(subject, Subject::Directory { .. }) { "Path" } else { "Target" };
    let name = crate::list::shown(subject.name());
    let width = name.chars().count().max(digest.len()).min(60);
    text.padded(&format!("  {target}"), LABEL);
    text.bar();
    text.push("  ");
    text.padded(&name, width);
    text.push("  ");
    text.bar();
    text.cells(&tally);
    if tally.suppressed > 0 {
        text.push(&format!("  ({} suppressed)", tally.suppressed));
    }
    text.push("\n");
    if !digest.is_empty() {
        text.padded("    digest", LABEL);
        text.bar();
        text.push("  ");
        text.padded(digest, width);
        text.push("  ");
        text.bar();
        text.push("\n");
    }
    not_known(&mut text, analysis);
    rests_on(&mut text, &analysis.basis);
    // Hints are for whoever sits at a terminal, and the image's name is all that a command needs.
    if subject.image().is_some() && options.width.is_some() {
        next(&mut text, &name, &tally);
    }
    text.out
}

/// Columns left of the first line.
const LABEL: usize = 15;

fn next(text: &mut Text<'_>, name: &str, tally: &Tally) {
    if name.is_empty() || name.contains(char::is_whitespace) {
        return;
    }
    text.push("\n");
    text.styled(Style::Bold, "What's next:");
    text.push("\n");
    let mut hint = |what: &str, command: &str| {
        text.push("    ");
        text.padded(what, 34);
        text.push(command);
        text.push(" ");
        text.push(name);
        text.push("\n");
    };
    if tally.total() + tally.suppressed > 0 {
        hint("View vulnerabilities", "foretop cves");
        hint("View those that can be fixed", "foretop cves --only-fixed");
    }
    hint("View what is inside", "foretop sbom --format list");
}
