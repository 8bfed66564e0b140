//! Tags: where they lead and led.

use api::{Page, Problem, TagSpan, TagsQuery};
use axum::extract::State;
use model::Right;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::named::Named;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Where the tags of a repository lead and led, as far as we saw: by tag and platform, latest first.
#[utoipa::path(get, path = "/orgs/{org}/tags", tag = "images",
    params(("org" = String, Path, description = "The organisation"), TagsQuery),
    responses(
        (status = 200, body = Page<TagSpan>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<TagsQuery>,
) -> Result<Json<Page<TagSpan>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let image = Named::read(&query.image)?;
    let spans = app.store.tags(&organisation, &image.repository, image.tag.as_deref()).await?;
    Ok(Json(Page { items: spans.into_iter().map(TagSpan::from).collect(), next: None }))
}
