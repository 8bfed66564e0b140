//! Events: what changed, when, by whom, from where.

use api::{Event, EventQuery, LiveQuery, Page, Problem};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use model::{EventKind, Right};
use store::EventSelection;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Path, Query};
use crate::caller::Caller;
use crate::kept::Asked;
use crate::refusal::Refusal;
use crate::{live, named, written};

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(listen))
}

/// What changed, latest first.
#[utoipa::path(get, path = "/orgs/{org}/events", tag = "events",
    params(("org" = String, Path, description = "The organisation"), EventQuery),
    responses(
        (status = 200, body = Page<Event>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<EventQuery>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let listed = async {
        let page = named::page(query.after.clone(), query.limit)?;
        let selection = selected(query)?;
        let paged = app.store.written_events(&organisation, &selection, &page).await?;
        Ok(named::paged(paged, written::Event::from))
    };
    asked.answer(&app, &organisation, listed).await
}

/// What changes from now on, as it happens: server-sent events, each with the id under which
/// `Last-Event-ID` takes the thread up again.
#[utoipa::path(get, path = "/orgs/{org}/events/live", tag = "events",
    params(("org" = String, Path, description = "The organisation"), LiveQuery),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn listen(
    state: State<App>,
    caller: Caller,
    path: Path<String>,
    query: Query<LiveQuery>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Refusal> {
    live::listen(state, caller, path, query, headers).await
}

/// Which events are meant.
pub(crate) fn selected(query: EventQuery) -> Result<EventSelection, Refusal> {
    let kinds = query.kinds.iter().flat_map(|it| it.split(',')).map(|it| {
        EventKind::parse(it).ok_or_else(|| {
            let known: Vec<&str> = EventKind::ALL.iter().map(|it| it.as_str()).collect();
            let known = known.join(", ");
            Refusal::malformed("kinds", format!("there is no kind `{it}`; there are {known}"))
        })
    });
    Ok(EventSelection {
        environment: query.environment,
        kinds: kinds.collect::<Result<_, _>>()?,
        since: query.since.map(|it| named::moment("since", &it)).transpose()?,
        before: query.before.map(|it| named::moment("before", &it)).transpose()?,
    })
}
