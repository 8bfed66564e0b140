//! What runs in a stand-in cluster: deployments whose pods come and go, and what should be told of it.

use std::collections::{BTreeMap, BTreeSet};

use agent::Container;
use api::Workload;
use serde_json::{Value, json};
use testkit::FakeCluster;

use crate::server::Running;

/// A digest whose digits come from a number.
pub(crate) fn digest(number: u64) -> String {
    format!("sha256:{number:064x}")
}

/// A pod of a Deployment, with one container for each image.
pub(crate) fn pod(
    namespace: &str,
    deployment: &str,
    number: u64,
    node: &str,
    images: &[(&str, String)],
) -> Value {
    let name = format!("{deployment}-5f7b9-{number}");
    let asked = images.iter().enumerate().map(|(at, (image, _))| {
        json!({"name": format!("c{at}"), "image": image, "resources": {"limits": {"cpu": "1"}}})
    });
    let told = images.iter().enumerate().map(|(at, (image, id))| {
        json!({"name": format!("c{at}"), "image": format!("docker.io/{image}"), "imageID": id,
               "containerID": "containerd://0", "ready": true, "restartCount": 0,
               "state": {"running": {"startedAt": "2026-11-21T10:00:00Z"}}})
    });
    json!({
        "metadata": {"name": name, "namespace": namespace,
            "labels": {"pod-template-hash": "5f7b9"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "controller": true,
                "name": format!("{deployment}-5f7b9"), "uid": "1", "blockOwnerDeletion": true}]},
        "spec": {"nodeName": node, "containers": asked.collect::<Vec<_>>(), "unheardOf": [1, {}]},
        "status": {"phase": "Running", "containerStatuses": told.collect::<Vec<_>>()},
    })
}

/// What is told of a container of it.
pub(crate) fn container(
    namespace: &str,
    deployment: &str,
    at: usize,
    image: &str,
    digest: &str,
    platform: Option<&str>,
) -> Container {
    Container {
        workload: Workload {
            namespace: namespace.to_owned(),
            kind: "deployment".to_owned(),
            name: deployment.to_owned(),
            container: format!("c{at}"),
        },
        image: image.to_owned(),
        digest: digest.to_owned(),
        platform: platform.map(str::to_owned),
    }
}

pub(crate) fn add_node(cluster: &FakeCluster, name: &str, architecture: &str) {
    cluster.apply(
        "nodes",
        json!({"metadata": {"name": name, "labels": {"kubernetes.io/arch": "wrong"}},
               "status": {"nodeInfo": {"architecture": architecture, "operatingSystem": "linux"},
                          "images": [{"names": ["x"], "sizeBytes": 1}]}}),
    );
}

pub(crate) fn add_namespace(cluster: &FakeCluster, name: &str, environment: Option<&str>) {
    let labels: BTreeMap<&str, &str> =
        environment.into_iter().map(|it| ("foretop.dev/environment", it)).collect();
    cluster.apply(
        "namespaces",
        json!({"metadata": {"name": name, "labels": labels},
                                       "status": {"phase": "Active"}}),
    );
}

/// Numbers by chance, the same for the same seed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }

    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(all.len() as u64)).unwrap();
        all.get(at).expect("it is below the end")
    }
}

impl Chance {
    /// One of some names.
    pub(crate) fn name_of(&mut self, all: &[&'static str]) -> &'static str {
        self.one_of::<&'static str>(all)
    }
}

const NODES: &[(&str, &str)] = &[("n1", "amd64"), ("n2", "arm64"), ("n3", "amd64")];
/// Namespaces, and where they belong.
const NAMESPACES: &[(&str, Option<&str>)] = &[
    ("shop", Some("production")),
    ("shop-staging", Some("staging")),
    ("team-a", Some("staging")),
    ("scratch", None),
    ("kube-system", None),
];
pub(crate) const RULES: &[&str] = &["shop=production", "shop-*=staging"];
pub(crate) const LABEL: &str = "foretop.dev/environment";

/// Deployments of a cluster.
pub(crate) struct Fleet<'a> {
    cluster: &'a FakeCluster,
    chance: Chance,
    deployments: Vec<Deployment>,
    made: u64,
    pods: u64,
}

struct Deployment {
    namespace: usize,
    name: String,
    version: u64,
    containers: u64,
    pods: Vec<(u64, usize)>,
    loops: bool,
}

impl<'a> Fleet<'a> {
    pub(crate) fn new(cluster: &'a FakeCluster, seed: u64) -> Self {
        for (name, architecture) in NODES {
            add_node(cluster, name, architecture);
        }
        for (name, environment) in NAMESPACES {
            let label = environment.filter(|_| *name == "team-a");
            add_namespace(cluster, name, label);
        }
        Self { cluster, chance: Chance::new(seed), deployments: vec![], made: 0, pods: 0 }
    }

