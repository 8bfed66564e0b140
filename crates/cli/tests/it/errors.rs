//! What is said when it cannot be done, and that the exit code is 1.

use std::io::Read as _;
use std::process::Stdio;

use crate::sandbox::Sandbox;

#[test]
fn misuse() {
    let sandbox = Sandbox::new();
    let lines =
        ["nonsense", "version --nonsense", "cache", "cache df --format xml", "cache policy", "man"];
    insta::assert_snapshot!(sandbox.transcript(&lines));
}

#[test]
fn who_has_read_enough_is_no_error() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_foretop").as_ref());
    let command = command.args(["completion", "bash"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn signs_fit_the_locale() {
    let sandbox = Sandbox::new().with("LANG", "C");
    assert_eq!(
        sandbox.foretop("man pages"),
        "exit 0\n--- stderr\n    v Manual pages written to pages\n"
    );
}

/// What is kept in an address is nobody's business, and a slip of the pen makes no database.
#[test]
fn addresses_and_slips() {
    let sandbox = Sandbox::new().with("FORETOP_SERVER", "https://ann:secret@foretop.example");
    for line in ["env", "member list", "whoami", "admin doctor"] {
        let said = sandbox.foretop(line);
        assert!(
            said.starts_with("exit 1\n") && said.contains("`https://***@foretop.example`"),
            "{said}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
    let nowhere = Sandbox::new().with("FORETOP_SERVER", "://");
    assert!(nowhere.foretop("admin doctor").contains("`://` is not the address of a server"));

    let sandbox = Sandbox::new();
    sandbox.file("notes.txt", "");
    let typed = "--database sqlite://typo.db";
    let lines = [
        "admin doctor".to_owned(),
        format!("admin doctor {typed}"),
        format!("admin doctor --format json {typed}"),
        format!("admin users {typed}"),
        format!("admin backup a.bak {typed}"),
        format!("admin forget ann --force {typed}"),
        "admin users --database sqlite://notes.txt".to_owned(),
        format!("admin users --workers 1 {typed}"),
        format!("admin users --almanac a {typed}"),
        format!("admin users --log-format json {typed}"),
        "member list".to_owned(),
        "token list".to_owned(),
        "session list".to_owned(),
        "password".to_owned(),
        "logout".to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(sandbox.transcript(&lines));
    for name in ["typo.db", "home/.local/share/foretop/foretop.db"] {
        assert!(!sandbox.path(name).exists(), "{name}");
    }
}
