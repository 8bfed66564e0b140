//! What runs where: `foretop environment`, `enroll`, `repo`, `push`, `config`, and what is asked of
//! environments.

use testkit::{FakeRegistry, ImageBuilder};

use crate::sandbox::Sandbox;
use crate::teahouse::{self, timeless};

/// Words in place of what is another each time.
pub(crate) fn settled(text: &str) -> String {
    let patterns = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[NOW]"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[ID]"),
        (r"\(([0-9a-f]{12})\)", "([SHORT])"),
        (r"@[0-9a-f]{12}\b", "@[SHORT]"),
        (r"127\.0\.0\.1:\d{2,5}", "[REGISTRY]"),
    ];
    let text = patterns.into_iter().fold(text.to_owned(), |text, (pattern, word)| {
        regex::Regex::new(pattern).unwrap().replace_all(&text, word).into_owned()
    });
    timeless(&text)
}

/// Ann, in a job of GitHub's.
fn told_of(sandbox: Sandbox) -> Sandbox {
    let sandbox = sandbox.with("USER", "ann").with("LANG", "C.UTF-8");
    sandbox.with("GITHUB_RUN_ID", "7").with("GITHUB_REPOSITORY", "acme/web")
}

/// A sandbox that asks nobody.
pub(crate) fn alone(sandbox: Sandbox) -> Sandbox {
    told_of(sandbox).with("FORETOP_OFFLINE", "1")
}

/// Two versions of an application, pushed.
pub(crate) fn pushed() -> Sandbox {
    let sandbox = alone(teahouse::open());
    for line in [
        "push archive://tea.tar --tag myorg/myapp:v1.2.0",
        "push archive://alpine.tar --tag myorg/myapp:v1.2.3",
    ] {
        let said = sandbox.foretop(line);
        assert!(said.starts_with("exit 0\n"), "{said}");
    }
    sandbox
}

#[track_caller]
fn check(sandbox: &Sandbox, name: &str, lines: &[&str]) {
    insta::assert_snapshot!(name, settled(&sandbox.transcript(lines)));
}

#[test]
fn the_guide_of_environments() {
    let sandbox = pushed();
    let lines = [
        "env",
        "env staging",
        "environment staging myorg/myapp:v1.2.3",
        "environment production myorg/myapp:v1.2.0",
        "env",
        "env production",
        "env production myorg/myapp:v1.2.0",
        "env production myorg/myapp:v1.2.3",
        "env production --history",
        "env --filter myorg/myapp",
        "env --format csv production",
        "env --format json production",
        "env --format json",
        "env -o names.txt",
        "env nowhere",
        "env --org other",
        "stream production",
    ];
    check(&sandbox, "the_guide_of_environments", &lines);
    let names = fs_err::read_to_string(sandbox.path("names.txt")).unwrap();
    assert_eq!(names, "production\nstaging\n");
    let line = sandbox.output("env production").stdout;
    let line = String::from_utf8(line).unwrap();
    let form = regex::Regex::new("^myorg/myapp:v1\\.2\\.3@sha256:[0-9a-f]{64}\n$").unwrap();
    assert!(form.is_match(&line), "{line}");
}

#[test]
fn the_organisation_of_all_commands() {
    let sandbox = alone(Sandbox::new());
    let lines = [
        "config",
        "enroll myorg/myapp",
        "enroll myorg/myapp",
        "config organization myorg",
        "configure",
        "config organization",
        "repo list",
        "repo enable myorg/other --registry registry.example",
        "repo disable myorg/myapp",
        "repo list --only-disabled",
        "repo list --only-registry hub.docker.com --format json",
        "repo list --filter ^registry",
        "repo disable --all",
        "repo disable --all",
        "repo list --only-enabled",
        "repo enable",
        "env create staging",
        "env",
        "env --org local",
        "config organization --unset",
        "env",
        "config colour blue",
        "config server nonsense",
        "config server https://foretop.example/",
        "config server",
        "config server --unset",
        "config server",
        "enroll /",
    ];
    check(&sandbox, "the_organisation_of_all_commands", &lines);
    sandbox.file("home/.config/foretop/config.json", "{\"organization\": 1}");
    let said = sandbox.foretop("env");
    let start =
        "exit 1\n--- stderr\nerror: configuration [SANDBOX]/home/.config/foretop/config.json: ";
    assert!(said.starts_with(start), "{said}");
    // Whoever asks for nothing that is settled is not troubled.
    assert!(sandbox.foretop("version").starts_with("exit 0\n"));
    fs_err::remove_file(sandbox.path("home/.config/foretop/config.json")).unwrap();
    let other = sandbox.with("FORETOP_ORG", "other");
    assert!(other.foretop("env").contains("organization `other`: there is none"));
}

