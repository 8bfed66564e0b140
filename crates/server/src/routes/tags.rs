//! Tags: where they lead and led.

use std::time::Duration;

use api::{
    Leading, Led, Looked, LooksQuery, Page, Problem, ResolveQuery, Resolved, Sort, TagSpan,
    TagsQuery, Untold,
};
use axum::extract::State;
use axum::response::Response;
use model::{Digest, Platform, Right};
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
    OpenApiRouter::new().routes(routes!(list, lead)).routes(routes!(resolved)).routes(routes!(look))
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
    let page = named::page(query.after, query.limit)?;
    let listed = async {
        let image = Named::read(&query.image)?;
        let digest = query.digest.as_deref().map(str::parse::<Digest>).transpose();
        let digest = digest.map_err(|error| Refusal::malformed("digest", error))?;
        let which = (&*image.repository, image.tag.as_deref());
        let spans = app.store.tags_of(&organisation, which, digest.as_ref(), &page).await?;
        Ok(named::paged(spans, TagSpan::from))
    };
    asked.answer(&app, &organisation, listed).await
}

/// Says all that a tag leads to: an image for each platform. Images that nobody has read yet are to be
/// analysed; a tag that leads to nothing is gone.
#[utoipa::path(put, path = "/orgs/{org}/tags", tag = "images",
    params(("org" = String, Path, description = "The organisation")),
    request_body = Leading,
    responses(
        (status = 200, body = Led),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn lead(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Json(leading): Json<Leading>,
) -> Result<Json<Led>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::PushImages).await?;
    let image = Named::read(&leading.image)?;
    let (Some(tag), None) = (&image.tag, &image.digest) else {
        return Err(Refusal::malformed("image", "it is to be a tag: acme/web:v1"));
    };
    if leading.leads_to.len() > MOST_PLATFORMS || leading.platforms.len() > MOST_PLATFORMS {
        let why = format!("a tag leads to at most {MOST_PLATFORMS} images");
        return Err(Sort::Refused.because(format!("leads_to: {why}")).into());
    }
    let mut images: Vec<(Platform, Digest)> = Vec::with_capacity(leading.leads_to.len());
    for it in &leading.leads_to {
        let digest = it.digest.parse().map_err(|error| Refusal::malformed("digest", error))?;
        images.push((named::platform(&it.platform)?, digest));
    }
    let looked_for: Vec<Platform> =
        leading.platforms.iter().map(|it| named::platform(it)).collect::<Result<_, _>>()?;
    let (act, repository) = (app.act(&caller), &image.repository);
    let led = app.store.lead_tag(&organisation, &act, repository, tag, &images, &looked_for);
    let led = led.await?;
    let mut pending = Vec::new();
    for (platform, digest) in &images {
        if !app.store.has_inventory(&organisation, digest).await? {
            pending.push((image.repository.as_str(), digest, platform));
        }
    }
    resolve::analyse_images_later(&app, &organisation, pending.iter().copied()).await?;
    Ok(Json(Led { moved: led.moved, ended: led.ended, pending: pending.len() as u64 }))
}

/// Images that a tag may lead to, each for another platform.
const MOST_PLATFORMS: usize = 100;

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
