//! markdown: for a comment on a pull request: what came, what went, and what unfolds.

use std::fmt::Write as _;

use model::{Comparison, Fate, FindingChange, PackageChange, Purl, Side, Way};

use super::page::{self, Block, FATES, WAYS};
use super::{Between, Options, Parts, Report, several};
use crate::html::{self, LONGEST, LONGEST_WARNINGS, ROOM, badge, push, push_code, within};
use crate::paint::size;
use crate::words;

/// So many packages one block names.
const MOST_PACKAGES: usize = 20;

pub(crate) struct Markdown;

impl Report for Markdown {
    fn id(&self) -> &'static str {
        "markdown"
    }

    fn title(&self) -> &'static str {
        "Markdown for comments on GitHub and GitLab"
    }

    fn write(&self, comparison: &Comparison, options: &Options) -> String {
        let mut out = String::with_capacity(LONGEST + 512);
        overview(&mut out, comparison, options);
        if let Some(policies) = &options.policies {
            // Violations can be as long as whoever wrote a policy likes.
            if !within(&mut out, ROOM / 2, |out| policies.write_markdown(out)) {
                out.push_str("<p>:scissors: Policies say more than fits here.</p>\n\n");
            }
        }
        counts(&mut out, comparison);
        not_known(&mut out, comparison);
        let blocks = page::blocks(comparison, options);
        let (blocks, alone): (Vec<Block<'_>>, Vec<Block<'_>>) =
            blocks.into_iter().partition(|it| !it.findings.is_empty());
        let mut left = blocks.iter().map(|it| it.findings.len()).sum::<usize>();
        for block in &blocks {
            if !within(&mut out, ROOM, |out| opened(out, block)) {
                break;
            }
            let findings = block.findings.iter();
            let told = findings.take_while(|it| within(&mut out, ROOM, |out| found(out, it)));
            let count = told.count();
            left -= count;
            out.push_str("</table>\n</details>\n\n");
            if count < block.findings.len() {
                break;
            }
        }
        // What is left out comes last.
        let unnamed = if left == 0 { others(&mut out, &alone) } else { alone.len() };
        if left + unnamed > 0 {
            let (findings, packages) =
                (words::many(left, "vulnerability"), words::many(unnamed, "package"));
            let _ = writeln!(
                out,
                "<p>:scissors: Cut here, since no comment may be longer: {findings} and {packages} without one left out. See <code>foretop compare</code> or another format for all.</p>"
            );
        }
        out
    }

    fn several<'a>(&'a self, between: Between, options: &'a Options) -> Box<dyn Parts + 'a> {
        Box::new(several::Markdown::new(self, between, options))
    }
}

