//! Attaching statements to an image in a registry: in its index, as BuildKit does, or as referrers.
//!
//! <https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>

use std::sync::Arc;

use attestation::{DSSE, Envelope, IN_TOTO, OPENVEX, Statement, Subject};
use model::{Digest, Platform, Reference};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::blob::from_io;
use crate::manifest::{self, ATTESTATION, CONFIG_LIMIT, Document};
use crate::registry::{Client, STATEMENT_LIMIT, fallback_tag, reference};
use crate::verify::{digest_of, verify};
use crate::{Error, Progress, Settings};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// Images of one index.
const IMAGES_LIMIT: usize = 100;

/// Something to be stated.
#[derive(Clone, Debug)]
pub struct Saying {
    /// Where it is from, for messages: a file's name.
    pub name: String,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// A statement, bare or in an envelope: its type and its bytes are kept as they are.
    Whole { statement: Box<Statement>, bytes: Vec<u8>, media_type: &'static str },
    /// What is stated of each image.
    Predicate { predicate_type: String, predicate: Box<RawValue> },
}

/// Where it is kept.
#[derive(Clone, Debug, Default)]
pub enum Way {
    /// In the image's index, whose tag is moved to a new one.
    #[default]
    Index,
    /// As a referrer, in the image's repository or in another one.
    Referrer(Option<String>),
}

/// What was attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What it is about.
    pub about: Digest,
    /// The manifest that holds it.
    pub manifest: Digest,
    /// What the tag leads to now, where it was moved.
    pub index: Option<Digest>,
    /// What was stated, in order.
    pub predicate_types: Vec<String>,
}

impl Saying {
    /// Reads an in-toto statement, a DSSE envelope, or, with its type, what is to be stated. OpenVEX says
    /// itself what it is.
    pub fn read(name: &str, bytes: Vec<u8>, predicate_type: Option<&str>) -> Result<Self, Error> {
        let invalid = |why: String| Error::invalid(name, why);
        let is_object = bytes.trim_ascii_start().first() == Some(&b'{');
        let json: Head = if is_object || predicate_type.is_none() {
            let why = |why: String| invalid(format!("it is no JSON object{why}"));
            if !is_object {
                return Err(why(String::new()));
            }
            serde_json::from_slice(&bytes).map_err(|it| why(format!(": {it}")))?
        } else {
            Head::default()
        };
        let of_type = |kind: &str| match predicate_type.filter(|it| *it != kind) {
            Some(wanted) => Err(invalid(format!("it states `{kind}`, not `{wanted}`"))),
            None => Ok(()),
        };
        let what = if json.payload_type.is_some() {
            let statement = Envelope::read(&bytes).and_then(|it| it.statement());
            let statement = statement.map_err(|it| invalid(it.0))?;
            of_type(&statement.predicate_type)?;
            What::Whole { statement: Box::new(statement), bytes, media_type: DSSE }
        } else if Head::says(json.kind.as_deref(), "https://in-toto.io/Statement/") {
            let statement = Statement::read(&bytes).map_err(|it| invalid(it.0))?;
            of_type(&statement.predicate_type)?;
            What::Whole { statement: Box::new(statement), bytes, media_type: IN_TOTO }
        } else {
            let is_vex = Head::says(json.context.as_deref(), "openvex.dev/ns");
            let predicate_type = predicate_type.or(is_vex.then_some(OPENVEX));
            let Some(predicate_type) = predicate_type else {
                let error = invalid("it is neither a statement nor an envelope nor OpenVEX".into());
                return Err(error.with_hint("say what it is: --predicate-type URI"));
            };
            let predicate: Box<RawValue> = serde_json::from_slice(&bytes)
                .map_err(|why| invalid(format!("it is no JSON: {why}")))?;
            What::Predicate { predicate_type: predicate_type.to_owned(), predicate }
        };
        Ok(Self { name: name.to_owned(), what })
    }

    /// Is it about that image? What does not say about what it is is about each.
    fn is_about(&self, digest: &Digest) -> bool {
        match &self.what {
            What::Whole { statement, .. } => statement.is_about(digest),
            What::Predicate { .. } => true,
        }
    }

    /// What is written of it about the image of that name, its media type and what it states.
    fn layer(&self, name: &str, about: &Digest) -> (Vec<u8>, &'static str, String) {
        match &self.what {
            What::Whole { statement, bytes, media_type } => {
                (bytes.clone(), *media_type, statement.predicate_type.clone())
            }
            What::Predicate { predicate_type, predicate } => {
                let subject = Subject::of(name, about);
                let statement = Statement::about(subject, predicate_type, predicate.clone());
                (statement.to_json().into_bytes(), IN_TOTO, predicate_type.clone())
            }
        }
    }
}

