//! packages: for people, the default: an overview, every package that is concerned with its findings,
//! what is not known, and what all of it rests on.

use model::{Analysis, Finding, Package, Place, Subject};

use super::basis::rests_on;
use super::{BelowHeadings, Options, Report, Several};
use crate::page::{self, Group, Tally};
use crate::paint::{Sign, Style, Text, size};
use crate::words;

pub(crate) struct Packages;

impl Report for Packages {
    fn id(&self) -> &'static str {
        "packages"
    }

    fn title(&self) -> &'static str {
        "an overview, and each package with its vulnerabilities"
    }

    fn several<'a>(&'a self, _: usize, options: &'a Options) -> Option<Box<dyn Several + 'a>> {
        Some(Box::new(BelowHeadings(self, options)))
    }

    fn write(&self, analysis: &Analysis, options: &Options) -> String {
        let capacity = analysis.findings.len().saturating_mul(640).saturating_add(4096);
        let mut text = Text::new(options, capacity);
        let tally = Tally::of(&analysis.findings);
        let groups = page::groups(analysis, options);
        overview(&mut text, analysis, &tally);
        text.heading("Packages and Vulnerabilities");
        for group in &groups {
            concerned(&mut text, analysis, options, group);
        }
        if page::is_dark(analysis) {
            text.sign(Sign::Unknown);
            text.push(&format!(" {NOTHING_KNOWN}\n"));
        } else {
            summary(&mut text, &tally, groups.iter().filter(|it| it.tally.total() > 0).count());
        }
        not_known(&mut text, analysis);
        rests_on(&mut text, &analysis.basis);
        text.out
    }
}

/// In place of counts.
pub(super) const NOTHING_KNOWN: &str = "Not known whether there are vulnerable packages";

/// Columns of the overview left of its line.
const LABEL: usize = 20;

fn overview(text: &mut Text<'_>, analysis: &Analysis, tally: &Tally) {
    let inventory = &analysis.inventory;
    let (title, target) = match &inventory.subject {
        Subject::Image(_) => ("Analyzed Image", "Target"),
        Subject::Directory { .. } => ("Analyzed path", "Path"),
        Subject::Document { .. } => ("Analyzed SBOM", "Target"),
    };
    text.heading("Overview");
    text.padded("", LABEL);
    text.bar();
    text.push("        ");
    text.styled(Style::Bold, title);
    text.push("\n");
    text.rule(LABEL, Some(30));
    row(text, &format!("  {target}"), inventory.subject.name());
    if let Some(image) = inventory.subject.image() {
        if let Some(digest) = &image.digest {
            row(text, "    digest", page::short(digest.as_str()));
        }
        if let Some(platform) = words::platform(image) {
            row(text, "    platform", &platform);
        }
    }
    if let Some(distro) = &inventory.distro {
        let qualifier = distro.qualifier();
        row(text, "    distribution", distro.name.as_deref().unwrap_or(&qualifier));
    }
    let is_dark = page::is_dark(analysis);
    text.padded("    vulnerabilities", LABEL);
    text.bar();
    if is_dark {
        text.push("  not known");
    } else {
        text.cells(tally);
    }
    if tally.suppressed > 0 {
        text.push(&format!("  ({} suppressed)", tally.suppressed));
    }
    text.push("\n");
    if let Some(image) = inventory.subject.image().filter(|it| it.size > 0) {
        row(text, "    size", &size(image.size));
    }
    let packages = inventory.packages.len().to_string();
    row(text, "    packages", if is_dark { "not known" } else { &packages });
    let gaps = page::gaps(analysis).len();
    if gaps > 0 {
        row(text, "    not known", &words::many(gaps, "gap"));
    }
    text.push("\n");
}

fn row(text: &mut Text<'_>, label: &str, value: &str) {
    text.padded(label, LABEL);
    text.bar();
    text.push("  ");
    text.push_shown(value);
    text.push("\n");
}

fn concerned(text: &mut Text<'_>, analysis: &Analysis, options: &Options, group: &Group<'_>) {
    text.cells(&group.tally);
    text.push("  ");
    text.styled(Style::Bold, group.name);
    text.push(" ");
    text.push_shown(group.version);
    text.push("\n");
    for package in group.packages.iter().filter_map(|it| analysis.inventory.packages.get(*it)) {
        text.styled(Style::Dim, &package.purl.to_string());
        text.push("\n");
        if options.locations {
            for place in &package.places {
                located(text, place);
            }
        }
    }
    text.push("\n");
    for finding in &group.findings {
        told(text, analysis, options, group, finding);
    }
}

fn located(text: &mut Text<'_>, place: &Place) {
    text.push("    ");
    text.push_shown(&place.path);
    if let Some(layer) = place.layer {
        text.push(&format!("  layer {layer}"));
    }
    if let Some(diff_id) = &place.diff_id {
        text.push("  ");
        text.push(diff_id.as_str());
    }
    text.push("\n");
}

