//! What is stated beside an image in a registry: in its index, by its referrers, and under the tags that
//! cosign writes.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers>

use std::collections::BTreeSet;

use model::{Digest, Gap, ImageDescription};
use reqwest::StatusCode;
use reqwest::header::LINK;

use super::attempts::Attempts;
use super::client::{Call, Client};
use super::{ATTESTATIONS_LIMIT, STATEMENT_LIMIT};
use crate::Error;
use crate::contract::{Attached, ImageSignature, Place, Signatures, Stated, Wanted};
use crate::manifest::{self, Document, Index, MANIFEST_LIMIT, Manifest};
use crate::verify::verify;

/// Referrers of one image that are looked at.
const REFERRERS_LIMIT: usize = 64;
/// Bytes of all statements beside one image.
const ROOM: usize = 128 << 20;
/// Signatures of one image that are looked at.
const SIGNATURES_LIMIT: usize = 64;
/// Bytes of what is signed of an image.
const PAYLOAD_LIMIT: usize = 1 << 20;
/// Pages of a list of referrers.
pub(super) const PAGES_LIMIT: usize = 16;
/// `Accept` of a list of referrers.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Client {
    /// Everything that is stated beside the image and is `wanted`.
    pub(super) async fn beside(&self, image: &ImageDescription, wanted: Wanted) -> Attached {
        let mut reading = Reading {
            client: self,
            wanted,
            room: ROOM,
            seen: BTreeSet::new(),
            found: Attached::default(),
        };
        let Some(digest) = &image.digest else { return reading.found };
        let known = image.attestations.iter().take(ATTESTATIONS_LIMIT);
        for attestation in known {
            let types = &attestation.predicate_types;
            // What is not told may be anything.
            if types.is_empty() || types.iter().any(|it| wanted(it)) {
                reading.manifest(&attestation.manifest, digest, Place::Index).await;
            } else {
                reading.seen.insert(attestation.manifest.clone());
            }
        }
        for subject in std::iter::once(digest).chain(&image.index) {
            reading.referrers(subject).await;
            reading.tag(subject).await;
        }
        reading.found
    }

    /// What is stated in the layers of a manifest, about whatever it says that it is about.
    pub(super) async fn stated_in(&self, manifest: &Manifest, digest: &Digest) -> Attached {
        let mut reading = Reading {
            client: self,
            wanted: |_| true,
            room: ROOM,
            seen: BTreeSet::new(),
            found: Attached::default(),
        };
        let about = manifest.about().unwrap_or_else(|| digest.clone());
        reading.layers(manifest, digest, &about, Place::Referrers).await;
        reading.found
    }

    /// The signatures of the image, and of the index that it is in.
    pub(super) async fn signatures(&self, image: &ImageDescription) -> Signatures {
        let mut found = Signatures::default();
        for beside in image.digest.iter().chain(&image.index) {
            let tag = format!("{}.sig", fallback_tag(beside));
            if let Err(error) = self.signatures_of(beside, &tag, &mut found).await {
                found.gaps.push(Gap::new(tag, error.why()));
            }
        }
        found
    }

    async fn signatures_of(
        &self,
        beside: &Digest,
        tag: &str,
        found: &mut Signatures,
    ) -> Result<(), Error> {
        let (bytes, manifest) = match self.manifest(tag).await {
            Err(Error::NotFound { .. }) => return Ok(()),
            answer => answer?,
        };
        let Document::Manifest(document) = manifest::read(&self.what, &bytes)? else {
            return Err(Error::corrupt(&self.what, "its signatures are an index"));
        };
        let layers = document.signed(&self.what)?;
        if layers.len() > SIGNATURES_LIMIT {
            let why = format!("it has over {SIGNATURES_LIMIT} signatures");
            return Err(Error::limit(&self.what, why));
        }
        for (digest, signature, certificate) in layers {
            let (_, payload) = self.get(&format!("blobs/{digest}"), None, PAYLOAD_LIMIT).await?;
            verify(&self.what, &payload, &digest)?;
            let (manifest, beside) = (manifest.clone(), beside.clone());
            found.all.push(ImageSignature { manifest, beside, payload, signature, certificate });
        }
        Ok(())
    }

    /// The manifests that the registry says are about that one, or those that others have listed for it
    /// under a tag; nothing, where there is neither.
    pub(crate) async fn referrers(&self, subject: &Digest) -> Result<Option<Index>, Error> {
        let mut all: Option<Index> = None;
        let mut path = format!("referrers/{subject}");
        for _ in 0..PAGES_LIMIT {
            let Some((next, bytes)) = self.page(&path).await? else {
                // The first page decides whether the registry knows referrers at all.
                return match all {
                    None => self.listed(subject).await.map(|it| it.map(|(index, _)| index)),
                    all => Ok(all),
                };
            };
            let Document::Index(page) = manifest::read(&self.what, &bytes)? else {
                return Err(Error::corrupt(&self.what, "its list of referrers is no index"));
            };
            match &mut all {
                Some(all) => all.join(page),
                None => all = Some(page),
            }
            match next {
                Some(next) => path = next,
                None => return Ok(all),
            }
        }
        Err(Error::limit(&self.what, format!("its list of referrers has over {PAGES_LIMIT} pages")))
    }

    pub(super) async fn page(
        &self,
        path: &str,
    ) -> Result<Option<(Option<String>, Vec<u8>)>, Error> {
        let call = Call { accept: Some(INDEX), optional: true, ..Call::default() };
        let mut attempts = Attempts::new(&self.settings, &self.progress);
        let response = self.open(path, &call, &mut attempts).await?;
        if response.status() != StatusCode::OK {
            return Ok(None);
        }
        let next = response.headers().get(LINK).and_then(|it| it.to_str().ok()).and_then(next_page);
        // Where the next page is asked for is where this one was.
        let next = next.and_then(|it| {
            let next = response.url().join(&it).ok()?;
            (next.origin() == response.url().origin()).then(|| next.to_string())
        });
        match self.body(response, MANIFEST_LIMIT).await {
            Ok(bytes) => Ok(Some((next, bytes))),
            Err(super::client::Trouble::Final(error)) => Err(error),
            Err(super::client::Trouble::Again(setback)) => Err(setback.error),
        }
    }

    /// The list of referrers that clients keep under a tag where the registry keeps none, and its bytes.
    pub(crate) async fn listed(&self, subject: &Digest) -> Result<Option<(Index, Vec<u8>)>, Error> {
        match self.under(&fallback_tag(subject)).await? {
            None => Ok(None),
            Some(bytes) => match manifest::read(&self.what, &bytes)? {
                Document::Index(index) => Ok(Some((index, bytes))),
                Document::Manifest(_) => Ok(None),
            },
        }
    }

    /// The bytes of the manifest under a tag, if there is one.
    pub(crate) async fn under(&self, tag: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.manifest(tag).await {
            Ok((bytes, _)) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// `sha256-…`: where clients list referrers for registries that do not.
pub(crate) fn fallback_tag(subject: &Digest) -> String {
    let tag = format!("{}-{}", subject.algorithm(), subject.hex());
    // A tag has no more letters than that.
    tag.chars().take(128).collect()
}

/// The address in `<…>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("rel=\"next\"").then(|| address.to_owned())
}

/// What was read so far.
struct Reading<'a> {
    client: &'a Client,
    wanted: Wanted,
    /// Bytes that may still be read.
    room: usize,
    /// Manifests that were looked at: BuildKit's are both in the index and among the referrers.
    seen: BTreeSet<Digest>,
    found: Attached,
}

