//! Environments that are there: of those that are gone events tell, and no page does.

use std::collections::BTreeSet;

use api::{Environment, Event, PageQuery};

use crate::html::Html;
use crate::refused::Refused;
use crate::visit::{PART, Visit};

/// The environments that are there, by name; of very many, the first by name.
#[derive(Default)]
pub(crate) struct Places(BTreeSet<String>);

impl Places {
    /// Those that events tell of, where they are there; `known` are some that are.
    pub(crate) async fn of(
        visit: &Visit,
        known: &[Environment],
        events: &[&[Event]],
    ) -> Result<Self, Refused> {
        let mut there: BTreeSet<String> = known.iter().map(|it| it.name.clone()).collect();
        if missed(&there, events) {
            let page = PageQuery { after: None, limit: Some(PART) };
            let all = visit.client.environments(visit.organisation(), &page).await?;
            there.extend(all.items.into_iter().map(|it| it.name));
        }
        Ok(Self(there))
    }

    /// Its name, which leads to it where it is there.
    pub(crate) fn link(&self, visit: &Visit, name: &str) -> Html {
        let text = Html::text(name);
        if self.0.contains(name) {
            Html::link(&visit.to(&["environments", name]), text)
        } else {
            text
        }
    }
}

/// Do they tell of one that is not among these?
fn missed(there: &BTreeSet<String>, events: &[&[Event]]) -> bool {
    let all = events.iter().flat_map(|it| it.iter());
    all.filter_map(|it| it.environment.as_ref()).any(|it| !there.contains(it))
}
