//! A stand-in for the API server of a Kubernetes cluster: lists in parts, watches with bookmarks,
//! versions that grow old, refusals, and all that goes wrong on the way.
//!
//! It is no cluster: nothing is scheduled and nothing runs. It answers after Kubernetes 1.33, to
//! clients and to `kubectl get` alike, with what a test put there.

mod answer;
mod discovery;
mod table;
mod watch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::registry::http::{Stream, read_request, tls};
use crate::registry::lock;

/// One that answers until it is dropped.
pub struct FakeCluster {
    address: SocketAddr,
    secure: bool,
    shared: Arc<Shared>,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upset {
    /// It is answered with that status.
    Refuse(u16),
    /// It is not answered, ever.
    Hang,
    /// Its answer breaks off in the middle; that of a watch, in the middle of an event.
    Cut,
    /// A watch is told that its version is too old, in an event as a cluster does it.
    Gone,
    /// The answer is no JSON; that of a watch, an event of it.
    Junk,
    /// Of the next two events the later one comes first.
    Reorder,
    /// Each event comes twice.
    Twice,
    /// A watch ends soon, as if its time were over.
    Close,
}

/// A verb and what it is about: `("list", "pods")`.
pub type Right = (String, String);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    over: AtomicBool,
}

#[derive(Default)]
struct State {
    version: u64,
    /// By resource (`pods`), namespace and name.
    objects: BTreeMap<(String, String, String), Value>,
    /// What changed, with its version and resource: `ADDED`, `MODIFIED`, `DELETED`.
    history: Vec<(u64, String, &'static str, Value)>,
    /// What changed up to there nobody remembers.
    forgotten: u64,
    /// The rest of lists that are read in parts.
    rests: BTreeMap<String, (u64, Vec<Value>)>,
    parts: u64,
    /// Who may what; without any, everybody everything.
    allowed: Option<BTreeSet<Right>>,
    asked: BTreeSet<Right>,
    /// Only who shows it is let in.
    token: Option<String>,
    upsets: BTreeMap<Right, VecDeque<Upset>>,
    bookmarks: u64,
    lists: u64,
    watches: u64,
}

/// The resources there are: plural, kind, group and version, in a namespace?
pub(super) const RESOURCES: &[(&str, &str, &str, bool)] = &[
    ("pods", "Pod", "v1", true),
    ("namespaces", "Namespace", "v1", false),
    ("nodes", "Node", "v1", false),
    ("replicasets", "ReplicaSet", "apps/v1", true),
    ("secrets", "Secret", "v1", true),
];

impl FakeCluster {
    /// Starts an empty one.
    pub fn start() -> Self {
        Self::begin(false)
    }

    /// The same, behind TLS.
    pub fn start_tls() -> Self {
        Self::begin(true)
    }

