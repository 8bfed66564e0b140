//! What is told, in words: short, and the same for every channel.

use std::collections::{BTreeMap, BTreeSet};

use integration::{Fact, Message};
use model::{Deployment, EventKind, Level, Moment, Topic};
use serde_json::json;

use super::group::{Gathered, Group};
use super::lines;

/// Lines of one fact.
const LINES: usize = 8;
/// Environments in a title.
const NAMES: usize = 3;

/// Who is told, and by what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling<'a> {
    pub(crate) organisation: &'a str,
    pub(crate) rule: &'a str,
    /// Does the rule ask for flaws of what is in use alone?
    pub(crate) in_use_only: bool,
}

/// What runs of images, by environment and digest.
pub(crate) type Running = BTreeMap<(String, String), Vec<Deployment>>;

/// Why much is told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Why {
    /// It happened at once.
    Burst,
    /// It is a digest.
    Digest,
    /// It was quiet meanwhile.
    Quiet,
}

/// One thing that happened.
pub(crate) fn one(telling: Telling<'_>, group: &Group, running: &Running) -> Message {
    let environments: Vec<String> = group.environments.keys().cloned().collect();
    let mut facts = Vec::new();
    let mut add = |name: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            facts.push(Fact { name: name.to_owned(), lines });
        }
    };
    let is_of_flaws = Topic::find(&group.topic).is_some_and(|it| it.of_flaws);
    let mut text = String::new();
    if is_of_flaws {
        let more = group.more_packages;
        add("In", listed(group.packages.keys().cloned(), more));
        add("Runs in", runs_in(group, running));
        add("Brought by", brought_by(group, running));
        add("Fixed in", fixed_in(group));
        add("In use", in_use(telling, group));
        if group.is_maybe_elsewhere {
            "It is in more images than are named here: it may be in none of the repositories that \
             this rule asks for."
                .clone_into(&mut text);
        }
        add("Read on", vec![format!("foretop where {}", quoted(&group.about))]);
    } else if let [line] = &group.lines[..]
        && group.more_lines == 0
    {
        text.clone_from(line);
    } else {
        add(
            "What",
            listed(group.lines.iter().filter(|it| !it.is_empty()).cloned(), group.more_lines),
        );
    }
    // Of what nobody looked into, there is nothing more to say.
    let is_of_image = group.topic == Topic::DEPLOYED && group.level.is_some();
    if group.topic == "policy-flipped"
        && let Some(first) = environments.first()
    {
        add("Read on", vec![format!("foretop policy results --env {}", quoted(first))]);
    }
    if group.topic == "tag-drifted" || is_of_image {
        add("Runs in", runs_in(group, running));
    }
    if is_of_image {
        add("Brought by", brought_by(group, running));
        let first = environments.first().map(|it| format!("foretop cves --env {}", quoted(it)));
        add("Read on", first.into_iter().collect());
    }
    Message {
        kind: group.kind.clone(),
        title: title(group),
        text,
        severity: (is_of_flaws || group.level.is_some())
            .then(|| group.level.unwrap_or_default().as_str().to_owned()),
        facts,
        environments,
        // Where nobody knows how people reach our pages, somebody else's has to do.
        url: is_of_flaws.then(|| format::link(&group.about)),
        organisation: telling.organisation.to_owned(),
        at: group.at.unwrap_or_default().to_string(),
        detail: json!({
            "rule": telling.rule,
            "topic": group.topic,
            "about": group.about,
            "exploited": group.exploited,
            "count": group.count,
            "events": group.events,
            "packages": group.packages.iter().map(|(package, it)| {
                json!({ "package": package, "fixed": it.fixed })
            }).collect::<Vec<_>>(),
            "environments": group.environments.iter().map(|(name, it)| {
                json!({ "name": name, "images": it.images, "digests": it.digests })
            }).collect::<Vec<_>>(),
        }),
    }
}

