//! Whoever looks on while a registry is asked: what it says no to, and when others have their turn.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use integration::{Check, Directory, Failure, Listed, Repository, Tagged};
use model::{Digest, Gap, Moment};

use super::over;
use crate::parties::Party;

/// For how long something is attended to.
pub(super) struct Turn {
    until: Instant,
    is_over: AtomicBool,
}

/// What came of a look so far. It may take several turns.
#[derive(Default)]
pub(crate) struct Looking {
    /// Repositories whose tags were listed, by host and name: they are not looked at again.
    pub(super) asked: BTreeSet<(String, String)>,
    /// How many are told of, and how many of them cannot be listed.
    pub(super) tried: usize,
    pub(super) failed: usize,
    /// What we may not have, the first of it.
    pub(super) denied: Option<String>,
    /// What could not be looked at, and the first of it.
    pub(super) gaps: usize,
    pub(super) gap: Option<Gap>,
    /// Something is left for another turn.
    pub(super) is_left: bool,
}

/// A party's directory, and what comes of asking it.
pub(super) struct Witness<'a> {
    pub(super) directory: &'a dyn Directory,
    pub(super) turn: &'a Turn,
    pub(super) party: &'a Party,
}

impl Turn {
    pub(super) fn new(time: Duration) -> Self {
        Self { until: Instant::now() + time, is_over: AtomicBool::new(false) }
    }

    /// It is, from now on.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || Instant::now() >= self.until
    }
}

impl Witness<'_> {
    /// No, when others have their turn: then this repository is looked at again.
    pub(super) fn may(&self, repository: &Repository) -> Result<(), Failure> {
        if !self.turn.is_over() {
            return Ok(());
        }
        // Remembered as over: whoever asks afterwards is told the same.
        self.turn.end();
        let mut looking = self.party.looking();
        looking.is_left = true;
        looking.asked.remove(&key(repository));
        Err(over(&repository.name))
    }

    /// Takes note of what was said of something in a repository that is looked at. What a notice leads
    /// to says nothing of the whole: anybody may have sent it.
    pub(super) fn heard<T>(&self, of: &Repository, tag: Option<&str>, answer: &Result<T, Failure>) {
        let Err(Failure { error: error @ image::Error::Denied { .. }, .. }) = answer else {
            return;
        };
        let mut looking = self.party.looking();
        if looking.asked.contains(&key(of)) {
            let name = tag.map_or_else(|| of.name.clone(), |tag| format!("{}:{tag}", of.name));
            looking.denied.get_or_insert_with(|| format!("{name}: {}", error.why()));
        }
    }
}

pub(super) fn key(repository: &Repository) -> (String, String) {
    (repository.registry.clone(), repository.name.clone())
}

#[async_trait]
impl Directory for Witness<'_> {
    fn registry(&self) -> &str {
        self.directory.registry()
    }

    async fn repositories(&self, known: &[String]) -> Result<Listed<Repository>, Failure> {
        self.directory.repositories(known).await
    }

    async fn tags(&self, repository: &Repository) -> Result<Listed<Tagged>, Failure> {
        self.may(repository)?;
        let answer = self.directory.tags(repository).await;
        {
            let mut looking = self.party.looking();
            looking.asked.insert(key(repository));
            looking.tried += 1;
            looking.failed += usize::from(answer.is_err());
        }
        self.heard(repository, None, &answer);
        answer
    }

    /// Of a repository that is begun every tag is asked for, whosever turn it is: otherwise nobody would
    /// ever get to the end of a large one.
    async fn digest(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Failure> {
        let answer = self.directory.digest(repository, tag).await;
        self.heard(repository, Some(tag), &answer);
        answer
    }

    async fn changes(&self, since: Moment) -> Result<Option<Listed<integration::Change>>, Failure> {
        self.directory.changes(since).await
    }

    async fn checks(&self) -> Vec<Check> {
        self.directory.checks().await
    }

    fn repository(&self, registry: &str, name: &str) -> Repository {
        self.directory.repository(registry, name)
    }
}
