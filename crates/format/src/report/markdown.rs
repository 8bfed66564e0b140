//! markdown: for GitHub and GitLab: summaries that unfold, in what a comment may hold.
//!
//! All of it is HTML without an empty line: inside such a block nothing is read as Markdown, so that
//! only HTML must be escaped in what others wrote.

use std::fmt::Write as _;

use model::{Analysis, Finding, Level, Package, Subject};

use super::{Options, Report, Several};
use crate::html::{
    self, LONGEST, LONGEST_TEXT, LONGEST_WARNINGS, ROOM, badge, code, line, push, push_code, row,
    within,
};
use crate::page::{self, Group, Tally};
use crate::paint::size;
use crate::words;

/// A flaw in more copies of a package than this is told with the first ones.
const MOST_PACKAGES: usize = 20;

pub(crate) struct Markdown;

impl Report for Markdown {
    fn id(&self) -> &'static str {
        "markdown"
    }

    fn title(&self) -> &'static str {
        "Markdown for comments on GitHub and GitLab"
    }

    fn several<'a>(&'a self, _: usize, options: &'a Options) -> Option<Box<dyn Several + 'a>> {
        Some(Box::new(Parts { options, is_begun: false }))
    }

    fn write(&self, analysis: &Analysis, options: &Options) -> String {
        let groups = page::groups(analysis, options);
        let mut out = String::with_capacity(LONGEST + 512);
        overview(&mut out, analysis);
        not_known(&mut out, analysis);
        let mut left = groups.iter().map(|it| it.findings.len()).sum::<usize>();
        for group in &groups {
            if !within(&mut out, ROOM, |out| opened(out, analysis, options, group)) {
                break;
            }
            let told = group.findings.iter();
            let told =
                told.take_while(|it| within(&mut out, ROOM, |out| told_of(out, it, options)));
            let count = told.count();
            left -= count;
            out.push_str("</details>\n\n");
            if count < group.findings.len() {
                break;
            }
        }
        if left > 0 {
            let left = words::many(left, "vulnerability");
            let _ = writeln!(
                out,
                "<p>:scissors: Cut here, since no comment may be longer: {left} left out. See <code>foretop cves</code> or another format for all.</p>"
            );
        }
        out
    }
}

struct Parts<'a> {
    options: &'a Options,
    is_begun: bool,
}

impl Several for Parts<'_> {
    /// Each begins with its name already.
    fn image(&mut self, analysis: &Analysis) -> String {
        let text = Markdown.write(analysis, self.options);
        if std::mem::replace(&mut self.is_begun, true) { format!("\n{text}") } else { text }
    }

    fn end(&mut self) -> String {
        String::new()
    }
}

fn overview(out: &mut String, analysis: &Analysis) {
    let inventory = &analysis.inventory;
    let tally = Tally::of(&analysis.findings);
    out.push_str("<h2>:mag: Vulnerabilities of <code>");
    push_code(out, inventory.subject.name());
    out.push_str("</code></h2>\n\n<details open=\"true\"><summary>");
    out.push_str(match &inventory.subject {
        Subject::Image(_) => ":package: Image Reference",
        Subject::Directory { .. } => ":package: Path",
        Subject::Document { .. } => ":package: SBOM",
    });
    out.push_str("</summary>\n<table>\n");
    let image = inventory.subject.image();
    if let Some(digest) = image.and_then(|it| it.digest.as_ref()) {
        code(out, "digest", digest.as_str());
    }
    out.push_str("<tr><td>vulnerabilities</td><td>");
    let is_dark = page::is_dark(analysis);
    if is_dark {
        out.push_str(":question: not known");
    } else {
        tally.told().for_each(|(level, count)| badge(out, level, count));
    }
    if tally.suppressed > 0 {
        let _ = write!(out, " {} suppressed", tally.suppressed);
    }
    out.push_str("</td></tr>\n");
    if let Some(image) = image {
        if let Some(platform) = words::platform(image) {
            code(out, "platform", &platform);
        }
        if image.size > 0 {
            line(out, "size", &size(image.size));
        }
    }
    let packages = inventory.packages.len().to_string();
    line(out, "packages", if is_dark { "not known" } else { &packages });
    let (basis, worrying) = page::basis(&analysis.basis);
    let sign = if worrying { ":warning: " } else { "" };
    row(out, "advisories", |out| {
        out.push_str(sign);
        push(out, &basis);
        let most = out.len() + LONGEST_WARNINGS;
        for warning in &analysis.basis.warnings {
            let told = within(out, most, |out| {
                out.push_str("<br>:warning: ");
                push(out, warning);
            });
            if !told {
                out.push_str("<br>:warning: and more: see another format");
                break;
            }
        }
    });
    out.push_str("</table>\n</details>\n\n");
}

