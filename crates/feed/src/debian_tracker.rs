//! Debian: the security team's own word about every flaw in every release, fixed or not.
//! <https://security-tracker.debian.org/tracker/data/json>,
//! <https://security-team.debian.org/security_tracker.html>

use std::borrow::Cow;
use std::collections::HashMap;

use model::{Advisory, Affected, Names, Outlook, Rating, Space, Span, Status};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::brief::brief;
use crate::contract::{Document, Feed, Parsed, Part};
use crate::pairs::Pairs;

#[cfg(test)]
mod tests;

/// Of each release, its name and number. Unstable has none.
const RELEASES: [(&str, &str); 18] = [
    ("sarge", "3.1"),
    ("woody", "3.0"),
    ("potato", "2.2"),
    ("etch", "4"),
    ("lenny", "5"),
    ("squeeze", "6"),
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
    ("sid", "sid"),
    ("slink", "2.1"),
    ("hamm", "2.0"),
];
/// The version of a fix that was never needed.
const NEVER: &str = "0";

pub(crate) struct DebianTracker;

impl Feed for DebianTracker {
    fn id(&self) -> &'static str {
        "debian-tracker"
    }

    fn title(&self) -> &'static str {
        "Debian security tracker"
    }

    fn about(&self) -> &'static str {
        "https://security-tracker.debian.org; published by the Debian project, terms at https://www.debian.org/license"
    }

    fn version(&self) -> u16 {
        1
    }

    fn stale_after_days(&self) -> u32 {
        3
    }

    fn every_hours(&self) -> u32 {
        3
    }

    fn parts(&self) -> Vec<Part> {
        let urls = vec!["https://security-tracker.debian.org/tracker/data/json".to_owned()];
        vec![Part { name: "all".to_owned(), urls }]
    }

    /// An object of objects, the inner ones by flaw. Echo's has that shape too, but tells other things
    /// of a flaw.
    fn recognises(&self, _path: &str, head: &[u8]) -> Option<String> {
        let (_, rest) = member(head)?;
        let (flaw, rest) = member(rest)?;
        let (field, _) = member(rest)?;
        let is_flaw = flaw.starts_with(b"CVE-") || flaw.starts_with(b"TEMP-");
        let fields: [&[u8]; 4] = [b"scope", b"debianbug", b"description", b"releases"];
        (is_flaw && fields.contains(&field)).then(|| "all".to_owned())
    }

    fn parse(&self, _part: &str, document: &Document<'_>) -> Parsed {
        let sources: Pairs<'_, &RawValue> = match serde_json::from_slice(document.bytes) {
            Ok(sources) => sources,
            Err(error) => {
                return Parsed::gap(document.path, format!("it cannot be read: {error}"));
            }
        };
        let mut reader = Reader::new(document.path);
        for (source, flaws) in sources.0 {
            match serde_json::from_str::<Pairs<'_, &RawValue>>(flaws.get()) {
                Ok(Pairs(flaws)) => reader.source(&source, flaws),
                Err(error) => {
                    let source = brief(&source);
                    reader.hole(format!("what it says about {source} cannot be read: {error}"));
                }
            }
        }
        reader.finish()
    }
}

/// The name of the first member of the object that begins here, and what is behind its colon.
fn member(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"")?;
    let (name, rest) = rest.split_at_checked(memchr::memchr(b'"', rest)?)?;
    let rest = rest.strip_prefix(b"\"")?.trim_ascii_start();
    Some((name, rest.strip_prefix(b":")?))
}

#[derive(Deserialize)]
struct Flaw<'a> {
    #[serde(borrow)]
    description: Option<Cow<'a, str>>,
    debianbug: Option<u64>,
    #[serde(borrow)]
    releases: Pairs<'a, Release<'a>>,
}

#[derive(Deserialize)]
struct Release<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    fixed_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    urgency: Option<Cow<'a, str>>,
    #[serde(borrow)]
    nodsa: Option<Cow<'a, str>>,
    #[serde(borrow)]
    nodsa_reason: Option<Cow<'a, str>>,
    /// The announcement with the fix. Debian's own file has it not, but those made from its lists.
    #[serde(borrow)]
    advisory: Option<Cow<'a, str>>,
}

struct Reader<'d> {
    at: &'d str,
    parsed: Parsed,
    /// Of each flaw, its place among the advisories.
    numbers: HashMap<String, usize>,
    /// Of each release we do not know, how often it is named.
    strangers: HashMap<String, usize>,
}

impl<'d> Reader<'d> {
    fn new(at: &'d str) -> Self {
        let parsed = Parsed::default();
        Self { at, parsed, numbers: HashMap::new(), strangers: HashMap::new() }
    }

    fn source(&mut self, source: &str, flaws: Vec<(Cow<'_, str>, &RawValue)>) {
        for (id, flaw) in flaws {
            match serde_json::from_str::<Flaw<'_>>(flaw.get()) {
                Ok(flaw) => self.flaw(source, &id, flaw),
                Err(error) => {
                    let (id, source) = (brief(&id), brief(source));
                    self.hole(format!(
                        "what it says about {id} in {source} cannot be read: {error}"
                    ));
                }
            }
        }
    }

