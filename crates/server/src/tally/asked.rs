//! Ledgers, for whoever asks what is wrong: the latest one, made anew where things are others by now.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{EventKind, OrganisationId};

use super::{Ledger, Tally};
use crate::app::App;
use crate::refusal::Refusal;

/// What makes a ledger an old one: all of these, and what else runs.
pub(super) const NEWS: [EventKind; 13] = [
    EventKind::ImageAnalysed,
    EventKind::ImageDeleted,
    EventKind::Expired,
    EventKind::ExceptionSet,
    EventKind::ExceptionDeleted,
    EventKind::ExceptionExpired,
    EventKind::DeploymentStarted,
    EventKind::DeploymentReplaced,
    EventKind::DeploymentEnded,
    EventKind::DeploymentIdentified,
    EventKind::EnvironmentCreated,
    EventKind::EnvironmentRenamed,
    EventKind::EnvironmentDeleted,
];
/// Whoever asks for the first ledger of so few images waits so long for it; who could have a former one, or
/// asks for one that takes minutes, so long.
const FEW: u32 = 100;
const FIRST: Duration = Duration::from_secs(5);
const NEXT: Duration = Duration::from_millis(50);

impl Tally {
    pub(super) fn keep(&self, organisation: &OrganisationId, ledger: Ledger) {
        let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = ledgers.get(organisation).is_none_or(|it| it.began < ledger.began);
        if newer {
            ledgers.insert(organisation.clone(), Arc::new(ledger));
        }
    }

    fn latest(&self, organisation: &OrganisationId) -> Option<Arc<Ledger>> {
        let ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        ledgers.get(organisation).cloned()
    }

    /// What is wrong with what runs of an organisation. Where that changed, it is counted anew, and whoever
    /// asks gets the former one if that takes long; none, if it is the first time.
    pub(crate) async fn ledger(
        &self,
        app: &App,
        organisation: &OrganisationId,
    ) -> Result<Option<Arc<Ledger>>, Refusal> {
        let former = self.latest(organisation);
        let patience = match &former {
            Some(ledger) if ledger.holds(app).await? => return Ok(former),
            // Who counted for long does not begin again at once.
            Some(ledger) if ledger.is_resting() => return Ok(former),
            None if are_few(app, organisation).await? => FIRST,
            Some(_) | None => NEXT,
        };
        if !self.begins(organisation) {
            // Somebody is at it.
            if former.is_none() {
                self.wait(organisation, patience).await;
            }
            return Ok(self.latest(organisation));
        }
        let (own, whose) = (app.clone(), organisation.clone());
        let done = Done(Arc::clone(&self.asked), whose.clone());
        let counting = tokio::spawn(async move {
            let _done = done;
            if let Err(why) = own.tally.count(&own, &whose).await {
                tracing::warn!(organisation = whose.0, why, "counting findings");
            }
        });
        let _ = tokio::time::timeout(patience, counting).await;
        Ok(self.latest(organisation))
    }

    /// Nobody else counts because somebody asked.
    fn begins(&self, organisation: &OrganisationId) -> bool {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(organisation.clone())
    }

    fn is_asked(&self, organisation: &OrganisationId) -> bool {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).contains(organisation)
    }

    /// Until there is a ledger, or nobody makes one any more.
    async fn wait(&self, organisation: &OrganisationId, patience: Duration) {
        let is_there = async {
            while self.latest(organisation).is_none() && self.is_asked(organisation) {
                tokio::time::sleep(NEXT).await;
            }
        };
        let _ = tokio::time::timeout(patience, is_there).await;
    }

    /// Of organisations that are deleted nothing is kept.
    pub(super) fn keep_those(&self, there: &HashSet<OrganisationId>) {
        let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        ledgers.retain(|whose, _| there.contains(whose));
    }
}

/// Do so few images run that they are counted in a moment?
async fn are_few(app: &App, organisation: &OrganisationId) -> Result<bool, Refusal> {
    let some = app.store.running_images_after(Some(organisation), "", FEW + 1).await?;
    Ok(some.len() <= FEW as usize)
}

/// Nobody counts because of that any more, however it ended.
struct Done(Arc<Mutex<BTreeSet<OrganisationId>>>, OrganisationId);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}
