//! What a watch needs, each tried before it begins, and told as there or not.

use integration::{Check, Outcome};

use super::parties::Party;
use crate::asking::Asking;
use crate::messages::Messages;

/// Tells of what was tried, and counts what failed.
pub(super) struct Tried<'a> {
    messages: &'a Messages,
    pub(super) all: usize,
    pub(super) failed: usize,
}

impl<'a> Tried<'a> {
    pub(super) fn new(messages: &'a Messages) -> Self {
        Self { messages, all: 0, failed: 0 }
    }

    pub(super) fn ok(&mut self, what: &str, detail: &str) {
        self.all += 1;
        self.messages.done(&format!("{what}: {detail}"));
    }

    pub(super) fn failed(&mut self, what: &str, why: &str, hint: Option<&str>) {
        self.all += 1;
        self.failed += 1;
        self.messages.failed(&format!("{what}: {why}"));
        if let Some(hint) = hint {
            self.messages.advise(hint);
        }
    }

    pub(super) fn add(&mut self, check: &Check) {
        match &check.outcome {
            Outcome::Ok { detail } => self.ok(check.what, detail),
            Outcome::Failed { why, hint } => self.failed(check.what, why, hint.as_deref()),
            Outcome::Warned { why, hint } => {
                self.all += 1;
                self.messages.warn(&format!("{}: {why}", check.what));
                self.messages.advise(hint);
            }
        }
    }

    /// Can what is found be kept?
    pub(super) async fn memory(&mut self, asking: &Asking) {
        const WHAT: &str = "Foretop reachable";
        let organisation = &asking.organisation;
        let query = api::ImageQuery { limit: Some(1), ..api::ImageQuery::default() };
        match asking.client.images(organisation, &query).await {
            Ok(_) => {
                let place = asking.server.as_deref().unwrap_or("this machine");
                self.ok(WHAT, &format!("{place}, organization {organisation}"));
            }
            Err(error) => self.failed(WHAT, &error.to_string(), error.hint()),
        }
    }

    /// As who the registry is asked.
    pub(super) fn credentials(&mut self, party: &Party) {
        const WHAT: &str = "credentials";
        let settings = &party.settings;
        let setting = |key: &str| party.kind.settings.iter().find(|it| it.key == key);
        let user = settings.text("user");
        // A name that is usual says nothing of whether there is anybody of that name.
        let is_usual = user.is_some() && user == setting("user").and_then(|it| it.default);
        match (user, settings.secret("password")) {
            (Some(user), Some(_)) => self.ok(WHAT, &format!("user {user}")),
            (None, Some(_)) => self.ok(WHAT, "an access token"),
            (Some(user), None) if !is_usual => {
                let variable = setting("password").and_then(|it| it.variables.first());
                let hint = variable.map(|it| format!("put it into {it}"));
                let why = format!("user {user} has no password");
                self.failed(WHAT, &why, hint.as_deref());
            }
            (_, None) => self.ok(WHAT, "those of docker login, if there are any"),
        }
    }
}
