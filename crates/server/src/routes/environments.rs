//! Environments: places where images run.

use api::{Counted, Environment, NewEnvironment, Page, PageQuery, Problem, Renaming};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::{OrganisationId, Right};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::kept::Asked;
use crate::named;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(one, rename, delete))
}

/// All environments, by name.
#[utoipa::path(get, path = "/orgs/{org}/environments", tag = "environments",
    params(("org" = String, Path, description = "The organisation"), PageQuery),
    responses(
        (status = 200, body = Page<Environment>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<PageQuery>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let listed = async {
        let page = named::page(query.after, query.limit)?;
        let paged = app.store.counted_environments(&organisation, &page).await?;
        Ok(named::paged(paged, with))
    };
    asked.answer(&app, &organisation, listed).await
}

/// Makes an environment. Only owners do.
#[utoipa::path(post, path = "/orgs/{org}/environments", tag = "environments",
    params(("org" = String, Path, description = "The organisation")),
    request_body = NewEnvironment,
    responses(
        (status = 201, body = Environment),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Json(made): Json<NewEnvironment>,
) -> Result<(StatusCode, Json<Environment>), Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageEnvironments).await?;
    let act = app.act(&caller);
    let environment = app.store.create_environment(&organisation, &act, &made.name).await?;
    Ok((StatusCode::CREATED, Json(environment.into())))
}

/// One environment.
#[utoipa::path(get, path = "/orgs/{org}/environments/{environment}", tag = "environments",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 200, body = Environment),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
) -> Result<Json<Environment>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    Ok(Json(find(&app, &organisation, &environment).await?))
}

/// Gives an environment another name. Only owners do.
#[utoipa::path(patch, path = "/orgs/{org}/environments/{environment}", tag = "environments",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
    ),
    request_body = Renaming,
    responses(
        (status = 200, body = Environment),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn rename(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
    Json(renaming): Json<Renaming>,
) -> Result<Json<Environment>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageEnvironments).await?;
    let act = app.act(&caller);
    app.store.rename_environment(&organisation, &act, &environment, &renaming.name).await?;
    Ok(Json(find(&app, &organisation, &renaming.name).await?))
}

/// Deletes an environment and its history. Only owners do.
#[utoipa::path(delete, path = "/orgs/{org}/environments/{environment}", tag = "environments",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("environment" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageEnvironments).await?;
    app.store.delete_environment(&organisation, &app.act(&caller), &environment).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An environment with its counts, as far as they are known.
fn with((environment, counts): (model::Environment, Option<store::Counted>)) -> Environment {
    Environment { counts: counts.map(counted), ..environment.into() }
}

/// In the words of the API.
pub(crate) fn counted(it: store::Counted) -> Counted {
    let counts = it.counts;
    Counted {
        at: it.at.to_string(),
        almanac: it.almanac,
        critical: counts.critical,
        high: counts.high,
        medium: counts.medium,
        low: counts.low,
        unspecified: counts.unspecified,
        images: counts.images,
        pending: counts.pending,
        gaps: counts.gaps,
    }
}

/// The environment of that name.
pub(crate) async fn find(
    app: &App,
    organisation: &OrganisationId,
    name: &str,
) -> Result<Environment, Refusal> {
    Ok(with(app.store.counted_environment(organisation, name).await?))
}
