//! quickview: for people: what it is and how many vulnerabilities of each level it has, in a few lines.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};

use model::{Analysis, Basis, Gap, Subject};

use super::basis::rests_on;
use super::packages::{holes, not_known};
use super::{Better, Ground, Options, better};
use crate::html::{self, LONGEST, LONGEST_WARNINGS, ROOM, push_code, within};
use crate::page::{self, Tally};
use crate::paint::{Style, Text};
use crate::policies::{self, Judged};
use crate::words;

/// What stands beside the counts, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// What it was built on.
    pub ground: Option<&'a Ground>,
    /// What it would stand on better, where somebody looked.
    pub better: Option<&'a Better>,
    /// What policies say.
    pub judged: Option<&'a Judged>,
}

/// A few lines about `analysis`: target, digest, counts, gaps, what policies say, and what to ask next.
pub fn write_quickview(analysis: &Analysis, beside: &Beside<'_>, options: &Options) -> String {
    let Beside { ground, better, judged } = *beside;
    let label = if better.is_some() { better::LABEL } else { LABEL };
    let mut text = Text::new(options, 1024);
    let subject = &analysis.inventory.subject;
    let tally = Tally::of(&analysis.findings);
    let digest = subject
        .image()
        .and_then(|it| it.digest.as_ref())
        .map(|it| page::short(it.as_str()))
        .unwrap_or_default();
    let target = if matches!(subject, Subject::Directory { .. }) { "Path" } else { "Target" };
    let name = crate::list::shown(subject.name());
    let base = ground.map(|it| crate::list::shown(it.called()).into_owned()).unwrap_or_default();
    let longest = better.map(Better::longest).unwrap_or_default();
    let width = [&name, digest, &base].map(|it| it.chars().count()).into_iter().max();
    let width = width.unwrap_or_default().max(longest).min(60);
    text.padded(&format!("  {target}"), label);
    text.bar();
    text.push("  ");
    text.padded(&name, width);
    text.push("  ");
    counts(&mut text, counted(analysis).as_ref());
    if !digest.is_empty() {
        text.padded("    digest", label);
        text.bar();
        text.push("  ");
        text.padded(digest, width);
        text.push("  ");
        text.bar();
        text.push("\n");
    }
    if let Some(ground) = ground {
        text.padded("  Base image", label);
        text.bar();
        text.push("  ");
        text.padded(&base, width);
        text.push("  ");
        match ground.tally() {
            Some(tally) => counts(&mut text, Some(&tally)),
            None if ground.is_scratch => {
                text.bar();
                text.push("\n");
            }
            None => counts(&mut text, None),
        }
    }
    if let Some(better) = better {
        better.rows(&mut text, width);
    }
    not_known(&mut text, analysis);
    if let Some(ground) = ground {
        ground.tell(&mut text, "base image");
    }
    if let Some(better) = better {
        better.tell(&mut text);
    }
    rests_on(&mut text, &analysis.basis);
    if let Some(judged) = judged {
        text.push("\n");
        policies::section(&mut text, judged);
    }
    // Hints are for whoever sits at a terminal, and the image's name is all that a command needs.
    if subject.image().is_some() && options.width.is_some() {
        let has_base = ground.is_some_and(|it| it.name.is_some());
        next(&mut text, &name, &tally, has_base && better.is_none());
    }
    text.out
}