#[test]
fn what_is_remembered_is_its_owners() {
    let sandbox = alone(Sandbox::new());
    assert!(sandbox.foretop("env create staging").starts_with("exit 0\n"));
    let folder = sandbox.path("home/.local/share/foretop");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let rights = |path| fs_err::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(rights(folder.join("foretop.db")), 0o600);
        assert_eq!(rights(folder), 0o700);
    }
    let elsewhere = alone(Sandbox::new()).with("FORETOP_DATABASE", "sqlite://other.db");
    assert!(elsewhere.foretop("env create staging").starts_with("exit 0\n"));
    assert!(elsewhere.path("other.db").is_file());
    let nowhere = alone(Sandbox::new()).with("FORETOP_DATABASE", "mysql://other");
    insta::assert_snapshot!(nowhere.foretop("env"));
}

#[test]
fn changes() {
    let sandbox = pushed();
    let lines = [
        "env staging myorg/myapp:v1.2.3",
        "env staging myorg/myapp:v1.2.0 --app worker",
        "env staging --app worker",
        "env copy staging production worker",
        "env production",
        "env copy staging production",
        "env copy staging production myorg/unknown",
        "env copy nowhere production",
        "env production --at 1h",
        "env production --at yesterday",
        "env remove staging worker",
        "env remove staging myorg/myapp:v1.2.3",
        "env remove staging myorg/myapp",
        "env rename production live",
        "env live --history",
        "env delete staging",
        "env delete staging --force",
        "events --env staging --limit 1",
        "events --env stagin",
        "env create remove",
        "env -- remove myorg/myapp:v1.2.0",
        "env -- remove",
        "env",
    ];
    check(&sandbox, "changes", &lines);
}

#[test]
fn what_is_asked_of_an_environment() {
    let sandbox = pushed();
    let digest = "1".repeat(64);
    for line in [
        "environment production myorg/myapp:v1.2.0",
        "environment staging myorg/myapp:v1.2.3",
        &format!("environment mixed myorg/unread@sha256:{digest}"),
        "environment mixed myorg/myapp:v1.2.3",
    ] {
        let said = sandbox.foretop(line);
        assert!(said.starts_with("exit 0\n"), "{said}");
    }
    let lines = [
        "cves --env production myorg/myapp",
        "cves --env production --only-severity critical,high --exit-code myorg/myapp",
        "cves --env staging --only-severity critical --exit-code myorg/myapp",
        "cves --env mixed --format only-packages",
        "cves --env mixed --exit-code myorg/unread",
        "cves --env mixed --format markdown myorg/unread",
        "cves --env mixed --format cyclonedx",
        "cves --env mixed --format csv --only-fixed",
        "cves --env production myorg/other",
        "cves --env nowhere --exit-code",
        "cves --env production fs://myorg/myapp",
        "cves --env production docker://myorg/other",
        "quickview --env mixed",
        "quickview --stream staging",
        "quickview --latest",
        "quickview --org myorg archive://alpine.tar",
        "quickview --latest --env mixed",
    ];
    check(&sandbox, "what_is_asked_of_an_environment", &lines);
    let document = |line: &str| -> serde_json::Value {
        let output = sandbox.output(line);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let one = document("cves --env staging --format json");
    assert_eq!(one.as_array().unwrap().len(), 1);
    let two = document("cves --env mixed --format json");
    assert_eq!(two.as_array().unwrap().len(), 2);
    let runs = document("cves --env mixed --format sarif");
    assert_eq!(runs["runs"][0]["automationDetails"]["id"], "foretop/myorg/myapp:v1.2.3/");
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2);
    // The same answer as from the image itself.
    let there = document("cves --env production --format json");
    let here = document("cves --format json archive://tea.tar");
    assert_eq!(there[0]["findings"], here["findings"]);
}

