//! What an Azure registry is asked: its catalog, as far as a token may see it, and its tags with
//! their digests and times.

use async_trait::async_trait;
use image::Failure;
use model::Digest;

use crate::contract::{Check, Directory, Listed, Repository, Tagged, is_no};
use crate::oci;
use crate::shared::asked::{self, entries, escaped};
use crate::shared::pages::{self, Next, Page};
use crate::shared::said::text;

/// Entries of one page.
const PER_PAGE: usize = 100;

pub(super) struct Lists {
    pub(super) lists: oci::Lists,
}

#[async_trait]
impl Directory for Lists {
    fn registry(&self) -> &str {
        &self.lists.registry
    }

    /// The catalog; else the registry's own; else what was named or seen, for whether a token may
    /// list depends on its scope map.
    async fn repositories(&self, known: &[String]) -> Result<Listed<Repository>, Failure> {
        if !self.lists.configured.is_empty() {
            return self.lists.repositories(known).await;
        }
        let mut listed = asked::catalog(&self.lists.desk, "/v2").await;
        if listed.as_ref().is_err_and(is_no) {
            listed = asked::catalog(&self.lists.desk.about(""), "/acr/v1").await;
        }
        let listed = match listed {
            Err(why) if is_no(&why) => asked::instead(&[], known, &why)?,
            other => other?,
        };
        Ok(listed.map(|name| asked::plain(self.registry(), name)))
    }

    /// With digests and times, the newest first; else as every registry tells them.
    async fn tags(&self, repository: &Repository) -> Result<Listed<Tagged>, Failure> {
        match self.tags_in_detail(&repository.name).await {
            Err(why) if is_no(&why) => self.lists.tags(repository).await,
            other => other,
        }
    }

    async fn digest(&self, repository: &Repository, tag: &str) -> Result<Option<Digest>, Failure> {
        self.lists.digest(repository, tag).await
    }

    async fn checks(&self) -> Vec<Check> {
        const REACHED: &str = "registry reachable";
        let mut checks = vec![match asked::knock(&self.lists.desk, "/v2/").await {
            Ok(()) => Check::ok(REACHED, self.registry()),
            // Whoever says no is there; what it does not give is said with what is asked for.
            Err(Failure { error: image::Error::Denied { .. }, .. }) => {
                Check::ok(REACHED, self.registry())
            }
            Err(failure) => return vec![Check::failed(REACHED, &failure)],
        }];
        checks.extend(asked::checks(self).await);
        checks
    }
}

impl Lists {
    async fn tags_in_detail(&self, name: &str) -> Result<Listed<Tagged>, Failure> {
        // Its own clients escape the slashes of a name.
        let first = format!("/acr/v1/{}/_tags?n={PER_PAGE}&orderby=timedesc", escaped(name));
        let what = format!("the tags of {name}");
        let desk = self.lists.desk.about(name);
        let start = first.clone();
        pages::all(
            &desk,
            &what,
            first,
            |it: &Tagged| it.tag.clone(),
            |_, reply| {
                let value = asked::json(&reply.body)?;
                let found = entries(&value, "tags")?;
                let (mut all, mut gaps) = (Vec::new(), Vec::new());
                for entry in found {
                    match asked::tagged(entry, "name", "digest", "lastUpdateTime") {
                        Some(tagged) => all.push(tagged),
                        None => asked::gap(&mut gaps, &what, "a tag has no name".to_owned()),
                    }
                }
                // Where it does not link, a full page is followed by what comes after its last.
                let last = found.last().and_then(|it| text(it, "name"));
                let next = match (Next::linked(reply), last) {
                    (Next::End, Some(last)) if found.len() >= PER_PAGE => {
                        Next::Perhaps(format!("{start}&last={}", escaped(last)))
                    }
                    (linked, _) => linked,
                };
                Ok(Page { all, gaps, next })
            },
        )
        .await
    }
}
