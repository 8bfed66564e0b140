//! What is asked about integrations: the parties around us.

use http::Method;

use super::{Client, Error, NOTHING, within};
use crate::words::{
    Cluster, Configured, Configuring, Integration, IntegrationKind, IntegrationNotice, NoticeQuery,
    Page, Removed, Retried, Retrying, TemplateQuery,
};

impl Client {
    /// Which kinds of parties can be spoken with, and what they must be told.
    pub async fn integration_kinds(&self) -> Result<Page<IntegrationKind>, Error> {
        self.get("/integration-kinds", &NOTHING).await
    }

    /// The clusters that an integration's party knows of.
    pub async fn clusters(
        &self,
        organisation: &str,
        kind: &str,
        name: &str,
    ) -> Result<Page<Cluster>, Error> {
        self.get(&within(organisation, &["integrations", kind, name, "clusters"]), &NOTHING).await
    }

    /// The integrations of an organisation.
    pub async fn integrations(&self, organisation: &str) -> Result<Page<Integration>, Error> {
        self.get(&within(organisation, &["integrations"]), &NOTHING).await
    }

    /// One of them, with where its webhooks go.
    pub async fn integration(
        &self,
        organisation: &str,
        kind: &str,
        name: &str,
    ) -> Result<Integration, Error> {
        self.get(&within(organisation, &["integrations", kind, name]), &NOTHING).await
    }

    /// Configures an integration, and tries it.
    pub async fn configure_integration(
        &self,
        organisation: &str,
        kind: &str,
        name: &str,
        configuring: &Configuring,
    ) -> Result<Configured, Error> {
        let path = within(organisation, &["integrations", kind, name]);
        self.send(Method::PUT, &path, configuring).await
    }

    /// Tries an integration.
    pub async fn try_integration(
        &self,
        organisation: &str,
        kind: &str,
        name: &str,
    ) -> Result<Configured, Error> {
        let path = within(organisation, &["integrations", kind, name, "tests"]);
        self.call(Method::POST, &path, &NOTHING, None).await
    }

    /// Lets the webhooks of an integration come in at another address, and no longer at the one before.
    pub async fn renew_integration_address(
        &self,
        organisation: &str,
        kind: &str,
        name: &str,
    ) -> Result<Integration, Error> {
        let path = within(organisation, &["integrations", kind, name, "addresses"]);
        self.call(Method::POST, &path, &NOTHING, None).await
    }

    /// Deletes an integration, and says what stays at the other side.
    pub async fn delete_integration(
        &self,
        organisation: &str,
        kind: &str,
        name: &str,
    ) -> Result<Removed, Error> {
        let path = within(organisation, &["integrations", kind, name]);
        self.call(Method::DELETE, &path, &NOTHING, None).await
    }

    /// What an integration told.
    pub async fn notices(
        &self,
        organisation: &str,
        kind: &str,
        name: &str,
        query: &NoticeQuery,
    ) -> Result<Page<IntegrationNotice>, Error> {
        self.get(&within(organisation, &["integrations", kind, name, "notices"]), query).await
    }

    /// What an integration told and is set aside is looked into once more.
    pub async fn retry_notices(
        &self,
        organisation: &str,
        kind: &str,
        name: &str,
        retrying: &Retrying,
    ) -> Result<Retried, Error> {
        let path = within(organisation, &["integrations", kind, name, "notices", "retries"]);
        self.send(Method::POST, &path, retrying).await
    }

    /// What the other side of an integration can be made from, with the address of its webhooks in it.
    pub async fn template(
        &self,
        organisation: &str,
        kind: &str,
        name: &str,
        query: &TemplateQuery,
    ) -> Result<String, Error> {
        let path = within(organisation, &["integrations", kind, name, "template"]);
        let bytes = self.bytes(Method::GET, &path, query, None).await?;
        String::from_utf8(bytes)
            .map_err(|error| Error::Foreign { what: path, why: error.to_string() })
    }
}
