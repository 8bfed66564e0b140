//! What a rule would have told of the last days: the same look as that of the job, at what is past.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Instant;

use api::{Previewed, Sort};
use integration::Message;
use model::Moment;
use store::{RuleRecord, WaitingMessage};

use crate::app::App;
use crate::refusal::Refusal;
use crate::telling::{Body, GATHERED, Heard, Look, Ruled, Telling, kinds, leading, test};
use crate::{jobs, parties};

/// Events that are looked through at most, and messages that are shown.
const EVENTS: u32 = 5_000;
const MESSAGES: usize = 500;
/// What happened within so many microseconds is put together, as by the job.
const WINDOW: i64 = 2_000_000;

/// What a rule would have told.
pub(super) struct Told {
    /// Each with when.
    pub(super) messages: Vec<(Moment, Message)>,
    pub(super) events: u64,
    pub(super) is_all: bool,
}

pub(super) async fn told(app: &App, record: RuleRecord, days: u32) -> Result<Told, Refusal> {
    let whose = record.organisation.clone();
    let now = app.now();
    let terms = jobs::terms(&record)
        .map_err(|why| Refusal::from(Sort::Failed.because(format!("rule: {why}"))))?;
    let organisation = name(app, &record).await?;
    let ruled = Ruled { record, terms, told: OnceLock::new(), waiting: 0, since: None };
    let mut rules = [ruled];
    let kinds = kinds(&rules);
    let since = now.plus_seconds(-86_400 * i64::from(days));
    let past = app.store.past_tidings(&whose, &kinds, since, EVENTS).await?;
    let mut told =
        Told { messages: Vec::new(), events: past.tidings.len() as u64, is_all: past.is_all };
    let mut parts: Vec<Vec<Heard>> = Vec::new();
    for heard in past.tidings.into_iter().map(Heard::of) {
        let is_same = |part: &Vec<Heard>| {
            let last = part.last().map_or(0, |it| it.at.micros());
            heard.at.micros().saturating_sub(last) <= WINDOW
        };
        match parts.last_mut() {
            Some(part) if is_same(part) => part.push(heard),
            _ => parts.push(vec![heard]),
        }
    }
    let mut known: BTreeMap<String, (Moment, i64)> = BTreeMap::new();
    // What goes on being gathered, as it waits in the outbox.
    let mut waiting: Vec<(Moment, WaitingMessage)> = Vec::new();
    let until = Instant::now() + jobs::ASKING;
    for part in parts {
        let at = part.last().map_or(now, |it| it.at);
        let lately = known.iter().filter(|(_, it)| it.0 > at.plus_seconds(-jobs::NEWS));
        let [rule] = &mut rules;
        let lately: BTreeMap<_, _> = lately.map(|(what, it)| (what.clone(), it.1)).collect();
        rule.told = OnceLock::from(lately);
        let mut look = Look::new(&rules);
        jobs::hear(app, &whose, &rules, &mut look, (part, until)).await?;
        let decided = look.decide(at);
        for it in &decided.told {
            known.insert(it.what.clone(), (at, it.severity));
        }
        let running = jobs::running_of(app, &whose, &decided.digests()).await?;
        let gathered = waiting.iter().filter(|it| it.1.key.starts_with(GATHERED) && it.0 > at);
        let there: Vec<WaitingMessage> = gathered.map(|it| it.1.clone()).collect();
        for message in decided.messages(&organisation, &running, &there) {
            if let Some((id, _)) = &message.instead_of {
                if let Some((_, it)) = waiting.iter_mut().find(|it| it.1.id == *id) {
                    it.body = message.body;
                }
                continue;
            }
            let message_waits = WaitingMessage {
                id: format!("{}", waiting.len()),
                rule: None,
                rule_id: Some(message.rule),
                key: message.key,
                body: message.body,
                attempts: 0,
                due: message.ready,
            };
            waiting.push((message.ready, message_waits));
        }
    }
    waiting.sort_by_key(|it| it.0);
    if waiting.len() > MESSAGES {
        waiting.drain(..waiting.len() - MESSAGES);
        told.is_all = false;
    }
    let [rule] = &rules;
    let telling = Telling {
        organisation: &organisation,
        rule: &rule.record.name,
        in_use_only: rule.terms.in_use_only,
    };
    for (at, it) in waiting {
        let body: Body = serde_json::from_value(it.body)
            .map_err(|error| Refusal::from(Sort::Failed.because(error.to_string())))?;
        let running = jobs::running_of(app, &whose, &body.digests()).await?;
        told.messages.push((at, leading(app, body.said(telling, &running, now))));
    }
    Ok(told)
}

/// Tells the last of it, or else that the rule is tried.
pub(super) async fn send(app: &App, record: RuleRecord, days: u32) -> Result<Previewed, Refusal> {
    let refused = |why: String, hint: Option<String>| {
        let problem = Sort::Refused.because(format!("rule `{}`: {why}", record.name));
        Refusal::from(hint.into_iter().fold(problem, api::Problem::with_hint))
    };
    if app.reach.offline {
        let hint = "start the server without FORETOP_OFFLINE".to_owned();
        return Err(refused("nobody is told anything here".to_owned(), Some(hint)));
    }
    let now = app.now();
    let organisation = name(app, &record).await?;
    let last = told(app, record.clone(), days).await?.messages.pop();
    let (at, mut message) = last.unwrap_or_else(|| {
        let telling =
            Telling { organisation: &organisation, rule: &record.name, in_use_only: false };
        (now, leading(app, test(telling, now)))
    });
    if message.kind != "test" {
        message.title = format!("test: {}", message.title);
        "test".clone_into(&mut message.kind);
    }
    let integration = app.store.integration_by_id(&record.integration).await?;
    let integration =
        integration.ok_or_else(|| Refusal::no_such("integration", &record.channel))?;
    let channel = jobs::channel(app, &integration).await.map_err(|why| refused(why, None))?;
    let key = format!("test-{}-{}", record.id, now.micros());
    let telling = jobs::tell_once(channel.as_ref(), &message, &key);
    let Ok(outcome) = tokio::time::timeout(parties::PATIENCE, telling).await else {
        return Err(refused("it does not answer in time".to_owned(), None));
    };
    outcome.map_err(|untold| refused(untold.why, untold.hint))?;
    Ok(shown(at, &message))
}

/// As one sees it who asks.
pub(super) fn shown(at: Moment, message: &Message) -> Previewed {
    let mut lines = Vec::new();
    if !message.text.is_empty() {
        lines.push(message.text.clone());
    }
    for fact in &message.facts {
        for line in &fact.lines {
            lines.push(format!("{}: {line}", fact.name));
        }
    }
    lines.extend(message.url.clone());
    Previewed {
        at: at.to_string(),
        kind: message.kind.clone(),
        title: message.title.clone(),
        lines,
    }
}

async fn name(app: &App, record: &RuleRecord) -> Result<String, Refusal> {
    let all = app.store.organisations().await?;
    let found = all.into_iter().find(|it| it.id == record.organisation);
    Ok(found.map(|it| it.name).unwrap_or_default())
}
