//! The real docker client, with us as its plugin.

use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;

#[expect(clippy::disallowed_methods, reason = "a test looks for a program as a shell does")]
/// The client, if this machine has one. (Debian: `docker-cli`, or `docker.io` before 13.)
pub(crate) fn client() -> Option<PathBuf> {
    let found = std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|it| it.join("docker"))
        .find(|it| it.is_file());
    if found.is_none() {
        println!("left out: docker is missing");
    }
    found
}

pub(crate) fn docker(sandbox: &Sandbox, docker: &Path, line: &str) -> String {
    let output = sandbox.command(docker).args(line.split(' ')).output().unwrap();
    format!("# docker {line}\n{}", sandbox.shown(&output))
}

#[test]
fn finds_us() {
    let Some(client) = client() else { return };
    let sandbox = Sandbox::new();
    sandbox.foretop("plugin install");
    let lines = ["scout version", "foretop version", "scout cache df", "help scout"];
    let all: Vec<String> = lines.iter().map(|line| docker(&sandbox, &client, line)).collect();
    insta::assert_snapshot!(all.concat());
    let help = docker(&sandbox, &client, "help");
    assert!(help.contains("Know what is inside every container image"), "{help}");
}

#[test]
fn writes_an_sbom() {
    let Some(client) = client() else { return };
    let sandbox = crate::sbom::with_archive();
    sandbox.foretop("plugin install");
    let lines = [
        "scout sbom --format list archive://image.tar",
        "--debug --config home/.docker foretop sbom --format list archive://image.tar",
        "scout sbom --format list archive://missing.tar",
    ];
    let all: Vec<String> = lines.iter().map(|line| docker(&sandbox, &client, line)).collect();
    let all = all.concat();
    let (before, moment): (Vec<&str>, Vec<&str>) =
        all.lines().partition(|line| !line.starts_with("debug "));
    assert!(!moment.is_empty(), "docker's --debug is ours: {all}");
    // Some clients add a line of their own.
    let ours: Vec<&str> = before.into_iter().filter(|it| !it.starts_with("exit status")).collect();
    insta::assert_snapshot!(ours.join("\n"));
}

#[test]
fn tells_what_runs_where() {
    let Some(client) = client() else { return };
    let sandbox = crate::environment::pushed();
    sandbox.foretop("plugin install");
    let run = |line: &str| docker(&sandbox, &client, line);
    let said = run("scout environment staging myorg/myapp:v1.2.3");
    assert!(
        said.contains("✓ Successfully recorded myorg/myapp:v1.2.3 in environment staging"),
        "{said}"
    );
    assert!(run("scout env").ends_with("exit 0\n--- stdout\nstaging\n"));
    assert!(run("scout env staging").contains("--- stdout\nmyorg/myapp:v1.2.3@sha256:"));
    assert!(run("scout stream staging").contains("--- stdout\nmyorg/myapp:v1.2.3@sha256:"));
    assert!(run("scout config").contains("See docker scout config --help for details."));
    let said = run("scout enroll myorg/myapp");
    assert!(said.contains("✓ Successfully enrolled organization myorg"), "{said}");
    let said = run("scout config organization myorg");
    assert!(said.contains("✓ Successfully set organization to myorg"), "{said}");
    let said = run("scout env");
    assert!(said.contains("exit 0\n") && said.contains("No environment in"), "{said}");
    assert!(run("scout env --org local").contains("staging"));
    let said = run(
        "scout cves --env staging --org local --only-severity critical,high --exit-code myorg/myapp",
    );
    assert!(said.contains("exit 0"), "{said}");
}

/// The words of the two guides, in their order; what they say in words, asked of what comes back.
#[test]
fn walks_through_the_guides() {
    let Some(client) = client() else { return };
    let sandbox = crate::story::begun();
    sandbox.foretop("plugin install");
    let check = |line: &str, code: i32, expect: &str| {
        let output = sandbox.command(&client).args(line.split(' ')).output().unwrap();
        let said = sandbox.shown(&output);
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        assert!(said.contains(expect), "{line}: {said}");
    };
    check("scout version", 0, "version: v[VERSION]");
    check("scout enroll myorg/myapp", 0, "Successfully enrolled");
    check("scout config organization myorg", 0, "Successfully set organization to myorg");
    for name in ["web-v1", "web-v2", "api-v1", "api-v2"] {
        check(&format!("scout push archive://myorg-{name}.tar"), 0, "pushed to organization myorg");
    }
    check("scout environment staging myorg/web:v2", 0, "Successfully recorded myorg/web:v2");
    check("scout environment production myorg/web:v1", 0, "in environment production");
    check("scout env", 0, "production\nstaging\n");
    check("scout env --org local", 0, "exit 0");
    check("scout env production", 0, "myorg/web:v1@sha256:");
    check("scout cves --env production myorg/web", 0, "CVE-2019-10744");
    check(
        "scout compare --to-env production --env staging myorg/web",
        0,
        "2 vulnerabilities fixed",
    );
    check("scout push archive://myorg-web-v2.tar --tag myorg/web:latest", 0, "pushed");
    check("scout compare --to-env production myorg/web:latest", 0, "2 vulnerabilities fixed");
    let gate = "scout cves --env production --only-severity critical,high --exit-code myorg/web";
    check(gate, 2, "CVE-2019-10744");
    check("scout environment staging myorg/api:v2", 0, "recorded");
    check("scout environment production myorg/api:v1", 0, "recorded");
    check("scout compare --env staging --to-env production", 0, "6 vulnerabilities fixed");
    check("scout where CVE-2021-44228 --exit-code", 2, "myorg/api:v1@sha256:");
    check("scout environment production myorg/api:v2", 0, "It replaces myorg/api:v1");
    check("scout environment production myorg/web:v2", 0, "recorded");
    check("scout where CVE-2021-44228 --exit-code", 0, "was not found in any environment");
    check(
        "scout env export production --format csv",
        0,
        "deployment,production,docker.io/myorg/api",
    );
    check("scout cves --env nowhere --exit-code", 1, "environment `nowhere`: there is none");
    // Commands are told as they are typed here.
    check("scout where --help", 0, "\n  docker scout where CVE-2021-44228\n");
    check("scout env production myorg/web:v9", 1, "push it first: docker scout push IMAGE");
}

#[test]
fn shuts_a_gate() {
    let Some(client) = client() else { return };
    let sandbox = crate::teahouse::open();
    sandbox.foretop("plugin install");
    let check = |words: &str, expect: i32| {
        let line = format!("scout cves --only-severity critical,high --exit-code {words}");
        let output = sandbox.command(&client).args(line.split(' ')).output().unwrap();
        assert_eq!(output.status.code(), Some(expect), "{line}: {}", sandbox.shown(&output));
    };
    check("archive://tea.tar", 2);
    check("archive://alpine.tar", 0);
    check("archive://missing.tar", 1);
    let line = "scout compare archive://alpine.tar --to archive://tea.tar --exit-on vulnerability";
    let output = sandbox.command(&client).args(line.split(' ')).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", sandbox.shown(&output));
}
