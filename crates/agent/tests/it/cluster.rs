//! A cluster that is followed: what is told of it, and how it is reached.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use agent::health::Health;
use agent::kubernetes::{Access, Inside, Kubernetes, Patience};
use agent::{Container, Mapping, Pace, Reporter};
use serde_json::json;
use testkit::FakeCluster;

use crate::fleet::{add_namespace, add_node, container, digest, pod};
use crate::server::{Running, Server};
use crate::voice::Heard;

/// Everything as fast as a test wants it.
pub(crate) const PACE: Pace = Pace {
    every: Duration::from_millis(100),
    quiet: Duration::from_millis(5),
    longest: Duration::from_millis(50),
    apart: Duration::from_millis(5),
    answer: Duration::from_secs(2),
    again: Duration::from_millis(10),
    breath: Duration::from_millis(20),
};

/// Parts of three things.
pub(crate) const PATIENCE: Patience = Patience {
    watch: 30,
    answer: Duration::from_secs(2),
    again: Duration::from_millis(10),
    anew: Duration::from_hours(1),
    page: 3,
    most: None,
};

pub(crate) fn mapping(rules: &[&str], label: Option<&str>, rest: Option<&str>) -> Mapping {
    let rules: Vec<String> = rules.iter().map(|it| (*it).to_owned()).collect();
    Mapping::new(&rules, label, rest).unwrap()
}

pub(crate) async fn open(
    cluster: &FakeCluster,
    mapping: Mapping,
    patience: Patience,
) -> Result<Kubernetes, agent::Trouble> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    fs_err::write(&path, cluster.kubeconfig("here", "secret-token")).unwrap();
    let access = Access { kubeconfig: vec![path], context: None, inside: None };
    Kubernetes::open(&access, mapping, patience).await
}

pub(crate) fn reporter<'a>(
    name: &'a str,
    server: &'a Server,
    voice: &'a Heard,
    health: &'a Health,
) -> Reporter<'a> {
    let agent = "agent-1";
    Reporter { door: server, name, agent, pace: PACE, create: false, voice, health }
}

/// Does `test` while somebody tells `server` what runs in `cluster`.
pub(crate) async fn telling(
    cluster: &FakeCluster,
    mapping: Mapping,
    server: &Server,
    test: impl AsyncFnOnce(&Heard),
) {
    let kubernetes = open(cluster, mapping, PATIENCE).await.unwrap();
    let (heard, health) = (Heard::default(), Health::default());
    let reporter = reporter("eu1", server, &heard, &health);
    tokio::select! {
        () = reporter.run(&kubernetes) => panic!("it goes on for ever"),
        () = test(&heard) => {}
    }
}

pub(crate) fn runs(all: &[(&str, Container)]) -> Running {
    let mut running: BTreeMap<String, BTreeSet<Container>> = BTreeMap::new();
    for (environment, container) in all {
        running.entry((*environment).to_owned()).or_default().insert(container.clone());
    }
    running
}

#[tokio::test]
async fn tells_what_runs_where() {
    let cluster = FakeCluster::start_tls();
    cluster.want_token("secret-token");
    add_node(&cluster, "n1", "arm64");
    add_namespace(&cluster, "shop", None);
    add_namespace(&cluster, "labelled", Some("staging"));
    let id = |number| format!("acme.example/web@{}", digest(number));
    let put = |namespace: &str, number| {
        let images = [("acme.example/web:v1", id(1)), ("busybox", digest(2))];
        cluster.apply("pods", pod(namespace, "web", number, "n1", &images));
    };
    // Four replicas, so that the list has two parts.
    (1..=4).for_each(|number| put("shop", number));
    put("labelled", 1);
    put("other", 1);
    put("kube-system", 1);
    let server = Server::new();
    let mapping = mapping(&["shop=production"], Some("foretop.dev/environment"), None);
    let arm = Some("linux/arm64");
    let both = |environment, namespace| {
        let one = container(namespace, "web", 0, "acme.example/web:v1", &digest(1), arm);
        let two = container(namespace, "web", 1, "busybox", &digest(2), arm);
        [(environment, one), (environment, two)]
    };
    let shop = both("production", "shop");
    let all = [shop.clone(), both("staging", "labelled")].concat();
    telling(&cluster, mapping, &server, async |heard| {
        server.until_runs("eu1", &runs(&all)).await;
        let snapshot = server.snapshot("eu1").unwrap();
        assert_eq!((snapshot.kind.as_str(), snapshot.agent.as_str()), ("kubernetes", "agent-1"));
        assert_eq!(snapshot.gaps, [] as [&str; 0]);
        assert_eq!(
            heard.said(),
            [
                "eu1: 2 containers in production, 2 containers in staging; 0 began, 0 ended",
                "left out, for no environment is theirs: other (2 containers)"
            ]
        );
        // A label is taken away: what ran there runs nowhere that is known.
        add_namespace(&cluster, "labelled", None);
        server.until_runs("eu1", &runs(&shop)).await;
        // One replica of four is no change, the last one is.
        let before = server.snapshots();
        for number in 1..=3 {
            cluster.delete("pods", "shop", &format!("web-5f7b9-{number}"));
        }
        let beats = server.beats();
        server.until("a few heartbeats", |it| it.beats() > beats + 2).await;
        assert_eq!(server.snapshots(), before);
        cluster.delete("pods", "shop", "web-5f7b9-4");
        server.until_runs("eu1", &runs(&[])).await;
        assert!(cluster.bookmarks() > 0);
    })
    .await;
    let asked: Vec<_> = cluster.asked().into_iter().collect();
    assert_eq!(asked.len(), 6, "{asked:?}");
}

