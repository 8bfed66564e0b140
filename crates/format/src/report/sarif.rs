//! sarif: SARIF 2.1.0, within the limits of GitHub's code scanning.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>,
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>

mod shape;

use std::collections::HashMap;
use std::fmt::Write as _;

use model::{Analysis, Finding, Level};
use sha2::{Digest as _, Sha256};

use self::shape::{
    Artifact, Automation, Besides, Document, Driver, Fingerprints, Help, Invocation, Location,
    Message, Notification, Outcome, Physical, Region, Rule, RuleProperties, Run, Suppression, Tool,
};
use super::{Options, Report, Several};
use crate::document::{self, TOOL};
use crate::{page, words};

/// More of them, and GitHub refuses the whole document.
const MOST_RESULTS: usize = 25_000;
const MOST_LOCATIONS: usize = 1000;
const MOST_TAGS: usize = 20;

pub(crate) struct Sarif;

impl Report for Sarif {
    fn id(&self) -> &'static str {
        "sarif"
    }

    fn title(&self) -> &'static str {
        "SARIF 2.1.0"
    }

    fn write(&self, analysis: &Analysis, options: &Options) -> String {
        document::printed(&of(vec![run(analysis, options, None)]), analysis.findings.len())
    }

    /// A run for each image: GitHub keeps them apart by what they are about.
    fn several<'a>(&'a self, _: usize, options: &'a Options) -> Option<Box<dyn Several + 'a>> {
        Some(Box::new(Parts { options, list: document::List::of(&of(Vec::new()), "runs") }))
    }
}

struct Parts<'a> {
    options: &'a Options,
    list: document::List,
}

impl Several for Parts<'_> {
    fn image(&mut self, analysis: &Analysis) -> String {
        let id = format!("{TOOL}/{}/", analysis.inventory.subject.name());
        self.list.add(&run(analysis, self.options, Some(Automation { id })))
    }

    fn end(&mut self) -> String {
        self.list.end()
    }
}

fn of(runs: Vec<Run<'_>>) -> Document<'_> {
    Document { schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs }
}

fn run<'a>(
    analysis: &'a Analysis,
    options: &'a Options,
    automation_details: Option<Automation>,
) -> Run<'a> {
    let findings = page::findings(analysis, options);
    let told = findings.get(..MOST_RESULTS).unwrap_or(&findings);
    let (rules, numbers) = rules(analysis, told);
    let mut seen = HashMap::new();
    let results =
        told.iter().map(|finding| result(analysis, finding, &numbers, &mut seen)).collect();
    Run {
        tool: Tool {
            driver: Driver {
                name: TOOL,
                full_name: "Foretop",
                version: &options.tool_version,
                rules,
            },
        },
        results,
        invocations: [Invocation {
            execution_successful: true,
            tool_execution_notifications: notifications(analysis, findings.len()),
        }],
        column_kind: "unicodeCodePoints",
        automation_details,
    }
}

/// A rule for each flaw, in the order of its first finding, and the number of each.
fn rules<'a>(
    analysis: &'a Analysis,
    findings: &[&'a Finding],
) -> (Vec<Rule<'a>>, HashMap<&'a str, usize>) {
    let mut numbers = HashMap::new();
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let number = *numbers.entry(&*finding.id).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(number) {
            group.push(finding);
        }
    }
    let rules = groups.iter().filter_map(|it| rule(analysis, it)).collect();
    (rules, numbers)
}

/// The rule of a flaw: the worst of its findings speaks for it.
fn rule<'a>(analysis: &Analysis, findings: &[&'a Finding]) -> Option<Rule<'a>> {
    let worst = findings.iter().rev().max_by_key(|it| it.level)?;
    let headline = one_line(&words::headline(worst));
    let title =
        if headline.is_empty() { worst.id.clone() } else { format!("{}: {headline}", worst.id) };
    let mut purls: Vec<String> = findings
        .iter()
        .flat_map(|finding| page::packages(analysis, finding))
        .map(|package| package.purl.to_string())
        .collect();
    purls.sort_unstable();
    purls.dedup();
    purls.truncate(MOST_LOCATIONS);
    let system = findings
        .iter()
        .flat_map(|finding| page::packages(analysis, finding))
        .any(|it| matches!(it.purl.kind(), "deb" | "apk" | "rpm" | "alpm"));
    let affected_version = words::range(worst);
    let fixed_version = words::fixed(worst).into_owned();
    Some(Rule {
        id: &worst.id,
        name: if system { "OsPackageVulnerability" } else { "LanguagePackageVulnerability" },
        short_description: Message { text: words::cut(&title, 1000).to_owned() },
        help_uri: words::link(&worst.id),
        help: help(worst, &title, &affected_version, &fixed_version),
        properties: RuleProperties {
            score: worst.score(),
            severity: words::upper(worst.level),
            security_severity: security_severity(worst),
            tags: tags(worst, &purls),
            affected_version,
            fixed_version,
            purls,
        },
    })
}

