//! Another almanac: what it changes for everything that runs becomes events.

use async_trait::async_trait;

use super::{Work, count_environments, judge_policies};
use crate::app::App;
use crate::evaluate::{JOB, evaluate};
use crate::freshness;

/// Tells what another almanac changes.
pub(super) struct Rematch;

#[async_trait]
impl Work for Rematch {
    fn kind(&self) -> &'static str {
        JOB
    }

    fn every(&self) -> Option<u32> {
        Some(60)
    }

    fn is_prompt(&self) -> bool {
        true
    }

    async fn run(&self, app: &App, payload: &serde_json::Value) -> Result<(), String> {
        // Somebody saw that it was put into place just now: so it is wanted, whatever came before.
        let present = app.world.lookout(app.now()).map_err(|error| error.to_string())?;
        let wanted = payload["installed"] == present.almanac().digest().as_str();
        drop(present);
        for it in evaluate(app, wanted).await? {
            count_environments::soon(app, [it.organisation.id.clone()]).await?;
            judge_policies::soon(app, [it.organisation.id]).await?;
        }
        // What is judged by it is told how old it is, too.
        freshness::judge(app).await
    }
}
