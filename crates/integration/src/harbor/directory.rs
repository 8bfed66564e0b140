//! What Harbor is asked: its projects, their repositories, and what is in them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use image::{Desk, Failure, Reply};
use model::{Digest, Gap};
use serde_json::Value;

use crate::contract::{Check, Directory, Listed, Repository, Tagged, is_no};
use crate::oci;
use crate::shared::asked::{self, entries, escaped};
use crate::shared::names;
use crate::shared::pages::{self, Next, Page};
use crate::shared::said::{shown, text};

/// Entries of one page: as many as Harbor gives.
const PER_PAGE: usize = 100;

pub(super) struct Lists {
    pub(super) desk: Desk,
    pub(super) pulled: oci::Lists,
    /// Those that were named; without any, all.
    pub(super) projects: Vec<String>,
    pub(super) repositories: Vec<String>,
}

#[async_trait]
impl Directory for Lists {
    fn registry(&self) -> &str {
        self.pulled.registry()
    }

    async fn repositories(&self, known: &[String]) -> Result<Listed<Repository>, Failure> {
        let mut listed = Listed::from(self.repositories.clone());
        let everything = self.projects.is_empty() && self.repositories.is_empty();
        let projects = if everything {
            match self.names("/api/v2.0/projects", "the projects", "name").await {
                Ok(projects) => projects,
                // A robot of one project may not list them, but what it may see has been seen.
                Err(why) if is_no(&why) => {
                    let mut known: Vec<String> = known
                        .iter()
                        .filter_map(|it| Some(it.split_once('/')?.0.to_owned()))
                        .collect();
                    known.sort();
                    known.dedup();
                    asked::instead(&known, &[], &why)?
                }
                Err(why) => return Err(why),
            }
        } else {
            self.projects.clone().into()
        };
        let mut names = Vec::new();
        listed.add(projects, |_, it| names.push(it));
        let mut tried = asked::Each::default();
        for project in names {
            let path = format!("/api/v2.0/projects/{}/repositories", escaped(&project));
            let what = format!("the repositories of {}", shown(&project));
            let found = self.names(&path, &what, "name").await;
            let Some(found) = tried.found(&what, found, &mut listed)? else { continue };
            listed.add(found, |listed, it| listed.all.push(it));
        }
        // Those that were named are there, whatever becomes of the projects.
        if self.repositories.is_empty() {
            tried.ended()?;
        }
        listed.all.sort();
        listed.all.dedup();
        Ok(listed.map(|name| asked::plain(self.registry(), name)))
    }

    /// With their digests, so a tag that moved without a push is seen.
    async fn tags(&self, repository: &Repository) -> Result<Listed<Tagged>, Failure> {
        let Some((project, name)) = repository.name.split_once('/') else {
            return self.pulled.tags(repository).await;
        };
        // A slash in a name is escaped twice.
        let name = escaped(&escaped(name));
        let first = format!(
            "/api/v2.0/projects/{}/repositories/{name}/artifacts?with_tag=true&page=1&page_size={PER_PAGE}",
            escaped(project)
        );
        let what = format!("the tags of {}", repository.name);
        let listed = pages::all(&self.desk, &what, first, Tagged::clone, |path, reply| {
            let value = asked::json(&reply.body)?;
            let artifacts = entries(&value, "")?;
            let mut page = Page {
                all: Vec::new(),
                gaps: Vec::new(),
                next: next(path, reply, artifacts.len()),
            };
            for artifact in artifacts {
                tags_of(artifact, &what, &mut page.all, &mut page.gaps);
            }
            Ok(page)
        });
        match listed.await {
            Ok(mut listed) => {
                // A tag that moved while pages were read is on two of them: the later time holds.
                let mut newest: BTreeMap<String, Tagged> = BTreeMap::new();
                for tagged in std::mem::take(&mut listed.all) {
                    let known = newest.entry(tagged.tag.clone()).or_insert_with(|| tagged.clone());
                    if tagged.at > known.at {
                        *known = tagged;
                    }
                }
                listed.all.extend(newest.into_values());
                Ok(listed)
            }
            Err(Failure { error: image::Error::NotFound { .. }, .. }) => Ok(Listed::default()),
            Err(why) => Err(why),
        }
    }

    async fn digest(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Failure> {
        self.pulled.digest(repository, tag).await
    }

    async fn checks(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        for (what, tried) in [
            ("API reachable", asked::knock(&self.desk, "/api/v2.0/systeminfo").await),
            ("registry reachable", asked::knock(&self.pulled.desk, "/v2/").await),
        ] {
            match tried {
                Ok(()) => checks.push(Check::ok(what, self.registry())),
                Err(failure) => checks.push(Check::failed(what, &failure)),
            }
        }
        if !checks.iter().any(Check::is_failure) {
            checks.extend(asked::checks(self).await);
        }
        checks
    }
}

impl Lists {
    /// The texts under `key` in the entries of the list at `path`.
    async fn names(&self, path: &str, what: &str, key: &str) -> Result<Listed<String>, Failure> {
        let first = format!("{path}?page=1&page_size={PER_PAGE}");
        pages::all(&self.desk, what, first, String::clone, |path, reply| {
            let value = asked::json(&reply.body)?;
            let found = entries(&value, "")?;
            let (mut all, mut gaps) = (Vec::new(), Vec::new());
            for entry in found {
                match text(entry, key).map(|it| (it, names::repository(it))) {
                    Some((_, Some(name))) => all.push(name),
                    Some((word, None)) => {
                        asked::gap(&mut gaps, what, format!("`{}` is no name", shown(word)));
                    }
                    None => asked::gap(&mut gaps, what, "one has no name".to_owned()),
                }
            }
            Ok(Page { all, gaps, next: next(path, reply, found.len()) })
        })
        .await
    }
}

/// Where a link leads, else the page with the next number while there should be more.
fn next(path: &str, reply: &Reply, entries: usize) -> Next {
    if let linked @ Next::Link(_) = Next::linked(reply) {
        return linked;
    }
    let total = reply.header("x-total-count").and_then(|it| it.parse::<usize>().ok());
    let page =
        path.split(['?', '&']).find_map(|it| it.strip_prefix("page=")?.parse::<usize>().ok());
    match (total, page) {
        (Some(total), Some(page)) if entries > 0 && page.saturating_mul(PER_PAGE) < total => {
            let (now, then) =
                (format!("page={page}&"), format!("page={}&", page.saturating_add(1)));
            Next::Perhaps(path.replacen(&now, &then, 1))
        }
        _ => Next::End,
    }
}

/// The tags of one artifact, which is an image unless it says otherwise.
fn tags_of(artifact: &Value, what: &str, all: &mut Vec<Tagged>, gaps: &mut Vec<Gap>) {
    if text(artifact, "type").is_some_and(|it| !it.eq_ignore_ascii_case("image")) {
        return;
    }
    let digest = text(artifact, "digest").and_then(names::digest);
    let Some(Value::Array(tags)) = artifact.get("tags") else { return };
    for tag in tags {
        match asked::tagged(tag, "name", "digest", "push_time") {
            Some(tagged) => all.push(Tagged { digest: digest.clone(), ..tagged }),
            None => asked::gap(gaps, what, "a tag has no name".to_owned()),
        }
    }
}
