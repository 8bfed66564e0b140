//! What is to be told, and what was: looked at, and told once more.

use api::{
    Channel, Notification, NotificationQuery, NotificationState, Page, Problem, Resending, Resent,
};
use axum::extract::State;
use model::Right;
use store::{OutboxEntry, OutboxState};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::named;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(retry))
}

/// What is to be told by rules, and what was, the latest first: with why it was not.
#[utoipa::path(get, path = "/orgs/{org}/notifications", tag = "rules",
    params(
        ("org" = String, Path, description = "The organisation"),
        NotificationQuery,
    ),
    responses(
        (status = 200, body = Page<Notification>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Query(query): Query<NotificationQuery>,
) -> Result<Json<Page<Notification>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let state = query.state.map(|it| match it {
        NotificationState::Waiting => OutboxState::Waiting,
        NotificationState::Sent => OutboxState::Sent,
        NotificationState::Failed => OutboxState::Failed,
        NotificationState::Dropped => OutboxState::Dropped,
    });
    let page = named::page(query.after, query.limit)?;
    let paged = app.store.outbox(&organisation, state, &page).await?;
    Ok(Json(named::paged(paged, notification)))
}

/// What was given up is told once more, and what waits for its next try, now: all of it, or one alone.
/// Only owners do.
#[utoipa::path(post, path = "/orgs/{org}/notifications/retries", tag = "rules",
    params(("org" = String, Path, description = "The organisation")),
    request_body = Resending,
    responses(
        (status = 200, body = Resent),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
    Json(resending): Json<Resending>,
) -> Result<Json<Resent>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    let one = resending.notification.as_deref();
    let retried = app.store.retry_messages(&organisation, one, app.now()).await?;
    Ok(Json(Resent { retried: retried.values().sum() }))
}

fn notification(it: OutboxEntry) -> Notification {
    let waits = it.state == OutboxState::Waiting;
    Notification {
        id: it.id,
        rule: it.rule,
        channel: Channel { kind: it.kind, name: it.channel },
        about: it.about,
        state: match it.state {
            OutboxState::Waiting => NotificationState::Waiting,
            OutboxState::Sent => NotificationState::Sent,
            OutboxState::Failed => NotificationState::Failed,
            OutboxState::Dropped => NotificationState::Dropped,
        },
        attempts: it.attempts,
        trouble: it.trouble,
        created: it.created.to_string(),
        ready: waits.then(|| it.ready.to_string()),
        ended: it.ended.map(|it| it.to_string()),
    }
}
