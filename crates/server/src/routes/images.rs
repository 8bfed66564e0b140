//! Images: what is inside them, and what is wrong with them now.

use api::{
    DeleteQuery, Deleted, Image, ImageQuery, ImageState, Judging, Page, Presenting, Problem,
    Pushed, Pushing, Sort,
};
use axum::extract::State;
use axum::response::Response;
use model::{Inventory, OrganisationId, Right};
use store::ImageSelection;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{self, Json, Path, Query};
use crate::caller::Caller;
use crate::kept::Asked;
use crate::named::{self, Named};
use crate::refusal::Refusal;
use crate::{in_use, judge, resolve, runtimes, written};

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one, push, delete))
        .routes(routes!(inventory))
        .routes(routes!(analysis))
        .routes(routes!(judged))
}

/// The images that are known, by digest.
#[utoipa::path(get, path = "/orgs/{org}/images", tag = "images",
    params(("org" = String, Path, description = "The organisation"), ImageQuery),
    responses(
        (status = 200, body = Page<Image>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<ImageQuery>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    asked.answer(&app, &organisation, listed(&app, &organisation, query)).await
}

async fn listed(
    app: &App,
    organisation: &OrganisationId,
    query: ImageQuery,
) -> Result<Page<written::Image>, Refusal> {
    let repository = query.repository.as_deref().map(Named::read).transpose()?;
    let state = query.state.map(|it| match it {
        ImageState::Pending => model::ImageState::Pending,
        ImageState::Analysed => model::ImageState::Analysed,
        ImageState::Failed => model::ImageState::Failed { why: String::new() },
    });
    let selection = ImageSelection { repository: repository.map(|it| it.repository), state };
    let page = named::page(query.after, query.limit)?;
    let paged = app.store.written_images(organisation, &selection, &page).await?;
    Ok(named::paged(paged, written::Image::from))
}

/// One image.
#[utoipa::path(get, path = "/orgs/{org}/images/{digest}", tag = "images",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("digest" = String, Path, description = "`sha256:…`"),
    ),
    responses(
        (status = 200, body = Image),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, digest)): Path<(String, String)>,
) -> Result<Json<Image>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let parsed = named::digest(&digest)?;
    match app.store.image(&organisation, &parsed).await? {
        Some(it) => Ok(Json(it.into())),
        None => Err(Refusal::no_such("image", &digest)),
    }
}

/// Sends what is inside an image, read by whoever sends it.
#[utoipa::path(put, path = "/orgs/{org}/images/{digest}", tag = "images",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("digest" = String, Path, description = "`sha256:…`"),
    ),
    request_body = Pushing,
    responses(
        (status = 200, body = Pushed),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn push(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, digest)): Path<(String, String)>,
    Json(pushing): Json<Pushing>,
) -> Result<Json<Pushed>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::PushImages).await?;
    let digest = digest.parse().map_err(|error| Refusal::malformed("digest", error))?;
    let image = pushing.image.as_deref().map(Named::read).transpose()?;
    let platform = if let Some(text) = &pushing.platform {
        named::platform(text)?
    } else {
        let described = pushing.inventory.subject.image();
        let told = described.map(|it| &it.platform).filter(|it| !it.os.is_empty());
        told.cloned().unwrap_or_else(resolve::usual)
    };
    let act = app.act(&caller);
    let repository = image.as_ref().map(|it| it.repository.as_str());
    app.store
        .keep_inventory(&organisation, &act, &digest, &platform, repository, &pushing.inventory)
        .await?;
    runtimes::place(&app, &organisation).await?;
    let mut tag_moved = false;
    if let Some(Named { repository, tag: Some(tag), .. }) = &image {
        tag_moved =
            app.store.point_tag(&organisation, &act, repository, tag, &platform, &digest).await?;
    }
    match app.store.image(&organisation, &digest).await? {
        Some(it) => Ok(Json(Pushed { image: it.into(), tag_moved })),
        None => Err(Sort::Conflict.because(format!("image {digest}: deleted meanwhile")).into()),
    }
}

/// Deletes an image and all that is known of it. One that runs is kept, unless by force: then it has
/// ended wherever it ran. Only owners do.
#[utoipa::path(delete, path = "/orgs/{org}/images/{digest}", tag = "images",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("digest" = String, Path, description = "`sha256:…`"),
        DeleteQuery,
    ),
    responses(
        (status = 200, body = Deleted),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, digest)): Path<(String, String)>,
    Query(query): Query<DeleteQuery>,
) -> Result<Json<Deleted>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageOrganisation).await?;
    let (act, digest) = (app.act(&caller), named::digest(&digest)?);
    let ended = if query.force {
        app.store.delete_image_that_runs(&organisation, &act, &digest).await.map(|it| it.len())
    } else {
        app.store.delete_image(&organisation, &act, &digest).await.map(|()| 0)
    };
    let ended = ended.map_err(|it| Refusal::alone(it, "image", digest.as_str()))?;
    Ok(Json(Deleted { images: 1, tags: 0, ended: ended as u64 }))
}

/// What is inside an image.
#[utoipa::path(get, path = "/orgs/{org}/images/{digest}/inventory", tag = "images",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("digest" = String, Path, description = "`sha256:…`"),
    ),
    responses(
        (status = 200, body = Object, description = "An inventory"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn inventory(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, digest)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    body::long(kept(&app, &organisation, &digest).await?).await
}

/// What is wrong with an image now, by the almanac of the server.
#[utoipa::path(post, path = "/orgs/{org}/images/{digest}/analysis", tag = "images",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("digest" = String, Path, description = "`sha256:…`"),
    ),
    request_body = Option<Judging>,
    responses(
        (status = 200, body = Object, description = "An analysis"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn analysis(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, digest)): Path<(String, String)>,
    judging: Option<Json<Judging>>,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let inventory = kept(&app, &organisation, &digest).await?;
    let judging = judging.map(|Json(it)| it).unwrap_or_default();
    let environment = judging.environment.clone();
    let mut analysis = judge::analysis(&app, &organisation, inventory, judging).await?;
    if let Some(environment) = environment {
        let digest = named::digest(&digest)?;
        if let Some(seen) = in_use::evidence(&app, &organisation, &environment, &digest).await? {
            seen.note(&mut analysis);
        }
    }
    body::long(analysis).await
}

/// What is wrong with an image that is not kept here, by the almanac of the server. It is judged and
/// forgotten.
#[utoipa::path(post, path = "/orgs/{org}/analysis", tag = "images",
    params(("org" = String, Path, description = "The organisation")),
    request_body = Presenting,
    responses(
        (status = 200, body = Object, description = "An analysis"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn judged(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Json(presenting): Json<Presenting>,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let Presenting { inventory, judging } = presenting;
    body::long(judge::analysis(&app, &organisation, inventory, judging).await?).await
}

/// What is inside the image; an image that nobody has read yet is a problem that says so.
pub(super) async fn kept(
    app: &App,
    organisation: &OrganisationId,
    digest: &str,
) -> Result<Inventory, Refusal> {
    let parsed = named::digest(digest)?;
    if let Some(inventory) = app.store.inventory(organisation, &parsed).await? {
        return Ok(inventory);
    }
    let known = app.store.image(organisation, &parsed).await?;
    let hint = "foretop push IMAGE reads it and sends what is inside";
    let Some(known) = known else { return Err(Refusal::no_such("image", digest)) };
    let why = judge::why_unread(Some(known.state));
    Err(Sort::NotFound.because(format!("image {digest}: {why}")).with_hint(hint).into())
}
