//! Tags: where they lead and led.

use std::time::Duration;

use api::{
    Looked, LooksQuery, Page, Problem, ResolveQuery, Resolved, Sort, TagSpan, TagsQuery, Untold,
};
use axum::extract::State;
use axum::response::Response;
use model::Right;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::kept::Asked;
use crate::named::{self, Named};
use crate::refusal::Refusal;
use crate::resolve::{self, Registries};

/// For how long registries are asked at once; the answer itself has to come in twice that.
const LOOK: Duration = Duration::from_mins(1);

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(resolved)).routes(routes!(look))
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
    asked: Asked,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let listed = async {
        let image = Named::read(&query.image)?;
        let spans = app.store.tags(&organisation, &image.repository, image.tag.as_deref()).await?;
        Ok(Page { items: spans.into_iter().map(TagSpan::from).collect(), next: None })
    };
    asked.answer(&app, &organisation, listed).await
}

/// Which image a name means: what its registry says, else what was pushed here.
#[utoipa::path(get, path = "/orgs/{org}/resolved", tag = "images",
    params(("org" = String, Path, description = "The organisation"), ResolveQuery),
    responses(
        (status = 200, body = Resolved),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn resolved(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<ResolveQuery>,
) -> Result<Json<Resolved>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let image = Named::read(&query.image)?;
    if image.digest.is_some() {
        return Err(Refusal::malformed("image", "it has a digest already"));
    }
    let wanted = query.platform.as_deref().map(named::platform).transpose()?;
    let registries = Registries::default();
    let ask = (!query.pushed && !app.reach.offline).then_some(&registries);
    let (digest, platform, by) = resolve::found(&app, &organisation, &image, wanted, ask).await?;
    Ok(Json(Resolved { digest: digest.to_string(), platform: platform.to_string(), by }))
}

/// Asks registries where the tags lead now by which something runs. After a minute it says where to go
/// on.
#[utoipa::path(post, path = "/orgs/{org}/tags/looks", tag = "images",
    params(("org" = String, Path, description = "The organisation"), LooksQuery),
    responses(
        (status = 200, body = Looked),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn look(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<LooksQuery>,
) -> Result<Json<Looked>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::RecordDeployments).await?;
    if let Some(name) = &query.environment {
        super::environments::find(&app, &organisation, name).await?;
    }
    if app.reach.offline {
        return Err(Sort::Refused.because("tags: no registry is asked here").into());
    }
    let (environment, act) = (query.environment.as_deref(), app.act(&caller));
    let resolved =
        resolve::tags(&app, &organisation, environment, &act, (query.after, LOOK)).await?;
    let untold = resolved.untold.into_iter().map(|(image, why)| Untold { image, why });
    let resolve::Resolved { asked, moved, next, .. } = resolved;
    Ok(Json(Looked { asked, moved, untold: untold.collect(), next }))
}
