//! A look through events for all rules of an organisation: what each of them tells, and how.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use integration::Message;
use model::{Deployment, Level, Moment, Topic};
use serde::{Deserialize, Serialize};
use store::{NewMessage, Recollection, RuleRecord, WaitingMessage};

use super::group::{Gathered, Group};
use super::heard::Heard;
use super::message::{self, Running, Telling, Why};
use super::terms::{Repositories, Terms};
use super::when::Due;

/// So many things of one topic are told by themselves; more at once are one message.
pub(crate) const BURST: usize = 10;
/// While so much waits by a rule, what comes is put together.
const FULL: u64 = 500;
/// What came to run is told so many seconds later, with what else came until then: where a cluster is
/// seen for the first time, its images are read one after the other.
const TOGETHER: i64 = 60;
/// What goes on being gathered begins with this.
pub(crate) const GATHERED: &str = "gathered ";

/// A rule, and what it told of lately.
pub(crate) struct Ruled {
    pub(crate) record: RuleRecord,
    pub(crate) terms: Terms,
    /// How bad it was said to be; of which nobody asks before there is something that it may have told.
    pub(crate) told: OnceLock<BTreeMap<String, i64>>,
    /// So much waits by it.
    pub(crate) waiting: u64,
    /// It tells nothing of what happened before, where that matters.
    pub(crate) since: Option<Moment>,
}

/// What is kept of something that is to be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Body {
    /// It is said so.
    Message(Box<Message>),
    /// It is put into words when it is told.
    Gathered {
        /// Why it is told together.
        why: Why,
        /// What.
        gathered: Gathered,
    },
    /// That much is not told any more.
    Late {
        /// So much.
        count: u64,
        /// Since when.
        first: Moment,
    },
}

/// A look through events.
pub(crate) struct Look<'a> {
    rules: &'a [Ruled],
    /// By rule, topic and subject; topics in their own order.
    groups: BTreeMap<(usize, usize, String), Group>,
    told: BTreeMap<(usize, String), i64>,
    /// So many events.
    pub(crate) events: u64,
}

impl<'a> Look<'a> {
    pub(crate) fn new(rules: &'a [Ruled]) -> Self {
        Self { rules, groups: BTreeMap::new(), told: BTreeMap::new(), events: 0 }
    }

    /// One more event, and the repositories that it is about.
    pub(crate) fn hear(&mut self, heard: &Heard, of: &Repositories) {
        self.events += 1;
        for (number, rule) in self.rules.iter().enumerate() {
            if rule.since.is_some_and(|since| heard.at < since) {
                continue;
            }
            let Some(topic) = rule.terms.topic(heard, of) else { continue };
            // A channel is not told of itself.
            let is_itself = || {
                let channel = heard.about.strip_prefix(&rule.record.kind);
                channel.and_then(|it| it.strip_prefix(' ')) == Some(&rule.record.channel)
            };
            if topic.id == "integration-broken" && is_itself() {
                continue;
            }
            if topic.once_a_day {
                let environment = heard.environment.as_deref().unwrap_or_default();
                let what = format!("{} {} {environment}", topic.id, heard.known_by());
                let severity = severity(heard);
                let former = rule.told.get().and_then(|it| it.get(&what));
                if former.is_some_and(|it| *it >= severity) {
                    continue;
                }
                let told = self.told.entry((number, what)).or_insert(severity);
                *told = (*told).max(severity);
            }
            let subject = Group::subject(topic, heard);
            let place = Topic::ALL.iter().position(|it| it == topic).unwrap_or_default();
            let key = (number, place, subject);
            let about = key.2.clone();
            let group = self.groups.entry(key).or_insert_with(|| Group::new(topic, about));
            group.add(topic, heard, rule.terms.is_maybe_elsewhere(of));
        }
    }

    /// How much it holds by now.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// What each rule tells now, and what it tells later.
    pub(crate) fn decide(self, now: Moment) -> Decided<'a> {
        let mut at_once: BTreeMap<(usize, usize), Vec<Group>> = BTreeMap::new();
        let mut gathered: BTreeMap<(usize, String), (Why, Moment, Vec<Group>)> = BTreeMap::new();
        let mut put = |rule, key: String, why, due, group| {
            let it = gathered.entry((rule, key)).or_insert_with(|| (why, due, Vec::new()));
            it.2.push(group);
        };
        for ((number, topic, _), group) in self.groups {
            let Some(rule) = self.rules.get(number) else { continue };
            match rule.terms.when.due(now, group.level) {
                Due::Now if group.topic == Topic::DEPLOYED => {
                    let due = now.plus_seconds(TOGETHER);
                    put(number, format!("{GATHERED}deployed"), Why::Burst, due, group);
                }
                Due::Now if rule.waiting >= FULL => {
                    put(number, format!("{GATHERED}many"), Why::Burst, now, group);
                }
                Due::Now => at_once.entry((number, topic)).or_default().push(group),
                Due::Quiet(due) => {
                    put(number, format!("{GATHERED}quiet {due}"), Why::Quiet, due, group);
                }
                Due::Digest(due) => {
                    put(number, format!("{GATHERED}digest {due}"), Why::Digest, due, group);
                }
            }
        }
        let told = self.told.into_iter().filter_map(|((number, what), severity)| {
            let rule = self.rules.get(number)?.record.id.clone();
            Some(Recollection { rule, what, severity })
        });
        Decided { rules: self.rules, now, at_once, gathered, told: told.collect() }
    }
}

/// What is told, but for the words.
pub(crate) struct Decided<'a> {
    rules: &'a [Ruled],
    now: Moment,
    at_once: BTreeMap<(usize, usize), Vec<Group>>,
    gathered: BTreeMap<(usize, String), (Why, Moment, Vec<Group>)>,
    /// What need not be told again.
    pub(crate) told: Vec<Recollection>,
}

