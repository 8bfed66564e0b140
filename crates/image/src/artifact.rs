//! Artifacts: a configuration and files that a registry keeps like an image's, whatever they are.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage>

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use model::{Digest, LayerDescription, LayerKey};
use serde::{Deserialize, Serialize};

use crate::blob::from_io;
use crate::registry::{Client, read_layer, reference};
use crate::verify::{digest_of, verify};
use crate::{Error, LayerReader, Progress, Settings};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const TITLE: &str = "org.opencontainers.image.title";
/// Files of one artifact.
const LAYERS_LIMIT: usize = 10_000;
/// Bytes of a configuration.
const CONFIG_LIMIT: u64 = 64 << 20;

/// What is to be pushed.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// What it is: `application/vnd.example.thing.v1`.
    pub artifact_type: String,
    /// What describes it.
    pub config: Piece,
    /// Its files.
    pub layers: Vec<Piece>,
    /// Remarks about the whole.
    pub annotations: BTreeMap<String, String>,
}

/// One file of an artifact.
#[derive(Clone, Debug)]
pub struct Piece {
    layer: Layer,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Bytes(Arc<[u8]>),
    File(PathBuf),
}

/// A file as the manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What it holds, as its publisher says.
    pub media_type: String,
    /// What it is called.
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
    /// Its name for people.
    pub title: Option<String>,
}

/// So many blobs of so many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// What came of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// What the manifest is called.
    pub digest: Digest,
    /// What was sent.
    pub sent: Tally,
    /// What the registry had already.
    pub kept: Tally,
}

