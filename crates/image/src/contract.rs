//! The contract: what an image source is, and what it hands out.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::{Outgoing, Pace};
use async_trait::async_trait;
use model::{Digest, Gap, ImageDescription, LayerDescription, Platform, Secret};

/// A place that images can be read from, named by the scheme in front of a reference.
#[async_trait]
pub trait ImageSource: Sync {
    /// `registry`, `oci-dir`: what stands before `://`, and the file's name with `_` for `-`.
    fn scheme(&self) -> &'static str;
    /// One line for help: what may follow the scheme.
    fn takes(&self) -> &'static str;
    /// May a reference inside be chosen (`--ref`)?
    fn takes_reference(&self) -> bool {
        false
    }
    /// May a platform be chosen (`--platform`)?
    fn takes_platform(&self) -> bool {
        true
    }
    /// Opens what `ask` names, which chooses only what may be chosen here. `None`: there is no such
    /// image here, and asking elsewhere is right.
    async fn open(&self, ask: &Ask) -> Result<Option<Opened>, Error>;
}

/// What is asked for.
#[derive(Clone)]
pub struct Ask {
    /// What follows the scheme: a reference, a path.
    pub name: String,
    /// The platform wanted; `None` is the platform of this machine, else whatever is there.
    pub platform: Option<Platform>,
    /// Which reference inside an archive or layout of several (`--ref`).
    pub reference: Option<String>,
    /// The manifest that the digest in a registry's name is of, if somebody has it by now.
    pub manifest: Option<Arc<[u8]>>,
    /// How to reach things.
    pub settings: Arc<Settings>,
    /// Who watches.
    pub progress: Arc<dyn Progress>,
}

/// How to reach engines and registries. Filled by the front; no source reads the environment, except
/// that the HTTP client finds its proxies there.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `DOCKER_HOST`, or the endpoint of the current docker context.
    pub docker_host: Option<String>,
    /// Sockets to try when there is no such setting, in order.
    pub docker_sockets: Vec<PathBuf>,
    /// `DOCKER_CONFIG`, or `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// `DOCKER_CERT_PATH`, when `DOCKER_TLS_VERIFY` is set.
    pub docker_certificates: Option<PathBuf>,
    /// podman's credentials: `$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers/auth.json`.
    pub auth_files: Vec<PathBuf>,
    /// Given by environment for every registry, before any file.
    pub credentials: Option<Credentials>,
    /// Given by environment for Docker Hub alone, before those for every registry.
    pub hub: Option<Credentials>,
    /// Hosts (`host[:port]`) that may be spoken to over plain HTTP, besides loopback.
    pub insecure_registries: BTreeSet<String>,
    /// PEM files with further certificate authorities.
    pub certificate_authorities: Vec<PathBuf>,
    /// No bytes for this long is a stall.
    pub stall: Duration,
    /// How often a request or a broken download is tried again.
    pub retries: u32,
    /// What a blob, a manifest or an archive may cost.
    pub limits: tarball::Limits,
    /// Layers read at the same time.
    pub workers: usize,
    /// `foretop/0.1.0`.
    pub user_agent: String,
    /// Which hosts may be spoken to; `None`: each.
    pub outgoing: Option<Arc<Outgoing>>,
    /// Whom a host that is one of these may send us on to, where each may be spoken to: to others of
    /// these, and to itself; `None`: to anybody.
    pub redirects: Option<Arc<Outgoing>>,
    /// When each host may be asked next. Whoever has a copy of these settings heeds it, too.
    pub pace: Arc<Pace>,
}

/// A way to prove who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// User and password.
    Basic {
        /// Who.
        user: String,
        /// The proof.
        password: Secret,
    },
    /// A token to exchange for access (`identitytoken`, helpers that answer `<token>`).
    Identity(Secret),
    /// A bearer token to send as it is (`_REGISTRY_TOKEN`, `registrytoken`).
    Bearer(Secret),
}

/// What a source found.
pub enum Opened {
    /// An image, whose layers can be read.
    Image(Box<dyn Image>),
    /// A directory or a single file, as one tree.
    Directory {
        /// As the user named it.
        path: String,
        /// Its entries.
        entries: Box<dyn tarball::Entries + Send>,
    },
    /// A document that says what is inside something.
    Document {
        /// As the user named it.
        name: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// An image that can be read.
#[async_trait]
pub trait Image: Send + Sync {
    /// What is known before a layer is read. `None` while it can only be told afterwards
    /// (a stream whose manifest comes last).
    fn description(&self) -> Option<&ImageDescription>;
    /// Hands each layer that `reader` does not know to it, several at a time, each once;
    /// then says what the image is. A second call reads again (some streams cannot: `Unsupported`).
    async fn read(&self, reader: Arc<dyn LayerReader>) -> Result<ImageDescription, Error>;
    /// The statements beside the image whose predicate types `wanted` accepts. An image without its
    /// statements is still an image, so one that cannot be read is a gap.
    async fn attached(&self, _wanted: Wanted) -> Attached {
        Attached::default()
    }
    /// The signatures of the image itself, as cosign keeps them under a tag; those in bundles are
    /// statements. None of them was verified.
    async fn signatures(&self) -> Signatures {
        Signatures::default()
    }
}

/// Which predicate types are of interest.
pub type Wanted = fn(&str) -> bool;

/// What is stated about an image beside it.
#[derive(Clone, Debug, Default)]
pub struct Attached {
    /// Each in-toto statement, once, wherever it is told.
    pub statements: Vec<Stated>,
    /// Those that could not be read.
    pub gaps: Vec<Gap>,
}

/// An in-toto statement, and where it was found. Nobody has asked who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// What it states.
    pub predicate_type: String,
    /// The manifest that holds it.
    pub manifest: Digest,
    /// The blob that it is, with its envelope if it has one.
    pub blob: Digest,
    /// Beside what it was found: the image, or the index that the image is in.
    pub beside: Digest,
    /// Where.
    pub place: Place,
    /// The statement itself.
    pub bytes: Vec<u8>,
    /// What it was signed in.
    pub seal: Option<Seal>,
}

/// Where a statement was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the image's index, as BuildKit writes it.
    Index,
    /// Among the referrers of the image, or of its index.
    Referrers,
    /// Under the tag that cosign writes attestations to, `sha256-….att`.
    Tag,
}

