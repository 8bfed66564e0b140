//! What somebody who watches is to take, and how much of it at once.

use crate::filter::Filter;

/// What is done about images that were there before anybody watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backfill {
    /// Nothing: only what is pushed from now on counts.
    #[default]
    None,
    /// The newest of each repository is worked on.
    Newest,
    /// Every one is.
    All,
}

/// How to watch.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What to take.
    pub filter: Filter,
    /// What to do about what is there already.
    pub backfill: Backfill,
    /// Things done at the same time.
    pub workers: usize,
}