impl Tally {
    fn add(&mut self, bytes: u64) {
        self.blobs += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl Piece {
    /// These bytes.
    pub fn of_bytes(media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes: Vec<u8> = bytes.into();
        let layer = Layer {
            media_type: media_type.to_owned(),
            digest: digest_of(&bytes),
            size: bytes.len() as u64,
            title: None,
        };
        Self { layer, content: Content::Bytes(bytes.into()) }
    }

    /// The file at `path`, whose digest and size are known. They are believed here, but not by the
    /// registry.
    pub fn of_file(media_type: &str, path: &Path, digest: Digest, size: u64) -> Self {
        let layer = Layer { media_type: media_type.to_owned(), digest, size, title: None };
        Self { layer, content: Content::File(path.to_owned()) }
    }

    /// The same with a name for people.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.layer.title = Some(title.into());
        self
    }

    fn open(&self) -> Result<Box<dyn Read + Send>, Error> {
        match &self.content {
            Content::Bytes(bytes) => Ok(Box::new(Cursor::new(Arc::clone(bytes)))),
            Content::File(path) => match fs_err::File::open(path) {
                Ok(file) => Ok(Box::new(file)),
                Err(why) => Err(from_io(&path.display().to_string(), why)),
            },
        }
    }
}

/// The manifest, in the order in which it is written.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct ManifestJson {
    schema_version: u32,
    #[serde(default)]
    media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    config: DescriptorJson,
    #[serde(default)]
    layers: Vec<DescriptorJson>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct DescriptorJson {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

impl DescriptorJson {
    fn of(layer: &Layer) -> Self {
        let title = layer.title.iter().map(|it| (TITLE.to_owned(), it.clone()));
        Self {
            media_type: layer.media_type.clone(),
            digest: layer.digest.to_string(),
            size: layer.size,
            annotations: title.collect(),
        }
    }

    fn read(mut self, what: &str) -> Result<Layer, Error> {
        let digest = self
            .digest
            .parse()
            .map_err(|why| Error::corrupt(what, format!("in its manifest, {why}")))?;
        let title = self.annotations.remove(TITLE);
        Ok(Layer { media_type: self.media_type, digest, size: self.size, title })
    }
}

/// Pushes an artifact to `NAME[:TAG]`. What the registry has already is not sent again.
pub async fn push(
    name: &str,
    artifact: &Artifact,
    settings: &Arc<Settings>,
    progress: &Arc<dyn Progress>,
) -> Result<Pushed, Error> {
    let target = reference(name)?;
    let what = target.familiar();
    let client =
        Client::new(&target.host, &target.repository, &what, settings, progress)?.pushing();
    let json = ManifestJson {
        schema_version: 2,
        media_type: MANIFEST.to_owned(),
        artifact_type: Some(artifact.artifact_type.clone()),
        config: DescriptorJson::of(&artifact.config.layer),
        layers: artifact.layers.iter().map(|it| DescriptorJson::of(&it.layer)).collect(),
        annotations: artifact.annotations.clone(),
    };
    let manifest =
        serde_json::to_vec(&json).map_err(|why| Error::invalid(&what, why.to_string()))?;
    let digest = digest_of(&manifest);
    if target.digest.as_ref().is_some_and(|it| *it != digest) {
        return Err(Error::invalid(&what, format!("what is pushed is {digest}"))
            .with_hint("leave the digest out, or name a tag"));
    }
    let mut seen = BTreeSet::new();
    let pieces: Vec<&Piece> = std::iter::once(&artifact.config)
        .chain(&artifact.layers)
        .filter(|it| seen.insert(&it.layer.digest))
        .collect();
    let (mut sent, mut kept) = (Tally::default(), Tally::default());
    // The first question settles who we are, so that not all have to.
    let workers = settings.workers.max(1);
    let mut missing = Vec::new();
    let client = &client;
    let mut answers = stream::iter(pieces)
        .map(|piece| async move { Ok((piece, client.has_blob(&piece.layer.digest).await?)) })
        .buffered(workers);
    while let Some(answer) = answers.next().await {
        match answer? {
            (piece, true) => kept.add(piece.layer.size),
            (piece, false) => missing.push(piece),
        }
    }
    progress.expect(missing.iter().map(|it| it.layer.size).fold(0, u64::saturating_add));
    let send = |piece: &'_ Piece| {
        let piece = piece.clone();
        async move {
            let Layer { digest, size, .. } = &piece.layer;
            client.push_blob(digest, *size, &|| piece.open()).await?;
            Ok::<u64, Error>(*size)
        }
    };
    let mut done = stream::iter(missing).map(send).buffer_unordered(workers);
    while let Some(size) = done.try_next().await? {
        sent.add(size);
    }
    client.push_manifest(target.wanted(), MANIFEST, manifest, &digest).await?;
    Ok(Pushed { digest, sent, kept })
}

/// An artifact in a registry, of which only the manifest and the configuration were read.
pub struct Found {
    client: Client,
    /// What the manifest is called.
    pub digest: Digest,
    /// Its bytes.
    pub manifest: Vec<u8>,
    /// What describes it.
    pub config: Vec<u8>,
    /// Its files.
    pub layers: Vec<Layer>,
    /// Remarks about the whole.
    pub annotations: BTreeMap<String, String>,
}

/// An artifact as its manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What describes it further.
    pub config: Layer,
    /// Its files.
    pub layers: Vec<Layer>,
    /// Remarks about the whole.
    pub annotations: BTreeMap<String, String>,
}

/// Reads the manifest of an artifact of that type, which goes by the name `what`.
pub fn read(what: &str, manifest: &[u8], artifact_type: &str) -> Result<Described, Error> {
    let json: serde_json::Value = serde_json::from_slice(manifest)
        .map_err(|why| Error::corrupt(what, format!("its manifest is no JSON ({why})")))?;
    let is = json["artifactType"].as_str().or(json["config"]["mediaType"].as_str());
    let is = is.or(json["mediaType"].as_str()).unwrap_or("something else");
    if is != artifact_type {
        let is = crate::registry::tame(is);
        return Err(Error::unsupported(what, format!("it is {is}, not {artifact_type}"))
            .with_hint("is it the right name?"));
    }
    let manifest: ManifestJson = serde_json::from_value(json)
        .map_err(|why| Error::corrupt(what, format!("its manifest cannot be read: {why}")))?;
    if manifest.layers.len() > LAYERS_LIMIT {
        let count = manifest.layers.len();
        return Err(Error::limit(what, format!("it has {count} files, more than {LAYERS_LIMIT}")));
    }
    let layers = manifest.layers.into_iter().map(|it| it.read(what)).collect::<Result<_, _>>()?;
    let config = manifest.config.read(what)?;
    Ok(Described { config, layers, annotations: manifest.annotations })
}

