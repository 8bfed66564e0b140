//! Stand-ins for registry vendors: what Artifactory, Azure, Harbor and Nexus put around a registry,
//! written after their documents, in front of a registry that is somebody else's.
//!
//! None of them is that vendor's program. They know as much of its interface as reading images needs,
//! and refuse what the vendor would refuse.

mod artifactory;
mod azure;
mod backend;
mod grid;
mod harbor;
mod hook;
mod nexus;
mod sink;
mod sysdig;

use std::collections::{BTreeMap, VecDeque};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::registry::http::{Reply, Request, read_request, write_reply};
use crate::registry::lock;
use crate::{Fault, Seen};
use backend::Backend;

pub use grid::{Delivered, EventGrid, Subscribed};
pub use hook::{Answered, Form, Hook, Told};
pub use sink::Sink;
pub use sysdig::{Listing, Running, SysdigStandIn};

/// Whom it stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// JFrog Artifactory, with one Docker repository, `docker-local`.
    Artifactory,
    /// Azure Container Registry.
    Azure,
    /// Harbor.
    Harbor,
    /// Sonatype Nexus, with one Docker repository, `docker-hosted`.
    Nexus,
}

/// One that runs until it is dropped. Its user is `reader`, whose password is `pass`.
pub struct VendorStandIn {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    vendor: Vendor,
    address: SocketAddr,
    backend: Backend,
    /// Repositories beside its own, and the registries behind them.
    others: Mutex<Vec<(String, String)>>,
    /// When tags changed that somebody said it of, by repository and tag.
    changed: Mutex<BTreeMap<(String, String), String>>,
    faults: Mutex<VecDeque<(String, usize, Fault)>>,
    seen: Mutex<Vec<Seen>>,
    tokens: Mutex<BTreeMap<String, String>>,
    made: AtomicUsize,
    /// May the token list the catalog?
    lists: AtomicBool,
    /// Subscriptions that somebody made.
    subscriptions: Mutex<Vec<serde_json::Value>>,
    stopped: AtomicBool,
}

const USER: &str = "reader";
const PASSWORD: &str = "pass";
/// When everything changed that nobody said anything of.
const FIRST: &str = "2026-11-21T10:00:00.000Z";

impl VendorStandIn {
    /// Starts one before the registry at `backend` (`127.0.0.1:5000`), which lets everybody in.
    pub fn start(vendor: Vendor, backend: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(State {
            vendor,
            address,
            backend: Backend { host: backend.to_owned() },
            others: Mutex::default(),
            changed: Mutex::default(),
            faults: Mutex::default(),
            seen: Mutex::default(),
            tokens: Mutex::default(),
            made: AtomicUsize::new(0),
            lists: AtomicBool::new(true),
            subscriptions: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(connection) = connection {
                    let shared = Arc::clone(&shared);
                    std::thread::spawn(move || shared.serve(connection));
                }
            }
        });
        Self { address, state }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The next `times` requests whose path contains `path` meet `fault`.
    pub fn plan(&self, path: &str, times: usize, fault: Fault) {
        lock(&self.state.faults).push_back((path.to_owned(), times, fault));
    }

    /// Artifactory and Nexus have one more Docker repository, before another registry.
    #[must_use]
    pub fn with_key(self, key: &str, backend: &str) -> Self {
        lock(&self.state.others).push((key.to_owned(), backend.to_owned()));
        self
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.state.seen).clone()
    }

    /// Says when a tag changed, in RFC 3339.
    pub fn changed(&self, repository: &str, tag: &str, at: &str) {
        let key = (repository.to_owned(), tag.to_owned());
        lock(&self.state.changed).insert(key, at.to_owned());
    }

    /// Its token may not list the catalog.
    pub fn hide_catalog(&self) {
        self.state.lists.store(false, Ordering::SeqCst);
    }

    /// Every token that it gave is good no more.
    pub fn expire_tokens(&self) {
        lock(&self.state.tokens).clear();
    }
}

