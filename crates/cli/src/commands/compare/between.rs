//! What runs in one environment, held against what runs in another: whoever remembers it compares.

use api::{Comparing, Difference, End, Hole, Only, Pair, PairOutcome};
use format::comparison::{Application, Outcome, Parts, Promotion};
use model::Gap;

use super::promoted::Changed;
use super::{Shuts, Wishes};
use crate::Context;
use crate::asking::{Whose, ask_with};
use crate::deployed::sound;
use crate::findings::Advice;
use crate::messages::count;
use crate::output::{Delivery, Shelf};
use crate::subject::{Subject, warn_of_types};

/// Two environments.
pub(super) struct Between<'a> {
    /// What is looked at.
    pub(super) from: &'a str,
    /// What it is held against.
    pub(super) to: &'a str,
    pub(super) wishes: &'a Wishes,
    pub(super) advice: &'a Advice,
}

impl Between<'_> {
    /// Lays aside what is different, application by application, and says what may shut a gate, and what
    /// would be another image.
    pub(super) fn told(
        &self,
        context: &Context,
        whose: &Whose,
        subject: &Subject,
        tellings: &mut [Telling<'_>],
    ) -> anyhow::Result<(Shuts, Vec<Changed>)> {
        let (repository, platform) = subject.in_environment()?;
        warn_of_types(&self.wishes.only_package_type, &[], &context.messages);
        let filter = self.wishes.filter();
        let environment = |it: &str| End { environment: Some(it.to_owned()), digest: None };
        let mut comparing = Comparing {
            from: environment(self.from),
            to: environment(self.to),
            repository: repository.map(str::to_owned),
            platform,
            judging: self.advice.judging(context, false)?,
            only: Only {
                severities: filter.levels.iter().map(|it| it.as_str().to_owned()).collect(),
                package_types: filter.types,
                fixed: filter.fixed,
                unsuppressed: filter.unsuppressed,
                changed: false,
            },
            after: None,
            limit: Some(TOGETHER),
        };
        let mut shuts = Shuts { worse: false, policies: false, other_packages: false };
        let mut compared = Compared::default();
        let mut changed = Vec::new();
        ask_with(context, whose, self.advice.directory(), async |asking| {
            sound(asking, self.advice, context)?;
            loop {
                let part = asking.client.compare(&asking.organisation, &comparing).await?;
                compared.summary.add(&part.summary);
                for pair in part.pairs {
                    if pair.outcome == PairOutcome::Unknown {
                        compared.unknown.extend(pair.gaps.iter().cloned());
                    }
                    changed.extend(Changed::of(&pair));
                    let application = application(pair);
                    shuts.add(&application);
                    tellings.iter_mut().try_for_each(|it| it.add(&application))?;
                }
                if part.next.is_none() || part.next == comparing.after {
                    return Ok(());
                }
                comparing.after = part.next;
            }
        })?;
        tell(&compared, context);
        Ok((shuts, changed))
    }
}

/// A report that is being told.
pub(super) struct Telling<'a> {
    parts: Box<dyn Parts + 'a>,
    shelf: Shelf,
    delivery: Delivery<'a>,
}

impl<'a> Telling<'a> {
    pub(super) fn of(parts: Box<dyn Parts + 'a>, delivery: Delivery<'a>) -> Self {
        Self { parts, shelf: Shelf::new(), delivery }
    }

    fn add(&mut self, application: &Application) -> anyhow::Result<()> {
        self.shelf.put(&self.parts.part(application))
    }

    /// All of it is told, and what policies say, if they are asked.
    pub(super) fn finish(self, policies: Option<&Promotion>) -> anyhow::Result<()> {
        let Self { mut parts, shelf, mut delivery } = self;
        delivery.add(&parts.begin(policies))?;
        shelf.each(|part| delivery.add(&parts.next(part)))?;
        delivery.add(&parts.end())?;
        delivery.finish()
    }
}

/// Applications that are asked for together: nobody is kept waiting for all of a thousand.
const TOGETHER: u32 = 200;

/// Over all.
#[derive(Default)]
struct Compared {
    summary: Difference,
    /// Why nobody can tell.
    unknown: Vec<Hole>,
}

fn application(pair: Pair) -> Application {
    let gaps = pair.gaps.into_iter().map(|it| Gap::new(it.at, it.why));
    let outcome = match (pair.outcome, pair.comparison) {
        (PairOutcome::Unchanged, _) => Outcome::Unchanged,
        (PairOutcome::Removed, _) => Outcome::Removed,
        (PairOutcome::Compared, Some(it)) => Outcome::Compared(Box::new(it)),
        (PairOutcome::Added, Some(it)) => Outcome::Added(Box::new(it)),
        // Who says that it was compared and does not say how has told nothing.
        _ => Outcome::Unknown(gaps.collect()),
    };
    Application {
        name: pair.application.unwrap_or_default(),
        platform: pair.platform,
        after: pair.from.map(|it| it.image),
        before: pair.to.map(|it| it.image),
        outcome,
    }
}

/// One line on stderr, and others where something cannot be told.
fn tell(compared: &Compared, context: &Context) {
    let messages = &context.messages;
    let it = &compared.summary;
    let many = |number| count(number, "vulnerability", "vulnerabilities");
    let applications = count(it.applications, "application", "applications");
    let line =
        format!("{} introduced, {} fixed in {applications}", many(it.introduced), many(it.fixed));
    if it.introduced + it.unclear + it.unknown > 0 {
        messages.warn(&line);
    } else {
        messages.done(&line);
    }
    if it.unclear > 0 {
        let unclear = many(it.unclear);
        messages.warn(&format!("{unclear} on one side alone that the other may hide"));
    }
    for gap in &compared.unknown {
        messages.warn(&format!("{}: {}", gap.at, gap.why));
    }
}
