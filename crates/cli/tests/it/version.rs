//! `foretop version`.

use crate::sandbox::Sandbox;

#[test]
fn text_and_json() {
    let sandbox = Sandbox::new();
    let lines = ["version", "version --format json", "--version"];
    let all: Vec<String> = lines.iter().map(|line| sandbox.foretop(line)).collect();
    insta::assert_snapshot!(all.join("\n"));
}
