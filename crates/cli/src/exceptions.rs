//! What an organisation decided about flaws, for images that are read here.

use api::Exception as Kept;
use model::{Exception, Statement};

use crate::Context;
use crate::asking::{Asking, Whose, ask};
use crate::failure::Failure;

/// What the organisation that is named says, by `--org` or for all commands, of what runs nowhere yet.
pub(crate) fn of(context: &Context, whose: &Whose) -> anyhow::Result<Vec<Statement>> {
    if whose.is_named(context)? { Ok(there(context, whose, None)) } else { Ok(Vec::new()) }
}

/// What the organisation says of what runs there. Where it cannot be asked nothing is out of the way, and
/// that is said.
pub(crate) fn there(context: &Context, whose: &Whose, environment: Option<&str>) -> Vec<Statement> {
    ask(context, whose, async |asking| told(asking, environment).await).unwrap_or_else(|error| {
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
    let all = asking.client.exceptions(&asking.organisation).await?.items;
    let held = all.iter().filter(|it| !it.expired).map(decided);
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
