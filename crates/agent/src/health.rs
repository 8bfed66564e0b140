//! Whether all is well, for whoever asks over HTTP: `/healthz` for those who would start us anew,
//! `/readyz` for those who want to know whether the server hears of us.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

/// Whoever did nothing at all for that long is stuck.
const STUCK: Duration = Duration::from_mins(10);

/// What is known of how well we are.
#[derive(Clone)]
pub struct Health(Arc<Mutex<Known>>);

struct Known {
    alive: Instant,
    /// Why the server hears nothing of us now.
    why: Option<String>,
}

impl Default for Health {
    fn default() -> Self {
        let why = Some("nothing was told yet".to_owned());
        Self(Arc::new(Mutex::new(Known { alive: Instant::now(), why })))
    }
}

impl Health {
    pub(crate) fn is_alive(&self) {
        self.with(|it| it.alive = Instant::now());
    }

    pub(crate) fn is_well(&self) {
        self.with(|it| it.why = None);
    }

    pub(crate) fn is_not_well(&self, why: String) {
        self.with(|it| it.why = Some(why));
    }

    /// Why the server hears nothing of us now.
    pub fn trouble(&self) -> Option<String> {
        self.with(|it| it.why.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Known) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// When something was done last: looked, told or waited, as far as that is as it should be.
    pub fn last_alive(&self) -> Instant {
        self.with(|it| it.alive)
    }

    /// Answers whoever asks, for as long as it is polled.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let router = Router::new()
            .route("/healthz", get(healthy))
            .route("/readyz", get(ready))
            .with_state(self);
        axum::serve(listener, router).await
    }
}

async fn healthy(State(health): State<Health>) -> (StatusCode, &'static str) {
    if health.with(|it| it.alive.elapsed()) < STUCK {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "stuck\n")
    }
}

async fn ready(State(health): State<Health>) -> (StatusCode, String) {
    match health.trouble() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}
