//! How old feeds are is looked at again and again: nothing has to happen for them to become so.

use async_trait::async_trait;

use super::Work;
use crate::app::App;
use crate::freshness;

/// Looks how old they are.
pub(super) struct JudgeFreshness;

#[async_trait]
impl Work for JudgeFreshness {
    fn kind(&self) -> &'static str {
        "judge_freshness"
    }

    fn every(&self) -> Option<u32> {
        Some(10 * 60)
    }

    async fn run(&self, app: &App, _: &serde_json::Value) -> Result<(), String> {
        freshness::judge(app).await
    }
}
