//! cyclonedx: the inventory as CycloneDX 1.6 JSON with its vulnerabilities, and what statements say
//! about them.

use model::{Analysis, Finding, Level, Rating, Statement, StatementStatus};
use serde::Serialize;

use super::{Options, Report};
use crate::cyclonedx::{Beside, write_with};
use crate::{document, page, words};

pub(crate) struct CycloneDx;

impl Report for CycloneDx {
    fn id(&self) -> &'static str {
        "cyclonedx"
    }

    fn title(&self) -> &'static str {
        "CycloneDX 1.6 JSON, with vulnerabilities"
    }

    fn write(&self, analysis: &Analysis, options: &Options) -> String {
        let findings = page::findings(analysis, options);
        let mut says = vec![page::basis(&analysis.basis).0];
        says.extend(analysis.basis.warnings.iter().cloned());
        write_with(&analysis.inventory, &options.of_document(), |references| {
            Some(Beside {
                gaps: analysis.gaps.iter().collect(),
                says,
                vulnerabilities: findings
                    .into_iter()
                    .enumerate()
                    .map(|(number, finding)| vulnerability(number, finding, references))
                    .collect::<Vec<_>>(),
            })
        })
    }
}

/// The longest version and range that the schema takes.
const LONGEST_VERSION: usize = 1024;
const LONGEST_RANGE: usize = 4096;

#[derive(Serialize)]
pub(crate) struct Vulnerability<'a> {
    #[serde(rename = "bom-ref", skip_serializing_if = "String::is_empty")]
    pub(crate) bom_ref: String,
    id: &'a str,
    source: Source<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Reference<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ratings: Vec<Rated<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cwes: Vec<u32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    recommendation: String,
    advisories: Vec<Page<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    analysis: Option<Judged>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) affects: Vec<Affects>,
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Source<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Reference<'a> {
    id: &'a str,
    source: Source<'a>,
}

#[derive(Serialize)]
struct Rated<'a> {
    source: Source<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<&'a str>,
}

#[derive(Serialize)]
struct Page<'a> {
    url: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
struct Judged {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<[&'static str; 1]>,
    detail: String,
}

#[derive(Serialize)]
pub(crate) struct Affects {
    pub(crate) r#ref: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) versions: Vec<Version>,
}

#[derive(Serialize)]
pub(crate) struct Version {
    #[serde(flatten)]
    which: Which,
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Which {
    Version(String),
    Range(String),
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

/// A finding; `references` are the names of its inventory's packages in the document.
pub(crate) fn vulnerability<'a>(
    number: usize,
    finding: &'a Finding,
    references: &[String],
) -> Vulnerability<'a> {
    let property = |name, value: &str| Property { name, value: value.to_owned() };
    let mut properties = vec![
        property("foretop:finding:level", finding.level.as_str()),
        property("foretop:finding:advisory", &words::source(finding)),
        property("foretop:finding:fix", &words::fixed(finding)),
    ];
    if let Some(exploited) = &finding.exploited {
        properties.push(property("foretop:finding:exploited", &exploited.added));
    }
    if let Some(in_use) = finding.in_use {
        properties.push(property("foretop:finding:in-use", &in_use.to_string()));
    }
    if let Some(forecast) = &finding.forecast {
        properties.push(property("foretop:finding:epss-score", &forecast.score.to_string()));
        let percentile = forecast.percentile.to_string();
        properties.push(property("foretop:finding:epss-percentile", &percentile));
    }
    if let Some(reason) = &finding.reason {
        properties.push(property("foretop:finding:reason", reason));
    }
    let links = finding.references.iter().filter(|it| document::is_plain_url(it));
    Vulnerability {
        bom_ref: format!("finding-{number}"),
        id: &finding.id,
        source: Source { name: &finding.feed, url: Some(words::link(&finding.id)) },
        references: finding.aliases.iter().map(|it| alias(it)).collect(),
        ratings: finding.ratings.iter().map(rated).collect(),
        cwes: finding.weaknesses.iter().copied().filter(|it| *it > 0).collect(),
        description: &finding.title,
        detail: &finding.details,
        recommendation: words::solution(finding)
            .unwrap_or_else(|| words::fixed(finding).into_owned()),
        advisories: [words::link(&finding.id).into()]
            .into_iter()
            .chain(links.map(|it| it.as_str().into()))
            .map(|url| Page { url })
            .collect(),
        published: finding.published.as_deref().and_then(document::to_the_second),
        analysis: finding.statement.as_ref().map(judged),
        affects: finding
            .packages
            .iter()
            .filter_map(|it| references.get(*it))
            .map(|reference| Affects {
                r#ref: reference.clone(),
                versions: versions(finding, reference),
            })
            .collect(),
        properties,
    }
}

fn alias(id: &str) -> Reference<'_> {
    let source = match id.split('-').next() {
        Some("CVE") => "NVD",
        Some("GHSA") => "GitHub",
        _ => "OSV",
    };
    Reference { id, source: Source { name: source, url: Some(words::link(id)) } }
}

