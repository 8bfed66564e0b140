//! Red Hat's word about every flaw: CSAF VEX documents, one for each CVE.
//! <https://redhatproductsecurity.github.io/security-data-guidelines/csaf-vex/>

mod component;
mod csaf;
mod platform;
mod rows;
mod streams;
mod tree;

use std::collections::{BTreeMap, HashMap};

use model::{Advisory, Gap, Level, Outlook, Rating, Status};

use crate::contract::{Document, Feed, Parsed, Part, hole};
use crate::fetch::Plan;
use component::Component;
use csaf::{Csaf, Flaw, Text};
use platform::Platform;
use rows::{Rows, Words};
use tree::{Found, Tree};

/// Red Hat's CSAF VEX documents.
pub(crate) struct RedhatVex;

const BASE: &str = "https://security.access.redhat.com/data/csaf/v2/vex/";

impl Feed for RedhatVex {
    fn id(&self) -> &'static str {
        "redhat-vex"
    }

    fn title(&self) -> &'static str {
        "Red Hat CSAF VEX"
    }

    fn about(&self) -> &'static str {
        "https://redhatproductsecurity.github.io/security-data-guidelines/csaf-vex/ (CC BY 4.0)"
    }

    fn version(&self) -> u16 {
        1
    }

    fn stale_after_days(&self) -> u32 {
        3
    }

    fn every_hours(&self) -> u32 {
        2
    }

    fn parts(&self) -> Vec<Part> {
        vec![Part { name: "all".to_owned(), urls: vec![BASE.to_owned()] }]
    }

    fn plan(&self) -> Plan {
        Plan::CsafArchive
    }

    fn recognises(&self, _: &str, head: &[u8]) -> Option<String> {
        let has = |text: &str| memchr::memmem::find(head, text.as_bytes()).is_some();
        let own = has("https://www.redhat.com\"")
            || has("https://access.redhat.com/security/updates/classification/\"");
        (has("\"csaf_vex\"") && own).then(|| "all".to_owned())
    }

    fn parse(&self, _: &str, document: &Document<'_>) -> Parsed {
        let csaf: Csaf<'_> = match serde_json::from_slice(document.bytes) {
            Ok(csaf) => csaf,
            Err(error) => {
                return Parsed::gap(document.path, format!("it is no CSAF document: {error}"));
            }
        };
        // What is left of a document that was taken back.
        if &*csaf.document.tracking.status == "deleted" {
            return Parsed::default();
        }
        let tree = Tree::new(&csaf.product_tree);
        let mut holes = Holes::default();
        let advisories: Vec<Advisory> = csaf
            .vulnerabilities
            .iter()
            .filter_map(|it| advisory(&csaf, it, &tree, &mut holes))
            .collect();
        let current = csaf.document.tracking.current_release_date.as_ref().map(|it| it.to_string());
        Parsed { advisories, gaps: holes.gaps(document.path), current, ..Parsed::default() }
    }
}

/// What makes no sense, each kind told once for a document.
#[derive(Default)]
struct Holes(BTreeMap<String, (String, usize)>);

impl Holes {
    fn add(&mut self, why: String, id: &str) {
        let (_, count) = self.0.entry(why).or_insert_with(|| (cut(id), 0));
        *count = count.saturating_add(1);
    }

    fn gaps(self, path: &str) -> Vec<Gap> {
        let tell = |(why, (id, count)): (String, (String, usize))| {
            let more = match count {
                1 => String::new(),
                _ => format!(" and {} more", count.saturating_sub(1)),
            };
            (path, format!("{why}: `{id}`{more}"))
        };
        let mut gaps = Vec::new();
        self.0.into_iter().map(tell).for_each(|(at, why)| hole(&mut gaps, at, why));
        gaps
    }
}

fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}

