//! Judging: what is wrong with an inventory, on a core of its own.

use std::sync::Arc;

use api::{Judging, Sort};
use engine::{Filter, Lookout};
use model::{Analysis, ImageState, Inventory, OrganisationId};
use regex::{Regex, RegexBuilder};

use crate::app::App;
use crate::exceptions::Lookouts;
use crate::refusal::Refusal;

/// Whose statements count is said by so many patterns at most, each of so many letters,
const AUTHORS: usize = 100;
const PATTERN: usize = 1_000;
/// and of so many bytes once it is understood.
const UNDERSTOOD: usize = 256 << 10;

/// What is wrong with an inventory of an organisation now, where it runs if that is said.
pub(crate) async fn analysis(
    app: &App,
    organisation: &OrganisationId,
    inventory: Inventory,
    judging: Judging,
) -> Result<Analysis, Refusal> {
    let (brief, environment) = (judging.brief, judging.environment.clone());
    let mut lookouts = Lookouts::of(app, organisation, judging).await?;
    let lookout = lookouts.there(environment.as_deref());
    let judged = on_a_core(app, &lookout, move |lookout| {
        if brief {
            lookout.analyze_in_brief(inventory, &Filter::default())
        } else {
            lookout.analyze(inventory, &Filter::default())
        }
    });
    judged.await
}

/// Why nobody knows what is inside an image, of which that is known.
pub(crate) fn why_unread(state: Option<ImageState>) -> String {
    match state {
        Some(ImageState::Failed { why }) => format!("reading it failed: {why}"),
        _ => "it is not analysed yet".to_owned(),
    }
}

/// Whose words count.
pub(crate) fn authors(said: &[String]) -> Result<Vec<Regex>, Refusal> {
    let refused = |why: &dyn std::fmt::Display| Refusal::malformed("authors", why);
    if said.len() > AUTHORS {
        return Err(refused(&format!("there are more than {AUTHORS}")));
    }
    let read = |text: &String| {
        if text.len() > PATTERN {
            return Err(refused(&format!("one is longer than {PATTERN} letters")));
        }
        let pattern = RegexBuilder::new(text).size_limit(UNDERSTOOD).build();
        pattern.map_err(|error| refused(&error))
    };
    said.iter().map(read).collect()
}

/// Does what takes a core to itself, when there is one. What rests on half an almanac is no answer.
pub(crate) async fn on_a_core<T: Send + 'static>(
    app: &App,
    lookout: &Arc<Lookout>,
    work: impl FnOnce(&Lookout) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let failed = |_| Refusal::from(Sort::Failed.because("the analysis broke off"));
    let permit = Arc::clone(&app.cores)
        .acquire_owned()
        .await
        .map_err(|_| Refusal::from(Sort::Unavailable.because("the server is shutting down")))?;
    let lookout = Arc::clone(lookout);
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let made = work(&lookout);
        match lookout.almanac().torn() {
            Some(error) => Err(Sort::Unavailable.because(error.to_string()).into()),
            None => Ok(made),
        }
    });
    done.await.map_err(failed)?
}
