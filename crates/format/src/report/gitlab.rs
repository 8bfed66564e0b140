//! gitlab: GitLab's container scanning report, version 15 of its schema.
//!
//! <https://gitlab.com/gitlab-org/security-products/security-report-schemas>

mod shape;

use model::{Analysis, Finding, Level, Package, Statement, StatementStatus};
use sha2::{Digest as _, Sha256};

use self::shape::{
    Dependency, Detail, Details, Document, Flag, Identifier, LastlyScan, Link, Location, Message,
    Named, Scan, Tool, Vector, Vendor, Vulnerability,
};
use super::{Options, Report, Several};
use crate::document::{self, List, TOOL};
use crate::{page, words};

/// The version of the schema that we write; every GitLab that reads 15 reads it.
const SCHEMA: &str = "15.0.7";

/// What GitLab takes at most.
const LONGEST_NAME: usize = 255;
const LONGEST_DESCRIPTION: usize = 1_048_576;
const LONGEST_SOLUTION: usize = 7000;
const MOST_IDENTIFIERS: usize = 20;
const MOST_VECTORS: usize = 10;

pub(crate) struct Gitlab;

impl Report for Gitlab {
    fn id(&self) -> &'static str {
        "gitlab"
    }

    fn title(&self) -> &'static str {
        "GitLab's container scanning report"
    }

    fn write(&self, analysis: &Analysis, options: &Options) -> String {
        let created = document::created(&analysis.inventory, options.created.as_deref());
        let operating_system = operating_system(analysis);
        let at = Where { image: image(analysis), operating_system: &operating_system };
        let vulnerabilities = vulnerabilities(analysis, options, &at);
        let count = vulnerabilities.len();
        let scan = scan(options, &created, messages(analysis));
        document::printed(&Document { version: SCHEMA, scan, vulnerabilities }, count)
    }

    /// Each vulnerability says in which image it is.
    fn several<'a>(&'a self, images: usize, options: &'a Options) -> Option<Box<dyn Several + 'a>> {
        let list = List::of(&LastlyScan::of(scan(options, "", Vec::new())), VULNERABILITIES);
        let (created, messages) = (None, Vec::new());
        Some(Box::new(Parts { options, is_alone: images == 1, list, created, messages }))
    }
}

/// The document about several images, in which that stands last of which nobody knows before.
struct Parts<'a> {
    options: &'a Options,
    is_alone: bool,
    list: List,
    created: Option<String>,
    messages: Vec<Message>,
}

impl Several for Parts<'_> {
    fn image(&mut self, analysis: &Analysis) -> String {
        let told = self.options.created.as_deref();
        self.created.get_or_insert_with(|| document::created(&analysis.inventory, told));
        let operating_system = operating_system(analysis);
        let image = image(analysis);
        let is_alone = self.is_alone;
        let about = |it: Message| {
            if is_alone { it } else { Message { value: format!("{image}: {}", it.value), ..it } }
        };
        self.messages.extend(messages(analysis).into_iter().map(about));
        let at = Where { image, operating_system: &operating_system };
        let vulnerabilities = vulnerabilities(analysis, self.options, &at);
        vulnerabilities.iter().map(|it| self.list.add(it)).collect()
    }

    fn end(&mut self) -> String {
        let created = self.created.take().or_else(|| self.options.created.clone());
        let created = created.unwrap_or_default();
        let scan = scan(self.options, &created, std::mem::take(&mut self.messages));
        self.list.end_as(List::of(&LastlyScan::of(scan), VULNERABILITIES))
    }
}

const VULNERABILITIES: &str = "vulnerabilities";

fn scan<'a>(options: &'a Options, created: &'a str, messages: Vec<Message>) -> Scan<'a> {
    let tool = || Tool {
        id: TOOL,
        name: "Foretop",
        version: Some(&*options.tool_version).filter(|it| !it.is_empty()).unwrap_or("0"),
        vendor: Vendor { name: "Foretop" },
    };
    let time = created.trim_end_matches('Z');
    Scan {
        analyzer: tool(),
        scanner: tool(),
        r#type: "container_scanning",
        start_time: time,
        end_time: time,
        status: "success",
        messages,
    }
}

