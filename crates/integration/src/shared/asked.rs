//! What every registry is asked in the same way: catalog, tags, and whether it is there at all.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>

use std::collections::HashMap;

use image::{Desk, Error, Failure, Question, Verb};
use model::Gap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::names;
use super::pages::{self, Next, Page};
use super::said::{shown, text};
use crate::contract::{Check, Directory, Listed, Repository, Tagged};

/// Names of one page of tags.
const PER_PAGE: usize = 1000;
/// Names of one page of a catalog: some refuse whoever asks for more than they like to give.
const PER_CATALOG: usize = 100;
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A word in a path or query.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// The names in `/v2/_catalog` below `prefix`.
pub(crate) async fn catalog(desk: &Desk, prefix: &str) -> Result<Listed<String>, Failure> {
    let first = format!("{prefix}/_catalog?n={PER_CATALOG}");
    pages::all(desk, "the catalog", first, String::clone, |_, reply| {
        let (all, gaps) = words(&reply.body, "repositories", "the catalog", names::repository)?;
        Ok(Page { all, gaps, next: Next::linked(reply) })
    })
    .await
}

/// The tags of `image`, by its list below `prefix`. A repository without any is none that is there.
pub(crate) async fn tags(
    desk: &Desk,
    prefix: &str,
    image: &str,
) -> Result<Listed<Tagged>, Failure> {
    let first = format!("{prefix}/{image}/tags/list?n={PER_PAGE}");
    let what = format!("the tags of {image}");
    let desk = desk.about(image);
    let listed = pages::all(&desk, &what, first, Tagged::clone, |_, reply| {
        let (all, gaps) = words(&reply.body, "tags", &what, names::tag)?;
        let bare = |tag| Tagged { tag, digest: None, at: None };
        Ok(Page { all: all.into_iter().map(bare).collect(), gaps, next: Next::linked(reply) })
    });
    match listed.await {
        // Its last tag was deleted.
        Err(Failure { error: Error::NotFound { .. }, .. }) => Ok(Listed::default()),
        other => other,
    }
}

/// The texts under `key`, each read; what cannot be is a gap. `null` is an empty list.
fn words(
    body: &[u8],
    key: &str,
    what: &str,
    read: impl Fn(&str) -> Option<String>,
) -> Result<(Vec<String>, Vec<Gap>), String> {
    let value = json(body)?;
    let entries = match value.get(key) {
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(Value::Null) => &[],
        _ => return Err(format!("the answer has no `{key}`")),
    };
    let (mut all, mut gaps) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry.as_str().map(|it| (it, read(it))) {
            Some((_, Some(word))) => all.push(word),
            Some((word, None)) => gap(&mut gaps, what, format!("`{}` is no name", shown(word))),
            None => gap(&mut gaps, what, "a name is no text".to_owned()),
        }
    }
    Ok((all, gaps))
}

/// One more gap of a page, while there is room.
pub(crate) fn gap(gaps: &mut Vec<Gap>, what: &str, why: String) {
    if gaps.len() < 100 {
        gaps.push(Gap::new(what, why));
    }
}

/// An answer as JSON.
pub(crate) fn json(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|why| {
        format!("the answer is no JSON: at line {}, column {}", why.line(), why.column())
    })
}

/// The entries of an answer that is a list, or that has one under `key`.
pub(crate) fn entries<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], String> {
    let list = if key.is_empty() { Some(value) } else { value.get(key) };
    match list {
        Some(Value::Array(entries)) => Ok(entries),
        Some(Value::Null) => Ok(&[]),
        _ if key.is_empty() => Err("the answer is no list".to_owned()),
        _ => Err(format!("the answer has no `{key}`")),
    }
}

/// A list of what is configured or was seen before, where the registry does not tell.
pub(crate) fn instead(
    configured: &[String],
    known: &[String],
    why: &Failure,
) -> Result<Listed<String>, Failure> {
    let mut all: Vec<String> =
        configured.iter().chain(known).filter_map(|it| names::repository(it)).collect();
    all.sort();
    all.dedup();
    if all.is_empty() {
        let hint = "allow it to list the catalog, or name the repositories";
        return Err(Failure { error: why.error.clone().with_hint(hint), wait: why.wait });
    }
    let gap = Gap::new(
        "the catalog",
        format!(
            "it is not told ({}): only repositories that were named or seen are listed",
            why.error.why()
        ),
    );
    Ok(Listed { all, gaps: vec![gap], is_torn: false })
}

/// Several lists that make one: each that cannot be had is a gap, and a failure only where none can.
#[derive(Default)]
pub(crate) struct Each {
    is_any: bool,
    failure: Option<Failure>,
}

