//! Chains: what was decided about a package and a flaw, step by step.

mod who;

use std::collections::BTreeSet;

use almanac::Row;
use model::{Inventory, Judgement, Names, Outlook, Span, Status, Step, Verdict};

use crate::decide::{Decision, Opinion, Outcome};
use crate::findings::span;
use crate::names::brief;
use crate::spaces::Ground;
use crate::walk::{Standing, Subject, Walk};

/// What to tell about.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// All packages and all flaws of which anyone says anything.
    All,
    /// These packages: numbers into the inventory.
    Packages(&'a [usize]),
    /// This flaw, by any of its names, in any package.
    Flaw(&'a str),
}

/// The packages that somebody may mean by `text`: a purl (with or without version and qualifiers), a
/// name, `name@version`, or the name of what they were built from.
pub fn packages_called(inventory: &Inventory, text: &str) -> Vec<usize> {
    let called = |package: &model::Package| {
        let purl = &package.purl;
        if text.starts_with("pkg:") {
            let full = purl.to_string();
            let plain = full.split(['?', '#']).next().unwrap_or_default();
            let bare = plain.rsplit_once('@').map_or(plain, |(left, _)| left);
            let wanted = text.parse::<model::Purl>().map(|it| it.to_string()).unwrap_or_default();
            return [full.as_str(), plain, bare].contains(&wanted.as_str());
        }
        let name = purl.full_name();
        text.eq_ignore_ascii_case(&name)
            || text.eq_ignore_ascii_case(purl.name())
            || text == brief(package)
            || purl.version().is_some_and(|it| text == format!("{}@{it}", purl.name()))
            || package.source.as_ref().is_some_and(|it| it.name == text)
    };
    (0..).zip(&inventory.packages).filter(|(_, it)| called(it)).map(|(number, _)| number).collect()
}

/// All judgements that are asked for.
pub(crate) fn judge(walk: &Walk<'_>, asked: Asked<'_>) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    for subject in &walk.subjects {
        let wanted = match asked {
            Asked::Packages(numbers) => numbers.contains(&subject.number),
            Asked::All | Asked::Flaw(_) => true,
        };
        let Some(ground) = walk.grounds.get(subject.ground).filter(|_| wanted) else { continue };
        let flaw = match asked {
            Asked::Flaw(flaw) => Some(flaw),
            _ => None,
        };
        let mut decisions = walk.decisions(subject, true);
        decisions.sort_by(|left, right| left.flaw.cmp(&right.flaw));
        let is_unheard = decisions.is_empty();
        for decision in &decisions {
            let is_asked =
                |it: &str| decision.flaw.iter().any(|name| name.eq_ignore_ascii_case(it));
            if flaw.is_none_or(is_asked) {
                judgements.push(judgement(walk, subject, ground, decision));
            }
        }
        let is_special = !matches!(subject.standing, Standing::Plain);
        if flaw.is_none() && (is_unheard || is_special) {
            judgements.push(as_a_whole(walk, subject, ground));
        }
    }
    judgements
}

/// About the package itself.
fn as_a_whole(walk: &Walk<'_>, subject: &Subject<'_>, ground: &Ground) -> Judgement {
    let mut chain = beginning(subject, ground);
    let verdict = match (&subject.standing, &ground.meeting) {
        (Standing::Plain, Ok(meeting)) => {
            let mut names: Vec<&str> = subject.names.iter().map(|it| &*it.name).collect();
            // A binary often has the name of what it was built from.
            names.dedup();
            let says = format!(
                "in {} nobody speaks of {}: {} asked",
                meeting.space,
                names.join(" or "),
                each(&meeting.feeds, "was", "were")
            );
            chain.push(Step::new("advisory", says));
            Verdict::Unheard
        }
        (Standing::Owned(owner), _) => {
            chain.push(owned(walk, owner));
            Verdict::Owned
        }
        (Standing::OnlyDeclared, _) => {
            chain.push(only_declared());
            Verdict::NotAsked
        }
        (Standing::Stranger(who), _) => {
            let says = format!("built by {who}: a third-party package, no advisory source");
            chain.push(Step::new("source", says));
            Verdict::NoSource
        }
        (_, Err(why)) => {
            chain.push(Step::new("source", why.clone()));
            Verdict::NoSource
        }
        (Standing::NoSource, Ok(_)) => Verdict::NoSource,
    };
    Judgement { package: subject.number, flaw: Vec::new(), verdict, chain }
}

