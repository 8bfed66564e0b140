//! Watching a registry: what changed in it since it was last looked at, each digest worked on once.
//!
//! It is a library: what was seen before is somebody else's to keep (`Memory`), and so is the work on
//! an image (`Hands`). Whoever is stopped in the middle goes on where it stopped, for what was seen is
//! kept only when the work on it is done.

mod memory;
mod options;
mod report;
mod rhythm;
mod rounds;
mod told;
mod turns;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use image::Error;
use model::{Digest, Moment};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;

use crate::contract::{Action, Change, Directory, Failure, Listed, Repository, Tagged, is_no};
use turns::Turns;

pub use memory::{Found, Hands, Lost, Memory};
pub use options::{Backfill, Options};
pub use report::{Report, WatchError};
pub use rhythm::Rhythm;
pub use rounds::Rounds;

/// Somebody who watches one registry.
pub struct Watch<'a> {
    directory: &'a dyn Directory,
    memory: &'a dyn Memory,
    hands: &'a dyn Hands,
    options: Options,
    places: Semaphore,
    /// Registry, repository and tag: each is dealt with by one at a time.
    turns: Turns<(String, String, String)>,
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

/// What is known of where a tag leads.
enum Leads {
    To(Digest),
    /// It is gone.
    Nowhere,
    /// It has to be asked for.
    Unknown,
}

impl From<Option<Digest>> for Leads {
    fn from(listed: Option<Digest>) -> Self {
        listed.map_or(Self::Unknown, Self::To)
    }
}

/// Looks at tags, some at a time, and of each whether anything more will be known of where it leads.
type Looks<'a> = BoxStream<'a, Result<(Report, bool), WatchError>>;

/// Whoever holds it works on the image; why it failed, and when.
type Claim = Arc<Mutex<Option<(Failure, Instant)>>>;

/// What is refused or broken is not tried again sooner because many tell of it.
const STAYS_FOR: Duration = Duration::from_secs(30);
/// An image of which something is broken or missing is not fetched anew with every look.
const BROKEN_FOR: Duration = Duration::from_mins(15);

impl<'a> Watch<'a> {
    /// Watches what `directory` lists.
    pub fn new(
        directory: &'a dyn Directory,
        memory: &'a dyn Memory,
        hands: &'a dyn Hands,
        options: Options,
    ) -> Self {
        let places = Semaphore::new(options.workers.max(1));
        let (turns, claims) = (Turns::default(), Mutex::default());
        Self { directory, memory, hands, options, places, turns, claims }
    }

    /// The repositories to look at: those that are listed, and those that were seen before.
    pub async fn repositories(&self) -> Result<Listed<Repository>, WatchError> {
        let seen = self.memory.repositories(self.directory.registry()).await?;
        let names: Vec<String> = seen.iter().map(|it| it.1.clone()).collect();
        let listed = self.directory.repositories(&names).await?;
        Ok(self.with(listed, seen))
    }

    /// These, and those that were seen since they were listed.
    pub async fn and_seen(&self, listed: Listed<Repository>) -> Result<Listed<Repository>, Lost> {
        let seen = self.memory.repositories(self.directory.registry()).await?;
        Ok(self.with(listed, seen))
    }

    fn with(
        &self,
        mut listed: Listed<Repository>,
        seen: Vec<(String, String)>,
    ) -> Listed<Repository> {
        let known: BTreeSet<(String, String)> =
            listed.all.iter().map(|it| (it.registry.clone(), it.name.clone())).collect();
        let unlisted = seen.into_iter().filter(|it| !known.contains(it));
        let unlisted = unlisted.map(|(registry, name)| self.directory.repository(&registry, &name));
        listed.all.extend(unlisted);
        listed.all.retain(|it| self.options.filter.takes(it));
        listed
    }

    /// Looks at each of these once. Nothing that goes wrong with one keeps the others waiting; while
    /// the registry wants to be left alone nobody asks it anything, and every look says so.
    ///
    /// What was there before anybody watched is never taken for new: while a part of the list is
    /// missing that may be there the next time, whatever turns up was there before. A gap that stays,
    /// such as a catalog that is not told, is waited for by nobody: otherwise nothing would ever be new.
    pub async fn look(&self, repositories: &Listed<Repository>) -> Result<Report, WatchError> {
        let registry = self.directory.registry();
        if !self.memory.has_begun(registry).await? {
            self.memory.begin(registry, &repositories.all).await?;
            if !repositories.is_torn {
                self.memory.begun(registry).await?;
            }
        }
        self.forgive(|(failure, at)| is_broken(failure) && at.elapsed() < BROKEN_FOR).await;
        let mut looks = self.some(repositories.all.iter().map(|it| self.look_at(it).boxed()));
        let mut report = Report { gaps: repositories.gaps.clone(), ..Report::default() };
        while let Some(one) = looks.next().await {
            report.add(one?);
        }
        Ok(report)
    }