impl Drop for VendorStandIn {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn serve(&self, connection: TcpStream) {
        let _ = connection.set_read_timeout(Some(Duration::from_secs(20)));
        let _ = connection.set_nodelay(true);
        let mut stream = connection;
        while let Ok(Some(request)) = read_request(&mut stream) {
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            lock(&self.seen).push(Seen {
                method: request.method.clone(),
                path: request.path.clone(),
                authorization: request.header("authorization").map(str::to_owned),
                length: request.bytes.len(),
                body: request.body.clone(),
                ..Seen::default()
            });
            let fault = {
                let mut faults = lock(&self.faults);
                let planned = faults
                    .iter_mut()
                    .find(|(path, times, _)| *times > 0 && request.path.contains(path));
                planned.map(|planned| {
                    planned.1 -= 1;
                    planned.2.clone()
                })
            };
            let reply = match self.vendor {
                Vendor::Artifactory => artifactory::answer(self, &request),
                Vendor::Azure => azure::answer(self, &request),
                Vendor::Harbor => harbor::answer(self, &request),
                Vendor::Nexus => nexus::answer(self, &request),
            };
            let reply = match fault {
                Some(fault) => fault.apply(reply),
                None => reply,
            };
            if !matches!(write_reply(&mut stream, &reply, request.method == "HEAD"), Ok(true)) {
                return;
            }
        }
    }

    /// The registry behind one of its repositories; `own` is what it calls its first one.
    fn behind(&self, own: &str, key: &str) -> Option<Backend> {
        let others = lock(&self.others);
        let other = others.iter().find(|it| it.0 == key).map(|it| &it.1);
        let host = if key == own { Some(&self.backend.host) } else { other };
        host.map(|host| Backend { host: host.clone() })
    }

    /// What all of them answer together: the first that has it.
    fn any(&self, request: &Request, path: &str) -> Reply {
        let others: Vec<String> = lock(&self.others).iter().map(|it| it.1.clone()).collect();
        let own = self.backend.pass(request, path);
        others.into_iter().fold(own, |reply, host| match reply.status {
            404 => Backend { host }.pass(request, path),
            _ => reply,
        })
    }

    /// A token that holds for this scope.
    fn give_token(&self, scope: &str) -> String {
        let token = format!("token-{}", self.made.fetch_add(1, Ordering::SeqCst));
        lock(&self.tokens).insert(token.clone(), scope.to_owned());
        token
    }

    /// The scope of the token that is shown.
    fn token(&self, request: &Request) -> Option<String> {
        let token = request.header("authorization")?.strip_prefix("Bearer ")?;
        lock(&self.tokens).get(token).cloned()
    }

    /// When a tag changed.
    fn when(&self, repository: &str, tag: &str) -> String {
        let key = (repository.to_owned(), tag.to_owned());
        lock(&self.changed).get(&key).cloned().unwrap_or_else(|| FIRST.to_owned())
    }

    /// A refusal that says where tokens are to be had.
    fn challenge(&self, path: &str, service: &str, scope: &str) -> Reply {
        let realm = format!("http://{}{path}", self.address);
        let scope = if scope.is_empty() { String::new() } else { format!(",scope=\"{scope}\"") };
        Reply::error(401, "UNAUTHORIZED", "authentication required").header(
            "WWW-Authenticate",
            &format!("Bearer realm=\"{realm}\",service=\"{service}\"{scope}"),
        )
    }
}

/// What a request to a registry needs a token for: `repository:app:pull`.
fn scope_of(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let rest = path.strip_prefix("/v2/").unwrap_or_default();
    let name = ["/manifests/", "/blobs/", "/tags/"]
        .iter()
        .find_map(|it| rest.rsplit_once(it).map(|(name, _)| name));
    match name {
        Some(name) => format!("repository:{name}:pull"),
        None if rest.starts_with("_catalog") => "registry:catalog:*".to_owned(),
        None => String::new(),
    }
}

/// The value of a word in a query, with its escapes undone.
pub(crate) fn asked(path: &str, name: &str) -> Option<String> {
    let query = path.split_once('?')?.1;
    let value = query.split('&').find_map(|it| it.strip_prefix(name)?.strip_prefix('='))?;
    Some(unescaped(value))
}

/// Escapes undone, once.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let code = code.and_then(|it| u8::from_str_radix(it, 16).ok()).filter(|_| *first == b'%');
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Did its user log in with a password?
fn is_basic(request: &Request) -> bool {
    let expect = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    request.header("authorization") == Some(&expect)
}

/// A JSON answer.
fn json(value: &serde_json::Value) -> Reply {
    Reply::ok("application/json", value.to_string().as_bytes())
}
