//! What came of looking at a registry.

use std::time::Duration;

use image::Error;
use model::Gap;

use super::Lost;
use crate::contract::Failure;

/// What came of a look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Repositories that were looked at.
    pub repositories: usize,
    /// Tags that were.
    pub tags: usize,
    /// Digests that were asked for, because no list told them.
    pub asked: usize,
    /// Images that were worked on.
    pub analyzed: usize,
    /// Tags that lead to what was worked on before.
    pub moved: usize,
    /// Tags that were there before anybody watched, and are left alone.
    pub left: usize,
    /// Tags that are gone.
    pub gone: usize,
    /// What could not be looked at or worked on. It is tried again at the next look.
    pub gaps: Vec<Gap>,
    /// Those among them that are there to stay: what is refused, or broken.
    pub refused: usize,
    /// Those among them where nobody answered: others fare no better.
    pub away: usize,
    /// Repositories whose tags cannot be listed.
    pub unlisted: usize,
    /// What to do about the first of them.
    pub hint: Option<String>,
    /// The registry asks to be left alone for so long.
    pub wait: Option<Duration>,
}

/// Gaps that a report has room for.
const GAPS_LIMIT: usize = 1000;

impl Report {
    pub(super) fn add(&mut self, other: Self) {
        self.repositories += other.repositories;
        self.tags += other.tags;
        self.asked += other.asked;
        self.analyzed += other.analyzed;
        self.moved += other.moved;
        self.left += other.left;
        self.gone += other.gone;
        self.refused += other.refused;
        self.away += other.away;
        self.unlisted += other.unlisted;
        self.hint = self.hint.take().or(other.hint);
        self.wait = self.wait.max(other.wait);
        let room = GAPS_LIMIT.saturating_sub(self.gaps.len());
        self.gaps.extend(other.gaps.into_iter().take(room));
    }

    pub(super) fn failed(&mut self, at: &str, failure: &Failure) {
        self.wait = self.wait.max(failure.wait);
        // What is not there any more was there a moment ago, so it is asked for anew.
        let may_mend = matches!(failure.error, Error::Unavailable { .. } | Error::NotFound { .. });
        if failure.wait.is_none() && !may_mend {
            self.refused += 1;
        }
        self.away += usize::from(matches!(failure.error, Error::Unavailable { .. }));
        if self.hint.is_none() {
            self.hint = failure.error.hint().map(str::to_owned);
        }
        if self.gaps.len() < GAPS_LIMIT {
            self.gaps.push(Gap::new(at, failure.error.why()));
        }
    }

    /// Did something go wrong, and all of it in a way that is there to stay?
    pub fn is_final(&self) -> bool {
        self.wait.is_none() && self.refused > 0 && self.refused >= self.gaps.len()
    }

    /// Where none of the repositories can be listed, that is no look at all.
    pub fn or_failure(self) -> Result<Self, WatchError> {
        let Some(first) = self.gaps.iter().find(|_| self.unlisted >= self.repositories.max(1))
        else {
            return Ok(self);
        };
        let error = Error::unavailable(&first.at, &first.why);
        let error = match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        };
        Err(Failure { error, wait: self.wait }.into())
    }

    /// Was everything looked at, and everything done?
    pub fn is_whole(&self) -> bool {
        self.gaps.is_empty() && self.wait.is_none()
    }
}

/// Why nothing could be looked at.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WatchError {
    /// The registry does not say what it holds.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// Nobody knows what was seen before.
    #[error(transparent)]
    Lost(#[from] Lost),
}
