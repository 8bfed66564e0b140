//! Judging: what is wrong with an inventory, on a core of its own.

use std::sync::Arc;

use api::{Judging, Sort};
use engine::{Filter, Lookout};
use model::{Analysis, Inventory};
use regex::Regex;

use crate::app::App;
use crate::refusal::Refusal;

/// What is wrong with `inventory` now.
pub(crate) async fn analysis(
    app: &App,
    inventory: Inventory,
    judging: Judging,
) -> Result<Analysis, Refusal> {
    let brief = judging.brief;
    let lookout = lookout(app, judging)?;
    let (lookout, analysis) = on_a_core(app, move || {
        let analysis = if brief {
            lookout.analyze_in_brief(inventory, &Filter::default())
        } else {
            lookout.analyze(inventory, &Filter::default())
        };
        (lookout, analysis)
    })
    .await?;
    // What rests on half an almanac is no answer.
    match lookout.almanac().torn() {
        Some(error) => Err(Sort::Unavailable.because(error.to_string()).into()),
        None => Ok(analysis),
    }
}

/// What findings rest on now.
pub(crate) fn lookout(app: &App, judging: Judging) -> Result<Lookout, Refusal> {
    let authors = judging.authors.iter().map(|it| Regex::new(it));
    let authors: Vec<Regex> =
        authors.collect::<Result<_, _>>().map_err(|error| Refusal::malformed("authors", error))?;
    let lookout = app.world.lookout(app.now())?;
    Ok(lookout
        .with_statements(judging.statements)
        .with_authors(authors)
        .with_declared(judging.declared))
}

/// Does what takes a core to itself, when there is one.
pub(crate) async fn on_a_core<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let failed = |_| Refusal::from(Sort::Failed.because("the analysis broke off"));
    let permit = Arc::clone(&app.cores)
        .acquire_owned()
        .await
        .map_err(|_| Refusal::from(Sort::Unavailable.because("the server is shutting down")))?;
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    done.await.map_err(failed)
}
