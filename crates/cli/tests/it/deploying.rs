//! What lies in `deploy` for those who deploy: scripts, workflows and a job for GitLab, run in a real shell.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use testkit::{Answered, Sink};

use crate::action::{TOKEN, deploy};
use crate::pages::furnished;
use crate::place::{Memory, Place};

/// The digest that an image of the place has.
fn digest(place: &Place, image: &str) -> String {
    let name = format!("looked-up-{}", image.replace([':', '/'], "-"));
    place.foretop(&format!("env {name} {image}"));
    let (_, said) = place.shell(&format!("foretop env {name}"));
    said.trim().rsplit_once('@').unwrap().1.to_owned()
}

#[test]
fn scripts_and_workflows_are_sound() {
    let mut files = vec![deploy("action/install.sh")];
    for it in fs_err::read_dir(deploy("scripts")).unwrap() {
        files.push(it.unwrap().path());
    }
    // Steps of workflows and jobs are scripts, too.
    let folder = tempfile::tempdir().unwrap();
    for (number, script) in steps().iter().enumerate() {
        let file = folder.path().join(format!("{number}.sh"));
        fs_err::write(&file, format!("#!/bin/bash\n{script}\n")).unwrap();
        files.push(file);
    }
    assert!(files.len() > 7, "{files:?}");
    let Ok(output) = Command::new("shellcheck").args(&files).output() else {
        println!("left out: shellcheck is not installed");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn document(name: &str) -> Value {
    serde_saphyr::from_str(&fs_err::read_to_string(deploy(name)).unwrap()).unwrap()
}

/// Every script in a workflow or a job.
fn steps() -> Vec<String> {
    let mut scripts = Vec::new();
    for name in [
        "workflows/deploy.yaml",
        "workflows/scan.yaml",
        "action/action.yaml",
        "../.github/workflows/release.yaml",
    ] {
        let document = document(name);
        let jobs = document["jobs"].as_object().map(|it| it.values().cloned().collect::<Vec<_>>());
        let jobs = jobs.unwrap_or_else(|| vec![document["runs"].clone()]);
        for step in jobs.iter().flat_map(|it| it["steps"].as_array().unwrap()) {
            scripts.extend(step["run"].as_str().map(str::to_owned));
        }
    }
    for job in ["foretop-container-scanning", "foretop-compare"] {
        scripts.push(lines(&document("gitlab/foretop.gitlab-ci.yml")[job]).join("\n"));
    }
    scripts
}

fn lines(job: &Value) -> Vec<String> {
    let script = job["script"].as_array().unwrap();
    script.iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// Pods of a deployment, as Kubernetes tells them.
fn pods(image: &str, id: &str, sidecar: &str) -> Value {
    let container = |name: &str, image: &str, id: &str| json!({"name": name, "image": image, "imageID": id, "ready": true});
    let pod = |name: &str, statuses: Value| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web", "tier": "front"}},
            "spec": {"containers": []},
            "status": {"phase": "Running", "containerStatuses": statuses},
        })
    };
    let running = json!([
        container("web", image, id),
        container("proxy", "sha256:0123", &format!("docker-pullable://{sidecar}")),
    ]);
    let mut going =
        pod("web-0", json!([container("web", "myorg/myapp:old", "myorg/myapp@sha256:00")]));
    going["metadata"]["deletionTimestamp"] = json!("2026-11-22T04:00:00Z");
    json!({
        "apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "5"},
        "items": [pod("web-1", running.clone()), pod("web-2", running), going],
    })
}

