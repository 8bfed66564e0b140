//! What was decided about flaws, and which images that concerns: those in which there is one of them, out of
//! the way or not. Others need not be judged anew because of it.

use std::collections::{BTreeMap, HashSet};

use model::{Digest, Exception, Moment, OrganisationId};
use roaring::RoaringBitmap;

use super::told::Said;
use super::{Judged, Known, Own, Wanted};
use crate::exceptions::Lookouts;

/// Stands for any flaw.
const ANY: &str = "*";

/// The exceptions of an organisation, each with whether its time is over.
#[derive(Default)]
pub(super) struct Decided(Vec<(Exception, bool)>);

/// Of which flaws it was decided.
enum About {
    Any,
    Those(RoaringBitmap),
}

impl Decided {
    pub(super) fn of(lookouts: &Lookouts, now: Moment) -> Self {
        Self(lookouts.decided(now))
    }

    /// The exceptions that only one of the two has.
    fn others<'d>(&'d self, former: &'d Self) -> Vec<&'d Exception> {
        let gone = former.0.iter().filter(|it| !self.0.contains(it));
        let new = self.0.iter().filter(|it| !former.0.contains(it));
        gone.chain(new).map(|it| &it.0).collect()
    }

    /// The exceptions that hold in one of the two places and not in the other one.
    fn between(&self, here: Option<&str>, there: Option<&str>) -> Vec<&Exception> {
        let all = self.0.iter().map(|it| &it.0);
        all.filter(|it| it.holds_in(here) != it.holds_in(there)).collect()
    }
}

impl About {
    /// What nobody has found has no number, and is in no image.
    fn of<'e>(exceptions: impl IntoIterator<Item = &'e Exception>, said: &Said) -> Self {
        let mut names = HashSet::new();
        for flaw in exceptions.into_iter().flat_map(|it| &it.flaws) {
            if flaw == ANY {
                return Self::Any;
            }
            names.insert(flaw.to_ascii_uppercase());
        }
        Self::Those(if names.is_empty() { RoaringBitmap::new() } else { said.called(&names) })
    }

    fn concerns(&self, judged: &Judged) -> bool {
        match self {
            Self::Any => true,
            Self::Those(those) => {
                !those.is_disjoint(&judged.found) || !those.is_disjoint(&judged.hidden)
            }
        }
    }
}

impl Known {
    /// Forgets what was judged before something else was decided about it.
    pub(super) fn decide(&mut self, organisation: &OrganisationId, decided: Decided) {
        let former = self.decided.remove(organisation).unwrap_or_default();
        let others = decided.others(&former);
        let said = self.clerk.said();
        for environment in self.owns(organisation) {
            let there = others.iter().filter(|it| it.holds_in(environment.as_deref()));
            let about = About::of(there.copied(), &said);
            for ((whose, _), judged) in &mut self.judged {
                if whose == organisation {
                    judged.retain(|own, it| *own != environment || !about.concerns(it));
                }
            }
        }
        self.decided.insert(organisation.clone(), decided);
    }

    /// What is judged for one place holds in another one as well, if all that was decided for only one of
    /// them is about other flaws.
    pub(super) fn share(&mut self, organisation: &OrganisationId, wanted: &Wanted) {
        let Some(decided) = self.decided.get(organisation) else { return };
        let mut missing: BTreeMap<&Own, Vec<(OrganisationId, Digest)>> = BTreeMap::new();
        for (digest, own) in wanted {
            let key = (organisation.clone(), digest.clone());
            if self.judged.get(&key).is_some_and(|it| !it.contains_key(own)) {
                missing.entry(own).or_default().push(key);
            }
        }
        if missing.is_empty() {
            return;
        }
        let owns = self.owns(organisation);
        let said = self.clerk.said();
        for (own, keys) in missing {
            for other in owns.iter().filter(|it| *it != own) {
                let between = decided.between(own.as_deref(), other.as_deref());
                let about = About::of(between, &said);
                for key in &keys {
                    let Some(judged) = self.judged.get_mut(key) else { continue };
                    let known = judged.get(other).filter(|it| !about.concerns(it)).cloned();
                    if let Some(known) = known {
                        judged.entry(own.clone()).or_insert(known);
                    }
                }
            }
        }
    }

    /// The places for which something is remembered.
    fn owns(&self, organisation: &OrganisationId) -> Vec<Own> {
        let all = self.judged.iter().filter(|((whose, _), _)| whose == organisation);
        let mut owns: Vec<Own> = all.flat_map(|(_, it)| it.keys().cloned()).collect();
        owns.sort_unstable();
        owns.dedup();
        owns
    }
}
