//! What is older than it is to be kept goes, once a day, and what does not follow from the rest, though
//! it should, is put right.

use async_trait::async_trait;
use store::Retention;

use super::{Work, itself};
use crate::app::App;

/// Deletes what is too old.
pub(super) struct Expire;

#[async_trait]
impl Work for Expire {
    fn kind(&self) -> &'static str {
        "expire"
    }

    fn every(&self) -> Option<u32> {
        Some(24 * 60 * 60)
    }

    async fn run(&self, app: &App, _: &serde_json::Value) -> Result<(), String> {
        let told = |error: store::Error| error.to_string();
        for organisation in app.store.organisations().await.map_err(told)? {
            let keepings = app.store.keepings(&organisation.id).await.map_err(told)?;
            let act = itself(app, self.kind());
            let retention = Retention::at(&keepings, act.at);
            let expired = app.store.expire(&organisation.id, &act, &retention).await;
            let expired = expired.map_err(told)?;
            if expired.rows() > 0 {
                tracing::info!(organisation = organisation.name, ?expired, "what was too old went");
            }
        }
        let mended = app.store.mend().await.map_err(told)?;
        if mended > 0 {
            tracing::warn!(rows = mended, "what did not follow from the rest was put right");
        }
        Ok(())
    }
}
