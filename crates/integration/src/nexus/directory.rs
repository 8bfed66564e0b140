//! What Nexus is asked: its repositories, and the components in them.

use std::collections::HashSet;

use async_trait::async_trait;
use image::{Desk, Failure, Question, Verb};
use model::Digest;
use serde_json::Value;

use crate::contract::{Check, Directory, Listed, Repository, Tagged};
use crate::oci;
use crate::shared::asked::{self, entries, escaped};
use crate::shared::names::{self, composed};
use crate::shared::pages::{self, Next, PAGE_LIMIT, Page};
use crate::shared::said::{shown, text};

pub(super) struct Lists {
    pub(super) desk: Desk,
    pub(super) pulled: oci::Lists,
    pub(super) template: String,
    pub(super) keys: Vec<String>,
}

#[async_trait]
impl Directory for Lists {
    fn registry(&self) -> &str {
        self.pulled.registry()
    }

    async fn repositories(&self, _known: &[String]) -> Result<Listed<Repository>, Failure> {
        let keys = if self.keys.is_empty() { self.docker().await? } else { self.keys.clone() };
        let mut listed = Listed::default();
        let mut tried = asked::Each::default();
        for key in keys {
            let what = format!("the components of {}", shown(&key));
            let first = format!("/service/rest/v1/components?repository={}", escaped(&key));
            let found = self.components(&what, first, |it| it.0.clone()).await;
            let Some(found) = tried.found(&what, found, &mut listed)? else { continue };
            listed.add(found, |listed, (image, _)| {
                let repository = composed(&self.template, self.registry(), &key, &image);
                asked::named(listed, &what, &image, repository);
            });
        }
        tried.ended()?;
        listed.all = asked::merged(listed.all);
        listed.all.sort();
        Ok(listed)
    }

    async fn tags(&self, repository: &Repository) -> Result<Listed<Tagged>, Failure> {
        let Repository { keys, image, .. } = repository;
        if keys.is_empty() {
            return self.pulled.tags(repository).await;
        }
        let mut listed: Listed<Tagged> = Listed::default();
        let mut tried = asked::Each::default();
        let mut seen = HashSet::new();
        for key in keys {
            let first = format!(
                "/service/rest/v1/search?format=docker&repository={}&name={}",
                escaped(key),
                escaped(image)
            );
            let what = format!("the tags of {image} in {}", shown(key));
            let found = self.components(&what, first, |it| it.1.tag.clone()).await;
            let Some(found) = tried.found(&what, found, &mut listed)? else { continue };
            listed.add(found, |listed, (name, tagged)| {
                // A search may find more than was meant.
                if name == *image && seen.insert(tagged.tag.clone()) {
                    // Which of several is pulled under this name, the registry says.
                    let digest = tagged.digest.filter(|_| keys.len() == 1);
                    listed.all.push(Tagged { digest, ..tagged });
                }
            });
        }
        tried.ended()?;
        Ok(listed)
    }

    async fn digest(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Failure> {
        self.pulled.digest(repository, tag).await
    }

    async fn checks(&self) -> Vec<Check> {
        let mut checks = vec![match self.docker().await {
            Ok(keys) => {
                Check::ok("API reachable", format!("Docker repositories: {}", keys.join(", ")))
            }
            Err(failure) => Check::failed("API reachable", &failure),
        }];
        checks.push(match asked::knock(&self.pulled.desk, "/v2/").await {
            Ok(()) => Check::ok("registry reachable", self.registry()),
            Err(failure) => Check::failed("registry reachable", &failure),
        });
        if !checks.iter().any(Check::is_failure) {
            checks.extend(asked::checks(self).await);
        }
        checks
    }

    fn repository(&self, registry: &str, name: &str) -> Repository {
        // Its keys are some of those that are watched, or the first word, or nobody knows them.
        let first = name.split_once('/').map(|it| it.0.to_owned());
        let made = |key: &String| {
            let images = [name.strip_prefix(&format!("{key}/")), Some(name)];
            let compose = |image| composed(&self.template, self.registry(), key, image);
            let mut made = images.into_iter().flatten().filter_map(compose);
            made.find(|it| it.registry == registry && it.name == name)
        };
        // Where any key would make the name, one that was guessed says nothing.
        let guessed = first.as_ref().filter(|_| self.template.contains("{repository}"));
        let known = asked::merged(self.keys.iter().filter_map(made)).into_iter().next();
        known
            .or_else(|| guessed.and_then(made))
            .unwrap_or_else(|| asked::plain(registry, name.to_owned()))
    }
}

impl Lists {
    /// The names of the Docker repositories that we may see.
    async fn docker(&self) -> Result<Vec<String>, Failure> {
        let question = Question {
            path: "/service/rest/v1/repositories",
            verb: Verb::Get,
            accept: None,
            limit: PAGE_LIMIT,
        };
        let reply = self.desk.ask(&question).await?;
        let bad = |why| image::Error::unavailable(self.desk.host(), why);
        let value = asked::json(&reply.body).map_err(bad)?;
        let all = entries(&value, "").map_err(bad)?.iter();
        Ok(all
            .filter(|it| text(it, "format") == Some("docker"))
            .filter_map(|it| text(it, "name").map(str::to_owned))
            .collect())
    }

    /// The images of a list of components: name and tag of each.
    async fn components(
        &self,
        what: &str,
        first: String,
        key: impl Fn(&(String, Tagged)) -> String,
    ) -> Result<Listed<(String, Tagged)>, Failure> {
        let start = first.clone();
        pages::all(&self.desk, what, first, key, |_, reply| {
            let value = asked::json(&reply.body)?;
            let (mut all, mut gaps) = (Vec::new(), Vec::new());
            for component in entries(&value, "items")? {
                if text(component, "format").is_some_and(|it| it != "docker") {
                    continue;
                }
                // A manifest without a tag is a part of another, or forgotten.
                if text(component, "version").is_some_and(|it| it.contains(':')) {
                    continue;
                }
                match image(component) {
                    Some(found) => all.push(found),
                    None => asked::gap(&mut gaps, what, "a component is no image".to_owned()),
                }
            }
            // The token goes back as it came, to a path that we wrote.
            let next = match text(&value, "continuationToken") {
                Some(token) => {
                    Next::Path(format!("{}&continuationToken={}", start, escaped(token)))
                }
                None => Next::End,
            };
            Ok(Page { all, gaps, next })
        })
        .await
    }
}

/// The image that a component is.
fn image(component: &Value) -> Option<(String, Tagged)> {
    let name = names::repository(text(component, "name")?.trim_start_matches('/'))?;
    let tag = names::tag(text(component, "version")?)?;
    let assets = component.get("assets").and_then(Value::as_array);
    let wanted = format!("v2/{name}/manifests/{tag}");
    let manifest = assets
        .into_iter()
        .flatten()
        .find(|it| text(it, "path").is_some_and(|path| path.trim_start_matches('/') == wanted));
    let checksum = manifest.and_then(|it| text(it.get("checksum")?, "sha256"));
    let digest = checksum.and_then(names::digest);
    let at = manifest.and_then(|it| text(it, "lastModified")).and_then(names::moment);
    Some((name, Tagged { tag, digest, at }))
}
