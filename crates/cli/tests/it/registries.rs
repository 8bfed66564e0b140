//! A server that speaks with a registry: from a push to what everybody sees, and what is said of a
//! registry that is away.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use testkit::{RealRegistry, image, layer};

use crate::sandbox::Sandbox;
use crate::serving::Serving;

const SECRET: &str = "Bearer 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn archive(home: &Sandbox, package: &str) -> std::path::PathBuf {
    let installed = format!("P:{package}\nV:1.0-r0\nA:x86_64\n\n");
    let base = layer().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n");
    let built = image().layer(base).layer(layer().file("lib/apk/db/installed", installed));
    home.file(&format!("{package}.tar"), built.docker_archive("example/it:1"))
}

#[test]
fn a_push_is_analysed_and_seen() {
    const PUSHES: usize = 5;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let serving = Serving::start(&house, "--organization acme --workers 2");
    let home = Sandbox::new().with("FORETOP_REGISTRY_WEBHOOK_AUTH", SECRET);
    serving.settled(&home, "it --org acme --scope admin");
    // The registry is not there yet: that is said, and the integration is kept.
    let line = format!("integration configure distribution --parameter registry=127.0.0.1:{port}");
    let away = home.output(&line);
    let said = home.shown(&away);
    assert!(said.starts_with("exit 1\n") && said.contains("✗ registry reachable: "), "{said}");
    assert!(said.contains("Distribution registry default is kept, and does not work: "), "{said}");
    let address = String::from_utf8(away.stdout).unwrap().trim().to_owned();
    assert!(address.starts_with(&format!("{}/hooks/distribution/fth_", serving.root)), "{address}");
    let listed = home.foretop("integration list");
    assert!(listed.contains("error: registry reachable: "), "{listed}");
    assert!(!listed.contains("fth_") && !listed.contains("Bearer"), "{listed}");

    let Some(registry) = RealRegistry::telling(port, &address, SECRET) else {
        println!("left out: docker-registry or skopeo is missing");
        return;
    };
    let archives: Vec<_> = (0..PUSHES).map(|it| archive(&home, &format!("cup{it}"))).collect();
    let mut follow = home.command(Path::new(env!("CARGO_BIN_EXE_foretop")));
    follow.args(["events", "--follow", "--kind", "image-analysed,tag-gone", "--format", "json"]);
    follow.args(["--limit", "100"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut follow = follow.spawn().unwrap();
    let mut events = BufReader::new(follow.stdout.take().unwrap());
    let mut next = |kind: &str| {
        let mut line = String::new();
        assert!(events.read_line(&mut line).unwrap() > 0, "it goes on and on");
        assert!(line.contains(&format!("\"{kind}\"")), "{line}");
    };
    let mut took = Vec::new();
    for (number, archive) in archives.iter().enumerate() {
        registry.push(archive, &format!("team/app:v{number}"));
        let pushed = Instant::now();
        next("image-analysed");
        took.push(pushed.elapsed());
    }
    took.sort();
    println!("from push to visible, in the middle of {PUSHES}: {:?}", took[PUSHES / 2]);
    // The same image under another name is not analysed again; what is deleted is told.
    registry.push(&archives[0], "team/app:again");
    registry.delete("team/app:v1");
    next("tag-gone");
    let _ = follow.kill();
    let _ = follow.wait();
    let images = home.foretop(&format!("image list 127.0.0.1:{port}/team/app"));
    assert_eq!(images.matches("sha256:").count(), PUSHES, "{images}");
    // It works by now, and says so when it is asked again.
    let again = home.foretop(&line);
    assert!(again.contains("✓ Distribution registry default is connected"), "{again}");
    assert!(again.contains(&address), "its address stays: {again}");
    let json = home.foretop("integration list distribution --format json");
    assert!(json.contains("\"state\": \"connected\"") && !json.contains("fth_"), "{json}");

    let kept = home.fed("integration delete distribution", b"n\n");
    assert!(kept.starts_with("exit 1\n") && kept.contains("[y/N]"), "{kept}");
    let gone = home.foretop("integration delete distribution -y");
    assert!(gone.contains("✓ Successfully deleted Distribution registry default"), "{gone}");
    assert!(home.foretop("integration list").contains("There is no such integration yet"));
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
