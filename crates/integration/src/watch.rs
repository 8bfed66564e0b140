//! Watching a registry: what changed in it since it was last looked at, each digest worked on once.
//!
//! It is a library: what was seen before is somebody else's to keep (`Memory`), and so is the work on
//! an image (`Hands`). Whoever is stopped in the middle goes on where it stopped, for what was seen is
//! kept only when the work on it is done.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use model::{Digest, Gap, Moment};
use tokio::sync::{Mutex, Semaphore};

use crate::contract::{Action, Change, Directory, Failure, Notice, Repository, Tagged};
use crate::filter::Filter;

/// What was seen before.
#[async_trait]
pub trait Memory: Send + Sync {
    /// Was this registry ever looked at to the end?
    async fn has_begun(&self, registry: &str) -> Result<bool, Lost>;
    /// It was, now.
    async fn begun(&self, registry: &str) -> Result<(), Lost>;
    /// The host and the name of every repository with a tag that was seen.
    async fn repositories(&self, registry: &str) -> Result<Vec<(String, String)>, Lost>;
    /// The tags that were seen in one, and where they led.
    async fn tags(&self, repository: &Repository) -> Result<BTreeMap<String, Digest>, Lost>;
    /// A tag leads there, and nothing is left to be done about that.
    async fn keep(&self, repository: &Repository, tag: &str, digest: &Digest) -> Result<(), Lost>;
    /// A tag is gone.
    async fn forget(&self, repository: &Repository, tag: &str) -> Result<(), Lost>;
    /// Was the image or index of this digest worked on, wherever it was seen?
    async fn is_done(&self, digest: &Digest) -> Result<bool, Lost>;
}

/// What is done about what was found.
#[async_trait]
pub trait Hands: Send + Sync {
    /// Works on an image. It is called once for each digest until it succeeds, and once a look.
    async fn analyze(&self, found: &Found) -> Result<(), Failure>;
    /// A tag leads elsewhere than before, to something that was worked on already.
    async fn moved(&self, found: &Found) -> Result<(), Failure>;
    /// A tag is gone.
    async fn gone(&self, repository: &Repository, tag: &str) -> Result<(), Failure>;
}

/// What is remembered cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
#[error("what was seen before cannot be had: {0}")]
pub struct Lost(pub String);

