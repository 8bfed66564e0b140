//! Parties that know what runs somewhere are asked again and again, each as often as it is told.

use async_trait::async_trait;
use integration::Role;

use super::{Work, ask_runtime, party};
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
        party::ask_due(app, Role::Runtime, ask_runtime::job).await
    }
}
