//! Parties that know what runs somewhere are asked again and again, each as often as it is told.

use async_trait::async_trait;
use integration::Role;

use super::{Work, ask_runtime};
use crate::app::App;

/// Has those asked that are due.
pub(super) struct FindDueRuntimes;

#[async_trait]
impl Work for FindDueRuntimes {
    fn kind(&self) -> &'static str {
        "find_due_runtimes"
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
            .filter(|it| super::is_of(&it.kind, Role::Runtime))
            .map(|it| ask_runtime::job(&it.id, &it.organisation, now))
            .collect();
        app.store.enqueue_all(&jobs).await.map(|_| ()).map_err(|error| error.to_string())
    }
}