impl Reading<'_> {
    fn hole(&mut self, at: String, error: &Error) {
        self.found.gaps.push(Gap::new(at, error.why()));
    }

    async fn referrers(&mut self, subject: &Digest) {
        let at = || format!("referrers of {}", subject.short());
        let index = match self.client.referrers(subject).await {
            Ok(Some(index)) => index,
            Ok(None) => return,
            Err(error) => return self.hole(at(), &error),
        };
        let mut manifests = Vec::new();
        for descriptor in index.descriptors().filter(|it| it.may_attest()) {
            match descriptor.digest(&self.client.what) {
                Ok(digest) if self.seen.contains(&digest) => {}
                Ok(digest) => manifests.push(digest),
                Err(error) => self.hole(at(), &error),
            }
        }
        if manifests.len() > REFERRERS_LIMIT {
            let why = format!("there are {}, and {REFERRERS_LIMIT} are read", manifests.len());
            self.found.gaps.push(Gap::new(at(), why));
        }
        for manifest in manifests.iter().take(REFERRERS_LIMIT) {
            self.manifest(manifest, subject, Place::Referrers).await;
        }
    }

    /// cosign's attestations are layers of one manifest, which has a tag of its own.
    async fn tag(&mut self, subject: &Digest) {
        let tag = format!("{}.att", fallback_tag(subject));
        match self.client.manifest(&tag).await {
            Ok((bytes, digest)) => match manifest::read(&self.client.what, &bytes) {
                Ok(Document::Manifest(manifest)) => {
                    self.layers(&manifest, &digest, subject, Place::Tag).await;
                }
                Ok(Document::Index(_)) => {}
                Err(error) => self.hole(tag, &error),
            },
            Err(Error::NotFound { .. }) => {}
            Err(error) => self.hole(tag, &error),
        }
    }

    async fn manifest(&mut self, digest: &Digest, beside: &Digest, place: Place) {
        if !self.seen.insert(digest.clone()) {
            return;
        }
        let name = format!("attestation {}", digest.short());
        let manifest = match self.client.document(digest.as_str()).await {
            Ok((Document::Manifest(manifest), ..)) => manifest,
            Ok((Document::Index(_), ..)) => {
                return self.found.gaps.push(Gap::new(name, "it is an index"));
            }
            Err(error) => return self.hole(name, &error),
        };
        if let Some(about) = manifest.about()
            && about != *beside
        {
            let why = format!("it is about {}, which is another image", about.short());
            return self.found.gaps.push(Gap::new(name, why));
        }
        self.layers(&manifest, digest, beside, place).await;
    }

    async fn layers(
        &mut self,
        manifest: &Manifest,
        digest: &Digest,
        beside: &Digest,
        place: Place,
    ) {
        let name = format!("attestation {}", digest.short());
        let what = &self.client.what;
        let stating = match manifest.stating(what, self.wanted) {
            Ok(stating) => stating,
            Err(error) => return self.hole(name, &error),
        };
        for stating in stating {
            let path = format!("blobs/{}", stating.digest);
            let limit = STATEMENT_LIMIT.min(self.room);
            let read = async {
                let (_, bytes) = self.client.get(&path, None, limit).await?;
                verify(what, &bytes, &stating.digest)?;
                Ok::<_, Error>(bytes)
            };
            match read.await {
                Ok(bytes) => {
                    self.room = self.room.saturating_sub(bytes.len());
                    let stated = Stated::open(&stating, bytes, (digest, beside, place));
                    self.found.add(stated, &name, self.wanted);
                }
                Err(error) => self.found.gaps.push(Gap::new(name.clone(), error.why())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page() {
        assert_eq!(next_page("</v2/a?n=1>; rel=\"next\"").as_deref(), Some("/v2/a?n=1"));
        assert_eq!(next_page("</v2/a>; rel=\"prev\""), None);
        assert_eq!(next_page("x"), None);
    }
}
