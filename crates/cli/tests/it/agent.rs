//! `foretop agent`: what a cluster and a host run, told to a real server, and to the memory of one's own.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testkit::{Answer, FakeCluster, FakeRegistry, Guard, engine};

use crate::environment;
use crate::sandbox::Sandbox;
use crate::serving::Serving;

fn digest(letter: &str) -> String {
    format!("sha256:{}", letter.repeat(64))
}

/// Puts a pod there that runs that image.
fn put(cluster: &FakeCluster, name: &str, image: &str, digest: &str) {
    cluster.apply("pods", pod(name, image, digest));
}

fn pod(name: &str, image: &str, digest: &str) -> Value {
    let container = json!({"name": "app", "image": image, "restartCount": 0,
        "imageID": format!("docker.io/acme/web@{digest}"), "state": {"running": {}}});
    json!({
        "metadata": {"name": format!("{name}-5f7b9-x"), "namespace": "shop",
            "labels": {"pod-template-hash": "5f7b9"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "uid": "1",
                "name": format!("{name}-5f7b9"), "controller": true}]},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": image}]},
        "status": {"phase": "Running", "containerStatuses": [container]},
    })
}

fn cluster() -> FakeCluster {
    let cluster = FakeCluster::start_tls();
    cluster.want_token("cluster-secret");
    let about = json!({"nodeInfo": {"architecture": "amd64", "operatingSystem": "linux"}});
    cluster.apply("nodes", json!({"metadata": {"name": "n1"}, "status": about}));
    cluster
}

/// An agent that ends with the test.
struct Telling {
    child: Child,
    said: Receiver<String>,
}

/// Whoever has not come that far by then never does.
const PATIENCE: Duration = Duration::from_mins(3);

impl Telling {
    fn start(sandbox: &Sandbox, line: &str) -> Self {
        let mut agent = sandbox.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        agent.arg("agent").args(line.split_whitespace());
        let mut child = agent.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (say, said) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = say.send(line);
            }
        });
        Self { child, said }
    }

    /// Its next line that has that in it.
    fn until(&mut self, words: &str) -> String {
        self.until_one(&[words])
    }

    /// Its next line that has one of these in it.
    fn until_one(&mut self, words: &[&str]) -> String {
        let (begun, mut said) = (Instant::now(), String::new());
        loop {
            let line = self.said.recv_timeout(PATIENCE.saturating_sub(begun.elapsed()));
            let line = line.unwrap_or_else(|why| panic!("no {words:?}: {why}: {said}"));
            if words.iter().any(|it| line.contains(it)) {
                return line.trim().to_owned();
            }
            let _ = writeln!(said, "{line}");
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the server has as running, as `application digest`.
fn running(home: &Sandbox, environment: &str) -> Vec<String> {
    let output = home.output(&format!("env {environment} --format json"));
    assert!(output.status.success(), "{}", home.shown(&output));
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let mut shown: Vec<String> = all
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap_or("-").to_owned();
            format!(
                "{}:{} {} {}",
                text("repository"),
                text("tag"),
                text("digest"),
                text("platform")
            )
        })
        .collect();
    shown.sort();
    shown
}

/// The status of `GET path`, and what is answered.
fn asked(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap_or_default();
    format!("{status} {}", answer.rsplit("\r\n\r\n").next().unwrap_or_default().trim())
}