fn help(finding: &Finding, title: &str, affected: &str, fixed: &str) -> Help {
    let text = if finding.details.is_empty() { title } else { &finding.details };
    let mut markdown = String::with_capacity(text.len() + 256);
    for line in text.lines() {
        markdown.push_str("> ");
        push_plain(&mut markdown, line);
        markdown.push('\n');
    }
    markdown.push_str("\n| | |\n|---|---|\n");
    for (label, value) in
        [("Package", &*finding.name), ("Affected range", affected), ("Fixed version", fixed)]
    {
        let _ = write!(markdown, "| {label} | ");
        push_plain(&mut markdown, value);
        markdown.push_str(" |\n");
    }
    Help { text: text.to_owned(), markdown }
}

/// Text that Markdown shows as it is, on one line.
fn push_plain(markdown: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => markdown.push_str("&amp;"),
            '<' => markdown.push_str("&lt;"),
            '>' => markdown.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '!' | '~' => {
                markdown.push('\\');
                markdown.push(letter);
            }
            it if it.is_control() => markdown.push(' '),
            it => markdown.push(it),
        }
    }
}

fn tags(finding: &Finding, purls: &[String]) -> Vec<String> {
    let mut tags = vec![
        words::upper(finding.level).to_owned(),
        "security".to_owned(),
        "vulnerability".to_owned(),
    ];
    if finding.exploited.is_some() {
        tags.push("cisa-kev".to_owned());
    }
    if finding.malicious {
        tags.push("malicious".to_owned());
    }
    for purl in purls {
        let kind = purl.strip_prefix("pkg:").and_then(|it| it.split('/').next());
        if let Some(kind) = kind.filter(|kind| !tags.iter().any(|tag| tag == kind)) {
            tags.push(kind.to_owned());
        }
    }
    for weakness in &finding.weaknesses {
        let tag = format!("external/cwe/cwe-{weakness:03}");
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags.truncate(MOST_TAGS);
    tags
}

/// GitHub makes its own level of a score: where the publisher's word and the score are at odds, the
/// score is moved to the nearest edge of the level, so that all reports say the same.
fn security_severity(finding: &Finding) -> Option<String> {
    let (low, high, usual) = match finding.level {
        Level::Critical => (9.0, 10.0, 9.5),
        Level::High => (7.0, 8.9, 8.0),
        Level::Medium => (4.0, 6.9, 5.5),
        Level::Low => (0.1, 3.9, 2.0),
        Level::Unspecified => return None,
    };
    let score = finding.score().filter(|it| it.is_finite()).map_or(usual, |it| it.clamp(low, high));
    Some(format!("{score:.1}"))
}

fn result<'a>(
    analysis: &Analysis,
    finding: &'a Finding,
    numbers: &HashMap<&str, usize>,
    seen: &mut HashMap<u64, u32>,
) -> Outcome<'a> {
    let places: Vec<_> = page::packages(analysis, finding).flat_map(|it| &it.places).collect();
    let left_out = places.len().saturating_sub(MOST_LOCATIONS);
    let mut locations: Vec<Location> = places
        .into_iter()
        .take(MOST_LOCATIONS)
        .map(|place| {
            let layer = place.layer.map(|it| Message { text: format!("in layer {it}") });
            Location { message: layer, ..location(&place.path) }
        })
        .collect();
    // GitHub shows no result without a place.
    if locations.is_empty() {
        locations.push(location(analysis.inventory.subject.name()));
    }
    let suppression = finding.statement.as_ref().filter(|_| finding.suppressed());
    Outcome {
        rule_id: &finding.id,
        rule_index: numbers.get(&*finding.id).copied().unwrap_or_default(),
        kind: "fail",
        level: match finding.level {
            Level::Critical | Level::High => "error",
            Level::Medium | Level::Unspecified => "warning",
            Level::Low => "note",
        },
        message: Message { text: message(analysis, finding) },
        locations,
        partial_fingerprints: Fingerprints {
            primary_location_line_hash: fingerprint(analysis, finding, seen),
        },
        suppressions: suppression.map(|it| {
            [Suppression {
                kind: "external",
                status: "accepted",
                justification: words::whole_statement(it),
            }]
        }),
        properties: besides(left_out, finding.in_use),
    }
}

