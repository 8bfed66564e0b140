//! Whoever looks on while a registry is asked: what it says no to, and when others have their turn.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use integration::watch::Found;
use integration::{Check, Directory, Failure, Listed, Repository, Tagged};
use model::{Digest, Gap, Moment};
use store::IntegrationRecord;

use super::turn::Turn;
use super::{away, over};
use crate::app::App;
use crate::parties::Party;

/// How long an answer may take, however many pages it has.
const LONGEST: Duration = Duration::from_hours(1);

tokio::task_local! {
    /// Somebody looks at the whole, and does not only look into what was told.
    static LOOKS: ();
}

/// Looks at the whole meanwhile.
pub(super) async fn as_look<T>(looking: impl Future<Output = T>) -> T {
    LOOKS.scope((), looking).await
}

fn is_look() -> bool {
    LOOKS.try_with(|()| ()).is_ok()
}

/// What came of a look so far. It may take several turns.
#[derive(Default)]
pub(crate) struct Looking {
    /// Since when it was due: another one has another moment.
    due: Option<Moment>,
    /// A turn of it began and did not end: nobody knows how far it got.
    is_under_way: bool,
    /// What changed was looked at alone.
    pub(super) is_partial: bool,
    /// How many turns began.
    turn: usize,
    /// What is left to be looked at; none is that nobody asked.
    pub(super) left: Option<Listed<Repository>>,
    /// Repositories that were begun, by host and name: their tags that were asked for, and in which turn.
    begun: BTreeMap<Key, BTreeMap<String, usize>>,
    /// Those in which something is left for another turn.
    postponed: BTreeSet<Key>,
    /// How many are told of, and how many of them cannot be listed.
    pub(super) tried: usize,
    pub(super) failed: usize,
    /// What we may not have, the first of it.
    pub(super) denied: Option<String>,
    /// What could not be looked at, and the first of it.
    pub(super) gaps: usize,
    pub(super) gap: Option<Gap>,
}

/// Host and name.
type Key = (String, String);

impl Looking {
    /// Another turn of it begins. What another process knows of a look that goes on is not known here,
    /// and that look may be over.
    pub(super) fn begin(&mut self, due: Moment) {
        if self.is_under_way || self.due != Some(due) {
            *self = Self { due: Some(due), ..Self::default() };
        }
        self.is_under_way = true;
        self.turn += 1;
        self.postponed.clear();
    }

    /// It ends, and these were looked at. Says whether something is left.
    pub(super) fn end(&mut self, mut looked: Listed<Repository>) -> bool {
        self.is_under_way = false;
        looked.gaps.clear();
        looked.all.retain(|it| self.postponed.contains(&key(it)));
        self.begun.retain(|it, _| self.postponed.contains(it));
        let is_left = !looked.all.is_empty();
        self.left = Some(looked);
        is_left
    }

    /// Would something be lost if it was forgotten?
    pub(crate) fn goes_on(&self) -> bool {
        self.is_under_way || self.left.is_some()
    }

    fn asked(&self, repository: &Repository, tag: &str) -> Option<usize> {
        self.begun.get(&key(repository))?.get(tag).copied()
    }
}

/// A party's directory, and what comes of asking it.
pub(super) struct Witness<'a> {
    pub(super) app: &'a App,
    pub(super) record: &'a IntegrationRecord,
    pub(super) directory: &'a dyn Directory,
    pub(super) turn: &'a Turn,
    pub(super) party: &'a Party,
}