fn judgement(
    walk: &Walk<'_>,
    subject: &Subject<'_>,
    ground: &Ground,
    decision: &Decision<'_>,
) -> Judgement {
    let mut chain = beginning(subject, ground);
    for opinion in &decision.opinions {
        chain.extend(told(opinion));
    }
    let mut verdict = decision.verdict;
    chain.extend(who::decides(walk, subject, decision));
    match subject.standing {
        Standing::Owned(owner) => {
            chain.push(owned(walk, owner));
            verdict = Verdict::Owned;
        }
        Standing::OnlyDeclared => {
            chain.push(only_declared());
            verdict = Verdict::NotAsked;
        }
        _ if verdict == Verdict::Affected => {
            let (decides, steps) = walk.sayings.told(&decision.flaw, subject.package);
            chain.extend(steps);
            let statement = decides.and_then(|it| walk.question.statements.get(it));
            if statement.is_some_and(|it| it.status.suppresses()) {
                verdict = Verdict::Suppressed;
            }
        }
        _ => {}
    }
    Judgement { package: subject.number, flaw: decision.flaw.clone(), verdict, chain }
}

fn owned(walk: &Walk<'_>, owner: &model::Purl) -> Step {
    let feeds: BTreeSet<&str> = walk
        .grounds
        .iter()
        .filter_map(|it| it.meeting.as_ref().ok())
        .filter(|it| it.is_system)
        .flat_map(|it| it.feeds.iter().map(String::as_str))
        .collect();
    let feeds: Vec<&str> = feeds.into_iter().collect();
    let says = format!(
        "its file belongs to {owner}, which answers for it: {} of that package",
        each(&feeds, "speaks", "speak")
    );
    Step::new("owner", says)
}

/// `osv speaks`, `osv, wolfi speak`.
fn each(feeds: &[impl AsRef<str>], one: &str, many: &str) -> String {
    let names: Vec<&str> = feeds.iter().map(AsRef::as_ref).collect();
    format!("{} {}", names.join(", "), if names.len() == 1 { one } else { many })
}

fn only_declared() -> Step {
    let says = "only declared: nobody saw it installed, and such packages are not asked for";
    Step::new("package", says)
}

/// Where it is, what it is, and where it meets advisories.
fn beginning(subject: &Subject<'_>, ground: &Ground) -> Vec<Step> {
    let package = subject.package;
    let mut chain: Vec<Step> = package
        .places
        .iter()
        .take(3)
        .map(|place| {
            let layer = place.layer.map(|it| format!(" in layer {it}")).unwrap_or_default();
            Step::new("place", format!("{}{layer}", place.path))
        })
        .collect();
    let source = match &package.source {
        Some(source) if source.name != package.purl.name() || source.version.is_some() => {
            let version = source.version.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
            format!(", built from {}{version}", source.name)
        }
        _ => String::new(),
    };
    let kind = package.kind.as_str();
    chain.push(Step::new("package", format!("{} ({kind}{source})", package.purl)));
    let says = match &ground.meeting {
        Ok(meeting) => {
            let speak = each(&meeting.feeds, "speaks", "speak");
            format!("{}, {}; {speak} there", meeting.space, ground.how)
        }
        Err(_) => ground.how.clone(),
    };
    chain.push(Step::new("space", says));
    chain.extend(ground.cautions.iter().map(|it| Step::new("caution", it.clone())));
    chain
}