impl Decided<'_> {
    /// The images of which it has to be known where they run.
    pub(crate) fn digests(&self) -> BTreeSet<String> {
        let single = self.at_once.values().filter(|it| it.len() <= BURST).flatten();
        single.flat_map(digests).collect()
    }

    /// In words; what waits already and nobody tells yet is gone on with.
    pub(crate) fn messages(
        self,
        organisation: &str,
        running: &Running,
        waiting: &[WaitingMessage],
    ) -> Vec<NewMessage> {
        let mut messages = Vec::new();
        for ((number, _), groups) in self.at_once {
            let Some(rule) = self.rules.get(number) else { continue };
            let topic = groups.first().map_or("", |it| it.topic.as_str()).to_owned();
            let telling = telling(organisation, rule);
            let mut say = |key: String, message: Message| {
                messages.push(new(rule, key, self.now, &Body::Message(Box::new(message))));
            };
            if groups.len() > BURST {
                let key = format!("{topic} {}", first(&groups));
                let message = message::several(telling, &Gathered::of(groups), Why::Burst);
                say(key, message);
                continue;
            }
            for group in groups {
                let key = format!("{topic} {}", first(std::slice::from_ref(&group)));
                say(key, message::one(telling, &group, running));
            }
        }
        for ((number, prefix), (why, due, groups)) in self.gathered {
            let Some(rule) = self.rules.get(number) else { continue };
            let begun = waiting.iter().find(|it| {
                it.rule_id.as_deref() == Some(&rule.record.id)
                    && it.key.strip_prefix(&prefix).is_some_and(|it| it.starts_with(' '))
            });
            let former =
                begun.and_then(|it| match serde_json::from_value(it.body.clone()).ok()? {
                    Body::Gathered { gathered, .. } => Some((it, gathered)),
                    _ => None,
                });
            let key = format!("{prefix} {}", first(&groups));
            let message = if let Some((it, mut gathered)) = former {
                gathered.add(groups);
                let message = new(rule, key, due, &Body::Gathered { why, gathered });
                NewMessage { instead_of: Some((it.id.clone(), it.body.clone())), ..message }
            } else {
                let gathered = Gathered::of(groups);
                new(rule, key, due, &Body::Gathered { why, gathered })
            };
            messages.push(message);
        }
        messages
    }
}

impl Body {
    /// The images of which it has to be known where they run.
    pub(crate) fn digests(&self) -> BTreeSet<String> {
        match self {
            Self::Gathered { gathered, .. } if gathered.len() == 1 => {
                gathered.groups.iter().flat_map(digests).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// In words.
    pub(crate) fn said(self, telling: Telling<'_>, running: &Running, now: Moment) -> Message {
        match self {
            Self::Message(message) => *message,
            Self::Gathered { gathered, why } => match (&gathered.groups[..], why) {
                // One thing that waited for the morning is told as it would have been.
                ([group], Why::Quiet | Why::Burst) if gathered.len() == 1 => {
                    message::one(telling, group, running)
                }
                _ => message::several(telling, &gathered, why),
            },
            Self::Late { count, first } => message::late(telling.organisation, count, first, now),
        }
    }

    /// In one line, for a list of what waits.
    fn about(&self) -> String {
        match self {
            Self::Message(message) => message.title.clone(),
            Self::Gathered { gathered, .. } => {
                let topics = gathered.counts();
                let parts = topics.iter().map(|(topic, levels)| {
                    let count: u64 = levels.iter().map(|it| it.1).sum();
                    format!("{count} {}", topic.id)
                });
                parts.collect::<Vec<_>>().join(", ")
            }
            Self::Late { count, .. } => format!("{count} messages were not told here"),
        }
    }
}

/// What runs, by environment and image.
pub(crate) fn by_place(deployments: Vec<Deployment>) -> Running {
    let mut running = Running::new();
    for it in deployments {
        let key = (it.environment.clone(), it.digest.to_string());
        running.entry(key).or_default().push(it);
    }
    running
}

pub(super) fn telling<'a>(organisation: &'a str, rule: &'a Ruled) -> Telling<'a> {
    Telling { organisation, rule: &rule.record.name, in_use_only: rule.terms.in_use_only }
}

fn digests(group: &Group) -> impl Iterator<Item = String> + '_ {
    group.environments.values().flat_map(|it| it.digests.iter().cloned())
}

/// The first event, which nothing else is made from by the same rule and topic.
fn first(groups: &[Group]) -> &str {
    let ids = groups.iter().filter_map(|it| it.events.first());
    ids.min().map_or("", String::as_str)
}

fn new(rule: &Ruled, key: String, ready: Moment, body: &Body) -> NewMessage {
    NewMessage {
        rule: rule.record.id.clone(),
        integration: rule.record.integration.clone(),
        key,
        about: body.about(),
        body: serde_json::to_value(body).expect("it has names for keys alone"),
        ready,
        instead_of: None,
    }
}

/// How bad it is, in a number: worse is more.
fn severity(heard: &Heard) -> i64 {
    let level = heard.level.unwrap_or_default();
    let rank = Level::ALL.iter().rev().position(|it| *it == level).unwrap_or_default();
    i64::try_from(rank).unwrap_or_default() * 2 + i64::from(heard.exploited)
}

/// The topics of which something is told.
pub(crate) fn kinds(rules: &[Ruled]) -> Vec<model::EventKind> {
    let kinds: BTreeSet<_> = rules.iter().flat_map(|it| it.terms.kinds()).collect();
    kinds.into_iter().collect()
}
