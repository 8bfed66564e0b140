//! What a watch needs, each tried before it begins, and told as there or not.

use image::Credentials;
use integration::{Check, Outcome};
use model::Right;

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

    /// Can what is found be kept? Whoever sends nothing may do without.
    pub(super) async fn memory(&mut self, asking: &Asking, dry_run: bool) {
        const WHAT: &str = "Foretop reachable";
        let organisation = &asking.organisation;
        let query = api::ImageQuery { limit: Some(1), ..api::ImageQuery::default() };
        let me = match asking.client.images(organisation, &query).await {
            Ok(_) => asking.client.me().await,
            Err(error) => Err(error),
        };
        match me {
            Ok(me) if !dry_run && !may_push(&me, organisation) => {
                let why = format!("{} may not push images to organization {organisation}", me.name);
                let hint = "log in with a token of scope write, as an editor or owner";
                self.failed(WHAT, &why, Some(hint));
            }
            Ok(_) => {
                let place = asking.server.as_deref().unwrap_or("this machine");
                self.ok(WHAT, &format!("{place}, organization {organisation}"));
            }
            Err(error) => self.failed(WHAT, &error.to_string(), error.hint()),
        }
    }

    /// As who the registry is asked.
    pub(super) fn credentials(&mut self, party: &Party, shown: Option<&Credentials>) {
        const WHAT: &str = "credentials";
        let settings = &party.settings;
        let setting = |key: &str| party.kind.settings.iter().find(|it| it.key == key);
        let user = settings.text("user");
        // A name that is usual says nothing of whether there is anybody of that name.
        let is_usual = user.is_some() && user == setting("user").and_then(|it| it.default);
        match (user, shown) {
            (Some(user), _) if !is_usual && settings.secret("password").is_none() => {
                let variable = setting("password").and_then(|it| it.variables.first());
                let hint = variable.map(|it| format!("put it into {it}"));
                let why = format!("user {user} has no password");
                self.failed(WHAT, &why, hint.as_deref());
            }
            (_, Some(Credentials::Basic { user, .. })) => self.ok(WHAT, &format!("user {user}")),
            (_, Some(_)) => self.ok(WHAT, "an access token"),
            (_, None) => self.ok(WHAT, "those of docker login, if there are any"),
        }
    }
}

/// Those who belong to nothing are on their own machine.
fn may_push(me: &api::Me, organisation: &str) -> bool {
    let mut here = me.organisations.iter().filter(|it| it.organisation == organisation);
    here.next().is_none_or(|it| model::Role::from(it.role).may(Right::PushImages))
}
