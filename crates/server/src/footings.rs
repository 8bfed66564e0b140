//! Which image each of an organisation's images stands on, for all of them at once: by their layers, by
//! what was taught, and by what they say themselves. No registry is asked.

pub(crate) mod brought;
mod ground;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::OrganisationId;

use crate::app::App;
use crate::refusal::Refusal;

pub(crate) use self::ground::{Footing, Ground, Image, Way};
use self::survey::Survey;

/// Whoever asks for the first one waits so long for it; who could have a former one, so long.
const FIRST: Duration = Duration::from_secs(5);
const NEXT: Duration = Duration::from_secs(1);
/// Whoever asks beside other things waits no longer than that.
const BESIDE: Duration = Duration::from_millis(100);
/// While others make one, it is looked for so often.
const STEP: Duration = Duration::from_millis(20);
/// Who took so long rests so many times as long.
const QUICK: Duration = Duration::from_millis(200);
const RESTS: u32 = 5;

/// Keeps the grounds of those who asked.
#[derive(Default)]
pub(crate) struct Footings {
    grounds: Mutex<HashMap<OrganisationId, Arc<Ground>>>,
    surveys: tokio::sync::Mutex<HashMap<OrganisationId, Survey>>,
    /// Those for whom somebody makes one.
    asked: Arc<Mutex<BTreeSet<OrganisationId>>>,
    /// What bases brought, as it was judged.
    kept: brought::Kept,
}

impl Footings {
    /// What images stand on now; the former one where that takes long, and none if it is the first.
    pub(crate) async fn ground(
        &self,
        app: &App,
        organisation: &OrganisationId,
    ) -> Result<Option<Arc<Ground>>, Refusal> {
        self.within(app, organisation, FIRST).await
    }

    /// The same for who has other things to tell, too, and does not wait for it.
    pub(crate) async fn at_hand(
        &self,
        app: &App,
        organisation: &OrganisationId,
    ) -> Result<Option<Arc<Ground>>, Refusal> {
        self.within(app, organisation, BESIDE).await
    }

    async fn within(
        &self,
        app: &App,
        organisation: &OrganisationId,
        most: Duration,
    ) -> Result<Option<Arc<Ground>>, Refusal> {
        let former = self.latest(organisation);
        let patience = match &former {
            Some(ground) if ground.holds(&app.store, organisation).await? => return Ok(former),
            Some(ground) if ground.is_resting() => return Ok(former),
            Some(_) => NEXT.min(most),
            None => most,
        };
        if !self.begins(organisation) {
            if former.is_none() {
                self.wait(organisation, most).await;
            }
            return Ok(self.latest(organisation));
        }
        let (own, whose) = (app.clone(), organisation.clone());
        let done = Done(Arc::clone(&self.asked), whose.clone());
        let making = tokio::spawn(async move {
            let _done = done;
            if let Err(error) = own.footings.make(&own, &whose).await {
                tracing::warn!(organisation = whose.0, %error, "looking at what images stand on");
            }
        });
        let _ = tokio::time::timeout(patience, making).await;
        Ok(self.latest(organisation))
    }

    async fn make(&self, app: &App, organisation: &OrganisationId) -> Result<(), store::Error> {
        let began = Instant::now();
        let mut surveys = self.surveys.lock().await;
        let there = app.store.organisation_ids().await?;
        surveys.retain(|whose, _| there.contains(whose));
        let known = surveys.remove(organisation);
        let survey = Survey::now(known, &app.store, organisation).await?;
        let drawn = tokio::task::spawn_blocking(move || {
            let ground = survey.ground(began);
            (survey, ground)
        });
        // Where it broke off there is none, and the next one begins anew.
        let Ok((survey, ground)) = drawn.await else { return Ok(()) };
        surveys.insert(organisation.clone(), survey);
        drop(surveys);
        let mut grounds = self.grounds.lock().unwrap_or_else(PoisonError::into_inner);
        grounds.retain(|whose, _| there.contains(whose));
        grounds.insert(organisation.clone(), Arc::new(ground));
        Ok(())
    }

    fn latest(&self, organisation: &OrganisationId) -> Option<Arc<Ground>> {
        let grounds = self.grounds.lock().unwrap_or_else(PoisonError::into_inner);
        grounds.get(organisation).cloned()
    }

    fn begins(&self, organisation: &OrganisationId) -> bool {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(organisation.clone())
    }

    async fn wait(&self, organisation: &OrganisationId, most: Duration) {
        let is_asked = || {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.contains(organisation)
        };
        let is_there = async {
            while self.latest(organisation).is_none() && is_asked() {
                tokio::time::sleep(STEP).await;
            }
        };
        let _ = tokio::time::timeout(most, is_there).await;
    }
}

/// Nobody makes one any more, however it ended.
struct Done(Arc<Mutex<BTreeSet<OrganisationId>>>, OrganisationId);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}
