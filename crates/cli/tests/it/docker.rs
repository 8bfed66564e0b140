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
    assert!(run("scout env").ends_with("exit 0\n"));
    assert!(run("scout env --org local").contains("staging"));
    let said = run(
        "scout cves --env staging --org local --only-severity critical,high --exit-code myorg/myapp",
    );
    assert!(said.contains("exit 0"), "{said}");
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
