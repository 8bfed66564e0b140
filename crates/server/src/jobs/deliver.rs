//! What is in the outbox is told: of each channel one thing after the other, and no channel waits for
//! another.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use integration::{Integration, Message, Remedy, Untold};
use model::{Moment, OrganisationId};
use store::{
    IntegrationRecord, IntegrationState, NewJob, OutboxState, SWITCHED_OFF, WaitingMessage,
};

use super::{Work, party, tell};
use crate::app::App;
use crate::parties::connected;
use crate::telling::{Body, Telling, leading};

const KIND: &str = "deliver";
/// For so long it is this one's turn; then it goes on in the next.
const TURN: Duration = Duration::from_mins(1);
/// Between two messages of one channel.
const PACE: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_secs(1) };
/// Seconds before the second try; each further wait is twice as long, up to the last.
const FIRST_WAIT: i64 = 5;
const LONGEST_WAIT: i64 = 5 * 60;
/// A receiver that asks for more time than this is asked again all the same.
const MOST_WAIT: i64 = 6 * 3600;
/// After so many tries of one message the channel is said not to work.
const TRIES: u32 = 5;
/// Who has not worked for so many seconds, and says that it takes nothing, is believed.
const SURE: i64 = 3600;
/// What nobody took for so many seconds is told no more.
const OLD: i64 = 86_400;
/// The key of the message that says how much that was begins with this.
const LATE: &str = "late";

/// Tells by one channel.
pub(super) struct Deliver;

/// The job that tells by a channel. There is one of it at a time.
pub(super) fn job(
    integration: &str,
    organisation: &OrganisationId,
    now: Moment,
    ready: Moment,
) -> NewJob {
    party::job(KIND, (integration, organisation), now, ready)
}

/// Has told what is due by now.
pub(super) async fn soon(app: &App) -> Result<(), store::Error> {
    if app.reach.offline {
        return Ok(());
    }
    let now = app.now();
    let due = app.store.due_channels(now).await?;
    if due.is_empty() {
        return Ok(());
    }
    let jobs: Vec<NewJob> = due.iter().map(|(id, whose)| job(id, whose, now, now)).collect();
    app.store.enqueue_all(&jobs).await.map(|_| ())
}

#[async_trait]
impl Work for Deliver {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn is_prompt(&self) -> bool {
        true
    }

