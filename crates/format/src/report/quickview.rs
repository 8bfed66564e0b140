//! quickview: for people: what it is and how many vulnerabilities of each level it has, in a few lines.

use std::borrow::Cow;
use std::collections::BTreeSet;

use model::{Analysis, Basis, Gap, Subject};

use super::Options;
use super::basis::rests_on;
use super::packages::{holes, not_known};
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
    counts(&mut text, counted(analysis).as_ref());
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

/// A line about each of several, and one about all of them; what is not known of any, and what they rest
/// on, once.
pub fn write_quickviews(analyses: &[Analysis], options: &Options) -> String {
    if let [one] = analyses {
        return write_quickview(one, options);
    }
    let mut text = Text::new(options, 4096);
    let names: Vec<_> =
        analyses.iter().map(|it| crate::list::shown(it.inventory.subject.name())).collect();
    let widest = names.iter().map(|it| it.chars().count()).max().unwrap_or_default();
    let all = format!("{} images", analyses.len());
    let width = widest.max(all.len()).min(60);
    let mut line = |label: &str, name: &str, tally: Option<Tally>| {
        text.padded(label, LABEL);
        text.bar();
        text.push("  ");
        text.padded(name, width);
        text.push("  ");
        counts(&mut text, tally.as_ref());
    };
    for (it, name) in analyses.iter().zip(&names) {
        line("  Target", name, counted(it));
    }
    // What several images have from one base is one thing to do.
    let mut seen = BTreeSet::new();
    let findings = analyses.iter().flat_map(|it| &it.findings);
    let each = findings
        .filter(|it| seen.insert((&it.space, &it.name, &it.version, &it.id, it.suppressed())));
    line("  Distinct", &all, Some(Tally::of(each)));

    let gaps = gaps(analyses, &names);
    holes(&mut text, &gaps.iter().collect::<Vec<_>>());
    let mut said: Vec<&Basis> = Vec::new();
    for it in analyses {
        if !said.contains(&&it.basis) {
            rests_on(&mut text, &it.basis);
            said.push(&it.basis);
        }
    }
    text.out
}

/// How many there are. Where nothing is known, nothing is counted.
fn counted(analysis: &Analysis) -> Option<Tally> {
    let dark = analysis.inventory.packages.is_empty() && !page::gaps(analysis).is_empty();
    (!dark).then(|| Tally::of(&analysis.findings))
}

/// Behind the bar.
fn counts(text: &mut Text<'_>, tally: Option<&Tally>) {
    text.bar();
    let Some(tally) = tally else {
        text.push("  not known\n");
        return;
    };
    text.cells(tally);
    if tally.suppressed > 0 {
        text.push(&format!("  ({} suppressed)", tally.suppressed));
    }
    text.push("\n");
}

/// The holes of all of them, each once, with the images it is in where it is not in all.
fn gaps(analyses: &[Analysis], names: &[Cow<'_, str>]) -> Vec<Gap> {
    let mut all: Vec<(&Gap, Vec<&str>)> = Vec::new();
    for (it, name) in analyses.iter().zip(names) {
        for gap in page::gaps(it) {
            match all.iter_mut().find(|(known, _)| *known == gap) {
                Some((_, images)) => images.push(name.as_ref()),
                None => all.push((gap, vec![name.as_ref()])),
            }
        }
    }
    let told = |(gap, images): (&Gap, Vec<&str>)| match images.as_slice() {
        [one] if !gap.at.contains(*one) => Gap::new(&gap.at, format!("{} ({one})", gap.why)),
        [_] => gap.clone(),
        several if several.len() == analyses.len() => gap.clone(),
        several => {
            let why = format!("{} ({} of {} images)", gap.why, several.len(), analyses.len());
            Gap::new(&gap.at, why)
        }
    };
    all.into_iter().map(told).collect()
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
