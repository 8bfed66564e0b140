//! What registries tell by themselves, as it comes.

use std::process::Command;

use testkit::{FakeRegistry, Form, Hook, RealRegistry, Relay, Told, Vendor, VendorStandIn};

use super::{Watching, alpine};
use crate::sandbox::Sandbox;

#[test]
fn a_push_is_heard() {
    let secret = "Bearer 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let front = Relay::start();
    let url = format!("http://{}/", front.host());
    let Some(registry) = RealRegistry::telling(0, &url, secret) else { return };
    let home = Sandbox::new().with("FORETOP_REGISTRY_WEBHOOK_AUTH", secret);
    let archive = home.file("cup.tar", alpine("cup").docker_archive("example/cup:1"));
    registry.push(&archive, "team/app:1");
    let line = format!("--registry type=distribution,registry={},port=0", registry.host());
    // Nobody looks in between: what is read was heard of.
    let mut watching = Watching::start(&home, &format!("{line} --interval 86400"));
    let (port, said) = watching.listening();
    for expect in ["✓ registry reachable: ", "✓ webhooks prove who sends them: "] {
        assert!(said.contains(expect), "{expect}: {said}");
    }
    watching.until("left alone");
    // What it told before anybody listened, it tells again.
    front.lead_to(&format!("127.0.0.1:{port}"));
    watching.until("team/app:1 linux/amd64: 1 package");
    let archive = home.file("pot.tar", alpine("pot").docker_archive("example/pot:1"));
    registry.push(&archive, "team/app:2");
    watching.until("team/app:2 linux/amd64: 1 package");
    registry.push(&archive, "team/other:1");
    watching.until("team/other:1 leads to what was read before");
    registry.delete("team/app:2");
    watching.until("team/app:2 is gone");
    // Somebody else is not believed.
    let post = |proof: &str| {
        let mut curl = Command::new("curl");
        let proof = format!("Authorization: {proof}");
        let kind = "Content-Type: application/vnd.docker.distribution.events.v1+json";
        curl.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", &proof, "-H", kind]);
        let output = curl.args(["-d", "{\"events\":[]}", &url]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    if Command::new("curl").arg("--version").output().is_ok() {
        assert_eq!((post(secret).as_str(), post("Bearer x").as_str()), ("200", "401"));
    }
}

/// What was once told of is looked at from then on, though nobody tells of it any more.
#[test]
fn what_was_told_of_is_looked_at() {
    let registry = FakeRegistry::start();
    let secret = "Bearer 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let home = Sandbox::new().with("FORETOP_REGISTRY_WEBHOOK_AUTH", secret);
    registry.push("team/app", "1", &alpine("cup"));
    let line = format!("--registry type=distribution,registry={},port=0", registry.host());
    let mut watching = Watching::start(&home, &format!("{line} --interval 1"));
    let (port, _) = watching.listening();
    watching.until("left alone");
    for tag in ["1", "2"] {
        registry.push("team/new", tag, &alpine("pot"));
    }
    let hook = crate::bulk::pushed("pot", "team/new", "1", secret);
    assert_eq!(hook.send(&format!("127.0.0.1:{port}"), "/").unwrap().status, 200);
    watching.until("team/new:2 leads to what was read before");
    registry.untag("team/new", "1");
    watching.until("team/new:1 is gone");
}

/// The guide's way: webhooks in each form that Artifactory has, and new repositories without any.
#[test]
fn artifactory_tells_what_is_pushed() {
    let Some(registry) = RealRegistry::start() else { return };
    let stand_in = VendorStandIn::start(Vendor::Artifactory, registry.host());
    let (host, secret) = (stand_in.host(), "0123456789abcdef".repeat(4));
    let home = Sandbox::new()
        .with("DOCKER_SCOUT_ARTIFACTORY_API_USER", "reader")
        .with("DOCKER_SCOUT_ARTIFACTORY_API_PASSWORD", "pass")
        .with("DOCKER_SCOUT_ARTIFACTORY_WEBHOOK_SECRET", &secret);
    let push = |package: &str, name: &str| {
        let archive = alpine(package).docker_archive("example/it:1");
        registry.push(&home.file(&format!("{package}.tar"), archive), name);
    };
    push("cup", "team/app:1");
    let line = format!(
        "--registry type=artifactory,registry={host},api=http://{host}/artifactory,\
         repository=docker-local,port=0 --refresh-registry"
    );
    // Nobody looks in between: what is read was heard of.
    let mut watching = Watching::start(&home, &format!("{line} --interval 86400"));
    let (port, _) = watching.listening();
    watching.until("left alone");
    let told = |pushed: bool, tag: &str| Told {
        pushed,
        registry: host.clone(),
        repository: "team/app".to_owned(),
        tag: tag.to_owned(),
        digest: format!("sha256:{}", "1".repeat(64)),
        id: tag.to_owned(),
        at: "2026-11-21T10:00:00Z".to_owned(),
        seconds: 1_795_255_200,
    };
    let own = format!("127.0.0.1:{port}");
    let send = |form: Form, told: &Told, secret: &str| {
        Hook::new(form, told, secret).send(&own, "/").unwrap().status
    };
    for (form, package) in [
        (Form::ArtifactoryWrapped, "pot"),
        (Form::ArtifactorySigned, "lid"),
        (Form::ArtifactoryFlat, "jug"),
    ] {
        push(package, &format!("team/app:{package}"));
        assert_eq!(send(form, &told(true, package), "another secret"), 401, "{form:?}");
        assert_eq!(send(form, &told(true, package), ""), 401, "{form:?}");
        assert_eq!(send(form, &told(true, package), &secret), 200, "{form:?}");
        watching.until(&format!("docker-local/team/app:{package} linux/amd64: 1 package"));
    }
    registry.delete("team/app:pot");
    assert_eq!(send(Form::ArtifactoryWrapped, &told(false, "pot"), &secret), 200);
    watching.until("team/app:pot is gone");
    watching.kill();
    // Of a new repository nobody tells anything: it is found, by whoever looks again and again.
    let mut watching = Watching::start(&home, &format!("{line} --interval 1"));
    watching.until("webhook port");
    push("mug", "team/new:1");
    watching.until("docker-local/team/new:1 linux/amd64: 1 package");
    push("urn", "team/newer:1");
    watching.until("docker-local/team/newer:1 linux/amd64: 1 package");
    // Whoever only reads may do all that.
    let seen = stand_in.seen();
    let writes = seen.iter().filter(|it| !["GET", "HEAD"].contains(&it.method.as_str()));
    for it in writes {
        assert!(it.method == "POST" && it.path == "/artifactory/api/search/aql", "{it:?}");
    }
    // What changed is asked for by each key, and what a tag leads to without its manifest.
    assert!(seen.iter().any(|it| it.path == "/artifactory/api/search/aql"));
    assert!(seen.iter().any(|it| it.method == "HEAD" && it.path.ends_with("/manifests/pot")));
}