    /// Something happens: a Deployment is made, scaled, rolled or deleted, or begins to crash.
    pub(crate) fn step(&mut self) {
        let many = self.deployments.len() as u64;
        match self.chance.below(if many < 4 { 1 } else { 8 }) {
            0 | 1 if many < 60 => self.create(),
            0..=2 => self.delete(),
            3 | 4 => self.scale(),
            5 | 6 => self.roll(),
            _ => self.crash(),
        }
    }

    /// What runs.
    pub(crate) fn running(&self) -> Running {
        let mut running = Running::new();
        for it in &self.deployments {
            let (namespace, environment) = NAMESPACES[it.namespace];
            let Some(environment) = environment else { continue };
            for (_, node) in &it.pods {
                let platform = format!("linux/{}", NODES[*node].1);
                let environment: &mut BTreeSet<Container> =
                    running.entry(environment.to_owned()).or_default();
                for at in 0..it.containers {
                    environment.insert(container(
                        namespace,
                        &it.name,
                        usize::try_from(at).unwrap(),
                        &it.image(at),
                        &it.digest(at),
                        Some(&platform),
                    ));
                }
            }
        }
        running
    }

    fn create(&mut self) {
        self.made += 1;
        let namespace = usize::try_from(self.chance.below(NAMESPACES.len() as u64)).unwrap();
        let containers = 1 + self.chance.below(2);
        let name = format!("app{}", self.made);
        let new =
            Deployment { namespace, name, version: 1, containers, pods: vec![], loops: false };
        self.deployments.push(new);
        let at = self.deployments.len() - 1;
        for _ in 0..=self.chance.below(3) {
            self.add_pod(at);
        }
    }

    fn delete(&mut self) {
        let at = self.any();
        while !self.deployments[at].pods.is_empty() {
            self.remove_pod(at);
        }
        self.deployments.swap_remove(at);
    }

    fn scale(&mut self) {
        let at = self.any();
        if self.chance.below(2) == 0 {
            self.add_pod(at);
        } else if self.deployments[at].pods.len() > 1 {
            self.remove_pod(at);
        }
    }

    /// New pods first, as a rolling update does it.
    fn roll(&mut self) {
        let at = self.any();
        let many = self.deployments[at].pods.len();
        self.deployments[at].version += 1;
        self.deployments[at].loops = false;
        for _ in 0..many {
            self.add_pod(at);
        }
        for _ in 0..many {
            self.remove_pod(at);
        }
    }

    /// A container waits between two crashes: it is deployed all the same.
    fn crash(&mut self) {
        let at = self.any();
        self.deployments[at].loops ^= true;
        for (number, node) in self.deployments[at].pods.clone() {
            self.put(at, number, node);
        }
    }

    fn any(&mut self) -> usize {
        usize::try_from(self.chance.below(self.deployments.len() as u64)).unwrap()
    }

    fn add_pod(&mut self, at: usize) {
        self.pods += 1;
        let node = usize::try_from(self.chance.below(NODES.len() as u64)).unwrap();
        let it = &mut self.deployments[at];
        it.pods.push((self.pods, node));
        let number = self.pods;
        // It is there for a while before it runs.
        let mut pending = self.document(at, number, node);
        pending["status"] = json!({"phase": "Pending"});
        self.cluster.apply("pods", pending);
        self.put(at, number, node);
    }

    fn remove_pod(&mut self, at: usize) {
        let it = &mut self.deployments[at];
        let (number, _) = it.pods.remove(0);
        let name = format!("{}-5f7b9-{number}", it.name);
        self.cluster.delete("pods", NAMESPACES[it.namespace].0, &name);
    }

    fn put(&self, at: usize, number: u64, node: usize) {
        self.cluster.apply("pods", self.document(at, number, node));
    }

    fn document(&self, at: usize, number: u64, node: usize) -> Value {
        let it = &self.deployments[at];
        let images: Vec<(String, String)> =
            (0..it.containers).map(|at| (it.image(at), it.id(at))).collect();
        let images: Vec<(&str, String)> =
            images.iter().map(|(image, id)| (image.as_str(), id.clone())).collect();
        let mut pod = pod(NAMESPACES[it.namespace].0, &it.name, number, NODES[node].0, &images);
        if it.loops {
            let status = &mut pod["status"]["containerStatuses"][0];
            status["state"] = json!({"waiting": {"reason": "CrashLoopBackOff"}});
            status["restartCount"] = 4.into();
        }
        pod
    }
}

impl Deployment {
    fn image(&self, at: u64) -> String {
        format!("acme/{}-{at}:v{}", self.name, self.version)
    }

    fn digest(&self, at: u64) -> String {
        let name = self.name.strip_prefix("app").and_then(|it| it.parse::<u64>().ok());
        digest(name.unwrap_or(0) * 1_000_000 + self.version * 10 + at)
    }

    /// As different runtimes tell it.
    fn id(&self, at: u64) -> String {
        let digest = self.digest(at);
        match self.version % 4 {
            0 => format!("docker-pullable://acme/{}-{at}@{digest}", self.name),
            1 => format!("docker.io/acme/{}-{at}@{digest}", self.name),
            2 => digest,
            _ => format!("docker://{digest}"),
        }
    }
}
