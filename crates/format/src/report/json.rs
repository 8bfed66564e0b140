//! json: for scripts: everything an analysis says, in one stable shape: every key is always there.

use std::io::{self, Write};

use model::{Analysis, Digest, Exploited, Finding, Fix, Forecast, Gap, Level, Outlook, Package};
use model::{Place, Purl, Rating, Span, Statement, Subject};
use serde::Serialize;

use super::basis::BasisJson;
use super::{Array, Options, Report, Several};
use crate::document::{self, TOOL};
use crate::page::{self, Tally};
use crate::words;

/// Raised when a key changes its meaning or goes away; new keys may come at any time.
const SHAPE: u32 = 1;

pub(crate) struct Json;

impl Report for Json {
    fn id(&self) -> &'static str {
        "json"
    }

    fn title(&self) -> &'static str {
        "JSON for scripts, in a stable shape"
    }

    fn several<'a>(&'a self, _: usize, options: &'a Options) -> Option<Box<dyn Several + 'a>> {
        Some(Array::of(self, options))
    }

    fn write(&self, analysis: &Analysis, options: &Options) -> String {
        let mut bytes = Vec::new();
        self.write_to(analysis, options, &mut bytes).expect("there is room for everything");
        String::from_utf8(bytes).expect("JSON is written as UTF-8")
    }

    fn write_to(
        &self,
        analysis: &Analysis,
        options: &Options,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let findings = page::findings(analysis, options);
        let gaps = page::gaps(analysis);
        let document = Document {
            kind: "foretop-analysis",
            shape: SHAPE,
            tool: Tool { name: TOOL, version: &options.tool_version },
            created: document::created(&analysis.inventory, options.created.as_deref()),
            subject: subject(analysis),
            distro: analysis.inventory.distro.as_ref(),
            summary: summary(analysis, &gaps),
            findings: [],
            gaps,
            basis: BasisJson::of(&analysis.basis),
        };
        document::print_with(&document, "findings", &findings, |it| told(analysis, it), out)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    kind: &'static str,
    shape: u32,
    tool: Tool<'a>,
    created: String,
    subject: About<'a>,
    distro: Option<&'a model::Distro>,
    summary: Summary,
    /// They are told one by one.
    findings: [Told<'a>; 0],
    gaps: Vec<&'a Gap>,
    basis: BasisJson<'a>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct About<'a> {
    r#type: &'static str,
    name: &'a str,
    digest: Option<&'a Digest>,
    platform: Option<String>,
    tags: &'a [String],
    size: Option<u64>,
}

#[derive(Serialize)]
struct Summary {
    vulnerabilities: usize,
    critical: usize,
    high: usize,
    medium: usize,
    low: usize,
    unspecified: usize,
    suppressed: usize,
    packages: usize,
    vulnerable_packages: usize,
    gaps: usize,
}

#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    aliases: &'a [String],
    url: String,
    level: Level,
    score: Option<f32>,
    vector: Option<&'a str>,
    ratings: &'a [Rating],
    title: &'a str,
    details: &'a str,
    name: &'a str,
    version: &'a str,
    space: &'a model::Space,
    packages: Vec<Concerned<'a>>,
    affected_range: String,
    spans: &'a [Span],
    fixed_version: Option<&'a str>,
    fix_channel: Option<&'a str>,
    outlook: Option<Outlook>,
    fix: String,
    reason: Option<&'a str>,
    feed: &'a str,
    advisory: &'a str,
    bulletins: &'a [String],
    published: Option<&'a str>,
    references: &'a [String],
    weaknesses: Vec<String>,
    exploited: Option<&'a Exploited>,
    forecast: Option<&'a Forecast>,
    malicious: bool,
    suppressed: bool,
    statement: Option<&'a Statement>,
    /// `null`: nobody can tell.
    in_use: Option<bool>,
}

#[derive(Serialize)]
struct Concerned<'a> {
    purl: &'a Purl,
    name: std::borrow::Cow<'a, str>,
    version: &'a str,
    kind: model::PackageKind,
    places: &'a [Place],
}

fn subject(analysis: &Analysis) -> About<'_> {
    let subject = &analysis.inventory.subject;
    let image = subject.image();
    About {
        r#type: match subject {
            Subject::Image(_) => "image",
            Subject::Directory { .. } => "directory",
            Subject::Document { .. } => "document",
        },
        name: subject.name(),
        digest: image.and_then(|it| it.digest.as_ref()),
        platform: image.and_then(words::platform),
        tags: image.map_or(&[], |it| &it.tags),
        size: image.map(|it| it.size),
    }
}

fn summary(analysis: &Analysis, gaps: &[&Gap]) -> Summary {
    let tally = Tally::of(&analysis.findings);
    let counted = analysis.findings.iter().filter(|it| !it.suppressed());
    let mut packages: Vec<usize> = counted.flat_map(|it| &it.packages).copied().collect();
    packages.sort_unstable();
    packages.dedup();
    Summary {
        vulnerabilities: tally.total(),
        critical: tally.count(Level::Critical),
        high: tally.count(Level::High),
        medium: tally.count(Level::Medium),
        low: tally.count(Level::Low),
        unspecified: tally.count(Level::Unspecified),
        suppressed: tally.suppressed,
        packages: analysis.inventory.packages.len(),
        vulnerable_packages: packages.len(),
        gaps: gaps.len(),
    }
}

fn told<'a>(analysis: &'a Analysis, finding: &'a Finding) -> Told<'a> {
    let (channel, outlook) = match &finding.fix {
        Fix::Version { channel, .. } => (channel.as_deref(), None),
        Fix::None(outlook) => (None, Some(*outlook)),
    };
    Told {
        id: &finding.id,
        aliases: &finding.aliases,
        url: words::link(&finding.id),
        level: finding.level,
        score: finding.score(),
        vector: finding.vector(),
        ratings: &finding.ratings,
        title: &finding.title,
        details: &finding.details,
        name: &finding.name,
        version: &finding.version,
        space: &finding.space,
        packages: page::packages(analysis, finding).map(concerned).collect(),
        affected_range: words::range(finding),
        spans: &finding.spans,
        fixed_version: finding.fixed(),
        fix_channel: channel,
        outlook,
        fix: words::fixed(finding).into_owned(),
        reason: finding.reason.as_deref(),
        feed: &finding.feed,
        advisory: &finding.advisory,
        bulletins: &finding.bulletins,
        published: finding.published.as_deref(),
        references: &finding.references,
        weaknesses: finding.weaknesses.iter().map(|it| format!("CWE-{it}")).collect(),
        exploited: finding.exploited.as_ref(),
        forecast: finding.forecast.as_ref(),
        malicious: finding.malicious,
        in_use: finding.in_use,
        suppressed: finding.suppressed(),
        statement: finding.statement.as_ref(),
    }
}

fn concerned(package: &Package) -> Concerned<'_> {
    Concerned {
        purl: &package.purl,
        name: crate::list::name(&package.purl),
        version: package.purl.version().unwrap_or_default(),
        kind: package.kind,
        places: &package.places,
    }
}