    async fn run(&self, app: &App, payload: &serde_json::Value) -> Result<(), String> {
        let integration = party::named(payload)?;
        if app.reach.offline {
            return Ok(());
        }
        let again = deliver(app, &integration).await.map_err(|error| error.to_string())?;
        if let Some((record, ready)) = again {
            let job = job(&record.id, &record.organisation, app.now(), ready);
            app.store.enqueue(&job).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// Tells what is due by an integration, for as long as it is its turn. Says when to go on, if that is
/// known by now.
async fn deliver(
    app: &App,
    integration: &str,
) -> Result<Option<(IntegrationRecord, Moment)>, store::Error> {
    let began = Instant::now();
    let mut is_first = true;
    loop {
        // What it is told meanwhile holds from now on.
        let Some(record) = app.store.integration_by_id(integration).await? else { return Ok(None) };
        if is_off(&record) {
            return Ok(None);
        }
        if is_first {
            give_up(app, &record).await?;
            is_first = false;
        }
        let now = app.now();
        let Some(next) = app.store.next_message(&record.id, now, TRIES).await? else {
            return Ok(None);
        };
        if began.elapsed() > TURN {
            return Ok(Some((record, now)));
        }
        let channel = match channel(app, &record).await {
            Ok(channel) => channel,
            Err(why) => {
                became(app, &record, IntegrationState::Failed { why }).await?;
                let again = app.now().plus_seconds(LONGEST_WAIT);
                return Ok(Some((record, again)));
            }
        };
        let Some(message) = app.store.begin_message(&next.id).await? else { continue };
        let outcome = said(app, &record, channel.as_ref(), &message).await?;
        let now = app.now();
        match outcome {
            Ok(()) => {
                app.store.message_ended(&message.id, OutboxState::Sent, None, now).await?;
                if !matches!(record.state, IntegrationState::Connected { .. }) {
                    became(app, &record, IntegrationState::Connected { but: None }).await?;
                }
            }
            Err(untold) => {
                let why = untold.why.as_str();
                let is_gone = match untold.remedy {
                    Remedy::Close => true,
                    Remedy::CloseAtLast => is_broken_for(&record, SURE, now),
                    Remedy::Drop | Remedy::Later(_) => false,
                };
                match untold.remedy {
                    Remedy::Drop => {
                        let state = OutboxState::Dropped;
                        app.store.message_ended(&message.id, state, Some(why), now).await?;
                    }
                    _ if is_gone => {
                        app.store.message_waits(&message.id, why, now).await?;
                        let why = format!("{SWITCHED_OFF}{why}");
                        became(app, &record, IntegrationState::Failed { why }).await?;
                        return Ok(None);
                    }
                    remedy => {
                        let asked = if let Remedy::Later(asked) = remedy { asked } else { None };
                        let is_broken = is_broken_for(&record, 0, now);
                        let again = now.plus_seconds(wait(is_broken, &message, asked));
                        app.store.message_waits(&message.id, why, again).await?;
                        if message.attempts >= TRIES && !takes_others(&record, &message) {
                            let why = why.to_owned();
                            became(app, &record, IntegrationState::Failed { why }).await?;
                        }
                        // Whoever is busy for one message is for the others, too.
                        return Ok(Some((record, again)));
                    }
                }
            }
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Is nothing told by it any more until somebody mended it?
pub(crate) fn is_off(record: &IntegrationRecord) -> bool {
    matches!(&record.state, IntegrationState::Failed { why } if why.starts_with(SWITCHED_OFF))
}

/// Is it said not to work, for so many seconds at least?
fn is_broken_for(record: &IntegrationRecord, seconds: i64, now: Moment) -> bool {
    let is_broken = matches!(record.state, IntegrationState::Failed { .. });
    is_broken && record.state_since.plus_seconds(seconds) <= now
}

/// Says it, and waits no longer for the answer than is right.
async fn said(
    app: &App,
    record: &IntegrationRecord,
    channel: &dyn Integration,
    message: &WaitingMessage,
) -> Result<Result<(), Untold>, store::Error> {
    let untold = |why: &str, remedy| Untold { why: why.to_owned(), hint: None, remedy };
    let Ok(body) = tell::body(&message.body) else {
        return Ok(Err(untold("what is to be told cannot be read", Remedy::Drop)));
    };
    let message_said = words(app, record, message, body).await?;
    Ok(tell_once(channel, &message_said, &message.id).await)
}

/// In words, as they are by now.
async fn words(
    app: &App,
    record: &IntegrationRecord,
    message: &WaitingMessage,
    body: Body,
) -> Result<Message, store::Error> {
    let whose = &record.organisation;
    let running = tell::running_of(app, whose, &body.digests()).await?;
    let organisations = app.store.organisations().await?;
    let organisation = organisations.iter().find(|it| it.id == *whose);
    let rule = match &message.rule {
        Some(name) => app.store.rule(whose, name).await?,
        None => None,
    };
    let telling = Telling {
        organisation: organisation.map_or("", |it| it.name.as_str()),
        rule: message.rule.as_deref().unwrap_or_default(),
        in_use_only: rule.is_some_and(|it| it.definition["in_use_only"] == true),
    };
    Ok(leading(app, body.said(telling, &running, app.now())))
}

/// Says it once. Who hangs, or breaks off, has not taken it.
pub(crate) async fn tell_once(
    channel: &dyn Integration,
    message: &Message,
    key: &str,
) -> Result<(), Untold> {
    let untold = |why: String, remedy| Untold { why, hint: None, remedy };
    let Some(notifier) = channel.notifier() else {
        return Err(untold("it tells nobody anything".to_owned(), Remedy::Close));
    };
    let telling = AssertUnwindSafe(notifier.tell(message, key)).catch_unwind();
    let patience = notifier.patience();
    match tokio::time::timeout(patience, telling).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(untold("saying it broke off".to_owned(), Remedy::Drop)),
        Err(_) => {
            let why = format!("it does not answer within {} s", patience.as_secs());
            Err(untold(why, Remedy::Later(None)))
        }
    }
}

/// Who tells.
pub(crate) async fn channel(
    app: &App,
    record: &IntegrationRecord,
) -> Result<Arc<dyn Integration>, String> {
    #[cfg(test)]
    if let Some(it) = app.channels.get(&record.name) {
        return Ok(it);
    }
    Ok(Arc::clone(&connected(app, record).await?.integration))
}

/// What is too old is told no more, but how much that was.
async fn give_up(app: &App, record: &IntegrationRecord) -> Result<(), store::Error> {
    let now = app.now();
    let before = now.plus_seconds(-OLD);
    let instead = |count: u64, first: Moment, former: Vec<serde_json::Value>| {
        let (mut all, mut since) = (count, first);
        for body in former {
            if let Ok(Body::Late { count, first }) = tell::body(&body) {
                all += count;
                since = since.min(first);
            }
        }
        let body = Body::Late { count: all, first: since };
        let body = serde_json::to_value(&body).expect("it has names for keys alone");
        (format!("{all} messages were not told here"), body)
    };
    let why = (LATE, "nobody took it for a day");
    let whose = (&record.organisation, record.id.as_str());
    let given_up = app.store.give_up_messages(whose, before, now, why, instead).await?;
    if given_up > 0 {
        tracing::warn!(channel = record.name, given_up, "messages were told to nobody for a day");
    }
    Ok(())
}

/// Takes note of whether it works.
async fn became(
    app: &App,
    record: &IntegrationRecord,
    state: IntegrationState,
) -> Result<(), store::Error> {
    party::became(app, KIND, record, state).await
}

/// Did it begin to take what came after a message, so that it is that one which it does not take?
fn takes_others(record: &IntegrationRecord, message: &WaitingMessage) -> bool {
    let is_well = matches!(record.state, IntegrationState::Connected { .. });
    is_well && record.state_since > message.due
}

/// Seconds until the next try: longer each time, and not the same for all. A channel that is known to
/// be broken is left alone for longest, whichever message is tried.
fn wait(is_broken: bool, message: &WaitingMessage, asked: Option<Duration>) -> i64 {
    let exponent = message.attempts.saturating_sub(1).min(16);
    let wait = FIRST_WAIT.saturating_mul(1 << exponent).min(LONGEST_WAIT);
    let wait = if is_broken { LONGEST_WAIT } else { wait };
    let mut hasher = DefaultHasher::new();
    (&message.id, message.attempts).hash(&mut hasher);
    let part = i64::try_from(hasher.finish() % 1000).unwrap_or_default();
    let jittered = wait + wait * part / 4000;
    let asked = asked.map_or(0, |it| i64::try_from(it.as_secs()).unwrap_or(MOST_WAIT));
    jittered.max(asked.min(MOST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_longer_each_time_and_bounded() {
        let message = |attempts| WaitingMessage {
            id: format!("m{attempts}"),
            rule: None,
            rule_id: None,
            key: String::new(),
            body: serde_json::json!({}),
            attempts,
            due: Moment::default(),
        };
        let mut last = 0;
        for attempts in 1..6 {
            let wait = wait(false, &message(attempts), None);
            assert!(wait > last, "{attempts}: {wait}");
            last = wait;
        }
        assert!((LONGEST_WAIT..=LONGEST_WAIT * 5 / 4).contains(&wait(false, &message(1000), None)));
        assert!(wait(true, &message(1), None) >= LONGEST_WAIT);
        assert_eq!(wait(false, &message(1), Some(Duration::from_mins(20))), 1200);
        assert_eq!(wait(false, &message(1), Some(Duration::MAX)), MOST_WAIT);
    }
}