impl Witness<'_> {
    /// May it be worked on? No, when others have their turn: then its tag is looked at again. What was
    /// begun is brought to its end.
    pub(super) fn may(&self, found: &Found) -> Result<(), Failure> {
        let tag = found.tag.as_deref().unwrap_or_default();
        let may =
            if is_look() { self.step(&found.repository, tag) } else { !self.turn.is_stopped() };
        if may { Ok(()) } else { Err(over(&found.repository.name)) }
    }

    /// May the next thing be done about a tag that is looked at?
    fn step(&self, repository: &Repository, tag: &str) -> bool {
        let mut looking = self.party.looking();
        let turn = looking.turn;
        let is_begun = looking.asked(repository, tag) == Some(turn) && !self.turn.is_stopped();
        if is_begun || self.turn.step() {
            looking.begun.entry(key(repository)).or_default().insert(tag.to_owned(), turn);
            return true;
        }
        looking.postponed.insert(key(repository));
        false
    }

    /// Takes note of what was said of something while it is looked at. What a notice leads to says
    /// nothing of the whole: anybody may have sent it.
    pub(super) fn heard<T>(&self, of: &Repository, tag: Option<&str>, answer: &Result<T, Failure>) {
        let Err(Failure { error: error @ image::Error::Denied { .. }, .. }) = answer else {
            return;
        };
        if is_look() {
            let name = tag.map_or_else(|| of.name.clone(), |tag| format!("{}:{tag}", of.name));
            let mut looking = self.party.looking();
            looking.denied.get_or_insert_with(|| format!("{name}: {}", error.why()));
        }
    }

    /// What is answered, unless nobody wants to know it any more.
    async fn answer<T>(
        &self,
        what: &str,
        asking: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            answer = asking => answer,
            () = self.turn.until_stopped() => Err(over(what)),
            () = tokio::time::sleep(LONGEST) => {
                let why = format!("it does not end within {} minutes", LONGEST.as_secs() / 60);
                Err(image::Error::unavailable(what, why).into())
            }
        }
    }
}

fn key(repository: &Repository) -> Key {
    (repository.registry.clone(), repository.name.clone())
}

#[async_trait]
impl Directory for Witness<'_> {
    fn registry(&self) -> &str {
        self.directory.registry()
    }

    async fn repositories(&self, known: &[String]) -> Result<Listed<Repository>, Failure> {
        self.answer("the list", self.directory.repositories(known)).await
    }

    async fn tags(&self, repository: &Repository) -> Result<Listed<Tagged>, Failure> {
        if self.turn.is_over() {
            self.party.looking().postponed.insert(key(repository));
            return Err(over(&repository.name));
        }
        let answer = self.answer(&repository.name, self.directory.tags(repository)).await;
        self.turn.begin();
        {
            let mut looking = self.party.looking();
            if let Entry::Vacant(place) = looking.begun.entry(key(repository)) {
                place.insert(BTreeMap::new());
                looking.tried += 1;
                looking.failed += usize::from(answer.is_err());
            }
        }
        self.heard(repository, None, &answer);
        answer
    }

    /// What was asked for in a turn before is not asked again, and leads where it led then.
    async fn digest(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Failure> {
        if is_look() {
            let asked = {
                let looking = self.party.looking();
                looking.asked(repository, tag).is_some_and(|turn| turn < looking.turn)
            };
            if asked {
                let Repository { registry, name, .. } = repository;
                let seen = self.app.store.watched_tag(self.record, registry, name, tag).await;
                return seen.map_err(away);
            }
            if !self.step(repository, tag) {
                return Err(over(&repository.name));
            }
        }
        let answer = self.answer(&repository.name, self.directory.digest(repository, tag)).await;
        self.heard(repository, Some(tag), &answer);
        answer
    }

    async fn changes(&self, since: Moment) -> Result<Option<Listed<integration::Change>>, Failure> {
        let Some(mut listed) = self.directory.changes(since).await? else { return Ok(None) };
        let off = self.app.store.disabled_repositories(&self.record.organisation).await;
        let off =
            off.map_err(|error| image::Error::unavailable("what was seen", error.to_string()))?;
        let name = |it: &Repository| format!("{}/{}", it.registry, it.name);
        listed.all.retain(|it| !off.contains(&name(&it.repository)));
        Ok(Some(listed))
    }

    async fn checks(&self) -> Vec<Check> {
        self.directory.checks().await
    }

    fn repository(&self, registry: &str, name: &str) -> Repository {
        self.directory.repository(registry, name)
    }
}
