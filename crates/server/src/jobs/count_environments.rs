//! How many findings there are in each environment, counted anew where something changed.

use async_trait::async_trait;
use model::OrganisationId;
use serde_json::json;
use store::NewJob;

use super::Work;
use crate::app::App;

const KIND: &str = "count_environments";
/// Much that changes together is counted once, in seconds.
const WAIT: i64 = 2;

/// Counts findings.
pub(super) struct CountEnvironments;

#[async_trait]
impl Work for CountEnvironments {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn every(&self) -> Option<u32> {
        Some(15 * 60)
    }

    fn takes_long(&self) -> bool {
        true
    }

    async fn run(&self, app: &App, payload: &serde_json::Value) -> Result<(), String> {
        let organisations = if let Some(it) = payload["organisation"].as_str() {
            vec![OrganisationId(it.to_owned())]
        } else {
            let all = app.store.organisations().await.map_err(|error| error.to_string())?;
            all.into_iter().map(|it| it.id).collect()
        };
        let mut outcome = Ok(());
        for it in organisations {
            // What is wrong with one is in nobody else's way.
            outcome = outcome.and(app.tally.count(app, &it).await.map(|_| ()));
        }
        outcome
    }
}

/// Has these organisations' environments counted before long.
pub(super) async fn soon(
    app: &App,
    organisations: impl IntoIterator<Item = OrganisationId>,
) -> Result<(), String> {
    let jobs: Vec<NewJob> = organisations
        .into_iter()
        .map(|it| NewJob {
            kind: KIND.to_owned(),
            payload: json!({ "organisation": it.0 }),
            key: Some(format!("{KIND} {}", it.0)),
            asked: app.now(),
            ready: app.now().plus_seconds(WAIT),
            attempts: 3,
        })
        .collect();
    if jobs.is_empty() {
        return Ok(());
    }
    app.store.enqueue_all(&jobs).await.map(|_| ()).map_err(|error| error.to_string())
}
