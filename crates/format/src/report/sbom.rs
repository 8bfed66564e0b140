//! sbom: Scout's JSON of the inventory with its vulnerabilities, which is what policies are fed with.

use std::collections::BTreeMap;

use model::{Analysis, Exploited, Finding, Forecast, Gap, Statement};
use serde::Serialize;

use super::{Array, Options, Report, Several};
use crate::{json, page, words};

pub(crate) struct Sbom;

impl Report for Sbom {
    fn id(&self) -> &'static str {
        "sbom"
    }

    fn title(&self) -> &'static str {
        "the inventory in the shape of Docker Scout, with its vulnerabilities"
    }

    fn several<'a>(&'a self, _: usize, options: &'a Options) -> Option<Box<dyn Several + 'a>> {
        Some(Array::of(self, options))
    }

    fn write(&self, analysis: &Analysis, options: &Options) -> String {
        let mut by_package: BTreeMap<usize, Vec<Flaw<'_>>> = BTreeMap::new();
        for finding in page::findings(analysis, options) {
            for number in &finding.packages {
                by_package.entry(*number).or_default().push(flaw(finding));
            }
        }
        let vulnerabilities = by_package.into_iter().filter_map(|(number, vulnerabilities)| {
            let package = analysis.inventory.packages.get(number)?;
            Some(Concerned { purl: package.purl.to_string(), vulnerabilities })
        });
        let findings = Findings {
            vulnerabilities: vulnerabilities.collect(),
            analysis: About {
                basis: &analysis.basis,
                says: page::basis(&analysis.basis).0,
                gaps: page::gaps(analysis),
            },
        };
        json::write_with(&analysis.inventory, &options.tool_version, Some(&findings))
    }
}

/// What stands beside the inventory.
#[derive(Serialize)]
struct Findings<'a> {
    vulnerabilities: Vec<Concerned<'a>>,
    analysis: About<'a>,
}

#[derive(Serialize)]
struct About<'a> {
    basis: &'a model::Basis,
    says: String,
    gaps: Vec<&'a Gap>,
}

#[derive(Serialize)]
struct Concerned<'a> {
    purl: String,
    vulnerabilities: Vec<Flaw<'a>>,
}

#[derive(Clone, Serialize)]
struct Flaw<'a> {
    source: &'a str,
    source_id: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    aliases: &'a [String],
    description: &'a str,
    vulnerable_range: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_by: Option<&'a str>,
    fix: String,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    published_at: Option<&'a str>,
    cvss: Cvss<'a>,
    cwes: Vec<Cwe>,
    cisa_exploited: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    exploited: Option<&'a Exploited>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epss: Option<&'a Forecast>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_use: Option<bool>,
    suppressed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<&'a Statement>,
}

#[derive(Clone, Serialize)]
struct Cvss<'a> {
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
}

#[derive(Clone, Serialize)]
struct Cwe {
    cwe_id: String,
}

fn flaw(finding: &Finding) -> Flaw<'_> {
    let scored = finding.ratings.iter().find(|it| it.score.is_some());
    Flaw {
        source: &finding.feed,
        source_id: &finding.advisory,
        id: &finding.id,
        aliases: &finding.aliases,
        description: if finding.details.is_empty() { &finding.title } else { &finding.details },
        vulnerable_range: words::range(finding),
        fixed_by: finding.fixed(),
        fix: words::fixed(finding).into_owned(),
        url: words::link(&finding.id),
        published_at: finding.published.as_deref(),
        cvss: Cvss {
            severity: words::upper(finding.level),
            score: finding.score(),
            vector: finding.vector(),
            source: scored.map(|it| &*it.source),
        },
        cwes: finding.weaknesses.iter().map(|it| Cwe { cwe_id: format!("CWE-{it}") }).collect(),
        cisa_exploited: finding.exploited.is_some(),
        exploited: finding.exploited.as_ref(),
        epss: finding.forecast.as_ref(),
        in_use: finding.in_use,
        suppressed: finding.suppressed(),
        statement: finding.statement.as_ref(),
    }
}
