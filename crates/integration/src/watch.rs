//! Watching a registry: what changed in it since it was last looked at, each digest worked on once.
//!
//! It is a library: what was seen before is somebody else's to keep (`Memory`), and so is the work on
//! an image (`Hands`). Whoever is stopped in the middle goes on where it stopped, for what was seen is
//! kept only when the work on it is done.

mod memory;
mod options;
mod report;
mod rhythm;
mod told;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use model::{Digest, Gap, Moment};
use tokio::sync::{Mutex, Semaphore};

use crate::contract::{Action, Change, Directory, Failure, Repository, Tagged};

pub use memory::{Found, Hands, Lost, Memory};
pub use options::{Backfill, Options};
pub use report::{Report, WatchError};
pub use rhythm::Rhythm;

/// Somebody who watches one registry.
pub struct Watch<'a> {
    directory: &'a dyn Directory,
    memory: &'a dyn Memory,
    hands: &'a dyn Hands,
    options: Options,
    places: Semaphore,
    /// Digests that somebody works on, or failed at during this look.
    claims: Mutex<HashMap<Digest, Claim>>,
}

/// Why a tag is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// It is there, and was before anybody watched: it is left alone.
    Before,
    /// It is there.
    Look,
    /// Somebody told of it.
    Told,
}

/// Whoever holds it works on the image; why it failed.
type Claim = Arc<Mutex<Option<Failure>>>;

impl<'a> Watch<'a> {
    /// Watches what `directory` lists.
    pub fn new(
        directory: &'a dyn Directory,
        memory: &'a dyn Memory,
        hands: &'a dyn Hands,
        options: Options,
    ) -> Self {
        let places = Semaphore::new(options.workers.max(1));
        Self { directory, memory, hands, options, places, claims: Mutex::default() }
    }

    /// The repositories to look at: those that are listed, and those that were seen before.
    pub async fn repositories(&self) -> Result<(Vec<Repository>, Vec<Gap>), WatchError> {
        let seen = self.memory.repositories(self.directory.registry()).await?;
        let names: Vec<String> = seen.iter().map(|it| it.1.clone()).collect();
        let listed = self.directory.repositories(&names).await?;
        let mut all: Vec<Repository> = listed.all;
        let known: BTreeSet<(String, String)> =
            all.iter().map(|it| (it.registry.clone(), it.name.clone())).collect();
        let unlisted = seen.into_iter().filter(|it| !known.contains(it));
        all.extend(unlisted.map(|(registry, name)| self.directory.repository(&registry, &name)));
        all.retain(|it| self.options.filter.takes(it));
        Ok((all, listed.gaps))
    }

    /// Looks at each of these once. Nothing that goes wrong with one keeps the others waiting; while
    /// the registry wants to be left alone nobody asks it anything, and every look says so.
    pub async fn look(&self, repositories: &[Repository]) -> Result<Report, WatchError> {
        let registry = self.directory.registry();
        let is_first = !self.memory.has_begun(registry).await?;
        let report = self.look_at_all(repositories, is_first).await?;
        if is_first && report.is_whole() {
            self.memory.begun(registry).await?;
        }
        Ok(report)
    }

    /// Looks at repositories that are watched from now on: what is in them already is dealt with as
    /// it would be in a registry that nobody looked at before.
    pub async fn begin(&self, repositories: &[Repository]) -> Result<Report, WatchError> {
        self.look_at_all(repositories, true).await
    }

    async fn look_at_all(
        &self,
        repositories: &[Repository],
        is_first: bool,
    ) -> Result<Report, WatchError> {
        self.forgive().await;
        // In boxes: of closures that borrow the compiler cannot tell whether threads may share them.
        let looks = repositories.iter().map(|it| self.look_at(it, is_first).boxed());
        let looks: Vec<BoxFuture<'_, Result<Report, WatchError>>> = looks.collect();
        let mut looks = stream::iter(looks).buffer_unordered(self.options.workers.max(1));
        let mut report = Report::default();
        while let Some(one) = looks.next().await {
            report.add(one?);
        }
        Ok(report)
    }

