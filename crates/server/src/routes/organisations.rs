//! Organisations: whose things they are.

use api::{NewOrganisation, Organisation, Page, PageQuery, Problem};
use axum::extract::State;
use axum::http::StatusCode;
use model::Right;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::{Access, Caller};
use crate::named;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(one, delete))
}

/// The organisations that one belongs to, by name.
#[utoipa::path(get, path = "/orgs", tag = "organisations", params(PageQuery), responses(
    (status = 200, body = Page<Organisation>),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Organisation>>, Refusal> {
    let page = named::page(query.after, query.limit)?;
    let mine = caller.memberships(&app).await?;
    let all = app.store.organisations().await?.into_iter().map(word);
    let mut items: Vec<Organisation> = all
        .filter(|it| mine.iter().any(|mine| mine.organisation == it.name))
        .filter(|it| page.after.as_ref().is_none_or(|after| it.name > *after))
        .collect();
    let more = items.len() > page.limit as usize;
    items.truncate(page.limit as usize);
    let next = items.last().filter(|_| more).map(|it| it.name.clone());
    Ok(Json(Page { items, next }))
}

/// Makes an organisation, which its maker owns.
#[utoipa::path(post, path = "/orgs", tag = "organisations", request_body = NewOrganisation, responses(
    (status = 201, body = Organisation),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(made): Json<NewOrganisation>,
) -> Result<(StatusCode, Json<Organisation>), Refusal> {
    let act = app.act(&caller);
    let organisation = match &app.access {
        Access::Local { .. } => app.store.create_organisation(&act, &made.name).await?,
        Access::People(people) => {
            let owner = caller.person("organization")?;
            let made = app.store.create_organisation_owned(&act, &made.name, &owner.id).await?;
            people.forget();
            made
        }
    };
    Ok((StatusCode::CREATED, Json(word(organisation))))
}

/// One organisation.
#[utoipa::path(get, path = "/orgs/{org}", tag = "organisations",
    params(("org" = String, Path, description = "Its name")),
    responses(
        (status = 200, body = Organisation),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Organisation>, Refusal> {
    caller.within(&app, &name, Right::Read).await?;
    Ok(Json(word(app.store.organisation(&name).await?)))
}

/// Deletes an organisation and everything that is its own. Nothing of it remains. Only owners do.
#[utoipa::path(delete, path = "/orgs/{org}", tag = "organisations",
    params(("org" = String, Path, description = "Its name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Refusal> {
    let organisation = caller.within(&app, &name, Right::ManageOrganisation).await?;
    app.store.delete_organisation(&organisation).await?;
    app.forget_people();
    Ok(StatusCode::NO_CONTENT)
}

fn word(it: model::Organisation) -> Organisation {
    Organisation { name: it.name, created: it.created.to_string() }
}
