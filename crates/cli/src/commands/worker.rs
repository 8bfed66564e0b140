//! `foretop worker`: do jobs of a server elsewhere.

use server::Access;

use super::{Outcome, Verb};
use crate::Context;
use crate::house::{House, told_to_end};

/// Do jobs of a server: analyse images, look after tags; any number of workers share one database
#[derive(clap::Parser)]
#[command(name = "worker")]
pub(crate) struct Worker {
    #[command(flatten)]
    house: House,
}

impl Verb for Worker {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        crate::runtime()?.block_on(async {
            // Nobody asks a worker anything.
            let access = Access::Local { name: "worker".to_owned() };
            let app = self.house.open(context, access).await?;
            let workers = self.house.workers();
            let _fresh = self.house.refreshed(context, &app)?;
            context.messages.done(&format!("Working, on {workers} at once"));
            server::work(app, workers, told_to_end()).await;
            anyhow::Ok(())
        })?;
        Ok(Outcome::Done)
    }
}
