//! What a registry has about an image, as it has it: for policies, which look for themselves.

use std::sync::Arc;

use model::{Digest, Reference};
use serde_json::Value;

use super::beside::PAGES_LIMIT;
use super::client::Client;
use crate::contract::Attached;
use crate::manifest::{self, Document};
use crate::{Error, Progress, Settings};

/// Bytes of all pages of a list.
const ROOM: usize = 8 << 20;

/// Documents of one repository.
pub struct Papers {
    client: Client,
    tag: String,
}

impl Papers {
    /// Those about images that go by that name.
    pub fn of(
        reference: &Reference,
        settings: &Arc<Settings>,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, Error> {
        let Reference { host, repository, .. } = reference;
        let what = reference.to_string();
        let client = Client::new(host, repository, &what, settings, progress)?;
        let tag = reference.tag.clone().unwrap_or_else(|| "latest".to_owned());
        Ok(Self { client, tag })
    }

    /// The index that an image is in under its tag; `None`: the tag is the image itself, or the registry
    /// has nothing under it.
    pub async fn index(&self, digest: &Digest) -> Result<Option<Value>, Error> {
        let what = &self.client.what;
        // The digest may be an index's own.
        let (bytes, found) = match self.client.manifest(digest.as_str()).await {
            Ok(own) if is_index(what, &own.0)? => own,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
            Ok(_) => match self.client.manifest(&self.tag).await {
                Ok(tagged) => tagged,
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        let Document::Index(index) = manifest::read(what, &bytes)? else {
            if found == *digest {
                return Ok(None);
            }
            return Err(self.moved(digest));
        };
        let mut held = index.descriptors().filter_map(|it| it.digest(what).ok());
        if found != *digest && !held.any(|it| it == *digest) {
            return Err(self.moved(digest));
        }
        json(what, &bytes).map(Some)
    }

    /// Which index an image was in is not told by what its tag leads to now.
    fn moved(&self, digest: &Digest) -> Error {
        let why = format!("its tag leads elsewhere by now than to {}", digest.short());
        Error::unsupported(&self.client.what, why)
    }

    /// The list of what refers to an image; `None`: nothing does.
    pub async fn referrers(&self, digest: &Digest) -> Result<Option<Value>, Error> {
        let what = &self.client.what;
        let mut path = format!("referrers/{digest}");
        let mut all: Option<Value> = None;
        let mut room = ROOM;
        for _ in 0..PAGES_LIMIT {
            let Some((next, bytes)) = self.client.page(&path).await? else {
                // The first page decides whether the registry knows referrers at all.
                return match all {
                    None => match self.client.listed(digest).await? {
                        Some((_, bytes)) => Ok(listed(json(what, &bytes)?)),
                        None => Ok(None),
                    },
                    Some(all) => Ok(listed(all)),
                };
            };
            room = room.checked_sub(bytes.len()).ok_or_else(|| {
                Error::limit(what, format!("its list of referrers is over {ROOM} bytes"))
            })?;
            if !is_index(what, &bytes)? {
                return Err(Error::corrupt(what, "its list of referrers is no index"));
            }
            let page = json(what, &bytes)?;
            match &mut all {
                None => all = Some(page),
                Some(all) => {
                    let more = page["manifests"].as_array().cloned().unwrap_or_default();
                    all["manifests"]
                        .as_array_mut()
                        .into_iter()
                        .for_each(|it| it.extend(more.clone()));
                }
            }
            match (next, all) {
                (Some(next), more) => (path, all) = (next, more),
                (None, Some(all)) => return Ok(listed(all)),
                (None, None) => return Ok(None),
            }
        }
        Err(Error::limit(what, format!("its list of referrers has over {PAGES_LIMIT} pages")))
    }

    /// What lies under a digest, its manifest and what that states; `None`: nothing does.
    pub async fn referrer(&self, digest: &Digest) -> Result<Option<(Value, Attached)>, Error> {
        let what = &self.client.what;
        let bytes = match self.client.manifest(digest.as_str()).await {
            Ok((bytes, _)) => bytes,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let attached = match manifest::read(what, &bytes)? {
            Document::Manifest(manifest) => self.client.stated_in(&manifest, digest).await,
            Document::Index(_) => Attached::default(),
        };
        Ok(Some((json(what, &bytes)?, attached)))
    }
}

fn is_index(what: &str, bytes: &[u8]) -> Result<bool, Error> {
    Ok(matches!(manifest::read(what, bytes)?, Document::Index(_)))
}

/// A list in which nothing is says that nothing refers to it.
fn listed(all: Value) -> Option<Value> {
    let is_empty = all["manifests"].as_array().is_none_or(Vec::is_empty);
    (!is_empty).then_some(all)
}

fn json(what: &str, bytes: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(bytes).map_err(|why| Error::corrupt(what, why.to_string()))
}
