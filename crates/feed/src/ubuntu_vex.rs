//! Ubuntu's VEX documents: what Canonical says of each flaw in each package it publishes.
//! <https://documentation.ubuntu.com/security/security-updates/vex/>

use std::borrow::Cow;

use model::{Advisory, Affected, Names, Outlook, Space, Span, Status, percent_decoded};
use serde::Deserialize;

use crate::brief::brief;
use crate::contract::{Document, Feed, Parsed, Part};
use crate::ubuntu_cve_tracker::words::{self, Target};

#[cfg(test)]
mod tests;

/// Where the boilerplate of a statement ends and somebody's own words begin.
const NOTES: &str = "CVE Notes / justification:";

pub(crate) struct UbuntuVex;

impl Feed for UbuntuVex {
    fn id(&self) -> &'static str {
        "ubuntu-vex"
    }

    fn title(&self) -> &'static str {
        "Ubuntu VEX"
    }

    fn about(&self) -> &'static str {
        "https://ubuntu.com/security/vex; published by Canonical under CC-BY-SA 4.0"
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
        let urls = vec!["https://security-metadata.canonical.com/vex/vex-all.tar.xz".to_owned()];
        vec![Part { name: "all".to_owned(), urls }]
    }

    fn recognises(&self, _path: &str, head: &[u8]) -> Option<String> {
        let has = |text: &str| memchr::memmem::find(head, text.as_bytes()).is_some();
        let is_mine = has("//openvex.dev/ns") && has("/canonical/ubuntu-security-notices/");
        is_mine.then(|| "all".to_owned())
    }

    fn parse(&self, _part: &str, document: &Document<'_>) -> Parsed {
        let vex: Vex<'_> = match serde_json::from_slice(document.bytes) {
            Ok(vex) => vex,
            Err(error) => {
                return Parsed::gap(document.path, format!("it is no OpenVEX document: {error}"));
            }
        };
        let said = vex.timestamp.or_else(|| vex.metadata?.timestamp);
        let current = said.as_deref().and_then(words::date);
        let parsed = Parsed { current, ..Parsed::default() };
        let mut reader = Reader { at: document.path, parsed };
        for statement in vex.statements {
            reader.statement(statement);
        }
        reader.parsed
    }
}

#[derive(Deserialize)]
struct Vex<'a> {
    /// Documents before 2026 have the time in here.
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    statements: Vec<Statement<'a>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Statement<'a> {
    #[serde(borrow)]
    vulnerability: Vulnerability<'a>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    products: Vec<Product<'a>>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    justification: Option<Cow<'a, str>>,
    #[serde(rename = "impact_statement", borrow)]
    impact: Option<Cow<'a, str>>,
    #[serde(rename = "action_statement", borrow)]
    action: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status_notes: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Vulnerability<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    description: Option<Cow<'a, str>>,
    /// Not other names, whatever the field is called, but web addresses.
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
struct Product<'a> {
    #[serde(rename = "@id", borrow)]
    id: Cow<'a, str>,
}

struct Reader<'d> {
    at: &'d str,
    parsed: Parsed,
}

impl Reader<'_> {
    fn statement(&mut self, statement: Statement<'_>) {
        let name = &*statement.vulnerability.name;
        // The document of a notice repeats what those of its flaws say.
        if name.starts_with("USN-") || name.starts_with("LSN-") {
            return;
        }
        if name.is_empty() {
            return self.hole("a statement does not say which flaw it is about".to_owned());
        }
        let Some(verdict) = verdict(&statement) else { return };
        if verdict.is_strange {
            let status = brief(&statement.status);
            self.hole(format!("{}: its status `{status}` is none that we know", brief(name)));
        }
        let mut rows = Vec::new();
        let mut has_source = false;
        for Product { id } in &statement.products {
            match source(id) {
                Some(Source { package, version, distro }) => {
                    has_source = true;
                    self.row(&verdict, &package, &version, distro, &mut rows);
                }
                // The binary packages that are built from it have no other word.
                None if id.starts_with("pkg:deb/ubuntu/") => {}
                None => self.hole(format!("`{}` is no package of Ubuntu", brief(id))),
            }
        }
        if !has_source && !statement.products.is_empty() {
            let count = statement.products.len();
            self.hole(format!(
                "{}: {count} products without the source package they are built from",
                brief(name)
            ));
        }
        self.add(statement, rows);
    }

    fn row(
        &mut self,
        verdict: &Verdict,
        package: &str,
        version: &str,
        distro: Option<&str>,
        rows: &mut Vec<Affected>,
    ) {
        let (space, channel): (Space, _) = match distro.map(words::target) {
            Some(Target::Release(space, channel)) => (space, channel),
            Some(Target::Elsewhere) => return,
            Some(Target::Unknown) => {
                let distro = brief(distro.unwrap_or_default());
                return self.hole(format!("`{distro}` of {package} is no release that we know"));
            }
            None => return self.hole(format!("{} is in no release", brief(package))),
        };
        let from_there = || Span { to: None, ..Span::all().since(version) };
        let span = match verdict.since {
            true if version.is_empty() => {
                return self.hole(format!("{} is fixed in no version", brief(package)));
            }
            true => from_there(),
            false => Span::all(),
        };
        rows.push(Affected {
            names: Names::Source,
            status: verdict.status,
            spans: vec![span],
            outlook: verdict.outlook,
            reason: verdict.reason.clone(),
            channel,
            ..Affected::new(space, package)
        });
    }

    /// All statements of a document are about one flaw, as a rule.
    fn add(&mut self, statement: Statement<'_>, mut rows: Vec<Affected>) {
        let Vulnerability { name, description, aliases } = statement.vulnerability;
        if let Some(advisory) = self.parsed.advisories.last_mut()
            && advisory.id == *name
        {
            advisory.affected.append(&mut rows);
            return;
        }
        let published = statement.timestamp.as_deref().and_then(words::date);
        let is_rejected = description.as_deref().is_some_and(words::is_rejected);
        self.parsed.advisories.push(Advisory {
            id: name.into_owned(),
            withdrawn: published.clone().filter(|_| is_rejected),
            published,
            modified: self.parsed.current.clone(),
            details: description.map(|it| it.trim().to_owned()).unwrap_or_default(),
            references: aliases.into_iter().filter(|it| it.starts_with("http")).collect(),
            affected: rows,
            ..Advisory::default()
        });
    }

    fn hole(&mut self, why: String) {
        self.parsed.hole(self.at, why);
    }
}