#[test]
fn what_cannot_be_pushed() {
    let sandbox = alone(teahouse::open());
    sandbox.file("tree/app/package.json", "{}");
    sandbox.file("nameless.tar", small("1").oci_archive("1"));
    let lines = [
        "push --dry-run archive://tea.tar",
        "push -o kept.txt archive://tea.tar",
        "push archive://nameless.tar",
        "push --dry-run archive://nameless.tar --tag registry.example/a/b:c",
        "push fs://tree",
        "push archive://tea.tar --tag A/B",
        "push archive://tea.tar --org nobody",
    ];
    check(&sandbox, "what_cannot_be_pushed", &lines);
    let kept = fs_err::read_to_string(sandbox.path("kept.txt")).unwrap();
    assert!(kept.starts_with("example/tea:1@sha256:"), "{kept}");
    // What is inside is known by the document that says it.
    let report = sandbox.foretop("sbom -o tea.json archive://tea.tar");
    assert!(report.starts_with("exit 0\n"), "{report}");
    let said = sandbox.output("push sbom://tea.json --tag example/tea:1").stdout;
    assert_eq!(String::from_utf8(said).unwrap(), kept);
}

fn small(word: &str) -> ImageBuilder {
    let package = format!(r#"{{"name": "left-pad", "version": "1.3.{word}"}}"#);
    testkit::image().layer(testkit::layer().file("app/node_modules/left-pad/package.json", package))
}

#[test]
fn the_registry_knows_best() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let first = registry.push("acme/web", "v1", &small("0"));
    let sandbox = told_of(Sandbox::new());
    let web = format!("{host}/acme/web");
    let mut said = sandbox.transcript(&[
        &format!("env staging {web}:v1"),
        "env staging",
        &format!("env staging {web}:v1"),
    ]);
    registry.push("acme/web", "v1", &small("1"));
    said += &sandbox.transcript(&[
        "env staging --stale",
        "env staging",
        &format!("env production docker-pullable://{web}@{first}"),
        &format!("env production registry://{web}:v1"),
        &format!("env production registry://{web}:v2"),
        &format!("env production {web}:v2"),
        "quickview --env production",
    ]);
    insta::assert_snapshot!("the_registry_knows_best", settled(&said));
}

#[test]
fn an_image_that_only_this_machine_knows() {
    let engine = testkit::engine().image("127.0.0.1:1/acme/app:1", &small("0"), 1).start();
    let sandbox = told_of(Sandbox::new());
    let host = format!("unix://{}", engine.socket().display());
    let sandbox = sandbox.with("DOCKER_HOST", &host);
    let lines = [
        "env staging 127.0.0.1:1/acme/app:1",
        "env staging",
        "env staging local://127.0.0.1:1/acme/app:1",
        "env staging local://127.0.0.1:1/acme/app:2",
        &format!("env staging local://127.0.0.1:1/acme/app@sha256:{}", "1".repeat(64)),
        "env staging registry://127.0.0.1:1/acme/app:1",
        "push local://127.0.0.1:1/acme/app:1",
    ];
    check(&sandbox, "an_image_that_only_this_machine_knows", &lines);
}

#[test]
fn a_server_cannot_have_an_image_that_only_this_machine_knows() {
    let engine = testkit::engine().image("127.0.0.1:1/acme/app:1", &small("0"), 1).start();
    let access = server::Access::Local { name: "root".to_owned() };
    let sandbox = told_of(Sandbox::new());
    let (server, _) = serving(&sandbox.path("tmp"), access);
    let sandbox = sandbox.with("FORETOP_SERVER", &server);
    let sandbox = sandbox.with("DOCKER_HOST", &format!("unix://{}", engine.socket().display()));
    let lines = [
        "enroll acme",
        "env staging 127.0.0.1:1/acme/app:1",
        "cves --env staging --format only-packages",
    ];
    check(&sandbox, "a_server_cannot_have_an_image", &lines);
}

