//! Who decided about a flaw of which several speak, and why not somebody else.

use almanac::Row;
use model::{Step, Verdict};

use crate::authority;
use crate::decide::{Decision, Opinion, Outcome};
use crate::silence::{Edge, word};
use crate::walk::{Subject, Walk};

/// Who decided, where several speak, and why not those with more say.
pub(super) fn decides(
    walk: &Walk<'_>,
    subject: &Subject<'_>,
    decision: &Decision<'_>,
) -> Vec<Step> {
    let Some(meeting) = walk.meeting(subject) else { return Vec::new() };
    let Some(first) = decision.first() else { return Vec::new() };
    let mut others: Vec<&Opinion<'_>> = decision
        .opinions
        .iter()
        .filter(|it| it.voice != first.voice)
        .filter(|it| !matches!(it.outcome, Outcome::Elsewhere(_) | Outcome::Withdrawn))
        .collect();
    others.dedup_by_key(|it| it.row.id);
    if others.is_empty() {
        return Vec::new();
    }
    let called = |it: &Opinion<'_>| format!("{} of {}", it.row.id, it.row.feed);
    let mut steps: Vec<Step> = Vec::new();
    let denying: Vec<&Opinion<'_>> =
        decision.denying.iter().filter_map(|it| decision.opinions.get(*it)).collect();
    for voice in denying.chunk_by(|left, right| left.voice == right.voice) {
        // One row of theirs tells where, and which it is does not matter.
        let edge = word(voice, first).edge;
        let Some(speaker) = voice.iter().find(|it| has(it.row, edge)).or(voice.first()) else {
            continue;
        };
        let version = first.named.version.text();
        let told = match edge {
            Some(Edge::Begins(it)) => format!("its first range begins at {}", it.version),
            Some(Edge::Ends(it)) => format!("its range before that ends at {}", it.version),
            None => "it is in none of its ranges".to_owned(),
        };
        let (speaker, claimant) = (called(speaker), called(first));
        let says = if decision.is_contested {
            format!(
                "{speaker} leaves {version} out ({told}), and {claimant} does not: who is right, \
                 nobody says"
            )
        } else {
            format!(
                "{speaker} is silent about {version} ({told}), and {claimant} has it in a range \
                 apart from those"
            )
        };
        steps.push(Step::new("source", says));
    }
    if decision.is_contested {
        return steps;
    }
    let below: Vec<String> =
        others.iter().filter(|it| it.voice > first.voice).map(|it| called(it)).collect();
    let above: Vec<String> = others
        .iter()
        .filter(|it| it.voice < first.voice)
        .filter(|it| !denying.iter().any(|denial| denial.voice == it.voice))
        .map(|it| called(it))
        .collect();
    let mut says = match (above.is_empty(), decision.verdict) {
        (true, _) => String::new(),
        (false, Verdict::NotAffected) => {
            format!("whatever {} says, a vendor's \"not affected\" counts: ", above.join(" or "))
        }
        (false, _) => format!("as {} cannot tell, ", above.join(" or ")),
    };
    says.push_str(&called(first));
    says.push_str(" decides");
    if !below.is_empty() {
        let family = meeting.space.family();
        let why = authority::reason(&first.voice, family, meeting.is_system)
            .map_or(String::new(), |it| format!(": {it}"));
        says.push_str(" over ");
        says.push_str(&below.join(", "));
        says.push_str(&why);
    }
    steps.push(Step::new("source", says));
    steps
}

/// Is that one of the row's bounds?
fn has(row: &Row<'_>, edge: Option<Edge<'_>>) -> bool {
    let Some(Edge::Begins(wanted) | Edge::Ends(wanted)) = edge else { return false };
    let bounds = row.stretches.iter().flat_map(|it| [&it.from, &it.to]).flatten();
    bounds.into_iter().any(|it| std::ptr::eq(it, wanted))
}
