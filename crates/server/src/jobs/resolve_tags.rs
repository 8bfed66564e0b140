//! Tags are mutable: those that something runs by are asked for again now and then.

use std::time::Duration;

use async_trait::async_trait;

use super::{Work, itself};
use crate::app::App;
use crate::resolve;

/// Asks registries where deployed tags lead by now.
pub(super) struct ResolveTags;

#[async_trait]
impl Work for ResolveTags {
    fn kind(&self) -> &'static str {
        "resolve_tags"
    }

    fn every(&self) -> Option<u32> {
        Some(15 * 60)
    }

    async fn run(&self, app: &App, _: &serde_json::Value) -> Result<(), String> {
        if app.reach.offline {
            return Ok(());
        }
        let told = |error: store::Error| error.to_string();
        for organisation in app.store.organisations().await.map_err(told)? {
            let all = (None, Duration::MAX);
            resolve::tags(app, &organisation.id, None, &itself(app, self.kind()), all)
                .await
                .map_err(|refusal| refusal.0.detail.clone())?;
        }
        Ok(())
    }
}
