//! kubernetes: what the pods of a cluster run.
//!
//! Pods are listed in parts and watched, nodes for their platforms, and namespaces only where their
//! labels matter. Nothing else is asked for, and nothing is said before all lists are complete.

mod access;
mod bounded;
mod follow;
mod owner;
mod pod;
mod reading;
mod refused;
mod running;
mod shelf;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::Workload;
use async_trait::async_trait;
use kube::core::DynamicObject;
use kube::{Client, ResourceExt as _};
use serde_json::Value;
use tokio::sync::watch;

use crate::contract::{Container, Look, Runtime, Sight, Trouble, Voice};
use crate::mapping::{Mapping, is_internal};
use follow::Following;
use pod::Pod;
use shelf::Shelf;

pub use access::{Access, Inside};
pub use reading::{Reader, Reading, Unread};
pub use running::{Running, running};

/// How patiently a cluster is followed.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A watch is begun anew after so many seconds; one that is silent for a little longer is broken.
    pub watch: u32,
    /// An answer that takes longer is given up.
    pub answer: Duration,
    /// The first wait after something failed; the longest is thirty times that.
    pub again: Duration,
    /// All is listed anew after that, whatever happened.
    pub anew: Duration,
    /// So many things are asked for at once.
    pub page: u32,
    /// An answer, or an event of a watch, that has more bytes is given up; without it, as many are taken as
    /// any sane cluster needs.
    pub most: Option<usize>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            watch: 60,
            answer: Duration::from_secs(75),
            again: Duration::from_secs(1),
            anew: Duration::from_hours(1),
            page: 250,
            most: None,
        }
    }
}

/// A cluster, seen with one's own eyes.
pub struct Kubernetes {
    client: Client,
    /// By what it is told from other clusters.
    which: String,
    mapping: Mapping,
    patience: Patience,
    seen: Mutex<Seen>,
}

/// All that was seen of it.
#[derive(Default)]
struct Seen {
    pods: Followed<Pod>,
    /// A node's name and its platform.
    nodes: Followed<(String, Option<String>)>,
    /// A namespace's name and its labels.
    namespaces: Followed<(String, BTreeMap<String, String>)>,
}

/// What is followed.
struct Followed<T> {
    /// What was seen, once all of it was.
    shelf: Option<Shelf<T>>,
    /// Why it is not seen now.
    trouble: Option<Trouble>,
}

impl<T> Default for Followed<T> {
    fn default() -> Self {
        Self { shelf: None, trouble: None }
    }
}

impl Kubernetes {
    /// The cluster that `access` leads to.
    pub async fn open(
        access: &Access,
        mapping: Mapping,
        patience: Patience,
    ) -> Result<Self, Trouble> {
        let (client, which) = access.client(&patience).await?;
        Ok(Self { client, which, mapping, patience, seen: Mutex::default() })
    }

    /// By what this cluster is told from others, however it is reached from where: two that somebody calls
    /// by one name are no less two.
    pub fn which(&self) -> &str {
        &self.which
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        // Whoever panicked holding it left nothing half done: each change is one assignment.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Runtime for Kubernetes {
    fn kind(&self) -> &'static str {
        "kubernetes"
    }

    async fn follow(&self, news: &watch::Sender<u64>, voice: &dyn Voice) {
        let following = Following { kubernetes: self, news, voice };
        let pods = following.go("Pod", "pods", |it| &mut it.pods, read_pod);
        let nodes = following.go("Node", "nodes", |it| &mut it.nodes, |it| read_node(&it));
        let namespaces = async {
            if self.mapping.label().is_some() {
                let read =
                    |it: DynamicObject| (it.name_any(), it.metadata.labels.unwrap_or_default());
                following.go("Namespace", "namespaces", |it| &mut it.namespaces, read).await;
            }
        };
        tokio::join!(pods, nodes, namespaces);
    }