fn told(
    text: &mut Text<'_>,
    analysis: &Analysis,
    options: &Options,
    group: &Group<'_>,
    finding: &Finding,
) {
    text.push("    ");
    text.sign(if finding.suppressed() { Sign::Set } else { Sign::Bad });
    text.push(" ");
    text.styled(Style::Of(finding.level), words::upper(finding.level));
    text.push(" ");
    text.styled(Style::Bold, &finding.id);
    let marks = [
        (finding.exploited.is_some(), "CISA KEV"),
        (finding.malicious, "MALICIOUS"),
        (finding.suppressed(), "SUPPRESSED"),
    ];
    for (_, mark) in marks.iter().filter(|(really, _)| *really) {
        text.push("  ");
        text.styled(Style::Warning, mark);
    }
    let headline = words::headline(finding);
    let headline = words::short(&headline);
    if headline.is_empty() {
        text.push("\n");
    } else {
        text.push(" [");
        text.wrapped(&headline, "      ");
        // The bracket belongs to the last word.
        text.out.pop();
        text.push("]\n");
    }
    text.push("      ");
    text.styled(Style::Dim, &words::link(&finding.id));
    text.push("\n");
    if options.details && !finding.details.is_empty() {
        text.push("\n");
        for line in finding.details.trim().lines() {
            text.push("      ");
            text.wrapped(line, "      ");
        }
        text.push("\n");
    }
    fields(text, finding, options);
    if finding.packages != group.packages {
        let names: Vec<&str> = page::packages(analysis, finding)
            .map(|package: &Package| package.purl.name())
            .collect();
        field(text, "Only in", &names.join(", "));
    }
    statement(text, finding);
    text.push("\n");
}

fn fields(text: &mut Text<'_>, finding: &Finding, options: &Options) {
    if !finding.aliases.is_empty() {
        field(text, "Also known as", &finding.aliases.join(", "));
    }
    // Whoever decides how bad it is may have no score, and then the score below is another's word.
    if let Some(rating) = finding.ratings.first().filter(|it| it.score.is_none()) {
        let word = rating.word.as_deref().unwrap_or(rating.level.as_str());
        field(text, "Severity", &format!("{word} ({})", rating.source));
    }
    if !finding.title.is_empty() && !finding.weaknesses.is_empty() {
        field(text, "Weakness", &words::weaknesses(finding));
    }
    fields_of(text, "Affected range", &words::bounds(finding));
    field(text, "Fixed version", &words::fixed(finding));
    if let Some(rating) = finding.ratings.iter().find(|it| it.score.is_some()) {
        let score = rating.score.unwrap_or_default();
        field(text, "CVSS Score", &format!("{score:.1} ({})", rating.source));
        if let Some(vector) = &rating.vector {
            field(text, "CVSS Vector", vector);
        }
    }
    if options.epss
        && let Some(forecast) = &finding.forecast
    {
        field(text, "EPSS Score", &format!("{:.2}%", forecast.score * 100.0));
        field(text, "EPSS Percentile", &words::percentile(forecast));
    }
    if let Some(exploited) = &finding.exploited {
        let due = exploited.due.as_ref().map(|it| format!(", to be mended by {it}"));
        let ransomware = if exploited.ransomware { ", used by ransomware" } else { "" };
        let said = format!("since {}{}{ransomware}", exploited.added, due.unwrap_or_default());
        field(text, "Exploited", &said);
    }
    if let Some(in_use) = finding.in_use {
        let says = if in_use { "yes, it is loaded where it runs" } else { "not seen to be loaded" };
        field(text, "In use", says);
    }
    if let Some(reason) = &finding.reason {
        field(text, "State", reason);
    }
    field(text, "Source", &words::source(finding));
}

fn statement(text: &mut Text<'_>, finding: &Finding) {
    let Some(statement) = &finding.statement else { return };
    let mut lines = vec![words::statement(statement)];
    lines.extend(statement.note.clone());
    lines.extend(statement.author.clone());
    lines.push(statement.origin.clone());
    lines.extend(statement.expires.as_ref().map(|it| format!("until {it}")));
    fields_of(text, "VEX", &lines);
}

fn field(text: &mut Text<'_>, label: &str, value: &str) {
    text.push("      ");
    text.push(label);
    text.spaces(16_usize.saturating_sub(label.len()));
    text.push(": ");
    text.wrapped(value, "                        ");
}

fn fields_of(text: &mut Text<'_>, label: &str, values: &[String]) {
    for (number, value) in values.iter().enumerate() {
        field(text, if number == 0 { label } else { "" }, value);
    }
}

/// How many there are in how many packages, and of which level.
fn summary(text: &mut Text<'_>, tally: &Tally, packages: usize) {
    if tally.total() == 0 {
        text.sign(Sign::Good);
        text.push(" No vulnerable package detected");
    } else {
        let found = words::many(tally.total(), "vulnerability");
        let line = format!("{found} found in {}", words::many(packages, "package"));
        text.styled(Style::Bold, &line);
    }
    if tally.suppressed > 0 {
        text.push(&format!(" ({} suppressed)", tally.suppressed));
    }
    text.push("\n");
    if tally.total() > 0 {
        for (level, count) in tally.told() {
            text.push("  ");
            let style = if count == 0 { Style::Dim } else { Style::Of(level) };
            text.styled(style, &format!("{:<12}{count}", words::upper(level)));
            text.push("\n");
        }
    }
}

/// Every gap.
pub(crate) fn not_known(text: &mut Text<'_>, analysis: &Analysis) {
    let gaps = page::gaps(analysis);
    holes(text, &gaps);
}

pub(super) fn holes(text: &mut Text<'_>, gaps: &[&model::Gap]) {
    if gaps.is_empty() {
        return;
    }
    if !text.out.ends_with("\n\n") {
        text.push("\n");
    }
    text.heading("Not known");
    for gap in gaps {
        text.push("  ");
        text.sign(Sign::Unknown);
        text.push(" ");
        text.wrapped(&gap.to_string(), "    ");
    }
}