#[tokio::test]
async fn nothing_is_told_before_all_is_seen() {
    let cluster = FakeCluster::start();
    for number in 1..=7 {
        let images = [("acme/web:v1", digest(number))];
        cluster.apply("pods", pod("shop", &format!("web{number}"), 1, "n1", &images));
    }
    add_node(&cluster, "n1", "amd64");
    // The second part of the list never comes, twice.
    for _ in 0..2 {
        cluster.upset("list", "pods", testkit::Upset::Twice);
        cluster.upset("list", "pods", testkit::Upset::Cut);
    }
    let server = Server::new();
    telling(&cluster, mapping(&[], None, Some("production")), &server, async |heard| {
        server.until("all of it", |it| it.snapshots() > 0).await;
        let first = server.running("eu1").unwrap();
        assert_eq!(first["production"].len(), 7);
        let said = heard.said();
        assert!(said[0].starts_with("! list pods: "), "{said:?}");
    })
    .await;
    assert_eq!((server.snapshots(), cluster.planned()), (1, 0));
}

#[tokio::test]
async fn without_nodes_the_platform_is_not_told() {
    let cluster = FakeCluster::start();
    cluster.allow(&[("list", "pods"), ("watch", "pods")]);
    cluster.apply("pods", pod("shop", "web", 1, "n1", &[("acme/web:v1", digest(1))]));
    let server = Server::new();
    telling(&cluster, mapping(&[], None, Some("production")), &server, async |heard| {
        let web = container("shop", "web", 0, "acme/web:v1", &digest(1), None);
        server.until_runs("eu1", &runs(&[("production", web)])).await;
        let said = heard.said().join("\n");
        assert!(said.contains("! list nodes: it is not allowed to list nodes: "), "{said}");
        assert!(said.contains("hint: grant it in a ClusterRole: "), "{said}");
    })
    .await;
}

#[tokio::test]
async fn who_may_not_look_says_which_right_is_missing() {
    let cluster = FakeCluster::start();
    cluster.allow(&[("list", "nodes"), ("watch", "nodes")]);
    let server = Server::new();
    let kubernetes = open(&cluster, mapping(&[], None, Some("e")), PATIENCE).await.unwrap();
    let (heard, health) = (Heard::default(), Health::default());
    let reporter = reporter("eu1", &server, &heard, &health);
    let trouble = reporter.once(&kubernetes, Duration::from_secs(20)).await.unwrap_err();
    assert_eq!(
        format!("{trouble}\n{}", trouble.hint.as_deref().unwrap()),
        "list pods: it is not allowed to list pods: pods is forbidden: User \"tester\" cannot list \
         resource \"pods\" in API group \"\" at the cluster scope\n\
         grant it in a ClusterRole: apiGroups [\"\"], resources [\"pods\"], verbs [\"list\", \
         \"watch\"]; deploy/kubernetes/agent.yaml has one"
    );
    cluster.want_token("another");
    let kubernetes = open(&cluster, mapping(&[], None, Some("e")), PATIENCE).await.unwrap();
    let trouble = reporter.once(&kubernetes, Duration::from_secs(20)).await.unwrap_err();
    assert_eq!(trouble.to_string(), "list pods: the cluster does not know who asks");
    assert_eq!((server.snapshots(), heard.said().len()), (0, 0));
}

#[tokio::test]
async fn once_is_once() {
    let cluster = FakeCluster::start();
    add_node(&cluster, "n1", "amd64");
    cluster.apply("pods", pod("shop", "web", 1, "n1", &[("acme/web:v1", digest(1))]));
    let server = Server::new();
    let kubernetes = open(&cluster, mapping(&[], None, Some("e")), PATIENCE).await.unwrap();
    let (heard, health) = (Heard::default(), Health::default());
    let reporter = reporter("eu1", &server, &heard, &health);
    reporter.once(&kubernetes, Duration::from_secs(20)).await.unwrap();
    let web = container("shop", "web", 0, "acme/web:v1", &digest(1), Some("linux/amd64"));
    assert_eq!(server.running("eu1"), Some(runs(&[("e", web)])));
    assert_eq!(heard.said(), ["eu1: 1 container in e; 0 began, 0 ended"]);
}

