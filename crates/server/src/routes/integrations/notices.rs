//! What integrations told: looked at, and looked into once more.

use api::{IntegrationNotice, NoticeQuery, NoticeState, Page, Problem, Retried, Retrying};
use axum::extract::State;
use model::Right;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Which, found};
use crate::app::App;
use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::jobs::attending;
use crate::named;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(notices)).routes(routes!(retry))
}

/// What an integration told, the latest first: what waits, what was dealt with, and what is set
/// aside, with the reason.
#[utoipa::path(get, path = "/orgs/{org}/integrations/{kind}/{name}/notices", tag = "integrations",
    params(Which, NoticeQuery),
    responses(
        (status = 200, body = Page<IntegrationNotice>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn notices(
    State(app): State<App>,
    caller: Caller,
    Path(Which { org: organisation, kind, name }): Path<Which>,
    Query(query): Query<NoticeQuery>,
) -> Result<Json<Page<IntegrationNotice>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let record = found(&app, &organisation, &kind, &name).await?;
    let state = query.state.map(|it| match it {
        NoticeState::Waiting => store::NoticeState::Waiting,
        NoticeState::Done => store::NoticeState::Done,
        NoticeState::Aside => store::NoticeState::Aside,
    });
    let page = named::page(query.after, query.limit)?;
    let paged = app.store.notices(&record.id, state, &page).await?;
    Ok(Json(named::paged(paged, notice)))
}

/// What is set aside is looked into once more, all of it or one alone. What nobody could read is not:
/// it is read by nobody else tomorrow. Only owners do.
#[utoipa::path(post, path = "/orgs/{org}/integrations/{kind}/{name}/notices/retries",
    tag = "integrations",
    params(Which),
    request_body = Retrying,
    responses(
        (status = 200, body = Retried),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path(Which { org: organisation, kind, name }): Path<Which>,
    Json(retrying): Json<Retrying>,
) -> Result<Json<Retried>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    let record = found(&app, &organisation, &kind, &name).await?;
    let (now, notice) = (app.now(), retrying.notice.as_deref());
    let job = attending(&record, now);
    let notices = app.store.revive_notices(&record, notice, now, &job).await?;
    Ok(Json(Retried { notices }))
}

fn notice(it: store::NoticeReport) -> IntegrationNotice {
    IntegrationNotice {
        id: it.id,
        about: it.about,
        state: match it.state {
            store::NoticeState::Waiting => NoticeState::Waiting,
            store::NoticeState::Done => NoticeState::Done,
            store::NoticeState::Aside => NoticeState::Aside,
        },
        attempts: it.attempts,
        why: it.trouble,
        heard: it.heard.to_string(),
        ended: it.ended.map(|it| it.to_string()),
    }
}
