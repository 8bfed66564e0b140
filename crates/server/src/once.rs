//! Idempotency keys: whoever does not know whether a request came through makes it again under the
//! same key, and it is done once.

use api::{PROBLEM, Sort};
use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use model::Holder;
use sha2::{Digest as _, Sha256};
use store::Idempotent;

use crate::app::App;
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::routes::LARGEST;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Answers larger than this are not kept; such a request is done again.
const MOST: usize = 1 << 20;

/// Does a request under a key once, and answers it the same way when it is made again.
///
/// Answers with secrets in them are kept nowhere, so whoever asks for a token or an invitation twice
/// gets two.
pub(crate) async fn once(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let key = request.headers().get(KEY).filter(|_| writes).cloned();
    let holder = request.extensions().get::<Caller>().and_then(Caller::holder);
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let secret = route.is_none_or(|it| it.contains("/tokens") || it.contains("/invitations"));
    let (Some(key), Some(holder), false) = (key, holder, secret) else {
        return Ok(next.run(request).await);
    };
    let key = key.to_str().map_err(|_| Refusal::malformed("idempotency key", "it is no text"))?;
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST).await.map_err(|_| {
        Refusal::from(Sort::TooLarge.because("body: it is more than is taken at once"))
    })?;
    let mut sum = Sha256::new();
    for part in [parts.method.as_str(), "\0", &parts.uri.to_string(), "\0"] {
        sum.update(part);
    }
    sum.update(&body);
    let sum: [u8; 32] = sum.finalize().into();
    let claim = match app.store.begin_request(&holder, key, &sum, app.now()).await? {
        Idempotent::GoAhead { claim } => claim,
        Idempotent::Answered { status, body } => return Ok(replayed(status, body.into())),
        Idempotent::InProgress => {
            let problem = Sort::Conflict.because("idempotency key: this request is under way");
            let problem = problem.with_hint("ask again in a moment");
            let mut response = Refusal::from(problem).into_response();
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(1));
            return Ok(response);
        }
    };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (parts, body) = response.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
        app.store.drop_request(&holder, key, &claim).await?;
        return Err(Sort::Failed.because("the answer broke off").into());
    };
    // What may pass, and who may not, is no answer for a day.
    let passing = parts.status.is_server_error()
        || matches!(
            parts.status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        );
    if passing || body.len() > MOST {
        app.store.drop_request(&holder, key, &claim).await?;
    } else {
        let status = parts.status.as_u16();
        app.store.answer_request(&holder, key, &claim, status, &body).await?;
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// The answer of an earlier request.
fn replayed(status: u16, body: Bytes) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let kind = if status.is_client_error() { PROBLEM } else { "application/json" };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if status != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

impl Caller {
    /// Whose keys theirs are.
    fn holder(&self) -> Option<Holder> {
        let caller = &self.known.as_ref()?.caller;
        match (&caller.user, caller.memberships.first()) {
            (Some(user), _) => Some(Holder::User(user.id.clone())),
            (None, Some(it)) => Some(Holder::Organisation(it.organisation.id.clone())),
            (None, None) => None,
        }
    }
}
