//! A stand-in for Sysdig Secure: the lists of Risk Spotlight, and of vulnerability results beside them,
//! as far as their readers show them.
//!
//! It is not Sysdig's program, and knows nothing of its interface that nobody wrote down.

use std::collections::{BTreeMap, VecDeque};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::asked;
use crate::registry::http::{Reply, Request, read_request, write_reply};
use crate::registry::lock;
use crate::{Fault, Seen};

/// One that runs until it is dropped.
pub struct SysdigStandIn {
    address: SocketAddr,
    state: Arc<State>,
}

/// A container that runs in a cluster of the stand-in's.
#[derive(Clone, Debug, Default)]
pub struct Running {
    /// `default`.
    pub namespace: String,
    /// The deployment.
    pub workload: String,
    /// The container in it.
    pub container: String,
    /// What Risk Spotlight says as `imageID`.
    pub image_id: String,
    /// What the image was pulled as: the detail of a vulnerability result says it.
    pub pulled: String,
    /// The digest of its manifest: the detail of a vulnerability result says it.
    pub manifest: String,
    /// What it loads: name, version, and the kind (`os`, `java` …). None: it has no profile yet.
    pub loaded: Option<Vec<(String, String, String)>>,
    /// What is in it and is not loaded, in the same form.
    pub idle: Vec<(String, String, String)>,
}

/// In which form clusters are listed: nobody wrote it down, so there are several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// `{"data": ["name"]}`.
    #[default]
    Names,
    /// `{"data": [{"clusterName": "name"}]}`.
    Objects,
    /// `{"clusters": [{"name": "name"}]}`.
    Clusters,
    /// `["name"]`.
    Bare,
}

#[derive(Default)]
struct State {
    clusters: Mutex<BTreeMap<String, Vec<Running>>>,
    listing: Mutex<Listing>,
    faults: Mutex<VecDeque<(String, usize, Fault)>>,
    seen: Mutex<Vec<Seen>>,
    /// Entries of a page, however many are asked for.
    per_page: Mutex<Option<usize>>,
    /// Is the token for vulnerability results alone?
    without_spotlight: AtomicBool,
    stopped: AtomicBool,
}

impl SysdigStandIn {
    /// The token that it takes.
    pub const TOKEN: &'static str = "5d6c1e0a-risk-spotlight";

    /// Starts one that knows no cluster.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(State::default());
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

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// All that runs in a cluster from now on.
    pub fn runs(&self, cluster: &str, running: &[Running]) {
        lock(&self.state.clusters).insert(cluster.to_owned(), running.to_vec());
    }

    /// In which form it lists clusters.
    pub fn lists(&self, listing: Listing) {
        *lock(&self.state.listing) = listing;
    }

    /// Its pages have so many entries at most.
    pub fn pages_of(&self, entries: usize) {
        *lock(&self.state.per_page) = Some(entries);
    }

    /// The token is not for Risk Spotlight.
    pub fn refuse_spotlight(&self) {
        self.state.without_spotlight.store(true, Ordering::SeqCst);
    }

    /// The next `times` requests whose path contains `path` meet `fault`.
    pub fn plan(&self, path: &str, times: usize, fault: Fault) {
        lock(&self.state.faults).push_back((path.to_owned(), times, fault));
    }

    /// Nothing that was planned happens any more.
    pub fn mend(&self) {
        lock(&self.state.faults).clear();
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.state.seen).clone()
    }
}

