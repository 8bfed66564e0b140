//! A pod: which of its containers run, and by which images.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::owner::owner;
use super::running::{Running, pinned, running};

/// What counts of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pod {
    pub(super) namespace: String,
    /// Where it runs.
    pub(super) node: Option<String>,
    /// The kind and the name of what it belongs to.
    pub(super) owner: (String, String),
    /// Its containers that run, by name.
    pub(super) running: Vec<(String, Running)>,
    /// The secrets of its namespace by which its images are pulled, by name.
    pub(super) pull_secrets: Vec<String>,
    /// What runs and cannot be told.
    pub(super) gaps: Vec<String>,
    /// What is of no consequence for the rest, and worth a line.
    pub(super) asides: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    #[serde(deserialize_with = "or_nothing")]
    spec: Spec,
    #[serde(deserialize_with = "or_nothing")]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    node_name: Option<String>,
    restart_policy: Option<String>,
    #[serde(deserialize_with = "or_nothing")]
    containers: Vec<Asked>,
    #[serde(deserialize_with = "or_nothing")]
    init_containers: Vec<Asked>,
    #[serde(deserialize_with = "or_nothing")]
    ephemeral_containers: Vec<Asked>,
    #[serde(deserialize_with = "or_nothing")]
    volumes: Vec<Volume>,
    #[serde(deserialize_with = "or_nothing")]
    image_pull_secrets: Vec<Named>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    #[serde(deserialize_with = "or_nothing")]
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    #[serde(deserialize_with = "or_nothing")]
    name: String,
    #[serde(deserialize_with = "or_nothing")]
    image: String,
    restart_policy: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Volume {
    #[serde(deserialize_with = "or_nothing")]
    name: String,
    image: Option<ImageVolume>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ImageVolume {
    #[serde(deserialize_with = "or_nothing")]
    reference: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[serde(deserialize_with = "or_nothing")]
    phase: String,
    #[serde(deserialize_with = "or_nothing")]
    container_statuses: Vec<Told>,
    #[serde(deserialize_with = "or_nothing")]
    init_container_statuses: Vec<Told>,
    #[serde(deserialize_with = "or_nothing")]
    ephemeral_container_statuses: Vec<Told>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Told {
    #[serde(deserialize_with = "or_nothing")]
    name: String,
    #[serde(deserialize_with = "or_nothing")]
    image: String,
    #[serde(rename = "imageID", deserialize_with = "or_nothing")]
    image_id: String,
    #[serde(deserialize_with = "or_nothing")]
    restart_count: i64,
    #[serde(deserialize_with = "or_nothing")]
    state: State,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct State {
    running: Option<Value>,
    terminated: Option<Terminated>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    #[serde(deserialize_with = "or_nothing")]
    exit_code: i64,
}

/// Most pull secrets of a pod that are heeded.
const SECRETS: usize = 20;

/// `null` is what is left out, here.
fn or_nothing<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// In which list a container stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Usual,
    Init,
    Ephemeral,
}

impl Pod {
    /// What counts of that pod; one that cannot be read is a gap.
    pub(super) fn of(metadata: &ObjectMeta, data: Value) -> Self {
        let namespace = metadata.namespace.clone().unwrap_or_default();
        let mut pod = Self { namespace, owner: owner(metadata), ..Self::default() };
        let what = format!("pod {}/{}", pod.namespace, metadata.name.as_deref().unwrap_or("?"));
        let document: Document = match serde_json::from_value(data) {
            Ok(document) => document,
            Err(error) => {
                pod.gaps.push(format!("{what}: cannot be read: {error}"));
                return pod;
            }
        };
        let Document { spec, status } = document;
        pod.node = spec.node_name.clone().filter(|it| !it.is_empty());
        // What is over does not run; what nobody can tell (the node is away) may run.
        if matches!(status.phase.as_str(), "Succeeded" | "Failed") {
            return pod;
        }
        let policy = spec.restart_policy.as_deref().unwrap_or("Always");
        let lists = [
            (Sort::Usual, &spec.containers, &status.container_statuses),
            (Sort::Init, &spec.init_containers, &status.init_container_statuses),
            (Sort::Ephemeral, &spec.ephemeral_containers, &status.ephemeral_container_statuses),
        ];
        for (sort, asked, told) in lists {
            for told in told {
                let asked = asked.iter().find(|it| it.name == told.name);
                let policy = asked.and_then(|it| it.restart_policy.as_deref()).unwrap_or(policy);
                if !counts(sort, policy, told) {
                    continue;
                }
                let image = asked.map_or("", |it| it.image.as_str());
                match running(&told.image_id, &told.image, image) {
                    Some(it) => pod.running.push((told.name.clone(), it)),
                    None if told.state.running.is_some() => pod.gaps.push(format!(
                        "{what}: container {} runs, and which image is not told: `{}`",
                        short(&told.name),
                        short(&told.image_id)
                    )),
                    None => {}
                }
            }
        }
        if !pod.running.is_empty() {
            pod.volumes(&what, &spec.volumes);
            let names = spec.image_pull_secrets.into_iter().map(|it| it.name);
            pod.pull_secrets = names.filter(|it| !it.is_empty()).take(SECRETS).collect();
        }
        pod
    }

    /// Images that are mounted have no status: only a digest in their name tells which they are.
    fn volumes(&mut self, what: &str, volumes: &[Volume]) {
        for volume in volumes {
            let Some(image) = &volume.image else { continue };
            match pinned(&image.reference) {
                Some(it) => self.running.push((volume.name.clone(), it)),
                None => self.asides.push(format!(
                    "{what}: volume {} is an image that is named without its digest: `{}` is not told",
                    short(&volume.name),
                    short(&image.reference)
                )),
            }
        }
    }
}

/// Does it run, or will it again in a moment?
fn counts(sort: Sort, policy: &str, told: &Told) -> bool {
    if told.state.running.is_some() {
        return true;
    }
    match &told.state.terminated {
        // Between two runs, whatever waits for the second one.
        None => told.restart_count > 0,
        Some(it) => match sort {
            // What prepares a pod is part of it, and runs again with it.
            Sort::Init => true,
            Sort::Ephemeral => false,
            Sort::Usual => match policy {
                "Never" => false,
                "OnFailure" => it.exit_code != 0,
                _ => true,
            },
        },
    }
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "what is made for a check is used up by it")]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn check(spec: Value, status: Value, expect: &str) {
        let metadata: ObjectMeta =
            serde_json::from_value(json!({"name": "p", "namespace": "n"})).unwrap();
        let pod = Pod::of(&metadata, json!({"spec": spec, "status": status, "new": {"field": 1}}));
        let running = pod.running.iter().map(|(name, it)| format!("{name}={}", it.image));
        let mut shown: Vec<String> = running.collect();
        shown.extend(pod.gaps.iter().map(|it| format!("gap: {it}")));
        shown.extend(pod.asides.iter().map(|it| format!("aside: {it}")));
        assert_eq!(shown.join("\n").replace(A, "AAA"), expect);
    }

    fn told(name: &str, state: Value, restarts: u32) -> Value {
        json!({"name": name, "state": state, "restartCount": restarts, "image": "x",
               "imageID": format!("r/x@sha256:{A}"), "allocatedResources": {}})
    }

    #[test]
    fn what_runs() {
        let spec = json!({
            "containers": [{"name": "a", "image": "web:1"}, {"name": "b", "image": "side:1"}],
            "initContainers": [{"name": "i", "image": "init:1"}, {"name": "s", "image": "car:1", "restartPolicy": "Always"}],
            "ephemeralContainers": [{"name": "e", "image": "debug:1"}],
        });
        let run = || json!({"running": {"startedAt": null}});
        let wait = || json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let end = |code: i32| json!({"terminated": {"exitCode": code}});
        let status =
            |phase: &str, a: Value, b: Value| json!({"phase": phase, "containerStatuses": [a, b]});
        check(
            spec.clone(),
            status("Running", told("a", run(), 0), told("b", wait(), 3)),
            "a=web:1\nb=side:1",
        );
        check(spec.clone(), status("Running", told("a", wait(), 0), told("b", json!({}), 0)), "");
        check(
            spec.clone(),
            status("Running", told("a", end(0), 0), told("b", end(1), 1)),
            "a=web:1\nb=side:1",
        );
        for phase in ["Succeeded", "Failed"] {
            check(spec.clone(), status(phase, told("a", run(), 0), told("b", end(0), 0)), "");
        }
        check(
            spec.clone(),
            status("Unknown", told("a", run(), 0), told("b", wait(), 0)),
            "a=web:1",
        );
        let once = |policy: &str| {
            let mut spec = spec.clone();
            spec["restartPolicy"] = policy.into();
            spec
        };
        let ended = || status("Running", told("a", end(0), 0), told("b", end(1), 1));
        check(once("OnFailure"), ended(), "b=side:1");
        check(once("Never"), ended(), "");
        let others = json!({"phase": "Pending",
            "initContainerStatuses": [told("i", end(0), 0), told("s", run(), 0)],
            "ephemeralContainerStatuses": [told("e", run(), 0)]});
        check(spec.clone(), others, "i=init:1\ns=car:1\ne=debug:1");
        let over =
            json!({"phase": "Running", "ephemeralContainerStatuses": [told("e", end(0), 0)]});
        check(spec, over, "");
    }

    #[test]
    fn what_cannot_be_told() {
        let mut odd = told("a", json!({"running": {}}), 0);
        odd["imageID"] = "weird".into();
        check(
            json!({}),
            json!({"phase": "Running", "containerStatuses": [odd]}),
            "gap: pod n/p: container a runs, and which image is not told: `weird`",
        );
        check(
            json!({"containers": "none"}),
            json!({}),
            "gap: pod n/p: cannot be read: invalid type: string \"none\", expected a sequence",
        );
        check(json!(null), json!(null), "");
        check(json!({"containers": null}), json!({"phase": null, "containerStatuses": null}), "");
    }

    #[test]
    fn volumes_that_are_images() {
        let pinned = format!("models:1@sha256:{A}");
        let spec = json!({"volumes": [
            {"name": "v", "image": {"reference": pinned, "pullPolicy": "Always"}},
            {"name": "w", "image": {"reference": "models:2"}}, {"name": "x", "emptyDir": {}}]});
        let status = json!({"phase": "Running",
            "containerStatuses": [told("a", json!({"running": {}}), 0)]});
        check(
            spec,
            status,
            "a=x\nv=models:1@sha256:AAA\naside: pod n/p: volume w is an image that is named \
             without its digest: `models:2` is not told",
        );
    }

    /// Any document, of the names that matter.
    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
            Just(Value::from(format!("r@sha256:{A}"))),
        ];
        let names = prop::sample::select(vec![
            "spec",
            "status",
            "containers",
            "containerStatuses",
            "initContainers",
            "volumes",
            "image",
            "imageID",
            "reference",
            "state",
            "running",
            "terminated",
            "exitCode",
            "restartCount",
            "phase",
            "name",
            "nodeName",
        ]);
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map(names.clone(), inner, 0..6).prop_map(|it| {
                    it.into_iter().map(|(name, it)| (name.to_owned(), it)).collect()
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_document_is_read_or_a_gap(spec in documents(), status in documents()) {
            let pod = Pod::of(&ObjectMeta::default(), json!({"spec": spec, "status": status}));
            prop_assert!(pod.gaps.iter().all(|it| it.starts_with("pod /?: ")));
        }
    }
}
