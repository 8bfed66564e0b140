//! Who may ask a server, and what: told over HTTP.

mod clock;
mod docker;
mod doors;
mod entry;
mod kept;
mod life;
mod once;
mod rights;
mod strangers;
mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, header};
use engine::Engine;
use model::Moment;
use serde_json::{Value as Json, json};
use store::Store;
use tower::ServiceExt as _;

use crate::{Access, App, People, Reach, World, first_start, router};

pub(super) const PASSWORD: &str = "a green horse";

/// A server, and a clock that stands still until it is turned.
#[derive(Clone)]
struct House {
    app: App,
    router: Router,
    clock: Arc<AtomicI64>,
}

/// What came back.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or(Json::Null)
    }

    fn text(&self, key: &str) -> String {
        self.json()[key].as_str().unwrap_or_default().to_owned()
    }

    /// `403 only an owner …`, for people to read.
    fn told(&self) -> String {
        format!("{} {}", self.status, self.text("detail")).trim_end().to_owned()
    }
}

impl House {
    async fn new() -> Self {
        let start = "2026-11-21T10:00:00Z".parse::<Moment>().unwrap().micros();
        let store = Store::open("sqlite::memory:").await.unwrap();
        Self::on(store, Arc::new(AtomicI64::new(start)), true)
    }

    /// Another process on the same database.
    fn beside(&self) -> Self {
        Self::on(self.app.store().clone(), Arc::clone(&self.clock), true)
    }

    /// The same, which asks registries.
    fn online(&self) -> Self {
        Self::on(self.app.store().clone(), Arc::clone(&self.clock), false)
    }

    fn on(store: Store, clock: Arc<AtomicI64>, offline: bool) -> Self {
        let reach = Reach {
            engine: Engine::default(),
            settings: Arc::new(image::Settings::default()),
            jobs: false,
            offline,
        };
        let access = Access::People(People::new(false));
        let ticking = Arc::clone(&clock);
        let now = Arc::new(move || Moment::from_micros(ticking.load(Ordering::SeqCst)));
        let app = App::new(store, World::new(None), access, reach, now);
        Self { router: router(app.clone()), app, clock }
    }

    fn wait(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Asks with a token, or without one where it is empty.
    async fn ask(&self, line: &str, token: &str, body: Json) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder()
            .method(method.parse::<Method>().unwrap())
            .uri(format!("/api/v1{path}"));
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        };
        self.send(request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.ask(&format!("GET {path}"), token, Json::Null).await
    }

    /// Makes the first owner, ann, of `acme`, and logs her in.
    async fn settled(&self) -> String {
        let link = first_start(&self.app, "http://x", "acme").await.unwrap().unwrap();
        self.join(link.rsplit('/').next().unwrap(), "ann").await;
        self.log_in("ann").await
    }

    async fn join(&self, secret: &str, name: &str) {
        let body = json!({ "name": name, "password": PASSWORD });
        let joined = self.ask(&format!("POST /invitations/{secret}"), "", body).await;
        assert_eq!(joined.status, 200, "{}", joined.told());
    }

    async fn log_in(&self, name: &str) -> String {
        let body = json!({ "name": name, "password": PASSWORD });
        let answer = self.ask("POST /sessions", "", body).await;
        assert_eq!(answer.status, 201, "{}", answer.told());
        answer.text("token")
    }

    async fn invitation(&self, owner: &str, organisation: &str, role: &str) -> String {
        let line = format!("POST /orgs/{organisation}/invitations");
        let made = self.ask(&line, owner, json!({ "role": role })).await;
        assert_eq!(made.status, 201, "{}", made.told());
        made.text("secret")
    }

    /// Somebody new, whom `owner` invited, logged in.
    async fn somebody(&self, owner: &str, name: &str, organisation: &str, role: &str) -> String {
        let secret = self.invitation(owner, organisation, role).await;
        self.join(&secret, name).await;
        self.log_in(name).await
    }

    /// A token: its id and its secret.
    async fn token(&self, holder: &str, of: &str, scope: &str) -> (String, String) {
        let body = json!({ "name": "a test", "scope": scope });
        let made = self.ask(&format!("POST {holder}/tokens"), of, body).await;
        assert_eq!(made.status, 201, "{}", made.told());
        (made.json()["token"]["id"].as_str().unwrap().to_owned(), made.text("secret"))
    }
}