impl Drop for SysdigStandIn {
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
                ..Seen::default()
            });
            let fault = {
                let mut faults = lock(&self.faults);
                let planned = faults
                    .iter_mut()
                    .find(|(path, times, _)| *times > 0 && request.path.contains(path.as_str()));
                planned.map(|planned| {
                    planned.1 -= 1;
                    planned.2.clone()
                })
            };
            let reply = self.answer(&request);
            let reply = match fault {
                Some(fault) => fault.apply(reply),
                None => reply,
            };
            if !matches!(write_reply(&mut stream, &reply, request.method == "HEAD"), Ok(true)) {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Reply {
        let expect = format!("Bearer {}", SysdigStandIn::TOKEN);
        if request.header("authorization") != Some(&expect) {
            return complaint(401, "Bad credentials");
        }
        let path = request.path.split('?').next().unwrap_or_default();
        if let Some(rest) = path.strip_prefix("/api/scanning/eveintegration/v2/") {
            if self.without_spotlight.load(Ordering::SeqCst) {
                return complaint(403, "Access is denied");
            }
            return match rest {
                "runtimeclusters" => self.clusters(),
                "runtimeimages" => self.images(request),
                _ => complaint(404, "Not Found"),
            };
        }
        match path.strip_prefix("/secure/vulnerability/v1/") {
            Some("runtime-results") => self.results(request),
            Some(rest) => match rest.strip_prefix("results/") {
                Some(id) => self.detail(id),
                None => complaint(404, "Not Found"),
            },
            None => complaint(404, "Not Found"),
        }
    }

    fn clusters(&self) -> Reply {
        let all = lock(&self.clusters);
        let names = all.keys();
        ok(&match *lock(&self.listing) {
            Listing::Names => json!({"data": names.collect::<Vec<_>>()}),
            Listing::Objects => {
                json!({"data": names.map(|it| json!({"clusterName": it})).collect::<Vec<_>>()})
            }
            Listing::Clusters => {
                json!({"clusters": names.map(|it| json!({"name": it})).collect::<Vec<_>>()})
            }
            Listing::Bare => json!(names.collect::<Vec<_>>()),
        })
    }

    fn images(&self, request: &Request) -> Reply {
        let cluster = asked(&request.path, "clusterName").unwrap_or_default();
        let all = lock(&self.clusters).get(&cluster).cloned().unwrap_or_default();
        let items = all.iter().map(|it| {
            let packages: Option<Vec<Value>> = it.loaded.as_ref().map(|all| {
                all.iter().map(|(name, version, kind)| package(name, version, kind)).collect()
            });
            json!({
                "imageID": it.image_id, "namespace": it.namespace, "workloadName": it.workload,
                "workloadKind": "Deployment", "container": it.container, "packages": packages,
            })
        });
        self.page(request, items.collect(), 250, 500, "returned")
    }

    fn results(&self, request: &Request) -> Reply {
        let filter = asked(&request.path, "filter").unwrap_or_default();
        let clusters = lock(&self.clusters).clone();
        let meant = |name: &str| {
            !filter.contains("kubernetes.cluster.name")
                || filter.contains(&format!("kubernetes.cluster.name=\"{name}\""))
        };
        let mut items = Vec::new();
        for (cluster, all) in clusters.iter().filter(|it| meant(it.0)) {
            for (place, it) in all.iter().enumerate() {
                items.push(json!({
                    "resultId": format!("{cluster}-{place}"), "resourceId": it.image_id,
                    "mainAssetName": it.pulled, "sbomId": "5f", "policyEvaluationResult": "passed",
                    "isRiskSpotlightEnabled": it.loaded.is_some(),
                    "scope": {
                        "asset.type": "workload", "kubernetes.cluster.name": cluster,
                        "kubernetes.namespace.name": it.namespace,
                        "kubernetes.workload.name": it.workload,
                        "kubernetes.workload.type": "deployment",
                        "kubernetes.pod.container.name": it.container,
                    },
                    "vulnTotalBySeverity": {"critical": 0, "high": 1, "medium": 0, "low": 0, "negligible": 0},
                    "runningVulnTotalBySeverity": {"critical": 0, "high": 0, "medium": 0, "low": 0, "negligible": 0},
                }));
            }
        }
        self.page(request, items, 1000, 1000, "total")
    }

    fn detail(&self, id: &str) -> Reply {
        let all = lock(&self.clusters);
        let parted =
            id.rsplit_once('-').and_then(|(name, at)| Some((name, at.parse::<usize>().ok()?)));
        let found = parted.and_then(|(cluster, place)| all.get(cluster)?.get(place));
        let Some(it) = found else { return complaint(404, "result not found") };
        let mut packages = BTreeMap::new();
        let loaded = it.loaded.iter().flatten().map(|it| (it, true));
        for (number, (package, running)) in
            loaded.chain(it.idle.iter().map(|it| (it, false))).enumerate()
        {
            let (name, version, kind) = package;
            packages.insert(
                format!("package{number}"),
                json!({"type": kind, "name": name, "version": version, "path": "", "isRunning": running, "vulnerabilitiesRefs": []}),
            );
        }
        ok(&json!({
            "assetType": "workload",
            "metadata": {
                "imageId": it.image_id, "digest": it.manifest, "pullString": it.pulled,
                "architecture": "amd64", "os": "linux", "baseOs": "debian 12", "layersCount": 1,
            },
            "packages": packages, "vulnerabilities": {},
        }))
    }

    /// The page that is asked for, and the cursor of the next one.
    fn page(
        &self,
        request: &Request,
        all: Vec<Value>,
        usual: usize,
        most: usize,
        total: &str,
    ) -> Reply {
        let limit = asked(&request.path, "limit").and_then(|it| it.parse::<usize>().ok());
        let limit = limit.unwrap_or(usual);
        if limit == 0 || limit > most {
            return complaint(400, "limit is out of range");
        }
        let limit = lock(&self.per_page).map_or(limit, |it| it.min(limit));
        let cursor = asked(&request.path, "cursor");
        let from =
            match cursor.as_deref().map(|it| it.strip_prefix("after/")?.parse::<usize>().ok()) {
                None => 0,
                Some(Some(from)) => from,
                Some(None) => return complaint(400, "the cursor is none of ours"),
            };
        let next = from + limit;
        let count = all.len();
        let items: Vec<Value> = all.into_iter().skip(from).take(limit).collect();
        let mut page = json!({});
        page[total] = json!(if total == "total" { count } else { items.len() });
        if next < count {
            page["next"] = json!(format!("after/{next}"));
        }
        ok(&json!({"page": page, "data": items}))
    }
}

/// A package as Risk Spotlight tells it: those of the distribution otherwise than those of applications.
fn package(name: &str, version: &str, kind: &str) -> Value {
    if kind == "os" {
        return json!({
            "name": name, "version": version, "installedViaPackageManager": true,
            "osFamily": "debian", "osVersion": "12", "arch": "amd64",
        });
    }
    let purl = match kind {
        "java" => Some(format!("pkg:maven/{}@{version}", name.replace(':', "/"))),
        "python" => Some(format!("pkg:pypi/{name}@{version}")),
        "javascript" => Some(format!("pkg:npm/{}@{version}", name.replace('@', "%40"))),
        _ => None,
    };
    json!({
        "purl": purl, "name": name, "version": version, "installedViaPackageManager": false,
        "type": kind,
    })
}

fn ok(value: &Value) -> Reply {
    Reply::ok("application/json", value.to_string().as_bytes())
}

/// A refusal as Sysdig words them.
fn complaint(status: u16, message: &str) -> Reply {
    let body = json!({"errors": [{"reason": "refused", "message": message}]}).to_string();
    Reply::new(status, "application/json", body.as_bytes())
}
