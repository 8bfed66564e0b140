//! Images that run and that nobody is about to read: whoever recorded them died before saying so, or
//! there was nobody yet to read them.

use async_trait::async_trait;

use super::Work;
use crate::app::App;
use crate::resolve;

/// Has them read.
pub(super) struct FindPending;

#[async_trait]
impl Work for FindPending {
    fn kind(&self) -> &'static str {
        "find_pending"
    }

    fn every(&self) -> Option<u32> {
        Some(5 * 60)
    }

    async fn run(&self, app: &App, _: &serde_json::Value) -> Result<(), String> {
        let told = |error: store::Error| error.to_string();
        // One that waits needs no other, and one that was given up is not tried for ever.
        let undone = app.store.undone(resolve::ANALYSE).await.map_err(told)?;
        for organisation in app.store.organisations().await.map_err(told)? {
            let pending = app.store.unanalysed(&organisation.id).await.map_err(told)?;
            let wanted = pending.iter().filter(|it| {
                let key = resolve::analysis_key(&organisation.id, &it.digest);
                !undone.contains(&key)
            });
            resolve::analyse_later(app, &organisation.id, wanted)
                .await
                .map_err(|refusal| refusal.0.detail.clone())?;
        }
        Ok(())
    }
}