/// By what it is told which of several things it is.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Head {
    #[serde(rename = "_type")]
    kind: Option<Box<RawValue>>,
    #[serde(rename = "payloadType")]
    payload_type: Option<Box<RawValue>>,
    #[serde(rename = "@context")]
    context: Option<Box<RawValue>>,
}

impl Head {
    /// Is that a text with `part` in it?
    fn says(value: Option<&RawValue>, part: &str) -> bool {
        let text = value.and_then(|it| serde_json::from_str::<String>(it.get()).ok());
        text.is_some_and(|it| it.contains(part))
    }
}

/// What may be spoken about: a manifest or an index.
struct Target {
    digest: Digest,
    media_type: String,
    size: usize,
}

impl Target {
    fn descriptor(&self) -> Value {
        json!({"mediaType": self.media_type, "digest": self.digest, "size": self.size})
    }
}

/// What a name leads to.
struct Found {
    /// The images, each once.
    images: Vec<Target>,
    /// The index that they are in, as JSON: one that would have to be made has no digest.
    index: Value,
    whole: Option<Target>,
    /// What the name led to when it was read.
    digest: Digest,
}

/// Attaches all of it to `NAME[:TAG]`: each where it is about that; nothing is written unless all of it
/// is about something there.
pub async fn attach(
    name: &str,
    sayings: &[Saying],
    way: &Way,
    settings: &Arc<Settings>,
    progress: &Arc<dyn Progress>,
) -> Result<Vec<Done>, Error> {
    let target = reference(name)?;
    let what = target.familiar();
    let client =
        Client::new(&target.host, &target.repository, &what, settings, progress)?.pushing();
    if target.digest.is_some() && matches!(way, Way::Index) {
        let why = "only a tag can be moved to a new index";
        return Err(Error::invalid(what, why)
            .with_hint("name a tag, or attach it as a referrer: --referrer"));
    }
    let found = client.look(&target).await?;
    let whole = found.whole.iter().filter(|_| matches!(way, Way::Referrer(_)));
    let targets: Vec<&Target> = found.images.iter().chain(whole).collect();
    for saying in sayings {
        if !targets.iter().any(|it| saying.is_about(&it.digest)) {
            return Err(saying.stray(&found, way, &what));
        }
    }
    match way {
        Way::Index => client.put_into_index(&target, &what, found, sayings).await,
        Way::Referrer(repository) => {
            let elsewhere = match repository {
                None => None,
                Some(name) => {
                    let other = reference(name)?;
                    let shown = other.familiar();
                    let Reference { host, repository, .. } = other;
                    Some(Client::new(&host, &repository, &shown, settings, progress)?.pushing())
                }
            };
            let keeper = elsewhere.as_ref().unwrap_or(&client);
            let mut done = Vec::new();
            for target in targets {
                for saying in sayings.iter().filter(|it| it.is_about(&target.digest)) {
                    // A predicate is about images, never about the index that they are in.
                    let is_whole =
                        found.whole.as_ref().is_some_and(|it| it.digest == target.digest);
                    if is_whole && matches!(saying.what, What::Predicate { .. }) {
                        continue;
                    }
                    done.push(keeper.refer(&what, target, saying).await?);
                }
            }
            Ok(done)
        }
    }
}

impl Saying {
    /// The error that it is about none of what is there.
    fn stray(&self, found: &Found, way: &Way, what: &str) -> Error {
        let named = match &self.what {
            What::Whole { statement, .. } => statement.named(),
            What::Predicate { .. } => "nothing".to_owned(),
        };
        let error = Error::invalid(
            &self.name,
            format!("it is about {named}, not about {what} ({})", found.digest),
        );
        let is_whole = found.whole.as_ref().is_some_and(|it| self.is_about(&it.digest));
        if is_whole && matches!(way, Way::Index) {
            return error.with_hint("what is about a whole index stays beside it: --referrer");
        }
        error.with_hint("an attestation names its image by digest: make it anew for this one")
    }
}

