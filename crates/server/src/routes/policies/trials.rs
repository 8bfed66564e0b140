//! Policies that are not in force: which there are to choose from, and what would be if they were.

use api::{Page, PolicyChoice, PolicyChoicesQuery, PolicyTrial, Problem, TryingPolicies};
use axum::extract::State;
use model::Right;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::policies;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(choices)).routes(routes!(trial))
}

/// Every policy of the set that is in force, whether it counts or not, and what it can be told.
#[utoipa::path(get, path = "/orgs/{org}/policies/choices", tag = "policies",
    params(("org" = String, Path, description = "The organisation"), PolicyChoicesQuery),
    responses(
        (status = 200, body = Page<PolicyChoice>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn choices(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<PolicyChoicesQuery>,
) -> Result<Json<Page<PolicyChoice>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let record = app.store.policies_in_force(&organisation, query.environment.as_deref()).await?;
    Ok(Json(Page { items: policies::choices(record).await?, next: None }))
}

/// Judges what runs by policies that are not in force, beside those that are, and says what would be
/// another than it is. Nothing of it is kept. Only owners do.
#[utoipa::path(post, path = "/orgs/{org}/policies/trials", tag = "policies",
    params(("org" = String, Path, description = "The organisation")),
    request_body = TryingPolicies,
    responses(
        (status = 200, body = PolicyTrial),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn trial(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Json(sent): Json<TryingPolicies>,
) -> Result<Json<PolicyTrial>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageOrganisation).await?;
    Ok(Json(policies::trial(&app, &organisation, &sent).await?))
}
