//! registry: images in an OCI registry, read without an engine.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>

mod access;
mod answer;
mod attempts;
mod beside;
mod challenge;
mod client;
mod connections;
mod desk;
mod download;
mod outlet;
mod pace;
mod papers;
mod upload;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use model::{Attestation, Digest, Gap, ImageDescription, LayerDescription, Platform, Reference};

use crate::manifest::{self, CONFIG_LIMIT, Document, Index, MANIFEST_LIMIT, Manifest};
use crate::verify::{digest_of, verify};
use crate::{
    Ask, Attached, Error, Image, ImageSource, LayerReader, Opened, Progress, Settings, Signatures,
    Wanted,
};

pub(crate) use answer::tame;
pub(crate) use beside::fallback_tag;
pub(crate) use client::Client;
pub use connections::reach;
pub use desk::{Desk, Failure, Question, Reply, Verb};
pub(crate) use download::read_layer;
pub use outlet::{Outlet, Posted, Unposted, addresses};
pub use pace::Pace;
pub use papers::Papers;

/// Attestations of one image that are looked at.
const ATTESTATIONS_LIMIT: usize = 16;
/// Images of one index, one for each platform.
const MEMBERS_LIMIT: usize = 100;
/// Bytes of one statement, with what it is signed in.
pub(crate) const STATEMENT_LIMIT: usize = attestation::LARGEST;

pub(crate) struct Registry;

#[async_trait]
impl ImageSource for Registry {
    fn scheme(&self) -> &'static str {
        "registry"
    }

    fn takes(&self) -> &'static str {
        "an image in a registry: NAME[:TAG][@DIGEST]"
    }

    async fn open(&self, ask: &Ask) -> Result<Option<Opened>, Error> {
        let reference = reference(&ask.name)?;
        let what = reference.familiar();
        let Reference { host, repository, .. } = &reference;
        let client = Client::new(host, repository, &what, &ask.settings, &ask.progress)?;
        let wanted = reference.wanted();
        let found = match &ask.manifest {
            Some(bytes) => Found::of(&what, bytes, wanted)?,
            None => client.find(wanted, ask.platform.as_ref()).await?,
        };
        let mut description = client.describe(found, ask.platform.as_ref()).await?;
        description.name.clone_from(&what);
        if reference.digest.is_none() {
            description.tags.push(what);
        }
        Ok(Some(Opened::Image(Box::new(RegistryImage { client, description }))))
    }
}

/// The reference that somebody wrote.
pub(crate) fn reference(text: &str) -> Result<Reference, Error> {
    text.parse().map_err(|why: model::BadReference| {
        let text = why.to_string();
        let (what, why) = text.rsplit_once(": ").unwrap_or((&text, "it makes no sense"));
        Error::invalid(what, why)
            .with_hint("name it like this: debian:12, registry.example/team/name:tag")
    })
}

/// One of the images that a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its manifest.
    pub digest: Digest,
    /// What its index says that it is for; the manifest of an only one says nothing.
    pub platform: Option<Platform>,
    /// What was read of it to learn that it is the only one.
    pub manifest: Option<Arc<[u8]>>,
    /// Does something beside it in its index state something about it?
    pub attested: bool,
}

/// The images that a name in a registry leads to, each once, in the order of their index: an only one,
/// or one for each platform. Attestations and the like stand beside images, and are none.
pub async fn images(
    name: &str,
    settings: &Arc<Settings>,
    progress: &Arc<dyn Progress>,
) -> Result<Vec<Member>, Error> {
    let reference = reference(name)?;
    let what = reference.familiar();
    let client = Client::new(&reference.host, &reference.repository, &what, settings, progress)?;
    let (document, bytes, digest) = client.document(reference.wanted()).await?;
    let Document::Index(index) = document else {
        let manifest = Some(bytes.into());
        return Ok(vec![Member { digest, platform: None, manifest, attested: false }]);
    };
    let index = client.flat(index).await?;
    let mut members: Vec<Member> = Vec::new();
    for descriptor in index.descriptors().filter(|it| !it.is_beside()) {
        let digest = descriptor.digest(&what)?;
        if members.len() >= MEMBERS_LIMIT {
            return Err(Error::limit(&what, format!("it holds over {MEMBERS_LIMIT} images")));
        }
        if members.iter().all(|it| it.digest != digest) {
            let (about, unknown) = index.attestations_of(&digest);
            let attested = !about.is_empty() || !unknown.is_empty();
            members.push(Member {
                digest,
                platform: descriptor.platform(),
                manifest: None,
                attested,
            });
        }
    }
    Ok(members)
}

