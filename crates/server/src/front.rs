//! What every request passes on its way in, and every answer on its way out.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{PROBLEM, Problem, Sort};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::Access;
use crate::app::App;
use crate::body::Room;
use crate::identity::{self, masked, network};
use crate::peer::Network;
use crate::rate::{Good, Rate, Shown};
use crate::refusal::Refusal;
use crate::{health, pages, peer, routes, tagged, visiting};

/// What the paths of webhooks begin with.
const HOOKS: &str = "/hooks/";
/// Parts of paths that we do not know are told up to here.
const LONG_NAME: usize = 20;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is taken from whom.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests a second of each caller; none is as many as they like.
    pub rate: Option<u32>,
    /// Requests answered at once; those beyond wait a moment.
    pub at_once: usize,
    /// Bytes of what was sent that are worked on at once; those beyond are told to come again.
    pub bytes: usize,
    /// How long an answer may take.
    pub patience: Duration,
    /// Whose word about where a request comes from is taken.
    pub proxies: Vec<Network>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rate: Some(100),
            at_once: 512,
            bytes: 128 << 20,
            patience: Duration::from_mins(2),
            proxies: Vec::new(),
        }
    }
}

struct Gate {
    app: App,
    rate: Option<Rate>,
    /// Proofs that were good a moment ago.
    good: Good,
    /// Callers are told apart by their proof, of which nothing is kept but this hash.
    hasher: RandomState,
    room: Arc<Room>,
    proxies: Vec<Network>,
}

/// The router as it stands behind a socket.
pub fn front(app: App, limits: Limits) -> Router {
    let gate = Arc::new(Gate {
        app: app.clone(),
        rate: limits.rate.map(Rate::new),
        good: Good::default(),
        hasher: RandomState::new(),
        room: Arc::new(Room::new(limits.at_once, limits.bytes, limits.patience)),
        proxies: limits.proxies,
    });
    let api = routes::router(app.clone());
    let api = api
        .clone()
        .merge(pages::pages(app.clone(), api))
        .merge(visiting::paths(&app).with_state(app.clone()))
        .layer(middleware::from_fn(tagged::answers))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(gate, pass));
    health::paths()
        .with_state(app)
        .merge(api)
        .layer(CompressionLayer::new())
        .layer(middleware::map_response(dressed))
}

