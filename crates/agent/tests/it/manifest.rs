//! What is deployed into clusters: the agent asks for what its `ClusterRole` grants, and for no more.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::{FakeCluster, Right};

use crate::cluster::{mapping, runs, telling};
use crate::fleet::{add_namespace, add_node, container, digest, pod};
use crate::server::Server;

const MANIFEST: &str = include_str!("../../../../deploy/kubernetes/agent.yaml");

fn documents() -> Vec<Value> {
    MANIFEST.split("\n---\n").map(|it| serde_saphyr::from_str(it).unwrap()).collect()
}

fn of_kind(kind: &str) -> Value {
    documents().into_iter().find(|it| it["kind"] == kind).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
}

/// What the `ClusterRole` lets the agent do.
fn granted() -> BTreeSet<Right> {
    let role = of_kind("ClusterRole");
    let mut rights = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        assert_eq!(texts(&rule["apiGroups"]), [""]);
        for resource in texts(&rule["resources"]) {
            for verb in texts(&rule["verbs"]) {
                rights.insert((verb.to_owned(), resource.to_owned()));
            }
        }
    }
    rights
}

#[tokio::test]
async fn it_asks_for_what_it_is_granted() {
    let granted = granted();
    let cluster = FakeCluster::start();
    let rights: Vec<(&str, &str)> =
        granted.iter().map(|(verb, what)| (verb.as_str(), what.as_str())).collect();
    cluster.allow(&rights);
    add_node(&cluster, "n1", "amd64");
    add_namespace(&cluster, "shop", Some("production"));
    cluster.apply("pods", pod("shop", "web", 1, "n1", &[("acme/web:v1", digest(1))]));
    let server = Server::new();
    let all = mapping(&[], Some("foretop.dev/environment"), None);
    telling(&cluster, all, &server, async |heard| {
        let web = |number| {
            container("shop", "web", 0, "acme/web:v1", &digest(number), Some("linux/amd64"))
        };
        server.until_runs("eu1", &runs(&[("production", web(1))])).await;
        // Begin anew, so that all of it is asked for: parts, watches, lists.
        cluster.compact();
        cluster.end_watches();
        cluster.apply("pods", pod("shop", "web", 1, "n1", &[("acme/web:v1", digest(2))]));
        server.until_runs("eu1", &runs(&[("production", web(2))])).await;
        assert!(!heard.said().join("\n").contains("not allowed"), "{:?}", heard.said());
    })
    .await;
    // All of what is granted is needed, and nothing else is.
    assert_eq!(cluster.asked(), granted);
}

#[test]
fn it_may_do_nothing_else() {
    let deployment = of_kind("Deployment");
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    let container = &pod["containers"][0];
    let security = &container["securityContext"];
    assert_eq!(security["readOnlyRootFilesystem"], true);
    assert_eq!(security["allowPrivilegeEscalation"], false);
    assert_eq!(texts(&security["capabilities"]["drop"]), ["ALL"]);
    let binding = of_kind("ClusterRoleBinding");
    assert_eq!(binding["roleRef"]["name"], of_kind("ClusterRole")["metadata"]["name"]);
    assert_eq!(binding["subjects"][0]["name"], pod["serviceAccountName"]);
    let (verbs, _): (BTreeSet<_>, BTreeSet<_>) = granted().into_iter().unzip();
    assert_eq!(verbs, BTreeSet::from(["list".to_owned(), "watch".to_owned()]));
}

/// The chart has the same rights in its own words.
#[test]
fn the_chart_grants_the_same() {
    const CHART: &str = include_str!("../../../../deploy/helm/foretop-agent/templates/rbac.yaml");
    let mut rights = BTreeSet::new();
    let mut resources = Vec::new();
    let words = |line: &str| -> Vec<String> {
        let list = line.split_once('[').and_then(|it| it.1.split_once(']')).unwrap().0;
        list.split(',').map(|it| it.trim().to_owned()).collect()
    };
    for line in CHART.lines().map(str::trim) {
        if line.starts_with("resources:") {
            resources = words(line);
        } else if line.starts_with("verbs:") {
            for verb in words(line) {
                rights.extend(resources.iter().map(|it| (verb.clone(), it.clone())));
            }
        }
    }
    // What is for those alone who allow it stands in a block of its own.
    let allowed = ("get".to_owned(), "secrets".to_owned());
    let block = CHART.split_once("{{- if .Values.pullSecrets }}").unwrap().1;
    let block = block.split_once("{{- end }}").unwrap().0;
    assert!(block.contains("resources: [secrets]") && rights.remove(&allowed));
    assert_eq!(CHART.matches("secrets]").count(), 1);
    assert!(
        include_str!("../../../../deploy/helm/foretop-agent/values.yaml")
            .contains("\npullSecrets: false\n")
    );
    assert_eq!(rights, granted());
}
