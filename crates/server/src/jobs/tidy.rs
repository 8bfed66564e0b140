//! What nobody needs any more is forgotten: jobs that ended, webhooks that were dealt with, messages that
//! were told, sessions
//! that ran out, and what is left of organisations whose deletion was broken off. What an older
//! program wrote is put right, as far as that is found at once.

use async_trait::async_trait;

use super::Work;
use crate::app::App;

/// Forgets.
pub(super) struct Tidy;

/// Seconds in a day.
const DAY: i64 = 86_400;

#[async_trait]
impl Work for Tidy {
    fn kind(&self) -> &'static str {
        "tidy"
    }

    fn every(&self) -> Option<u32> {
        Some(60 * 60)
    }

    async fn run(&self, app: &App, _: &serde_json::Value) -> Result<(), String> {
        let told = |error: store::Error| error.to_string();
        let now = app.now();
        app.store.finish_deletions().await.map_err(told)?;
        let mended = app.store.mend_at_hand().await.map_err(told)?;
        if mended > 0 {
            tracing::warn!(rows = mended, "what did not follow from the rest was put right");
        }
        app.store.forget_jobs(now.plus_seconds(-7 * DAY)).await.map_err(told)?;
        app.store.forget_requests(now).await.map_err(told)?;
        // Nobody sends the same again after a week; what was set aside is there to be looked at.
        let (done, aside) = (now.plus_seconds(-7 * DAY), now.plus_seconds(-30 * DAY));
        app.store.forget_notices(done, aside).await.map_err(told)?;
        let (sent, given_up) = (now.plus_seconds(-14 * DAY), now.plus_seconds(-30 * DAY));
        // What a rule told of is no news for a day.
        app.store
            .forget_messages(sent, given_up, now.plus_seconds(-2 * DAY))
            .await
            .map_err(told)?;
        app.store.forget_former_secrets(now).await.map_err(told)?;
        app.store.forget_ended(now.plus_seconds(-30 * DAY)).await.map_err(told)?;
        Ok(())
    }
}