    /// Looks at what changed since then, where the party can tell. It does not tell what is gone.
    /// `None`: it cannot tell, so everything is to be looked at.
    pub async fn look_since(&self, since: Moment) -> Result<Option<Report>, WatchError> {
        let Some(listed) = self.directory.changes(since).await? else { return Ok(None) };
        self.forgive().await;
        let mut report = Report { gaps: listed.gaps, ..Report::default() };
        let mut before: BTreeMap<Repository, BTreeMap<String, Digest>> = BTreeMap::new();
        for Change { repository, tagged } in listed.all {
            let filter = &self.options.filter;
            if !filter.takes(&repository) || !filter.takes_tag(&tagged.tag) {
                continue;
            }
            if !before.contains_key(&repository) {
                before.insert(repository.clone(), self.memory.tags(&repository).await?);
                report.repositories += 1;
            }
            report.tags += 1;
            let was = before.get(&repository).and_then(|it| it.get(&tagged.tag)).cloned();
            self.look_at_tag(&repository, tagged, was.as_ref(), Cause::Look, &mut report).await?;
        }
        Ok(Some(report))
    }

    async fn look_at(&self, repository: &Repository, is_first: bool) -> Result<Report, WatchError> {
        let mut report = Report { repositories: 1, ..Report::default() };
        let before = self.memory.tags(repository).await?;
        let listed = {
            let _place = self.places.acquire().await.ok();
            match self.directory.tags(repository).await {
                Ok(listed) => listed,
                Err(failure) => {
                    report.failed(&repository.name, &failure);
                    return Ok(report);
                }
            }
        };
        report.gaps.extend(listed.gaps.clone());
        let takes = |it: &str| self.options.filter.takes_tag(it);
        let all: Vec<Tagged> = listed.all.into_iter().filter(|it| takes(&it.tag)).collect();
        let there: BTreeSet<String> = all.iter().map(|it| it.tag.clone()).collect();
        // What was there before anybody watched, and was never seen.
        let newest = newest(&all);
        let is_left = |tagged: &Tagged| {
            is_first
                && !before.contains_key(&tagged.tag)
                && match self.options.backfill {
                    Backfill::All => false,
                    Backfill::Newest => newest.as_ref() != Some(&tagged.tag),
                    Backfill::None => true,
                }
        };
        // Tags that are remembered and not listed; while the list has holes, that says nothing.
        let missing = before.keys().filter(|it| !there.contains(*it) && takes(it));
        let missing = missing.filter(|_| listed.gaps.is_empty());
        let missing = missing.map(|tag| Tagged { tag: tag.clone(), digest: None, at: None });
        let looks: Vec<Tagged> = all.iter().cloned().chain(missing).collect();
        let looks = looks.into_iter().map(|tagged| {
            let was = before.get(&tagged.tag);
            let cause = if is_left(&tagged) { Cause::Before } else { Cause::Look };
            async move {
                let mut report = Report { tags: 1, ..Report::default() };
                self.look_at_tag(repository, tagged, was, cause, &mut report).await?;
                Ok(report)
            }
            .boxed()
        });
        let looks: Vec<BoxFuture<'_, Result<Report, WatchError>>> = looks.collect();
        let mut looks = stream::iter(looks).buffer_unordered(self.options.workers.max(1));
        while let Some(one) = looks.next().await {
            report.add(one?);
        }
        drop(looks);
        Ok(report)
    }