fn image(analysis: &Analysis) -> &str {
    let name = analysis.inventory.subject.name();
    if name.is_empty() { "unnamed" } else { name }
}

fn messages(analysis: &Analysis) -> Vec<Message> {
    let gaps = page::gaps(analysis)
        .into_iter()
        .map(|gap| Message { level: "warn", value: format!("not known: {gap}") });
    let (basis, worrying) = page::basis(&analysis.basis);
    let basis = Message { level: if worrying { "warn" } else { "info" }, value: basis };
    let warnings = analysis.basis.warnings.iter().filter(|it| !it.is_empty());
    let warnings = warnings.map(|it| Message { level: "warn", value: it.clone() });
    gaps.chain([basis]).chain(warnings).collect()
}

/// A directory has neither image nor, often, an operating system; GitLab wants words for both.
fn operating_system(analysis: &Analysis) -> String {
    match &analysis.inventory.distro {
        Some(distro) if !distro.id.is_empty() => match &distro.version {
            Some(version) => format!("{}:{version}", distro.id),
            None => distro.id.clone(),
        },
        _ => "unknown".to_owned(),
    }
}

/// What is the same for all of them.
struct Where<'a> {
    image: &'a str,
    operating_system: &'a str,
}

/// One for each finding and package: GitLab knows no flaw of several packages.
fn vulnerabilities<'a>(
    analysis: &'a Analysis,
    options: &Options,
    at: &Where<'a>,
) -> Vec<Vulnerability<'a>> {
    let mut told = Vec::with_capacity(analysis.findings.len());
    for finding in page::findings(analysis, options) {
        let mut packages = page::packages(analysis, finding).peekable();
        if packages.peek().is_none() {
            told.push(vulnerability(finding, None, at));
        }
        told.extend(packages.map(|it| vulnerability(finding, Some(it), at)));
    }
    told
}

fn vulnerability<'a>(
    finding: &'a Finding,
    package: Option<&'a Package>,
    at: &Where<'a>,
) -> Vulnerability<'a> {
    let purl = package.map(|it| it.purl.to_string());
    let title = if finding.title.is_empty() { &finding.id } else { &finding.title };
    let details = if finding.details.is_empty() { title } else { &finding.details };
    let mut solution = words::solution(finding);
    if let Some(text) = &mut solution {
        text.truncate(words::cut(text, LONGEST_SOLUTION).len());
    }
    Vulnerability {
        id: number(&[&finding.id, &finding.name, at.image, purl.as_deref().unwrap_or_default()]),
        name: words::cut(title, LONGEST_NAME),
        description: words::cut(details, LONGEST_DESCRIPTION),
        severity: match finding.level {
            Level::Critical => "Critical",
            Level::High => "High",
            Level::Medium => "Medium",
            Level::Low => "Low",
            Level::Unspecified => "Unknown",
        },
        solution,
        identifiers: identifiers(finding),
        cvss_vectors: vectors(finding),
        links: finding
            .references
            .iter()
            .filter(|it| document::is_plain_url(it))
            .map(|url| Link { url })
            .collect(),
        location: Location {
            dependency: Dependency {
                package: Named {
                    name: package.map_or((&*finding.name).into(), |it| crate::list::name(&it.purl)),
                },
                version: package.and_then(|it| it.purl.version()).unwrap_or(&finding.version),
            },
            operating_system: at.operating_system,
            image: at.image,
        },
        flags: finding.statement.as_ref().and_then(flag).map(|it| [it]),
        details: more(finding, package, purl),
    }
}

/// A number in the form of a UUID (version 8), the same for the same flaw in the same place.
fn number(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    document::uuid(&hash.finalize().into())
}

