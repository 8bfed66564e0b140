//! Events: what changed, when, by whom, from where.

use api::{Event, EventQuery, Page, Problem};
use axum::extract::State;
use model::{EventKind, Right};
use store::EventSelection;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::named;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
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
) -> Result<Json<Page<Event>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let kinds = query.kinds.as_deref().unwrap_or_default();
    let kinds = kinds.split(',').map(str::trim).filter(|it| !it.is_empty()).map(|it| {
        EventKind::parse(it).ok_or_else(|| {
            let known: Vec<&str> = EventKind::ALL.iter().map(|it| it.as_str()).collect();
            let known = known.join(", ");
            Refusal::malformed("kinds", format!("there is no kind `{it}`; there are {known}"))
        })
    });
    let selection = EventSelection {
        environment: query.environment,
        kinds: kinds.collect::<Result<_, _>>()?,
        since: query.since.map(|it| named::moment("since", &it)).transpose()?,
        before: query.before.map(|it| named::moment("before", &it)).transpose()?,
    };
    let page = named::page(query.after, query.limit)?;
    let paged = app.store.events(&organisation, &selection, &page).await?;
    Ok(Json(named::paged(paged, Event::from)))
}