/// Waits until that is so: who is told of it over one way may ask over another before it is there.
#[track_caller]
fn waited<T: PartialEq + std::fmt::Debug>(expect: &T, now: impl Fn() -> T) {
    let begun = Instant::now();
    loop {
        let found = now();
        if found == *expect {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{found:?} is not {expect:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_cluster_at_a_server() {
    let cluster = cluster();
    put(&cluster, "web", "acme/web:v1", &digest("a"));
    let house = Sandbox::new();
    let home = Sandbox::new();
    let serving = Serving::start(&house, "");
    let token = serving.settled(&home, "agent --org main --scope admin");
    let place = Sandbox::new().with("FORETOP_SERVER", &serving.root);
    let file = place.file("token", format!("{token}\n"));
    let config = place.file("kubeconfig", cluster.kubeconfig("here", "cluster-secret"));
    let place = place
        .with("FORETOP_TOKEN_FILE", file.to_str().unwrap())
        .with("KUBECONFIG", config.to_str().unwrap());
    let line = "kubernetes --cluster eu1 --map shop=production --create-environments --every 1 \
                --listen 127.0.0.1:0";
    let mut telling = Telling::start(&place, line);
    let health = telling.until("health: ");
    let address = health.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    telling.until("eu1: 1 container in production; 1 began, 0 ended");
    assert_eq!(asked(&address, "/healthz"), "200 ok");
    waited(&"200 ok".to_owned(), || asked(&address, "/readyz"));
    let one = |letter: &str, tag: &str| format!("acme/web:{tag} {} linux/amd64", digest(letter));
    let shown = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().map(|it| it.replace("docker.io/", "")).collect()
    };
    assert_eq!(shown(running(&home, "production")), [one("a", "v1")]);
    put(&cluster, "web", "acme/web:v2", &digest("b"));
    telling.until("eu1: 1 container in production; ");
    waited(&vec![one("b", "v2")], || shown(running(&home, "production")));
    cluster.delete("pods", "shop", "web-5f7b9-x");
    telling.until("eu1: nothing runs; ");
    assert_eq!(running(&home, "production"), [] as [&str; 0]);
    // Who manages services ends it, and that is as it should be.
    let id = telling.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(telling.child.wait().unwrap().success());
    // Whoever looks from there once more and maps it so is taken for the same.
    put(&cluster, "web", "acme/web:v3", &digest("c"));
    let once = "agent kubernetes --cluster eu1 --map shop=production --once";
    let said = place.foretop(once);
    assert!(said.starts_with("exit 0"), "{said}");
    assert!(said.contains("eu1: 1 container in production; 1 began, 0 ended"), "{said}");
    // Nothing is said of who is who.
    assert!(!said.contains("secret") && !said.contains(&token), "{said}");
}

#[test]
fn a_cluster_in_ones_own_memory() {
    let cluster = cluster();
    put(&cluster, "web", "acme/web:v1", &digest("a"));
    let home = Sandbox::new();
    home.file("kubeconfig", cluster.kubeconfig("here", "cluster-secret"));
    let line = "agent kubernetes --cluster eu1 --environment production --kubeconfig kubeconfig \
                --once --create-environments";
    let said = home.foretop(line);
    assert!(said.starts_with("exit 0"), "{said}");
    assert_eq!(running(&home, "production").len(), 1);
    let refused = [
        ("kubernetes --cluster eu1 --once", "error: nothing is mapped to an environment"),
        ("kubernetes --cluster eu1 --map shop --once", "error: --map `shop`: there is no `=`"),
        ("kubernetes --environment e", "--cluster <NAME>"),
        (
            "kubernetes --cluster a --environment e --kubeconfig nowhere",
            "error: kubeconfig nowhere: ",
        ),
        ("kubernetes --cluster a --environment e --kubeconfig kubeconfig --context far", "far"),
        ("docker --once", "error: nothing is mapped to an environment"),
        ("docker --name h --environment e --once", "error: look at the container engine: "),
        ("docker --environment e --once --listen 127.0.0.1:0", "cannot be used with"),
    ];
    for (line, expect) in refused {
        let said = home.foretop(&format!("agent {line}"));
        assert!(said.starts_with("exit 1") && said.contains(expect), "{line}: {said}");
    }
}

/// What the server cannot pull is read where it runs, if somebody allows it.
#[test]
fn a_private_image_is_read_with_its_pull_secret() {
    let guard = Guard::Basic("puller".to_owned(), "pUlls3cret".to_owned());
    let registry = FakeRegistry::start().guarded(guard);
    let layer =
        testkit::layer().file("lib/apk/db/installed", "P:teapot\nV:1.2-r0\nA:x86_64\no:teapot\n\n");
    let digest = registry.push("acme/web", "v1", &testkit::image().layer(layer));
    let image = format!("{}/acme/web:v1", registry.host());
    let cluster = cluster();
    let mut web = pod("web", &image, &digest);
    web["spec"]["imagePullSecrets"] = json!([{"name": "gone"}, {"name": "registry"}]);
    cluster.apply("pods", web);
    let login = json!({"username": "puller", "password": "pUlls3cret"});
    let keys = json!({"auths": {"elsewhere.example": {}, registry.host(): login}}).to_string();
    let data = json!({".dockerconfigjson": STANDARD.encode(keys)});
    cluster.apply(
        "secrets",
        json!({"metadata": {"name": "registry", "namespace": "shop"}, "data": data,
            "type": "kubernetes.io/dockerconfigjson"}),
    );
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let home = Sandbox::new();
    let serving = Serving::start(&house, "--workers 1");
    let token = serving.settled(&home, "agent --org main --scope admin");
    let place = Sandbox::new();
    let config = place.file("kubeconfig", cluster.kubeconfig("here", "cluster-secret"));
    let place = place
        .with("FORETOP_SERVER", &serving.root)
        .with("FORETOP_TOKEN", &token)
        // Meant for something else, and refused there.
        .with("FORETOP_REGISTRY_USER", "nobody")
        .with("FORETOP_REGISTRY_PASSWORD", "nothing")
        .with("KUBECONFIG", config.to_str().unwrap());
    let line = "kubernetes --cluster eu1 --map shop=production --create-environments --every 1";
    let mut without = Telling::start(&place, line);
    without.until("1 container in production; 1 began");
    let pending = || home.foretop("env production --format json").contains("\"pending\": true");
    assert!(pending(), "{}", home.foretop("env production --format json"));
    drop(without);
    let secrets = |verb: &str| cluster.asked().contains(&(verb.to_owned(), "secrets".to_owned()));
    assert!(!secrets("get"), "nobody allowed it");
    let mut telling = Telling::start(&place, &format!("{line} --pull-secrets"));
    telling.until(&format!("{image}@{digest}: read here"));
    assert!(!pending(), "{}", home.foretop("env production --format json"));
    assert!(secrets("get") && !secrets("list") && !secrets("watch"));
    let told = home.foretop("events --kind image-analysed");
    assert!(told.contains("1 package"), "{told}");
    // Who may not get secrets says so, and which right it is.
    cluster.allow(&[("list", "pods"), ("watch", "pods"), ("list", "nodes"), ("watch", "nodes")]);
    let mut db = pod("db", &image.replace("v1", "v2"), &self::digest("d"));
    db["spec"]["imagePullSecrets"] = json!([{"name": "registry"}]);
    cluster.apply("pods", db);
    let zoo = image.replace("web:v1", "zoo:v1");
    cluster.apply("pods", pod("zoo", &zoo, &self::digest("e")));
    let forbidden = "get secrets: it is not allowed to get secrets";
    // That keeps nobody from what comes behind and needs none.
    let first = telling.until_one(&["zoo:v1@", forbidden]);
    assert!(first.contains("cannot be read here"), "{first}");
    telling.until(forbidden);
    telling.until("resources [\"secrets\"], verbs [\"get\"]");
}

/// What runs may be something else by now, so nothing that is known of it opens a gate.
#[test]
fn a_cluster_that_is_silent_shuts_the_gate() {
    let cluster = cluster();
    let home = environment::pushed();
    home.file("kubeconfig", cluster.kubeconfig("here", "cluster-secret"));
    home.foretop("environment staging myorg/myapp:v1.2.0");
    let known = running(&home, "staging").remove(0);
    put(&cluster, "web", "myorg/myapp:v1.2.0", known.split(' ').nth(1).unwrap());
    let report = |every: &str| {
        let said = home.foretop(&format!(
            "agent kubernetes --cluster eu1 --map shop=production --kubeconfig kubeconfig --once \
             --create-environments --every {every}"
        ));
        assert!(said.starts_with("exit 0"), "{said}");
    };
    // None of what is wrong with it is asked for.
    let gate = "cves --env production --only-cve-id CVE-1970-0001 --exit-code";
    report("3600");
    let said = home.foretop(gate);
    assert!(said.starts_with("exit 0"), "{said}");
    report("1");
    while !home.foretop("runtime list").contains("stale") {}
    let why = "runtime eu1: it was not heard of since ";
    for line in [gate, &gate.replace("--exit-code", "myorg/myapp --exit-code")] {
        let said = home.foretop(line);
        assert!(said.starts_with("exit 2") && said.contains(why), "{line}: {said}");
    }
    for form in ["json", "sarif", "markdown"] {
        let said = home.foretop(&format!("{gate} --format {form}"));
        assert!(said.matches("it was not heard of since").count() > 1, "{form}: {said}");
    }
    let said = home.foretop("compare --env staging --to-env production --exit-on vulnerability");
    assert!(said.starts_with("exit 2") && said.contains(why), "{said}");
    let said = home.foretop("compare --env staging --to-env production");
    assert!(said.starts_with("exit 0"), "{said}");
    let said = home.foretop("compare --env production --to-latest myorg/myapp");
    assert!(said.contains(why), "{said}");
}

#[test]
fn a_host() {
    let labels = json!({"com.docker.compose.project": "shop", "com.docker.compose.service": "web"});
    let id = digest("1");
    let list = json!([{"Id": "0f", "Names": ["/shop-web-1"], "Image": "acme/web:v1", "ImageID": id,
                       "Labels": labels, "State": "running"}]);
    let image = json!({"Id": id, "RepoDigests": [format!("acme/web@{}", digest("a"))],
                       "Os": "linux", "Architecture": "arm64"});
    let engine = engine()
        .answer("/containers/json?all=true", Answer::Json(200, list))
        .answer(&format!("/images/{id}/json"), Answer::Json(200, image))
        .start();
    let home = Sandbox::new();
    let line = format!(
        "agent docker --name host --host unix://{} --map shop=production --once \
         --create-environments",
        engine.socket().display()
    );
    let said = home.foretop(&line);
    assert!(said.starts_with("exit 0"), "{said}");
    let runs = running(&home, "production");
    assert_eq!(runs.len(), 1);
    assert!(runs[0].contains(&digest("a")) && runs[0].contains("linux/arm64"), "{runs:?}");
}