fn besides(left_out: usize, in_use: Option<bool>) -> Option<Besides> {
    let locations_left_out = Some(left_out).filter(|it| *it > 0);
    let is_any = locations_left_out.is_some() || in_use.is_some();
    is_any.then_some(Besides { locations_left_out, in_use })
}

fn location(path: &str) -> Location {
    Location {
        physical_location: Physical {
            artifact_location: Artifact { uri: relative(path) },
            region: Region { start_line: 1, start_column: 1, end_line: 1, end_column: 1 },
        },
        message: None,
    }
}

/// A path as a relative URI: no leading slash, nothing that a URI cannot hold, never empty.
fn relative(path: &str) -> String {
    let mut uri = String::with_capacity(path.len() + 8);
    for segment in path.split('/').filter(|it| !matches!(*it, "" | "." | "..")) {
        if !uri.is_empty() {
            uri.push('/');
        }
        words::push_encoded(&mut uri, segment, b"!$'()+,=@");
    }
    if uri.is_empty() { "subject".to_owned() } else { uri }
}

/// Lines of which each says one thing, in columns.
fn message(analysis: &Analysis, finding: &Finding) -> String {
    let mut text = String::with_capacity(384);
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "  {label:<15} : {}", one_line(value));
    };
    line("Vulnerability", &finding.id);
    line("Severity", words::upper(finding.level));
    let purls: Vec<String> =
        page::packages(analysis, finding).map(|it| it.purl.to_string()).collect();
    for (number, purl) in purls.iter().take(100).enumerate() {
        line(if number == 0 { "Package" } else { "" }, purl);
    }
    if purls.len() > 100 {
        line("", &format!("and {} more", purls.len() - 100));
    }
    line("Affected range", &words::range(finding));
    line("Fixed version", &words::fixed(finding));
    if let Some(forecast) = &finding.forecast {
        line("EPSS Score", &format!("{:.6}", forecast.score));
        line("EPSS Percentile", &format!("{:.6}", forecast.percentile));
    }
    if let Some(exploited) = &finding.exploited {
        line("CISA KEV", &format!("since {}", exploited.added));
    }
    line("Source", &words::source(finding));
    text
}

/// The same for the same flaw in the same package, whatever its version and layer; a number tells
/// apart those that would be alike.
fn fingerprint(analysis: &Analysis, finding: &Finding, seen: &mut HashMap<u64, u32>) -> String {
    let kind = page::packages(analysis, finding).next().map(|it| it.purl.kind());
    let mut hash = Sha256::new();
    for part in [&*finding.id, kind.unwrap_or_default(), &*finding.name] {
        hash.update(part);
        hash.update([0]);
    }
    let bytes: [u8; 32] = hash.finalize().into();
    let number = bytes.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let times = seen.entry(number).or_default();
    *times += 1;
    format!("{number:016x}:{times}")
}

/// Gaps, what the analysis rests on, and what the limits left out.
fn notifications(analysis: &Analysis, findings: usize) -> Vec<Notification> {
    let say = |level, text: String| Notification { level, message: Message { text } };
    let mut said: Vec<Notification> = page::gaps(analysis)
        .into_iter()
        .map(|gap| say("warning", format!("not known: {gap}")))
        .collect();
    let (basis, worrying) = page::basis(&analysis.basis);
    said.push(say(if worrying { "warning" } else { "note" }, basis));
    said.extend(analysis.basis.warnings.iter().map(|it| say("warning", it.clone())));
    if findings > MOST_RESULTS {
        let left = findings - MOST_RESULTS;
        said.push(say("error", format!("{left} more findings are left out: there may be no more than {MOST_RESULTS} in one document")));
    }
    said
}

fn one_line(text: &str) -> String {
    text.replace(|it: char| it.is_control(), " ")
}
