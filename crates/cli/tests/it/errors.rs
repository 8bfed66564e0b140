//! What is said when it cannot be done, and that the exit code is 1.

use std::io::Read as _;
use std::process::Stdio;

use crate::sandbox::Sandbox;

#[test]
fn misuse() {
    let sandbox = Sandbox::new();
    let lines = ["nonsense", "version --nonsense", "cache", "cache df --format xml", "man"];
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