    fn flaw(&mut self, source: &str, id: &str, flaw: Flaw<'_>) {
        let mut rows = Vec::with_capacity(flaw.releases.0.len());
        for (codename, release) in flaw.releases.0 {
            let Some((_, number)) = RELEASES.iter().find(|(name, _)| *name == codename) else {
                // Bounded, like the holes it becomes.
                if self.strangers.len() < 100 || self.strangers.contains_key(&*codename) {
                    *self.strangers.entry(codename.into_owned()).or_default() += 1;
                }
                continue;
            };
            let row = Affected {
                names: Names::Source,
                ..Affected::new(Space::release("debian", number), source)
            };
            let (row, hole) = said(&release, row);
            rows.push(row);
            if let Some(why) = hole {
                let (id, source) = (brief(id), brief(source));
                self.hole(format!("{id} in {source} of {codename}: {why}"));
            }
        }
        let advisories = &mut self.parsed.advisories;
        let number = *self.numbers.entry(id.to_owned()).or_insert_with_key(|id| {
            advisories.push(new(id));
            advisories.len() - 1
        });
        let Some(advisory) = advisories.get_mut(number) else { return };
        if advisory.details.is_empty()
            && let Some(description) = flaw.description
        {
            description.trim().clone_into(&mut advisory.details);
        }
        if let Some(bug) = flaw.debianbug {
            let bug = format!("https://bugs.debian.org/{bug}");
            if !advisory.references.contains(&bug) && advisory.references.len() < 20 {
                advisory.references.push(bug);
            }
        }
        advisory.affected.append(&mut rows);
    }

    fn hole(&mut self, why: String) {
        self.parsed.hole(self.at, why);
    }

    fn finish(mut self) -> Parsed {
        let mut strangers: Vec<_> = std::mem::take(&mut self.strangers).into_iter().collect();
        strangers.sort();
        for (codename, rows) in strangers {
            let codename = brief(&codename);
            self.hole(format!(
                "the release `{codename}` is none that we know: {rows} rows are left out"
            ));
        }
        self.parsed
    }
}

fn new(id: &str) -> Advisory {
    let references = vec![format!("https://security-tracker.debian.org/tracker/{id}")];
    Advisory { id: id.to_owned(), references, ..Advisory::default() }
}

/// The row, with what is said of the flaw in that release, and why that makes no sense if it does
/// not: then nobody knows.
fn said(release: &Release<'_>, mut row: Affected) -> (Affected, Option<String>) {
    // Two stars mark an urgency that was not Debian's own judgement.
    let urgency = release.urgency.as_deref().unwrap_or_default().trim_end_matches('*');
    row.rating = match urgency {
        "" | "not yet assigned" | "end-of-life" => None,
        word => Some(Rating::word("debian", &brief(word))),
    };
    row.bulletins = release.advisory.iter().map(|it| brief(it)).collect();
    row.spans = vec![Span::all()];
    match (&*release.status, release.fixed_version.as_deref().map(str::trim)) {
        ("resolved", Some(NEVER)) => {
            row.status = Status::NotAffected;
            row.reason = Some("fixed_version 0: not affected".to_owned());
        }
        // What was to be done without a fix no longer matters.
        ("resolved", Some(version)) if !version.is_empty() => {
            row.spans = vec![Span::before(version)];
        }
        ("open", _) => {
            let (outlook, reason) = outlook(release, urgency);
            row.outlook = Some(outlook);
            row.reason = reason;
        }
        (status, _) => {
            row.status = Status::UnderInvestigation;
            row.reason = Some(brief(status));
            let why = match status {
                "undetermined" => None,
                "resolved" => Some("it is resolved in no version".to_owned()),
                _ => Some(format!("its status `{}` is none that we know", brief(status))),
            };
            return (row, why);
        }
    }
    (row, None)
}

/// What Debian means to do about an open flaw, and its words for it.
fn outlook(release: &Release<'_>, urgency: &str) -> (Outlook, Option<String>) {
    let (outlook, word) = match release.nodsa_reason.as_deref() {
        _ if urgency == "end-of-life" => (Outlook::EndOfLife, "end-of-life"),
        Some("ignored") => (Outlook::WillNotFix, "ignored"),
        Some("postponed") => (Outlook::Deferred, "postponed"),
        Some(_) => (Outlook::Minor, "no-dsa"),
        None if release.nodsa.is_some() => (Outlook::Minor, "no-dsa"),
        None if urgency == "unimportant" => (Outlook::Minor, "unimportant"),
        None => return (Outlook::Open, None),
    };
    let reason = match release.nodsa.as_deref().map(str::trim) {
        None | Some("") => word.to_owned(),
        Some(note) => format!("{word}: {}", brief(note)),
    };
    (outlook, Some(reason))
}
