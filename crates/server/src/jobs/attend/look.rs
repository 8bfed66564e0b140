//! A registry is looked at as a whole, in as many turns as that takes.

use integration::watch::{Memory, Report, Watch, WatchError};
use integration::{Listed, Repository};
use model::Moment;
use store::{IntegrationRecord, IntegrationState};

use super::witness::{Looking, Witness, as_look};
use super::{OVER, became};
use crate::app::App;
use crate::parties::Party;

/// Gaps of one look that are told to the log.
const TOLD: usize = 20;

/// Looks at all of it, when that is due, and says when it is again.
pub(super) async fn look_if_due(
    app: &App,
    record: &IntegrationRecord,
    watch: &Watch<'_>,
    witness: &Witness<'_>,
    memory: &dyn Memory,
) -> Result<(), String> {
    let told = |error: store::Error| error.to_string();
    let began = app.now();
    let Some(due) = app.store.look_due(record, began).await.map_err(told)? else { return Ok(()) };
    witness.party.looking().begin(due);
    let looked = as_look(look(app, record, watch, witness, memory)).await;
    if witness.turn.is_stopped() {
        // Nobody knows how far it got: it begins anew.
        return looked.map(|_| ()).map_err(|error| error.to_string());
    }
    let (outcome, is_left) = match looked {
        Ok((report, looked)) => {
            let mut looking = witness.party.looking();
            noted(record, &mut looking, &report);
            (Ok(report), looking.end(looked))
        }
        Err(WatchError::Lost(lost)) => return Err(lost.to_string()),
        Err(error) => (Err(error), false),
    };
    if is_left {
        return Ok(());
    }
    let looking = std::mem::take(&mut *witness.party.looking());
    let outcome = all_failed(outcome, &looking);
    let is_whole = outcome.as_ref().is_ok_and(Report::is_whole) && looking.gaps == 0;
    witness.party.rounds().looked(began, is_whole);
    let rest = witness.party.rhythm().rest(&outcome);
    let rest = i64::try_from(rest.as_secs()).unwrap_or(i64::MAX);
    app.store.look_again(record, began, app.now().plus_seconds(rest)).await.map_err(told)?;
    let mut state = state(&outcome, &looking, witness.party);
    if outcome.is_ok() {
        state = witness.party.found(state, looking.is_partial);
    }
    became(app, record, state).await
}

/// Looks at what is left of it, and says what that was. Where the registry tells what changed, all of
/// it is looked at now and then alone.
async fn look(
    app: &App,
    record: &IntegrationRecord,
    watch: &Watch<'_>,
    witness: &Witness<'_>,
    memory: &dyn Memory,
) -> Result<(Report, Listed<Repository>), WatchError> {
    let off = app.store.disabled_repositories(&record.organisation).await;
    let off = off.map_err(|error| integration::watch::Lost(error.to_string()))?;
    let left = witness.party.looking().left.take();
    if left.is_none()
        && let Some(since) = since(app, record, witness).await?
        && let Some(report) = watch.look_since(since).await?
    {
        witness.party.looking().is_partial = true;
        return Ok((report, Listed::default()));
    }
    let mut listed = if let Some(left) = left {
        left
    } else {
        let listed = watch.repositories().await?;
        let registry = witness.directory.registry();
        if !memory.has_begun(registry).await? {
            // Also those that are switched off: once they are on, what is in them is not new.
            memory.begin(registry, &listed.all).await?;
        }
        listed
    };
    listed.all.retain(|it| !off.contains(&format!("{}/{}", it.registry, it.name)));
    let report = watch.look(&listed).await?;
    Ok((report, listed))
}

/// From when on it is asked what changed. Of what somebody waits for, everything is looked at.
async fn since(
    app: &App,
    record: &IntegrationRecord,
    witness: &Witness<'_>,
) -> Result<Option<Moment>, WatchError> {
    let Some(since) = witness.party.rounds().since() else { return Ok(None) };
    let awaits = app.store.awaits(record).await;
    let awaits = awaits.map_err(|error| integration::watch::Lost(error.to_string()))?;
    Ok(Some(since).filter(|_| !awaits))
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
fn state(
    outcome: &Result<Report, WatchError>,
    looking: &Looking,
    party: &Party,
) -> IntegrationState {
    let is_denied = looking.denied.is_some()
        || matches!(outcome, Err(WatchError::Failed(it)) if matches!(it.error, image::Error::Denied { .. }));
    if is_denied && party.awaits_password() {
        return IntegrationState::Pending;
    }
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
