//! What is asked about rules: who is told of what, and what was told.

use http::Method;

use super::{Client, Error, NOTHING, within};
use crate::words::{
    Notification, NotificationQuery, Page, Preview, PreviewQuery, Resending, Resent, Rule, Ruling,
    Tested, Topic,
};

impl Client {
    /// What one may be told of.
    pub async fn topics(&self) -> Result<Page<Topic>, Error> {
        self.get("/topics", &NOTHING).await
    }

    /// The rules of an organisation.
    pub async fn rules(&self, organisation: &str) -> Result<Page<Rule>, Error> {
        self.get(&within(organisation, &["rules"]), &NOTHING).await
    }

    /// One of them.
    pub async fn rule(&self, organisation: &str, name: &str) -> Result<Rule, Error> {
        self.get(&within(organisation, &["rules", name]), &NOTHING).await
    }

    /// Keeps a rule, instead of the one of that name.
    pub async fn put_rule(
        &self,
        organisation: &str,
        name: &str,
        ruling: &Ruling,
    ) -> Result<Rule, Error> {
        self.send(Method::PUT, &within(organisation, &["rules", name]), ruling).await
    }

    /// Deletes a rule, with what waits to be told by it.
    pub async fn delete_rule(&self, organisation: &str, name: &str) -> Result<(), Error> {
        let path = within(organisation, &["rules", name]);
        self.call(Method::DELETE, &path, &NOTHING, None).await
    }

    /// What a rule would have told.
    pub async fn preview_rule(
        &self,
        organisation: &str,
        name: &str,
        query: &PreviewQuery,
    ) -> Result<Preview, Error> {
        self.get(&within(organisation, &["rules", name, "preview"]), query).await
    }

    /// Tells something, to try a rule.
    pub async fn test_rule(&self, organisation: &str, name: &str) -> Result<Tested, Error> {
        let path = within(organisation, &["rules", name, "tests"]);
        self.call(Method::POST, &path, &NOTHING, None).await
    }

    /// What is to be told, and was.
    pub async fn notifications(
        &self,
        organisation: &str,
        query: &NotificationQuery,
    ) -> Result<Page<Notification>, Error> {
        self.get(&within(organisation, &["notifications"]), query).await
    }

    /// What was given up, or waits for its next try, is told once more.
    pub async fn retry_notifications(
        &self,
        organisation: &str,
        resending: &Resending,
    ) -> Result<Resent, Error> {
        let path = within(organisation, &["notifications", "retries"]);
        self.send(Method::POST, &path, resending).await
    }
}
