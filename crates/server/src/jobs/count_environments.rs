//! How many findings there are in each environment, counted anew where something changed.

use async_trait::async_trait;
use model::OrganisationId;

use super::{Work, organisations};
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
        let mut outcome = Ok(());
        for it in organisations::of(app, payload).await? {
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
    organisations::soon(app, KIND, WAIT, organisations).await
}