    fn begin(secure: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        lock(&shared.state).version = 1000;
        let cluster = Self { address, secure, shared: Arc::clone(&shared) };
        let config = secure.then(tls);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if shared.over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(connection) = connection else { continue };
                let (shared, config) = (Arc::clone(&shared), config.clone());
                std::thread::spawn(move || {
                    let _ = connection.set_read_timeout(Some(Duration::from_mins(5)));
                    let _ = connection.set_nodelay(true);
                    match config {
                        None => shared.serve(&mut Box::new(connection)),
                        Some(config) => {
                            if let Ok(tls) = rustls::ServerConnection::new(config) {
                                shared.serve(&mut rustls::StreamOwned::new(tls, connection));
                            }
                        }
                    }
                });
            }
        });
        cluster
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.address.port())
    }

    /// The certificate, in PEM, of whoever vouches for those that answer over TLS.
    pub fn authority() -> &'static [u8] {
        include_bytes!("../fixtures/tls/localhost.pem")
    }

    /// A kubeconfig for it, whose user shows that token, and whose context is called so.
    pub fn kubeconfig(&self, context: &str, token: &str) -> String {
        let mut cluster = json!({"server": self.url()});
        if self.secure {
            use base64::Engine as _;
            let pem = base64::engine::general_purpose::STANDARD.encode(Self::authority());
            cluster["certificate-authority-data"] = pem.into();
        }
        let document = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": context,
            "clusters": [{"name": "stand-in", "cluster": cluster}],
            "users": [{"name": "tester", "user": {"token": token}}],
            "contexts": [{"name": context, "context": {"cluster": "stand-in", "user": "tester"}}],
        });
        document.to_string()
    }

    /// Puts a thing there, or another version of it.
    pub fn apply(&self, resource: &str, mut object: Value) {
        let mut state = lock(&self.shared.state);
        state.version += 1;
        let version = state.version;
        let key = key(resource, &object);
        let former = state.objects.get(&key);
        let kind = if former.is_some() { "MODIFIED" } else { "ADDED" };
        let uid = former.map(|it| it["metadata"]["uid"].clone());
        let (kind_of, group) = described(resource);
        object["kind"] = kind_of.into();
        object["apiVersion"] = group.into();
        object["metadata"]["resourceVersion"] = version.to_string().into();
        object["metadata"]["uid"] =
            uid.unwrap_or_else(|| format!("00000000-0000-4000-8000-{version:012}").into());
        if object["metadata"]["creationTimestamp"].is_null() {
            object["metadata"]["creationTimestamp"] = "2026-11-21T10:00:00Z".into();
        }
        state.objects.insert(key, object.clone());
        state.history.push((version, resource.to_owned(), kind, object));
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Takes a thing away.
    pub fn delete(&self, resource: &str, namespace: &str, name: &str) {
        let mut state = lock(&self.shared.state);
        let key = (resource.to_owned(), namespace.to_owned(), name.to_owned());
        if let Some(mut object) = state.objects.remove(&key) {
            state.version += 1;
            let version = state.version;
            object["metadata"]["resourceVersion"] = version.to_string().into();
            state.history.push((version, resource.to_owned(), "DELETED", object));
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Forgets all that changed: whoever was not there cannot go on from where it was.
    pub fn compact(&self) {
        let mut state = lock(&self.shared.state);
        state.forgotten = state.version;
        state.history.clear();
        state.rests.clear();
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Ends the watches that there are.
    pub fn end_watches(&self) {
        lock(&self.shared.state).watches += 1;
        self.shared.changed.notify_all();
    }

    /// Lets everybody do these things, and nothing else.
    pub fn allow(&self, rights: &[(&str, &str)]) {
        let rights = rights.iter().map(|(verb, what)| ((*verb).to_owned(), (*what).to_owned()));
        lock(&self.shared.state).allowed = Some(rights.collect());
    }

    /// Lets only those in who show that token.
    pub fn want_token(&self, token: &str) {
        lock(&self.shared.state).token = Some(token.to_owned());
    }

    /// All that was asked for so far.
    pub fn asked(&self) -> BTreeSet<Right> {
        lock(&self.shared.state).asked.clone()
    }

    /// How many lists were begun.
    pub fn lists(&self) -> u64 {
        lock(&self.shared.state).lists
    }

    /// How many bookmarks were sent.
    pub fn bookmarks(&self) -> u64 {
        lock(&self.shared.state).bookmarks
    }

    /// The next request of that kind meets this.
    pub fn upset(&self, verb: &str, resource: &str, upset: Upset) {
        let right = (verb.to_owned(), resource.to_owned());
        lock(&self.shared.state).upsets.entry(right).or_default().push_back(upset);
    }

    /// How many upsets nobody met yet.
    pub fn planned(&self) -> usize {
        lock(&self.shared.state).upsets.values().map(VecDeque::len).sum()
    }
}

impl Drop for FakeCluster {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    /// Answers the requests of one connection until it ends.
    fn serve(&self, stream: &mut dyn Stream) {
        while let Ok(Some(request)) = read_request(stream) {
            if self.over.load(Ordering::SeqCst)
                || !matches!(self.answer(&request, stream), Ok(true))
            {
                return;
            }
        }
    }
}

fn key(resource: &str, object: &Value) -> (String, String, String) {
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
    (resource.to_owned(), text("namespace"), text("name"))
}

/// The kind of a resource, and its group and version.
fn described(resource: &str) -> (&'static str, &'static str) {
    let found = RESOURCES.iter().find(|it| it.0 == resource);
    found.map_or(("Unknown", "v1"), |it| (it.1, it.2))
}
