//! What goes wrong is told, with what to do about it.

use std::net::TcpListener;

use testkit::{FakeRegistry, Fault, Vendor, VendorStandIn};

use super::{Watching, alpine, shown};
use crate::sandbox::Sandbox;
use crate::serving::Serving;

/// Whoever may not send what is read hears so before anything is read.
#[test]
fn a_token_that_may_not_push_is_told_of_at_the_start() {
    let registry = FakeRegistry::start();
    registry.push("team/app", "1", &alpine("cup"));
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 0");
    let home = Sandbox::new();
    let token = serving.settled(&home, "it --org acme --scope read");
    let reader = Sandbox::new()
        .with("FORETOP_SERVER", &serving.root)
        .with("FORETOP_TOKEN", &token)
        .with("FORETOP_ORGANIZATION", "acme");
    let line = format!("watch --registry {} --once --all-images", registry.host());
    let said = reader.foretop(&line);
    assert!(said.starts_with("exit 1\n"), "{said}");
    let expect = "may not push images to organization acme\n";
    assert!(said.contains(expect) && said.contains("nothing was read"), "{said}");
    assert!(!registry.seen().iter().any(|it| it.path.contains("/blobs/")), "{said}");
    // Whoever sends nothing needs no more.
    let said = reader.foretop(&format!("{line} --dry-run"));
    assert!(said.starts_with("exit 0\n") && said.contains("nothing was sent"), "{said}");
}

/// The token goes before user and password, as everywhere, and what is shown is what is said.
#[test]
fn a_token_goes_before_user_and_password() {
    let bearer = "Bearer a-token";
    let registry = FakeRegistry::start().guarded(testkit::Guard::Bearer("a-token".to_owned()));
    registry.push("team/app", "1", &alpine("cup"));
    let host = registry.host();
    let home = Sandbox::new()
        .with("FORETOP_REGISTRY_USER", "ann")
        .with("FORETOP_REGISTRY_PASSWORD", "pass")
        .with("FORETOP_REGISTRY_TOKEN", "a-token");
    let said = shown(&home, &host, &format!("watch --registry {host} --once"));
    assert!(said.starts_with("exit 0\n"), "{said}");
    assert!(said.contains("✓ credentials: an access token\n"), "{said}");
    assert!(registry.seen().iter().any(|it| it.authorization.as_deref() == Some(bearer)));
    let basic = |it: &str| it.starts_with("Basic");
    assert!(!registry.seen().iter().any(|it| it.authorization.as_deref().is_some_and(basic)));
    // A setting of Harbor's is not there, so what is usual is shown.
    let home = Sandbox::new()
        .with("FORETOP_REGISTRY_USER", "ann")
        .with("FORETOP_REGISTRY_PASSWORD", "pass");
    let line = "watch --once --registry type=harbor,registry=127.0.0.1:1,api=http://127.0.0.1:1";
    assert!(home.foretop(line).contains("✓ credentials: user ann\n"));
}

/// A name that is none, and one that nothing has.
#[test]
fn a_repository_that_is_not_there_is_told_of() {
    let registry = FakeRegistry::start();
    registry.push("team/app", "1", &alpine("cup"));
    let host = registry.host();
    let home = Sandbox::new();
    let watch = |name: &str| {
        let line = format!("watch --once --registry {host} --repository {name}");
        shown(&home, &host, &line)
    };
    let said = watch("team/app:v1");
    assert!(said.starts_with("exit 1\n"), "{said}");
    assert!(said.contains("error: repository: `team/app:v1` is no name of one\nhint: "), "{said}");
    let said = watch("team/ap");
    assert!(said.starts_with("exit 1\n"), "{said}");
    let expect = "hint: push an image to it, or see whether its name is right";
    assert_eq!(said.lines().last(), Some(expect), "{said}");
}

