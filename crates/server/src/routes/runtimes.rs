//! Runtimes: clusters and hosts that say what runs in them, and go on saying it.

use api::{
    Deployment, Ended, Heartbeat, Page, Problem, Runtime, RuntimeQuery, Snapped, Snapshot, Sort,
    WholeRuntime,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::Right;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::deployments::Making;
use super::environments;
use crate::app::App;
use crate::body::{Json, Path, Query, long};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::{named, runtimes};

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one, snap, remove))
        .routes(routes!(beat))
}

/// The clusters and hosts that say what runs in them, by name.
#[utoipa::path(get, path = "/orgs/{org}/runtimes", tag = "runtimes",
    params(("org" = String, Path, description = "The organisation"), RuntimeQuery),
    responses(
        (status = 200, body = Page<Runtime>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<RuntimeQuery>,
) -> Result<Json<Page<Runtime>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let environment = match &query.environment {
        // One that nobody has heard of is not one in which nothing runs.
        Some(name) => Some(environments::find(&app, &organisation, name).await?.name),
        None => None,
    };
    let environment = environment.as_deref();
    let page = named::page(query.after, query.limit)?;
    let paged = app.store.runtimes(&organisation, environment, &page).await?;
    let now = app.now();
    Ok(Json(named::paged(paged, |it| runtimes::word(it, now, environment))))
}

/// One of them, with each container that it runs.
#[utoipa::path(get, path = "/orgs/{org}/runtimes/{runtime}", tag = "runtimes",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("runtime" = String, Path, description = "The runtime's name: `eu1`"),
    ),
    responses(
        (status = 200, body = WholeRuntime),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, runtime)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let record = app.store.runtime(&organisation, &runtime).await?;
    let containers = app.store.containers(&organisation, &record.name).await?;
    let containers = containers.into_iter().map(runtimes::berthed).collect();
    long(WholeRuntime { runtime: runtimes::word(record, app.now(), None), containers }).await
}

/// Takes a runtime's word for all that it runs, in all environments at once: what it said before and does
/// not say now has ended, and what others recorded stays. While it could not see everything (`gaps`),
/// nothing has ended because it is not told. Of several that report one runtime, the word of that one
/// counts which was there first, until it is not heard of any more; the others are answered 409.
#[utoipa::path(put, path = "/orgs/{org}/runtimes/{runtime}", tag = "runtimes",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("runtime" = String, Path, description = "The runtime's name: `eu1`"),
    ),
    request_body = Snapshot,
    responses(
        (status = 200, body = Snapped),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn snap(
    State(app): State<App>,
    caller: Caller,
    Path((name, runtime)): Path<(String, String)>,
    Json(sent): Json<Snapshot>,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &name, Right::RecordDeployments).await?;
    let making = Making::of(&app, &caller, &name, sent.create).await?;
    let act = app.act(&caller);
    let snapped = runtimes::report(&app, &organisation, &act, &runtime, making, sent).await;
    let snapped = snapped.map_err(|mut refusal| {
        if making == Making::Forbidden && refusal.0.sort == Sort::NotFound {
            let there = refusal.0.hint.take().unwrap_or_default();
            refusal.0.detail += ", and only owners make environments";
            refusal.0.hint = Some(format!("ask an owner of {name}; {there}"));
        }
        refusal
    });
    long(snapped?).await
}

/// Takes note that all that a runtime said in its last snapshot still holds. 409 is that this is not what
/// is known of it: the snapshot is to be sent again.
#[utoipa::path(post, path = "/orgs/{org}/runtimes/{runtime}/heartbeats", tag = "runtimes",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("runtime" = String, Path, description = "The runtime's name: `eu1`"),
    ),
    request_body = Heartbeat,
    responses(
        (status = 204, description = "It is heard of"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn beat(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, runtime)): Path<(String, String)>,
    Json(sent): Json<Heartbeat>,
) -> Result<StatusCode, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::RecordDeployments).await?;
    named::moment("seen", &sent.seen)?;
    let act = app.act(&caller);
    app.store.heartbeat(&organisation, &act, &runtime, &sent.agent, &sent.mark).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets a runtime: what it said that runs has ended, and stays in the history. Where it goes on to be
/// reported, it is there again.
#[utoipa::path(delete, path = "/orgs/{org}/runtimes/{runtime}", tag = "runtimes",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("runtime" = String, Path, description = "The runtime's name: `eu1`"),
    ),
    responses(
        (status = 200, body = Ended),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, runtime)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::RecordDeployments).await?;
    let act = app.act(&caller);
    let ended = app.store.remove_runtime(&organisation, &act, &runtime).await?;
    long(Ended { ended: ended.into_iter().map(Deployment::from).collect() }).await
}
