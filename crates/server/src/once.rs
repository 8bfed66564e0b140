//! Idempotency keys: whoever does not know whether a request came through makes it again under the
//! same key, and it is done once.

use std::time::Duration;

use api::Sort;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use model::Holder;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{Idempotent, Together};

use crate::app::App;
use crate::body::LARGEST;
use crate::caller::Caller;
use crate::refusal::Refusal;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// How often whoever is at a request for long says so.
const SIGN: Duration = Duration::from_secs(15);
/// Answers larger than this are not kept; such a request is done again.
const MOST: usize = 32 << 20;

/// Does a request under a key once, and answers it the same way when it is made again.
///
/// What it changes and its answer are one transaction: whoever dies in between has changed nothing.
/// The transaction begins with the first change, and on `SQLite` nobody else writes from then on: so a
/// path that asks anybody, or works on something, does so before it changes anything.
/// Only what is deleted part by part is not; to do that again does no harm.
/// Answers with secrets in them are kept nowhere; whoever makes such a request again is told that it
/// was done.
pub(crate) async fn once(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let wanted = writes && !is_harmless(&request);
    let Some(key) = request.headers().get(KEY).filter(|_| wanted).cloned() else {
        return Ok(next.run(request).await);
    };
    let (mut parts, body) = request.into_parts();
    // Whoever is nobody yet has no keys; what they may is for the path to say.
    let caller = Caller::from_request_parts(&mut parts, &app).await;
    let Ok(caller) = caller else {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let holder = caller.holder();
    // Nobody asks again, who would write down when it was asked before anything else is done.
    parts.extensions.insert(caller);
    let Some(holder) = holder else {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    if parts.headers.get_all(KEY).iter().count() > 1 {
        return Err(Refusal::malformed("idempotency key", "there is more than one"));
    }
    let key = key.to_str().map_err(|_| Refusal::malformed("idempotency key", "it is no text"))?;
    // It is all here, and not more than the path takes.
    let body = axum::body::to_bytes(body, LARGEST).await;
    let body = body.map_err(|error| Refusal::malformed("body", error))?;
    let claim = match app.store.begin_request(&holder, key, &sum(&parts, &body), app.now()).await? {
        Idempotent::GoAhead { claim } => claim,
        Idempotent::Answered { status, body } => return Ok(replayed(status, body)),
        Idempotent::InProgress => return Ok(under_way("this request is under way")),
    };
    let (secret, in_parts) = (secret(&parts), in_parts(&parts));
    let doing = Doing { app: &app, holder: &holder, key, claim: &claim };
    let answering = next.run(Request::from_parts(parts, Body::from(body)));
    if in_parts {
        return doing.answer_in_parts(answering).await;
    }
    doing.answer(secret, answering).await
}

/// A request that is ours to do.
struct Doing<'a> {
    app: &'a App,
    holder: &'a Holder,
    key: &'a str,
    claim: &'a str,
}

impl Doing<'_> {
    async fn answer(
        &self,
        secret: bool,
        answering: impl Future<Output = Response>,
    ) -> Result<Response, Refusal> {
        let Self { app, holder, key, claim } = *self;
        let together = Together::default();
        let times = app.times_forgotten();
        let (parts, body) = together.hold(answering).await.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await;
        let status = parts.status;
        let passing = is_passing(status);
        let Ok(body) = body else {
            drop(together);
            app.store.drop_request(holder, key, claim).await?;
            return Err(Sort::Failed.because("the answer broke off").into());
        };
        let kept = Kept::of(&parts.headers, secret && status.is_success()).with(&body);
        let ours = if status.is_success() && kept.len() <= MOST {
            let answer = (status.as_u16(), &*kept);
            app.store.answer_together(together, holder, key, claim, answer).await?
        } else if status.is_success() {
            together.commit().await?;
            app.store.drop_request(holder, key, claim).await?
        } else {
            // Who is refused has changed nothing.
            drop(together);
            if passing || kept.len() > MOST {
                app.store.drop_request(holder, key, claim).await?
            } else {
                app.store.answer_request(holder, key, claim, status.as_u16(), &kept).await?
            }
        };
        if app.times_forgotten() != times {
            // Somebody may have asked before it was so.
            app.forget_people();
        }
        if !ours && status.is_success() {
            return Ok(under_way("it took so long that it was begun anew"));
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    /// The same, where it takes long and is done part by part: each part happens by itself, so nobody
    /// waits for all of them. Whoever dies in between has done some, and the rest is done when the
    /// request is made again.
    async fn answer_in_parts(
        &self,
        answering: impl Future<Output = Response>,
    ) -> Result<Response, Refusal> {
        let Self { app, holder, key, claim } = *self;
        let mut answering = std::pin::pin!(answering);
        let response = loop {
            tokio::select! {
                response = &mut answering => break response,
                () = tokio::time::sleep(SIGN) => {
                    // Where that fails, somebody may begin the same anew, which does no harm.
                    if let Err(error) = app.store.keep_request(holder, key, claim, app.now()).await {
                        tracing::warn!(%error, "that a request is under way cannot be noted");
                    }
                }
            }
        };
        let (parts, body) = response.into_parts();
        let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else {
            app.store.drop_request(holder, key, claim).await?;
            return Err(Sort::Failed.because("the answer broke off").into());
        };
        if is_passing(parts.status) {
            app.store.drop_request(holder, key, claim).await?;
        } else {
            // Also where the key went with its holder, it is done.
            let kept = Kept::of(&parts.headers, false).with(&body);
            app.store.answer_request(holder, key, claim, parts.status.as_u16(), &kept).await?;
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

/// What may pass, and who may not, is no answer for a day.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        )
}

/// Is it a request for what is deleted part by part?
fn in_parts(parts: &Parts) -> bool {
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let deletes = [
        "/orgs/{org}",
        "/repositories/{repository}",
        "/environments/{environment}",
        "/integrations/{kind}/{name}",
    ];
    match parts.method {
        Method::DELETE => deletes.into_iter().any(|it| route.ends_with(it)),
        Method::POST => route.ends_with("/retention/runs"),
        _ => false,
    }
}

/// All that a request says; but for words that may be a password, for whoever has the sum could try
/// passwords on it.
fn sum(parts: &Parts, body: &[u8]) -> [u8; 32] {
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let body = if route.ends_with("/{secret}") { &[] } else { body };
    let mut sum = Sha256::new();
    for part in [parts.method.as_str(), "\0", &parts.uri.to_string(), "\0"] {
        sum.update(part);
    }
    sum.update(body);
    sum.finalize().into()
}

/// Does it change nothing, or do no harm twice? Then it is answered anew: by what is known by then, as
/// long as it likes, and keeping nobody waiting.
fn is_harmless(request: &Request) -> bool {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let ends = [
        "/tags/looks",
        "/export",
        "/analysis",
        "/comparisons",
        "/where",
        "/tests",
        "/trials",
        "/me/password",
    ];
    // What is said there may be secret too, and to say it twice is to say it once.
    if route.ends_with("/integrations/{kind}/{name}") && *request.method() == Method::PUT {
        return true;
    }
    ends.into_iter().any(|it| route.ends_with(it))
}

/// Is the answer one that holds a secret?
fn secret(parts: &Parts) -> bool {
    let route = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let makes = |route: &str| {
        let ends = ["/tokens", "/rotations", "/invitations", "/sessions"];
        ends.into_iter().any(|it| route.ends_with(it))
    };
    parts.method == Method::POST && route.is_none_or(makes)
}

fn under_way(why: &str) -> Response {
    let problem = Sort::Conflict.because(format!("idempotency key: {why}"));
    let problem = problem.with_hint("ask again in a moment");
    let mut response = Refusal::from(problem).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(1));
    response
}

/// What is kept of an answer beside its body.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// The body held a secret, and is not kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    secret: bool,
    /// `Content-Type` and `Content-Disposition`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disposition: Option<String>,
}

/// What begins what is kept; neither JSON nor what is compressed does.
const MARK: u8 = 1;

impl Kept {
    fn of(headers: &HeaderMap, secret: bool) -> Self {
        let text = |name: HeaderName| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let (kind, disposition) = (text(header::CONTENT_TYPE), text(header::CONTENT_DISPOSITION));
        Self { secret, kind, disposition }
    }

    /// In a line before the body.
    fn with(&self, body: &[u8]) -> Vec<u8> {
        let mut kept = vec![MARK];
        kept.extend(serde_json::to_vec(self).unwrap_or_default());
        kept.push(b'\n');
        if !self.secret {
            kept.extend_from_slice(body);
        }
        kept
    }

    /// The same again. What was kept before there was such a line is JSON alone.
    fn read(kept: Vec<u8>) -> (Self, Bytes) {
        let whole = Bytes::from(kept);
        let line = whole.strip_prefix(&[MARK]).and_then(|it| it.split(|it| *it == b'\n').next());
        match line.and_then(|it| Some((serde_json::from_slice(it).ok()?, it.len()))) {
            Some((kept, length)) => (kept, whole.slice((length + 2).min(whole.len())..)),
            None => (Self { kind: Some("application/json".to_owned()), ..Self::default() }, whole),
        }
    }
}

/// The answer of an earlier request.
fn replayed(status: u16, kept: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let (kept, body) = Kept::read(kept);
    let mut response = if kept.secret {
        let problem = Sort::Conflict.because(
            "idempotency key: this was done, and the secret it was answered with is kept nowhere",
        );
        let hint = "revoke what was made, and make another under another key";
        Refusal::from(problem.with_hint(hint)).into_response()
    } else {
        let mut response = (status, Body::from(body)).into_response();
        let told =
            [(header::CONTENT_TYPE, kept.kind), (header::CONTENT_DISPOSITION, kept.disposition)];
        for (name, value) in told {
            if let Some(value) = value.and_then(|it| HeaderValue::from_str(&it).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    };
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