fn rated(rating: &Rating) -> Rated<'_> {
    let method = rating.vector.as_deref().map(|vector| match vector.get(..8) {
        Some("CVSS:4.0") => "CVSSv4",
        Some("CVSS:3.1") => "CVSSv31",
        Some("CVSS:3.0") => "CVSSv3",
        _ if vector.starts_with("AV:") => "CVSSv2",
        _ => "other",
    });
    Rated {
        source: Source { name: &rating.source, url: None },
        score: rating.score.filter(|it| it.is_finite()),
        severity: match rating.level {
            Level::Critical => "critical",
            Level::High => "high",
            Level::Medium => "medium",
            Level::Low => "low",
            Level::Unspecified => "unknown",
        },
        method,
        vector: rating.vector.as_deref(),
    }
}

/// The version that was compared, and the range it was found in.
fn versions(finding: &Finding, reference: &str) -> Vec<Version> {
    let cleared = finding.statement.as_ref().is_some_and(|it| {
        matches!(it.status, StatementStatus::NotAffected | StatementStatus::Fixed)
    });
    let status = if cleared { "unaffected" } else { "affected" };
    let mut versions = Vec::with_capacity(2);
    if (1..=LONGEST_VERSION).contains(&finding.version.len()) {
        versions.push(Version { which: Which::Version(finding.version.clone()), status });
    }
    let kind = reference.strip_prefix("pkg:").and_then(|it| it.split('/').next());
    if let (Some(kind), Some(_)) = (kind, finding.spans.first()) {
        let range = range(finding, kind);
        if range.len() <= LONGEST_RANGE {
            versions.push(Version { which: Which::Range(range), status: "affected" });
        }
    }
    versions
}

/// `vers:deb/>=1.0|<1.2`. <https://github.com/package-url/vers-spec>
fn range(finding: &Finding, kind: &str) -> String {
    let mut range = format!("vers:{kind}/");
    for (number, bound) in words::bounds(finding).iter().enumerate() {
        let at = bound.find(|it| !matches!(it, '<' | '>' | '=')).unwrap_or(bound.len());
        let (sign, version) = bound.split_at(at);
        range.push_str(if number == 0 { "" } else { "|" });
        range.push_str(sign);
        words::push_encoded(&mut range, version, b":+*");
    }
    range
}

fn judged(statement: &Statement) -> Judged {
    let (state, response) = match statement.status {
        StatementStatus::NotAffected => ("not_affected", None),
        StatementStatus::Fixed => ("resolved", None),
        StatementStatus::Affected => ("exploitable", None),
        StatementStatus::Accepted => ("exploitable", Some(["will_not_fix"])),
        StatementStatus::UnderInvestigation => ("in_triage", None),
    };
    Judged {
        state,
        justification: statement
            .justification
            .as_deref()
            .filter(|_| state == "not_affected")
            .and_then(justification),
        response,
        detail: words::whole_statement(statement),
    }
}

/// CycloneDX's words for why something is not affected, of its own, `OpenVEX`'s and CSAF's.
fn justification(word: &str) -> Option<&'static str> {
    const OWN: [&str; 9] = [
        "code_not_present",
        "code_not_reachable",
        "requires_configuration",
        "requires_dependency",
        "requires_environment",
        "protected_by_compiler",
        "protected_at_runtime",
        "protected_at_perimeter",
        "protected_by_mitigating_control",
    ];
    match word {
        "component_not_present" | "vulnerable_code_not_present" => Some("code_not_present"),
        "vulnerable_code_not_in_execute_path" => Some("code_not_reachable"),
        "inline_mitigations_already_exist" => Some("protected_by_mitigating_control"),
        _ => OWN.into_iter().find(|own| *own == word),
    }
}
