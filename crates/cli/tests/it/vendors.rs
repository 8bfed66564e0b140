//! Every vendor, in every form of its webhooks and with every proof: from the hook to the analysis, at
//! a server and at a `watch`, all before one registry that is real.

use std::fmt::Write as _;

use testkit::{Form, Hook, RealRegistry, Told, Vendor, VendorStandIn};

use crate::registries::{Following, archive};
use crate::sandbox::Sandbox;
use crate::serving::Serving;
use crate::watch::Watching;

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// How it is told who we are, and who they are: with a password or as an access token, with a secret or
/// by the address alone.
const WAYS: [(&str, &str, &str); 9] = [
    ("artifactory", "signed", "reader"),
    ("artifactory", "token", ""),
    ("artifactory", "open", "reader"),
    ("azure", "signed", "reader"),
    ("azure", "open", "reader"),
    ("harbor", "signed", "reader"),
    ("harbor", "open", "reader"),
    ("nexus", "signed", "reader"),
    ("nexus", "open", "reader"),
];

fn vendor(kind: &str) -> Vendor {
    match kind {
        "artifactory" => Vendor::Artifactory,
        "azure" => Vendor::Azure,
        "harbor" => Vendor::Harbor,
        _ => Vendor::Nexus,
    }
}

/// Where it is and what is watched of it, as fields.
fn fields(kind: &str, host: &str, repository: &str) -> String {
    let more = match kind {
        "artifactory" => format!(",api=http://{host}/artifactory,repository=docker-local"),
        "azure" => String::new(),
        _ => format!(",api=http://{host}"),
    };
    format!("registry={host},include={repository}{more}")
}

/// What tells of it, once for each way to prove who sends it, with what follows the path.
fn hooks(form: Form, told: &Told, is_open: bool) -> Vec<(Hook, String)> {
    let nothing = || Hook::new(form, told, "");
    if is_open {
        return vec![(nothing(), String::new())];
    }
    let own = Hook::new(form, told, SECRET);
    if form.vendor() != "azure" {
        return vec![(own, String::new())];
    }
    // As headers that the others have, and in the address.
    let with = |name: &str, value: String| {
        let mut hook = nothing();
        hook.headers.push((name.to_owned(), value));
        (hook, String::new())
    };
    vec![
        with("authorization", format!("Bearer {SECRET}")),
        with("authorization", SECRET.to_owned()),
        with("x-webhook-secret", SECRET.to_owned()),
        (nothing(), format!("?code={SECRET}")),
    ]
}

/// Pushes an image for each form and proof of a way, tells of it at `to`, and waits until `seen` has
/// seen it. Says how many.
fn tell(
    registry: &RealRegistry,
    home: &Sandbox,
    (kind, name): (&str, &str),
    (host, repository): (&str, &str),
    (to, path): (&str, &str),
    mut seen: impl FnMut(&str),
) -> usize {
    let (is_open, mut count) = (name == "open", 0);
    let now = jiff::Timestamp::now();
    for form in Form::ALL.into_iter().filter(|it| it.vendor() == kind) {
        // Whoever signs knows a secret.
        if is_open && form == Form::ArtifactorySigned {
            continue;
        }
        let told = |tag: &str| Told {
            pushed: true,
            registry: host.to_owned(),
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            digest: format!("sha256:{}", "1".repeat(64)),
            id: tag.to_owned(),
            // What was signed long ago is not believed.
            at: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            seconds: now.as_second(),
        };
        for number in 0..hooks(form, &told("x"), is_open).len() {
            let tag = format!("{path}{form:?}{number}").to_lowercase();
            let tag = tag.rsplit('/').next().unwrap();
            let package = format!("{kind}-{name}-{tag}");
            registry.push(&archive(home, &package), &format!("{repository}:{tag}"));
            let (hook, query) = hooks(form, &told(tag), is_open).swap_remove(number);
            let sent =
                |hook: &Hook, query: &str| hook.send(to, &format!("{path}{query}")).unwrap().status;
            if !is_open {
                for (bad, query) in [("", ""), ("another", ""), ("", "?code=another")] {
                    let stranger = Hook::new(form, &told(tag), bad);
                    assert_eq!(sent(&stranger, query), 401, "{kind} {name} {form:?} {number}");
                }
            }
            for _ in 0..2 {
                assert_eq!(sent(&hook, &query), 200, "{kind} {name} {form:?} {number}");
            }
            seen(tag);
            count += 1;
        }
    }
    count
}

