//! What Artifactory is asked: its repositories, their catalogs and tags, and what changed.

use std::collections::HashSet;

use async_trait::async_trait;
use image::{Desk, Failure, Question, Verb};
use model::{Digest, Moment};
use serde_json::{Value, json};

use super::{Names, is_key};
use crate::contract::{Change, Check, Directory, Listed, Outcome, Repository, Tagged};
use crate::shared::asked::{self, entries, escaped};
use crate::shared::names;
use crate::shared::pages::PAGE_LIMIT;
use crate::shared::said::{shown, text};

/// Rows of one answer of its query language.
const ROWS: usize = 1000;
/// Answers to one query.
const ANSWERS: usize = 1000;

pub(super) struct Lists {
    pub(super) desk: Desk,
    pub(super) names: Names,
}

#[async_trait]
impl Directory for Lists {
    fn registry(&self) -> &str {
        &self.names.registry
    }

    async fn repositories(&self, _known: &[String]) -> Result<Listed<Repository>, Failure> {
        let mut listed = Listed::default();
        let mut tried = asked::Each::default();
        for key in &self.names.keys {
            let what = format!("the catalog of {key}");
            let found = asked::catalog(&self.desk, &v2(key)).await;
            let Some(found) = tried.found(&what, found, &mut listed)? else { continue };
            listed.add(found, |listed, image| {
                asked::named(listed, &what, &image, self.names.of(key, &image));
            });
        }
        tried.ended()?;
        listed.all = asked::merged(listed.all);
        Ok(listed)
    }

    async fn tags(&self, repository: &Repository) -> Result<Listed<Tagged>, Failure> {
        let mut listed = Listed::default();
        let mut tried = asked::Each::default();
        let mut seen = HashSet::new();
        for key in &repository.keys {
            let found = asked::tags(&self.desk, &v2(key), &repository.image).await;
            let what = format!("the tags of {key}/{}", repository.image);
            let Some(found) = tried.found(&what, found, &mut listed)? else { continue };
            listed.add(found, |listed, it| {
                listed.all.extend(Some(it).filter(|it| seen.insert(it.tag.clone())));
            });
        }
        tried.ended()?;
        Ok(listed)
    }

