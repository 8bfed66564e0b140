//! What a runtime is to those who tell of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::{RunningContainer, Workload};
use async_trait::async_trait;
use tokio::sync::watch;

/// A cluster or a host that can be seen from inside.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// What kind of runtime it is: `kubernetes`.
    fn kind(&self) -> &'static str;

    /// Follows what runs, for as long as it is polled. Whatever is seen, or cannot be seen any more,
    /// makes `news`; the number in it only grows.
    async fn follow(&self, news: &watch::Sender<u64>, voice: &dyn Voice);

    /// What runs, by what was seen so far.
    fn look(&self) -> Look;
}

/// What somebody sees who looks at a runtime.
#[derive(Clone, Debug)]
pub enum Look {
    /// Not all of it was seen yet, so nothing can be said. Where that is so for a reason, that.
    Dark(Option<Trouble>),
    /// All of it.
    Clear(Arc<Sight>),
    /// All of it was seen, and something may be different by now.
    Past(Trouble),
}

/// All that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// By environment.
    pub running: BTreeMap<String, BTreeSet<Container>>,
    /// What could not be read, so that something may run that is not told.
    pub gaps: BTreeSet<String>,
    /// What is of no consequence for the rest, and worth a line.
    pub asides: BTreeSet<String>,
    /// Namespaces or projects that no environment is mapped to, with how many containers run there.
    pub left_out: BTreeMap<String, usize>,
}

/// A container of a workload that runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Container {
    /// What it belongs to.
    pub workload: Workload,
    /// The image as it was deployed, or a digest by itself.
    pub image: String,
    /// The digest that runs.
    pub digest: String,
    /// For which platform, where that is known.
    pub platform: Option<String>,
}

impl From<&Container> for RunningContainer {
    fn from(it: &Container) -> Self {
        Self {
            image: it.image.clone(),
            digest: it.digest.clone(),
            platform: it.platform.clone(),
            workload: it.workload.clone(),
        }
    }
}

/// Why something cannot be seen or told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Trouble {
    /// What was tried.
    pub what: String,
    /// Why it failed.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// It fails until somebody does something about it.
    pub lasting: bool,
}

impl Trouble {
    /// Something that may be otherwise in a while.
    pub fn passing(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), hint: None, lasting: false }
    }

    /// Something that somebody has to do something about.
    pub fn lasting(what: impl Into<String>, why: impl Into<String>, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), lasting: true, ..Self::passing(what, why) }
    }
}

/// Who says what is seen and done.
pub trait Voice: Send + Sync {
    /// What is worth knowing.
    fn inform(&self, line: &str);
    /// What is not as it should be.
    fn warn(&self, line: &str);
    /// What to do about what was just said.
    fn advise(&self, line: &str);
    /// What those want to know who look for a fault.
    fn debug(&self, line: &str);

    /// Says what went wrong, and what to do about it.
    fn complain(&self, trouble: &Trouble) {
        self.warn(&trouble.to_string());
        if let Some(hint) = &trouble.hint {
            self.advise(hint);
        }
    }
}
