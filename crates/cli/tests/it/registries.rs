//! A server that speaks with a registry: from a push to what everybody sees, and what is said of a
//! registry that is away.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Instant;

use testkit::{
    Delivered, EventGrid, Form, Hook, RealRegistry, Relay, Subscribed, Told, Vendor, VendorStandIn,
    image, layer,
};

use crate::sandbox::Sandbox;
use crate::serving::Serving;

const SECRET: &str = "Bearer 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

pub(crate) fn archive(home: &Sandbox, package: &str) -> std::path::PathBuf {
    let installed = format!("P:{package}\nV:1.0-r0\nA:x86_64\n\n");
    let base = layer().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n");
    let built = image().layer(base).layer(layer().file("lib/apk/db/installed", installed));
    home.file(&format!("{package}.tar"), built.docker_archive("example/it:1"))
}

/// Somebody who follows what is analysed, and which tags are gone.
pub(crate) struct Following {
    child: Child,
    events: BufReader<ChildStdout>,
}

impl Following {
    pub(crate) fn start(home: &Sandbox) -> Self {
        let mut follow = home.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        follow.args(["events", "--follow", "--kind", "image-analysed,tag-gone"]);
        follow.args(["--format", "json", "--limit", "100"]);
        let mut child = follow.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let events = BufReader::new(child.stdout.take().unwrap());
        Self { child, events }
    }

