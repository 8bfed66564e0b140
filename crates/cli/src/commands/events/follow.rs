//! What changes as it happens: each event once, whatever becomes of the connection.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context as _;
use api::{Event, EventQuery, Live, LiveQuery, Told};

use super::{Format, Outcome, aligned, before};
use crate::Context;
use crate::asking::Asking;

/// How long we wait before we try again; each time twice as long, up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Whoever is there says so every fifteen seconds.
const SILENCE: Duration = Duration::from_secs(50);
/// Columns of names that are not known yet.
const PLACE: usize = 12;
const KIND: usize = 19;

/// Tells what happens from now on, after up to `most` of what happened already, until somebody
/// interrupts it or reads no more.
pub(super) async fn follow(
    asking: &Asking,
    query: &EventQuery,
    most: Option<u32>,
    format: Format,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let told = tokio::select! {
        told = go_on(asking, query, most, format, context) => told,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("cannot wait for an interruption")?;
            return Ok(Outcome::Interrupted);
        }
    };
    told.map(|()| Outcome::Done)
}

async fn go_on(
    asking: &Asking,
    query: &EventQuery,
    most: Option<u32>,
    format: Format,
    context: &Context,
) -> anyhow::Result<()> {
    let live = LiveQuery { environment: query.environment.clone(), kinds: query.kinds.clone() };
    let tell = |event: &Event| -> anyhow::Result<bool> {
        let text = match format {
            Format::Json => format!("{}\n", serde_json::to_string(event)?),
            Format::Text => aligned(std::slice::from_ref(event), PLACE, KIND),
        };
        context.messages.tell(|out| out.write_all(text.as_bytes()))
    };
    let mut thread = Thread { asking, query: live, cursor: None, context };
    // First we listen, then we look at what there is: what happens in between is told twice, and
    // once is enough.
    let mut listening = thread.listen().await?;
    let mut seen = HashSet::new();
    if let Some(most) = most {
        let part = async |after, limit| {
            let query = EventQuery { after, limit: Some(limit), ..query.clone() };
            Ok(asking.client.events(&asking.organisation, &query).await?)
        };
        match before::tell(part, most, tell).await? {
            Some(known) => seen = known,
            None => return Ok(()),
        }
    }
    loop {
        match tokio::time::timeout(SILENCE, listening.next()).await {
            Ok(Ok(Some(Told::Cursor(cursor)))) => thread.cursor = Some(cursor),
            Ok(Ok(Some(Told::Event(event, cursor)))) => {
                if !seen.remove(&event.id) && !tell(&event)? {
                    return Ok(());
                }
                thread.cursor = Some(cursor);
            }
            Ok(Ok(Some(Told::Alive))) => {}
            Ok(Err(error)) if !may_pass(&error) => return Err(error.into()),
            Ok(Err(error)) => listening = thread.take_up(&error.to_string()).await?,
            Ok(Ok(None)) => listening = thread.take_up("the server ended it").await?,
            Err(_) => listening = thread.take_up("nothing is heard any more").await?,
        }
    }
}

/// What is followed, and up to where.
struct Thread<'a> {
    asking: &'a Asking,
    query: LiveQuery,
    cursor: Option<String>,
    context: &'a Context,
}

impl Thread<'_> {
    async fn listen(&self) -> Result<Live, api::Error> {
        let cursor = self.cursor.as_deref();
        self.asking.client.listen(&self.asking.organisation, &self.query, cursor).await
    }

    /// Listens again, from where we were, as soon as somebody answers.
    async fn take_up(&self, why: &str) -> Result<Live, api::Error> {
        let messages = &self.context.messages;
        messages.warn(&format!("The connection is lost: {why}; trying again"));
        let mut wait = FIRST_WAIT;
        loop {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            match self.listen().await {
                Ok(live) => {
                    messages.inform("Listening again; nothing was missed");
                    return Ok(live);
                }
                Err(error) if may_pass(&error) => messages.debug(&error.to_string()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Is it a reason to try again?
fn may_pass(error: &api::Error) -> bool {
    match error {
        api::Error::Unreachable(_) => true,
        api::Error::Problem(it) => it.status >= 500 || it.status == 429,
        // A proxy says so while there is nobody behind it.
        api::Error::Foreign { why, .. } => why.starts_with("it answers 5"),
    }
}
