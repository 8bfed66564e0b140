//! Registries are looked at now and then, also those that tell what happens: a notice may be lost.

use async_trait::async_trait;
use integration::Role;

use super::{Work, attend};
use crate::app::App;

/// Has those looked at that are due.
pub(super) struct LookAtRegistries;

#[async_trait]
impl Work for LookAtRegistries {
    fn kind(&self) -> &'static str {
        "look_at_registries"
    }

    fn every(&self) -> Option<u32> {
        Some(30)
    }

    async fn run(&self, app: &App, _: &serde_json::Value) -> Result<(), String> {
        if app.reach.offline {
            return Ok(());
        }
        let now = app.now();
        let due = app.store.due_looks(now).await.map_err(|error| error.to_string())?;
        let jobs: Vec<_> = due
            .iter()
            .filter(|it| super::is_of(&it.kind, Role::Registry))
            .map(|it| attend::job(&it.id, &it.organisation, now, now))
            .collect();
        app.store.enqueue_all(&jobs).await.map(|_| ()).map_err(|error| error.to_string())
    }
}
