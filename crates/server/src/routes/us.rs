//! What answers, and who is asking.

use api::{Me, Problem, Version};
use axum::extract::State;
use store::Speaker;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::Json;
use crate::caller::Caller;
use crate::refusal::Refusal;

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(version)).routes(routes!(me)).routes(routes!(document))
}

/// What answers here.
#[utoipa::path(get, path = "/version", tag = "us", security(()), responses(
    (status = 200, body = Version),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
async fn version() -> Json<Version> {
    Json(Version { name: "foretop".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// Who is asking, and what they belong to.
#[utoipa::path(get, path = "/me", tag = "us", responses(
    (status = 200, body = Me),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
async fn me(State(app): State<App>, caller: Caller) -> Result<Json<Me>, Refusal> {
    let organisations = caller.memberships(&app).await?;
    let (scope, expires) = match caller.known.as_ref().map(|it| &it.caller.speaker) {
        Some(Speaker::Session(session)) => (None, Some(session.expires)),
        Some(Speaker::Token(token)) => (Some(token.scope.into()), token.expires),
        None => (None, None),
    };
    let expires = expires.map(|it| it.to_string());
    Ok(Json(Me { name: caller.name, by: caller.by.to_owned(), organisations, scope, expires }))
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "us", security(()), responses(
    (status = 200, body = Object, content_type = "application/json"),
    (status = "default", body = Problem, content_type = "application/problem+json"),
))]
async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(super::openapi())
}