    fn look(&self) -> Look {
        let seen = self.seen();
        // Without nodes it is only not known for which platform something runs, so being refused them
        // is no reason to be silent; while they are merely late, one waits for them.
        let nodes = &seen.nodes;
        let without_nodes = nodes.trouble.as_ref().is_some_and(|it| it.lasting);
        let by_label = self.mapping.label().is_some();
        let late = nodes.shelf.is_none() && !without_nodes;
        let troubles = [
            seen.pods.trouble.as_ref(),
            seen.namespaces.trouble.as_ref().filter(|_| by_label),
            nodes.trouble.as_ref().filter(|_| late),
        ];
        let trouble = troubles.into_iter().flatten().next().cloned();
        let Some(pods) = &seen.pods.shelf else { return Look::Dark(trouble) };
        if late || by_label && seen.namespaces.shelf.is_none() {
            return Look::Dark(trouble);
        }
        match trouble {
            Some(trouble) => Look::Past(trouble),
            None => Look::Clear(Arc::new(self.sight(pods, &seen))),
        }
    }
}

impl Kubernetes {
    fn sight(&self, pods: &Shelf<Pod>, seen: &Seen) -> Sight {
        let nodes = seen.nodes.shelf.iter().flat_map(Shelf::iter);
        let platforms: HashMap<&str, &str> =
            nodes.filter_map(|(name, it)| Some((name.as_str(), it.as_deref()?))).collect();
        let namespaces = seen.namespaces.shelf.iter().flat_map(Shelf::iter);
        let labels: HashMap<&str, &BTreeMap<String, String>> =
            namespaces.map(|(name, it)| (name.as_str(), it)).collect();
        let mut sight = Sight::default();
        for pod in pods.iter() {
            let namespace = pod.namespace.as_str();
            let internal = is_internal(namespace);
            let labels = labels.get(namespace).copied();
            let Some(environment) = self.mapping.of(namespace, labels, internal) else {
                if !internal && !pod.running.is_empty() {
                    *sight.left_out.entry(namespace.to_owned()).or_default() += pod.running.len();
                }
                continue;
            };
            sight.gaps.extend(pod.gaps.iter().cloned());
            sight.asides.extend(pod.asides.iter().cloned());
            let platform = pod.node.as_deref().and_then(|it| platforms.get(it).copied());
            let running = sight.running.entry(environment.to_owned()).or_default();
            running.extend(pod.running.iter().map(|(container, it)| Container {
                image: it.image.clone(),
                digest: it.digest.to_string(),
                platform: platform.map(str::to_owned),
                workload: Workload {
                    namespace: namespace.to_owned(),
                    kind: pod.owner.0.clone(),
                    name: pod.owner.1.clone(),
                    container: container.clone(),
                },
            }));
        }
        sight.running.retain(|_, it| !it.is_empty());
        sight
    }
}

/// What runs in a pod, by its document alone: the containers, and what could not be read.
pub fn containers(document: &[u8]) -> (Vec<(String, Running)>, Vec<String>) {
    match serde_json::from_slice::<DynamicObject>(document) {
        Ok(object) => {
            let pod = read_pod(object);
            (pod.running, pod.gaps)
        }
        Err(error) => (Vec::new(), vec![format!("it is no pod: {error}")]),
    }
}

fn read_pod(object: DynamicObject) -> Pod {
    Pod::of(&object.metadata, object.data)
}

/// A node's name and its platform: as it tells it, else as its labels do.
fn read_node(object: &DynamicObject) -> (String, Option<String>) {
    let labels = object.metadata.labels.as_ref();
    let told = |field: &str, label: &str| -> Option<String> {
        let field = object.data.pointer(&format!("/status/nodeInfo/{field}"));
        let text = field.and_then(Value::as_str).filter(|it| !it.is_empty());
        let text = text.or_else(|| labels?.get(label).map(String::as_str))?;
        let is_word = |it: u8| it.is_ascii_alphanumeric() || b"._-".contains(&it);
        (!text.is_empty() && text.len() <= 64 && text.bytes().all(is_word)).then(|| text.to_owned())
    };
    let system = told("operatingSystem", "kubernetes.io/os");
    let architecture = told("architecture", "kubernetes.io/arch");
    let platform = system.zip(architecture).map(|(os, it)| format!("{os}/{it}"));
    (object.name_any(), platform)
}