/// The same for a comment on GitHub or GitLab.
pub fn write_quickview_markdown(analysis: &Analysis, beside: &Beside<'_>) -> String {
    let Beside { ground, better, judged } = *beside;
    let subject = &analysis.inventory.subject;
    let mut out = "<h2>:mag: <code>".to_owned();
    push_code(&mut out, subject.name());
    out.push_str("</code></h2>\n\n<table>\n");
    if let Some(digest) = subject.image().and_then(|it| it.digest.as_ref()) {
        html::code(&mut out, "digest", digest.as_str());
    }
    html::row(&mut out, "vulnerabilities", |out| badges(out, counted(analysis).as_ref()));
    if let Some(ground) = ground {
        html::row(&mut out, "base image", |out| {
            html::push(out, ground.called());
            if let Some(tally) = ground.tally() {
                out.push_str("<br>");
                badges(out, Some(&tally));
            }
            out.push_str("<br>");
            html::push(out, &ground.how);
            for doubt in ground.doubts.iter().filter(|it| **it != ground.how).take(10) {
                out.push_str("<br>:warning: ");
                html::push(out, doubt);
            }
        });
    }
    if let Some(better) = better {
        better.markdown(&mut out);
    }
    out.push_str("</table>\n\n");
    unfolded(&mut out, &page::gaps(analysis));
    rests(&mut out, &analysis.basis);
    if let Some(judged) = judged {
        policies::markdown(&mut out, judged);
    }
    out
}

/// What stands behind the images of a comment at most: gaps, and what it rests on.
const LONGEST_ENDING: usize = 30_000;

fn badges(out: &mut String, tally: Option<&Tally>) {
    let Some(tally) = tally else {
        out.push_str(":question: not known");
        return;
    };
    tally.told().for_each(|(level, count)| html::badge(out, level, count));
    if tally.suppressed > 0 {
        let _ = write!(out, "{} suppressed", tally.suppressed);
    }
}

fn unfolded(out: &mut String, gaps: &[&Gap]) {
    if !gaps.is_empty() {
        let title = words::many(gaps.len(), "gap");
        let _ = writeln!(out, "<details><summary>:question: Not known: {title}</summary>");
        html::gaps(out, gaps);
        out.push_str("</details>\n\n");
    }
}

fn rests(out: &mut String, basis: &Basis) {
    let (said, worrying) = page::basis(basis);
    out.push_str(if worrying { "<p>:warning: " } else { "<p>" });
    html::push(out, &said);
    let most = out.len() + LONGEST_WARNINGS;
    for warning in &basis.warnings {
        let told = within(out, most, |out| {
            out.push_str("<br>:warning: ");
            html::push(out, warning);
        });
        if !told {
            out.push_str("<br>:warning: and more: see another format");
            break;
        }
    }
    out.push_str("</p>\n");
}

/// What is told of several images, of which no more is held than that.
#[derive(Debug, Default)]
pub struct Quickviews {
    lines: Vec<(String, Option<Tally>)>,
    /// What several images have from one base is one thing to do.
    distinct: Tally,
    seen: HashSet<u128>,
    hashers: [RandomState; 2],
    /// The holes of all of them, each once, with the images it is in: how many, and the first.
    gaps: Vec<(Gap, usize, usize)>,
    places: HashMap<Gap, usize>,
    bases: Vec<Basis>,
}

impl Quickviews {
    /// One more.
    pub fn add(&mut self, analysis: &Analysis) {
        let name = crate::list::shown(analysis.inventory.subject.name());
        let number = self.lines.len();
        self.lines.push((name.into_owned(), counted(analysis)));
        for it in &analysis.findings {
            let same = (&it.space, &it.name, &it.version, &it.id, it.suppressed());
            let [left, right] = self.hashers.each_ref().map(|it| u128::from(it.hash_one(same)));
            if self.seen.insert(left << 64 | right) {
                self.distinct.add(it);
            }
        }
        for gap in page::gaps(analysis) {
            if let Some(at) = self.places.get(gap) {
                if let Some((_, images, _)) = self.gaps.get_mut(*at) {
                    *images += 1;
                }
            } else {
                self.places.insert(gap.clone(), self.gaps.len());
                self.gaps.push((gap.clone(), 1, number));
            }
        }
        if !self.bases.contains(&analysis.basis) {
            self.bases.push(analysis.basis.clone());
        }
    }

