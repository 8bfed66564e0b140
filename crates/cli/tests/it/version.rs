//! `foretop version`.

use crate::sandbox::Sandbox;

#[test]
fn as_text() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!([sandbox.foretop("version"), sandbox.foretop("--version")].concat());
}

#[test]
fn as_json() {
    let output = Sandbox::new().output("version --format json");
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["version"], env!("CARGO_PKG_VERSION"));
    for key in ["commit", "rust", "os", "architecture"] {
        assert!(value[key].as_str().is_some_and(|it| !it.is_empty()), "{key}: {value}");
    }
}
