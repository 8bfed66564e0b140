//! Whether the server lives, whether it can answer, and what it has counted.

use api::Sort;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::app::App;
use crate::refusal::Refusal;

pub(crate) fn paths() -> Router<App> {
    Router::new()
        .route("/healthz", get(lives))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// It lives, whatever the database does.
async fn lives() -> &'static str {
    "ok\n"
}

/// It can answer: the database does, and the end has not come.
async fn ready(State(app): State<App>) -> Result<&'static str, Refusal> {
    if *app.ending().borrow() {
        return Err(Sort::Unavailable.because("the server is ending").into());
    }
    app.store.organisations().await?;
    app.world.lookout(app.now())?;
    Ok("ready\n")
}

async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    // Scrapes are few; a broken almanac has ages of nothing.
    if let Ok(lookout) = app.world.lookout(app.now()) {
        app.metrics.feeds(&lookout.feeds());
    }
    ([(header::CONTENT_TYPE, kind)], app.metrics.told())
}