/// Much that happened.
pub(crate) fn several(telling: Telling<'_>, gathered: &Gathered, why: Why) -> Message {
    let counts = gathered.counts();
    let told: Vec<String> = counts.iter().map(|it| counted(it.0, &it.1)).collect();
    let environments: Vec<String> = gathered.environments.keys().cloned().collect();
    let within = within(&environments);
    let headline = match (why, &told[..]) {
        (Why::Burst, [one]) => format!("{one}{within}"),
        (Why::Burst, _) => format!("{} things happened{within}", gathered.len()),
        (Why::Digest, [one]) => format!("digest: {one}{within}"),
        (Why::Digest, _) => format!("digest: {} things happened{within}", gathered.len()),
        (Why::Quiet, _) => {
            format!("while it was quiet: {} things happened{within}", gathered.len())
        }
    };
    let mut facts = Vec::new();
    if told.len() > 1 || why == Why::Quiet {
        facts.push(Fact { name: "What".to_owned(), lines: told });
    }
    let named = gathered.groups.iter().map(|it| {
        let title = title(it);
        let packages: Vec<&str> = it.packages.keys().take(NAMES).map(String::as_str).collect();
        if packages.is_empty() { title } else { format!("{title}: {}", packages.join(", ")) }
    });
    let more = gathered.len().saturating_sub(gathered.groups.len() as u64);
    let is_of_flaws = gathered.groups.iter().any(|it| it.level.is_some());
    let name = if is_of_flaws { "The worst" } else { "The first" };
    facts.push(Fact { name: name.to_owned(), lines: listed(named, more) });
    if environments.len() > 1 {
        let mut by_count: Vec<(&String, &u64)> = gathered.environments.iter().collect();
        by_count.sort_by(|left, right| right.1.cmp(left.1).then(left.0.cmp(right.0)));
        let lines = by_count.into_iter().map(|(name, count)| format!("{name}: {count}"));
        facts.push(Fact { name: "Where".to_owned(), lines: listed(lines, 0) });
    }
    if is_of_flaws && let Some(first) = environments.first() {
        let lines = vec![format!("foretop cves --env {}", quoted(first))];
        facts.push(Fact { name: "Read on".to_owned(), lines });
    }
    let last = gathered.groups.iter().filter_map(|it| it.at).max();
    let kind = match (why, gathered.groups.first()) {
        (Why::Burst, Some(first)) => first.kind.clone(),
        _ => "digest".to_owned(),
    };
    Message {
        kind,
        title: headline,
        text: String::new(),
        severity: gathered.worst().map(|it| it.as_str().to_owned()),
        facts,
        environments,
        url: None,
        organisation: telling.organisation.to_owned(),
        at: last.unwrap_or_default().to_string(),
        detail: json!({
            "rule": telling.rule,
            "count": gathered.len(),
            "exploited": gathered.exploited,
            "event_count": gathered.events,
            "counts": counts.iter().map(|(topic, levels)| {
                let levels: BTreeMap<&str, u64> =
                    levels.iter().map(|(level, count)| (level.map_or("", Level::as_str), *count)).collect();
                (topic.id, levels)
            }).collect::<BTreeMap<_, _>>(),
            "environments": gathered.environments,
            "named": gathered.groups.iter().take(50).map(|it| {
                json!({ "topic": it.topic, "about": it.about, "severity": it.level.map(Level::as_str),
                        "environments": it.environments.keys().collect::<Vec<_>>() })
            }).collect::<Vec<_>>(),
        }),
    }
}

/// That a channel took nothing for so long that much is not told any more.
pub(crate) fn late(organisation: &str, count: u64, first: Moment, at: Moment) -> Message {
    let messages =
        if count == 1 { "1 message was".to_owned() } else { format!("{count} messages were") };
    Message {
        kind: "digest".to_owned(),
        title: format!("{messages} not told here since {first}"),
        text:
            "This channel took nothing for more than a day, and what is older than that is told no \
               more."
                .to_owned(),
        facts: vec![Fact {
            name: "Read on".to_owned(),
            lines: vec!["foretop notification list --state failed".to_owned()],
        }],
        organisation: organisation.to_owned(),
        at: at.to_string(),
        detail: json!({ "not_told": count, "since": first }),
        ..Message::default()
    }
}

/// That a rule tells somebody by this channel.
pub(crate) fn test(telling: Telling<'_>, at: Moment) -> Message {
    Message {
        kind: "test".to_owned(),
        title: format!("this is a test of the rule `{}`", telling.rule),
        text: "Of the last days there is nothing that it would have told.".to_owned(),
        organisation: telling.organisation.to_owned(),
        at: at.to_string(),
        detail: json!({ "rule": telling.rule }),
        ..Message::default()
    }
}

