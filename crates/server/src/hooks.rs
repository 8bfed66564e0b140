//! Webhooks: a party's request is read, kept, and answered at once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use integration::{Answer, Delivery, Heard, Integration, Received, Secrets, Sender, receive};

use crate::app::Clock;
use crate::body::{self, Come, Room};

/// Who keeps what was heard, so that nothing of it is lost, whatever becomes of us.
#[async_trait]
pub trait Keeper: Send + Sync {
    /// Keeps it. Only then the sender hears that it was taken.
    async fn keep(&self, heard: Heard, sender: Sender) -> Result<(), String>;
}

/// A place where the webhooks of one party come in.
pub struct Ear {
    /// The party.
    pub party: Arc<dyn Integration>,
    /// What it proves itself with.
    pub secrets: Secrets,
    /// What time it is.
    pub clock: Clock,
    /// Who keeps what it says.
    pub keeper: Arc<dyn Keeper>,
}

/// Whoever sends often is told to come again after so long.
const SOON: Duration = Duration::from_secs(10);
/// Webhooks that are dealt with at once, bytes of those that come in, and how long each may take.
const AT_ONCE: usize = 64;
const BYTES: usize = 128 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

/// A router at which one party's webhooks come in, on whatever path.
pub fn ear(ear: Ear) -> Router {
    let room = Arc::new(Room::new(AT_ONCE, BYTES, PATIENCE));
    Router::new().fallback(one).with_state(Arc::new(ear)).layer(Extension(room))
}

async fn one(State(ear): State<Arc<Ear>>, request: Request) -> Response {
    let Some(inbox) = ear.party.inbox() else { return StatusCode::NOT_FOUND.into_response() };
    let (parts, sent) = request.into_parts();
    let come = match taken(&parts, sent, inbox.limit()).await {
        Ok(come) => come,
        Err(response) => return *response,
    };
    match received(&ear.party, &parts, &come.bytes, &ear.secrets, (ear.clock)()).await {
        Ok((heard, sender)) => match ear.keeper.keep(heard, sender).await {
            Ok(()) => StatusCode::OK.into_response(),
            Err(why) => later(&why),
        },
        Err(response) => *response,
    }
}

/// The body, as it came. What is compressed nobody reads.
pub(crate) async fn taken(
    parts: &Parts,
    sent: Body,
    limit: usize,
) -> Result<Come<'_>, Box<Response>> {
    let encoded = parts.headers.get(header::CONTENT_ENCODING);
    if encoded.is_some_and(|it| !it.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let why = "send it as it is, without Content-Encoding\n";
        return Err(Box::new((StatusCode::UNSUPPORTED_MEDIA_TYPE, why).into_response()));
    }
    let come = body::come(parts, sent, limit).await;
    come.map_err(|refusal| Box::new(refusal.into_response()))
}

/// What a request says, or what it is to be answered at once. What is long is read on the side.
pub(crate) async fn received(
    party: &Arc<dyn Integration>,
    parts: &Parts,
    sent: &Bytes,
    secrets: &Secrets,
    now: model::Moment,
) -> Result<(Heard, Sender), Box<Response>> {
    if !body::is_lengthy(sent) {
        return read(party.as_ref(), parts, sent, secrets, now);
    }
    let (party, parts, sent) = (Arc::clone(party), parts.clone(), sent.clone());
    let secrets = secrets.clone();
    let reading = move || read(party.as_ref(), &parts, &sent, &secrets, now);
    let done = body::on_the_side(reading).await;
    done.unwrap_or_else(|refusal| Err(Box::new(refusal.into_response())))
}

fn read(
    party: &dyn Integration,
    parts: &Parts,
    sent: &[u8],
    secrets: &Secrets,
    now: model::Moment,
) -> Result<(Heard, Sender), Box<Response>> {
    let Some(inbox) = party.inbox() else {
        return Err(Box::new(StatusCode::NOT_FOUND.into_response()));
    };
    let delivery = Delivery {
        method: &parts.method,
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: sent,
    };
    match receive(inbox, &delivery, secrets, now) {
        Received::Heard { heard, sender } => Ok((heard, sender)),
        Received::Handshake(answer) => Err(Box::new(shaken(&answer))),
        Received::Refused(why) => {
            let status =
                StatusCode::from_u16(why.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Err(Box::new((status, format!("{why}\n")).into_response()))
        }
    }
}

/// The answer to somebody who asked whether we are here.
fn shaken(answer: &Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    for (name, value) in &answer.headers {
        let name = HeaderName::from_static(name);
        // What they said themselves may be no header.
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// It is our fault, and it will pass: every sender tries again.
pub(crate) fn later(why: &str) -> Response {
    let mut response =
        (StatusCode::SERVICE_UNAVAILABLE, format!("not taken yet: {why}\n")).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(SOON.as_secs()));
    response
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use futures_util::stream;
    use tower::ServiceExt as _;

    use super::*;

    struct Everything;

    #[async_trait]
    impl Keeper for Everything {
        async fn keep(&self, _: Heard, _: Sender) -> Result<(), String> {
            Ok(())
        }
    }

    fn request(body: Body) -> Request {
        let kind = "application/vnd.docker.distribution.events.v2+json";
        let request = Request::builder().method(Method::POST).uri("/");
        let request = request.header("content-type", kind).header("authorization", "secret");
        request.body(body).unwrap()
    }

    /// Whoever sends slowly is waited for beside those who are dealt with.
    #[tokio::test]
    async fn who_sends_slowly_keeps_nobody_from_being_heard() {
        // Two providers are linked, so somebody has to say which.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let kind = integration::find("distribution").unwrap();
        let settings = [("registry".to_owned(), "registry.example".to_owned())];
        let settings = kind.settle(&settings, &|_| None).unwrap();
        let ways =
            integration::Ways { settings: Arc::default(), progress: Arc::new(image::Silent) };
        let ear = ear(Ear {
            party: (kind.connect)(&settings, &ways).unwrap().into(),
            secrets: Secrets::new(Some(model::Secret::new("secret")), None),
            clock: Arc::new(|| model::Moment::from_micros(0)),
            keeper: Arc::new(Everything),
        });
        let mut slow = Vec::new();
        for _ in 0..AT_ONCE * 2 {
            let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
            let mut answer = Box::pin(ear.clone().oneshot(request(never)));
            let soon = tokio::time::timeout(Duration::from_millis(1), &mut answer).await;
            assert!(soon.is_err(), "it waits for what is sent");
            slow.push(answer);
        }
        let answer = ear.oneshot(request(Body::from(r#"{"events":[]}"#))).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
}
