//! What is asked for, and no more than that: repositories, tags, platforms.

use testkit::{FakeRegistry, Vendor, VendorStandIn, index};

use super::{Watching, alpine, shown};
use crate::sandbox::Sandbox;

#[test]
fn only_some_platforms_or_no_contents() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let both = index()
        .image("linux/amd64", alpine("cup").platform("linux", "amd64"))
        .image("linux/arm64", alpine("saucer").platform("linux", "arm64"));
    registry.push_index("team/tea", "1", &both);
    registry.push_manifest(
        "team/tea",
        "chart",
        "application/vnd.oci.image.manifest.v1+json",
        &chart(&registry),
    );
    let line = format!("watch --registry {host} --all-images --once");
    let home = Sandbox::new();
    let said = shown(&home, &host, &format!("{line} --platform linux/arm64"));
    assert!(said.contains("tea:1 linux/arm64: 1 package\n"), "{said}");
    assert!(!said.contains("amd64"), "{said}");
    assert!(
        said.contains("i [REGISTRY]/team/tea:chart is left out: it is not a container image"),
        "{said}"
    );
    assert!(said.starts_with("exit 0\n"), "{said}");
    let home = Sandbox::new();
    let said = shown(&home, &host, &format!("{line} --sbom=false"));
    assert!(said.starts_with("exit 0\n") && !said.contains("package"), "{said}");
    let pending = home.foretop("image list --state pending");
    assert_eq!(pending.matches("sha256:").count(), 2, "{pending}");
}

/// A manifest of Helm's.
fn chart(registry: &FakeRegistry) -> Vec<u8> {
    let config = registry.push_manifest("team/tea", "config", "application/json", b"{}");
    registry.untag("team/tea", "config");
    format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json",
           "digest":"{config}","size":2}},"layers":[]}}"#
    )
    .into_bytes()
}

/// What is told of repositories that nobody asked for is not read, nor is what has no tag while only
/// some tags are wanted.
#[test]
fn what_nobody_asked_for_is_not_read() {
    let registry = FakeRegistry::start();
    let secret = "Bearer 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let home = Sandbox::new().with("FORETOP_REGISTRY_WEBHOOK_AUTH", secret);
    let line = format!(
        "--registry type=distribution,registry={},repository=team/app,tag=^v,port=0 --interval 86400",
        registry.host()
    );
    registry.push("team/app", "v0", &alpine("cup"));
    // What lies below a name is another repository.
    registry.push("team/app/sub", "v0", &alpine("tray"));
    let mut watching = Watching::start(&home, &line);
    let (port, _) = watching.listening();
    watching.until("left alone");
    let own = format!("127.0.0.1:{port}");
    let tell = |id: &str, repository: &str, tag: &str| {
        registry.push(repository, tag, &alpine(id));
        let hook = crate::bulk::pushed(id, repository, tag, secret);
        assert_eq!(hook.send(&own, "/").unwrap().status, 200);
    };
    tell("pot", "team/other", "v1");
    tell("lid", "team/app", "x1");
    tell("jug", "team/app", "v1");
    watching.until("team/app:v1 linux/amd64: 1 package");
    tell("mug", "team/apple", "v1");
    tell("pan", "team/app/sub", "v1");
    tell("urn", "team/app", "v2");
    let said = watching.until("team/app:v2 linux/amd64: 1 package");
    assert_eq!(said.lines().count(), 1, "{said}");
    watching.kill();
    let known = home.foretop("image list");
    assert_eq!(known.matches("sha256:").count(), 2, "{known}");
}

/// Who asks for another repository or platform than before gets it, and no more than that.
#[test]
fn what_is_asked_for_may_change() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let home = Sandbox::new();
    let both = index()
        .image("linux/amd64", alpine("cup").platform("linux", "amd64"))
        .image("linux/arm64", alpine("saucer").platform("linux", "arm64"));
    registry.push_index("team/tea", "1", &both);
    registry.push("team/web", "1", &alpine("pot"));
    let watch = |line: &str| shown(&home, &host, &format!("watch --once {line}"));
    let tea = format!("--repository {host}/team/tea --all-images");
    let said = watch(&format!("{tea} --platform linux/arm64"));
    assert!(said.contains("tea:1 linux/arm64: 1 package\n") && !said.contains("amd64"), "{said}");
    let said = watch(&format!("{tea} --platform linux/arm64"));
    assert!(said.ends_with("1 repository, 1 tag\n"), "{said}");
    let said = watch(&tea);
    assert!(said.contains("tea:1 linux/amd64: 1 package\n"), "{said}");
    let said = watch(&format!("{tea} --platform linux/arm64"));
    assert!(said.ends_with("1 repository, 1 tag\n"), "all of it has a part in it: {said}");
    // What is in another repository was there before anybody asked for it; what is new is new.
    let web = format!("--repository {host}/team/web");
    let said = watch(&web);
    assert!(said.ends_with("1 repository, 1 tag, 1 there before and left alone\n"), "{said}");
    registry.push("team/web", "2", &alpine("jug"));
    let said = watch(&format!("{web} --tag .*"));
    assert!(said.ends_with("1 repository, 2 tags, 1 there before and left alone\n"), "{said}");
    registry.push("team/web", "3", &alpine("mug"));
    let said = watch(&format!("{web} --tag .*"));
    assert!(said.contains("web:3 linux/amd64: 1 package\n"), "{said}");
}

/// One more key of the same registry is no other registry.
#[test]
fn what_was_seen_holds_for_one_more_key() {
    let (first, second) = (FakeRegistry::start(), FakeRegistry::start());
    first.push("team/app", "1", &alpine("cup"));
    second.push("team/web", "1", &alpine("pot"));
    let stand_in = VendorStandIn::start(Vendor::Artifactory, &first.host());
    let stand_in = stand_in.with_key("docker-prod", &second.host());
    let host = stand_in.host();
    let home = Sandbox::new()
        .with("FORETOP_ARTIFACTORY_API_USER", "reader")
        .with("FORETOP_ARTIFACTORY_API_PASSWORD", "pass");
    let watch = |keys: &str| {
        let registry = format!(
            "type=artifactory,registry={host},api=http://{host}/artifactory,\"repository={keys}\""
        );
        shown(&home, &host, &format!("watch --once --registry {registry}"))
    };
    let said = watch("docker-local");
    assert!(said.ends_with("1 repository, 1 tag, 1 there before and left alone\n"), "{said}");
    first.push("team/app", "2", &alpine("lid"));
    let said = watch("docker-local,docker-prod");
    assert!(said.contains("docker-local/team/app:2 linux/amd64: 1 package\n"), "{said}");
    let expect = "2 repositories, 3 tags, 1 read, 1 there before and left alone\n";
    assert!(said.ends_with(expect), "{said}");
}
