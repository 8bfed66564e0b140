//! Lists that come in pages: read to their end, which there always is.

use std::collections::HashSet;
use std::hash::Hash;

use image::{Desk, Failure, Question, Reply, Verb};

use super::links;
use crate::contract::Listed;

/// Bytes of one page.
pub(crate) const PAGE_LIMIT: usize = 32 << 20;
/// Pages of one list.
const PAGES_LIMIT: usize = 100_000;
/// Pages in a row that say nothing.
const EMPTY_LIMIT: usize = 100;
/// Entries of one list.
const ENTRIES_LIMIT: usize = 1_000_000;

/// A page, read.
pub(crate) struct Page<T> {
    /// What it says.
    pub(crate) all: Vec<T>,
    /// What it could not say.
    pub(crate) gaps: Vec<model::Gap>,
    /// Where the next one is.
    pub(crate) next: Next,
}

/// Where the next page is.
pub(crate) enum Next {
    /// There is none.
    End,
    /// Where this link leads, which the registry wrote.
    Link(String),
    /// At this path, which we wrote.
    Path(String),
    /// At this path, if there is more at all: it is asked for while pages bring something new.
    Perhaps(String),
}

impl Next {
    /// Where the answer's own link leads, if it has one.
    pub(crate) fn linked(reply: &Reply) -> Self {
        links::next(reply.headers("link")).map_or(Self::End, Self::Link)
    }
}

/// The list that begins at `first`, each entry once. `read` makes a page of an answer, or says why it
/// is none. The first page must be there; where a later one is missing, that is a gap.
pub(crate) async fn all<T, K: Eq + Hash>(
    desk: &Desk,
    what: &str,
    first: String,
    key: impl Fn(&T) -> K,
    read: impl Fn(&str, &Reply) -> Result<Page<T>, String>,
) -> Result<Listed<T>, Failure> {
    let mut listed = Listed::default();
    let mut seen = HashSet::new();
    let mut asked = HashSet::new();
    let mut path = first;
    let mut empty = 0;
    loop {
        if !asked.insert(path.clone()) {
            listed.gaps.push(model::Gap::new(what, "its pages lead in a circle"));
            return Ok(listed);
        }
        if asked.len() > PAGES_LIMIT || empty > EMPTY_LIMIT || listed.all.len() > ENTRIES_LIMIT {
            listed.gaps.push(model::Gap::new(what, "it has no end"));
            return Ok(listed);
        }
        let question = Question { path: &path, verb: Verb::Get, accept: None, limit: PAGE_LIMIT };
        let page = match desk.ask(&question).await {
            Ok(reply) => read(&path, &reply).map_err(|why| {
                image::Error::unavailable(desk.host(), format!("{what}: {why}")).into()
            }),
            Err(failure) => Err(failure),
        };
        let page = match page {
            Ok(page) => page,
            Err(failure) if asked.len() == 1 => return Err(failure),
            // Whoever must wait is asked for the whole list again, later.
            Err(failure) if failure.wait.is_some() => return Err(failure),
            Err(failure) => {
                let why = format!("page {}: {}", asked.len(), failure.error.why());
                listed.lose(what, why, &failure);
                return Ok(listed);
            }
        };
        empty = if page.all.is_empty() { empty + 1 } else { 0 };
        let before = listed.all.len();
        listed.all.extend(page.all.into_iter().filter(|it| seen.insert(key(it))));
        listed.gaps.extend(page.gaps);
        path = match page.next {
            Next::End => return Ok(listed),
            // Some answer the same page to whatever comes last.
            Next::Perhaps(_) if listed.all.len() == before => return Ok(listed),
            Next::Path(path) | Next::Perhaps(path) => path,
            Next::Link(link) => {
                let Some(path) = desk.follow(&path, &link) else {
                    listed.gaps.push(model::Gap::new(what, "its next page is on another host"));
                    return Ok(listed);
                };
                path
            }
        };
    }
}
