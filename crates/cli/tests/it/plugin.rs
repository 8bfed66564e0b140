//! `foretop plugin`, and docker's questions.

use std::process::Command;

use crate::sandbox::Sandbox;

#[test]
fn install_and_uninstall() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.transcript(&[
        "plugin install",
        "plugin install",
        "plugin uninstall",
        "plugin uninstall"
    ]));
    let left = fs_err::read_dir(sandbox.path("home/.docker/cli-plugins")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn what_is_not_ours_stays() {
    let sandbox = Sandbox::new();
    let foreign = sandbox.file("plugins/docker-scout", "#!/bin/sh\n");
    let lines = ["plugin install --directory plugins", "plugin uninstall --directory plugins"];
    let before = sandbox.transcript(&lines);
    assert_eq!(fs_err::read_to_string(&foreign).unwrap(), "#!/bin/sh\n");
    assert!(!sandbox.path("plugins/docker-foretop").exists(), "all or nothing");
    let after = sandbox.transcript(&["plugin install --directory plugins --force", lines[1]]);
    assert!(!foreign.exists());
    insta::assert_snapshot!(before + &after);
}

#[test]
fn a_copy_is_ours_too() {
    let sandbox = Sandbox::new();
    fs_err::create_dir(sandbox.path("plugins")).unwrap();
    let copy = sandbox.path("plugins/docker-scout");
    fs_err::copy(env!("CARGO_BIN_EXE_foretop"), &copy).unwrap();
    let said = sandbox.foretop("plugin uninstall --directory plugins");
    assert!(said.contains("✓ Removed plugins/docker-scout"), "{said}");
    assert!(!copy.exists());
}

#[test]
fn commands_are_told_as_they_are_typed() {
    let sandbox = Sandbox::new();
    sandbox.foretop("plugin install");
    let program = sandbox.path("home/.docker/cli-plugins/docker-scout");
    for line in ["scout retention", "scout retention --help", "scout retention lost"] {
        let output = sandbox.command(&program).args(line.split(' ')).output().unwrap();
        let said = sandbox.shown(&output);
        assert!(!said.contains("foretop"), "{line}: {said}");
        assert!(said.contains("docker scout"), "{line}: {said}");
    }
}

#[test]
fn the_handshake() {
    let sandbox = Sandbox::new();
    sandbox.foretop("plugin install");
    let ask = |line: &str| {
        let mut words = line.split(' ');
        let program = words.next().unwrap();
        let program = sandbox.path(&format!("home/.docker/cli-plugins/{program}"));
        let output = sandbox.command(&program).args(words).output().unwrap();
        format!("# {line}\n{}", sandbox.shown(&output))
    };
    let lines = [
        "docker-scout docker-cli-plugin-metadata",
        "docker-foretop docker-cli-plugin-metadata",
        "docker-scout --config x scout version",
        "docker-scout version",
        "docker-scout help scout",
        "docker-foretop foretop cache df -h",
        "docker-scout scout nonsense",
        "docker-scout scout docker-cli-plugin-hooks {}",
        "docker-scout __complete scout c",
        "docker-scout __completeNoDesc scout cache prune --",
    ];
    let all: Vec<String> = lines.iter().map(|line| ask(line)).collect();
    insta::assert_snapshot!(all.concat());
}

#[test]
fn it_ends_when_docker_ends() {
    if !cfg!(target_os = "linux") {
        println!("left out: docker's socket is abstract, which is Linux alone");
        return;
    }
    #[cfg(target_os = "linux")]
    {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::{SocketAddr, UnixListener};
        let sandbox = Sandbox::new();
        sandbox.foretop("plugin install");
        let name = format!("foretop-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixListener::bind_addr(&address).unwrap();
        let program = sandbox.path("home/.docker/cli-plugins/docker-scout");
        let mut command: Command = sandbox.command(&program);
        // It waits for an answer that never comes.
        let mut child = command
            .args(["scout", "sbom", "sbom://"])
            .env("DOCKER_CLI_PLUGIN_SOCKET", format!("@{name}"))
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // To wait for a child is to close its input, which would end it too.
        let stdin = child.stdin.take();
        let (stream, _) = listener.accept().unwrap();
        drop(stream);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        drop(stdin);
    }
}
