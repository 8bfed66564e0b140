//! What images load where they run, as far as somebody looked.

use api::{ImageInUse, LoadedPackage, Problem};
use axum::extract::State;
use model::{Loaded, Profile, Right};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::environments;
use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::{in_use, named};

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(of_image))
}

/// What an image loads in an environment, as runtimes that look into containers saw it. Where nobody
/// looked, it says so: that is not to say that nothing is loaded.
#[utoipa::path(get, path = "/orgs/{org}/environments/{env}/images/{digest}/in-use", tag = "images",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("env" = String, Path, description = "The environment"),
        ("digest" = String, Path, description = "The image's digest, or its configuration's"),
    ),
    responses(
        (status = 200, body = ImageInUse),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn of_image(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, environment, digest)): Path<(String, String, String)>,
) -> Result<Json<ImageInUse>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let environment = environments::find(&app, &organisation, &environment).await?.name;
    let digest = named::digest(&digest)?;
    let evidence = in_use::evidence(&app, &organisation, &environment, &digest).await?;
    let Some(it) = evidence else { return Ok(Json(ImageInUse::default())) };
    Ok(Json(ImageInUse {
        by: it.looked.by,
        seen: Some(it.looked.seen),
        is_old: it.looked.is_old,
        is_whole: !it.profiles.is_empty() && it.profiles.iter().all(|it| it.is_whole),
        packages: once(it.profiles),
    }))
}

/// Each package once, whoever saw it.
fn once(profiles: Vec<Profile>) -> Vec<LoadedPackage> {
    let all = profiles.into_iter().flat_map(|it| it.packages);
    let all: std::collections::BTreeSet<Loaded> = all.collect();
    let told = all.into_iter().map(|it| LoadedPackage {
        name: it.name,
        version: it.version,
        purl: it.purl,
        kind: it.kind,
        is_system: it.is_system,
    });
    told.collect()
}
