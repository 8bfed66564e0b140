//! A directory: what a registry holds, asked for.

use async_trait::async_trait;
use image::Error;
use model::{Digest, Gap, Moment};
use serde::Serialize;

pub use image::Failure;

/// Lists what a registry holds. Every list has an end, whatever the registry says.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The registry that images are pulled from: `registry.example:5000`.
    fn registry(&self) -> &str;
    /// Its repositories. `known` are those that were seen before, by the names they are pulled
    /// under, for registries that do not tell.
    async fn repositories(&self, known: &[String]) -> Result<Listed<Repository>, Failure>;
    /// The tags of one of them.
    async fn tags(&self, repository: &Repository) -> Result<Listed<Tagged>, Failure>;
    /// The digest that a tag leads to now. Headers alone are asked for where that is enough.
    /// `None`: there is no such tag.
    async fn digest(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Failure>;
    /// What changed since then, where the party can tell without its lists being read again.
    async fn changes(&self, _since: Moment) -> Result<Option<Listed<Change>>, Failure> {
        Ok(None)
    }
    /// Tries each thing that is needed, in the order in which they need each other.
    async fn checks(&self) -> Vec<Check>;
    /// The repository that is pulled from that host under this name.
    fn repository(&self, registry: &str, name: &str) -> Repository {
        Repository {
            registry: registry.to_owned(),
            name: name.to_owned(),
            keys: Vec::new(),
            image: name.to_owned(),
        }
    }
}

/// A list, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// What it says, each once, in its own order.
    pub all: Vec<T>,
    /// What is missing from it. While there is a gap, nothing is gone because it is not listed.
    pub gaps: Vec<Gap>,
    /// Is a part missing that may be there the next time, because nobody answered just now? Other gaps
    /// stay: what is refused, and names that are none.
    pub is_torn: bool,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl<T> From<Vec<T>> for Listed<T> {
    fn from(all: Vec<T>) -> Self {
        Self { all, gaps: Vec::new(), is_torn: false }
    }
}

impl<T> Listed<T> {
    /// The same of what `change` makes of each.
    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> Listed<U> {
        let all = self.all.into_iter().map(change).collect();
        Listed { all, gaps: self.gaps, is_torn: self.is_torn }
    }

    /// Adds another list, each of it as `add` does that.
    pub(crate) fn add<U>(&mut self, other: Listed<U>, mut add: impl FnMut(&mut Self, U)) {
        self.gaps.extend(other.gaps);
        self.is_torn |= other.is_torn;
        other.all.into_iter().for_each(|it| add(self, it));
    }

    /// A part of it cannot be had.
    pub(crate) fn lose(&mut self, what: &str, why: impl Into<String>, failure: &Failure) {
        self.gaps.push(Gap::new(what, why));
        self.is_torn |= !is_no(failure);
    }
}

/// Is this failure a `no` that will stay one?
pub(crate) fn is_no(failure: &Failure) -> bool {
    matches!(
        failure.error,
        Error::Denied { .. } | Error::NotFound { .. } | Error::Unsupported { .. }
    )
}

/// A repository of images.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    /// The registry to pull from: `docker-local.registry.example`.
    pub registry: String,
    /// The name to pull under: `team/app`.
    pub name: String,
    /// The party's own repositories that it lies in, where there are such: `docker-local`. In several it
    /// lies where all of them are pulled from under one name.
    pub keys: Vec<String>,
    /// The image's path in there: `team/app`.
    pub image: String,
}

impl Repository {
    /// Every name that people may mean it by.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![self.name.clone(), self.image.clone()];
        names.extend(self.keys.iter().map(|key| format!("{key}/{}", self.image)));
        names.push(format!("{}/{}", self.registry, self.name));
        names.dedup();
        names
    }
}

/// A tag of a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tagged {
    /// Its name.
    pub tag: String,
    /// What it leads to, where the list says so.
    pub digest: Option<Digest>,
    /// When it last changed, where the list says so.
    pub at: Option<Moment>,
}

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub repository: Repository,
    /// What.
    pub tagged: Tagged,
}

/// One thing that is needed, and whether it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What: `registry reachable`.
    pub what: &'static str,
    /// Is it?
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It is there.
    Ok {
        /// More about it.
        detail: String,
    },
    /// It is there, but.
    Warned {
        /// But what.
        why: String,
        /// What to do.
        hint: String,
    },
    /// It is not.
    Failed {
        /// Why not.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
}

impl Check {
    /// It is as it should be.
    pub fn ok(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, outcome: Outcome::Ok { detail: detail.into() } }
    }

    pub(crate) fn failed(what: &'static str, failure: &Failure) -> Self {
        let hint = failure.error.hint().map(str::to_owned);
        Self { what, outcome: Outcome::Failed { why: failure.error.why().to_owned(), hint } }
    }

    pub(crate) fn warned(
        what: &'static str,
        why: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { what, outcome: Outcome::Warned { why: why.into(), hint: hint.into() } }
    }

    /// Must something be done before anything works?
    pub fn is_failure(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }
}
