//! Exceptions: what an organisation decided about flaws, as whoever judges its images hears it.

use std::collections::HashMap;
use std::sync::Arc;

use api::{Excepting, Judging};
use engine::Lookout;
use model::{Exception, Moment, OrganisationId, Statement};
use regex::Regex;
use serde_json::json;
use store::ExceptionRecord;

use crate::app::App;
use crate::judge;
use crate::refusal::Refusal;

/// The exceptions of an organisation; whether their time is over is for those who judge.
struct Exceptions(Vec<Exception>);

impl Exceptions {
    /// Those that are kept.
    async fn of(app: &App, organisation: &OrganisationId) -> Result<Self, Refusal> {
        let all = app.store.exceptions(organisation).await?;
        Ok(Self(all.iter().map(decided).collect::<Result<_, _>>()?))
    }

    /// What they say of what runs there; of what nobody says where it runs, without an environment.
    fn statements(&self, environment: Option<&str>) -> Vec<Statement> {
        let there = self.0.iter().filter(|it| it.holds_in(environment));
        there.map(Exception::statement).collect()
    }

    fn are_others_in(&self, environment: &str) -> bool {
        let mut own = self.0.iter().filter(|it| !it.environments.is_empty());
        own.any(|it| it.holds_in(Some(environment)))
    }
}

/// What findings in an organisation's images rest on: one almanac, and the exceptions that hold where they
/// run.
pub(crate) struct Lookouts {
    base: Lookout,
    now: String,
    judging: Judging,
    authors: Vec<Regex>,
    exceptions: Exceptions,
    made: HashMap<Option<String>, Arc<Lookout>>,
}

impl Lookouts {
    /// By the present almanac, for whoever asks so.
    pub(crate) async fn of(
        app: &App,
        organisation: &OrganisationId,
        judging: Judging,
    ) -> Result<Self, Refusal> {
        let authors = judge::authors(&judging.authors)?;
        let exceptions = Exceptions::of(app, organisation).await?;
        let now = app.now();
        let base = app.world.lookout(now)?;
        let (now, made) = (now.to_string(), HashMap::new());
        Ok(Self { base, now, judging, authors, exceptions, made })
    }

    /// What they rest on there; of what nobody says where it runs, without an environment.
    pub(crate) fn there(&mut self, environment: Option<&str>) -> Arc<Lookout> {
        let own = environment.filter(|it| self.are_others_in(it)).map(str::to_owned);
        if let Some(made) = self.made.get(&own) {
            return Arc::clone(made);
        }
        let lookout = self
            .base
            .on(self.now.clone())
            .with_statements(self.judging.statements.clone())
            .with_authors(self.authors.clone())
            .with_declared(self.judging.declared)
            .with_exceptions(self.exceptions.statements(own.as_deref()));
        let lookout = Arc::new(lookout);
        self.made.insert(own, Arc::clone(&lookout));
        lookout
    }

    /// What holds there now, by name; and in a text, the same where the same holds.
    pub(crate) fn held_in(&self, environment: &str, now: Moment) -> (Vec<String>, String) {
        let holds = |it: &&Exception| {
            let ends = it.expires.as_deref().and_then(|it| it.parse::<Moment>().ok());
            it.holds_in(Some(environment)) && ends.is_none_or(|ends| ends > now)
        };
        let held: Vec<&Exception> = self.exceptions.0.iter().filter(holds).collect();
        // Who says the same again, and when, is no other.
        let says = |it: &&Exception| {
            let Exception { name: _, flaws, kind, justification, note, images, packages, .. } = it;
            json!([flaws, kind.as_str(), justification, note, images, packages])
        };
        let said: Vec<_> = held.iter().map(says).collect();
        (held.iter().map(|it| it.name.clone()).collect(), json!(said).to_string())
    }

    /// Does something hold there that does not hold everywhere?
    pub(crate) fn are_others_in(&self, environment: &str) -> bool {
        self.exceptions.are_others_in(environment)
    }

    /// All that was decided, each with whether its time is over.
    pub(crate) fn decided(&self, now: Moment) -> Vec<(Exception, bool)> {
        let is_over = |it: &Exception| {
            let ends = it.expires.as_deref().and_then(|it| it.parse::<Moment>().ok());
            ends.is_some_and(|ends| ends <= now)
        };
        self.exceptions.0.iter().map(|it| (it.clone(), is_over(it))).collect()
    }

    /// Is anything said about flaws, but by images?
    pub(crate) fn are_told_anything(&self) -> bool {
        let Self { judging, exceptions, .. } = self;
        !(judging.statements.is_empty() && judging.authors.is_empty() && exceptions.0.is_empty())
    }
}

/// What was decided, as it is kept.
fn decided(record: &ExceptionRecord) -> Result<Exception, Refusal> {
    let foreign = |why: &dyn std::fmt::Display| {
        let why = format!("exception {}: it is of another version: {why}", record.name);
        Refusal::from(api::Sort::Failed.because(why))
    };
    let says: Excepting =
        serde_json::from_value(record.definition.clone()).map_err(|error| foreign(&error))?;
    let said = record.changed.to_string();
    let decided = says.decided(&record.name, &record.changed_by, &said);
    decided.ok_or_else(|| foreign(&"nobody here knows its kind"))
}
