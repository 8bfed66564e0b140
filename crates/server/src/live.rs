//! Changes as they happen: server-sent events, for who wants to be told instead of asking.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use api::LiveQuery;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use model::{OrganisationId, Right};
use store::EventSelection;

use crate::app::App;
use crate::body::{Path, Query};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::routes::selected;

/// How often we look: whoever wrote it may be another process.
const LOOK: Duration = Duration::from_millis(500);
/// Events looked at together.
const PART: u32 = 100;

/// Who listens, and what they are to be told.
struct Listener {
    app: App,
    organisation: OrganisationId,
    selection: EventSelection,
    /// Where to go on.
    cursor: String,
    waiting: VecDeque<Event>,
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
    let cursor = match headers.get("last-event-id").and_then(|it| it.to_str().ok()) {
        Some(last) => last.to_owned(),
        None => app.store.changes_begin().await?,
    };
    let mut listener = Listener { app, organisation, selection, cursor, waiting: VecDeque::new() };
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
            // A database that does not answer now will do so later; nothing is lost meanwhile.
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "no events can be read");
            }
        }
    }

    /// Fetches what is new. The last of a part says where to go on: who comes back from before it is
    /// told some again, and nothing too little.
    async fn look(&mut self) -> Result<(), store::Error> {
        loop {
            let found =
                self.app.store.changes_since(Some(&self.organisation), &self.cursor, PART).await?;
            let last = found.events.len() < PART as usize;
            let wanted = found.events.into_iter().map(|(_, it)| it).filter(|it| self.wants(it));
            let mut told: Vec<Event> = wanted.filter_map(told).collect();
            if let Some(event) = told.pop() {
                told.push(event.id(found.cursor.clone()));
            }
            self.waiting.extend(told);
            self.cursor = found.cursor;
            if last || !self.waiting.is_empty() {
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

fn told(event: model::Event) -> Option<Event> {
    Event::default().event(event.kind.as_str()).json_data(api::Event::from(event)).ok()
}