#[tokio::test]
async fn several_clusters_and_several_agents() {
    let (one, two) = (FakeCluster::start(), FakeCluster::start());
    for (cluster, number) in [(&one, 1), (&two, 2)] {
        add_node(cluster, "n1", "amd64");
        cluster.apply("pods", pod("shop", "web", 1, "n1", &[("acme/web:v1", digest(number))]));
    }
    let server = Server::new();
    let whole = || mapping(&[], None, Some("production"));
    let first = open(&one, whole(), PATIENCE).await.unwrap();
    let second = open(&two, whole(), PATIENCE).await.unwrap();
    let again = open(&one, whole(), PATIENCE).await.unwrap();
    let (heard, health) = (Heard::default(), Health::default());
    let told = reporter("one", &server, &heard, &health);
    let others = reporter("two", &server, &heard, &health);
    // Somebody else tells of the first cluster as well.
    let twin = Reporter { agent: "agent-2", ..reporter("one", &server, &heard, &health) };
    let web = |number| {
        let web = container("shop", "web", 0, "acme/web:v1", &digest(number), Some("linux/amd64"));
        runs(&[("production", web)])
    };
    let test = async {
        server.until_runs("one", &web(1)).await;
        server.until_runs("two", &web(2)).await;
        server.until("both of them", |it| it.agents() == 2).await;
        one.apply("pods", pod("shop", "web", 1, "n1", &[("acme/web:v1", digest(3))]));
        server.until_runs("one", &web(3)).await;
        // They set each other right, and agree.
        let before = server.beats();
        server.until("heartbeats of both", |it| it.beats() > before + 10).await;
        assert_eq!(server.running("one"), Some(web(3)));
        assert_eq!(server.running("two"), Some(web(2)));
    };
    tokio::select! {
        () = told.run(&first) => {}
        () = others.run(&second) => {}
        () = twin.run(&again) => {}
        () = test => {}
    }
}

/// As a pod reaches its cluster: by the files of its service account, over TLS. The token is replaced, as
/// kubelets do it, and the former one is not taken any more.
#[tokio::test]
async fn from_inside_by_a_service_account() {
    let cluster = FakeCluster::start_tls();
    cluster.want_token("first-token");
    add_node(&cluster, "n1", "amd64");
    let put = |number| {
        cluster.apply("pods", pod("shop", "web", 1, "n1", &[("acme/web:v1", digest(number))]));
        let platform = Some("linux/amd64");
        runs(&[("e", container("shop", "web", 0, "acme/web:v1", &digest(number), platform))])
    };
    let folder = tempfile::tempdir().unwrap();
    let inside = Inside { server: cluster.url(), folder: folder.path().to_owned() };
    let access = Access { inside: Some(inside), ..Access::default() };
    let all = || mapping(&[], None, Some("e"));
    let trouble = Kubernetes::open(&access, all(), PATIENCE).await.err().unwrap();
    let shown = trouble.to_string().replace(folder.path().to_str().unwrap(), "DIR");
    assert_eq!(shown, "the service account of this pod: DIR/ca.crt: there is none");
    fs_err::write(folder.path().join("ca.crt"), FakeCluster::authority()).unwrap();
    let token = folder.path().join("token");
    fs_err::write(&token, "first-token").unwrap();
    let expect = put(1);
    let server = Server::new();
    let kubernetes = Kubernetes::open(&access, all(), PATIENCE).await.unwrap();
    let (heard, health) = (Heard::default(), Health::default());
    let telling = reporter("eu1", &server, &heard, &health);
    let test = async {
        server.until_runs("eu1", &expect).await;
        fs_err::write(&token, "second-token").unwrap();
        cluster.want_token("second-token");
        cluster.end_watches();
        while health.trouble().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let why = health.trouble().unwrap();
        assert!(why.contains("the cluster does not know who asks"), "{why}");
        // The file is read again within a minute.
        let expect = put(2);
        server.until_runs("eu1", &expect).await;
    };
    tokio::select! {
        () = telling.run(&kubernetes) => panic!("it goes on for ever"),
        () = test => {}
    }
    let said = heard.said().join("\n");
    assert!(!said.contains("first-token") && !said.contains("second-token"), "{said}");
}

