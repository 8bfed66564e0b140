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
    now: Moment,
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
        Ok(Self { base, now, judging, authors, exceptions, made: HashMap::new() })
    }

    /// What they rest on there; of what nobody says where it runs, without an environment.
    pub(crate) fn there(&mut self, environment: Option<&str>) -> Arc<Lookout> {
        let own = environment.filter(|it| self.are_others_in(it)).map(str::to_owned);
        if let Some(made) = self.made.get(&own) {
            return Arc::clone(made);
        }
        let lookout = self
            .base
            .on(self.now.to_string())
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
        let holds = |it: &&Exception| it.holds_in(Some(environment)) && !is_over(it, now);
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
        self.exceptions.0.iter().map(|it| (it.clone(), is_over(it, now))).collect()
    }

    /// What is said there of a flaw with that id and these other names.
    pub(crate) fn said(&self, environment: Option<&str>, id: &str, aliases: &[String]) -> Said {
        let Self { judging, exceptions, .. } = self;
        if !(judging.statements.is_empty() && judging.authors.is_empty()) {
            return Said::ByImage;
        }
        let is_id = |name: &String| name == "*" || name.eq_ignore_ascii_case(id);
        let is_named =
            |name: &String| is_id(name) || aliases.iter().any(|it| it.eq_ignore_ascii_case(name));
        // Not every finding of it need have all its aliases.
        let is_of_all = |it: &Exception| {
            it.images.is_empty() && it.packages.is_empty() && it.flaws.iter().any(is_id)
        };
        let mut about = exceptions
            .0
            .iter()
            .filter(|it| it.holds_in(environment) && !is_over(it, self.now))
            .filter(|it| it.flaws.iter().any(is_named))
            .peekable();
        if about.peek().is_none() {
            Said::Nothing
        } else if about.all(is_of_all) {
            Said::Alike
        } else {
            Said::ByImage
        }
    }
}

/// What is said of a flaw, and whether that depends on the image that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nobody says anything, but perhaps the image, whose word does not count.
    Nothing,
    /// The same of every image.
    Alike,
    /// Perhaps something else of each.
    ByImage,
}

/// Is its time over?
fn is_over(it: &Exception, now: Moment) -> bool {
    let ends = it.expires.as_deref().and_then(|it| it.parse::<Moment>().ok());
    ends.is_some_and(|ends| ends <= now)
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
