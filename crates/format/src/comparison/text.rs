//! text: for people, the default: both sides beside each other, then each package with what became of
//! it and of its vulnerabilities.

use model::{Comparison, Fate, FindingChange, PackageChange, Side, Way};

use super::page::{self, Block, FATES, WAYS};
use super::{Between, Options, Parts, Report, several};
use crate::list::shown;
use crate::page::short;
use crate::paint::{self, Sign, Style};
use crate::report::basis;
use crate::words;

pub(crate) struct Text;

impl Report for Text {
    fn id(&self) -> &'static str {
        "text"
    }

    fn title(&self) -> &'static str {
        "both sides in a table, and each package with what became of it"
    }

    fn write(&self, comparison: &Comparison, options: &Options) -> String {
        let rows = comparison.packages.len() + comparison.findings.len();
        let mut text =
            paint::Text::new(&options.report, rows.saturating_mul(96).saturating_add(4096));
        overview(&mut text, comparison, options);
        if let Some(policies) = &options.policies {
            policies.write(&mut text);
        }
        text.heading("Packages and Vulnerabilities");
        counts(&mut text, comparison);
        let blocks = page::blocks(comparison, options);
        for (number, block) in blocks.iter().enumerate() {
            // What has nothing below it needs no room around it.
            let before = number.checked_sub(1).and_then(|it| blocks.get(it));
            if !block.findings.is_empty() || before.is_none_or(|it| !it.findings.is_empty()) {
                text.push("\n");
            }
            told(&mut text, block);
        }
        not_known(&mut text, comparison);
        rests_on(&mut text, comparison);
        text.out
    }

    fn several<'a>(&'a self, between: Between, options: &'a Options) -> Box<dyn Parts + 'a> {
        Box::new(several::Text::new(self, between, options))
    }
}

/// Columns of the overview left of its first line, and the least and most of a side.
const LABEL: usize = 20;
const LEAST: usize = 30;
const MOST: usize = 60;

fn overview(text: &mut paint::Text<'_>, comparison: &Comparison, options: &Options) {
    let Comparison { before, after, .. } = comparison;
    text.heading("Overview");
    let mut rows = rows(before, after);
    let (now, was) = options.grounds.names(comparison);
    if !(now.is_empty() && was.is_empty()) {
        rows.push(("  Base image", now, was));
    }
    let said = [before, after].map(|it| suppressed(it.counts.suppressed).len());
    let cells = page::levels(comparison).count() * 7 + said.into_iter().max().unwrap_or_default();
    let widest = rows.iter().map(|(_, it, _)| shown(it).chars().count()).max().unwrap_or_default();
    let width = widest.max(cells).clamp(LEAST, MOST) + 2;

    text.padded("", LABEL);
    text.bar();
    let head = format!("  Analyzed {}", page::kind(after));
    text.styled(Style::Bold, &head);
    text.spaces(width.saturating_sub(head.len()));
    text.bar();
    text.styled(Style::Bold, &format!("  Comparison {}", page::kind(before)));
    text.push("\n");
    text.rules(&[LABEL, width, width]);
    for (label, now, was) in rows {
        if label == VULNERABILITIES {
            vulnerabilities(text, comparison, width);
            continue;
        }
        text.padded(label, LABEL);
        text.bar();
        text.padded(&format!("  {now}"), width);
        text.bar();
        text.push("  ");
        text.push_shown(&was);
        text.trim();
        text.push("\n");
    }
    options.grounds.counts(text, comparison, LABEL, width);
    text.push("\n");
    options.grounds.tell(text);
}

const VULNERABILITIES: &str = "    vulnerabilities";

/// Each line of the overview: what it is, and of both sides; those that neither side has left out.
fn rows(before: &Side, after: &Side) -> Vec<(&'static str, String, String)> {
    let mut rows = Vec::new();
    let mut row = |label, of: fn(&Side) -> String| {
        let (now, was) = (of(after), of(before));
        if !(now.is_empty() && was.is_empty()) {
            rows.push((label, now, was));
        }
    };
    row("  Target", |it| it.name.clone());
    row("    digest", |it| {
        it.digest.as_ref().map(|it| short(it.as_str()).to_owned()).unwrap_or_default()
    });
    row("    tag", tags);
    row("    platform", |it| it.platform.as_ref().map(ToString::to_string).unwrap_or_default());
    row("    distribution", |it| {
        let distro = it.distro.as_ref();
        distro.map(|it| it.name.clone().unwrap_or_else(|| it.qualifier())).unwrap_or_default()
    });
    row(VULNERABILITIES, |_| " ".to_owned());
    row("    size", |it| it.size.map(|it| paint::size(it).into_owned()).unwrap_or_default());
    row("    packages", |it| it.packages.to_string());
    row("    not known", |it| match it.gaps.len() {
        0 => String::new(),
        many => words::many(many, "gap"),
    });
    for (label, now, _) in &mut rows {
        let delta = match *label {
            "    packages" => page::delta(before.packages, after.packages),
            "    size" => size_delta(before, after),
            _ => None,
        };
        if let Some(delta) = delta {
            *now = format!("{now} ({delta})");
        }
    }
    rows
}