/// As much of Kubernetes' API as `kubectl` asks for here.
fn cluster(pods: Arc<Mutex<Value>>) -> Sink {
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "generation": 2, "resourceVersion": "4"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web", "tier": "front"}}},
        "status": {
            "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
            "availableReplicas": 2,
        },
    });
    Sink::answering(move |hook| {
        let (path, query) = hook.path.split_once('?').unwrap_or((&hook.path, ""));
        let resource = |name: &str, kind: &str| {
            json!({
                "name": name, "singularName": "", "namespaced": true, "kind": kind,
                "verbs": ["get", "list", "watch"],
            })
        };
        let version = json!({"groupVersion": "apps/v1", "version": "v1"});
        let body = match path {
            "/api" => json!({"kind": "APIVersions", "versions": ["v1"]}),
            "/apis" => json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [
                {"name": "apps", "versions": [version], "preferredVersion": version}]}),
            "/api/v1" => json!({"kind": "APIResourceList", "groupVersion": "v1",
                "resources": [resource("pods", "Pod")]}),
            "/apis/apps/v1" => json!({"kind": "APIResourceList", "groupVersion": "apps/v1",
                "resources": [resource("deployments", "Deployment")]}),
            "/apis/apps/v1/namespaces/shop/deployments/web" => deployment.clone(),
            "/apis/apps/v1/namespaces/shop/deployments" if query.contains("watch=true") => json!({
                "type": "ADDED", "object": deployment,
            }),
            "/apis/apps/v1/namespaces/shop/deployments" => json!({
                "apiVersion": "apps/v1", "kind": "DeploymentList",
                "metadata": {"resourceVersion": "4"}, "items": [deployment],
            }),
            "/api/v1/namespaces/shop/pods" if query.contains("labelSelector=app%3Dweb%2Ctier%3Dfront") => {
                pods.lock().unwrap().clone()
            }
            _ => return Answered {
                body: br#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"not found"}"#.to_vec(),
                ..Answered::status(404)
            },
        };
        Answered { body: body.to_string().into_bytes(), ..Answered::status(200) }
    })
}

#[test]
fn what_a_cluster_runs_is_recorded() {
    let Some(place) = furnished(Memory::Alone, "myorg/") else { return };
    let (code, _) = place.shell("kubectl version --client");
    if code != 0 {
        println!("left out: kubectl is not installed");
        return;
    }
    let (web, proxy) = (digest(&place, "myorg/myapp:v1.2.0"), digest(&place, "myorg/api:v3.4.2"));
    let told = |image: &str, id: &str| pods(image, id, &format!("docker.io/myorg/api@{proxy}"));
    let running = Arc::new(Mutex::new(told(
        "docker.io/myorg/myapp:v1.2.0",
        &format!("docker.io/myorg/myapp@{web}"),
    )));
    let cluster = cluster(Arc::clone(&running));
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: it\nclusters: [{{name: it, cluster: {{server: 'http://{}'}}}}]\n\
         contexts: [{{name: it, context: {{cluster: it, user: it}}}}]\nusers: [{{name: it, user: {{}}}}]\n",
        cluster.host()
    );
    let config = place.sandbox.file("kubeconfig", config).display().to_string();
    let place = place.with("KUBECONFIG", &config);
    let script = deploy("scripts/post-deploy.sh");
    let run = |words: &[&str]| place.script(&script, words);
    let (code, said) = run(&["shop", "web", "production"]);
    assert_eq!(code, 0, "{said}");
    let (_, listed) = place.shell("foretop env production --format csv");
    let mut rows: Vec<Vec<&str>> =
        listed.lines().skip(1).map(|it| it.split(',').collect()).collect();
    rows.sort();
    let names: Vec<(&str, &str)> = rows.iter().map(|it| (it[1], it[6])).collect();
    let expect =
        [("shop/deployment/web/proxy", proxy.as_str()), ("shop/deployment/web/web", web.as_str())];
    assert_eq!(names, expect, "{listed}");
    assert!(listed.contains("docker.io/myorg/myapp,v1.2.0,"), "{listed}");
    // What nobody can tell is no deployment.
    let check = |change: Value, words: &[&str], expect: &str| {
        *running.lock().unwrap() = change;
        let (code, said) = run(words);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(expect), "{said}");
        let (_, after) = place.shell("foretop env production --format csv");
        assert_eq!(after, listed);
    };
    let usual = ["shop", "deployment/web", "production"];
    check(told("myorg/myapp:v1.2.0", "sha256"), &usual, "nobody knows by which digest web runs");
    // Nor is what stands before it, and the id of a configuration is no digest of an image.
    check(told("myorg/myapp:v1.2.0", &web), &usual, "nobody knows by which digest web runs");
    let (code, said) = run(&["shop", "web", "staging"]);
    assert_eq!(code, 1, "{said}");
    let (code, said) = place.shell("foretop env staging");
    assert!(code == 1 && said.contains("there is none"), "half of it is recorded: {said}");
    let mut two = told("myorg/myapp:v1.2.0", &format!("docker.io/myorg/myapp@{web}"));
    two["items"][1]["status"]["containerStatuses"][0]["imageID"] =
        json!("docker.io/myorg/myapp@sha256:01");
    check(two, &usual, "several images run at once as: web");
    check(
        json!({"apiVersion": "v1", "kind": "PodList", "items": []}),
        &usual,
        "no container of it runs",
    );
    let (code, said) = run(&["shop", "none", "production"]);
    assert_ne!(code, 0, "{said}");
    let (code, said) = run(&["shop", "web", ""]);
    assert!(code == 1 && said.starts_with("usage: post-deploy.sh"), "{said}");
}

