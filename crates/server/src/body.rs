//! What comes in with a request, and what goes out: JSON, paths and questions, whose faults are
//! problems like all others.

use std::time::Duration;

use api::Sort;
use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::refusal::Refusal;

/// Bytes of the largest document about who may ask.
pub(crate) const SHORT: usize = 16 << 10;
/// How long such a document may take to come.
const SOON: Duration = Duration::from_secs(15);

/// Reads a short document before anybody waits for it: whoever has not said yet who they are does not
/// hold a place among those who are answered by sending it slowly.
pub(crate) async fn soon(request: Request, next: Next) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(parts.clone(), body);
    let read = tokio::time::timeout(SOON, <Bytes as FromRequest<()>>::from_request(request, &()));
    let read = read.await.map_err(|_| Refusal::malformed("body", "it does not come"))?;
    let body = read.map_err(|rejection| {
        let long = rejection.status() == StatusCode::PAYLOAD_TOO_LARGE;
        let sort = if long { Sort::TooLarge } else { Sort::Malformed };
        Refusal::from(sort.because(format!("body: {}", innermost(&rejection))))
    })?;
    Ok(next.run(Request::from_parts(parts, body.into())).await)
}

/// A document.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let json = <axum::Json<T> as FromRequest<S>>::from_request(request, state).await;
        json.map(|axum::Json(it)| Self(it)).map_err(|rejection| {
            let sort = match &rejection {
                JsonRejection::MissingJsonContentType(_) => Sort::UnsupportedMediaType,
                JsonRejection::BytesRejection(it) if it.status() == 413 => Sort::TooLarge,
                JsonRejection::JsonDataError(_) => Sort::Refused,
                _ => Sort::Malformed,
            };
            sort.because(format!("body: {}", innermost(&rejection))).into()
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Refusal> {
        let said = request.headers().contains_key(axum::http::header::CONTENT_TYPE);
        if !said {
            return Ok(None);
        }
        // Who says that there is nothing says as much as who says nothing.
        let said = <Json<Option<T>> as FromRequest<S>>::from_request(request, state).await?;
        Ok(said.0.map(Self))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The names in a path.
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(it)| Self(it))
            .map_err(|rejection: PathRejection| Refusal::malformed("path", innermost(&rejection)))
    }
}

/// The question behind a path.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|axum::extract::Query(it)| Self(it))
            .map_err(|rejection: QueryRejection| Refusal::malformed("query", innermost(&rejection)))
    }
}

/// The cause that says what is wrong, not who noticed.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(cause) = inner.source() {
        inner = cause;
    }
    inner.to_string()
}