/// Packages that are others and have no findings. How many of them had no room.
fn others(out: &mut String, alone: &[Block<'_>]) -> usize {
    let packages: Vec<&PackageChange> =
        alone.iter().flat_map(|it| it.packages.iter().copied()).collect();
    if packages.is_empty() {
        return 0;
    }
    let head = format!(
        "<details><summary>:package: {} without vulnerabilities</summary>\n<ul>\n",
        words::many(packages.len(), "other package")
    );
    if !within(out, ROOM, |out| out.push_str(&head)) {
        return packages.len();
    }
    let told = packages.iter().take_while(|package| {
        within(out, ROOM, |out| {
            out.push_str("<li>");
            packaged(out, package);
            out.push_str("</li>\n");
        })
    });
    let told = told.count();
    out.push_str("</ul>\n</details>\n\n");
    packages.len() - told
}

fn overview(out: &mut String, comparison: &Comparison, options: &Options) {
    let Comparison { before, after, .. } = comparison;
    out.push_str("<h2>:mag: <code>");
    push_code(out, &after.name);
    out.push_str("</code> compared to <code>");
    push_code(out, &before.name);
    out.push_str("</code></h2>\n\n<details open=\"true\"><summary>Overview</summary>\n<table>\n");
    let _ = writeln!(
        out,
        "<tr><th></th><th>Analyzed {}</th><th>Comparison {}</th></tr>",
        page::kind(after),
        page::kind(before)
    );
    row(out, comparison, "target", |out, it| in_code(out, &it.name));
    row(out, comparison, "digest", |out, it| {
        in_code(out, it.digest.as_ref().map_or("", |it| it.as_str()));
    });
    row(out, comparison, "tag", |out, it| in_code(out, &it.tags.join(", ")));
    row(out, comparison, "platform", |out, it| {
        in_code(out, &it.platform.as_ref().map(ToString::to_string).unwrap_or_default());
    });
    row(out, comparison, "vulnerabilities", |out, it| {
        for level in page::levels(comparison) {
            badge(out, level, it.counts.of(level));
        }
        if it.counts.suppressed > 0 {
            let _ = write!(out, "{} suppressed", it.counts.suppressed);
        }
    });
    row(out, comparison, "size", |out, it| {
        out.push_str(&it.size.map(size).unwrap_or_default());
    });
    row(out, comparison, "packages", |out, it| {
        let _ = write!(out, "{}", it.packages);
    });
    options.grounds.markdown(out, comparison);
    row(out, comparison, "advisories", advisories);
    out.push_str("</table>\n</details>\n\n");
}

/// A row, unless neither side has anything there.
fn row(out: &mut String, comparison: &Comparison, label: &str, cell: impl Fn(&mut String, &Side)) {
    let (mut after, mut before) = (String::new(), String::new());
    cell(&mut after, &comparison.after);
    cell(&mut before, &comparison.before);
    if !(after.is_empty() && before.is_empty()) {
        let _ = writeln!(out, "<tr><td>{label}</td><td>{after}</td><td>{before}</td></tr>");
    }
}

fn in_code(out: &mut String, text: &str) {
    if !text.is_empty() {
        out.push_str("<code>");
        push_code(out, text);
        out.push_str("</code>");
    }
}

fn advisories(out: &mut String, side: &Side) {
    let (basis, worrying) = crate::page::basis(&side.basis);
    out.push_str(if worrying { ":warning: " } else { "" });
    push(out, &basis);
    let most = out.len() + LONGEST_WARNINGS;
    for warning in &side.basis.warnings {
        let fits = within(out, most, |out| {
            out.push_str("<br>:warning: ");
            push(out, warning);
        });
        if !fits {
            out.push_str("<br>:warning: and more: see another format");
            break;
        }
    }
}

fn counts(out: &mut String, comparison: &Comparison) {
    let mut items = Vec::new();
    for (fate, said) in FATES {
        let (count, suppressed) = page::count(comparison, fate);
        if count + suppressed > 0 {
            let sign = sign_of(fate);
            let out_of_the_way =
                if suppressed > 0 { format!(" ({suppressed} suppressed)") } else { String::new() };
            let many = words::many(count, "vulnerability");
            items.push(format!("{sign} {many} {said}{out_of_the_way}"));
        }
    }
    for (way, said) in WAYS {
        let count = comparison.packages_that(way).count();
        if count > 0 {
            items.push(format!("{} {} {said}", sign(way), words::many(count, "package")));
        }
    }
    let same = comparison.unchanged_packages;
    if same > 0 {
        items.push(format!("{} {} unchanged", sign(Way::Unchanged), words::many(same, "package")));
    }
    if items.is_empty() {
        return;
    }
    out.push_str("<ul>\n");
    for item in items {
        let _ = writeln!(out, "<li>{item}</li>");
    }
    out.push_str("</ul>\n\n");
}

fn sign(way: Way) -> &'static str {
    match way {
        Way::Added => ":heavy_plus_sign:",
        Way::Removed => ":heavy_minus_sign:",
        Way::Upgraded => ":arrow_up:",
        Way::Downgraded => ":arrow_down:",
        Way::Changed => ":arrows_counterclockwise:",
        Way::Unclear => ":question:",
        Way::Unchanged => ":heavy_check_mark:",
    }
}