const COMPOSE: &str = "name: shop
services:
  frontend:
    image: myorg/frontend:${TAG:-v2.1.0}
  api:
    image: \"myorg/api:v3.4.2\"
  worker:
    image: 'myorg/worker:v1.8.0' # the one with the queue
  helper:
    image: myorg/none:v1
    profiles: [seldom]
";

#[test]
fn what_a_compose_file_runs_is_recorded() {
    for memory in Memory::ALL {
        let Some(place) = furnished(memory, "myorg/") else { continue };
        let script = deploy("scripts/update-env-from-compose.sh");
        let furnished = place.sandbox.path("compose.yaml");
        if furnished.exists() {
            fs_err::remove_file(furnished).unwrap();
        }
        let (code, said) = place.script(&script, &["staging"]);
        assert!(code == 1 && said.contains("there is no compose file here"), "{said}");
        place.sandbox.file("compose.yaml", COMPOSE);
        for words in [&["staging"][..], &["staging", "compose.yaml"]] {
            let (code, said) = place.script(&script, words);
            assert_eq!(code, 0, "{memory:?}: {said}");
            let (_, said) = place.shell("foretop env staging --format csv");
            let rows = said.lines().skip(1).map(|it| it.split(',').nth(1).unwrap().to_owned());
            let rows: Vec<String> = rows.collect();
            assert_eq!(rows, ["shop/api", "shop/frontend", "shop/worker"], "{memory:?}: {said}");
        }
        // What cannot be told is recorded for nobody.
        let place = place.with("TAG", "never-built");
        let (code, said) = place.script(&script, &["production"]);
        assert!(code == 1 && said.contains("never-built"), "{memory:?}: {said}");
        let (code, _) = place.shell("foretop env production");
        assert_eq!(code, 1);
    }
}