/// In one line.
fn title(group: &Group) -> String {
    let about = &group.about;
    let names: Vec<String> = group.environments.keys().cloned().collect();
    let within = within(&names);
    let level = match (group.level, group.exploited) {
        (None, false) => String::new(),
        (None, true) => " (known to be exploited)".to_owned(),
        (Some(level), false) => format!(" ({level})"),
        (Some(level), true) => format!(" ({level}, known to be exploited)"),
    };
    let word = group.level.unwrap_or_default();
    match group.topic.as_str() {
        "new-finding" => format!("{about}{level} is new{within}"),
        "known-exploited" => match group.level {
            Some(level) => format!("{about} ({level}) is known to be exploited, and runs{within}"),
            None => format!("{about} is known to be exploited, and runs{within}"),
        },
        "severity-up" => match group.former {
            Some(former) => format!("{about} is {word} by now, and was {former}: it runs{within}"),
            None => format!("{about} is {word} by now: it runs{within}"),
        },
        "fix-available" => format!("{about}{level} can be mended by now{within}"),
        "fix-withdrawn" => format!("{about}{level} cannot be mended any more{within}"),
        "finding-gone" => format!("{about}{level} is gone{}", within.replacen(" in ", " from ", 1)),
        Topic::DEPLOYED => {
            let within = within.replacen(" in ", " to ", 1);
            let exploited = if group.exploited { ", known to be exploited" } else { "" };
            match group.level {
                Some(worst) => {
                    format!("{about} brings new findings{within}: {worst} at worst{exploited}")
                }
                None => format!("{about}{within} could not be told"),
            }
        }
        "evaluation-incomplete" => {
            format!("what a new almanac changes cannot be told of all that runs{within}")
        }
        "tag-drifted" => format!("{about} leads to another image than what runs{within}"),
        "environment-changed" if group.count == 1 => format!("{about} has changed"),
        "environment-changed" => format!("{about} has changed {} times", group.count),
        "integration-broken" => format!("the integration {about} does not work"),
        "almanac-stale" if group.kind == EventKind::AlmanacFresh.as_str() => {
            format!("what {about} tells is up to date again")
        }
        "almanac-stale" => format!("what {about} tells is out of date"),
        "runtime-silent" if group.kind == EventKind::RuntimeHeard.as_str() => {
            format!("{about} is heard of again{within}")
        }
        "runtime-silent" => {
            format!(
                "{about} is not heard of any more{within}: what runs there is as it was told last"
            )
        }
        "check-failed" if group.kind == EventKind::CheckPassed.as_str() => {
            format!("the check {about} passed again{within}")
        }
        // It may be that nobody can tell, which is said with it.
        "check-failed" => format!("the check {about} did not pass{within}"),
        "exception-expired" => format!("the time of the exception {about} is over"),
        "policy-flipped" => format!("{about} meets other policies than it did{within}"),
        other => format!("{other}: {about}{within}"),
    }
}

/// ` in production, staging and 2 more`; nothing, if there are none.
fn within(names: &[String]) -> String {
    let (first, rest) = names.split_at(names.len().min(NAMES));
    match (first, rest.len()) {
        ([], _) => String::new(),
        (_, 0) => format!(" in {}", first.join(", ")),
        (_, more) => format!(" in {} and {more} more", first.join(", ")),
    }
}

/// `12 new findings: 2 critical, 10 high`.
fn counted(topic: &Topic, levels: &[(Option<Level>, u64)]) -> String {
    let all: u64 = levels.iter().map(|it| it.1).sum();
    let is_one = all == 1;
    let what = match topic.id {
        "new-finding" => {
            if is_one {
                "new finding"
            } else {
                "new findings"
            }
        }
        "known-exploited" if is_one => "flaw that is known to be exploited",
        "known-exploited" => "flaws that are known to be exploited",
        "severity-up" => {
            if is_one {
                "flaw is rated worse"
            } else {
                "flaws are rated worse"
            }
        }
        "fix-available" => {
            if is_one {
                "flaw can be mended"
            } else {
                "flaws can be mended"
            }
        }
        "fix-withdrawn" if is_one => "fix is withdrawn",
        "fix-withdrawn" => "fixes are withdrawn",
        "finding-gone" => {
            if is_one {
                "finding is gone"
            } else {
                "findings are gone"
            }
        }
        Topic::DEPLOYED if is_one => "image brings new findings",
        Topic::DEPLOYED => "images bring new findings",
        "tag-drifted" => {
            if is_one {
                "tag drifted"
            } else {
                "tags drifted"
            }
        }
        "policy-flipped" if is_one => "application meets other policies",
        "policy-flipped" => "applications meet other policies",
        "environment-changed" if is_one => "environment has changed",
        "environment-changed" => "environments have changed",
        other => return format!("{all} of {other}"),
    };
    let levels: Vec<String> =
        levels.iter().filter_map(|(level, count)| Some(format!("{count} {}", (*level)?))).collect();
    if levels.is_empty() {
        format!("{all} {what}")
    } else {
        format!("{all} {what}: {}", levels.join(", "))
    }
}

