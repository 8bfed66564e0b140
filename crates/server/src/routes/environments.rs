//! Environments: places where images run.

use api::{Environment, NewEnvironment, Page, PageQuery, Problem, Renaming, Sort};
use axum::extract::State;
use axum::http::StatusCode;
use model::{OrganisationId, Right};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
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
) -> Result<Json<Page<Environment>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let page = named::page(query.after, query.limit)?;
    let all = app.store.environments(&organisation).await?;
    let mut items: Vec<Environment> = all
        .into_iter()
        .filter(|it| page.after.as_ref().is_none_or(|after| it.name > *after))
        .map(Environment::from)
        .collect();
    let more = items.len() > page.limit as usize;
    items.truncate(page.limit as usize);
    let next = items.last().filter(|_| more).map(|it| it.name.clone());
    Ok(Json(Page { items, next }))
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

/// The environment of that name.
async fn find(
    app: &App,
    organisation: &OrganisationId,
    name: &str,
) -> Result<Environment, Refusal> {
    let all = app.store.environments(organisation).await?;
    let wanted = store::normal_name(name);
    if let Some(it) = all.iter().find(|it| it.name == wanted) {
        return Ok(it.clone().into());
    }
    let names: Vec<&str> = all.iter().take(20).map(|it| it.name.as_str()).collect();
    let name: String = name.chars().take(200).collect();
    let problem = Sort::NotFound.because(format!("environment `{name}`: there is none"));
    let hint = if names.is_empty() {
        "there is no environment yet".to_owned()
    } else {
        format!("there are: {}", names.join(", "))
    };
    Err(problem.with_hint(hint).into())
}
