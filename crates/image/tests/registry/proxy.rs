//! Through the proxy that the environment names.

use std::process::Command;
use std::sync::Arc;

use image::Settings;
use testkit::FakeRegistry;

use super::{Watch, read, settings, small};

const MARK: &str = "FORETOP_TEST_IS_THE_CHILD";

/// The environment is read when a client is made, so this test runs itself in one of its own.
#[test]
fn is_asked_for_all_but_this_machine() {
    if std::env::vars().any(|(name, _)| name == MARK) {
        return in_an_environment_with_a_proxy();
    }
    // A proxy is asked for whole URLs; this one has what they lead to.
    let proxy = FakeRegistry::start();
    proxy.push("app", "1", &small());
    let url = format!("http://{}", proxy.host());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "proxy::is_asked_for_all_but_this_machine", "--nocapture"])
        .env(MARK, "1")
        .env("HTTP_PROXY", &url)
        .env("http_proxy", &url)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let asked: Vec<String> = proxy.seen().into_iter().map(|it| it.path).collect();
    assert_eq!(asked[0], "/v2/app/manifests/1");
    assert!(asked.iter().all(|it| it.starts_with("/v2/app/")), "{asked:?}");
}

fn in_an_environment_with_a_proxy() {
    let settings =
        Settings { insecure_registries: ["registry.invalid".to_owned()].into(), ..settings() };
    let watch = Arc::new(Watch::default());
    let found = read("registry.invalid/app:1", "", settings.clone(), &watch).unwrap();
    assert_eq!(found.layers.len(), watch.layers.lock().unwrap().len());
    let near = FakeRegistry::start();
    near.push("direct", "1", &small());
    let name = format!("{}/direct:1", near.host());
    assert!(read(&name, "", settings, &watch).is_ok());
}