struct RegistryImage {
    client: Client,
    description: ImageDescription,
}

#[async_trait]
impl Image for RegistryImage {
    fn description(&self) -> Option<&ImageDescription> {
        Some(&self.description)
    }

    async fn read(&self, reader: Arc<dyn LayerReader>) -> Result<ImageDescription, Error> {
        let mut seen = BTreeSet::new();
        let layers: Vec<(LayerDescription, Digest)> = self
            .description
            .layers
            .iter()
            .filter(|it| it.absent.is_none())
            .filter_map(|it| Some((it, it.digest.as_ref()?)))
            .filter(|(_, digest)| seen.insert(*digest))
            .filter(|(layer, _)| !reader.knows(layer))
            .map(|(layer, digest)| (layer.clone(), digest.clone()))
            .collect();
        let bytes = layers
            .iter()
            .fold(0_u64, |sum, (layer, _)| sum.saturating_add(layer.size.unwrap_or(0)));
        self.client.progress.expect(bytes);
        stream::iter(layers)
            .map(|(layer, digest)| read_layer(&self.client, layer, digest, Arc::clone(&reader)))
            .buffer_unordered(self.client.settings.workers.max(1))
            .try_collect::<()>()
            .await?;
        Ok(self.description.clone())
    }

    async fn attached(&self, wanted: Wanted) -> Attached {
        self.client.beside(&self.description, wanted).await
    }

    async fn signatures(&self) -> Signatures {
        self.client.signatures(&self.description).await
    }
}

/// The manifest of one image, and where it was found.
struct Found {
    manifest: Manifest,
    bytes: Vec<u8>,
    digest: Digest,
    index: Option<(Index, Digest)>,
}

impl Found {
    /// A manifest that somebody has: it is to be the one that is wanted.
    fn of(what: &str, bytes: &[u8], wanted: &str) -> Result<Self, Error> {
        let digest = wanted.parse().map_err(|_| Error::invalid(what, "no digest is wanted"))?;
        verify(what, bytes, &digest)?;
        match manifest::read(what, bytes)? {
            Document::Manifest(manifest) => {
                Ok(Self { manifest, bytes: bytes.to_vec(), digest, index: None })
            }
            Document::Index(_) => Err(Error::invalid(what, "the manifest is an index")),
        }
    }
}

impl Client {
    /// The manifest that a tag or digest leads to, through an index where there is one.
    async fn find(&self, wanted: &str, platform: Option<&Platform>) -> Result<Found, Error> {
        let what = &self.what;
        let (document, bytes, digest) = self.document(wanted).await?;
        let index = match document {
            Document::Manifest(manifest) => {
                return Ok(Found { manifest, bytes, digest, index: None });
            }
            Document::Index(index) => self.flat(index).await?,
        };
        let chosen = index.choose(what, platform)?.digest(what)?;
        match self.document(chosen.as_str()).await? {
            (Document::Manifest(manifest), bytes, chosen) => {
                Ok(Found { manifest, bytes, digest: chosen, index: Some((index, digest)) })
            }
            (Document::Index(_), ..) => {
                Err(Error::corrupt(what, "its index calls an index an image"))
            }
        }
    }