/// A catalog that is never told is said to be so, and is no failure.
#[test]
fn what_stays_missing_is_said_once() {
    let registry = FakeRegistry::start();
    registry.push("team/app", "1", &alpine("cup"));
    let stand_in = VendorStandIn::start(Vendor::Azure, &registry.host());
    let host = stand_in.host();
    let home =
        Sandbox::new().with("FORETOP_AZURE_USER", "reader").with("FORETOP_AZURE_TOKEN", "pass");
    let line = format!("--registry type=azure,registry={host} --refresh-registry --interval 1");
    let mut watching = Watching::start(&home, &line);
    watching.until("left alone");
    stand_in.hide_catalog();
    watching.until("! the catalog: it is not told (");
    for tag in ["2", "3"] {
        registry.push("team/app", tag, &alpine(tag));
        let said = watching.until(&format!("team/app:{tag} linux/amd64: 1 package"));
        assert!(!said.contains("not told"), "{said}");
        let said = watching.until("1 read");
        assert!(said.ends_with("1 read\n"), "{said}");
    }
}

/// What goes wrong is said once, with what to do about it.
#[test]
fn a_look_that_fails_says_why() {
    let registry = FakeRegistry::start();
    registry.push("team/app", "1", &alpine("cup"));
    let host = registry.host();
    let home = Sandbox::new();
    let line = format!("watch --registry {host} --once");
    // The start-up check may list, and the look itself may not.
    registry.plan_after("_catalog", 1, 100, Fault::status(403));
    let said = shown(&home, &host, &line);
    assert!(said.starts_with("exit 1\n"), "{said}");
    let last: Vec<&str> = said.lines().rev().take(2).collect();
    assert!(last[1].starts_with("error: [REGISTRY]: "), "{said}");
    let expect = "hint: allow it to list the catalog, or name the repositories";
    assert_eq!(last[0], expect, "{said}");
    assert!(!said.contains("! [REGISTRY]: "), "{said}");
}

#[test]
fn what_is_missing_is_said_before_it_begins() {
    let home = Sandbox::new();
    let check = |line: &str, expect: &[&str]| {
        let said = home.foretop(line);
        assert!(said.starts_with("exit 1\n"), "{said}");
        for expect in expect {
            assert!(said.contains(expect), "{expect}: {said}");
        }
    };
    check("watch", &["error: nothing to watch: no registry is named\nhint: "]);
    check(
        "watch --registry type=nexus,registry=r.example",
        &["error: --registry: api: it must be told"],
    );
    check("watch --registry r.example --tag (", &["error: --tag: `(` is no regular expression"]);
    check("watch --repository r.example/a --refresh-registry", &["--registry"]);
    check("watch --registry r.example --interval 0", &["--interval"]);
    // A registry that is away, and a port that somebody has.
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let away = "127.0.0.1:1";
    check(
        &format!("watch --registry type=distribution,registry={away},port={port}"),
        &[
            "✓ Foretop reachable: this machine, organization local\n",
            "✗ registry reachable: ",
            "! webhooks prove who sends them: no secret is set",
            &format!("✗ webhook port: cannot listen on 0.0.0.0:{port}: "),
            &format!("error: cannot watch {away}: 2 of 5 things that it needs are not there\n"),
        ],
    );
    // A secret has no place on the command line.
    check(
        &format!("watch --registry type=distribution,registry={away},webhook-auth=x"),
        &[
            "webhook-auth: whoever lists processes would see it\nhint: put it into FORETOP_REGISTRY_WEBHOOK_AUTH",
        ],
    );
}

#[test]
fn two_do_not_watch_the_same() {
    let registry = FakeRegistry::start();
    registry.push("team/app", "1", &alpine("cup"));
    let home = Sandbox::new();
    let line = format!("--registry {}", registry.host());
    let mut watching = Watching::start(&home, &line);
    watching.until("left alone");
    let said = home.foretop(&format!("watch {line} --once"));
    assert!(
        said.contains("error: another `foretop watch` watches this registry already\n"),
        "{said}"
    );
    watching.kill();
    let said = home.foretop(&format!("watch {line} --once"));
    assert!(said.starts_with("exit 0\n"), "{said}");
}