impl Each {
    /// What was found in one of them. Whoever is to wait asks nobody else.
    pub(crate) fn found<T, U>(
        &mut self,
        what: &str,
        found: Result<T, Failure>,
        listed: &mut Listed<U>,
    ) -> Result<Option<T>, Failure> {
        match found {
            Ok(found) => {
                self.is_any = true;
                Ok(Some(found))
            }
            Err(failure) if failure.wait.is_some() => Err(failure),
            Err(failure) => {
                listed.lose(what, failure.error.why(), &failure);
                self.failure.get_or_insert(failure);
                Ok(None)
            }
        }
    }

    /// That was all: why there is none of them.
    pub(crate) fn ended(self) -> Result<(), Failure> {
        match self.failure {
            Some(failure) if !self.is_any => Err(failure),
            _ => Ok(()),
        }
    }
}

/// Asks for `path`, and for nothing in it.
pub(crate) async fn knock(desk: &Desk, path: &str) -> Result<(), Failure> {
    let question = Question { path, verb: Verb::Get, accept: None, limit: 1 << 20 };
    desk.ask(&question).await.map(|_| ())
}

/// What can be tried with any directory: a list, its first tags, and one digest.
pub(crate) async fn checks(directory: &dyn Directory) -> Vec<Check> {
    const LISTED: &str = "repositories can be listed";
    const TAGS: &str = "tags can be listed";
    const READ: &str = "images can be read";
    let mut checks = Vec::new();
    let repositories = match directory.repositories(&[]).await {
        Ok(listed) => listed,
        Err(failure) => {
            checks.push(Check::failed(LISTED, &failure));
            return checks;
        }
    };
    let count = repositories.all.len();
    checks.push(match repositories.gaps.first() {
        Some(gap) => Check::warned(LISTED, gap.to_string(), "some repositories may be missing"),
        None => Check::ok(LISTED, counted(count, "repository", "repositories")),
    });
    // An empty repository says nothing about the next one.
    for repository in repositories.all.iter().take(5) {
        let tags = match directory.tags(repository).await {
            Ok(listed) => listed.all,
            Err(failure) => {
                checks.push(Check::failed(TAGS, &failure));
                return checks;
            }
        };
        let Some(first) = tags.first() else { continue };
        let tags_of = counted(tags.len(), "tag", "tags");
        checks.push(Check::ok(TAGS, format!("{tags_of} of {}", repository.name)));
        checks.push(match directory.digest(repository, &first.tag).await {
            Ok(Some(digest)) => {
                let name = format!("{}:{}", repository.name, first.tag);
                Check::ok(READ, format!("{name} is {}", digest.short()))
            }
            Ok(None) => Check::warned(READ, "a listed tag is not there", "try again"),
            Err(failure) => Check::failed(READ, &failure),
        });
        return checks;
    }
    checks.push(Check::warned(TAGS, "there is no image yet", "push one, and test again"));
    checks
}

/// One more repository of a list, where what is listed makes one.
pub(crate) fn named(
    listed: &mut Listed<Repository>,
    what: &str,
    image: &str,
    repository: Option<Repository>,
) {
    if repository.is_none() {
        gap(&mut listed.gaps, what, format!("`{}` makes no name", shown(image)));
    }
    listed.all.extend(repository);
}

/// Each name once, with all the keys that make it.
pub(crate) fn merged(all: impl IntoIterator<Item = Repository>) -> Vec<Repository> {
    let mut merged: Vec<Repository> = Vec::new();
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for repository in all {
        let name = (repository.registry.clone(), repository.name.clone());
        let place = *places.entry(name).or_insert(merged.len());
        match merged.get_mut(place) {
            None => merged.push(repository),
            Some(there) => {
                let new = repository.keys.into_iter().filter(|it| !there.keys.contains(it));
                let new: Vec<String> = new.collect();
                there.keys.extend(new);
            }
        }
    }
    merged
}

/// The repository under a name that is pulled as it is listed.
pub(crate) fn plain(registry: &str, name: String) -> Repository {
    Repository { registry: registry.to_owned(), keys: Vec::new(), image: name.clone(), name }
}

/// A digest and a time that an entry of a list says.
pub(crate) fn tagged(entry: &Value, name: &str, digest: &str, at: &str) -> Option<Tagged> {
    Some(Tagged {
        tag: names::tag(text(entry, name)?)?,
        digest: text(entry, digest).and_then(names::digest),
        at: text(entry, at).and_then(names::moment),
    })
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