fn sign_of(fate: Fate) -> &'static str {
    match fate {
        Fate::Introduced => ":heavy_plus_sign:",
        Fate::Unclear => ":question:",
        Fate::Fixed => ":heavy_minus_sign:",
        Fate::Changed => ":arrows_counterclockwise:",
        Fate::Unchanged => ":heavy_check_mark:",
    }
}

fn not_known(out: &mut String, comparison: &Comparison) {
    let now = format!("of the analyzed {}", page::noun(&comparison.after));
    let was = format!("of the comparison {}", page::noun(&comparison.before));
    let sides = ["of both sides", &now, &was];
    for (side, gaps) in sides.iter().zip(page::gaps(comparison)) {
        if gaps.is_empty() {
            continue;
        }
        let many = words::many(gaps.len(), "gap");
        let _ = writeln!(out, "<details><summary>:question: Not known {side}: {many}</summary>");
        html::gaps(out, &gaps);
        out.push_str("</details>\n\n");
    }
}

fn opened(out: &mut String, block: &Block<'_>) {
    out.push_str("<details><summary>");
    for (fate, _) in FATES {
        let count = block.findings.iter().filter(|it| it.fate == fate).count();
        if count > 0 {
            let _ = write!(out, "{} {count} ", sign_of(fate));
        }
    }
    if let Some((first, rest)) = block.packages.split_first() {
        packaged(out, first);
        if !rest.is_empty() {
            let _ = write!(out, " and {} more", rest.len());
        }
        out.push_str("</summary>\n");
        for package in rest.iter().take(MOST_PACKAGES) {
            packaged(out, package);
            out.push_str("<br>\n");
        }
        if let Some(more @ 1..) = rest.len().checked_sub(MOST_PACKAGES) {
            let _ = writeln!(out, "and {more} more<br>");
        }
    } else {
        block.findings.iter().take(1).for_each(|it| in_code(out, &it.name));
        out.push_str("</summary>\n");
    }
    out.push_str("<table>\n");
}

fn packaged(out: &mut String, package: &PackageChange) {
    let _ = write!(out, "{} <code>", sign(package.way));
    push_code(out, &page::name(package));
    out.push(' ');
    match (&package.before, &package.after) {
        (Some(before), Some(after)) if package.way != Way::Unchanged => {
            push_code(out, page::version(Some(before)));
            out.push_str(" → ");
            push_code(out, page::version(Some(after)));
        }
        _ => push_code(out, page::version(package.purl())),
    }
    out.push_str("</code> (");
    push(out, package.purl().map_or("", Purl::kind));
    out.push(')');
    if let Some(gap) = &package.doubt {
        out.push_str(": ");
        push(out, &page::doubt(package.after.is_some(), gap));
    } else if let Some(why) = &package.unordered {
        out.push_str(": ");
        push(out, why);
    }
}

fn found(out: &mut String, finding: &FindingChange) {
    let level = words::upper(finding.level());
    let _ = write!(
        out,
        "<tr><td>{} {}</td><td>{level}</td><td><a href=\"",
        sign_of(finding.fate),
        finding.fate.as_str()
    );
    push_code(out, &words::link(&finding.id));
    out.push_str("\">");
    push(out, &finding.id);
    out.push_str("</a>");
    for mark in finding.seen().into_iter().flat_map(page::marks) {
        let _ = write!(out, " <b>{mark}</b>");
    }
    out.push_str("</td><td>");
    if !finding.title.is_empty() {
        out.push_str("<i>");
        push(out, &words::short(&finding.title));
        out.push_str("</i><br>");
    }
    push(out, &page::remarks(finding).join("; "));
    out.push_str("</td></tr>\n");
}