impl Client {
    async fn look(&self, name: &Reference) -> Result<Found, Error> {
        let what = &self.what;
        let (bytes, digest) = self.manifest(name.wanted()).await?;
        let json: Value = serde_json::from_slice(&bytes)
            .map_err(|why| Error::corrupt(what, format!("its manifest is no JSON ({why})")))?;
        let media_type = |json: &Value, default: &str| {
            json["mediaType"].as_str().filter(|it| !it.is_empty()).unwrap_or(default).to_owned()
        };
        match manifest::read(what, &bytes)? {
            Document::Manifest(manifest) => {
                let config = manifest.config.digest(what)?;
                let path = format!("blobs/{config}");
                let (_, config_bytes) = self.get(&path, None, CONFIG_LIMIT).await?;
                verify(what, &config_bytes, &config)?;
                let image = manifest.describe(what, &bytes, &config_bytes)?;
                let media_type = media_type(&json, MANIFEST);
                let target = Target { digest: digest.clone(), media_type, size: bytes.len() };
                let mut entry = target.descriptor();
                entry["platform"] = platform_json(&image.platform);
                let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]});
                Ok(Found { images: vec![target], index, whole: None, digest })
            }
            Document::Index(index) => {
                let mut images: Vec<Target> = Vec::new();
                for descriptor in index.descriptors().filter(|it| !it.is_beside()) {
                    if descriptor.is_index() {
                        let why = "its index holds indexes, in which nothing can be put";
                        return Err(Error::unsupported(what, why)
                            .with_hint("attach it as a referrer: --referrer, with a digest"));
                    }
                    let digest = descriptor.digest(what)?;
                    let size = descriptor.size.unwrap_or_default();
                    if images.iter().all(|it| it.digest != digest) {
                        images.push(Target {
                            digest,
                            media_type: Some(descriptor.media_type.clone())
                                .filter(|it| !it.is_empty())
                                .unwrap_or_else(|| MANIFEST.to_owned()),
                            size: usize::try_from(size).unwrap_or(usize::MAX),
                        });
                    }
                }
                if images.len() > IMAGES_LIMIT {
                    let why = format!("it holds over {IMAGES_LIMIT} images");
                    return Err(Error::limit(what, why));
                }
                let media_type = media_type(&json, INDEX);
                let whole = Target { digest: digest.clone(), media_type, size: bytes.len() };
                Ok(Found { images, index: json, whole: Some(whole), digest })
            }
        }
    }

    /// Puts one attestation manifest for each image that something is said about into a new index, and
    /// moves the tag there.
    async fn put_into_index(
        &self,
        name: &Reference,
        what: &str,
        found: Found,
        sayings: &[Saying],
    ) -> Result<Vec<Done>, Error> {
        let Found { images, mut index, digest: former, .. } = found;
        let mut done = Vec::new();
        for image in &images {
            let own: Vec<&Saying> =
                sayings.iter().filter(|it| it.is_about(&image.digest)).collect();
            if own.is_empty() {
                continue;
            }
            let (layers, predicate_types) = self.layers(what, &image.digest, &own).await?;
            let manifest = json!({
                "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": ATTESTATION,
                "config": self.empty().await?, "layers": layers, "subject": image.descriptor(),
            });
            let (manifest, size, _) = self.put(&manifest).await?;
            let entry = json!({
                "mediaType": MANIFEST, "digest": manifest, "size": size,
                "platform": {"architecture": "unknown", "os": "unknown"},
                "annotations": {
                    "vnd.docker.reference.type": "attestation-manifest",
                    "vnd.docker.reference.digest": image.digest,
                },
            });
            let Some(entries) = index["manifests"].as_array_mut() else {
                return Err(Error::corrupt(what, "its index has no list"));
            };
            // The very same words are there already.
            if entries.iter().all(|it| it["digest"] != entry["digest"]) {
                entries.push(entry);
            }
            let about = image.digest.clone();
            done.push(Done { about, manifest, index: None, predicate_types });
        }
        // Lists of docker's own cannot hold what is no image.
        index["mediaType"] = INDEX.into();
        let bytes = encoded(what, &index)?;
        let digest = digest_of(&bytes);
        if self.manifest(name.wanted()).await?.1 != former {
            let why = "its tag was moved while it was worked on";
            return Err(Error::unavailable(what, why).with_hint("do it again"));
        }
        self.push_manifest(name.wanted(), INDEX, bytes, &digest).await?;
        for done in &mut done {
            done.index = Some(digest.clone());
        }
        Ok(done)
    }

    /// Keeps a saying as a referrer. Where the registry takes no notice of what it is about, it is listed
    /// under a tag.
    async fn refer(&self, what: &str, about: &Target, saying: &Saying) -> Result<Done, Error> {
        let (layers, predicate_types) = self.layers(what, &about.digest, &[saying]).await?;
        let kind = layers.first().map_or(Value::Null, |it| it["mediaType"].clone());
        let annotations = json!({"in-toto.io/predicate-type": predicate_types.first()});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind,
            "config": self.empty().await?, "layers": layers, "subject": about.descriptor(),
            "annotations": annotations,
        });
        let (digest, size, is_noticed) = self.put(&manifest).await?;
        if !is_noticed {
            let entry = json!({
                "mediaType": MANIFEST, "digest": digest, "size": size, "artifactType": kind,
                "annotations": annotations,
            });
            self.list(&about.digest, entry).await?;
        }
        let about = about.digest.clone();
        Ok(Done { about, manifest: digest, index: None, predicate_types })
    }

    /// Adds an entry to the list of referrers under a tag, if it is not there yet.
    async fn list(&self, about: &Digest, entry: Value) -> Result<(), Error> {
        let what = &self.what;
        let mut index = match self.listed(about).await? {
            Some((_, bytes)) => serde_json::from_slice(&bytes).map_err(|why| {
                Error::corrupt(what, format!("its referrers are no JSON ({why})"))
            })?,
            None => json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}),
        };
        let Some(entries) = index["manifests"].as_array_mut() else {
            return Err(Error::corrupt(what, "its list of referrers has no list"));
        };
        if entries.iter().any(|it| it["digest"] == entry["digest"]) {
            return Ok(());
        }
        entries.push(entry);
        let bytes = encoded(what, &index)?;
        let digest = digest_of(&bytes);
        self.push_manifest(&fallback_tag(about), INDEX, bytes, &digest).await?;
        Ok(())
    }

    /// Brings what is said about one image; the layers that it is in, and what is stated.
    async fn layers(
        &self,
        name: &str,
        about: &Digest,
        sayings: &[&Saying],
    ) -> Result<(Vec<Value>, Vec<String>), Error> {
        let (mut layers, mut types) = (Vec::new(), Vec::new());
        for saying in sayings {
            let (bytes, media_type, predicate_type) = saying.layer(name, about);
            let mut layer = self.bring(media_type, bytes).await?;
            layer["annotations"] = json!({"in-toto.io/predicate-type": predicate_type});
            layers.push(layer);
            types.push(predicate_type);
        }
        Ok((layers, types))
    }

    async fn empty(&self) -> Result<Value, Error> {
        self.bring(EMPTY, b"{}".to_vec()).await
    }

    /// Brings a blob that the registry does not have; its descriptor.
    async fn bring(&self, media_type: &str, bytes: Vec<u8>) -> Result<Value, Error> {
        let (digest, size) = (digest_of(&bytes), bytes.len());
        if !self.has_blob(&digest).await? {
            let bytes: Arc<[u8]> = bytes.into();
            let open = || {
                let reader = std::io::Cursor::new(Arc::clone(&bytes));
                Ok(Box::new(reader) as Box<dyn std::io::Read + Send>)
            };
            self.push_blob(&digest, size as u64, &open).await?;
        }
        Ok(json!({"mediaType": media_type, "digest": digest, "size": size}))
    }

    /// Brings a manifest under its digest, its size, and whether the registry noticed what it is about.
    async fn put(&self, manifest: &Value) -> Result<(Digest, usize, bool), Error> {
        let bytes = encoded(&self.what, manifest)?;
        let (digest, size) = (digest_of(&bytes), bytes.len());
        let is_noticed = self.push_manifest(digest.as_str(), MANIFEST, bytes, &digest).await?;
        Ok((digest, size, is_noticed))
    }
}

fn encoded(what: &str, json: &Value) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(json).map_err(|why| Error::invalid(what, why.to_string()))
}

fn platform_json(platform: &Platform) -> Value {
    let mut json = json!({"architecture": platform.architecture, "os": platform.os});
    if let Some(variant) = &platform.variant {
        json["variant"] = variant.as_str().into();
    }
    if let Some(version) = &platform.os_version {
        json["os.version"] = version.as_str().into();
    }
    json
}

/// Reads a file that is to be attached.
pub fn read_file(path: &std::path::Path) -> Result<Vec<u8>, Error> {
    let shown = path.display().to_string();
    let file = fs_err::File::open(path).map_err(|why| from_io(&shown, why))?;
    crate::blob::read_bounded(file, &shown, STATEMENT_LIMIT as u64)
}