/// What a runner does with a job of one of our workflows: each step, with its expressions replaced. Those
/// that use our action run `foretop action` with their inputs.
fn workflow(place: &Place, name: &str, values: &[(&str, &str)]) -> (i32, String) {
    let replace = |text: &str| {
        let known = |text: String, (name, value): &(&str, &str)| {
            text.replace(&format!("${{{{ {name} }}}}"), value)
        };
        let text = values.iter().fold(text.to_owned(), known);
        assert!(!text.contains("${{"), "{text}");
        text
    };
    let document = document(name);
    let job = document["jobs"].as_object().unwrap().values().next().unwrap().clone();
    let definition = self::document("action/action.yaml");
    let (mut said, mut failed) = (String::new(), 0);
    for step in job["steps"].as_array().unwrap() {
        let wanted = match step.get("if").and_then(Value::as_str) {
            None => failed == 0,
            Some("failure()") => failed != 0,
            Some(other) => panic!("{other}"),
        };
        if !wanted {
            continue;
        }
        let mut script = String::new();
        for variables in [&job["env"], &step["env"]] {
            for (name, value) in variables.as_object().into_iter().flatten() {
                let value = replace(value.as_str().unwrap()).replace('\'', "'\\''");
                let _ = writeln!(script, "export {name}='{value}'");
            }
        }
        match (step["uses"].as_str(), step["run"].as_str()) {
            (Some("acme/foretop/deploy/action@v1"), None) => {
                script.push_str("exec env ");
                for (name, value) in step["with"].as_object().unwrap() {
                    assert!(definition["inputs"].get(name).is_some(), "{name} is no input");
                    let value = replace(value.as_str().unwrap()).replace('\'', "'\\''");
                    let _ = write!(script, "'INPUT_{}={value}' ", name.to_uppercase());
                }
                script.push_str("foretop action\n");
            }
            (None, Some(run)) => script.push_str(run),
            other => panic!("{other:?}"),
        }
        let file = place.sandbox.file("step.sh", format!("set -eo pipefail\n{script}"));
        let (code, more) = place.script(&file, &[]);
        said += &more;
        if code != 0 && step.get("continue-on-error") != Some(&Value::Bool(true)) {
            failed = code;
        }
    }
    (failed, said)
}

#[test]
fn our_workflow_brings_out_and_records() {
    for memory in Memory::ALL {
        let Some(place) = furnished(memory, "myorg/myapp:v1.2") else { continue };
        let place = place.with("GITHUB_RUN_ID", "42").with("GITHUB_REPOSITORY", "myorg/shop");
        let run = |tag: &str| {
            workflow(
                &place,
                "workflows/deploy.yaml",
                &[
                    ("vars.IMAGE", "myorg/myapp"),
                    ("github.sha", tag),
                    ("inputs.environment", "production"),
                    // Who is asked is settled by a login here.
                    ("vars.FORETOP_SERVER", ""),
                    ("secrets.FORETOP_TOKEN", ""),
                ],
            )
        };
        let (code, said) = run("v1.2.3");
        assert_eq!(code, 0, "{memory:?}: {said}");
        assert!(said.contains("myorg/myapp:v1.2.3 goes to production\n"), "{said}");
        // The second time there is something to compare with, and it is worse.
        let (code, said) = run("v1.2.0");
        assert_eq!(code, 0, "{memory:?}: {said}");
        assert!(said.contains("3 vulnerabilities introduced"), "{memory:?}: {said}");
        let (_, said) = place.shell("foretop env production");
        assert!(said.starts_with("myorg/myapp:v1.2.0@sha256:"), "{memory:?}: {said}");
        let (_, said) = place.shell("foretop env production --history");
        assert!(said.contains("(https://github.com/myorg/shop/actions/runs/42)"), "{said}");
        // What was never built is recorded for nobody.
        let (code, said) = run("0000");
        assert_eq!(code, 1, "{memory:?}: {said}");
    }
}