/// The name it goes by is the first, which GitLab takes for the primary one.
fn identifiers(finding: &Finding) -> Vec<Identifier<'_>> {
    let ids = [&finding.id].into_iter().chain(&finding.aliases).filter(|it| !it.is_empty());
    let ids = ids.map(|id| Identifier {
        r#type: words::scheme(id),
        name: id.into(),
        value: id.into(),
        url: words::link(id),
    });
    let weaknesses = finding.weaknesses.iter().map(|it| Identifier {
        r#type: "cwe".to_owned(),
        name: format!("CWE-{it}").into(),
        value: it.to_string().into(),
        url: format!("https://cwe.mitre.org/data/definitions/{it}.html"),
    });
    let mut all: Vec<Identifier<'_>> = ids.chain(weaknesses).take(MOST_IDENTIFIERS).collect();
    if all.is_empty() {
        all.push(Identifier {
            r#type: "other".to_owned(),
            name: "unnamed".into(),
            value: "unnamed".into(),
            url: words::link("unnamed"),
        });
    }
    all
}

/// Vectors of CVSS 3 as GitLab's schema wants them; it knows no others of today's.
fn vectors(finding: &Finding) -> Vec<Vector<'_>> {
    let known = |rating: &'_ model::Rating, vector: &str| {
        let rest = vector.strip_prefix("CVSS:3.0/").or_else(|| vector.strip_prefix("CVSS:3.1/"));
        !rating.source.is_empty()
            && (32..=128).contains(&vector.len())
            && rest.is_some_and(|it| it.split('/').all(is_metric))
    };
    let vectors = finding.ratings.iter().filter_map(|rating| {
        let vector = rating.vector.as_deref().filter(|it| known(rating, it))?;
        Some(Vector { vendor: &rating.source, vector })
    });
    vectors.take(MOST_VECTORS).collect()
}

/// Metrics of CVSS 3, each with its letters.
const METRICS: [(&str, &str); 22] = [
    ("AV", "NALP"),
    ("AC", "LH"),
    ("PR", "NLH"),
    ("UI", "NR"),
    ("S", "UC"),
    ("C", "NLH"),
    ("I", "NLH"),
    ("A", "NLH"),
    ("E", "XUPFH"),
    ("RL", "XOTWU"),
    ("RC", "XURC"),
    ("CR", "XLMH"),
    ("IR", "XLMH"),
    ("AR", "XLMH"),
    ("MAV", "XNALP"),
    ("MAC", "XLH"),
    ("MPR", "XNLH"),
    ("MUI", "XNR"),
    ("MS", "XUC"),
    ("MC", "XNLH"),
    ("MI", "XNLH"),
    ("MA", "XNLH"),
];

fn is_metric(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, letter)| {
        letter.len() == 1
            && METRICS.iter().any(|(known, letters)| *known == name && letters.contains(letter))
    })
}

/// GitLab has no word for a finding that was taken out of the way; the nearest is this mark. A risk
/// that is accepted is no false positive, and is told in the details alone.
fn flag(statement: &Statement) -> Option<Flag> {
    matches!(statement.status, StatementStatus::NotAffected | StatementStatus::Fixed).then(|| {
        Flag {
            r#type: "flagged-as-likely-false-positive",
            origin: TOOL,
            description: words::whole_statement(statement),
        }
    })
}

fn more(finding: &Finding, package: Option<&Package>, purl: Option<String>) -> Details {
    let text = |name, value: String| Detail { name, r#type: "text", value };
    let place = package.and_then(|it| it.places.first());
    Details {
        purl: purl.map(|it| text("Package URL", it)),
        affected_range: text("Affected range", words::range(finding)),
        source: text("Source", words::source(finding)),
        location: place.map(|it| text("Location", it.path.clone())),
        exploited: finding
            .exploited
            .as_ref()
            .map(|it| text("Known to be exploited", format!("since {}", it.added))),
        epss: finding.forecast.as_ref().map(|it| text("EPSS score", it.score.to_string())),
        statement: finding
            .statement
            .as_ref()
            .map(|it| text("Statement", words::whole_statement(it))),
    }
}
