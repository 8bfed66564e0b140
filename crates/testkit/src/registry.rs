//! A registry in the test's own process, which misbehaves when told.
//!
//! Manifests and blobs by GET and HEAD, ranges, lists, tokens, uploads, and any pages beside. HTTP/1.1, a
//! thread for each connection, on a free port of the loopback interface, in plain text or with TLS.

mod fault;
mod gate;
pub(crate) mod http;
mod lists;
mod pages;
mod referrers;
mod token;
mod upload;

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::image::digest;
use crate::{Blobs, ImageBuilder, IndexBuilder};

pub use fault::Fault;
use http::{Reply, Request};

/// Whom the registry lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// Everybody.
    #[default]
    Open,
    /// User and password.
    Basic(String, String),
    /// A token, given to everybody.
    Anonymous,
    /// A token, given for user and password by GET.
    Token(String, String),
    /// A token, given for an identity token by POST.
    Identity(String),
    /// A token, given for an identity token used as a password; POST is not known.
    OldIdentity(String),
    /// This very bearer token.
    Bearer(String),
}

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// `GET`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `Range` header.
    pub range: Option<String>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<String>,
    /// Bytes of the body.
    pub length: usize,
    /// The body.
    pub body: String,
}

/// A registry that runs until it is dropped.
pub struct FakeRegistry {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    tls: Option<Arc<rustls::ServerConfig>>,
    address: Mutex<Option<SocketAddr>>,
    guard: Mutex<Guard>,
    blobs: Mutex<HashMap<Place, Blob>>,
    /// Digests by repository and tag.
    tags: Mutex<HashMap<(String, String), String>>,
    faults: Mutex<VecDeque<Planned>>,
    seen: Mutex<Vec<Seen>>,
    tokens: AtomicUsize,
    /// Numbers of the tokens that allow pushing.
    pushers: Mutex<HashSet<usize>>,
    pages: Mutex<HashMap<String, pages::Page>>,
    /// What came of each upload so far.
    uploads: Mutex<HashMap<String, Vec<u8>>>,
    /// Uploads go on at relative addresses.
    relative: AtomicBool,
    /// It knows what manifests are about.
    referrers: AtomicBool,
    token_lifetime: Mutex<Option<u64>>,
    realm: Mutex<Option<String>>,
    gate: gate::Gate,
    stopped: AtomicBool,
}

/// A repository and a digest.
type Place = (String, String);
/// A media type and bytes.
type Blob = (String, Vec<u8>);

struct Planned {
    path: String,
    spared: usize,
    times: usize,
    fault: Fault,
}

pub(crate) fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeRegistry {
    /// Starts one that speaks plain HTTP.
    pub fn start() -> Self {
        Self::run(State::default())
    }

    /// Starts one that speaks TLS, with the certificate of [`FakeRegistry::authority`].
    pub fn start_with_tls() -> Self {
        Self::run(State { tls: Some(http::tls()), ..State::default() })
    }

    /// The PEM file of the authority that [`FakeRegistry::start_with_tls`] needs.
    pub fn authority() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls/localhost.pem")
    }

    fn run(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        *lock(&state.address) = Some(address);
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(connection) = connection {
                    let shared = Arc::clone(&shared);
                    std::thread::spawn(move || http::serve(&shared, connection));
                }
            }
        });
        Self { address, state }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Whom it lets in from now on.
    #[must_use]
    pub fn guarded(self, guard: Guard) -> Self {
        *lock(&self.state.guard) = guard;
        self
    }

    /// Tokens hold for so many seconds.
    #[must_use]
    pub fn tokens_for(self, seconds: u64) -> Self {
        *lock(&self.state.token_lifetime) = Some(seconds);
        self
    }

    /// Tokens are had at this URL, says the registry.
    #[must_use]
    pub fn realm(self, url: &str) -> Self {
        *lock(&self.state.realm) = Some(url.to_owned());
        self
    }

    /// Keeps a blob; its digest.
    pub fn push_blob(&self, repository: &str, kind: &str, bytes: &[u8]) -> String {
        let digest = digest(bytes);
        let key = (repository.to_owned(), digest.clone());
        lock(&self.state.blobs).insert(key, (kind.to_owned(), bytes.to_vec()));
        digest
    }

    /// Keeps an image under `repository:tag`; the digest of its manifest.
    pub fn push(&self, repository: &str, tag: &str, image: &ImageBuilder) -> String {
        self.keep(repository, tag, image.blobs())
    }

    /// Keeps an index under `repository:tag`; its digest.
    pub fn push_index(&self, repository: &str, tag: &str, index: &IndexBuilder) -> String {
        self.keep(repository, tag, index.blobs())
    }

    /// Keeps any bytes as the manifest of `repository:tag`; their digest.
    pub fn push_manifest(&self, repository: &str, tag: &str, kind: &str, bytes: &[u8]) -> String {
        let manifest = digest(bytes);
        let blobs = vec![(manifest.clone(), kind.to_owned(), bytes.to_vec())];
        self.keep(repository, tag, Blobs { blobs, manifest })
    }

    fn keep(&self, repository: &str, tag: &str, blobs: Blobs) -> String {
        for (digest, media_type, bytes) in blobs.blobs {
            let key = (repository.to_owned(), digest);
            lock(&self.state.blobs).insert(key, (media_type, bytes));
        }
        let key = (repository.to_owned(), tag.to_owned());
        lock(&self.state.tags).insert(key, blobs.manifest.clone());
        blobs.manifest
    }

    /// The next `times` requests whose path contains `path` meet `fault`.
    pub fn plan(&self, path: &str, times: usize, fault: Fault) {
        self.plan_after(path, 0, times, fault);
    }

    /// The same, once so many of them were spared.
    pub fn plan_after(&self, path: &str, spared: usize, times: usize, fault: Fault) {
        let path = path.to_owned();
        lock(&self.state.faults).push_back(Planned { path, spared, times, fault });
    }

    /// No fault that was planned happens any more.
    pub fn forgive(&self) {
        lock(&self.state.faults).clear();
    }

    /// The bytes of a blob or manifest of `repository`.
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Vec<u8>> {
        let key = (repository.to_owned(), digest.to_owned());
        lock(&self.state.blobs).get(&key).map(|(_, bytes)| bytes.clone())
    }

    /// What a tag of `repository` means.
    pub fn tag(&self, repository: &str, tag: &str) -> Option<String> {
        lock(&self.state.tags).get(&(repository.to_owned(), tag.to_owned())).cloned()
    }

    /// Forgets what a tag of `repository` means.
    pub fn untag(&self, repository: &str, tag: &str) {
        lock(&self.state.tags).remove(&(repository.to_owned(), tag.to_owned()));
    }

    /// Uploads go on at addresses without a host.
    #[must_use]
    pub fn with_relative_locations(self) -> Self {
        self.state.relative.store(true, Ordering::SeqCst);
        self
    }

    /// It knows what manifests are about, and lists them.
    #[must_use]
    pub fn with_referrers(self) -> Self {
        self.state.referrers.store(true, Ordering::SeqCst);
        self
    }

    /// Has these bytes at `path`, which is no address of a registry, in the edition called `etag`.
    pub fn put_page(&self, path: &str, etag: &str, bytes: impl Into<Vec<u8>>) {
        let page = pages::Page { etag: etag.to_owned(), bytes: bytes.into() };
        lock(&self.state.pages).insert(path.to_owned(), page);
    }

    /// Has nothing at `path` any more.
    pub fn drop_page(&self, path: &str) {
        lock(&self.state.pages).remove(path);
    }

    /// From now on so many blobs are given away; who asks for more waits until it is opened.
    pub fn close_after(&self, blobs: usize) {
        self.state.gate.close_after(blobs);
    }

    /// Nobody waits any more.
    pub fn open(&self) {
        self.state.gate.open();
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.state.seen).clone()
    }
}

