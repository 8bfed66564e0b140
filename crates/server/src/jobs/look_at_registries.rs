//! Registries are looked at now and then, also those that tell what happens: a notice may be lost.

use async_trait::async_trait;
use integration::Role;

use super::{Work, attend, party};
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
        party::ask_due(app, Role::Registry, |id, whose, now| attend::job(id, whose, now, now)).await
    }
}
