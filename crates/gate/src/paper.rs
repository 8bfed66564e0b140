//! What policies say of an image, as reports tell it.

use format::policies as paper;
use policy::{Outcome, ResultKind, Score, Verdict};

/// Every verdict, and the score.
pub fn on_paper(verdicts: &[Verdict]) -> paper::Judged {
    let score = Score::of(verdicts);
    let health = score.grade.map(|grade| paper::Health {
        grade: format!("{grade:?}"),
        percent: score.percent,
        earned: score.earned,
        possible: score.possible,
    });
    let policy = |it: &Verdict| {
        let (state, why) = match &it.outcome {
            Outcome::Met => (paper::State::Met, None),
            Outcome::NotMet => (paper::State::NotMet, None),
            Outcome::Unknown { why } => (paper::State::Unknown, Some(why.clone())),
        };
        let violation = |it: &policy::Violation| paper::Violation {
            message: it.message.clone(),
            detail: it.detail.clone(),
            remediation: it.remediation.clone(),
        };
        paper::Policy {
            id: it.id.clone(),
            title: it.title.clone(),
            state,
            why,
            kind: match it.kind {
                ResultKind::Vulnerability => paper::Kind::Vulnerability,
                ResultKind::License => paper::Kind::License,
                ResultKind::Boolean => paper::Kind::Boolean,
                ResultKind::Generic => paper::Kind::Generic,
            },
            points: it.weight,
            columns: it.details_order.clone(),
            violations: it.violations.iter().map(violation).collect(),
            count: it.count,
        }
    };
    let policies = verdicts.iter().map(policy).collect();
    paper::Judged { policies, health, ..paper::Judged::default() }
}