    /// A line about each, and one about all of them; what is not known of any, and what they rest on,
    /// once.
    pub fn written(&self, options: &Options) -> String {
        let mut text = Text::new(options, 4096);
        let widest = self.lines.iter().map(|it| it.0.chars().count()).max().unwrap_or_default();
        let all = format!("{} images", self.lines.len());
        let width = widest.max(all.len()).min(60);
        let mut line = |label: &str, name: &str, tally: Option<&Tally>| {
            text.padded(label, LABEL);
            text.bar();
            text.push("  ");
            text.padded(name, width);
            text.push("  ");
            counts(&mut text, tally);
        };
        for (name, tally) in &self.lines {
            line("  Target", name, tally.as_ref());
        }
        line("  Distinct", &all, Some(&self.distinct));
        let gaps: Vec<Gap> = self.gaps.iter().map(|it| self.told(it)).collect();
        holes(&mut text, &gaps.iter().collect::<Vec<_>>());
        for it in &self.bases {
            rests_on(&mut text, it);
        }
        text.out
    }

    /// The same for a comment on GitHub or GitLab.
    pub fn written_in_markdown(&self) -> String {
        let mut out = format!("<h2>:mag: {} images</h2>\n\n<table>\n", self.lines.len());
        let mut left = self.lines.len();
        for (name, tally) in &self.lines {
            let told = within(&mut out, ROOM - LONGEST_ENDING, |out| {
                out.push_str("<tr><td><code>");
                push_code(out, name);
                out.push_str("</code></td><td>");
                badges(out, tally.as_ref());
                out.push_str("</td></tr>\n");
            });
            if !told {
                break;
            }
            left -= 1;
        }
        out.push_str("<tr><td>distinct</td><td>");
        badges(&mut out, Some(&self.distinct));
        out.push_str("</td></tr>\n");
        if left > 0 {
            let left = words::many(left, "image");
            let _ = writeln!(out, "<tr><td>and {left} more</td><td></td></tr>");
        }
        out.push_str("</table>\n\n");
        let gaps: Vec<Gap> = self.gaps.iter().map(|it| self.told(it)).collect();
        unfolded(&mut out, &gaps.iter().collect::<Vec<_>>());
        for it in &self.bases {
            within(&mut out, LONGEST, |out| rests(out, it));
        }
        out
    }

    /// The hole, with the images it is in where it is not in all.
    fn told(&self, (gap, images, first): &(Gap, usize, usize)) -> Gap {
        let name = self.lines.get(*first).map_or("", |it| &it.0);
        let of = self.lines.len();
        match *images {
            1 if !gap.at.contains(name) => Gap::new(&gap.at, format!("{} ({name})", gap.why)),
            1 => gap.clone(),
            images if images == of => gap.clone(),
            images => Gap::new(&gap.at, format!("{} ({images} of {of} images)", gap.why)),
        }
    }
}

/// How many there are. Where nothing is known, nothing is counted.
fn counted(analysis: &Analysis) -> Option<Tally> {
    (!page::is_dark(analysis)).then(|| Tally::of(&analysis.findings))
}

/// Behind the bar.
fn counts(text: &mut Text<'_>, tally: Option<&Tally>) {
    text.bar();
    let Some(tally) = tally else {
        text.push("  not known\n");
        return;
    };
    text.cells(tally);
    if tally.suppressed > 0 {
        text.push(&format!("  ({} suppressed)", tally.suppressed));
    }
    text.push("\n");
}

/// Columns left of the first line.
const LABEL: usize = 15;

fn next(text: &mut Text<'_>, name: &str, tally: &Tally, has_base: bool) {
    if name.is_empty() || name.contains(char::is_whitespace) {
        return;
    }
    text.push("\n");
    text.styled(Style::Bold, "What's next:");
    text.push("\n");
    let mut hint = |what: &str, command: &str| {
        text.push("    ");
        text.padded(what, 34);
        text.push(command);
        text.push(" ");
        text.push(name);
        text.push("\n");
    };
    if tally.total() + tally.suppressed > 0 {
        hint("View vulnerabilities", "foretop cves");
        hint("View those that can be fixed", "foretop cves --only-fixed");
    }
    if has_base {
        hint("View better base images", "foretop recommendations");
    }
    hint("View what is inside", "foretop sbom --format list");
}
