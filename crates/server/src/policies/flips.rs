//! Flips: what runs meets a policy that it did not, or does not any more, and why that may be.

use std::collections::{BTreeMap, BTreeSet};

use api::{PolicyState, PolicyTitle};
use model::EventKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use store::NewEvent;

/// Images that an event names.
const NAMED: usize = 20;

/// Which policies an application meets, and what that rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Standing {
    /// The images that it runs.
    pub(super) images: BTreeSet<String>,
    /// The policies that it was judged by,
    pub(super) set: String,
    /// and the exceptions that held.
    pub(super) exceptions: String,
    /// By policy, of all its images the worst.
    pub(super) policies: BTreeMap<String, PolicyState>,
}

/// A policy of which an application meets something else than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flip {
    pub(super) policy: String,
    pub(super) from: PolicyState,
    pub(super) to: PolicyState,
    /// `image`, `policies`, `exceptions`, `world`.
    pub(super) reason: &'static str,
}

impl Standing {
    /// As it is kept; of what nobody understands any more this is the first.
    pub(super) fn read(kept: &Json) -> Option<Self> {
        Self::deserialize(kept).ok()
    }

    /// One more of its images.
    pub(super) fn add(&mut self, digest: &str, policies: &BTreeMap<String, PolicyState>) {
        self.images.insert(digest.to_owned());
        for (policy, state) in policies {
            let it = self.policies.entry(policy.clone()).or_insert(*state);
            *it = (*it).max(*state);
        }
    }

    /// What is different from before. A policy that did not count then, or does not now, is no flip.
    pub(super) fn since(&self, former: &Self) -> Vec<Flip> {
        let reason = if self.images != former.images {
            "image"
        } else if self.set != former.set {
            "policies"
        } else if self.exceptions != former.exceptions {
            "exceptions"
        } else {
            "world"
        };
        let flip = |(policy, to): (&String, &PolicyState)| {
            let from = former.policies.get(policy).filter(|it| *it != to)?;
            Some(Flip { policy: policy.clone(), from: *from, to: *to, reason })
        };
        self.policies.iter().filter_map(flip).collect()
    }
}

/// What one policy says of the image that decides, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) id: String,
    pub(crate) state: Option<PolicyState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    #[serde(default)]
    pub(crate) count: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) messages: Vec<String>,
}

/// Where it is, and what it is about.
pub(super) struct Place<'a> {
    pub(super) environment: &'a str,
    pub(super) application: &'a str,
    pub(super) repository: &'a str,
    pub(super) titles: &'a [PolicyTitle],
    pub(super) former: &'a Standing,
    pub(super) present: &'a Standing,
}

/// The event that tells of a flip; `said` are the words of the image that decides.
pub(super) fn event(flip: &Flip, place: &Place<'_>, said: Option<&Said>) -> NewEvent {
    let title = place.titles.iter().find(|it| it.id == flip.policy);
    let title = title.map_or(flip.policy.as_str(), |it| &it.title);
    let some = |it: &BTreeSet<String>| it.iter().take(NAMED).cloned().collect::<Vec<_>>();
    let words = said.and_then(|it| it.why.clone().or_else(|| it.messages.first().cloned()));
    let detail = json!({
        "policy": flip.policy,
        "title": title,
        "from": flip.from,
        "to": flip.to,
        "reason": flip.reason,
        "why": words,
        "violations": said.map(|it| it.count),
        "repository": place.repository,
        "images": place.present.images.len(),
        "digests": some(&place.present.images),
        "former_digests": some(&place.former.images),
    });
    NewEvent {
        kind: EventKind::PolicyFlipped,
        environment: Some(place.environment.to_owned()),
        about: place.application.to_owned(),
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(images: &[&str], set: &str, exceptions: &str, met: &[(&str, u8)]) -> Standing {
        let state = |number: u8| match number {
            0 => PolicyState::Met,
            1 => PolicyState::Unknown,
            _ => PolicyState::NotMet,
        };
        Standing {
            images: images.iter().map(|it| (*it).to_owned()).collect(),
            set: set.to_owned(),
            exceptions: exceptions.to_owned(),
            policies: met.iter().map(|(id, it)| ((*id).to_owned(), state(*it))).collect(),
        }
    }

    #[test]
    fn what_flipped_and_why() {
        let former = standing(&["a"], "s", "x", &[("gaps", 0), ("user", 2), ("old", 0)]);
        let check = |present: Standing, expect: &[&str]| {
            let flips = present.since(&former);
            let line = |it: &Flip| {
                format!("{}: {}→{} {}", it.policy, it.from.words(), it.to.words(), it.reason)
            };
            assert_eq!(flips.iter().map(line).collect::<Vec<_>>(), expect);
        };
        check(former.clone(), &[]);
        check(standing(&["b"], "t", "y", &[("gaps", 2)]), &["gaps: met→not met image"]);
        check(standing(&["a"], "t", "y", &[("gaps", 1)]), &["gaps: met→unknown policies"]);
        check(standing(&["a"], "s", "y", &[("user", 0)]), &["user: not met→met exceptions"]);
        check(standing(&["a"], "s", "x", &[("user", 1)]), &["user: not met→unknown world"]);
        // A policy that is new says something for the first time.
        check(standing(&["a"], "t", "x", &[("new", 2)]), &[]);
    }

    #[test]
    fn of_several_images_the_worst_counts() {
        let mut it = Standing::default();
        for (digest, state) in
            [("a", PolicyState::Met), ("b", PolicyState::NotMet), ("c", PolicyState::Unknown)]
        {
            it.add(digest, &BTreeMap::from([("gaps".to_owned(), state)]));
        }
        assert_eq!(it.policies["gaps"], PolicyState::NotMet);
        assert_eq!(it.images.len(), 3);
    }
}