fn advisory(
    csaf: &Csaf<'_>,
    flaw: &Flaw<'_>,
    tree: &Tree<'_>,
    holes: &mut Holes,
) -> Option<Advisory> {
    let tracking = &csaf.document.tracking;
    let id = [&flaw.cve, &tracking.id].into_iter().find(|it| !it.is_empty());
    let Some(id) = id else {
        holes.add("a flaw without a name".to_owned(), &flaw.title);
        return None;
    };
    let said = Said::new(flaw);
    let mut rows = Rows::default();
    for (status, ids) in [
        (None, &flaw.product_status.fixed),
        (None, &flaw.product_status.first_fixed),
        (Some(Status::Affected), &flaw.product_status.known_affected),
        (Some(Status::UnderInvestigation), &flaw.product_status.under_investigation),
        (Some(Status::NotAffected), &flaw.product_status.known_not_affected),
    ] {
        for id in ids {
            let (platform, component) = match tree.find(id) {
                Ok(Found::Package(platform, component)) => (platform, component),
                Ok(Found::Nothing) => continue,
                Err(why) => {
                    holes.add(why, id);
                    continue;
                }
            };
            match status {
                Some(status) => rows.said(&platform, component, said.words(status, id)),
                None => add_fix(&mut rows, &platform, component, &said, id, holes),
            }
        }
    }
    if flaw.product_status.is_empty() {
        holes.add("it says nothing about any product".to_owned(), id);
    }
    let title = [&csaf.document.title, &flaw.title].into_iter().find(|it| !it.is_empty());
    let own = |it: &&csaf::Reference<'_>| &*it.category == "self";
    let references = flaw.references.iter().chain(&csaf.document.references);
    let mut urls: Vec<String> =
        references.clone().filter(own).map(|it| it.url.to_string()).collect();
    urls.extend(references.filter(|it| !own(it)).map(|it| it.url.to_string()));
    let mut seen = std::collections::HashSet::new();
    urls.retain(|it| !it.is_empty() && seen.insert(it.clone()));
    let published = [&flaw.release_date, &flaw.discovery_date, &tracking.initial_release_date];
    Some(Advisory {
        id: id.to_string(),
        published: published.into_iter().flatten().next().map(|it| it.to_string()),
        modified: tracking.current_release_date.as_ref().map(|it| it.to_string()),
        title: title.map(|it| it.to_string()).unwrap_or_default(),
        details: details(flaw),
        ratings: said.overall(&csaf.document.aggregate_severity.text).into_iter().collect(),
        weaknesses: flaw
            .cwe
            .iter()
            .filter_map(|it| it.id.strip_prefix("CWE-")?.parse().ok())
            .collect(),
        references: urls,
        affected: rows.finish(),
        ..Advisory::default()
    })
}

fn add_fix(
    rows: &mut Rows,
    platform: &Platform,
    component: Component,
    said: &Said<'_>,
    id: &str,
    holes: &mut Holes,
) {
    match component.version.clone() {
        Some(version) => {
            rows.fixed(platform, component, version, said.bulletins(id), said.rating(id));
        }
        None => holes.add("it is fixed, but in which version is not said".to_owned(), id),
    }
}

/// The description, the vendor's statement and the ways around it.
fn details(flaw: &Flaw<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for note in &flaw.notes {
        match &*note.category {
            "description" => parts.insert(0, note.text.to_string()),
            "other" if &*note.title == "Statement" => {
                parts.push(format!("Red Hat's statement: {}", &*note.text));
            }
            _ => {}
        }
    }
    for remediation in &flaw.remediations {
        let empty = remediation.details.starts_with("Mitigation for this issue is either not");
        if &*remediation.category == "workaround" && !remediation.details.is_empty() && !empty {
            let text = format!("Mitigation: {}", &*remediation.details);
            if !parts.contains(&text) {
                parts.push(text);
            }
        }
    }
    parts.join("\n\n")
}

/// What a document says about a product id beside its status.
struct Said<'a> {
    bulletins: HashMap<&'a str, Vec<&'a str>>,
    outlooks: HashMap<&'a str, (Outlook, &'a str)>,
    reasons: HashMap<&'a str, &'a str>,
    impacts: HashMap<&'a str, &'a str>,
    scores: HashMap<&'a str, (f32, &'a str)>,
    /// The score that most products have.
    score: Option<(f32, &'a str)>,
}

