//! A registry is looked at as a whole, in as many turns as that takes.

use integration::watch::{Report, Watch, WatchError};
use store::{IntegrationRecord, IntegrationState};

use super::witness::{Looking, Witness, key};
use super::{OVER, became};
use crate::app::App;

/// Gaps of one look that are told to the log.
const TOLD: usize = 20;

/// Looks at all of it, when that is due, and says when it is again.
pub(super) async fn look_if_due(
    app: &App,
    record: &IntegrationRecord,
    watch: &Watch<'_>,
    witness: &Witness<'_>,
) -> Result<(), String> {
    let told = |error: store::Error| error.to_string();
    let began = app.now();
    if !app.store.is_look_due(&record.id, began).await.map_err(told)? {
        return Ok(());
    }
    witness.party.looking().is_left = false;
    let outcome = look(app, record, watch, witness).await;
    let outcome = match outcome {
        Err(WatchError::Lost(lost)) => return Err(lost.to_string()),
        other => other,
    };
    let looking = {
        let mut looking = witness.party.looking();
        if let Ok(report) = &outcome {
            noted(record, &mut looking, report);
        }
        if looking.is_left && outcome.is_ok() {
            return Ok(());
        }
        std::mem::take(&mut *looking)
    };
    let outcome = all_failed(outcome, &looking);
    let rest = witness.party.rhythm().rest(&outcome);
    let rest = i64::try_from(rest.as_secs()).unwrap_or(i64::MAX);
    app.store.look_again(&record.id, began, app.now().plus_seconds(rest)).await.map_err(told)?;
    became(app, record, state(&outcome, &looking)).await
}

async fn look(
    app: &App,
    record: &IntegrationRecord,
    watch: &Watch<'_>,
    witness: &Witness<'_>,
) -> Result<Report, WatchError> {
    let off = app.store.disabled_repositories(&record.organisation).await;
    let off = off.map_err(|error| integration::watch::Lost(error.to_string()))?;
    let mut listed = watch.repositories().await?;
    listed.all.retain(|it| !off.contains(&format!("{}/{}", it.registry, it.name)));
    {
        // Those of the turns before are done.
        let looking = witness.party.looking();
        listed.all.retain(|it| !looking.asked.contains(&key(it)));
    }
    watch.look(&listed).await
}

/// Adds what came of one turn.
fn noted(record: &IntegrationRecord, looking: &mut Looking, report: &Report) {
    let gaps = || report.gaps.iter().filter(|it| it.why != OVER);
    for gap in gaps().take(TOLD) {
        tracing::warn!(integration = record.id, %gap, "not looked at");
    }
    looking.gaps += gaps().count();
    if looking.gap.is_none() {
        looking.gap = gaps().next().cloned();
    }
    let Report { tags, analyzed, gone, .. } = *report;
    tracing::info!(integration = record.id, tags, analyzed, gone, "looked");
}

/// A look that came to nothing has failed as a whole.
fn all_failed(
    outcome: Result<Report, WatchError>,
    looking: &Looking,
) -> Result<Report, WatchError> {
    let report = outcome?;
    if looking.tried == 0 || looking.failed < looking.tried {
        return Ok(report);
    }
    let gap = looking.gap.as_ref();
    let (what, why) =
        gap.map_or(("it", "it cannot be listed"), |it| (it.at.as_str(), it.why.as_str()));
    let error = image::Error::unavailable(what, why);
    Err(WatchError::Failed(integration::Failure { error, wait: report.wait }))
}

/// Does it work, after all that?
fn state(outcome: &Result<Report, WatchError>, looking: &Looking) -> IntegrationState {
    if let Some(why) = &looking.denied {
        return IntegrationState::Failed { why: why.clone() };
    }
    if let Err(error) = outcome {
        return IntegrationState::Failed { why: error.to_string() };
    }
    let but = looking.gap.as_ref().map(|gap| match looking.gaps {
        1 => format!("one thing could not be looked at: {gap}"),
        gaps => format!("{gaps} things could not be looked at, the first of them {gap}"),
    });
    IntegrationState::Connected { but }
}
