//! Repositories that an organisation has enrolled.

use api::{DeleteQuery, Deleted, Enabling, Page, Problem, Repository, RepositoryQuery};
use axum::extract::State;
use axum::response::Response;
use model::{OrganisationId, Right, registry_host};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::kept::Asked;
use crate::named::{self, Named};
use crate::refusal::Refusal;
use crate::{jobs, parties};

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one, enable, delete))
}

/// The repositories enrolled, by name.
#[utoipa::path(get, path = "/orgs/{org}/repositories", tag = "repositories",
    params(("org" = String, Path, description = "The organisation"), RepositoryQuery),
    responses(
        (status = 200, body = Page<Repository>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<RepositoryQuery>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    asked.answer(&app, &organisation, listed(&app, &organisation, query)).await
}

async fn listed(
    app: &App,
    organisation: &OrganisationId,
    query: RepositoryQuery,
) -> Result<Page<Repository>, Refusal> {
    let page = named::page(query.after, query.limit)?;
    let paged = app.store.repositories(organisation, &page).await?;
    let mut page = named::paged(paged, Repository::from);
    page.items.retain(|it| {
        query.enabled.is_none_or(|wanted| it.enabled == wanted)
            && query.registry.as_ref().is_none_or(|host| {
                it.name.strip_prefix(registry_host(host)).is_some_and(|rest| rest.starts_with('/'))
            })
    });
    Ok(page)
}

/// One repository.
#[utoipa::path(get, path = "/orgs/{org}/repositories/{repository}", tag = "repositories",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("repository" = String, Path, description = "`acme/web`, percent-encoded"),
    ),
    responses(
        (status = 200, body = Repository),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, repository)): Path<(String, String)>,
) -> Result<Json<Repository>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let name = full(&repository)?;
    match app.store.repository(&organisation, &name).await? {
        Some(it) => Ok(Json(it.into())),
        None => Err(Refusal::no_such("repository", &repository)),
    }
}

/// Enrols a repository, or switches it on or off.
#[utoipa::path(put, path = "/orgs/{org}/repositories/{repository}", tag = "repositories",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("repository" = String, Path, description = "`acme/web`, percent-encoded"),
    ),
    request_body = Enabling,
    responses(
        (status = 200, body = Repository),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn enable(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, repository)): Path<(String, String)>,
    Json(enabling): Json<Enabling>,
) -> Result<Json<Repository>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::EnableRepositories).await?;
    let name = Named::read(&repository)?.repository;
    app.store.enable_repository(&organisation, &app.act(&caller), &name, enabling.enabled).await?;
    if enabling.enabled {
        // What is in it already is looked at by whoever watches its registry.
        let all = app.store.integrations(&organisation).await?;
        let theirs: Vec<&str> =
            all.iter().filter(|it| parties::holds(it, &name)).map(|it| it.id.as_str()).collect();
        jobs::look_soon(&app, &organisation, &theirs).await?;
    }
    match app.store.repository(&organisation, &name).await? {
        Some(it) => Ok(Json(it.into())),
        None => Err(Refusal::no_such("repository", &repository)),
    }
}

/// Deletes a repository, its tags, and the images that were seen in it alone. One of which something
/// runs is kept, unless by force: then that has ended. Only owners do.
#[utoipa::path(delete, path = "/orgs/{org}/repositories/{repository}", tag = "repositories",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("repository" = String, Path, description = "`acme/web`, percent-encoded"),
        DeleteQuery,
    ),
    responses(
        (status = 200, body = Deleted),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, repository)): Path<(String, String)>,
    Query(query): Query<DeleteQuery>,
) -> Result<Json<Deleted>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageOrganisation).await?;
    let (act, name) = (app.act(&caller), full(&repository)?);
    let cleared = app.store.delete_repository(&organisation, &act, &name, query.force).await;
    let store::Cleared { images, tags, ended } =
        cleared.map_err(|it| Refusal::alone(it, "repository", &name))?;
    Ok(Json(Deleted { images, tags, ended }))
}

/// A repository's full name; what cannot be one is nowhere.
fn full(text: &str) -> Result<String, Refusal> {
    let named = Named::read(text).map_err(|_| Refusal::no_such("repository", text))?;
    Ok(named.repository)
}
