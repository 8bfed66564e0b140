//! What a cluster tells of itself to those who ask what there is.

use serde_json::{Value, json};

use super::RESOURCES;

/// The document at that path, if it is one of these.
pub(super) fn document(path: &str) -> Option<Value> {
    let path = path.split('?').next().unwrap_or_default();
    Some(match path {
        "/version" => json!({
            "major": "1", "minor": "33", "gitVersion": "v1.33.0-stand-in", "gitCommit": "0",
            "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z", "goVersion": "none",
            "compiler": "none", "platform": "linux/amd64",
        }),
        "/api" => json!({"kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "localhost"}]}),
        "/apis" => {
            let version = json!({"groupVersion": "apps/v1", "version": "v1"});
            json!({"kind": "APIGroupList", "apiVersion": "v1",
                "groups": [{"name": "apps", "versions": [version], "preferredVersion": version}]})
        }
        "/api/v1" => resources("v1"),
        "/apis/apps/v1" => resources("apps/v1"),
        _ => return None,
    })
}

fn resources(group: &str) -> Value {
    let those = RESOURCES.iter().filter(|it| it.2 == group).map(|(name, kind, _, namespaced)| {
        let short: &[&str] = match *name {
            "pods" => &["po"],
            "namespaces" => &["ns"],
            "nodes" => &["no"],
            "replicasets" => &["rs"],
            _ => &[],
        };
        json!({"name": name, "singularName": kind.to_lowercase(), "namespaced": namespaced,
               "kind": kind, "verbs": ["get", "list", "watch"], "shortNames": short})
    });
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group,
           "resources": those.collect::<Vec<_>>()})
}