#[test]
fn our_workflow_looks_every_morning_and_tells() {
    for memory in Memory::ALL {
        let Some(place) = furnished(memory, "myorg/myapp:v1.2") else { continue };
        let board = Sink::start();
        let hook = format!("http://{}/hook", board.host());
        place.foretop("environment staging myorg/myapp:v1.2.3");
        place.foretop("environment production myorg/myapp:v1.2.0");
        let check = |environment: &str, hook: &str, expect: i32| {
            let values = [
                ("matrix.environment", environment),
                ("vars.FORETOP_SERVER", ""),
                ("secrets.FORETOP_TOKEN", ""),
                ("secrets.SLACK_WEBHOOK_URL", hook),
                ("github.server_url", "https://github.com"),
                ("github.repository", "myorg/shop"),
                ("github.run_id", "42"),
            ];
            let (code, said) = workflow(&place, "workflows/scan.yaml", &values);
            assert_eq!(code, expect, "{memory:?}: {environment}: {said}");
        };
        check("staging", &hook, 0);
        check("production", &hook, 2);
        check("production", "", 2);
        // An environment that is not there is told as well, and never as one without flaws.
        check("nowhere", &hook, 1);
        let told: Vec<String> = board
            .wait(|it| it.len() >= 2)
            .iter()
            .map(|it| serde_json::from_slice::<Value>(&it.body).unwrap()["text"].to_string())
            .collect();
        let page = "https://github.com/myorg/shop/actions/runs/42";
        let expect = ["production", "nowhere"].map(|it| format!("\"Look at {it}: {page}\""));
        assert_eq!(told, expect, "{memory:?}");
    }
}

/// A stand-in for the notes of GitLab's merge requests, of which it has a page for each two.
fn gitlab(notes: Arc<Mutex<Vec<(u64, u64, String)>>>) -> Sink {
    Sink::answering(move |hook| {
        let token = hook.headers.iter().find(|it| it.0 == "private-token");
        if token.is_none_or(|it| it.1 != TOKEN) {
            return Answered::status(401);
        }
        let say = |value: Value| Answered {
            body: value.to_string().into_bytes(),
            ..Answered::status(200)
        };
        let said: Value = serde_json::from_slice(&hook.body).unwrap_or_default();
        let text = said["body"].as_str().unwrap_or_default().to_owned();
        let mut notes = notes.lock().unwrap();
        let (path, query) = hook.path.split_once('?').unwrap_or((&hook.path, ""));
        match (hook.method.as_str(), path) {
            ("GET", "/api/v4/user") => say(json!({"id": 5})),
            ("GET", "/api/v4/projects/1/merge_requests/7/notes") => {
                let page: usize = query.rsplit('=').next().unwrap().parse().unwrap();
                let part = notes.iter().skip((page - 1) * 2).take(2);
                let part: Vec<Value> = part
                    .map(|it| json!({"id": it.0, "author": {"id": it.1}, "body": it.2}))
                    .collect();
                let next =
                    if notes.len() > page * 2 { (page + 1).to_string() } else { String::new() };
                let mut answered = say(json!(part));
                answered.headers.push(("x-next-page".to_owned(), next));
                answered
            }
            ("POST", "/api/v4/projects/1/merge_requests/7/notes") => {
                let id = notes.len() as u64 + 100;
                notes.push((id, 5, text));
                say(json!({"id": id}))
            }
            ("PUT", path) => {
                let id = path.rsplit('/').next().unwrap().parse::<u64>().unwrap();
                match notes.iter_mut().find(|it| it.0 == id && it.1 == 5) {
                    Some(note) => {
                        note.2 = text;
                        say(json!({"id": id}))
                    }
                    None => Answered::status(403),
                }
            }
            _ => Answered::status(404),
        }
    })
}

/// Runs the script of a job, as a runner of GitLab's does.
fn job(place: &Place, name: &str, variables: &[(&str, &str)]) -> (i32, String) {
    let document = document("gitlab/foretop.gitlab-ci.yml");
    let mut script = "set -eo pipefail\n".to_owned();
    for (name, value) in variables {
        let _ = writeln!(script, "export {name}='{value}'");
    }
    for global in ["FORETOP_EXIT_ON", "FORETOP_TO_ENV"] {
        assert_eq!(document["variables"][global], "", "{global}");
        if !variables.iter().any(|it| it.0 == global) {
            let _ = writeln!(script, "export {global}=");
        }
    }
    script.push_str(&lines(&document[name]).join("\n"));
    let file = place.sandbox.file("job.sh", script);
    place.script(&file, &[])
}