struct Verdict {
    status: Status,
    outlook: Option<Outlook>,
    reason: Option<String>,
    /// Only from the product's version on.
    since: bool,
    /// Its word for it is none that we know.
    is_strange: bool,
}

/// What a statement says of its products; none if it says that there are none.
fn verdict(statement: &Statement<'_>) -> Option<Verdict> {
    let is = |status, outlook, reason| Verdict {
        status,
        outlook,
        reason,
        since: false,
        is_strange: false,
    };
    let action = statement.action.as_deref().unwrap_or_default();
    let notes = statement.status_notes.as_deref().unwrap_or_default();
    Some(match &*statement.status {
        "not_affected" => {
            let justification = statement.justification.as_deref().unwrap_or_default();
            // The release does not have the package at all: the tracker's DNE.
            if justification == "component_not_present" {
                return None;
            }
            let impact = statement.impact.as_deref().unwrap_or_default();
            is(Status::NotAffected, None, reason(justification, impact))
        }
        // The version of a product is the one that the release has today, which need not be the one
        // that brought the fix: nothing is known of those before it.
        "fixed" => {
            Verdict { since: true, ..is(Status::NotAffected, None, Some("fixed".to_owned())) }
        }
        "affected" if action.contains("decided to not fix") => {
            is(Status::Affected, Some(Outlook::WillNotFix), reason("ignored", action))
        }
        "affected" if action.contains("no longer supported") => {
            is(Status::Affected, Some(Outlook::EndOfLife), reason("no longer supported", action))
        }
        "affected" => is(Status::Affected, Some(Outlook::Open), reason("", action)),
        // Canonical's own table: known, but put off.
        "under_investigation" if notes.contains("deferred") => {
            is(Status::Affected, Some(Outlook::Deferred), reason("deferred", notes))
        }
        "under_investigation" => {
            is(Status::UnderInvestigation, None, reason("under_investigation", notes))
        }
        status => Verdict {
            is_strange: true,
            ..is(Status::UnderInvestigation, None, reason(status, notes))
        },
    })
}

/// A word, and what somebody wrote behind the boilerplate.
fn reason(word: &str, text: &str) -> Option<String> {
    let note = text.split_once(NOTES).map(|(_, note)| note.trim()).unwrap_or_default();
    match (word, note) {
        ("", "") => None,
        (word, "") => Some(brief(word)),
        ("", note) => Some(brief(note)),
        (word, note) => Some(brief(&format!("{word}: {note}"))),
    }
}

struct Source<'a> {
    package: Cow<'a, str>,
    version: Cow<'a, str>,
    distro: Option<&'a str>,
}

/// The source package that a purl names: `pkg:deb/ubuntu/curl@7.81.0-1ubuntu1.24?arch=source&distro=jammy`.
/// Older documents write `?arch=src?distro=ubuntu/jammy`, which is none; so it is read by hand.
fn source(purl: &str) -> Option<Source<'_>> {
    let (package, qualifiers) = purl.strip_prefix("pkg:deb/ubuntu/")?.split_once('?')?;
    let value = |key: &str| {
        let mut pairs = qualifiers.split(['?', '&']).filter_map(|it| it.split_once('='));
        pairs.find(|(it, _)| *it == key).map(|(_, value)| value)
    };
    if !matches!(value("arch"), Some("source" | "src")) {
        return None;
    }
    let (package, version) = package.split_once('@').unwrap_or((package, ""));
    if package.is_empty() {
        return None;
    }
    // What is badly encoded stands for itself: no order reads it as a version, so it is told.
    let decoded = |text| percent_decoded(text).unwrap_or(Cow::Borrowed(text));
    Some(Source { package: decoded(package), version: decoded(version), distro: value("distro") })
}
