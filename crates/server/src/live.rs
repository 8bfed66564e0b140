//! Changes as they happen: server-sent events, for who wants to be told instead of asking.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use api::{Event, EventQuery, Role};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{KeepAlive, Sse};
use futures_util::Stream;
use model::{Moment, OrganisationId};
use store::{EventSelection, Page};

use crate::app::App;
use crate::body::{Path, Query};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::routes::selected;

/// How often we look: whoever wrote it may be another process.
const LOOK: Duration = Duration::from_millis(500);
/// Clocks differ and transactions end out of order, so we look back this many seconds each time.
const BACK: i64 = 15;
/// Events told of that are remembered, so that none is told twice.
const REMEMBERED: usize = 20_000;

/// Who listens, and what they were told.
struct Listener {
    app: App,
    organisation: OrganisationId,
    selection: EventSelection,
    /// The latest that was told.
    latest: Moment,
    told: BTreeSet<String>,
    waiting: Vec<model::Event>,
}

/// What changes from now on, as it happens; from where `Last-Event-ID` says, if it does.
pub(crate) async fn listen(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<EventQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<axum::response::sse::Event, Infallible>>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Role::Member).await?;
    let selection = selected(query)?;
    let last = headers.get("last-event-id").and_then(|it| it.to_str().ok()).map(str::to_owned);
    let latest = app.now();
    let mut listener = Listener {
        app,
        organisation,
        selection,
        latest,
        told: BTreeSet::new(),
        waiting: Vec::new(),
    };
    listener.begin(last).await?;
    let stream = futures_util::stream::unfold(listener, |mut listener| async {
        let event = listener.next().await?;
        let told =
            axum::response::sse::Event::default().id(event.id.clone()).event(event.kind.as_str());
        let told = told.json_data(Event::from(event)).unwrap_or_default();
        Some((Ok(told), listener))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

impl Listener {
    /// What was there before counts as told, but for what came after `last`.
    async fn begin(&mut self, last: Option<String>) -> Result<(), Refusal> {
        let page = Page::first(1000);
        let before = self.app.store.events(&self.organisation, &self.selection, &page).await?;
        for event in before.rows {
            if last.as_ref().is_some_and(|last| event.id > *last) {
                self.waiting.push(event.clone());
            }
            self.told.insert(event.id);
        }
        Ok(())
    }

    /// The next event; none when the end has come.
    async fn next(&mut self) -> Option<model::Event> {
        let mut ending = self.app.ending();
        loop {
            if let Some(event) = self.waiting.pop() {
                self.latest = self.latest.max(event.act.at);
                return Some(event);
            }
            if *ending.borrow() {
                return None;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = ending.changed() => return None,
            }
            // A database that does not answer now will do so later; nothing is lost meanwhile.
            if self.look().await.is_err() {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// Fetches what is new, latest first, so that the earliest is told first.
    async fn look(&mut self) -> Result<(), store::Error> {
        let since = self.latest.plus_seconds(-BACK);
        let since = self.selection.since.map_or(since, |it| it.max(since));
        let selection = EventSelection { since: Some(since), ..self.selection.clone() };
        let mut page = Page::first(1000);
        loop {
            let part = self.app.store.events(&self.organisation, &selection, &page).await?;
            for event in part.rows {
                if self.told.insert(event.id.clone()) {
                    self.waiting.push(event);
                }
            }
            match part.next {
                Some(next) => page.after = Some(next),
                None => break,
            }
        }
        while self.told.len() > REMEMBERED {
            self.told.pop_first();
        }
        Ok(())
    }
}
