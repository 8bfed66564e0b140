//! Base images: they are taught, listed, forgotten, and found below others.

use api::{
    Base, BaseQuery, Below, Forgotten, Layered, Learned, Learning, LearningImage, Page, Problem,
};
use axum::extract::State;
use model::{Digest, LONGEST_CHAIN, Reference, Right};
use store::{BaseRecord, NewBase};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::{jobs, named};

/// Images that are taught at once, one for each platform.
const MOST: usize = 100;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, learn)).routes(routes!(forget)).routes(routes!(below))
}

/// The bases that were taught, by name.
#[utoipa::path(get, path = "/orgs/{org}/bases", tag = "bases",
    params(("org" = String, Path, description = "The organisation"), BaseQuery),
    responses(
        (status = 200, body = Page<Base>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<BaseQuery>,
) -> Result<Json<Page<Base>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let page = named::page(query.after, query.limit)?;
    Ok(Json(named::paged(app.store.bases(&organisation, &page).await?, word)))
}

/// Teaches that images are bases of others: where their layers are the beginning of another image, that one
/// stands on them. What the same name led to before is still known.
#[utoipa::path(post, path = "/orgs/{org}/bases", tag = "bases",
    params(("org" = String, Path, description = "The organisation")),
    request_body = Learning,
    responses(
        (status = 200, body = Learned),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn learn(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Json(sent): Json<Learning>,
) -> Result<Json<Learned>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::PushImages).await?;
    let name = full(&sent.name)?;
    if sent.images.is_empty() || sent.images.len() > MOST {
        let why = format!("there is one at least, and {MOST} at most");
        return Err(Refusal::malformed("images", why));
    }
    let images = sent.images.iter().map(image).collect::<Result<Vec<_>, _>>()?;
    let new = app.store.learn_bases(&organisation, &app.act(&caller), &name, &images).await?;
    if new > 0 {
        // What policies say of base images is another now.
        jobs::judge_soon(&app, &organisation).await?;
    }
    Ok(Json(Learned { name, new }))
}

/// Forgets all that was taught under that name. Only owners do.
#[utoipa::path(delete, path = "/orgs/{org}/bases/{base}", tag = "bases",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("base" = String, Path, description = "`debian:12`, percent-encoded"),
    ),
    responses(
        (status = 200, body = Forgotten),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn forget(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, base)): Path<(String, String)>,
) -> Result<Json<Forgotten>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageOrganisation).await?;
    let name = full(&base).map_err(|_| Refusal::no_such("base", &base))?;
    match app.store.forget_base(&organisation, &app.act(&caller), &name).await? {
        0 => Err(Refusal::no_such("base", &base)),
        images => {
            jobs::judge_soon(&app, &organisation).await?;
            Ok(Json(Forgotten { images }))
        }
    }
}

/// The images whose layers are the beginning of these: bases that were taught, and images that are known.
#[utoipa::path(post, path = "/orgs/{org}/layers", tag = "bases",
    params(("org" = String, Path, description = "The organisation")),
    request_body = Layered,
    responses(
        (status = 200, body = Below),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn below(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Json(sent): Json<Layered>,
) -> Result<Json<Below>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    // One more than are looked at: an image with as many may stand on one with fewer.
    let layers = sent.layers.iter().take(LONGEST_CHAIN + 1).map(|it| digest("layers", it));
    let layers: Vec<Digest> = layers.collect::<Result<_, _>>()?;
    let found = app.store.bases_below(&organisation, &layers).await?;
    Ok(Json(Below { items: found.into_iter().map(Into::into).collect() }))
}

/// The name in full. A digest is no name: what is taught is found by what it is called.
fn full(name: &str) -> Result<String, Refusal> {
    let reference: Reference = name.parse().map_err(|error| Refusal::malformed("name", error))?;
    let tag = reference.tag.unwrap_or_else(|| "latest".to_owned());
    let whole = Reference { tag: Some(tag), digest: None, ..reference };
    Ok(whole.to_string())
}

fn image(sent: &LearningImage) -> Result<NewBase, Refusal> {
    let most = u32::try_from(LONGEST_CHAIN).unwrap_or(u32::MAX);
    if !(1..=most).contains(&sent.layers) {
        return Err(Refusal::malformed("layers", format!("it is a number from 1 to {most}")));
    }
    Ok(NewBase {
        platform: named::platform(&sent.platform)?,
        digest: digest("digest", &sent.digest)?,
        config: sent.config.as_deref().map(|it| digest("config", it)).transpose()?,
        chain: digest("chain", &sent.chain)?,
        layers: sent.layers,
    })
}

fn digest(field: &str, text: &str) -> Result<Digest, Refusal> {
    text.parse().map_err(|error: model::BadDigest| Refusal::malformed(field, error))
}

pub(super) fn word(it: BaseRecord) -> Base {
    Base {
        name: it.name,
        platform: it.platform.to_string(),
        digest: it.digest.to_string(),
        layers: it.layers,
        learned: it.learned.to_string(),
        learned_by: it.learned_by,
    }
}
