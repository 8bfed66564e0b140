//! What the program says about itself.

use crate::sandbox::Sandbox;

#[test]
fn the_whole() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.foretop("help"));
    assert_eq!(sandbox.foretop(""), sandbox.foretop("--help"));
    assert_eq!(sandbox.foretop("help"), sandbox.foretop("-h"));
}

#[test]
fn each_command() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.transcript(&[
        "sbom -h",
        "compare -h",
        "cache df -h",
        "cache prune -h",
        "plugin install -h",
        "plugin uninstall -h",
        "version -h",
        "completion -h",
        "man -h",
    ]));
}

#[test]
fn hidden_flags_stay_hidden_and_work() {
    let sandbox = Sandbox::new();
    assert!(!sandbox.foretop("help cache df").contains("debug"));
    assert!(sandbox.foretop("cache df --debug").starts_with("exit 0\n"));
    assert!(sandbox.foretop("--verbose-debug cache df").starts_with("exit 0\n"));
}

#[test]
fn completion_scripts() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = sandbox.foretop(&format!("completion {shell}"));
        assert!(script.starts_with("exit 0\n") && script.contains("prune"), "{shell}");
    }
    let script = sandbox.output("completion bash").stdout;
    let script = sandbox.file("script", script);
    let line = format!("source {}; complete -p foretop", script.display());
    let Ok(bash) = std::process::Command::new("bash").args(["-c", &line]).output() else {
        println!("left out: bash is missing");
        return;
    };
    assert!(String::from_utf8_lossy(&bash.stdout).contains("_foretop"), "{bash:?}");
}

#[test]
fn manual_pages() {
    let sandbox = Sandbox::new();
    assert_eq!(
        sandbox.foretop("man pages/man1"),
        "exit 0\n--- stderr\n    ✓ Manual pages written to pages/man1\n"
    );
    let pages = fs_err::read_dir(sandbox.path("pages/man1")).unwrap();
    let mut pages: Vec<_> =
        pages.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort();
    insta::assert_snapshot!(pages.join("\n"));
    let page = fs_err::read_to_string(sandbox.path("pages/man1/foretop-cache-prune.1")).unwrap();
    assert!(page.contains("\\-\\-sboms"), "{page}");
}
