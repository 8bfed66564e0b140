//! Counts: how many findings there are in environments, and how many there were.

use api::{Counted, CountsQuery, Page, Problem};
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use model::{Moment, Right};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::named;
use crate::refusal::Refusal;

/// The longest time of which one wants only the last, in seconds.
const A_YEAR: u32 = 31_536_000;
/// How Prometheus is told.
const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(trend)).routes(routes!(metrics))
}

/// Where those look who were told where Scout's exporter is.
pub(super) fn exporter() -> Router<App> {
    Router::new().route("/v1/exporter/org/{org}/metrics", get(metrics))
}

/// How many findings there were in an environment, as that changed, first things first. The first row
/// is what held when the time began, if it is known.
#[utoipa::path(get, path = "/orgs/{org}/environments/{environment}/counts", tag = "environments",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
        CountsQuery,
    ),
    responses(
        (status = 200, body = Page<Counted>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn trend(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
    Query(query): Query<CountsQuery>,
) -> Result<Json<Page<Counted>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let limit = named::page(None, query.limit)?.limit as usize;
    let moment = |name: &str, it: Option<String>| it.map(|it| named::moment(name, &it)).transpose();
    let since = moment("since", query.since)?.unwrap_or(Moment::from_micros(0));
    let until = moment("until", query.until)?.unwrap_or(Moment::from_micros(i64::MAX));
    let after = moment("after", query.after)?;
    let from = after.map_or(since, |it| it.max(since));
    if query.every.is_some_and(|it| !(1..=A_YEAR).contains(&it)) {
        return Err(Refusal::malformed("every", format!("it is a number from 1 to {A_YEAR}")));
    }
    let mut rows =
        app.store.counts(&organisation, &environment, (from, until), query.every).await?;
    rows.retain(|it| after.is_none_or(|after| it.at > after));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|it| it.at.to_string());
    Ok(Json(Page { items: rows.into_iter().map(super::counted).collect(), next }))
}

/// The present counts of all environments, for Prometheus; Scout's exporter had them at
/// `/v1/exporter/org/{org}/metrics`, where they are too. Only owners see them.
#[utoipa::path(get, path = "/orgs/{org}/metrics", tag = "environments",
    params(("org" = String, Path, description = "The organisation")),
    responses(
        (status = 200, body = String, content_type = "application/openmetrics-text"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn metrics(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    let text = app.exporter.told(&app, &organisation).await?;
    Ok(([(header::CONTENT_TYPE, KIND)], text))
}