#[test]
fn every_form_and_proof_of_every_vendor_leads_to_an_analysis() {
    let Some(registry) = RealRegistry::start() else { return };
    let stand_ins = ["artifactory", "azure", "harbor", "nexus"]
        .map(|kind| (kind, VendorStandIn::start(vendor(kind), registry.host())));
    let host = |kind: &str| {
        stand_ins.iter().find(|it| it.0 == kind).map(|it| it.1.host()).unwrap_or_default()
    };
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 2");
    let home = Sandbox::new();
    serving.settled(&home, "it --org acme --scope admin");
    let mut following = Following::start(&home);
    for (kind, name, user) in WAYS {
        let (host, repository) = (host(kind), format!("team/{kind}-{name}"));
        let mut parameters = format!("{},password=pass", fields(kind, &host, &repository));
        if !user.is_empty() {
            let _ = write!(parameters, ",user={user}");
        }
        if name != "open" {
            let key = if kind == "harbor" { "webhook-auth" } else { "webhook-secret" };
            let _ = write!(parameters, ",{key}={SECRET}");
        }
        let line = format!("integration configure {kind} --name {name} --parameter {parameters}");
        let made = home.output(&line);
        assert!(made.status.success(), "{}", home.shown(&made));
        let address = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        let path = address.strip_prefix(&serving.root).unwrap().split('?').next().unwrap();
        let to = (serving.host(), path);
        let count = tell(&registry, &home, (kind, name), (&host, &repository), to, |_| {
            following.next("image-analysed");
        });
        let listed = home.foretop(&format!("integration list {kind} --name {name}"));
        assert!(listed.contains("connected"), "{listed}");
        let key = if kind == "artifactory" { "docker-local/" } else { "" };
        let images = home.foretop(&format!("image list {host}/{key}{repository}"));
        assert_eq!(images.matches("sha256:").count(), count, "{kind} {name}: {images}");
    }
    drop(following);
    for (kind, name, user) in WAYS {
        let (host, repository) = (host(kind), format!("team/{kind}-{name}"));
        let upper = kind.to_uppercase();
        let names = match kind {
            "azure" => ["FORETOP_AZURE_USER", "FORETOP_AZURE_TOKEN"].map(str::to_owned),
            _ => ["USER", "PASSWORD"].map(|it| format!("DOCKER_SCOUT_{upper}_API_{it}")),
        };
        let secret = if kind == "harbor" { "AUTH" } else { "SECRET" };
        let mut home = Sandbox::new().with(&names[1], "pass");
        if !user.is_empty() {
            home = home.with(&names[0], user);
        }
        if name != "open" {
            home = home.with(&format!("FORETOP_{upper}_WEBHOOK_{secret}"), SECRET);
        }
        // Nobody looks in between: what is read was heard of.
        let fields = fields(kind, &host, &repository);
        let line = format!("--registry type={kind},{fields},port=0 --interval 86400");
        let mut watching = Watching::start(&home, &line);
        let (port, _) = watching.listening();
        watching.until("left alone");
        let own = format!("127.0.0.1:{port}");
        let to = (own.as_str(), "/w");
        tell(&registry, &home, (kind, name), (&host, &repository), to, |tag| {
            watching.until(&format!("{repository}:{tag} linux/amd64: 1 package"));
        });
        watching.kill();
    }
}
