//! What an organisation decided about flaws, for images that are read here.

use api::Exception as Kept;
use model::{Exception, Moment, Statement};

use crate::Context;
use crate::asking::{Asking, Whose, ask};
use crate::failure::Failure;

/// What the organisation that is named says, by `--org` or for all commands, of what runs nowhere yet.
pub(crate) fn of(context: &Context, whose: &Whose) -> anyhow::Result<Vec<Statement>> {
    if whose.is_named(context)? { Ok(there(context, whose, None)) } else { Ok(Vec::new()) }
}

/// What it says, and what it said that is over, for whoever tells why that counts no more.
pub(crate) fn ever(
    context: &Context,
    whose: &Whose,
    environment: Option<&str>,
) -> anyhow::Result<Vec<Statement>> {
    if environment.is_none() && !whose.is_named(context)? {
        return Ok(Vec::new());
    }
    let asking = ask(context, whose, async |asking| held(asking, environment, true).await);
    Ok(known(context, asking))
}

/// What the organisation says of what runs there. Where it cannot be asked nothing is out of the way, and
/// that is said.
pub(crate) fn there(context: &Context, whose: &Whose, environment: Option<&str>) -> Vec<Statement> {
    known(context, ask(context, whose, async |asking| told(asking, environment).await))
}

fn known(context: &Context, asked: anyhow::Result<Vec<Statement>>) -> Vec<Statement> {
    asked.unwrap_or_else(|error| {
        let why = "Exceptions are not known, so nothing is out of the way by them";
        context.messages.warn(&format!("{why}: {error}"));
        Vec::new()
    })
}

/// The same, for whoever asks for other things, too.
pub(crate) async fn told(
    asking: &Asking,
    environment: Option<&str>,
) -> anyhow::Result<Vec<Statement>> {
    held(asking, environment, false).await
}

async fn held(
    asking: &Asking,
    environment: Option<&str>,
    expired: bool,
) -> anyhow::Result<Vec<Statement>> {
    let all = asking.client.exceptions(&asking.organisation).await?.items;
    // What is over by the server's clock never counts here, whatever the hour is.
    let now = Moment::from_micros(jiff::Timestamp::now().as_microsecond());
    let is_over = |it: &&Kept| {
        let ends = it.definition.expires.as_deref().and_then(|it| it.parse::<Moment>().ok());
        ends.is_some_and(|it| it <= now)
    };
    let held = all.iter().filter(|it| !it.expired || expired && is_over(it)).map(decided);
    let held: Vec<Exception> = held.collect::<anyhow::Result<_>>()?;
    Ok(held.iter().filter(|it| it.holds_in(environment)).map(Exception::statement).collect())
}

/// What was decided.
pub(crate) fn decided(kept: &Kept) -> anyhow::Result<Exception> {
    let said = kept.definition.clone().decided(&kept.name, &kept.changed_by, &kept.changed);
    said.ok_or_else(|| {
        let kind = &kept.definition.kind;
        let what = format!("exception {}: nobody here knows the kind {kind}", kept.name);
        Failure::error(what, "the server is newer than this program: update it")
    })
}
