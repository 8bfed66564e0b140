//! Changes as they happen: server-sent events, for who wants to be told instead of asking.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use api::{LiveQuery, Sort};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use model::{OrganisationId, Right};
use store::EventSelection;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::body::{Path, Query};
use crate::caller::Caller;
use crate::rations::Whose;
use crate::refusal::Refusal;
use crate::routes::selected;

/// How often we look: whoever wrote it may be another process.
const LOOK: Duration = Duration::from_millis(500);
/// Events looked at together.
const PART: u32 = 100;

/// So often each may listen at once.
pub(crate) const EACH: usize = 32;

/// Who listens, and what they are to be told.
struct Listener {
    app: App,
    caller: Caller,
    organisation: OrganisationId,
    selection: EventSelection,
    /// Where to go on.
    cursor: String,
    waiting: VecDeque<Event>,
    /// One of the times that they may.
    _permit: OwnedSemaphorePermit,
}

/// What changes from now on, as it happens; from where `Last-Event-ID` says, if it does.
pub(crate) async fn listen(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<LiveQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let selection = selected(query.into())?;
    let whose = caller.holder().map_or(Whose::From(None), Whose::Known);
    let permit = app.listeners.of(whose).try_acquire_owned().map_err(|_| {
        let why = format!("events: you listen {EACH} times already");
        Sort::TooMany.because(why).with_hint("end one of them first")
    })?;
    let begun = match headers.get("last-event-id").and_then(|it| it.to_str().ok()) {
        Some(last) => last.to_owned(),
        None => app.store.changes_begin().await?,
    };
    // Where to go on is told before anything else, so that whoever is cut off early misses nothing.
    let waiting = VecDeque::from([Event::default().id(begun.clone())]);
    let mut listener =
        Listener { app, caller, organisation, selection, cursor: begun, waiting, _permit: permit };
    // Whatever is wrong with the question is told at once.
    listener.look().await?;
    let stream = futures_util::stream::unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

impl Listener {
    /// The next event; none when the end has come.
    async fn next(&mut self) -> Option<Event> {
        let mut ending = self.app.ending();
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if *ending.borrow() {
                return None;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = ending.changed() => return None,
            }
            if !self.may_listen().await {
                return None;
            }
            // A database that does not answer now will do so later; nothing is lost meanwhile.
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "no events can be read");
            }
        }
    }

    /// Is whoever listens still somebody who may?
    async fn may_listen(&self) -> bool {
        match self.caller.still_in(&self.app, &self.organisation).await {
            Ok(is) => is,
            Err(refusal) => {
                tracing::warn!(why = refusal.0.detail, "nobody can tell who listens");
                true
            }
        }
    }

    /// Fetches what is new. Each says where to go on behind it.
    async fn look(&mut self) -> Result<(), store::Error> {
        loop {
            let found =
                self.app.store.changes_since(Some(&self.organisation), &self.cursor, PART).await?;
            let last = found.events.len() < PART as usize;
            let all = found.events.into_iter().zip(found.cursors);
            let wanted = all.filter(|((_, event), _)| self.wants(event));
            let told: Vec<Event> =
                wanted.filter_map(|((_, event), cursor)| told(event, cursor)).collect();
            let any = !told.is_empty();
            self.waiting.extend(told);
            self.cursor = found.cursor;
            if last || any {
                return Ok(());
            }
        }
    }

    fn wants(&self, event: &model::Event) -> bool {
        let EventSelection { environment, kinds, .. } = &self.selection;
        (environment.is_none() || event.environment == *environment)
            && (kinds.is_empty() || kinds.contains(&event.kind))
    }
}

fn told(event: model::Event, cursor: String) -> Option<Event> {
    let told = Event::default().event(event.kind.as_str()).id(cursor);
    told.json_data(api::Event::from(event)).ok()
}