/// Lets a request in when there is room, and tells of it when it is answered.
async fn pass(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    peer::tell(&mut request, &gate.proxies);
    request.extensions_mut().insert(Arc::clone(&gate.room));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|it| it.as_str().to_owned());
    let path = told(route.as_deref(), request.uri().path());
    let id = said_id(&request).unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let counting = gate.app.metrics.begun();
    let response = admitted(&gate, request, next).await;
    let mut response = named(response, &id).await;
    let status = response.status();
    let took = began.elapsed();
    drop(counting);
    let route = route.unwrap_or_else(|| "none".to_owned());
    gate.app.metrics.request(method.as_str(), &route, status.as_u16(), took);
    let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if status.is_server_error() {
        tracing::error!(%method, path, status = status.as_u16(), took, request = id, "answered");
    } else {
        tracing::info!(%method, path, status = status.as_u16(), took, request = id, "answered");
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// What the log is told of a path: no secret that is in it, or that somebody meant to write into one.
fn told(route: Option<&str>, path: &str) -> String {
    match route {
        Some(route) if route.contains("{secret}") => route.to_owned(),
        Some(_) => masked(path),
        // Nobody knows what it was to be.
        None => {
            let cut = |part: &str| match part.char_indices().nth(LONG_NAME) {
                Some((at, _)) => format!("{}…", part.get(..at).unwrap_or_default()),
                None => part.to_owned(),
            };
            masked(path).split('/').map(cut).collect::<Vec<_>>().join("/")
        }
    }
}

async fn admitted(gate: &Gate, mut request: Request, next: Next) -> Response {
    let Some(rate) = &gate.rate else { return next.run(request).await };
    let path = request.uri().path();
    // Parties prove themselves by the address, and send as often as something happens there.
    let is_hook = path.starts_with(HOOKS);
    let proof = if is_hook { Some(gate.hasher.hash_one(path)) } else { proof(gate, &request) };
    let good = proof.filter(|it| gate.good.has(*it, Instant::now()));
    if is_hook && good.is_some() {
        return next.run(request).await;
    }
    // Who shows what nobody has looked at yet is whoever asks from there: proofs are made up for nothing.
    let bucket =
        good.unwrap_or_else(|| gate.hasher.hash_one(peer::of(request.extensions()).map(network)));
    if let Err(wait) = rate.take(bucket, Instant::now()) {
        let seconds = wait.as_secs() + 1;
        let why = "you ask more often than is taken here";
        let hint = format!("wait {seconds} s; --rate-limit says how often the server takes it");
        let mut response =
            Refusal::from(Sort::TooMany.because(why).with_hint(hint)).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return response;
    }
    let shown = Shown::default();
    request.extensions_mut().insert(shown.clone());
    let response = next.run(request).await;
    if let Some(proof) = proof.filter(|_| shown.is_good()) {
        gate.good.put(proof, Instant::now());
    }
    response
}

/// The secret that somebody shows as a proof of who they are, however it is written; none is nothing.
fn proof(gate: &Gate, request: &Request) -> Option<u64> {
    let Access::People(people) = &gate.app.access else { return None };
    let shown = identity::shown(people, request.method(), request.headers());
    shown.ok().flatten().map(|it| gate.hasher.hash_one(it.secret.expose()))
}

/// What whoever asks, or whoever stands before us, calls the request.
fn said_id(request: &Request) -> Option<String> {
    let said = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let sane = !said.is_empty()
        && said.len() <= 100
        && said.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.:".contains(&it));
    sane.then(|| said.to_owned())
}

/// A problem says which request it was.
async fn named(response: Response, id: &str) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_none_or(|it| it != PROBLEM) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, 1 << 20).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let body = match serde_json::from_slice::<Problem>(&bytes) {
        Ok(mut problem) => {
            problem.request = Some(id.to_owned());
            serde_json::to_vec(&problem).unwrap_or_default()
        }
        Err(_) => bytes.to_vec(),
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

/// What we do not want browsers to do with our answers.
async fn dressed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::X_FRAME_OPTIONS, "DENY");
    put(header::REFERRER_POLICY, "no-referrer");
    put(header::CACHE_CONTROL, "no-store");
    put(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    response
}

/// A fault of ours takes down this answer, and nothing else.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    let problem = Sort::Failed.because("the server failed over this request");
    let problem = problem.with_hint("please report it, with what the log says");
    let mut response = Refusal::from(problem).into_response();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_told_to_the_log() {
        let secret = format!("fti_{}", "0aZ".repeat(17));
        let check = |route: Option<&str>, path: &str, expect: &str| {
            assert_eq!(told(route, path), expect, "{path}");
        };
        check(Some("/first/{secret}"), &format!("/first/{secret}"), "/first/{secret}");
        check(None, &format!("/first/{secret}/"), "/first/fti_…/");
        check(None, &format!("//first/{secret}"), "//first/fti_…");
        check(None, &format!("/a{secret}b/ftr_{secret}"), "/afti_…/ftr_…");
        check(None, &format!("/first/%66{}", &secret[1..]), "/first/%66ti_0aZ0aZ0aZ0aZ0a…");
        let path = format!("/api/v1/orgs/acme/tokens/{}", secret.replace("fti", "fto"));
        check(Some("/api/v1/orgs/{org}/tokens/{token}"), &path, "/api/v1/orgs/acme/tokens/fto_…");
        check(Some("/api/v1/orgs/{org}"), "/api/v1/orgs/ftx_y", "/api/v1/orgs/ftx_y");
    }
}
