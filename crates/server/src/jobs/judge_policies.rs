//! What policies say of what runs, judged anew where something changed, and each day.

use async_trait::async_trait;
use model::OrganisationId;

use super::{Work, organisations};
use crate::app::App;
use crate::policies;

const KIND: &str = "judge_policies";
/// Much that changes together is judged once, in seconds; and what is found is counted before.
const WAIT: i64 = 4;

/// Judges by policies.
pub(super) struct JudgePolicies;

#[async_trait]
impl Work for JudgePolicies {
    fn kind(&self) -> &'static str {
        KIND
    }

    /// Time passes, too: what is the same since the day began is not judged again.
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
            outcome = outcome.and(policies::judge(app, &it).await.map(|_| ()));
        }
        outcome
    }
}

/// Has what runs in these organisations judged before long.
pub(super) async fn soon(
    app: &App,
    organisations: impl IntoIterator<Item = OrganisationId>,
) -> Result<(), String> {
    organisations::soon(app, KIND, WAIT, organisations).await
}
