//! Kubernetes manifests: which images the workloads in them run.

use std::path::Path;

use serde_json::Value;

use super::record::Wanted;
use super::yaml;
use crate::Context;
use crate::failure::Failure;

/// Where a pod is described, by how much stands before it.
const PODS: [&str; 3] = ["/spec/jobTemplate/spec/template/spec", "/spec/template/spec", "/spec"];
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// The image of each container of each workload in the file.
pub(super) fn read(path: &Path, context: &Context) -> anyhow::Result<Vec<Wanted>> {
    let (wanted, remarks) = images(yaml::read(path)?);
    for remark in remarks {
        context.messages.warn(&remark);
    }
    if wanted.is_empty() {
        return Err(Failure::error(
            format!("{}: there is no workload with an image in it", path.display()),
            "pods, deployments, stateful and daemon sets, jobs and lists of them are looked at",
        ));
    }
    Ok(wanted)
}

/// The images, and what is worth a remark.
fn images(documents: Vec<Value>) -> (Vec<Wanted>, Vec<String>) {
    let (mut wanted, mut remarks) = (Vec::new(), Vec::new());
    let mut waiting = documents;
    waiting.reverse();
    while let Some(mut object) = waiting.pop() {
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(Value::Array(items)) = object.get_mut("items").map(Value::take)
            && kind.ends_with("List")
        {
            waiting.extend(items.into_iter().rev());
            continue;
        }
        let pod = PODS.iter().filter_map(|it| object.pointer(it));
        let Some(pod) = pod.into_iter().find(|it| it.get("containers").is_some()) else { continue };
        let name =
            |at: &str| object.pointer(at).and_then(Value::as_str).filter(|it| !it.is_empty());
        let named = name("/metadata/name").or_else(|| name("/metadata/generateName"));
        let mut workload = format!("{}/{}", kind.to_lowercase(), named.unwrap_or("unnamed"));
        if let Some(namespace) = name("/metadata/namespace") {
            workload = format!("{namespace}/{workload}");
        }
        for group in CONTAINERS {
            let containers = pod.get(group).and_then(Value::as_array);
            for container in containers.into_iter().flatten() {
                let text = |key| container.get(key).and_then(Value::as_str);
                let at = format!("{workload}/{}", text("name").unwrap_or("unnamed"));
                match text("image").filter(|it| !it.is_empty()) {
                    Some(image) => wanted.push(Wanted {
                        application: Some(at.clone()),
                        image: image.to_owned(),
                        platform: None,
                        at,
                    }),
                    None => remarks.push(format!("{at} names no image, and is left out")),
                }
            }
        }
    }
    (wanted, remarks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let (wanted, remarks) = images(yaml::parse(text.as_bytes()).unwrap());
        let line = |it: Wanted| format!("{} {}", it.application.unwrap(), it.image);
        let lines: Vec<String> = wanted.into_iter().map(line).chain(remarks).collect();
        assert_eq!(lines, expect);
    }

    #[test]
    fn each_kind_of_workload() {
        let text = r#"
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: shop}
spec: {containers: [{name: app, image: "acme/web:v1"}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: two}
spec:
  template:
    spec:
      initContainers: [{name: first, image: busybox}]
      containers: [{name: app, image: "acme/api@sha256:1"}, {name: none}]
---
# nothing
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: three}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: acme/job}]}}}}}
---
kind: Service
metadata: {name: two}
spec: {ports: [{port: 80}]}
---
kind: List
items:
- {kind: DaemonSet, metadata: {name: four}, spec: {template: {spec: {containers: [{name: c, image: acme/log}]}}}}
- {kind: Rollout, metadata: {name: five}, spec: {template: {spec: {containers: [{name: c, image: acme/new}]}}}}
"#;
        check(
            text,
            &[
                "shop/pod/one/app acme/web:v1",
                "deployment/two/first busybox",
                "deployment/two/app acme/api@sha256:1",
                "cronjob/three/c acme/job",
                "daemonset/four/c acme/log",
                "rollout/five/c acme/new",
                "deployment/two/none names no image, and is left out",
            ],
        );
    }

    #[test]
    fn what_makes_no_sense() {
        for text in ["", "1", "[]", "kind: List\nitems: 1", "kind: Pod\nspec: {containers: 1}"] {
            check(text, &[]);
        }
        let text = "kind: Pod\nspec: {containers: [1, {image: 2}]}";
        let nothing = "pod/unnamed/unnamed names no image, and is left out";
        check(text, &[nothing, nothing]);
    }
}
