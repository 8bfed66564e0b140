//! The words of findings: titles, stories and addresses, read for many of them at once.

use almanac::{Book, Handle, Text};
use model::Finding;

use crate::titles;

/// A finding, and the advisories that may have words for it, the best first.
#[derive(Clone)]
pub(crate) struct Wordless {
    pub(crate) finding: Finding,
    pub(crate) sources: Vec<Handle>,
}

/// Gives words to those that are `wanted`: the first advisory has the first word, and the next one
/// is asked for what is still missing.
pub(crate) fn tell(
    book: &dyn Book,
    found: &mut [Box<Wordless>],
    wanted: impl Fn(&Finding) -> bool,
) {
    let mut waiting: Vec<&mut Wordless> =
        found.iter_mut().map(|it| &mut **it).filter(|it| wanted(&it.finding)).collect();
    for round in 0.. {
        waiting.retain(|it| it.sources.len() > round && !is_whole(&it.finding));
        if waiting.is_empty() {
            break;
        }
        let sources: Vec<Handle> =
            waiting.iter().filter_map(|it| it.sources.get(round).copied()).collect();
        for (it, text) in waiting.iter_mut().zip(book.texts(&sources)) {
            add(&mut it.finding, text.unwrap_or_default());
        }
    }
    for it in found.iter_mut().filter(|it| wanted(&it.finding)) {
        mend_title(&mut it.finding);
    }
}

fn is_whole(finding: &Finding) -> bool {
    let is_told = !finding.details.is_empty() && !finding.references.is_empty();
    is_told && !titles::is_bare(&finding.title)
}

fn add(finding: &mut Finding, text: Text) {
    let is_better = || titles::is_bare(&finding.title) && !titles::is_bare(&text.title);
    if finding.title.is_empty() || is_better() {
        finding.title = text.title;
    }
    if finding.details.is_empty() {
        finding.details = text.details;
    }
    if finding.references.is_empty() {
        finding.references = text.references;
    }
}

fn mend_title(finding: &mut Finding) {
    if titles::is_bare(&finding.title) {
        // A sentence about the flaw tells more than the name of an update.
        let sentence = finding.details.lines().map(str::trim).find(|it| !it.is_empty());
        if let Some(sentence) = sentence {
            finding.title = titles::shortened(sentence);
        }
        if let Some(listed) = finding.exploited.as_ref().filter(|it| !it.title.is_empty())
            && titles::is_bare(&finding.title)
        {
            finding.title.clone_from(&listed.title);
        }
    }
    // OpenSSL's stories begin with a heading, and titles are made of their beginnings.
    if let Some(title) = finding.title.strip_prefix("Issue summary: ") {
        finding.title = title.to_owned();
    }
}
