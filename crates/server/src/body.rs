//! What comes in with a request, and what goes out: JSON, paths and questions, whose faults are
//! problems like all others.

mod room;

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::Sort;
use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, OptionalFromRequest, Request};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::SemaphorePermit;

use self::room::{Held, Pace};
use crate::caller::Caller;
use crate::rations::Whose;
use crate::refusal::Refusal;

pub(crate) use self::room::Room;

/// Bytes of the largest inventory.
pub(crate) const LARGEST: usize = 128 << 20;
/// Bytes of the largest list of what runs, and of statements.
const LONG: usize = 16 << 20;
/// Bytes of the largest set of policies, as it is written.
const POLICIES: usize = 6 << 20;
/// Bytes of the largest of all other documents.
const SHORT: usize = 16 << 10;
/// Bytes of the largest list of what a tag leads to.
const LISTED: usize = 32 << 10;
/// Bytes of the largest list of layers.
const LAYERED: usize = 128 << 10;
/// A document that is longer is read on the side.
const LENGTHY: u64 = 256 << 10;
/// For how long what nobody keeps may still come.
const PASSING: Duration = Duration::from_secs(15);

/// Takes in what is sent, as much as the path takes and there is room for, before anybody works on
/// it: whoever sends it slowly does not hold a place among those who are answered.
pub(crate) async fn taken(request: Request, next: Next) -> Result<Response, Refusal> {
    let room = request.extensions().get::<Arc<Room>>().cloned();
    let (parts, body) = request.into_parts();
    let (mut held, mut waited) = (None, false);
    let body = if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        // What comes along with a question is read by nobody.
        Body::empty()
    } else {
        let encoded = parts.headers.get(header::CONTENT_ENCODING);
        if encoded.is_some_and(|it| !it.as_bytes().eq_ignore_ascii_case(b"identity")) {
            let problem = Sort::UnsupportedMediaType.because("body: it is compressed");
            return Err(problem.with_hint("send it as it is, without Content-Encoding").into());
        }
        let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let most = most(route);
        held = room.as_ref().map(|it| it.begin(most, Whose::of(&parts.extensions)));
        let bytes = read(body, most, &mut held).await?;
        waited = true;
        // Values would be taken for fields by their order, which is described nowhere.
        if bytes.iter().find(|it| !it.is_ascii_whitespace()) == Some(&b'[') {
            return Err(Sort::Refused.because("body: it is a list, and an object is taken").into());
        }
        bytes.into()
    };
    let mut request = Request::from_parts(parts, body);
    let answer = async {
        let _place = match &room {
            None => None,
            Some(room) => Some(if let Ok(place) = room.places.try_acquire() {
                place
            } else {
                waited = true;
                let place = room.places.acquire().await;
                place.map_err(|_| Sort::Unavailable.because("the server is ending"))?
            }),
        };
        if waited {
            // What they might when they came they may not any more: whoever answers asks again.
            request.extensions_mut().remove::<Caller>();
        }
        Ok(next.run(request).await)
    };
    let Some(room) = &room else { return answer.await };
    let answer = tokio::time::timeout(room.patience, answer).await;
    drop(held);
    answer.map_err(|_| late(room.patience))?
}

/// Bytes of the largest document that a path takes.
fn most(route: &str) -> usize {
    let is = |end: &str| route.ends_with(end);
    if is("/images/{digest}") || is("/orgs/{org}/analysis") {
        LARGEST
    } else if [
        "/deployments",
        "/runtimes/{runtime}",
        "/analysis",
        "/comparisons",
        "/export",
        "/where",
    ]
    .into_iter()
    .any(is)
    {
        LONG
    } else if is("/policies") || is("/policies/trials") {
        POLICIES
    } else if is("/tags") {
        LISTED
    } else if is("/bases") || is("/layers") {
        LAYERED
    } else {
        SHORT
    }
}

/// What came in, and the room and the place that it has until it is dealt with.
pub(crate) struct Come<'a> {
    pub(crate) bytes: Bytes,
    _held: Option<Held<'a>>,
    _place: Option<SemaphorePermit<'a>>,
}