/// Are these bytes what the digest calls?
pub fn is_called(bytes: &[u8], digest: &Digest) -> bool {
    verify("", bytes, digest).is_ok()
}

/// Looks at an artifact of that type, so that the caller may decide whether to fetch it.
pub async fn find(
    name: &str,
    artifact_type: &str,
    settings: &Arc<Settings>,
    progress: &Arc<dyn Progress>,
) -> Result<Found, Error> {
    let source = reference(name)?;
    let what = source.familiar();
    let client = Client::new(&source.host, &source.repository, &what, settings, progress)?;
    let (bytes, digest) = client.manifest(source.wanted()).await?;
    let Described { config: about, layers, annotations } = read(&what, &bytes, artifact_type)?;
    if about.size > CONFIG_LIMIT {
        let why = format!("its configuration is over {CONFIG_LIMIT} bytes");
        return Err(Error::limit(what, why));
    }
    let limit = usize::try_from(about.size).unwrap_or(usize::MAX);
    let (_, config) = client.get(&format!("blobs/{}", about.digest), None, limit).await?;
    verify(&what, &config, &about.digest)?;
    Ok(Found { client, digest, manifest: bytes, config, layers, annotations })
}

impl Found {
    /// Puts each file that is not there `already` to `into/SHA256`; how many came, and how many did
    /// not need to. No file is there before its last byte is known to be right.
    pub async fn fetch(
        &self,
        already: &(dyn Fn(&Layer) -> bool + Sync),
        into: &Path,
    ) -> Result<(Tally, Tally), Error> {
        let Client { what, settings, progress, .. } = &self.client;
        let (mut came, mut kept) = (Tally::default(), Tally::default());
        let mut seen = BTreeSet::new();
        let mut wanted = Vec::new();
        for layer in self.layers.iter().filter(|it| seen.insert(&it.digest)) {
            if already(layer) {
                kept.add(layer.size);
            } else {
                came.add(layer.size);
                wanted.push(layer);
            }
        }
        let limit = settings.limits.total;
        if came.bytes > limit {
            return Err(Error::limit(what, format!("it is over {limit} bytes")));
        }
        fs_err::create_dir_all(into).map_err(|why| from_io(what, why))?;
        progress.expect(came.bytes);
        let keeper: Arc<dyn LayerReader> = Arc::new(Keeper { into: into.to_owned() });
        stream::iter(wanted)
            .map(|layer| {
                let described = LayerDescription {
                    digest: Some(layer.digest.clone()),
                    media_type: layer.media_type.clone(),
                    size: Some(layer.size),
                    key: LayerKey(layer.digest.to_string()),
                    ..LayerDescription::default()
                };
                read_layer(&self.client, described, layer.digest.clone(), Arc::clone(&keeper))
            })
            .buffer_unordered(settings.workers.max(1))
            .try_collect::<()>()
            .await?;
        Ok((came, kept))
    }
}

/// Writes what comes to files.
struct Keeper {
    into: PathBuf,
}

impl LayerReader for Keeper {
    fn knows(&self, _: &LayerDescription) -> bool {
        false
    }

    fn read(&self, layer: &LayerDescription, bytes: &mut dyn Read) -> Result<(), Error> {
        let name = layer.digest.as_ref().map(Digest::hex).unwrap_or_default();
        let partial = self.into.join(format!(".{name}.partial"));
        let written = (|| {
            let mut file = fs_err::File::create(&partial)?;
            // The bytes fail at their end when they are not what they should be.
            io::copy(bytes, &mut file)?;
            file.sync_all()?;
            fs_err::rename(&partial, self.into.join(name))
        })();
        written.map_err(|why| {
            let _ = fs_err::remove_file(&partial);
            from_io(&self.into.display().to_string(), why)
        })
    }
}