/// The same where there is a proxy for what is outside: nobody stands between a pod and its cluster.
#[test]
fn from_inside_through_no_proxy() {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "cluster::from_inside_by_a_service_account"]);
    for name in ["HTTPS_PROXY", "https_proxy"] {
        again.env(name, "http://127.0.0.1:9");
    }
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Clusters that somebody calls by one name, reached in the same way: they are told apart all the same.
#[tokio::test]
async fn clusters_are_told_apart() {
    let (one, two) = (FakeCluster::start_tls(), FakeCluster::start());
    let which = async |cluster: &FakeCluster| {
        let opened = open(cluster, mapping(&[], None, Some("e")), PATIENCE).await.unwrap();
        opened.which().to_owned()
    };
    assert_eq!(which(&one).await, which(&one).await);
    assert_ne!(which(&one).await, which(&two).await);
}

#[tokio::test]
async fn kubeconfigs_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let check = async |text: Option<&str>, context: Option<&str>, expect: &str| {
        if let Some(text) = text {
            fs_err::write(&path, text).unwrap();
        }
        let context = context.map(str::to_owned);
        let access = Access { kubeconfig: vec![path.clone()], context, inside: None };
        let all = mapping(&[], None, Some("e"));
        let trouble = Kubernetes::open(&access, all, PATIENCE).await.err().expect(expect);
        let shown = trouble.to_string().replace(folder.path().to_str().unwrap(), "DIR");
        assert!(shown.contains(expect), "{shown}");
        assert!(trouble.lasting && trouble.hint.is_some());
    };
    check(None, None, "kubeconfig DIR/config: ").await;
    check(Some("clusters: 7"), None, "kubeconfig DIR/config: ").await;
    let cluster = FakeCluster::start();
    let text = cluster.kubeconfig("here", "x");
    check(Some(&text), Some("elsewhere"), "elsewhere").await;
    let none = Access { kubeconfig: vec![PathBuf::new()], ..Access::default() };
    assert!(Kubernetes::open(&none, Mapping::default(), PATIENCE).await.is_err());
}

/// What the stand-in tells, in the words of the real client: whoever is not believed by `kubectl` is
/// no faithful stand-in.
#[tokio::test]
async fn kubectl_believes_the_stand_in() {
    if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
        println!("left out: kubectl is missing");
        return;
    }
    let cluster = FakeCluster::start_tls();
    add_node(&cluster, "n1", "amd64");
    add_namespace(&cluster, "shop", Some("production"));
    for number in 1..=3 {
        cluster.apply("pods", pod("shop", "web", number, "n1", &[("acme/web:v1", digest(1))]));
    }
    cluster.apply("replicasets", json!({"metadata": {"name": "web-5f7b9", "namespace": "shop"}}));
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config");
    fs_err::write(&config, cluster.kubeconfig("here", "secret-token")).unwrap();
    let kubectl = |line: &str| {
        let mut command = Command::new("kubectl");
        command.args(line.split_whitespace()).env("HOME", home.path()).env("KUBECONFIG", &config);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let pods = kubectl("get pods -A");
    assert!(pods.lines().next().unwrap().starts_with("NAMESPACE"), "{pods}");
    assert_eq!(pods.lines().count(), 4, "{pods}");
    assert!(kubectl("get pods -A -o wide --chunk-size 2").contains("NODE"));
    assert!(kubectl("get ns").contains("Active"));
    assert!(kubectl("get nodes,rs -A").contains("web-5f7b9"));
    let one = kubectl("get pod -n shop web-5f7b9-2 -o json");
    let one: serde_json::Value = serde_json::from_str(&one).unwrap();
    let id = one["status"]["containerStatuses"][0]["imageID"].as_str();
    assert_eq!(id, Some(digest(1).as_str()));
    // It reads the parts of a list, and says the same as it says in one.
    let names = "get pods -A -o name";
    assert_eq!(kubectl(names), kubectl(&format!("{names} --chunk-size 1")));
    // It watches until it saw what it waited for.
    let watch = std::thread::scope(|scope| {
        let watching =
            scope.spawn(|| kubectl("wait -n shop pod/web-5f7b9-1 --for=delete --timeout=50s"));
        while !cluster.asked().contains(&("watch".to_owned(), "pods".to_owned())) {
            std::thread::yield_now();
        }
        cluster.delete("pods", "shop", "web-5f7b9-1");
        watching.join().unwrap()
    });
    assert!(watch.contains("condition met"), "{watch}");
    cluster.allow(&[]);
    let mut refused = Command::new("kubectl");
    refused.args(["get", "pods", "-A"]).env("HOME", home.path()).env("KUBECONFIG", &config);
    let said = refused.output().unwrap();
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.starts_with("Error from server (Forbidden): pods is forbidden"), "{said}");
}
