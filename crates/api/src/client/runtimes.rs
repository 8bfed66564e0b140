//! Runtimes: asked about, and spoken for.

use http::Method;

use super::{Client, Error, NOTHING, within};
use crate::words::{
    Ended, Heartbeat, Page, Runtime, RuntimeQuery, Snapped, Snapshot, WholeRuntime,
};

impl Client {
    /// Says all that a runtime runs, in each environment.
    pub async fn snap(
        &self,
        organisation: &str,
        runtime: &str,
        snapshot: &Snapshot,
    ) -> Result<Snapped, Error> {
        let path = within(organisation, &["runtimes", runtime]);
        self.send(Method::PUT, &path, snapshot).await
    }

    /// Says that all that was said in a snapshot still holds. A conflict asks for the snapshot again.
    pub async fn beat(
        &self,
        organisation: &str,
        runtime: &str,
        heartbeat: &Heartbeat,
    ) -> Result<(), Error> {
        let path = within(organisation, &["runtimes", runtime, "heartbeats"]);
        self.send(Method::POST, &path, heartbeat).await
    }

    /// The runtimes of an organisation.
    pub async fn runtimes(
        &self,
        organisation: &str,
        query: &RuntimeQuery,
    ) -> Result<Page<Runtime>, Error> {
        self.get(&within(organisation, &["runtimes"]), query).await
    }

    /// One runtime, with all that it runs.
    pub async fn runtime(&self, organisation: &str, runtime: &str) -> Result<WholeRuntime, Error> {
        self.get(&within(organisation, &["runtimes", runtime]), &NOTHING).await
    }

    /// Forgets a runtime: what it said that runs has ended.
    pub async fn remove_runtime(&self, organisation: &str, runtime: &str) -> Result<Ended, Error> {
        let path = within(organisation, &["runtimes", runtime]);
        self.call(Method::DELETE, &path, &NOTHING, None).await
    }
}