#[test]
fn a_job_of_gitlabs_scans() {
    let Some(place) = furnished(Memory::Alone, "myorg/myapp:v1.2") else { return };
    let image = ("FORETOP_IMAGE", "archive://myorg-myapp-v1.2.0.tar");
    let (code, said) = job(&place, "foretop-container-scanning", &[image]);
    assert_eq!(code, 0, "{said}");
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs_err::read(place.sandbox.path(name)).unwrap()).unwrap()
    };
    let document = document("gitlab/foretop.gitlab-ci.yml");
    let reports = &document["foretop-container-scanning"]["artifacts"]["reports"];
    let report = read(reports["container_scanning"].as_str().unwrap());
    assert_eq!(report["scan"]["type"], "container_scanning");
    assert!(!report["vulnerabilities"].as_array().unwrap().is_empty());
    assert_eq!(read(reports["cyclonedx"].as_str().unwrap())["bomFormat"], "CycloneDX");
    let gate = |wanted: &str, image: &str| {
        let variables = [("FORETOP_IMAGE", image), ("FORETOP_EXIT_ON", wanted)];
        job(&place, "foretop-container-scanning", &variables).0
    };
    assert_eq!(gate("critical,high", image.1), 2);
    assert_eq!(gate("low", image.1), 0);
    assert_eq!(gate("critical,high", "archive://myorg-myapp-v1.2.3.tar"), 0);
    assert_eq!(gate("critical,high", "archive://missing.tar"), 1);
}

#[test]
fn a_job_of_gitlabs_compares_and_notes() {
    let Some(place) = furnished(Memory::Alone, "myorg/myapp:v1.2") else { return };
    place.foretop("environment production myorg/myapp:v1.2.3");
    let notes = Arc::new(Mutex::new(Vec::new()));
    let gitlab = gitlab(Arc::clone(&notes));
    let mark = "<!-- foretop:foretop-compare -->";
    for number in 1..=3 {
        notes.lock().unwrap().push((number, 9, format!("{mark}\nsomebody else's")));
    }
    let api = format!("http://{}/api/v4", gitlab.host());
    let run = |image: &str, token: &str| {
        let variables = [
            ("FORETOP_IMAGE", image),
            ("FORETOP_TO_ENV", "production"),
            ("CI_API_V4_URL", &api),
            ("CI_PROJECT_ID", "1"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_JOB_NAME", "foretop-compare"),
            ("FORETOP_GITLAB_TOKEN", token),
        ];
        let (code, said) = job(&place, "foretop-compare", &variables);
        assert_eq!(code, 0, "{said}");
        assert!(!said.contains(TOKEN), "{said}");
    };
    run("myorg/myapp:v1.2.0", "");
    assert_eq!(notes.lock().unwrap().len(), 3, "nobody gave a token");
    run("myorg/myapp:v1.2.0", TOKEN);
    run("myorg/myapp:v1.2.3", TOKEN);
    let notes = notes.lock().unwrap().clone();
    assert_eq!(notes.len(), 4, "{notes:?}");
    assert!(notes[..3].iter().all(|it| it.2.ends_with("somebody else's")));
    let (_, _, body) = &notes[3];
    assert!(
        body.starts_with(mark) && body.contains("myorg/myapp:v1.2.3</code> compared"),
        "{body}"
    );
}

/// The files of ours that a test types are where the documentation says they are.
#[test]
fn they_are_where_they_are_said_to_be() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ci.md");
    let page = fs_err::read_to_string(page).unwrap();
    for name in [
        "action",
        "gitlab/foretop.gitlab-ci.yml",
        "scripts/post-deploy.sh",
        "scripts/update-env-from-compose.sh",
        "workflows/deploy.yaml",
        "workflows/scan.yaml",
    ] {
        assert!(deploy(name).exists() && page.contains(&format!("../deploy/{name}")), "{name}");
    }
}
