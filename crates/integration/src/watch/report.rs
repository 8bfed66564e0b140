//! What came of looking at a registry.

use std::time::Duration;

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
        self.wait = self.wait.max(other.wait);
        let room = GAPS_LIMIT.saturating_sub(self.gaps.len());
        self.gaps.extend(other.gaps.into_iter().take(room));
    }

    pub(super) fn failed(&mut self, at: &str, failure: &Failure) {
        self.wait = self.wait.max(failure.wait);
        if self.gaps.len() < GAPS_LIMIT {
            self.gaps.push(Gap::new(at, failure.error.why()));
        }
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
    #[error("{0}")]
    Failed(#[from] Failure),
    /// Nobody knows what was seen before.
    #[error("{0}")]
    Lost(#[from] Lost),
}