    /// Compares where a tag leads with where it led.
    async fn look_at_tag(
        &self,
        repository: &Repository,
        tagged: Tagged,
        was: Option<&Digest>,
        cause: Cause,
        report: &mut Report,
    ) -> Result<(), WatchError> {
        let Tagged { tag, digest, .. } = tagged;
        let name = format!("{}:{tag}", repository.name);
        let digest = if digest.is_some() {
            digest
        } else {
            let _place = self.places.acquire().await.ok();
            report.asked += 1;
            match self.directory.digest(repository, &tag).await {
                Ok(digest) => digest,
                Err(failure) => {
                    report.failed(&name, &failure);
                    return Ok(());
                }
            }
        };
        let Some(digest) = digest else {
            if was.is_some() {
                match self.hands.gone(repository, &tag).await {
                    Ok(()) => {
                        self.memory.forget(repository, &tag).await?;
                        report.gone += 1;
                    }
                    Err(failure) => report.failed(&name, &failure),
                }
            }
            return Ok(());
        };
        if was == Some(&digest) && !self.is_owed(&digest, cause).await? {
            return Ok(());
        }
        if cause == Cause::Before {
            self.memory.keep(repository, &tag, &digest).await?;
            report.left += 1;
            return Ok(());
        }
        let is_elsewhere = was.is_some_and(|it| *it != digest);
        let action = if is_elsewhere { Action::Retagged } else { Action::Pushed };
        let found =
            Found { repository: repository.clone(), tag: Some(tag.clone()), digest, action };
        if self.work(&found, report).await? {
            self.memory.keep(repository, &tag, &found.digest).await?;
        }
        Ok(())
    }

    /// What failed before is tried again.
    async fn forgive(&self) {
        self.claims.lock().await.retain(|_, claim| Arc::strong_count(claim) > 1);
    }

    /// Is an image that was left alone to be worked on after all? Whoever pushes it anew means it so,
    /// and may have done that just before somebody looked for the first time.
    async fn is_owed(&self, digest: &Digest, cause: Cause) -> Result<bool, WatchError> {
        let is_wanted = cause == Cause::Told || self.options.backfill == Backfill::All;
        Ok(is_wanted && !self.memory.is_done(digest).await?)
    }

    /// Works on what was found, unless that was done. True when nothing is left to be done.
    async fn work(&self, found: &Found, report: &mut Report) -> Result<bool, WatchError> {
        let claim = {
            let mut claims = self.claims.lock().await;
            Arc::clone(claims.entry(found.digest.clone()).or_default())
        };
        let mut held = claim.lock().await;
        let outcome = if let Some(failure) = held.as_ref() {
            Err(failure.clone())
        } else if self.memory.is_done(&found.digest).await? {
            self.hands.moved(found).await.map(|()| report.moved += 1)
        } else {
            let _place = self.places.acquire().await.ok();
            let outcome = self.hands.analyze(found).await;
            *held = outcome.as_ref().err().cloned();
            outcome.map(|()| report.analyzed += 1)
        };
        let has_failed = held.is_some();
        drop(held);
        let mut claims = self.claims.lock().await;
        // Ours and the table's: nobody else waits for it.
        if !has_failed && Arc::strong_count(&claim) <= 2 {
            claims.remove(&found.digest);
        }
        drop(claims);
        if let Err(failure) = &outcome {
            let name = found.tag.as_deref().unwrap_or(found.digest.as_str());
            report.failed(&format!("{}:{name}", found.repository.name), failure);
        }
        Ok(outcome.is_ok())
    }
}

/// The tag that changed last; where nobody says when, `latest`, else the last of the list.
fn newest(all: &[Tagged]) -> Option<String> {
    let timed = all.iter().filter(|it| it.at.is_some()).max_by_key(|it| it.at);
    let latest = || all.iter().find(|it| it.tag == "latest");
    timed.or_else(latest).or_else(|| all.last()).map(|it| it.tag.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest() {
        let tagged = |tag: &str, at: Option<&str>| {
            let at = at.map(|it| it.parse().unwrap());
            Tagged { tag: tag.to_owned(), digest: None, at }
        };
        let check = |all: &[Tagged], expect: Option<&str>| {
            assert_eq!(newest(all).as_deref(), expect);
        };
        check(&[], None);
        check(&[tagged("a", None), tagged("b", None)], Some("b"));
        check(&[tagged("latest", None), tagged("v1", None)], Some("latest"));
        let (old, new) = (Some("2026-11-20"), Some("2026-11-21"));
        check(&[tagged("v2", new), tagged("latest", None), tagged("v1", old)], Some("v2"));
    }
}