/// What a statement was signed in, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seal {
    /// A DSSE envelope.
    Envelope {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Is there a certificate beside it in place of a key?
        certificate: bool,
    },
    /// A Sigstore bundle.
    Bundle(Vec<u8>),
}

/// Signatures of an image itself.
#[derive(Clone, Debug, Default)]
pub struct Signatures {
    /// Each.
    pub all: Vec<ImageSignature>,
    /// Those that could not be read.
    pub gaps: Vec<Gap>,
}

/// A signature of an image: of a small text that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSignature {
    /// The manifest that holds it.
    pub manifest: Digest,
    /// Beside what it was found: the image, or the index that the image is in.
    pub beside: Digest,
    /// What is signed.
    pub payload: Vec<u8>,
    /// The signature, in base64.
    pub signature: String,
    /// Is there a certificate beside it in place of a key?
    pub certificate: bool,
}

/// What becomes of a layer's bytes.
pub trait LayerReader: Send + Sync {
    /// True when nothing need be read of this layer: it is known already.
    fn knows(&self, layer: &LayerDescription) -> bool;
    /// Reads one layer as stored (compressed or not, whatever its media type says) to its end.
    ///
    /// The reader of `bytes` fails at the end when the layer's `digest` does not hold, so what was
    /// made of it must be kept only after the end was seen. Where `layer.digest` is `None`, the
    /// `diff_id` must be checked here, over the inflated bytes.
    /// A streaming source may call this for blobs that prove to be no layers (any key but the
    /// ones in the final description): what is no archive is read to its end and forgotten.
    fn read(&self, layer: &LayerDescription, bytes: &mut dyn Read) -> Result<(), Error>;
}

/// Who watches the bytes go by.
pub trait Progress: Send + Sync {
    /// So many bytes are expected in all.
    fn expect(&self, bytes: u64);
    /// So many more have come.
    fn advance(&self, bytes: u64);
    /// A line for people: what is being done now.
    fn tell(&self, line: &str);
    /// A line for those who look for a fault (`--debug`): a request, an answer. Never a secret.
    fn note(&self, _line: &str) {}
}

/// Nobody watches.
pub struct Silent;

impl Progress for Silent {
    fn expect(&self, _: u64) {}
    fn advance(&self, _: u64) {}
    fn tell(&self, _: &str) {}
}

/// Why an image cannot be read. Variants are what the caller would do about it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The name makes no sense: ask differently.
    #[error("{what}: {why}")]
    Invalid {
        /// What was asked.
        what: String,
        /// Why not.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
    /// It is not there.
    #[error("{what}: {why}")]
    NotFound {
        /// What was asked.
        what: String,
        /// Why not.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
    /// We may not have it: log in.
    #[error("{what}: {why}")]
    Denied {
        /// What was asked.
        what: String,
        /// Why not.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Whoever has it does not answer: try later.
    #[error("{what}: {why}")]
    Unavailable {
        /// What was asked.
        what: String,
        /// Why not.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Its bytes are wrong: get it anew.
    #[error("{what}: {why}")]
    Corrupt {
        /// What was read.
        what: String,
        /// What is wrong.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
    /// It is more than we are willing to read.
    #[error("{what}: {why}")]
    Limit {
        /// What was read.
        what: String,
        /// Which limit.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
    /// We do not know how.
    #[error("{what}: {why}")]
    Unsupported {
        /// What was asked.
        what: String,
        /// What is missing.
        why: String,
        /// What to do.
        hint: Option<String>,
    },
}

macro_rules! constructors {
    ($($(#[$meta:meta])* $name:ident => $variant:ident),* $(,)?) => {
        impl Error {
            $($(#[$meta])* pub fn $name(what: impl Into<String>, why: impl Into<String>) -> Self {
                Self::$variant { what: what.into(), why: why.into(), hint: None }
            })*

            /// The advice that goes with it.
            pub fn hint(&self) -> Option<&str> {
                match self { $(Self::$variant { hint, .. })|* => hint.as_deref() }
            }

            /// What is wrong, without what was asked.
            pub fn why(&self) -> &str {
                match self { $(Self::$variant { why, .. })|* => why }
            }

            /// The same, told at more length.
            #[must_use]
            pub fn with_why(mut self, text: impl Into<String>) -> Self {
                match &mut self { $(Self::$variant { why, .. })|* => *why = text.into() }
                self
            }

            /// The same, with advice.
            #[must_use]
            pub fn with_hint(mut self, advice: impl Into<String>) -> Self {
                match &mut self { $(Self::$variant { hint, .. })|* => *hint = Some(advice.into()) }
                self
            }
        }
    };
}

constructors! {
    /// The name makes no sense.
    invalid => Invalid,
    /// It is not there.
    not_found => NotFound,
    /// We may not have it.
    denied => Denied,
    /// Whoever has it does not answer.
    unavailable => Unavailable,
    /// Its bytes are wrong.
    corrupt => Corrupt,
    /// It is more than we are willing to read.
    limit => Limit,
    /// We do not know how.
    unsupported => Unsupported,
}
