//! Retention: for how long things are kept, and what is too old goes.

use api::{ExpireQuery, Expired, Keeping, KeepingFor, Page, Problem};
use axum::extract::State;
use model::{OrganisationId, Retained, Right};
use serde::Deserialize;
use store::Retention;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one, put, usual)).routes(routes!(run))
}

/// What is kept.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct Kept {
    /// The organisation
    org: String,
    /// `history`, `events`, `counts`, `evaluations`, `images`
    what: String,
}

/// For how long things are kept.
#[utoipa::path(get, path = "/orgs/{org}/retention", tag = "organisations",
    params(("org" = String, Path, description = "The organisation")),
    responses(
        (status = 200, body = Page<Keeping>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
) -> Result<Json<Page<Keeping>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let all = app.store.keepings(&organisation).await?;
    Ok(Json(Page { items: all.into_iter().map(word).collect(), next: None }))
}

/// For how long one thing is kept.
#[utoipa::path(get, path = "/orgs/{org}/retention/{what}", tag = "organisations",
    params(Kept),
    responses(
        (status = 200, body = Keeping),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Path(Kept { org, what }): Path<Kept>,
) -> Result<Json<Keeping>, Refusal> {
    let organisation = caller.within(&app, &org, Right::Read).await?;
    kept(&app, &organisation, retained(&what)?).await
}

/// Keeps something for some days, or for ever. Only owners say so.
#[utoipa::path(put, path = "/orgs/{org}/retention/{what}", tag = "organisations",
    params(Kept),
    request_body = KeepingFor,
    responses(
        (status = 200, body = Keeping),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(Kept { org, what }): Path<Kept>,
    Json(sent): Json<KeepingFor>,
) -> Result<Json<Keeping>, Refusal> {
    let organisation = caller.within(&app, &org, Right::ManageOrganisation).await?;
    let what = retained(&what)?;
    app.store.keep_for(&organisation, &app.act(&caller), what, sent.days).await?;
    kept(&app, &organisation, what).await
}

/// Keeps something as long as it is kept where nobody says. Only owners say so.
#[utoipa::path(delete, path = "/orgs/{org}/retention/{what}", tag = "organisations",
    params(Kept),
    responses(
        (status = 200, body = Keeping),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn usual(
    State(app): State<App>,
    caller: Caller,
    Path(Kept { org, what }): Path<Kept>,
) -> Result<Json<Keeping>, Refusal> {
    let organisation = caller.within(&app, &org, Right::ManageOrganisation).await?;
    let what = retained(&what)?;
    app.store.keep_as_usual(&organisation, &app.act(&caller), what).await?;
    kept(&app, &organisation, what).await
}

/// Deletes what is too old, as is done once a day, or says what would go. What runs stays. Only
/// owners do.
#[utoipa::path(post, path = "/orgs/{org}/retention/runs", tag = "organisations",
    params(("org" = String, Path, description = "The organisation"), ExpireQuery),
    responses(
        (status = 200, body = Expired),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn run(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<ExpireQuery>,
) -> Result<Json<Expired>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageOrganisation).await?;
    let act = app.act(&caller);
    let retention = Retention::at(&app.store.keepings(&organisation).await?, act.at);
    let expired = if query.dry_run {
        app.store.expirable(&organisation, &retention).await?
    } else {
        app.store.expire(&organisation, &act, &retention).await?
    };
    let store::Expired { images, deployments, tags, events, counts, evaluations } = expired;
    Ok(Json(Expired { deployments, tags, events, counts, evaluations, images }))
}

async fn kept(
    app: &App,
    organisation: &OrganisationId,
    what: Retained,
) -> Result<Json<Keeping>, Refusal> {
    let all = app.store.keepings(organisation).await?;
    let found = all.into_iter().find(|it| it.what == what);
    found.map(|it| Json(word(it))).ok_or_else(|| Refusal::no_such("retention", what.as_str()))
}

fn retained(text: &str) -> Result<Retained, Refusal> {
    text.parse().map_err(|_| {
        let mut refusal = Refusal::no_such("retention", text);
        let known = Retained::ALL.map(Retained::as_str).join(", ");
        refusal.0.hint = Some(format!("there are: {known}"));
        refusal
    })
}

fn word(it: store::Keeping) -> Keeping {
    Keeping {
        what: it.what.to_string(),
        days: it.days,
        by_default: it.by_default,
        means: it.what.words().to_owned(),
    }
}