    async fn digest(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Failure> {
        let key = self.names.through.as_ref().or_else(|| repository.keys.first());
        let Some(key) = key else { return Ok(None) };
        let path = format!("{}/{}/manifests/{tag}", v2(key), repository.image);
        self.desk.about(&repository.image).digest_at(&path).await
    }

    async fn changes(&self, since: Moment) -> Result<Option<Listed<Change>>, Failure> {
        let mut listed = Listed::default();
        let mut tried = asked::Each::default();
        for key in &self.names.keys {
            let what = format!("the changes of {key}");
            let found = self.changed(key, since, &mut listed).await;
            tried.found(&what, found, &mut listed)?;
        }
        tried.ended()?;
        Ok(Some(listed))
    }

    async fn checks(&self) -> Vec<Check> {
        const REACHED: &str = "API reachable";
        const THERE: &str = "repositories exist";
        let question = Question {
            path: "/api/repositories?packageType=docker",
            verb: Verb::Get,
            accept: None,
            limit: PAGE_LIMIT,
        };
        let reply = match self.desk.ask(&question).await {
            Ok(reply) => reply,
            Err(failure) => return vec![Check::failed(REACHED, &failure)],
        };
        let mut checks = vec![Check::ok(REACHED, self.desk.host())];
        let value = asked::json(&reply.body).unwrap_or_default();
        let listed: Vec<&str> = entries(&value, "")
            .unwrap_or_default()
            .iter()
            .filter_map(|it| text(it, "key"))
            .collect();
        let missing: Vec<&str> =
            self.names.keys.iter().map(String::as_str).filter(|it| !listed.contains(it)).collect();
        if missing.is_empty() {
            checks.push(Check::ok(THERE, self.names.keys.join(", ")));
        } else {
            let there: Vec<&str> = listed.into_iter().filter(|it| is_key(it)).take(20).collect();
            let outcome = Outcome::Failed {
                why: format!("it shows no Docker repository {}", missing.join(", ")),
                hint: Some(format!(
                    "it shows {}",
                    if there.is_empty() { "none".to_owned() } else { there.join(", ") }
                )),
            };
            checks.push(Check { what: THERE, outcome });
        }
        checks.extend(asked::checks(self).await);
        checks
    }

    fn repository(&self, registry: &str, name: &str) -> Repository {
        // Wherever the key stands, some of them make this very name.
        let made = self.names.keys.iter().filter_map(|key| {
            let through = self.names.through.as_ref().unwrap_or(key);
            let images = [name.strip_prefix(&format!("{through}/")), Some(name)];
            let mut made = images.into_iter().flatten().filter_map(|it| self.names.of(key, it));
            made.find(|it| it.registry == registry && it.name == name)
        });
        let made = asked::merged(made).into_iter().next();
        made.unwrap_or_else(|| asked::plain(registry, name.to_owned()))
    }
}

impl Lists {
    /// What changed in one of its repositories.
    async fn changed(
        &self,
        key: &str,
        since: Moment,
        listed: &mut Listed<Change>,
    ) -> Result<(), Failure> {
        for answer in 0..ANSWERS {
            let body = query(key, since, answer * ROWS);
            let question = Question {
                path: "/api/search/aql",
                verb: Verb::Post("text/plain", body),
                accept: None,
                limit: PAGE_LIMIT,
            };
            let reply = self.desk.ask(&question).await?;
            let unreadable = |why| image::Error::unavailable(self.desk.host(), why);
            let value = asked::json(&reply.body).map_err(unreadable)?;
            let rows = entries(&value, "results").map_err(unreadable)?;
            let gaps = &mut listed.gaps;
            listed.all.extend(rows.iter().filter_map(|row| self.change(key, row, gaps)));
            if rows.len() < ROWS {
                return Ok(());
            }
        }
        asked::gap(&mut listed.gaps, "the changes", "they have no end".to_owned());
        Ok(())
    }

    /// A changed manifest. One without a tag is a part of another.
    fn change(&self, key: &str, row: &Value, gaps: &mut Vec<model::Gap>) -> Option<Change> {
        let path = text(row, "path")?;
        let (image, version) = path.rsplit_once('/')?;
        if version.contains(':') {
            return None;
        }
        let found = self.names.of(key, image).zip(names::tag(version));
        let Some((repository, tag)) = found else {
            asked::gap(gaps, "the changes", format!("`{}` is no image", shown(path)));
            return None;
        };
        // What is pulled through another repository is not always what this one has.
        let is_sure = self.names.through.is_none();
        let digest = text(row, "sha256").and_then(names::digest).filter(|_| is_sure);
        let at = text(row, "modified").and_then(names::moment);
        Some(Change { repository, tagged: Tagged { tag, digest, at } })
    }
}

/// Where the registry's own interface of a repository is.
fn v2(key: &str) -> String {
    format!("/api/docker/{}/v2", escaped(key))
}

/// What asks for manifests that changed after `since`, from the oldest.
/// <https://jfrog.com/help/r/jfrog-rest-apis/artifactory-query-language>
fn query(key: &str, since: Moment, offset: usize) -> String {
    let find = json!({
        "repo": key,
        "modified": {"$gt": since.to_string()},
        "$or": [{"name": "manifest.json"}, {"name": "list.manifest.json"}],
    });
    format!(
        "items.find({find}).include(\"repo\",\"path\",\"name\",\"sha256\",\"modified\")\
         .sort({{\"$asc\":[\"modified\",\"path\",\"name\"]}}).offset({offset}).limit({ROWS})"
    )
}