/// What it is called, as people write it, as far as that fits into a column. A name with a digest is
/// no tag.
fn tags(side: &Side) -> String {
    let mut names: Vec<&str> = Vec::new();
    for tag in side.tags.iter().filter(|it| !it.contains('@')) {
        let short = tag.strip_prefix("docker.io/").unwrap_or(tag);
        let short = short.strip_prefix("library/").unwrap_or(short);
        if !names.contains(&short) {
            names.push(short);
        }
    }
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        let (comma, rest) = (if at == 0 { "" } else { ", " }, names.len() - at);
        if at > 0 && text.chars().count() + name.chars().count() + 8 > MOST {
            return format!("{text} … +{rest}");
        }
        text = text + comma + name;
    }
    text
}

fn size_delta(before: &Side, after: &Side) -> Option<String> {
    let (was, is) = (before.size?, after.size?);
    let size = paint::size(is.abs_diff(was));
    (was != is).then(|| format!("{}{size}", if is > was { "+" } else { "-" }))
}

/// Counts of both sides, and below them how they differ.
fn vulnerabilities(text: &mut paint::Text<'_>, comparison: &Comparison, width: usize) {
    let (before, after) = (&comparison.before.counts, &comparison.after.counts);
    let levels = || page::levels(comparison);
    let taken = levels().count() * 7;
    text.padded(VULNERABILITIES, LABEL);
    text.bar();
    for level in levels() {
        text.push(" ");
        text.cell(level, after.of(level));
        text.push(" ");
    }
    let said = suppressed(after.suppressed);
    text.push(&said);
    text.spaces(width.saturating_sub(taken + said.len()));
    text.bar();
    for level in levels() {
        text.push(" ");
        text.cell(level, before.of(level));
        text.push(" ");
    }
    text.push(&suppressed(before.suppressed));
    text.trim();
    text.push("\n");
    if levels().all(|it| before.of(it) == after.of(it)) {
        return;
    }
    text.padded("", LABEL);
    text.bar();
    for level in levels() {
        let delta = page::delta(before.of(level), after.of(level)).unwrap_or_default();
        let style = if delta.starts_with('-') { Style::Good } else { Style::Of(level) };
        text.spaces(5_usize.saturating_sub(delta.len()));
        text.styled(style, &delta);
        text.push("  ");
    }
    text.spaces(width.saturating_sub(taken));
    text.bar();
    text.push("\n");
}

fn suppressed(count: usize) -> String {
    if count > 0 { format!("  ({count} suppressed)") } else { String::new() }
}

/// How many packages and vulnerabilities went which way.
fn counts(text: &mut paint::Text<'_>, comparison: &Comparison) {
    let mut line = |sign: Sign, count: usize, what: &str, suppressed: usize| {
        if count + suppressed > 0 {
            text.push("  ");
            text.sign(sign);
            text.push(&format!("{count:>5} {what}"));
            if suppressed > 0 {
                text.push(&format!(" ({suppressed} suppressed)"));
            }
            text.push("\n");
        }
    };
    for (way, said) in WAYS {
        let count = comparison.packages_that(way).count();
        line(sign(way), count, &format!("{} {said}", noun(count, "package", "packages")), 0);
    }
    let same = comparison.unchanged_packages;
    line(Sign::Same, same, &format!("{} unchanged", noun(same, "package", "packages")), 0);
    for (fate, said) in FATES {
        let (count, suppressed) = page::count(comparison, fate);
        let noun = noun(count, "vulnerability", "vulnerabilities");
        line(sign_of(fate), count, &format!("{noun} {said}"), suppressed);
    }
    if comparison.packages_that(Way::Unchanged).count() == comparison.packages.len()
        && comparison.findings_that(Fate::Unchanged).count() == comparison.findings.len()
    {
        text.push("  ");
        text.sign(Sign::Good);
        text.push(" Both sides have the same packages and vulnerabilities\n");
    }
}

