//! Entity tags: who has an answer already is not sent it again, and who changes something that has
//! changed since they looked is told so.

use api::Sort;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::caller::Caller;
use crate::peer;
use crate::refusal::Refusal;

/// Who keeps an answer asks each time whether it is still true.
pub(crate) const LOOK_AGAIN: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Answers larger than this are sent without one.
const LARGEST: usize = 8 << 20;

/// Gives each answer to a `GET` its tag, and sends nothing to who has it already.
pub(crate) async fn answers(request: Request, next: Next) -> Response {
    let asks = request.method() == Method::GET;
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    // What is to become a file may be long, and is handed on as it is made.
    let file = response.headers().contains_key(header::CONTENT_DISPOSITION);
    let tagged = response.headers().contains_key(header::ETAG);
    if !asks || file || tagged || response.status() != StatusCode::OK || !is_json(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, usize::MAX).await else {
        return Refusal::from(Sort::Failed.because("the answer broke off")).into_response();
    };
    if bytes.len() > LARGEST {
        return Response::from_parts(parts, Body::from(bytes));
    }
    let tag = tag(&bytes);
    parts.headers.insert(header::ETAG, tag.clone());
    parts.headers.insert(header::CACHE_CONTROL, LOOK_AGAIN);
    if known.is_some_and(|it| names(&it, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// Lets a change through only if what is to be changed is still what `If-Match` names. `router` says
/// what it is by now, which is looked at before the change and not with it: of two that name the same
/// in the same moment both may come through.
pub(crate) async fn changes(router: axum::Router, request: Request, next: Next) -> Response {
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let Some(wanted) = request.headers().get(header::IF_MATCH).filter(|_| writes).cloned() else {
        return next.run(request).await;
    };
    let mut look = Request::new(Body::empty());
    *look.uri_mut() = request.uri().clone();
    *look.headers_mut() = request.headers().clone();
    for name in [header::IF_MATCH, header::IF_NONE_MATCH, header::CONTENT_LENGTH] {
        look.headers_mut().remove(name);
    }
    peer::hand_on(request.extensions(), look.extensions_mut());
    if let Some(caller) = request.extensions().get::<Caller>() {
        look.extensions_mut().insert(caller.clone());
    }
    let there = match router.oneshot(look).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if there.status() == StatusCode::METHOD_NOT_ALLOWED {
        let why = "if-match: nobody can look at what is at this path, so it has no tag";
        let problem = Sort::Refused.because(why).with_hint("send it without `If-Match`");
        return Refusal::from(problem).into_response();
    }
    let tag = there.headers().get(header::ETAG);
    if tag.is_some_and(|tag| names(&wanted, tag)) {
        return next.run(request).await;
    }
    if there.status().is_success() || there.status() == StatusCode::NOT_FOUND {
        let what = request.uri().path().to_owned();
        let problem = Sort::Changed.because(format!("{what}: it is not what `If-Match` names"));
        return Refusal::from(problem.with_hint("look at it again, and decide anew"))
            .into_response();
    }
    there
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    kind.is_some_and(|it| it.starts_with("application/json"))
}

/// The tag of an answer.
pub(crate) fn tag(bytes: &[u8]) -> HeaderValue {
    use std::fmt::Write as _;
    let mut text = String::from("\"");
    for byte in Sha256::digest(bytes).iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('"');
    HeaderValue::from_str(&text).expect("quotes and digits may stand in a header")
}

/// Is `tag` among those listed?
pub(crate) fn names(listed: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(listed), Ok(tag)) = (listed.to_str(), tag.to_str()) else { return false };
    listed.split(',').map(str::trim).any(|it| it == "*" || it.trim_start_matches("W/") == tag)
}
