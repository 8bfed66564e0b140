//! Things as rows, as `kubectl get` shows them.

use serde_json::{Value, json};

/// Columns and rows of some things.
pub(super) fn of(resource: &str, objects: &[&Value], version: &str) -> Value {
    let columns: &[(&str, &str, u32)] = match resource {
        "pods" => &[
            ("Name", "string", 0),
            ("Ready", "string", 0),
            ("Status", "string", 0),
            ("Restarts", "string", 0),
            ("Age", "string", 0),
            ("Node", "string", 1),
        ],
        "namespaces" | "nodes" => {
            &[("Name", "string", 0), ("Status", "string", 0), ("Age", "string", 0)]
        }
        _ => &[("Name", "string", 0), ("Age", "string", 0)],
    };
    let definitions: Vec<Value> = columns
        .iter()
        .map(|(name, kind, priority)| {
            json!({"name": name, "type": kind, "format": if *name == "Name" { "name" } else { "" },
                   "description": "", "priority": priority})
        })
        .collect();
    let rows: Vec<Value> = objects.iter().map(|it| row(resource, it)).collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version},
           "columnDefinitions": definitions, "rows": rows})
}

fn row(resource: &str, object: &Value) -> Value {
    let name = object["metadata"]["name"].clone();
    let phase = object["status"]["phase"].as_str().unwrap_or("Active").to_owned();
    let cells = match resource {
        "pods" => {
            let statuses = object["status"]["containerStatuses"].as_array();
            let statuses = statuses.map(Vec::as_slice).unwrap_or_default();
            let ready = statuses.iter().filter(|it| it["state"].get("running").is_some()).count();
            let restarts: i64 = statuses.iter().filter_map(|it| it["restartCount"].as_i64()).sum();
            let waits = statuses.iter().find_map(|it| it["state"]["waiting"]["reason"].as_str());
            let ready = format!("{ready}/{}", statuses.len());
            let node = object["spec"]["nodeName"].as_str().unwrap_or("<none>");
            json!([name, ready, waits.unwrap_or(&phase), restarts.to_string(), "1d", node])
        }
        "namespaces" => json!([name, phase, "1d"]),
        "nodes" => json!([name, "Ready", "1d"]),
        _ => json!([name, "1d"]),
    };
    json!({"cells": cells, "object": {"kind": "PartialObjectMetadata",
           "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]}})
}