/// What runs, in which environment, since when.
fn runs_in(group: &Group, running: &Running) -> Vec<String> {
    let mut lines = Vec::new();
    let mut more = 0;
    for (environment, part) in &group.environments {
        let mut there = BTreeMap::new();
        for it in deployed(environment, &part.digests, running) {
            let tag = match &it.tag {
                Some(tag) => format!(":{tag}"),
                None => format!("@{}", lines::hex(it.digest.as_str())),
            };
            let since = it.from.to_string();
            let day = since.get(..10).unwrap_or_default().to_owned();
            there.entry(format!("{environment}: {}{tag}", it.repository)).or_insert(day);
        }
        let named = part.digests.len() as u64;
        let others = part.images.saturating_sub(named);
        if there.is_empty() && group.topic != "finding-gone" && others == 0 {
            lines.push(format!("{environment}: what had it runs there no more"));
        }
        lines.extend(there.into_iter().map(|(what, day)| format!("{what}, since {day}")));
        if others > 0 {
            lines.push(format!("{environment}: {others} more images"));
        }
    }
    if lines.len() > LINES {
        more = (lines.len() - LINES) as u64;
        lines.truncate(LINES);
    }
    listed(lines.into_iter(), more)
}

/// Who said that it runs.
fn brought_by(group: &Group, running: &Running) -> Vec<String> {
    let mut people = BTreeSet::new();
    for (environment, part) in &group.environments {
        for it in deployed(environment, &part.digests, running) {
            people.insert(if it.recorded_from.is_empty() {
                it.recorded_by.clone()
            } else {
                format!("{} ({})", it.recorded_by, it.recorded_from)
            });
        }
    }
    listed(people.into_iter(), 0)
}

fn deployed<'a>(
    environment: &'a str,
    digests: &'a BTreeSet<String>,
    running: &'a Running,
) -> impl Iterator<Item = &'a Deployment> {
    let there = digests
        .iter()
        .filter_map(move |digest| running.get(&(environment.to_owned(), digest.clone())));
    there.flatten()
}

fn fixed_in(group: &Group) -> Vec<String> {
    if group.topic == "finding-gone" || group.packages.is_empty() {
        return Vec::new();
    }
    let mut lines: BTreeSet<String> = BTreeSet::new();
    let mut none = BTreeSet::new();
    for mended in group.packages.values() {
        match &mended.fixed {
            Some(fixed) => {
                lines.insert(format!("{} {fixed}", mended.name));
            }
            None => {
                none.insert(mended.name.clone());
            }
        }
    }
    lines.extend(none.into_iter().map(|name| format!("{name}: there is no fix yet")));
    listed(lines.into_iter(), 0)
}

fn in_use(telling: Telling<'_>, group: &Group) -> Vec<String> {
    match group.in_use {
        [true, ..] => vec!["yes".to_owned()],
        [false, true, false] => vec!["no".to_owned()],
        // Where nobody was asked, nobody wonders.
        _ if !telling.in_use_only => Vec::new(),
        _ => vec!["nobody can tell".to_owned()],
    }
}

/// The first, and how many more there are.
fn listed(all: impl Iterator<Item = String>, more: u64) -> Vec<String> {
    let mut lines: Vec<String> = all.collect();
    let mut more = more;
    if lines.len() > LINES {
        more += (lines.len() - LINES) as u64;
        lines.truncate(LINES);
    }
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// As a shell takes it.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|it| it.is_ascii_alphanumeric() || "-_./".contains(it));
    if is_plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}
