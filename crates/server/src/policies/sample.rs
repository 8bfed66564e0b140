//! How many images meet which policies: what results tell, and what is kept of each day.

use std::collections::BTreeMap;

use api::{PolicySample, PolicyState, PolicyTally, PolicyTitle};
use model::Level;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use store::Counts;

/// What policies say of an image, but for the words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct States {
    /// Its health score; none, where no policy has points.
    pub(crate) health: Option<String>,
    /// By policy.
    pub(crate) policies: BTreeMap<String, PolicyState>,
}

impl States {
    /// As they are kept; what nobody understands any more is judged anew.
    pub(crate) fn read(kept: &Json) -> Option<Self> {
        Self::deserialize(kept).ok()
    }
}

/// How many images meet which policies, as it is kept of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) images: u64,
    pub(crate) pending: u64,
    pub(crate) policies: Vec<PolicyTally>,
    pub(crate) health: BTreeMap<String, u64>,
    pub(crate) findings: BTreeMap<String, u64>,
}

impl Sample {
    /// Of no image yet.
    pub(crate) fn of(titles: &[PolicyTitle]) -> Self {
        let tally = |it: &PolicyTitle| PolicyTally {
            id: it.id.clone(),
            title: it.title.clone(),
            ..PolicyTally::default()
        };
        Self { policies: titles.iter().map(tally).collect(), ..Self::default() }
    }

    /// One more image; none: nobody can tell yet what policies say of it.
    pub(crate) fn add(&mut self, states: Option<&States>) {
        self.images += 1;
        let Some(states) = states else {
            self.pending += 1;
            return;
        };
        for it in &mut self.policies {
            *match states.policies.get(&it.id) {
                Some(PolicyState::Met) => &mut it.met,
                Some(PolicyState::NotMet) => &mut it.not_met,
                Some(PolicyState::Unknown) | None => &mut it.unknown,
            } += 1;
        }
        if let Some(grade) = &states.health {
            *self.health.entry(grade.clone()).or_default() += 1;
        }
    }

    /// So many findings were counted there.
    pub(crate) fn count(&mut self, counts: &Counts) {
        let levels = [
            (Level::Critical, counts.critical),
            (Level::High, counts.high),
            (Level::Medium, counts.medium),
            (Level::Low, counts.low),
            (Level::Unspecified, counts.unspecified),
        ];
        self.findings = levels.map(|(level, count)| (level.as_str().to_owned(), count)).into();
    }

    /// As it is told of a day.
    pub(crate) fn on(self, day: String) -> PolicySample {
        let Self { images, pending, policies, health, findings } = self;
        PolicySample { day, images, pending, policies, health, findings }
    }
}
