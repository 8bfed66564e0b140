//! `foretop watch` over images that cannot be read, or not all of them.

use testkit::{FakeRegistry, Fault, ImageBuilder, image, index, layer};

use crate::sandbox::Sandbox;

fn alpine(package: &str, architecture: &str) -> ImageBuilder {
    let base = layer().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n");
    let installed = format!("P:{package}\nV:1.0-r0\nA:x86_64\n\n");
    image().layer(base.file("lib/apk/db/installed", installed)).platform("linux", architecture)
}

#[test]
fn what_cannot_be_read_is_told_and_read_once_it_can_be() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let home = Sandbox::new();
    registry.push("team/app", "1", &alpine("cup", "amd64"));
    registry.push("team/web", "1", &alpine("pot", "amd64"));
    registry.plan("/v2/team/app/blobs/", 10_000, Fault::unknown("BLOB_UNKNOWN"));
    let line = format!("watch --registry {host} --all-images --once");
    let first = home.foretop(&line);
    assert!(first.starts_with("exit 1\n"), "{first}");
    assert!(first.contains("does not have a part of it"), "{first}");
    // Nobody else waits for it.
    assert!(first.contains("team/web:1 linux/amd64: 1 package\n"), "{first}");
    registry.forgive();
    let second = home.foretop(&line);
    assert!(second.starts_with("exit 0\n"), "{second}");
    assert!(second.contains("team/app:1 linux/amd64: 1 package\n"), "{second}");
}

#[test]
fn who_looks_for_one_platform_says_nothing_of_others() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let home = Sandbox::new();
    let push = |package: &str| {
        let both = index()
            .image("linux/amd64", alpine(package, "amd64"))
            .image("linux/arm64", alpine(package, "arm64"));
        registry.push_index("team/tea", "1", &both);
    };
    push("cup");
    let line = format!("watch --registry {host} --all-images --once");
    assert!(home.foretop(&line).starts_with("exit 0\n"));
    push("pot");
    let some = home.foretop(&format!("{line} --platform linux/arm64"));
    assert!(some.contains("team/tea:1 linux/arm64: 1 package\n"), "{some}");
    let events = home.foretop("events --limit 100");
    assert_eq!(events.matches("tag-moved").count(), 1, "{events}");
    assert_eq!(events.matches("tag-gone").count(), 0, "{events}");
}