    /// The next event, which has to be of that kind.
    pub(crate) fn next(&mut self, kind: &str) -> String {
        let mut line = String::new();
        assert!(self.events.read_line(&mut line).unwrap() > 0, "it goes on and on");
        assert!(line.contains(&format!("\"{kind}\"")), "{line}");
        line
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Azure's side as the guide has it: the handshake, pushes and deletions by Event Grid in both schemas
/// and by the registry's own webhooks, each image analysed once.
#[test]
fn azure_tells_what_is_pushed() {
    let Some(registry) = RealRegistry::start() else { return };
    let stand_in = VendorStandIn::start(Vendor::Azure, registry.host());
    let (host, secret) = (stand_in.host(), "0123456789abcdef+&=%".repeat(4));
    let secret = secret.as_str();
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 2");
    let home = Sandbox::new()
        .with("FORETOP_AZURE_USER", "reader")
        .with("FORETOP_AZURE_TOKEN", "pass")
        .with("FORETOP_AZURE_WEBHOOK_SECRET", secret);
    serving.settled(&home, "it --org acme --scope admin");
    let line = format!("integration configure azure --parameter registry={host}");
    let made = home.output(&line);
    assert!(made.status.success(), "{}", home.shown(&made));
    let address = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let path = address.strip_prefix(&serving.root).unwrap();
    // Event Grid is told the secret by the template, in the address alone.
    let template = home.output("integration template azure").stdout;
    let template: serde_json::Value = serde_json::from_slice(&template).unwrap();
    assert_eq!(template["parameters"]["DockerScoutWebhook"]["defaultValue"], address);
    let (bare, _) = path.split_once("?code=0123456789abcdef%2B%26%3D%25").unwrap();
    let grid = EventGrid::new(serving.host(), path);
    let bare = EventGrid::new(serving.host(), bare);
    assert_eq!(grid.subscribe("a code"), Subscribed::Active);
    assert_eq!(grid.subscribe_with_cloud_events(), Subscribed::Active);
    let nowhere = EventGrid::new(serving.host(), &path.replace("fth_", "fth_x"));
    assert!(matches!(nowhere.subscribe("a code"), Subscribed::Failed(_)));

    let mut following = Following::start(&home);
    let told = |pushed: bool, tag: &str| Told {
        pushed,
        registry: host.clone(),
        repository: "team/app".to_owned(),
        tag: tag.to_owned(),
        digest: format!("sha256:{}", "1".repeat(64)),
        id: format!("{pushed} {tag}"),
        at: "2026-11-21T10:00:00Z".to_owned(),
        seconds: 1_795_255_200,
    };
    let (mut took, mut digests) = (Vec::new(), Vec::new());
    for (form, tag) in [
        (Form::EventGrid, "grid"),
        (Form::AzureCloudEvents, "cloud"),
        (Form::AzureNative, "native"),
    ] {
        registry.push(&archive(&home, tag), &format!("team/app:{tag}"));
        let pushed = Instant::now();
        for (to, secret) in [(&grid, ""), (&bare, secret)] {
            let hook = Hook::new(form, &told(true, tag), secret);
            assert_eq!(to.deliver(&hook), Delivered::Taken(vec![]), "{form:?} `{secret}`");
        }
        let event = following.next("image-analysed");
        took.push(pushed.elapsed());
        let at = event.find("sha256:").unwrap();
        digests.push(event[at..at + 71].to_owned());
        for (to, secret) in [(&grid, "another secret"), (&bare, "another secret"), (&bare, "")] {
            let stranger = Hook::new(form, &told(true, tag), secret);
            assert_eq!(to.deliver(&stranger), Delivered::DeadLetter(1), "{form:?} `{secret}`");
        }
    }
    took.sort();
    println!("from Event Grid's word to visible, in the middle of {}: {:?}", took.len(), took[1]);
    // Event Grid says that an image was deleted; which tags are gone with it, the registry says.
    registry.delete("team/app:cloud");
    let gone = Told { digest: digests[1].clone(), ..told(false, "cloud") };
    let gone = Hook::new(Form::EventGrid, &gone, secret);
    assert_eq!(grid.deliver(&gone), Delivered::Taken(vec![]));
    let event = following.next("tag-gone");
    assert!(event.contains("team/app:cloud"), "{event}");
    let images = home.foretop(&format!("image list {host}/team/app"));
    assert_eq!(images.matches("sha256:").count(), 3, "{images}");
    let notices = home.foretop("integration notices azure --state done");
    assert_eq!(notices.matches("pushed team/app:").count(), 3, "{notices}");
    // Whoever was sent away is not forgotten.
    let listed = home.foretop("integration list");
    assert!(listed.contains("connected; 9 webhooks refused, the last at 20"), "{listed}");
    assert!(listed.contains(": its proof is missing, wrong or too old\n"), "{listed}");
}

#[test]
fn a_push_is_analysed_and_seen() {
    const PUSHES: usize = 5;
    let front = Relay::start();
    let host = front.host();
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 2");
    let home = Sandbox::new().with("FORETOP_REGISTRY_WEBHOOK_AUTH", SECRET);
    serving.settled(&home, "it --org acme --scope admin");
    // The registry is not there yet: that is said, and the integration is kept.
    let line = format!("integration configure distribution --parameter registry={host}");
    let away = home.output(&line);
    let said = home.shown(&away);
    assert!(said.starts_with("exit 1\n") && said.contains("✗ registry reachable: "), "{said}");
    assert!(said.contains("Distribution registry default is kept, and does not work: "), "{said}");
    let address = String::from_utf8(away.stdout).unwrap().trim().to_owned();
    assert!(address.starts_with(&format!("{}/hooks/distribution/fth_", serving.root)), "{address}");
    let listed = home.foretop("integration list");
    assert!(listed.contains("error: registry reachable: "), "{listed}");
    assert!(!listed.contains("fth_") && !listed.contains("Bearer"), "{listed}");

    let Some(registry) = RealRegistry::telling(0, &address, SECRET) else { return };
    front.lead_to(registry.host());
    let archives: Vec<_> = (0..PUSHES).map(|it| archive(&home, &format!("cup{it}"))).collect();
    let mut following = Following::start(&home);
    let mut took = Vec::new();
    for (number, archive) in archives.iter().enumerate() {
        registry.push(archive, &format!("team/app:v{number}"));
        let pushed = Instant::now();
        following.next("image-analysed");
        took.push(pushed.elapsed());
    }
    took.sort();
    println!("from push to visible, in the middle of {PUSHES}: {:?}", took[PUSHES / 2]);
    // The same image under another name is not analysed again; what is deleted is told.
    registry.push(&archives[0], "team/app:again");
    registry.delete("team/app:v1");
    following.next("tag-gone");
    let images = home.foretop(&format!("image list {host}/team/app"));
    assert_eq!(images.matches("sha256:").count(), PUSHES, "{images}");
    // It works by now, and says so when it is asked again.
    let again = home.foretop(&line);
    assert!(again.contains("✓ Distribution registry default is connected"), "{again}");
    assert!(again.contains(&address), "its address stays: {again}");
    let one = home.foretop("integration list distribution --name default");
    assert!(one.contains("Parameter ") && one.contains(&format!(" {host}\n")), "{one}");
    assert!(one.contains("a secret\n") && !one.contains("fth_"), "{one}");
    let json = home.foretop("integration list distribution --format json");
    assert!(json.contains("\"state\": \"connected\"") && !json.contains("fth_"), "{json}");

    let kept = home.fed("integration delete distribution", b"n\n");
    assert!(kept.starts_with("exit 1\n") && kept.contains("[y/N]"), "{kept}");
    let gone = home.foretop("integration delete distribution -y");
    assert!(gone.contains("✓ Successfully deleted Distribution registry default"), "{gone}");
    assert!(home.foretop("integration list").contains("There is no such integration yet"));
}

/// A secret that is missing in the environment does not take away the one that is kept.
#[test]
fn an_empty_variable_is_none() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 0");
    let home = Sandbox::new();
    serving.settled(&home, "it --org acme --scope admin");
    for password in ["pass", ""] {
        let mut configure = home.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
        configure.args(["integration", "configure", "oci", "--parameter", "registry=127.0.0.1:1"]);
        configure.env("FORETOP_REGISTRY_USER", "ann").env("FORETOP_REGISTRY_PASSWORD", password);
        configure.output().unwrap();
        let shown = home.foretop("integration list oci --name default");
        assert!(shown.contains("a secret\n"), "{password}: {shown}");
    }
}

/// Repositories are switched where an integration watches them, and it is told as one list what that
/// is; an address that somebody knows is given up.
#[test]
fn what_an_integration_watches_is_switched() {
    let registry = testkit::FakeRegistry::start();
    let host = registry.host();
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 1");
    let home = Sandbox::new();
    serving.settled(&home, "it --org acme --scope admin");
    let line = format!(
        "integration configure distribution --parameter registry={host},repository=team/app,ours,\
         \"tag=^v[0-9]{{1,3}}$\" --parameter user=a,\"password=b,c=d\""
    );
    let made = home.output(&line);
    assert!(made.status.success(), "{}", home.shown(&made));
    let one = home.foretop("integration list distribution --name default");
    for expect in ["repository  team/app,ours\n", "tag         ^v[0-9]{1,3}$\n", "user        a\n"]
    {
        assert!(one.contains(expect), "{expect}: {one}");
    }
    let check = |line: &str, expect: &str| {
        let said = home.foretop(line);
        assert!(said.contains(expect), "{line}: {said}");
    };
    let done = |what: &str, name: &str| format!("✓ Successfully {what} repository {name}\n");
    check(
        "repo enable team/app --integration distribution",
        &done("enabled", &format!("{host}/team/app")),
    );
    check(
        &format!("repo enable elsewhere --registry {host}"),
        &done("enabled", &format!("{host}/elsewhere")),
    );
    check("repo enable acme/web --registry hub.docker.com", &done("enabled", "docker.io/acme/web"));
    check("repo list --only-registry hub.docker.com", "\ndocker.io/acme/web  yes\n");
    let all = home.foretop("repo disable --all --integration distribution/default");
    assert_eq!(
        all,
        format!("exit 0\n--- stderr\n    {}", done("disabled", &format!("{host}/team/app")))
    );
    let string = format!("repo disable --all --registry type=oci,registry={host},exclude=team/*");
    let all = home.foretop(&string);
    assert_eq!(
        all,
        format!("exit 0\n--- stderr\n    {}", done("disabled", &format!("{host}/elsewhere")))
    );
    check("repo list --only-enabled", "\ndocker.io/acme/web  yes\n");
    check(
        "repo enable team/app --integration nexus",
        "error: --integration nexus: there is none\nhint: there are: distribution/default\n",
    );

    let address = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let renewed = home.output("integration renew distribution");
    let renewed = String::from_utf8(renewed.stdout).unwrap().trim().to_owned();
    let status = |address: &str| {
        let path = address.strip_prefix(&serving.root).unwrap();
        let mut hook = Hook::options("x");
        "POST".clone_into(&mut hook.method);
        hook.body = b"{\"events\":[]}".to_vec();
        hook.send(serving.host(), path).unwrap().status
    };
    assert_eq!((status(&address), status(&renewed)), (404, 200));
    check("integration renew oci", "error: integration renew: OCI registry has no webhooks\n");
    check("integration renew nexus", "error: integration `nexus default`: there is none\n");
}

#[test]
fn what_is_said_wrongly_is_told() {
    let home = Sandbox::new();
    let check = |line: &str, expect: &str| {
        let said = home.foretop(line);
        assert!(said.starts_with("exit 1\n") && said.contains(expect), "{expect}: {said}");
    };
    check(
        "integration configure quay",
        "error: integration `quay`: nobody here speaks with that\n",
    );
    check(
        "integration configure oci --parameter x",
        "error: --parameter: there is no value in it\n",
    );
    check(
        "integration configure oci --parameter registry=r.example,\"password=a",
        "error: --parameter: password: its quote is never closed\n",
    );
    check(
        "integration configure oci --parameter registry=a.example,registry=b.example",
        "error: --parameter registry: it is told more than once\n",
    );
    check(
        "integration configure oci --parameter registry=a.example --parameter registry=b.example",
        "error: --parameter registry: it is told more than once\n",
    );
    // Where there is no server, nobody is there to hear it.
    check(
        "integration configure oci --parameter registry=a.example",
        "error: integration: nobody is here all the time to hear it\nhint: foretop watch ",
    );
    let help = home.foretop("integration configure -h");
    assert!(help.contains("  azure         registry*, repository, include"), "{help}");
}