    /// The index, with what the indexes in it hold in their place.
    async fn flat(&self, mut index: Index) -> Result<Index, Error> {
        let what = &self.what;
        while let Some(entry) = index.take_nested(what)? {
            let inner = entry.descriptor.digest(what)?;
            match self.document(inner.as_str()).await?.0 {
                Document::Index(inner) => index.graft(&entry, inner),
                Document::Manifest(_) => {
                    return Err(Error::corrupt(what, "its index calls an image an index"));
                }
            }
        }
        Ok(index)
    }

    async fn document(&self, wanted: &str) -> Result<(Document, Vec<u8>, Digest), Error> {
        let (bytes, digest) = self.manifest(wanted).await?;
        Ok((manifest::read(&self.what, &bytes)?, bytes, digest))
    }

    /// An index or a manifest by tag or digest; its bytes are what its digest says.
    pub(crate) async fn manifest(&self, wanted: &str) -> Result<(Vec<u8>, Digest), Error> {
        let path = format!("manifests/{wanted}");
        let (headers, bytes) = self.get(&path, Some(manifest::ACCEPT), MANIFEST_LIMIT).await?;
        let claimed = headers.get("docker-content-digest").and_then(|it| it.to_str().ok());
        let digest = match wanted.parse::<Digest>() {
            Ok(digest) => {
                verify(&self.what, &bytes, &digest)?;
                digest
            }
            Err(_) => match claimed.and_then(|it| it.parse::<Digest>().ok()) {
                Some(digest) => {
                    verify(&self.what, &bytes, &digest)?;
                    digest
                }
                None => digest_of(&bytes),
            },
        };
        Ok((bytes, digest))
    }

    async fn describe(
        &self,
        found: Found,
        platform: Option<&Platform>,
    ) -> Result<ImageDescription, Error> {
        let what = &self.what;
        let Found { manifest, bytes, digest, index } = found;
        let config = manifest.config.digest(what)?;
        let path = format!("blobs/{config}");
        let (config_bytes, attestations) = tokio::join!(
            self.get(&path, None, CONFIG_LIMIT),
            self.attestations(index.as_ref().map(|(index, _)| index), &digest),
        );
        let (_, config_bytes) = config_bytes?;
        verify(what, &config_bytes, &config)?;
        let mut image = manifest.describe(what, &bytes, &config_bytes)?;
        manifest::fits(what, platform, &image.platform)?;
        image.digest = Some(digest);
        image.index = index.map(|(_, digest)| digest);
        let (attestations, gaps) = attestations;
        image.attestations = attestations;
        image.gaps.extend(gaps);
        Ok(image)
    }

    /// What is stated about an image, as far as it can be read: an image without its statements
    /// is still an image.
    async fn attestations(
        &self,
        index: Option<&Index>,
        image: &Digest,
    ) -> (Vec<Attestation>, Vec<Gap>) {
        let (mut attestations, mut gaps) = (Vec::new(), Vec::new());
        let Some(index) = index else { return (attestations, gaps) };
        let (about, unknown) = index.attestations_of(image);
        let named = about.into_iter().map(|it| (it.manifest, true));
        let all = named.chain(unknown.into_iter().map(|it| (it, false)));
        for (manifest, named) in all.take(ATTESTATIONS_LIMIT) {
            let read = match self.document(manifest.as_str()).await {
                Ok((Document::Manifest(it), ..)) => {
                    it.attests().ok_or_else(|| "it states nothing".to_owned())
                }
                Ok((Document::Index(_), ..)) => Err("it is an index".to_owned()),
                Err(error) => Err(error.why().to_owned()),
            };
            match read {
                Ok((about, predicate_types)) if named || about.as_ref() == Some(image) => {
                    attestations.push(Attestation { manifest, predicate_types });
                }
                Ok(_) => {}
                Err(why) => {
                    gaps.push(Gap::new(format!("attestation {}", manifest.short()), why));
                    if named {
                        attestations.push(Attestation { manifest, predicate_types: Vec::new() });
                    }
                }
            }
        }
        (attestations, gaps)
    }
}
