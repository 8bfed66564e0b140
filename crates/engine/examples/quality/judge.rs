//! Cases go the whole way: documents through their feeds into an almanac, packages through matching.

use std::collections::BTreeSet;
use std::path::Path;

use almanac::{Almanac, SheetBytes};
use anyhow::Context as _;
use engine::{Asked, Filter, Lookout, Watch};
use model::{Analysis, Finding, Fix, Statement, Verdict};

use crate::case::{Case, Cases, Class, Label};

/// A label, and what came of it.
pub(crate) struct Outcome {
    pub(crate) at: String,
    /// The package.
    pub(crate) purl: String,
    /// None: nobody labelled that finding.
    pub(crate) label: Option<Label>,
    pub(crate) got: Label,
    /// Words and facts are as labelled.
    pub(crate) is_told_right: bool,
    /// Why it comes out otherwise, where we know that it does.
    pub(crate) miss: Option<String>,
}

/// Of all cases of a file.
pub(crate) fn judge(cases: &Cases) -> anyhow::Result<Vec<Outcome>> {
    let folder = tempfile::tempdir()?;
    for (path, text) in &cases.documents {
        let head = text.as_bytes().get(..4096).unwrap_or(text.as_bytes());
        let is_known = feed::ALL.iter().any(|it| it.recognises(path, head).is_some());
        anyhow::ensure!(is_known, "{}.txt: no feed takes {path}", cases.space);
        write(&folder.path().join(path), text)?;
    }
    let refreshed = engine::refresh(folder.path(), None, "2026-01-01T00:00:00Z", &Silent)?;
    let mut outcomes = Vec::new();
    for case in &cases.all {
        let statements = statements(cases, case)?;
        outcomes.extend(one(case, refreshed.sheets.clone(), statements));
    }
    Ok(outcomes)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    Ok(fs_err::write(path, text)?)
}

fn statements(cases: &Cases, case: &Case) -> anyhow::Result<Vec<Statement>> {
    let mut statements = Vec::new();
    for wanted in &case.statements {
        let (name, text) = cases
            .statements
            .iter()
            .find(|(name, _)| name == wanted)
            .with_context(|| format!("{}: there is no statement {wanted}", case.at))?;
        statements.extend(statement::read(name, text.as_bytes())?.statements);
    }
    Ok(statements)
}

fn one(case: &Case, sheets: Vec<SheetBytes>, statements: Vec<Statement>) -> Vec<Outcome> {
    let lookout =
        Lookout::new(Almanac::in_memory(sheets), &*case.today).with_statements(statements);
    let analysis = lookout.analyze_in_brief(case.inventory.clone(), &Filter::default());
    let outcome = |label: Option<Label>, got: Label, is_told_right| Outcome {
        at: case.at.clone(),
        purl: case.inventory.packages[0].purl.to_string(),
        label,
        got,
        is_told_right,
        miss: case.miss.clone(),
    };
    let mut outcomes = Vec::new();
    let mut labelled = BTreeSet::new();
    for label in &case.labels {
        let found = findings(&analysis).find(|(_, it)| is_called(it, &label.flaw));
        labelled.extend(found.map(|(number, _)| number));
        let got = match found {
            Some((_, finding)) if !finding.suppressed() => told(&label.flaw, finding),
            _ => unfound(&lookout, &analysis, label),
        };
        let is_told_right = is_told_right(label, &got);
        outcomes.push(outcome(Some(label.clone()), got, is_told_right));
    }
    for (_, finding) in findings(&analysis).filter(|(number, _)| !labelled.contains(number)) {
        outcomes.push(outcome(None, told(&finding.id, finding), false));
    }
    outcomes
}

/// Those of the package, which is the first.
fn findings(analysis: &Analysis) -> impl Iterator<Item = (usize, &Finding)> {
    analysis.findings.iter().enumerate().filter(|(_, it)| it.packages.contains(&0))
}

fn is_called(finding: &Finding, flaw: &str) -> bool {
    finding.id == flaw || finding.aliases.iter().any(|it| it == flaw)
}

fn told(flaw: &str, finding: &Finding) -> Label {
    let words = match &finding.fix {
        Fix::Version { version, channel: None } => version.clone(),
        Fix::Version { version, channel: Some(channel) } => format!("{version} in {channel}"),
        Fix::None(outlook) => kebab(&format!("{outlook:?}")),
    };
    let mut facts = vec![
        finding.level.to_string(),
        format!("by-{}", finding.feed),
        format!("as-{}", finding.id),
        format!("said-{}", finding.advisory),
    ];
    facts.extend(finding.exploited.as_ref().map(|_| "exploited".to_owned()));
    facts.extend(finding.forecast.as_ref().map(|_| "forecast".to_owned()));
    facts.extend(finding.malicious.then(|| "malicious".to_owned()));
    Label { flaw: flaw.to_owned(), class: Class::Finding, words, facts }
}

/// Why there is no finding, which `wanted` asks.
fn unfound(lookout: &Lookout, analysis: &Analysis, wanted: &Label) -> Label {
    let flaw = &*wanted.flaw;
    let label = |class, words| Label { flaw: flaw.to_owned(), class, words, facts: Vec::new() };
    let asked = if flaw == "*" { Asked::Packages(&[0]) } else { Asked::Flaw(flaw) };
    let judged = lookout.explain(&analysis.inventory, asked);
    let verdict = judged
        .iter()
        .find(|it| it.package == 0 && (flaw != "*" || it.flaw.is_empty()))
        .map_or(Verdict::Unheard, |it| it.verdict);
    if flaw == "*" {
        // A few documents stand for all there is: that they are few counts where a case asks for it.
        let counts = |it: &String| wanted.class == Class::Gap || !it.contains(": only ");
        let gaps: Vec<String> =
            analysis.gaps.iter().map(ToString::to_string).filter(counts).collect();
        return if gaps.is_empty() {
            label(Class::None, kebab(&format!("{verdict:?}")))
        } else {
            label(Class::Gap, gaps.join("; "))
        };
    }
    // Whoever does not ask must be told, too: by the flaw's name, or by the package's.
    let mut names: Vec<&str> = judged.iter().flat_map(|it| &it.flaw).map(String::as_str).collect();
    let package = analysis.inventory.packages[0].purl.name();
    names.extend([flaw, package]);
    let about = |gap: &str| names.iter().any(|it| gap.contains(it));
    let is_told = verdict_is_gap(verdict) && analysis.gaps.iter().any(|it| about(&it.to_string()));
    let class = if is_told { Class::Gap } else { Class::None };
    label(class, kebab(&format!("{verdict:?}")))
}

fn verdict_is_gap(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::CannotTell | Verdict::UnderInvestigation | Verdict::NoSource)
}

fn is_told_right(label: &Label, got: &Label) -> bool {
    let same = if label.flaw == "*" && label.class == Class::Gap {
        got.words.contains(&label.words)
    } else {
        label.words.is_empty() || label.words == got.words
    };
    label.class == got.class && same && label.facts.iter().all(|it| got.facts.contains(it))
}

/// `WillNotFix`: `will-not-fix`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

/// Nobody watches.
pub(crate) struct Silent;

impl Watch for Silent {
    fn expect(&self, _: usize, _: u64) {}
    fn reading(&self, _: &str, _: u64) {}
    fn compiling(&self, _: &str, _: &str) {}
}
