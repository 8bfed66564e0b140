//! What a pod belongs to, told from the pod alone: nobody has to let us read anything else.
//!
//! A `ReplicaSet` is called by its Deployment's name and a hash that the pod has as a label, a Job by
//! its `CronJob`'s name and the time that it was for. Where that is not so, what the pod names as its
//! controller is what it belongs to.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// The kind, in lower case, and the name.
pub(super) fn owner(metadata: &ObjectMeta) -> (String, String) {
    let name = metadata.name.as_deref().unwrap_or_default();
    let owners = metadata.owner_references.iter().flatten();
    let Some(owner) = owners.into_iter().find(|it| it.controller == Some(true)) else {
        return ("pod".to_owned(), name.to_owned());
    };
    let label = |key: &str| text(metadata.labels.as_ref(), key);
    let (kind, owner) = (owner.kind.as_str(), owner.name.as_str());
    let found = match kind {
        "ReplicaSet" => {
            let of = |kind, key| Some((kind, without(owner, label(key)?)?));
            of("deployment", "pod-template-hash")
                .or_else(|| of("rollout", "rollouts-pod-template-hash"))
        }
        "Job" => scheduled(owner).map(|name| ("cronjob", name)),
        "ReplicationController" => {
            let annotations = metadata.annotations.as_ref();
            text(annotations, "openshift.io/deployment-config.name")
                .or_else(|| label("deploymentconfig"))
                .map(|name| ("deploymentconfig", name))
        }
        // A static pod is called by its file and its node, and is the same on each node.
        "Node" => Some(("pod", without(name, owner).unwrap_or(name))),
        _ => None,
    };
    match found {
        Some((kind, name)) => (kind.to_owned(), name.to_owned()),
        None => (kind.to_ascii_lowercase(), owner.to_owned()),
    }
}

fn text<'a>(of: Option<&'a BTreeMap<String, String>>, key: &str) -> Option<&'a str> {
    of?.get(key).map(String::as_str).filter(|it| !it.is_empty())
}

/// What is before a dash and that end.
fn without<'a>(name: &'a str, end: &str) -> Option<&'a str> {
    name.strip_suffix(end)?.strip_suffix('-').filter(|it| !it.is_empty())
}

/// The `CronJob` whose Job it is: its time is in minutes since 1970, and was in seconds before
/// Kubernetes 1.21. A Job that somebody named like that by hand is taken for one.
fn scheduled(job: &str) -> Option<&str> {
    let (name, time) = job.rsplit_once('-')?;
    let is_time = matches!(time.len(), 8 | 10) && time.bytes().all(|it| it.is_ascii_digit());
    (is_time && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pod: serde_json::Value, expect: &str) {
        let metadata: ObjectMeta = serde_json::from_value(pod).unwrap();
        let (kind, name) = owner(&metadata);
        assert_eq!(format!("{kind} {name}"), expect);
    }

    fn owned(kind: &str, name: &str, labels: &[(&str, &str)]) -> serde_json::Value {
        let labels: BTreeMap<_, _> = labels.iter().copied().collect();
        serde_json::json!({"name": "web-7d9-x1", "labels": labels, "ownerReferences": [
            {"apiVersion": "v1", "kind": "Ignored", "name": "other", "uid": "1"},
            {"apiVersion": "v1", "kind": kind, "name": name, "uid": "2", "controller": true},
        ]})
    }

    #[test]
    fn owners() {
        check(serde_json::json!({"name": "alone"}), "pod alone");
        check(serde_json::json!({}), "pod ");
        check(owned("ReplicaSet", "web-7d9", &[("pod-template-hash", "7d9")]), "deployment web");
        check(
            owned("ReplicaSet", "web-7d9", &[("rollouts-pod-template-hash", "7d9")]),
            "rollout web",
        );
        check(
            owned("ReplicaSet", "web-7d9", &[("pod-template-hash", "other")]),
            "replicaset web-7d9",
        );
        check(owned("ReplicaSet", "7d9", &[("pod-template-hash", "7d9")]), "replicaset 7d9");
        check(owned("ReplicaSet", "own", &[]), "replicaset own");
        check(owned("Job", "report-29123456", &[]), "cronjob report");
        check(owned("Job", "report-1700000000", &[]), "cronjob report");
        check(owned("Job", "report-2024", &[]), "job report-2024");
        check(owned("Job", "29123456", &[]), "job 29123456");
        check(owned("StatefulSet", "db", &[]), "statefulset db");
        check(owned("DaemonSet", "logs", &[]), "daemonset logs");
        check(
            owned("ReplicationController", "app-3", &[("deploymentconfig", "app")]),
            "deploymentconfig app",
        );
        check(owned("ReplicationController", "app-3", &[]), "replicationcontroller app-3");
        check(owned("Node", "x1", &[]), "pod web-7d9");
        check(owned("Node", "elsewhere", &[]), "pod web-7d9-x1");
    }
}