/// What one row says, and what comes of it.
fn told(opinion: &Opinion<'_>) -> Vec<Step> {
    let row = opinion.row;
    let named = match row.names {
        Names::Source => "the source ",
        Names::Binary => "the package ",
        Names::Either => "",
    };
    let bulletins = if row.bulletins.is_empty() {
        String::new()
    } else {
        format!(" ({})", row.bulletins.join(", "))
    };
    let says = format!("{}: {}{bulletins} about {named}{}", row.feed, row.id, opinion.named.name);
    let mut steps = vec![Step::new("advisory", says), Step::new("range", range(row))];
    let version = opinion.named.version.text();
    let comparison = match opinion.outcome {
        Outcome::Affected(Some(at)) => {
            let span = row.stretches.get(at).map(span).unwrap_or_default();
            format!("{version} is in it: {}", written(&span))
        }
        Outcome::Affected(None) => format!("{version} is listed"),
        Outcome::NotAffected => format!("{version} is among those that are not affected"),
        Outcome::Investigating => format!("{version} is among those under investigation"),
        Outcome::Outside => format!("{version} is outside"),
        Outcome::OtherVersions => format!("it says nothing about {version}"),
        Outcome::Withdrawn => "it was withdrawn".to_owned(),
        Outcome::Harmless(why) => why.to_owned(),
        Outcome::Elsewhere(why) => why.why(row),
        Outcome::Blind(blind) => match (&opinion.named.version.complaint, row.torn) {
            (_, Some(torn)) => format!("cannot tell: {}: {torn}", blind.why()),
            (Some(complaint), _) => format!("cannot tell: {}: {complaint}", blind.why()),
            _ => format!("cannot tell: {}", blind.why()),
        },
    };
    steps.push(Step::new("comparison", comparison));
    let outlook = row.outlook.map(|it| match it {
        Outlook::Open => "a fix may come",
        Outlook::Minor => "minor, no update of its own",
        Outlook::Deferred => "deferred",
        Outlook::WillNotFix => "will not be fixed",
        Outlook::EndOfLife => "end of life",
    });
    let words = match (outlook, row.reason) {
        (Some(outlook), Some(reason)) => format!("{outlook} ({reason})"),
        (outlook, reason) => outlook.or(reason).unwrap_or_default().to_owned(),
    };
    if !words.is_empty() {
        steps.push(Step::new("status", words));
    }
    steps
}

fn range(row: &Row<'_>) -> String {
    let status = match row.status {
        Status::Affected => "affected",
        Status::NotAffected => "not affected",
        Status::UnderInvestigation => "under investigation",
    };
    let spans = row.stretches.iter().map(|it| written(&span(it)));
    let versions = row.versions.iter().map(|it| it.version.to_owned());
    let mut all: Vec<String> = spans.chain(versions).collect();
    let count = all.len();
    all.truncate(MOST_VERSIONS);
    let more = if count > MOST_VERSIONS {
        format!(" and {} more", count - MOST_VERSIONS)
    } else {
        String::new()
    };
    let all = if all.is_empty() { "no version".to_owned() } else { all.join(" or ") };
    let channel = row.channel.map(|it| format!(" in the channel {it}")).unwrap_or_default();
    let module = row.module.map(|it| format!(" in the module {it}")).unwrap_or_default();
    format!("{status}: {all}{more}{channel}{module}")
}

/// A row may list each version there ever was.
const MOST_VERSIONS: usize = 8;

/// `>= 1.0 and < 2.0`.
fn written(span: &Span) -> String {
    let from = span.from.as_ref().map(|it| {
        let sign = if it.included { ">=" } else { ">" };
        format!("{sign} {}", it.version)
    });
    let to = span.to.as_ref().map(|it| {
        let sign = if it.included { "<=" } else { "<" };
        format!("{sign} {}", it.version)
    });
    match (from, to) {
        (Some(from), Some(to)) => format!("{from} and {to}"),
        (Some(it), None) | (None, Some(it)) => it,
        (None, None) => "all versions".to_owned(),
    }
}
