//! Opens pages: who looks is found out, the page is made, and what browsers may do with it is said.

use std::sync::Arc;
use std::time::Duration;

use api::{Carrier, Client, Sort};
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawPathParams, Request, State};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, header};

use crate::carry::{InName, is_ours};
use crate::contract::{Door, Found, Page};
use crate::layout::Layout;
use crate::refused::{Refused, answer, log_in};
use crate::visit::{Form, Visit};
use crate::{ALL, assets};

/// Bytes of the longest form; and of one in which Rego is written.
const LONGEST: usize = 64 << 10;
const LONG: usize = 256 << 10;
/// How long one may take to come.
const PATIENCE: Duration = Duration::from_secs(15);
/// Nothing is drawn, run or sent but by us.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

type Behind = Arc<dyn Door>;

/// Every page, over the API that is behind that door.
pub fn router(door: Arc<dyn Door>) -> Router {
    let mut router: Router<Behind> = Router::new();
    for page in ALL.iter().copied() {
        let look = move |State(door): State<Behind>, request: Request| open(page, door, request);
        let mut ways = get(look);
        if page.take.is_some() {
            ways = ways.post(look);
        }
        router = router.route(page.path, ways);
    }
    router
        .route("/o/{org}/{*rest}", get(nowhere))
        .route("/assets/{name}", get(async |request: Request| assets::answer(request.uri().path())))
        .with_state(door)
        .layer(map_response(dressed))
}

/// Opens a page.
async fn open(page: &'static Page, door: Behind, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let notice = door.notice();
    let mut layout = Layout { title: page.title.to_owned(), notice, ..Layout::default() };
    let next = back(&parts);
    match opened(page, &*door, &mut parts, body, &mut layout).await {
        Ok(response) => response,
        Err(refused) => answer(&refused, &layout, &next),
    }
}

async fn opened(
    page: &'static Page,
    door: &dyn Door,
    parts: &mut Parts,
    body: Body,
    layout: &mut Layout,
) -> Result<Response, Refused> {
    let names = names(parts).await?;
    let query = parts.uri.query().unwrap_or_default();
    let query: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|error| Sort::Malformed.because(format!("query: {error}")))?;
    let sends = parts.method == Method::POST;
    if sends && !is_ours(&parts.headers) {
        return Err(Sort::Forbidden.because("request: another site's page makes it").into());
    }
    let carrier: Arc<dyn Carrier> =
        Arc::new(InName::of(door.open(parts), &parts.method, &parts.headers));
    let client = Client::new(Arc::clone(&carrier), Some("dashboard".to_owned()));
    let me = match client.me().await {
        Ok(me) => Some(me),
        Err(_) if page.found == Found::ByAll => None,
        Err(error) => return Err(error.into()),
    };
    let organisation = names.iter().find(|(name, _)| name == "org").map(|(_, it)| it.clone());
    *layout = Layout::of(page, me.as_ref(), organisation.as_deref()).noticing(layout.notice);
    if let Some(name) = organisation.filter(|_| layout.organisation.is_none()) {
        // Of what is not theirs they hear what they would if it were not there.
        return Err(Refused::nowhere("organization", &name));
    }
    let path = parts.uri.path().to_owned();
    let (now, notice) = (door.now(), layout.notice);
    let visit = Visit { client, carrier, now, me, page, names, query, path, notice };
    match page.take.filter(|_| sends) {
        Some(take) => take(visit, form(page, parts, body).await?).await,
        None => (page.show)(visit).await,
    }
}

/// What stands in the path.
async fn names(parts: &mut Parts) -> Result<Vec<(String, String)>, Refused> {
    let params = RawPathParams::from_request_parts(parts, &()).await;
    let params = params.map_err(|error| Sort::Malformed.because(format!("path: {error}")))?;
    Ok(params.iter().map(|(name, it)| (name.to_owned(), it.to_owned())).collect())
}

async fn form(page: &Page, parts: &Parts, body: Body) -> Result<Form, Refused> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    if !kind.is_some_and(|it| it.starts_with("application/x-www-form-urlencoded")) {
        return Err(Sort::UnsupportedMediaType
            .because("form: it is none that a page sends")
            .into());
    }
    let longest = if page.id == "policy_set" { LONG } else { LONGEST };
    let bytes = tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, longest)).await;
    let Ok(Ok(bytes)) = bytes else {
        let why = format!("form: it is longer than {} KiB, or does not come", longest >> 10);
        return Err(Sort::TooLarge.because(why).into());
    };
    let fields = serde_urlencoded::from_bytes(&bytes);
    fields.map(Form).map_err(|error| Sort::Malformed.because(format!("form: {error}")).into())
}

/// Where whoever logs in first goes on.
fn back(parts: &Parts) -> String {
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    path.to_owned()
}

/// A path that no page has.
async fn nowhere(State(door): State<Behind>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let next = back(&parts);
    let mut layout = Layout::default().noticing(door.notice());
    // Who may not even see the overview hears what they would there.
    let refused = match ALL.iter().copied().find(|it| it.path == "/o/{org}") {
        Some(page) => opened(page, &*door, &mut parts, Body::empty(), &mut layout).await.err(),
        None => None,
    };
    if matches!(refused, Some(Refused::LogIn)) {
        return log_in(&next);
    }
    let refused = refused.unwrap_or_else(|| Refused::nowhere("page", parts.uri.path()));
    layout.id = "";
    answer(&refused, &layout, &next)
}

/// What browsers may do with a page.
async fn dressed(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    put(header::CACHE_CONTROL, "private, no-store");
    put(header::CONTENT_SECURITY_POLICY, POLICY);
    // (With `no-referrer`, browsers would not say where a form is from.)
    put(header::REFERRER_POLICY, "same-origin");
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::X_FRAME_OPTIONS, "DENY");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    response
}
