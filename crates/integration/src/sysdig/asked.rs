//! What Risk Spotlight is asked, and how Sysdig's refusals are told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use image::{Error, Failure, Question, Verb};
use model::Gap;

use super::Sysdig;
use super::answers::{self, CONTAINERS_LIMIT, Profiles};
use crate::contract::{Container, Observed};
use crate::shared::asked::escaped;
use crate::shared::pages::{self, Next, PAGE_LIMIT, Page};

/// Entries of one page of images: what Sysdig gives by itself.
const PER_PAGE: usize = 250;
/// Below it Risk Spotlight's interface is.
const SPOTLIGHT: &str = "/api/scanning/eveintegration/v2";

impl Sysdig {
    /// The clusters that Risk Spotlight knows.
    pub(super) async fn spotlight_clusters(&self) -> Result<Vec<String>, Failure> {
        let path = format!("{SPOTLIGHT}/runtimeclusters");
        let body = self.ask(&path).await?;
        let (names, gaps) = answers::clusters(&body).map_err(|why| self.strange(&why))?;
        // A cluster without a name is none that can be chosen.
        match gaps.first() {
            Some(gap) if names.is_empty() => Err(self.strange(&gap.to_string())),
            _ => Ok(names),
        }
    }

    /// One entry of Risk Spotlight's list of images, to see whether it may be had: what is said of
    /// its packages, if there is one.
    pub(super) async fn spotlight_try(&self, cluster: &str) -> Result<Option<bool>, Failure> {
        let body = self.ask(&first(cluster, 1)).await?;
        let page = answers::Page::read(&body).map_err(|why| self.strange(&why))?;
        let mut profiles = Profiles::default();
        let entry = page.entries.first();
        let container = entry.and_then(|it| answers::image(it, &mut Vec::new(), &mut profiles));
        Ok(container.map(|_| !profiles.ended().0.is_empty()))
    }

    /// What runs in a cluster, as Risk Spotlight tells it.
    pub(super) async fn spotlight(&self, cluster: &str) -> Result<Observed, Failure> {
        let start = first(cluster, PER_PAGE);
        let profiles = Mutex::new(Profiles::default());
        let count = AtomicUsize::new(0);
        let what = format!("the images of {cluster}");
        let listed = pages::all(&self.desk, &what, start.clone(), Container::clone, |_, reply| {
            let page = answers::Page::read(&reply.body)?;
            let mut gaps = page.gaps;
            let mut profiles = profiles.lock().unwrap_or_else(PoisonError::into_inner);
            let entries = page.entries.iter();
            let all: Vec<Container> =
                entries.filter_map(|it| answers::image(it, &mut gaps, &mut profiles)).collect();
            let before = count.fetch_add(all.len(), Ordering::Relaxed);
            Ok(bounded(&what, before, all, gaps, onward(&start, page.next)))
        })
        .await
        .map_err(worded)?;
        let (loaded, unclear) =
            profiles.into_inner().unwrap_or_else(PoisonError::into_inner).ended();
        let mut containers = listed.all;
        containers.sort();
        Ok(Observed { containers, gaps: listed.gaps, loaded, unclear })
    }

    /// The body of the answer to `path`.
    pub(super) async fn ask(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let question = Question { path, verb: Verb::Get, accept: JSON, limit: PAGE_LIMIT };
        let reply = self.desk.ask(&question).await.map_err(worded)?;
        Ok(reply.body)
    }

    /// An answer that says something else than was asked.
    pub(super) fn strange(&self, why: &str) -> Failure {
        Error::unavailable(self.desk.host(), why).with_hint(ADDRESS).into()
    }
}

const JSON: Option<&str> = Some("application/json");
const ADDRESS: &str = "is that the address of Sysdig Secure's interface? `region` and `url` say it";
const TOKEN: &str = "is the token one for Risk Spotlight integrations, still valid, and of the region \
                     that `region` says?";

fn first(cluster: &str, limit: usize) -> String {
    format!("{SPOTLIGHT}/runtimeimages?clusterName={}&limit={limit}", escaped(cluster))
}

/// Where a cursor leads.
pub(super) fn onward(start: &str, cursor: Option<String>) -> Next {
    match cursor {
        None => Next::End,
        Some(cursor) => Next::Path(format!("{start}&cursor={}", escaped(&cursor))),
    }
}

/// A page of a list that has an end, after `before` others were on the pages before.
pub(super) fn bounded<T>(
    what: &str,
    before: usize,
    mut all: Vec<T>,
    mut gaps: Vec<Gap>,
    next: Next,
) -> Page<T> {
    let room = CONTAINERS_LIMIT.saturating_sub(before);
    if all.len() <= room {
        return Page { all, gaps, next };
    }
    all.truncate(room);
    gaps.push(Gap::new(what, format!("it has more than {CONTAINERS_LIMIT} entries")));
    Page { all, gaps, next: Next::End }
}

/// The same failure, with what to do about it here: it is no registry that says so.
pub(super) fn worded(failure: Failure) -> Failure {
    let Failure { error, wait } = failure;
    let error = match &error {
        Error::Denied { .. } => error.with_hint(TOKEN),
        Error::NotFound { .. } => error.with_hint(ADDRESS),
        Error::Unavailable { hint, .. }
            if hint.as_ref().is_some_and(|it| it.contains("registry")) =>
        {
            let why = error.why().replace(", and not as a registry does", "");
            error.with_why(why).with_hint(ADDRESS)
        }
        _ => error,
    };
    Failure { error, wait }
}