fn not_known(out: &mut String, analysis: &Analysis) {
    let gaps = page::gaps(analysis);
    if gaps.is_empty() {
        return;
    }
    let title = words::many(gaps.len(), "gap");
    let _ = writeln!(out, "<details><summary>:question: Not known: {title}</summary>");
    html::gaps(out, &gaps);
    out.push_str("</details>\n\n");
}

fn opened(out: &mut String, analysis: &Analysis, options: &Options, group: &Group<'_>) {
    out.push_str("<details><summary>");
    for (level, count) in group.tally.told() {
        let letter = level.as_str().chars().next().unwrap_or('?').to_ascii_uppercase();
        let letter = if level == Level::Unspecified { '?' } else { letter };
        let bold = if count > 0 { ("<b>", "</b>") } else { ("", "") };
        let _ = write!(out, "{}{count}{letter}{} ", bold.0, bold.1);
    }
    out.push_str("<code>");
    push_code(out, group.name);
    out.push(' ');
    push_code(out, group.version);
    out.push_str("</code>");
    let first = group.packages.first().and_then(|it| analysis.inventory.packages.get(*it));
    if let Some(package) = first {
        out.push_str(" (");
        push(out, package.purl.kind());
        out.push(')');
    }
    if group.tally.suppressed > 0 {
        let _ = write!(out, ", {} suppressed", group.tally.suppressed);
    }
    out.push_str("</summary>\n");
    let packages = group.packages.iter().filter_map(|it| analysis.inventory.packages.get(*it));
    for package in packages.take(MOST_PACKAGES) {
        placed(out, package, options);
    }
    and_more(out, group.packages.len());
}

fn and_more(out: &mut String, count: usize) {
    if let Some(more @ 1..) = count.checked_sub(MOST_PACKAGES) {
        let _ = writeln!(out, "and {more} more<br>");
    }
}

fn placed(out: &mut String, package: &Package, options: &Options) {
    out.push_str("<code>");
    push_code(out, &package.purl.to_string());
    out.push_str("</code><br>\n");
    if options.locations {
        for place in package.places.iter().take(MOST_PACKAGES) {
            out.push_str("&nbsp;&nbsp;<code>");
            push_code(out, &place.path);
            out.push_str("</code>");
            if let Some(layer) = place.layer {
                let _ = write!(out, " layer {layer}");
            }
            if let Some(diff_id) = &place.diff_id {
                let _ = write!(out, " <code>{diff_id}</code>");
            }
            out.push_str("<br>\n");
        }
        and_more(out, package.places.len());
    }
}

fn told_of(out: &mut String, finding: &Finding, options: &Options) {
    let _ = write!(out, "<blockquote>\n<b>{}</b> <a href=\"", words::upper(finding.level));
    push_code(out, &words::link(&finding.id));
    out.push_str("\"><b>");
    push(out, &finding.id);
    out.push_str("</b></a>");
    for (really, mark) in [
        (finding.exploited.is_some(), "CISA KEV"),
        (finding.malicious, "MALICIOUS"),
        (finding.suppressed(), "SUPPRESSED"),
        (finding.in_use == Some(true), "IN USE"),
        (finding.in_use == Some(false), "NOT LOADED"),
    ] {
        if really {
            let _ = write!(out, " <b>{mark}</b>");
        }
    }
    let headline = words::headline(finding);
    if !headline.is_empty() {
        out.push_str(" <i>");
        push(out, &headline);
        out.push_str("</i>");
    }
    out.push_str("\n<table>\n");
    if !finding.aliases.is_empty() {
        code(out, "Also known as", &finding.aliases.join(", "));
    }
    code(out, "Affected range", &words::range(finding));
    code(out, "Fixed version", &words::fixed(finding));
    if let Some(score) = finding.score() {
        let source = finding.ratings.iter().find(|it| it.score.is_some());
        let source = source.map(|it| &*it.source).unwrap_or_default();
        code(out, "CVSS Score", &format!("{score:.1} ({source})"));
    }
    if let Some(vector) = finding.vector() {
        code(out, "CVSS Vector", vector);
    }
    if options.epss
        && let Some(forecast) = &finding.forecast
    {
        code(out, "EPSS Score", &format!("{:.2}%", forecast.score * 100.0));
        code(out, "EPSS Percentile", &words::percentile(forecast));
    }
    if let Some(reason) = &finding.reason {
        line(out, "State", reason);
    }
    code(out, "Source", &words::source(finding));
    if let Some(statement) = &finding.statement {
        line(out, "VEX", &words::whole_statement(statement));
    }
    out.push_str("</table>\n");
    if options.details && !finding.details.is_empty() {
        out.push_str("<details><summary>Description</summary>\n");
        for text in words::cut(&finding.details, LONGEST_TEXT).lines() {
            push(out, text);
            out.push_str("<br>\n");
        }
        out.push_str("</details>\n");
    }
    out.push_str("</blockquote>\n");
}