impl<'a> Said<'a> {
    fn new(flaw: &'a Flaw<'a>) -> Self {
        let mut bulletins: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut outlooks = HashMap::new();
        for remediation in &flaw.remediations {
            let words = &*remediation.details;
            let outlook = match &*remediation.category {
                "no_fix_planned" if words == "Out of support scope" => Outlook::EndOfLife,
                "no_fix_planned" => Outlook::WillNotFix,
                "none_available" if words == "Fix deferred" => Outlook::Deferred,
                "none_available" => Outlook::Open,
                _ => {
                    let url = remediation.url.trim_end_matches('/');
                    if let Some((_, bulletin)) = url.rsplit_once("/errata/") {
                        for id in &remediation.product_ids {
                            bulletins.entry(id).or_default().push(bulletin);
                        }
                    }
                    continue;
                }
            };
            for id in &remediation.product_ids {
                outlooks.insert(&**id, (outlook, words));
            }
        }
        let reasons = flaw.flags.iter().flat_map(|it| each(&it.product_ids, &*it.label)).collect();
        let impacts = flaw.threats.iter().filter(|it| &*it.category == "impact");
        let impacts = impacts.flat_map(|it| each(&it.product_ids, &*it.details)).collect();
        let mut scores = HashMap::new();
        let mut most = None;
        for score in &flaw.scores {
            let cvss =
                [&score.cvss_v4, &score.cvss_v3, &score.cvss_v2].into_iter().flatten().next();
            let Some(cvss) = cvss else { continue };
            let Some(base) = cvss.base_score.filter(|it| (0.0..=10.0).contains(it)) else {
                continue;
            };
            let value = (base, &*cvss.vector_string);
            scores.extend(each(&score.products, value));
            if most.is_none_or(|(count, _)| score.products.len() > count) {
                most = Some((score.products.len(), value));
            }
        }
        let score = most.map(|(_, value)| value);
        Self { bulletins, outlooks, reasons, impacts, scores, score }
    }

    fn words(&self, status: Status, id: &str) -> Words {
        let outlook = self.outlooks.get(id).filter(|_| status == Status::Affected);
        let reason = match status {
            Status::NotAffected => self.reasons.get(id).copied(),
            _ => outlook.map(|(_, words)| *words),
        };
        Words {
            status,
            outlook: outlook
                .map(|(it, _)| *it)
                .or((status == Status::Affected).then_some(Outlook::Open)),
            reason: reason.filter(|it| !it.is_empty()).map(str::to_owned),
            rating: self.rating(id).filter(|_| status != Status::NotAffected),
            names: None,
            minor: None,
        }
    }

    fn bulletins(&self, id: &str) -> Vec<String> {
        self.bulletins.get(id).into_iter().flatten().map(|&it| it.to_owned()).collect()
    }

    fn rating(&self, id: &str) -> Option<Rating> {
        rating(self.impacts.get(id).copied(), self.scores.get(id).copied())
    }

    fn overall(&self, word: &str) -> Option<Rating> {
        rating((!word.is_empty()).then_some(word), self.score)
    }
}

fn each<'a, T: Copy>(ids: &'a [Text<'a>], value: T) -> impl Iterator<Item = (&'a str, T)> {
    ids.iter().map(move |it| (&**it, value))
}

fn rating(word: Option<&str>, score: Option<(f32, &str)>) -> Option<Rating> {
    let mut rating = match (word, score) {
        (Some(word), _) => Rating::word("redhat", word),
        (None, Some((score, _))) => {
            Rating { level: Level::of_score(score), ..Rating::word("redhat", "") }
        }
        (None, None) => return None,
    };
    rating.word = rating.word.filter(|it| !it.is_empty());
    if let Some((score, vector)) = score {
        rating.score = Some(score);
        rating.vector = (!vector.is_empty()).then(|| vector.to_owned());
    }
    Some(rating)
}

#[cfg(test)]
mod tests;
