//! The real docker client, with us as its plugin.

use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;

#[expect(clippy::disallowed_methods, reason = "a test looks for a program as a shell does")]
/// The client, if this machine has one. (Debian: `docker-cli`, or `docker.io` before 13.)
fn client() -> Option<PathBuf> {
    let found = std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|it| it.join("docker"))
        .find(|it| it.is_file());
    if found.is_none() {
        println!("left out: docker is missing");
    }
    found
}

fn docker(sandbox: &Sandbox, docker: &Path, line: &str) -> String {
    let output = sandbox.command(docker).args(line.split(' ')).output().unwrap();
    format!("# docker {line}\n{}", sandbox.shown(&output))
}

#[test]
fn finds_us() {
    let Some(client) = client() else { return };
    let sandbox = Sandbox::new();
    sandbox.foretop("plugin install");
    let lines = ["scout version", "foretop version", "scout cache df", "help scout"];
    let all: String = lines.iter().map(|line| docker(&sandbox, &client, line)).collect();
    insta::assert_snapshot!(all);
    let help = docker(&sandbox, &client, "help");
    assert!(help.contains("Know what is inside every container image"), "{help}");
}