impl Drop for FakeRegistry {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        self.state.gate.open();
        // Wakes the listener, so that it sees.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    /// What a well-behaved registry would answer.
    fn answer(&self, request: &Request) -> Reply {
        let path = request.path.split('?').next().unwrap_or_default();
        if path == "/token" {
            return self.give_token(request);
        }
        if let Some(page) = lock(&self.pages).get(path) {
            return page.answer(request);
        }
        if let Some(refusal) = self.refuse(request) {
            return refusal;
        }
        if let Some(reply) = self.take(request) {
            return reply;
        }
        if let Some(reply) = self.list(request) {
            return reply;
        }
        let parts = path.strip_prefix("/v2/").and_then(|path| {
            let (rest, wanted) = path.rsplit_once('/')?;
            let (repository, kind) = rest.rsplit_once('/')?;
            Some((repository.to_owned(), kind, wanted.replace("%3A", ":")))
        });
        let Some((repository, kind, wanted)) = parts else {
            return Reply::error(404, "UNSUPPORTED", "no such page");
        };
        if !lock(&self.blobs).keys().any(|(it, _)| *it == repository) {
            return Reply::error(404, "NAME_UNKNOWN", "repository name not known to registry");
        }
        if let Some(reply) = self.list_referrers(request, &repository, kind, &wanted) {
            return reply;
        }
        if !matches!(kind, "manifests" | "blobs") {
            return Reply::error(404, "UNSUPPORTED", "no such page");
        }
        let tag = lock(&self.tags).get(&(repository.clone(), wanted.clone())).cloned();
        let digest = tag.filter(|_| kind == "manifests").unwrap_or(wanted);
        match lock(&self.blobs).get(&(repository, digest.clone())) {
            Some((media_type, bytes)) if kind == "manifests" => {
                Reply::ok(media_type, bytes).header("Docker-Content-Digest", &digest)
            }
            Some((_, bytes)) => Reply::blob(bytes, request.header("range")),
            None if kind == "manifests" => {
                Reply::error(404, "MANIFEST_UNKNOWN", "manifest unknown")
            }
            None => Reply::error(404, "BLOB_UNKNOWN", "blob unknown to registry"),
        }
    }

    /// The fault planned for this request, if any.
    fn fault(&self, path: &str) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let position = faults.iter().position(|it| it.times > 0 && path.contains(&it.path))?;
        let planned = faults.get_mut(position)?;
        if let Some(fewer) = planned.spared.checked_sub(1) {
            planned.spared = fewer;
            return None;
        }
        planned.times -= 1;
        Some(planned.fault.clone())
    }
}
