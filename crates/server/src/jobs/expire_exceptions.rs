//! Exceptions whose time is over: nothing has to happen for that, so it is looked at again and again.

use async_trait::async_trait;

use super::{Work, count_environments, itself, judge_policies};
use crate::app::App;

const KIND: &str = "expire_exceptions";
/// Told of together.
const PART: u32 = 500;

/// Tells of those whose time is over.
pub(super) struct ExpireExceptions;

#[async_trait]
impl Work for ExpireExceptions {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn every(&self) -> Option<u32> {
        Some(60)
    }

    async fn run(&self, app: &App, _: &serde_json::Value) -> Result<(), String> {
        loop {
            let act = itself(app, KIND);
            let whose = app.store.expire_exceptions(&act, PART).await;
            let whose = whose.map_err(|error| error.to_string())?;
            if whose.is_empty() {
                return Ok(());
            }
            count_environments::soon(app, whose.clone()).await?;
            judge_policies::soon(app, whose).await?;
        }
    }
}
