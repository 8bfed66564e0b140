//! explain: how each verdict came about, as a story or as JSON.

use std::collections::{BTreeMap, BTreeSet};

use model::{Basis, Gap, Inventory, Judgement, Level, Verdict};
use serde::Serialize;

use super::Options;
use super::basis::{BasisJson, rests_on};
use super::packages::holes;
use crate::document::{self, TOOL};
use crate::list::name;
use crate::paint::{Sign, Style, Text};

/// So many non-findings are told one by one; with more, they are counted, unless details are wanted.
const FEW: usize = 5;

/// Each judgement as a short story: where the package is, what it is called, what the advisory says,
/// how the versions compare, and what follows.
///
/// Findings and gaps are always told, and what the answer rests on. Of many non-findings there is only a count for each verdict,
/// unless `options.details` asks for all.
pub fn write_explanation(
    judgements: &[Judgement],
    inventory: &Inventory,
    basis: &Basis,
    options: &Options,
) -> String {
    let mut text = Text::new(options, judgements.len().min(10_000) * 256 + 256);
    let quiet = judgements.iter().filter(|it| it.verdict.is_quiet()).count();
    let folded = !options.details && quiet > FEW;
    let mut cautions = BTreeSet::new();
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for judgement in judgements {
        if folded && judgement.verdict.is_quiet() {
            *counts.entry(judgement.verdict).or_default() += 1;
        } else {
            story(&mut text, judgement, inventory, &mut cautions);
        }
    }
    if judgements.is_empty() {
        text.push("Nothing was judged: no package and no advisory of that name met.\n");
    }
    if folded {
        text.push("Not told one by one (--details tells them):\n");
        for (verdict, count) in counts {
            text.push(&format!("  {count:>5}  {}\n", verdict.as_str()));
        }
    }
    holes(&mut text, &gaps(inventory));
    rests_on(&mut text, basis);
    text.out
}

/// The same for scripts: everything, nothing folded.
pub fn write_explanation_json(
    judgements: &[Judgement],
    inventory: &Inventory,
    basis: &Basis,
    options: &Options,
) -> String {
    let document = Document {
        kind: "foretop-explanation",
        shape: 1,
        tool: Tool { name: TOOL, version: &options.tool_version },
        subject: inventory.subject.name(),
        judgements: judgements.iter().map(|it| told(it, inventory)).collect(),
        gaps: gaps(inventory),
        basis: BasisJson::of(basis),
    };
    document::printed(&document, judgements.len().min(10_000))
}

#[derive(Serialize)]
struct Document<'a> {
    kind: &'static str,
    shape: u32,
    tool: Tool<'a>,
    subject: &'a str,
    judgements: Vec<Told<'a>>,
    gaps: Vec<&'a Gap>,
    basis: BasisJson<'a>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct Told<'a> {
    flaw: Option<&'a str>,
    aliases: &'a [String],
    purl: Option<&'a model::Purl>,
    verdict: Verdict,
    says: &'static str,
    chain: &'a [model::Step],
}

fn told<'a>(judgement: &'a Judgement, inventory: &'a Inventory) -> Told<'a> {
    Told {
        flaw: judgement.flaw.first().map(String::as_str),
        aliases: judgement.flaw.get(1..).unwrap_or_default(),
        purl: inventory.packages.get(judgement.package).map(|it| &it.purl),
        verdict: judgement.verdict,
        says: judgement.verdict.as_str(),
        chain: &judgement.chain,
    }
}

fn gaps(inventory: &Inventory) -> Vec<&Gap> {
    let image = inventory.subject.image().map_or(&[][..], |it| &it.gaps);
    let mut seen = BTreeSet::new();
    image.iter().chain(&inventory.gaps).filter(|it| seen.insert(*it)).collect()
}

/// Of the `cautions`, only those that were not told yet are told.
fn story<'a>(
    text: &mut Text<'_>,
    judgement: &'a Judgement,
    inventory: &Inventory,
    cautions: &mut BTreeSet<&'a str>,
) {
    let (sign, style) = match judgement.verdict {
        Verdict::Affected => (Sign::Bad, Style::Of(Level::High)),
        Verdict::Suppressed => (Sign::Set, Style::Dim),
        Verdict::CannotTell | Verdict::UnderInvestigation | Verdict::NoSource => {
            (Sign::Unknown, Style::Warning)
        }
        _ => (Sign::Good, Style::Good),
    };
    text.sign(sign);
    text.push(" ");
    if let Some((first, others)) = judgement.flaw.split_first() {
        text.styled(Style::Bold, first);
        if !others.is_empty() {
            text.push_shown(&format!(" ({})", others.join(", ")));
        }
        text.push(" in ");
    }
    match inventory.packages.get(judgement.package) {
        Some(package) => {
            text.styled(Style::Bold, &name(&package.purl));
            text.push(" ");
            text.push_shown(package.purl.version().unwrap_or("without a version"));
        }
        None => text.push("a package that is not listed"),
    }
    text.push("\n");
    for step in &judgement.chain {
        if step.about == "caution" && !cautions.insert(&step.says) {
            continue;
        }
        text.push("    ");
        text.padded(&step.about, 11);
        text.push(" ");
        text.wrapped(&step.says, "                ");
    }
    text.push("    ");
    text.padded("verdict", 11);
    text.push(" ");
    text.styled(style, judgement.verdict.as_str());
    text.push("\n\n");
}
