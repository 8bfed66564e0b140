//! Judging: what is wrong with an inventory, on a core of its own.

use std::sync::Arc;

use api::{Judging, Sort};
use engine::Filter;
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
    let authors = judging.authors.iter().map(|it| Regex::new(it));
    let authors: Vec<Regex> =
        authors.collect::<Result<_, _>>().map_err(|error| Refusal::malformed("authors", error))?;
    let lookout = app.world.lookout(app.now())?;
    let lookout = lookout
        .with_statements(judging.statements)
        .with_authors(authors)
        .with_declared(judging.declared);
    let failed = |_| Refusal::from(Sort::Failed.because("the analysis broke off"));
    let permit = Arc::clone(&app.cores)
        .acquire_owned()
        .await
        .map_err(|_| Refusal::from(Sort::Unavailable.because("the server is shutting down")))?;
    let judged = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        if judging.brief {
            lookout.analyze_in_brief(inventory, &Filter::default())
        } else {
            lookout.analyze(inventory, &Filter::default())
        }
    });
    judged.await.map_err(failed)
}
