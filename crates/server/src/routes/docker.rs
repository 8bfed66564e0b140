//! `docker login`: what a registry answers to whoever asks who they are. There are no images here.

use axum::Router;
use axum::extract::FromRequestParts as _;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::app::App;
use crate::caller::Caller;

pub(super) fn paths() -> Router<App> {
    Router::new().route("/v2/", get(base)).route("/v2", get(base))
}

/// What [the specification](https://distribution.github.io/distribution/spec/api/#api-version-check)
/// asks of a registry that takes names and passwords.
async fn base(State(app): State<App>, mut parts: Parts) -> Response {
    let mut response = match Caller::from_request_parts(&mut parts, &app).await {
        Ok(_) => axum::Json(json!({})).into_response(),
        Err(refusal) if refusal.0.status == 401 => {
            let error = json!({ "code": "UNAUTHORIZED", "message": refusal.0.detail });
            let body = axum::Json(json!({ "errors": [error] }));
            let how = HeaderValue::from_static("Basic realm=\"Foretop\"");
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, how)], body).into_response()
        }
        Err(refusal) => refusal.into_response(),
    };
    let version = HeaderName::from_static("docker-distribution-api-version");
    response.headers_mut().insert(version, HeaderValue::from_static("registry/2.0"));
    response
}