    /// Does some of these at a time. It is in boxes that are made as they are due: of closures that
    /// borrow the compiler cannot tell whether threads may share them, and a registry may have a
    /// million tags.
    fn some<'b, T: 'b>(
        &self,
        looks: impl Iterator<Item = BoxFuture<'b, T>> + Send + 'b,
    ) -> BoxStream<'b, T> {
        stream::iter(looks).buffer_unordered(self.options.workers.max(1)).boxed()
    }

    /// Looks at what changed since then, where the party can tell. It does not tell what is gone.
    /// `None`: it cannot tell, so everything is to be looked at.
    pub async fn look_since(&self, since: Moment) -> Result<Option<Report>, WatchError> {
        let Some(listed) = self.directory.changes(since).await? else { return Ok(None) };
        self.forgive(|(failure, at)| is_broken(failure) && at.elapsed() < BROKEN_FOR).await;
        let mut report = Report { gaps: listed.gaps, ..Report::default() };
        let mut before: BTreeMap<Repository, BTreeMap<String, Digest>> = BTreeMap::new();
        let mut all = Vec::new();
        for Change { repository, tagged } in listed.all {
            let filter = &self.options.filter;
            if !filter.takes(&repository) || !filter.takes_tag(&tagged.tag) {
                continue;
            }
            if !before.contains_key(&repository) {
                before.insert(repository.clone(), self.memory.tags(&repository).await?);
                report.repositories += 1;
            }
            let was = before.get(&repository).and_then(|it| it.get(&tagged.tag)).cloned();
            all.push((repository, tagged, was));
        }
        let looks = all.into_iter().map(|(repository, tagged, was)| {
            async move { self.look_at_tag(&repository, tagged, was.as_ref(), Cause::Look).await }
                .boxed()
        });
        self.look_at_tags(self.some(looks), &mut report).await?;
        Ok(Some(report))
    }

    /// Looks at one repository.
    async fn look_at(&self, repository: &Repository) -> Result<Report, WatchError> {
        let mut report = Report { repositories: 1, ..Report::default() };
        let registry = self.directory.registry();
        let is_awaited = self.memory.is_awaited(registry, repository).await?;
        let before = self.memory.tags(repository).await?;
        let listed = {
            let _place = self.places.acquire().await.ok();
            match self.directory.tags(repository).await {
                Ok(listed) => listed,
                // Its last tag was deleted, and it with it.
                Err(Failure { error: Error::NotFound { .. }, .. }) if !before.is_empty() => {
                    Listed::default()
                }
                Err(failure) => {
                    report.unlisted += 1;
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
            is_awaited
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
            self.look_at_tag(repository, tagged, was, cause).boxed()
        });
        let are_known = self.look_at_tags(self.some(looks), &mut report).await?;
        // It is known what was there before, but for what is said of it to nobody.
        if are_known && !listed.is_torn {
            self.memory.met(repository).await?;
        }
        Ok(report)
    }

    /// Looks at tags. False when it may be known later of one where it leads.
    async fn look_at_tags(
        &self,
        mut looks: Looks<'_>,
        report: &mut Report,
    ) -> Result<bool, WatchError> {
        let mut are_known = true;
        while let Some(one) = looks.next().await {
            let (one, is_known) = one?;
            report.add(one);
            are_known &= is_known;
        }
        Ok(are_known)
    }

    /// Compares where a tag leads with where it led. False when that may be known later.
    async fn look_at_tag(
        &self,
        repository: &Repository,
        tagged: Tagged,
        was: Option<&Digest>,
        cause: Cause,
    ) -> Result<(Report, bool), WatchError> {
        let mut report = Report { tags: 1, ..Report::default() };
        let leads = Leads::from(tagged.digest);
        let is_known =
            self.compare(repository, &tagged.tag, leads, was, cause, &mut report).await?;
        Ok((report, is_known))
    }

    /// The same, where somebody may know already where it leads. `was` was remembered before that.
    async fn compare(
        &self,
        repository: &Repository,
        tag: &str,
        leads: Leads,
        was: Option<&Digest>,
        cause: Cause,
        report: &mut Report,
    ) -> Result<bool, WatchError> {
        let digest = match leads {
            Leads::To(digest) => Some(digest),
            Leads::Nowhere => None,
            Leads::Unknown => match self.ask(repository, tag, report).await {
                Ok(digest) => digest,
                Err(unknown) => return Ok(unknown.stays),
            },
        };
        if !self.is_news(digest.as_ref(), was, cause).await? {
            return Ok(true);
        }
        let (registry, name) = (repository.registry.clone(), repository.name.clone());
        let _turn = self.turns.take((registry, name, tag.to_owned())).await;
        let now = self.memory.tag(repository, tag).await?;
        if now.as_ref() == was {
            self.follow(repository, tag, digest, now, cause, report).await?;
            return Ok(true);
        }
        // Somebody dealt with it since we asked, and may have been told something newer.
        let digest = match self.ask(repository, tag, report).await {
            Ok(digest) => digest,
            Err(unknown) => return Ok(unknown.stays),
        };
        if self.is_news(digest.as_ref(), now.as_ref(), cause).await? {
            let cause = if cause == Cause::Before { Cause::Look } else { cause };
            self.follow(repository, tag, digest, now, cause, report).await?;
        }
        Ok(true)
    }

    /// Asks where a tag leads.
    async fn ask(
        &self,
        repository: &Repository,
        tag: &str,
        report: &mut Report,
    ) -> Result<Option<Digest>, Unknown> {
        let _place = self.places.acquire().await.ok();
        report.asked += 1;
        self.directory.digest(repository, tag).await.map_err(|failure| {
            report.failed(&format!("{}:{tag}", repository.name), &failure);
            Unknown { stays: is_no(&failure) && failure.wait.is_none() }
        })
    }

    /// Is something to be done about a tag that leads there, and led to what it was?
    async fn is_news(
        &self,
        digest: Option<&Digest>,
        was: Option<&Digest>,
        cause: Cause,
    ) -> Result<bool, WatchError> {
        match digest {
            // An image that was left alone may have to be worked on after all. Whoever pushes it anew
            // means it so, and may have done that just before somebody looked for the first time.
            Some(digest) if was == Some(digest) => {
                let is_wanted = cause == Cause::Told || self.options.backfill == Backfill::All;
                Ok(is_wanted && !self.memory.is_done(digest).await?)
            }
            _ => Ok(digest != was),
        }
    }

    /// Does what is to be done about a tag that leads there now, and nobody else meanwhile.
    async fn follow(
        &self,
        repository: &Repository,
        tag: &str,
        digest: Option<Digest>,
        was: Option<Digest>,
        cause: Cause,
        report: &mut Report,
    ) -> Result<(), WatchError> {
        let Some(digest) = digest else {
            match self.hands.gone(repository, tag).await {
                Ok(()) => {
                    self.memory.forget(repository, tag).await?;
                    report.gone += 1;
                }
                Err(failure) => report.failed(&format!("{}:{tag}", repository.name), &failure),
            }
            return Ok(());
        };
        if cause == Cause::Before {
            self.memory.keep(repository, tag, &digest).await?;
            report.left += 1;
            return Ok(());
        }
        let is_elsewhere = was.is_some_and(|it| it != digest);
        let action = if is_elsewhere { Action::Retagged } else { Action::Pushed };
        let (repository, tag) = (repository.clone(), Some(tag.to_owned()));
        let found = Found { repository, tag, digest, action };
        if self.work(&found, report).await?
            && let Some(tag) = &found.tag
        {
            self.memory.keep(&found.repository, tag, &found.digest).await?;
        }
        Ok(())
    }

    /// What failed before is tried again, but for what `stays`.
    async fn forgive(&self, stays: impl Fn(&(Failure, Instant)) -> bool) {
        let stays = |it: &Claim| it.try_lock().is_ok_and(|it| it.as_ref().is_some_and(&stays));
        let mut claims = self.claims.lock().await;
        claims.retain(|_, claim| Arc::strong_count(claim) > 1 || stays(claim));
    }

    /// Works on what was found, unless that was done. True when nothing is left to be done.
    async fn work(&self, found: &Found, report: &mut Report) -> Result<bool, WatchError> {
        let claim = {
            let mut claims = self.claims.lock().await;
            Arc::clone(claims.entry(found.digest.clone()).or_default())
        };
        let mut held = claim.lock().await;
        let outcome = if let Some((failure, _)) = held.as_ref() {
            Err(failure.clone())
        } else if self.memory.is_done(&found.digest).await? {
            let _place = self.places.acquire().await.ok();
            self.hands.moved(found).await.map(|()| report.moved += 1)
        } else {
            let _place = self.places.acquire().await.ok();
            let outcome = self.hands.analyze(found).await;
            *held = outcome.as_ref().err().map(|it| (it.clone(), Instant::now()));
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

/// Would reading it once more only fetch the same?
fn is_broken(failure: &Failure) -> bool {
    use image::Error;
    matches!(failure.error, Error::Corrupt { .. } | Error::Limit { .. } | Error::NotFound { .. })
}

/// Nobody says where a tag leads; the report says why.
struct Unknown {
    /// Nor will anybody later.
    stays: bool,
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
