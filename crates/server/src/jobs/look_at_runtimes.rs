//! Runtimes that are not heard of any more are told of, and what could not be placed is looked up again.

use async_trait::async_trait;

use super::{Work, itself};
use crate::app::App;
use crate::runtimes;

/// Looks at all of them.
pub(super) struct LookAtRuntimes;

#[async_trait]
impl Work for LookAtRuntimes {
    fn kind(&self) -> &'static str {
        "look_at_runtimes"
    }

    fn every(&self) -> Option<u32> {
        Some(30)
    }

    async fn run(&self, app: &App, _: &serde_json::Value) -> Result<(), String> {
        let told = |error: store::Error| error.to_string();
        let act = itself(app, self.kind());
        let mut outcome = Ok(());
        for organisation in app.store.organisations().await.map_err(told)? {
            // What is wrong with one is in nobody else's way.
            let looked = async {
                let silent = app.store.fall_silent(&organisation.id, &act, app.began).await;
                let silent = silent.map_err(told)?;
                if !silent.is_empty() {
                    tracing::warn!(runtimes = ?silent, "runtimes are not heard of any more");
                }
                let placed = runtimes::place(app, &organisation.id).await;
                placed.map_err(|refusal| refusal.0.detail)
            };
            outcome = outcome.and(looked.await);
        }
        outcome
    }
}