fn noun(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

fn sign(way: Way) -> Sign {
    match way {
        Way::Added => Sign::More,
        Way::Removed => Sign::Less,
        Way::Upgraded => Sign::Up,
        Way::Downgraded => Sign::Down,
        Way::Changed => Sign::Other,
        Way::Unclear => Sign::Unknown,
        Way::Unchanged => Sign::Same,
    }
}

fn sign_of(fate: Fate) -> Sign {
    match fate {
        Fate::Introduced => Sign::More,
        Fate::Fixed => Sign::Less,
        Fate::Changed => Sign::Other,
        Fate::Unchanged => Sign::Same,
        Fate::Unclear => Sign::Unknown,
    }
}

fn told(text: &mut paint::Text<'_>, block: &Block<'_>) {
    for package in &block.packages {
        packaged(text, package);
    }
    for finding in &block.findings {
        text.push(if block.packages.is_empty() { "  " } else { "      " });
        found(text, finding, block.packages.is_empty());
    }
}

fn packaged(text: &mut paint::Text<'_>, package: &PackageChange) {
    text.push("  ");
    text.sign(sign(package.way));
    text.push(" ");
    text.styled(Style::Bold, &page::name(package));
    text.push(" ");
    match (&package.before, &package.after) {
        (Some(before), Some(after)) if package.way != Way::Unchanged => {
            text.push_shown(page::version(Some(before)));
            text.arrow();
            text.push_shown(page::version(Some(after)));
        }
        _ => text.push_shown(page::version(package.purl())),
    }
    text.push(" (");
    text.push_shown(package.purl().map_or("", model::Purl::kind));
    text.push(")");
    let remark = match (&package.unordered, &package.doubt) {
        (_, Some(gap)) => Some(page::doubt(package.after.is_some(), gap)),
        (why, None) => why.clone(),
    };
    if let Some(remark) = remark {
        text.push(": ");
        text.wrapped(&remark, "      ");
    } else {
        text.push("\n");
    }
}

fn found(text: &mut paint::Text<'_>, finding: &FindingChange, alone: bool) {
    text.sign(sign_of(finding.fate));
    text.push(" ");
    let level = finding.level();
    text.styled(Style::Of(level), &format!("{:<8}", words::upper(level)));
    text.push(" ");
    text.styled(Style::Bold, &finding.id);
    if alone {
        text.push(" ");
        text.push_shown(&finding.name);
    }
    for mark in finding.seen().into_iter().flat_map(page::marks) {
        text.push("  ");
        text.styled(Style::Warning, mark);
    }
    let mut said = page::remarks(finding);
    if !finding.title.is_empty() {
        said.insert(0, format!("[{}]", words::short(&finding.title)));
    }
    if said.is_empty() {
        text.push("\n");
    } else {
        text.push("  ");
        text.wrapped(&said.join("; "), "        ");
    }
}

fn not_known(text: &mut paint::Text<'_>, comparison: &Comparison) {
    let gaps = page::gaps(comparison);
    if gaps.iter().all(Vec::is_empty) {
        return;
    }
    text.push("\n");
    text.heading("Not known");
    let now = format!("Of the analyzed {}:", page::noun(&comparison.after));
    let was = format!("Of the comparison {}:", page::noun(&comparison.before));
    let heads = ["Of both sides:", &now, &was];
    for (head, gaps) in heads.iter().zip(gaps).filter(|(_, gaps)| !gaps.is_empty()) {
        text.push("  ");
        text.push(head);
        text.push("\n");
        for gap in gaps {
            text.push("  ");
            text.sign(Sign::Unknown);
            text.push(" ");
            text.wrapped(&gap.to_string(), "    ");
        }
    }
}

fn rests_on(text: &mut paint::Text<'_>, comparison: &Comparison) {
    let (before, after) = (&comparison.before.basis, &comparison.after.basis);
    basis::rests_on(text, after);
    if before != after {
        text.push("The comparison side:\n");
        basis::lines(text, before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_a_column() {
        let check = |names: &[&str], expect: &str| {
            let side =
                Side { tags: names.iter().map(|it| (*it).to_owned()).collect(), ..Side::default() };
            assert_eq!(tags(&side), expect);
        };
        check(&[], "");
        check(
            &["docker.io/acme/web:v1", "acme/web:v1", "docker.io/library/web:1"],
            "acme/web:v1, web:1",
        );
        check(&["acme/web@sha256:0123"], "");
        let many: Vec<String> =
            (0..20).map(|it| format!("registry.example/acme/web:{it}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        check(&many, "registry.example/acme/web:0 … +19");
        check(&[&"long/".repeat(20)], &"long/".repeat(20));
    }
}
