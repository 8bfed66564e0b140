//! spdx: the inventory as SPDX 2.3 JSON; each package refers to the advisories about it.

use std::collections::HashMap;
use std::fmt::Write as _;

use model::{Analysis, Finding};

use super::{Options, Report};
use crate::spdx::{self, Beside, Flaw};
use crate::{document, page, words};

pub(crate) struct Spdx;

impl Report for Spdx {
    fn id(&self) -> &'static str {
        "spdx"
    }

    fn title(&self) -> &'static str {
        "SPDX 2.3 JSON, with references to advisories"
    }

    fn write(&self, analysis: &Analysis, options: &Options) -> String {
        let mut flaws: HashMap<usize, Vec<Flaw>> = HashMap::new();
        for finding in page::findings(analysis, options) {
            for number in &finding.packages {
                flaws.entry(*number).or_default().extend(told(finding));
            }
        }
        let beside = Beside { flaws, comment: comment(analysis) };
        spdx::write(&analysis.inventory, &options.of_document(), &beside)
    }
}

/// The page about the flaw, and those of its fixes.
fn told(finding: &Finding) -> Vec<Flaw> {
    let mut comment = format!(
        "{} {}, affected {}, {}",
        finding.id,
        finding.level,
        words::range(finding),
        match finding.fixed() {
            Some(_) => format!("fixed in {}", words::fixed(finding)),
            None => words::fixed(finding).into_owned(),
        }
    );
    if finding.exploited.is_some() {
        comment.push_str(", known to be exploited");
    }
    if let Some(statement) = &finding.statement {
        let _ = write!(comment, "; {}", words::whole_statement(statement));
    }
    let fixes = finding
        .references
        .iter()
        .filter(|it| it.contains("/commit/") && document::is_plain_url(it))
        .map(|url| Flaw {
            kind: "fix",
            url: url.clone(),
            comment: format!("fix of {}", finding.id),
        });
    let fixes: Vec<Flaw> = fixes.take(5).collect();
    let advisory = Flaw { kind: "advisory", url: words::link(&finding.id), comment };
    [advisory].into_iter().chain(fixes).collect()
}

/// What SPDX has no field for: what the analysis rests on, and what it could not tell.
fn comment(analysis: &Analysis) -> String {
    let mut comment = format!("This analysis {}.", page::basis(&analysis.basis).0);
    for warning in &analysis.basis.warnings {
        let _ = write!(comment, "\n{warning}");
    }
    if !analysis.gaps.is_empty() {
        comment.push_str("\nThis analysis has gaps:");
        for gap in &analysis.gaps {
            let _ = write!(comment, "\n{gap}");
        }
    }
    comment
}