const COMPOSE: &str = "
name: shop
services:
  web: {image: \"myorg/myapp:${TAG:-v1.2.0}\"}
  jobs: {image: \"myorg/myapp:${JOBS_TAG}\"}
  proxy: {build: .}
";
const MANIFEST: &str = "
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {containers: [{name: app, image: \"docker.io/myorg/myapp:v1.2.3\"}]}}}
---
kind: Service
metadata: {name: web}
";

#[test]
fn from_files() {
    let sandbox = pushed();
    sandbox.file("compose.yaml", COMPOSE);
    sandbox.file("k8s.yaml", MANIFEST);
    sandbox.file("bad.yaml", "services: [");
    let first = sandbox.transcript(&["env staging --compose compose.yaml", "env"]);
    sandbox.file(".env", "JOBS_TAG=v1.2.3\n");
    let lines = [
        "env staging myorg/myapp:v1.2.0",
        "env staging --compose compose.yaml --format csv",
        "env staging",
        "env staging --compose bad.yaml",
        "env staging --compose missing.yaml",
        "env production --manifest k8s.yaml --app cluster",
        "env production --history",
        "env production --manifest compose.yaml",
        "env --manifest k8s.yaml",
    ];
    let said = first + &sandbox.transcript(&lines);
    insta::assert_snapshot!("from_files", settled(&said));
    let fed = sandbox.fed("env live --manifest -", MANIFEST.as_bytes());
    assert!(fed.contains("Successfully recorded docker.io/myorg/myapp:v1.2.3"), "{fed}");
}

/// A server on a database of its own; its address, and the link for its first owner if it knows
/// people apart.
pub(crate) fn serving(
    folder: &std::path::Path,
    access: server::Access,
) -> (String, Option<String>) {
    serving_by(folder, access, None)
}

/// The same, which judges by that almanac.
pub(crate) fn serving_by(
    folder: &std::path::Path,
    access: server::Access,
    almanac: Option<std::path::PathBuf>,
) -> (String, Option<String>) {
    let database = format!("sqlite://{}", folder.join("server.db").display());
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let store = store::Store::open(&database).await.unwrap();
            let reach = server::Reach {
                engine: engine::Engine::default(),
                settings: std::sync::Arc::default(),
                jobs: true,
                offline: true,
            };
            let now = || model::Moment::from_micros(jiff::Timestamp::now().as_microsecond());
            let world = server::World::new(almanac);
            let app = server::App::new(store, world, access, reach, std::sync::Arc::new(now));
            let address = "127.0.0.1:0".parse().unwrap();
            let listening = server::Listening { address, tls: None, workers: 0 };
            let bound = server::Bound::to(&listening).await.unwrap();
            let link = server::first_start(&app, "http://x", "acme").await.unwrap();
            tell.send((format!("http://{}", bound.address()), link)).unwrap();
            let router = server::front(app.clone(), server::Limits::default());
            bound.serve(app, router, std::future::pending()).await.unwrap();
        });
    });
    told.recv().unwrap()
}

#[test]
fn a_server_answers_as_well() {
    let sandbox = alone(teahouse::open());
    let access = server::Access::Local { name: "root".to_owned() };
    let (server, _) = serving(&sandbox.path("tmp"), access);
    let sandbox = sandbox.with("FORETOP_SERVER", &server);
    let digest = "1".repeat(64);
    let lines = [
        "env",
        "enroll myorg/myapp",
        "env",
        "push archive://tea.tar --tag myorg/myapp:v1.2.0",
        "env production myorg/myapp:v1.2.0",
        "env production myorg/myapp:v1.2.3",
        &format!("env production myorg/other:v1@sha256:{digest}"),
        "env production",
        "env production --history",
        "quickview --env production myorg/myapp",
        "cves --env production --almanac somewhere",
        "env nowhere",
        "repo list",
    ];
    check(&sandbox, "a_server_answers_as_well", &lines);
    // Nothing was written here.
    assert!(!sandbox.path("home/.local/share/foretop/foretop.db").exists());
    let nobody = alone(Sandbox::new()).with("FORETOP_SERVER", "http://127.0.0.1:1");
    insta::assert_snapshot!("nobody_answers", nobody.foretop("env"));
}

#[test]
fn a_server_is_told_who_asks() {
    // Whatever answers: what matters here is what it was told.
    let check = |prepare: &dyn Fn(Sandbox, &str) -> Sandbox, expect: Option<&str>| {
        let registry = FakeRegistry::start();
        let sandbox = alone(Sandbox::new());
        let sandbox = sandbox.with("FORETOP_SERVER", &format!("http://{}", registry.host()));
        let sandbox = prepare(sandbox, &registry.host());
        let said = sandbox.foretop("env");
        assert!(said.contains("is it a Foretop server"), "{said}");
        let seen = registry.seen();
        assert_eq!(seen.first().unwrap().path, "/api/v1/me");
        assert_eq!(seen.first().unwrap().authorization.as_deref(), expect);
    };
    let logged_in = |sandbox: Sandbox, host: &str| {
        // acme:from-docker
        let auth = "YWNtZTpmcm9tLWRvY2tlcg==";
        let text = format!(r#"{{"auths": {{"{host}": {{"auth": "{auth}"}}}}}}"#);
        sandbox.file("home/.docker/config.json", text);
        sandbox
    };
    check(&|sandbox, _| sandbox, None);
    check(&logged_in, Some("Bearer from-docker"));
    let both = |sandbox, host: &str| logged_in(sandbox, host).with("FORETOP_TOKEN", "set");
    check(&both, Some("Bearer set"));
    // What is for registries is for registries alone.
    check(&|sandbox, _| sandbox.with("FORETOP_REGISTRY_TOKEN", "other"), None);
}

/// The first owner's token, and one of somebody who may record but makes no environments.
fn people(server: &str, link: &str) -> (String, String) {
    let client = |token: Option<String>| {
        let http = image::reach(server, &std::sync::Arc::default()).unwrap();
        let token = token.map(model::Secret::new);
        api::Client::new(std::sync::Arc::new(api::Https::new(http, server, token).unwrap()), None)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let enter = async |secret: &str, name: &str| {
            let (name, password) = (name.to_owned(), "a green horse".to_owned());
            let accepting =
                api::Accepting { name: Some(name.clone()), password: Some(password.clone()) };
            client(None).accept(secret, &accepting).await.unwrap();
            let logging_in = api::LoggingIn { name, password };
            client(None).log_in(&logging_in).await.unwrap().token
        };
        let owner = enter(link.rsplit('/').next().unwrap(), "ann").await;
        let invitation = api::NewInvitation { role: api::Role::Editor, days: None };
        let invited = client(Some(owner.clone())).invite("acme", &invitation).await.unwrap();
        let editor = enter(&invited.secret, "bob").await;
        (owner, editor)
    })
}

/// An environment comes with what is recorded to it, or not at all.
#[test]
fn what_cannot_be_recorded_makes_no_environment() {
    let house = alone(Sandbox::new());
    let access = server::Access::People(server::People::new(false));
    let (server, link) = serving(&house.path("tmp"), access);
    let (owner, _) = people(&server, &link.unwrap());
    let remote = alone(Sandbox::new()).with("FORETOP_SERVER", &server);
    let image = format!("acme/web:v1@sha256:{}", "1".repeat(64));
    let long = "x".repeat(201);
    for sandbox in [alone(Sandbox::new()), remote.with("FORETOP_TOKEN", &owner)] {
        let refused = sandbox.foretop(&format!("env qa {image} --app {long}"));
        assert!(refused.contains("it is longer than 200 characters"), "{refused}");
        let refused = sandbox.foretop(&format!("env {long} {image}"));
        assert!(refused.contains("it is longer than 200 characters"), "{refused}");
        let recorded = sandbox.foretop(&format!("env qa {image}"));
        assert!(recorded.contains("Environment qa is new, and made now"), "{recorded}");
        let refused = sandbox.foretop("env copy qa live acme/other");
        assert!(refused.contains("no acme/other runs in qa"), "{refused}");
        assert_eq!(sandbox.foretop("env"), "exit 0\n--- stdout\nqa\n");
        let copied = sandbox.foretop("env copy qa live acme/web");
        assert!(copied.contains("Environment live is new, and made now"), "{copied}");
    }
}

#[test]
fn only_owners_make_environments() {
    let sandbox = alone(Sandbox::new());
    let access = server::Access::People(server::People::new(false));
    let (server, link) = serving(&sandbox.path("tmp"), access);
    let (owner, editor) = people(&server, &link.unwrap());
    let image = format!("acme/web:v1@sha256:{}", "1".repeat(64));
    let asked = |token: &str, lines: &[&str]| {
        let sandbox = alone(Sandbox::new()).with("FORETOP_SERVER", &server);
        let sandbox = if token.is_empty() { sandbox } else { sandbox.with("FORETOP_TOKEN", token) };
        settled(&sandbox.transcript(lines))
    };
    let record = |name: &str| format!("env {name} {image}");
    let said = asked("", &["env"])
        + &asked(&editor, &[&record("production"), "env create production"])
        + &asked(&owner, &[&record("production")])
        + &asked(
            &editor,
            &[&record("production"), &record("staging"), "env", "env rename production live"],
        )
        + &asked(&editor, &["env production --history", "env --org other"]);
    insta::assert_snapshot!("only_owners_make_environments", said);
}