/// What comes in of a document, as much as is taken and there is room for, where no middleware takes
/// it in.
pub(crate) async fn come(parts: &Parts, body: Body, most: usize) -> Result<Come<'_>, Refusal> {
    let room = parts.extensions.get::<Arc<Room>>();
    let mut held = room.map(|it| it.begin(most, Whose::of(&parts.extensions)));
    let bytes = read(body, most, &mut held).await?;
    let place = match room {
        None => None,
        Some(room) => {
            let place = tokio::time::timeout(room.patience, room.places.acquire()).await;
            let place = place.map_err(|_| late(room.patience))?;
            Some(place.map_err(|_| Sort::Unavailable.because("the server is ending"))?)
        }
    };
    Ok(Come { bytes, _held: held, _place: place })
}

/// An answer, if it does not take longer than anybody waits for one.
pub(crate) async fn in_time<T>(
    parts: &Parts,
    answer: impl Future<Output = T>,
) -> Result<T, Refusal> {
    let Some(room) = parts.extensions.get::<Arc<Room>>() else { return Ok(answer.await) };
    let answer = tokio::time::timeout(room.patience, answer).await;
    answer.map_err(|_| late(room.patience))
}

fn late(patience: Duration) -> Refusal {
    let why = format!("it takes longer than {} s", patience.as_secs());
    Sort::Unavailable.because(why).into()
}

/// Is so much better read on the side?
pub(crate) fn is_lengthy(bytes: &Bytes) -> bool {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX) >= LENGTHY
}

async fn read(body: Body, most: usize, held: &mut Option<Held<'_>>) -> Result<Bytes, Refusal> {
    let too_large = || {
        let why =
            format!("body: it is longer than {} KiB, the most that is taken here", most >> 10);
        Refusal::from(Sort::TooLarge.because(why))
    };
    let said = body.size_hint();
    if usize::try_from(said.lower()).map_or(true, |it| it > most) {
        return Err(too_large());
    }
    if let (Some(room), Some(length)) = (&mut *held, said.exact()) {
        room.have_ration(usize::try_from(length).unwrap_or(usize::MAX)).await?;
    }
    let mut pace = Pace::new(Instant::now());
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    loop {
        let now = Instant::now();
        let left = held.as_ref().and_then(|it| it.left(now));
        let left = left.map_or(pace.left(now), |it| it.min(pace.left(now)));
        let part = tokio::time::timeout(left, stream.next()).await;
        let part = part.map_err(|_| Refusal::malformed("body", "it does not come, or slowly"))?;
        let Some(part) = part else { return Ok(bytes.into()) };
        let part = part.map_err(|error| Refusal::malformed("body", innermost(&error)))?;
        let length = bytes.len().saturating_add(part.len());
        if length > most {
            return Err(too_large());
        }
        let came = Instant::now();
        pace.came(part.len(), came);
        if let Some(room) = held {
            if let Err(refusal) = room.grow(length).await {
                drop((held.take(), std::mem::take(&mut bytes)));
                pass_over(stream, most).await;
                return Err(refusal);
            }
            pace.waited(came.elapsed());
        }
        bytes.extend_from_slice(&part);
    }
}

/// Lets the rest come, and keeps none of it: whoever still sends does not hear why they are refused.
async fn pass_over(mut stream: BodyDataStream, most: usize) {
    let passing = async {
        let mut left = most;
        while let Some(Ok(part)) = stream.next().await {
            left = left.saturating_sub(part.len());
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(PASSING, passing).await;
}

/// A document.
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let json = if request.body().size_hint().lower() < LENGTHY {
            <axum::Json<T> as FromRequest<S>>::from_request(request, state).await
        } else {
            let handle = tokio::runtime::Handle::current();
            on_the_side(move || {
                handle.block_on(<axum::Json<T> as FromRequest<()>>::from_request(request, &()))
            })
            .await?
        };
        json.map(|axum::Json(it)| Self(it)).map_err(|rejection| {
            let sort = match &rejection {
                JsonRejection::MissingJsonContentType(_) => Sort::UnsupportedMediaType,
                JsonRejection::JsonDataError(_) => Sort::Refused,
                _ => Sort::Malformed,
            };
            sort.because(format!("body: {}", innermost(&rejection))).into()
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> OptionalFromRequest<S> for Json<T> {
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

/// What may be long, written down on the side.
pub(crate) async fn long<T: Serialize + Send + 'static>(it: T) -> Result<Response, Refusal> {
    on_the_side(move || axum::Json(it).into_response()).await
}

/// Does what takes a while without keeping others waiting who ask.
pub(crate) async fn on_the_side<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Sort::Failed.because("the server failed over this request").into())
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
