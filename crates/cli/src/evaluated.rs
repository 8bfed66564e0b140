//! Another almanac is put into place: what it changes for what runs, where that is remembered here.

use std::path::Path;

use model::EventKind;
use server::{Evaluated, evaluate};

use crate::Context;
use crate::asking::{LOCAL, app, database, server};
use crate::messages::count;

/// Does what puts another almanac into place, and tells in a line what that changes. That this cannot
/// be told is no reason not to have the almanac.
pub(crate) fn installing(
    context: &Context,
    directory: &Path,
    install: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // What was there before is what it is compared with, also where nobody judged by it yet.
    if let Err(error) = judged(context, directory) {
        context.messages.debug(&format!("what runs was not judged before: {error}"));
    }
    install()?;
    match judged(context, directory) {
        Ok(evaluated) => evaluated.iter().for_each(|it| tell(it, context)),
        Err(error) => {
            let what = format!("What it changes for what runs cannot be told: {error}");
            context.messages.warn(&what);
        }
    }
    Ok(())
}

/// Judges what runs by the almanac that is there. Where a server remembers it, or nobody does, there
/// is nothing to do; and an almanac that is not in the usual place is not what we judge by.
fn judged(context: &Context, directory: &Path) -> anyhow::Result<Vec<Evaluated>> {
    let environment = &context.environment;
    let is_other = environment.almanac_directory().map_or(true, |it| it != directory);
    if is_other || !environment.has_database() || server(context)?.is_some() {
        return Ok(Vec::new());
    }
    crate::runtime()?.block_on(async {
        let store = database(context).await?;
        let app = app(context, store.clone(), Some(directory.to_owned()))?;
        let evaluated = evaluate(&app, true).await;
        store.close().await;
        evaluated.map_err(anyhow::Error::msg)
    })
}

fn tell(evaluated: &Evaluated, context: &Context) {
    let parts: Vec<String> = evaluated
        .changed
        .iter()
        .filter_map(|(kind, it)| {
            let places: Vec<&str> = it.environments.iter().map(String::as_str).collect();
            let places = match places.len() {
                0 => String::new(),
                1..=3 => format!(" in {}", places.join(", ")),
                more => format!(" in {more} environments"),
            };
            Some(format!("{}{places}", words(*kind, it.changes as u64)?))
        })
        .collect();
    if parts.is_empty() {
        return;
    }
    let name = &evaluated.organisation.name;
    let whose = if name == LOCAL { String::new() } else { format!("Organization {name}: ") };
    let line = format!("{whose}{}: foretop events --kind finding", parts.join("; "));
    let is_good = evaluated.changed.keys().all(|it| *it == EventKind::FindingGone);
    if is_good { context.messages.done(&line) } else { context.messages.warn(&line) }
}

/// `3 new findings`.
fn words(kind: EventKind, changes: u64) -> Option<String> {
    let findings = count(changes, "finding", "findings");
    Some(match kind {
        EventKind::FindingNew => count(changes, "new finding", "new findings"),
        EventKind::FindingExploited => format!("{findings} known to be exploited"),
        EventKind::FindingSeverityChanged => format!("{findings} rated otherwise"),
        EventKind::FindingFixAvailable => format!("{findings} with another fix"),
        EventKind::FindingFixWithdrawn => format!("{findings} without a fix again"),
        EventKind::FindingGone => format!("{findings} gone"),
        EventKind::EvaluationIncomplete => {
            format!("{} that cannot be told", count(changes, "change", "changes"))
        }
        _ => return None,
    })
}
