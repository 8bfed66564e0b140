//! Jobs that are done for one organisation, as soon as something changed there, or for all in turn.

use model::OrganisationId;
use serde_json::json;
use store::NewJob;

use crate::app::App;

/// The organisation that a job is for; without one, all.
pub(super) async fn of(
    app: &App,
    payload: &serde_json::Value,
) -> Result<Vec<OrganisationId>, String> {
    if let Some(it) = payload["organisation"].as_str() {
        return Ok(vec![OrganisationId(it.to_owned())]);
    }
    let all = app.store.organisations().await.map_err(|error| error.to_string())?;
    Ok(all.into_iter().map(|it| it.id).collect())
}

/// Has a job of that kind done for each of these, in so many seconds: what is asked for meanwhile is done
/// with it.
pub(super) async fn soon(
    app: &App,
    kind: &str,
    wait: i64,
    organisations: impl IntoIterator<Item = OrganisationId>,
) -> Result<(), String> {
    let jobs: Vec<NewJob> = organisations
        .into_iter()
        .map(|it| NewJob {
            kind: kind.to_owned(),
            payload: json!({ "organisation": it.0 }),
            key: Some(format!("{kind} {}", it.0)),
            asked: app.now(),
            ready: app.now().plus_seconds(wait),
            attempts: 3,
        })
        .collect();
    if jobs.is_empty() {
        return Ok(());
    }
    app.store.enqueue_all(&jobs).await.map(|_| ()).map_err(|error| error.to_string())
}