/// A tag that leads to something new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub repository: Repository,
    /// The tag; none where only a digest was told.
    pub tag: Option<String>,
    /// What it leads to.
    pub digest: Digest,
    /// What happened to it.
    pub action: Action,
}

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
    fn add(&mut self, other: Self) {
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

    fn failed(&mut self, at: &str, failure: &Failure) {
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
            self.look_at_tag(&repository, tagged, was.as_ref(), false, &mut report).await?;
        }
        Ok(Some(report))
    }

    /// Looks at what a notice is about. What it says leads; what the registry says counts.
    pub async fn told(&self, notice: &Notice) -> Result<Report, WatchError> {
        let repository = self.directory.repository(&notice.registry, &notice.repository);
        let mut report = Report { repositories: 1, ..Report::default() };
        if !self.options.filter.takes(&repository) {
            return Ok(Report::default());
        }
        self.forgive().await;
        let before = self.memory.tags(&repository).await?;
        let tags: Vec<String> = match (&notice.tag, &notice.digest) {
            (Some(tag), _) => vec![tag.clone()],
            // Every tag that led there may be gone with it.
            (None, Some(digest)) if notice.action == Action::Deleted => {
                before.iter().filter(|it| it.1 == digest).map(|it| it.0.clone()).collect()
            }
            (None, Some(digest)) => {
                match self.soon(&repository, digest.as_str()).await {
                    Ok(Some(digest)) => {
                        let action = Action::Pushed;
                        let found = Found { repository, tag: None, digest, action };
                        self.work(&found, &mut report).await?;
                    }
                    Ok(None) => {}
                    Err(failure) => report.failed(&repository.name, &failure),
                }
                return Ok(report);
            }
            (None, None) => Vec::new(),
        };
        for tag in tags.into_iter().filter(|it| self.options.filter.takes_tag(it)) {
            report.tags += 1;
            let mut tagged = Tagged { tag, digest: None, at: None };
            if notice.action != Action::Deleted {
                report.asked += 1;
                tagged.digest = match self.soon(&repository, &tagged.tag).await {
                    Ok(digest) => digest,
                    Err(failure) => {
                        report.failed(&format!("{}:{}", repository.name, tagged.tag), &failure);
                        continue;
                    }
                };
            }
            let was = before.get(&tagged.tag);
            self.look_at_tag(&repository, tagged, was, false, &mut report).await?;
        }
        Ok(report)
    }

    /// What a tag or digest leads to that was just pushed. Some registries tell of it a moment before
    /// they know it themselves.
    async fn soon(&self, repository: &Repository, what: &str) -> Result<Option<Digest>, Failure> {
        for wait in SOON {
            let found = {
                let _place = self.places.acquire().await.ok();
                self.directory.digest(repository, what).await?
            };
            if found.is_some() {
                return Ok(found);
            }
            tokio::time::sleep(wait).await;
        }
        let _place = self.places.acquire().await.ok();
        self.directory.digest(repository, what).await
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
            let (was, left) = (before.get(&tagged.tag), is_left(&tagged));
            async move {
                let mut report = Report { tags: 1, ..Report::default() };
                self.look_at_tag(repository, tagged, was, left, &mut report).await?;
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
        is_left: bool,
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
        if was == Some(&digest) && !self.is_owed(&digest).await? {
            return Ok(());
        }
        if is_left {
            self.memory.keep(repository, &tag, &digest).await?;
            report.left += 1;
            return Ok(());
        }
        let action = if was.is_some() { Action::Retagged } else { Action::Pushed };
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

    /// Is an image that was left alone to be worked on after all?
    async fn is_owed(&self, digest: &Digest) -> Result<bool, WatchError> {
        Ok(self.options.backfill == Backfill::All && !self.memory.is_done(digest).await?)
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

/// How long to wait for what was told, before it is taken for gone.
const SOON: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1500)];

/// How long to rest between looks.
#[derive(Clone, Debug)]
pub struct Rhythm {
    interval: Duration,
    failures: u32,
}

/// Nobody rests for longer because of failures, unless the registry asks for it.
const LONGEST_REST: Duration = Duration::from_mins(15);

impl Rhythm {
    /// A look every so often.
    pub fn new(interval: Duration) -> Self {
        Self { interval: interval.max(Duration::from_secs(1)), failures: 0 }
    }

    /// The rest after that look: twice as long for each that failed as a whole, and as long as the
    /// registry asks for.
    pub fn rest(&mut self, outcome: &Result<Report, WatchError>) -> Duration {
        let wait = match outcome {
            Ok(report) => report.wait,
            Err(WatchError::Failed(failure)) => failure.wait,
            Err(WatchError::Lost(_)) => None,
        };
        self.failures = if outcome.is_ok() { 0 } else { self.failures.saturating_add(1) };
        let doubled = self.interval.saturating_mul(1 << self.failures.min(10));
        let rest = doubled.min(LONGEST_REST.max(self.interval));
        rest.max(wait.unwrap_or_default())
    }
}

/// The tag that changed last; where nobody says when, `latest`, else the last of the list.
fn newest(all: &[Tagged]) -> Option<String> {
    let timed = all.iter().filter(|it| it.at.is_some()).max_by_key(|it| it.at);
    let latest = || all.iter().find(|it| it.tag == "latest");
    timed.or_else(latest).or_else(|| all.last()).map(|it| it.tag.clone())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests() {
        let mut rhythm = Rhythm::new(Duration::from_mins(1));
        let mut rest = |outcome: Result<Report, WatchError>| rhythm.rest(&outcome).as_secs();
        let waiting =
            |seconds| Report { wait: Some(Duration::from_secs(seconds)), ..Report::default() };
        let failed = || Failure::from(image::Error::unavailable("it", "is gone"));
        assert_eq!(rest(Ok(Report::default())), 60);
        assert_eq!(rest(Ok(waiting(5))), 60);
        assert_eq!(rest(Ok(waiting(5000))), 5000);
        assert_eq!(rest(Err(failed().into())), 120);
        assert_eq!(rest(Err(failed().into())), 240);
        let wait = Some(Duration::from_mins(150));
        assert_eq!(rest(Err(Failure { wait, ..failed() }.into())), 9000);
        for _ in 0..100 {
            rest(Err(Lost("x".to_owned()).into()));
        }
        assert_eq!(rest(Err(failed().into())), 900);
        assert_eq!(rest(Ok(Report::default())), 60);
        let mut slow = Rhythm::new(Duration::from_hours(2));
        assert_eq!(slow.rest(&Err(failed().into())).as_secs(), 7200);
    }

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
