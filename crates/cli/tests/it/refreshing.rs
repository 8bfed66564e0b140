//! A server that keeps its almanac fresh: what a feed says becomes an event without anybody's doing.

use std::time::{Duration, Instant};

use testkit::{Fault, Mirror, ReceiverStandIn, Receives};

use crate::sandbox::Sandbox;
use crate::serving::Serving;

const SECDB: &str = "/packages.wolfi.dev/os/security.json";
const KEV: &str = "/www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";

/// What Wolfi says of its teapot: which version mends what.
fn secdb(fixes: &str) -> String {
    secdb_of(&[("teapot", fixes)])
}

/// What Wolfi says of these packages.
fn secdb_of(packages: &[(&str, &str)]) -> String {
    let told = packages.iter().map(|(name, fixes)| {
        format!(r#"{{"pkg": {{"name": "{name}", "secfixes": {{{fixes}}}}}}}"#)
    });
    format!(
        r#"{{"apkurl": "{{{{urlprefix}}}}/{{{{reponame}}}}/{{{{arch}}}}/{{{{pkg.name}}}}-{{{{pkg.ver}}}}.apk",
  "archs": ["x86_64"], "reponame": "os", "urlprefix": "https://packages.wolfi.dev",
  "packages": [{}]}}"#,
        told.collect::<Vec<_>>().join(", ")
    )
}

/// The catalogue of what is known to be exploited.
fn catalog(ids: &[&str]) -> String {
    let all = ids.iter().map(|id| {
        format!(
            r#"{{"cveID": "{id}", "vendorProject": "Tea", "product": "Pot", "vulnerabilityName": "Hot",
  "dateAdded": "2026-05-04", "shortDescription": "Hot.", "requiredAction": "Wait.",
  "dueDate": "2026-05-25", "knownRansomwareCampaignUse": "Unknown", "notes": "", "cwes": []}}"#
        )
    });
    let all: Vec<String> = all.collect();
    format!(
        r#"{{"title": "Catalog", "catalogVersion": "2026.05.04", "dateReleased": "2026-05-04T15:00:00.000Z",
  "count": {}, "vulnerabilities": [{}]}}"#,
        all.len(),
        all.join(",")
    )
}

/// A mirror, a house with an almanac from it, and a server there.
fn begun(behind: &str) -> (Mirror, Sandbox, Serving, Sandbox) {
    let mirror = Mirror::start();
    mirror.says(SECDB, &secdb(r#""1.0-r1": ["CVE-2026-0001"]"#));
    mirror.says(KEV, &catalog(&["CVE-2020-0001"]));
    let house = Sandbox::new().with("FORETOP_ALMANAC_MIRROR", &mirror.url());
    let fetched = house.foretop("almanac update --feed wolfi,kev");
    assert!(fetched.starts_with("exit 0\n"), "{fetched}");
    let line = format!("--organization acme --workers 1 --rate-limit 0 {behind}");
    let serving = Serving::start(&house, &line);
    let ann = Sandbox::new();
    serving.settled(&ann, "ci --org acme --scope admin");
    for (name, package) in [("web", "teapot"), ("db", "kettle")] {
        let installed = format!("P:{package}\nV:1.2-r0\nA:x86_64\no:{package}\n\n");
        let release = "ID=wolfi\nVERSION_ID=20260101\nPRETTY_NAME=\"Wolfi\"\n";
        let layer = testkit::layer()
            .file("etc/os-release", release)
            .file("lib/apk/db/installed", installed);
        let file = format!("{name}.tar");
        let image = testkit::image().layer(layer).docker_archive(&format!("myorg/{name}:v1"));
        ann.file(&file, image);
        for line in [
            format!("push archive://{file}"),
            format!("env {} myorg/{name}:v1", if name == "web" { "production" } else { "staging" }),
        ] {
            let said = ann.foretop(&line);
            assert!(said.starts_with("exit 0\n"), "{line}: {said}");
        }
    }
    (mirror, house, serving, ann)
}

/// Waits for an event of that kind, and says all there are of it.
#[track_caller]
fn waited(ann: &Sandbox, kind: &str, word: &str) -> String {
    let begun = Instant::now();
    loop {
        let said = ann.foretop(&format!("events --kind {kind}"));
        if said.contains(word) {
            return said;
        }
        assert!(begun.elapsed() < Duration::from_mins(3), "{word} is never told: {said}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_new_advisory_is_an_event_where_it_matters() {
    let (mirror, house, _serving, ann) = begun("--refresh-every 1s");
    // That nothing is new costs little: nothing but questions.
    let begun = Instant::now();
    let asked = mirror.asked(SECDB);
    while mirror.asked(SECDB) < asked + 2 {
        assert!(begun.elapsed() < Duration::from_mins(3), "it is asked again");
        std::thread::sleep(Duration::from_millis(50));
    }
    mirror.says(SECDB, &secdb(r#""1.0-r1": ["CVE-2026-0001"], "1.3-r0": ["CVE-2026-0002"]"#));
    let told = waited(&ann, "finding-new", "CVE-2026-0002");
    assert!(told.contains("production  finding-new  CVE-2026-0002 of teapot@1.2-r0"), "{told}");
    assert_eq!(told.matches("finding-new").count(), 1, "nobody else is told: {told}");
    // One that fails keeps nothing else from being had.
    for (number, bad) in
        [Fault::status(500), Fault::BreakAfter(100), Fault::Html(200)].into_iter().enumerate()
    {
        mirror.spoils(SECDB, bad);
        let id = ["CVE-2026-0002", "CVE-2026-0003", "CVE-2026-0004"][number];
        mirror.says(KEV, &catalog(&["CVE-2020-0001", id]));
        if number == 0 {
            waited(&ann, "finding-exploited", id);
        } else {
            let begun = Instant::now();
            while !house.foretop(&format!("almanac show {id}")).contains("attacks") {
                assert!(begun.elapsed() < Duration::from_mins(3), "{number}");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        // What it said before still holds.
        let whole = house.foretop("almanac show CVE-2026-0002");
        assert!(whole.contains("1.3-r0"), "{number}: {whole}");
    }
    assert!(!ann.foretop("events --kind finding").contains("finding-gone"));
}

/// From a feed to a channel: who is told what, and that nobody else is.
#[test]
fn a_new_advisory_is_told_to_those_it_is_for() {
    let (mirror, _house, _serving, ann) = begun("--refresh-every 1s --outgoing 127.0.0.1");
    let typed = |line: &str| {
        let said = ann.foretop(line);
        assert!(said.starts_with("exit 0\n"), "{line}: {said}");
        said
    };
    typed("env testing myorg/web:v1");
    typed("enroll other");
    let signed = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let receivers = [
        ("acme", "slack/ops", "production", Receives::Slack),
        ("acme", "teams/testers", "testing", Receives::Teams),
        ("acme", "webhook/staging", "staging", Receives::Webhook(signed.to_owned())),
        ("other", "slack/strangers", "*", Receives::Slack),
    ];
    let receivers = receivers.map(|(organisation, channel, environment, receives)| {
        let is_signed = matches!(receives, Receives::Webhook(_));
        let stand_in = ReceiverStandIn::start(receives);
        ann.file("url.txt", stand_in.url());
        ann.file("secret.txt", signed);
        let (kind, name) = channel.split_once('/').unwrap();
        let secret = if is_signed { " --parameter secret=@secret.txt" } else { "" };
        typed(&format!(
            "integration configure {kind} --name {name} --org {organisation} --parameter url=@url.txt{secret}"
        ));
        typed(&format!(
            "rule add {name} --org {organisation} --channel {channel} --on all --env {environment}"
        ));
        stand_in
    });
    let told = |expect: [usize; 4]| {
        let begun = Instant::now();
        while receivers.iter().map(|it| it.heard().len()).ne(expect) {
            let heard: Vec<usize> = receivers.iter().map(|it| it.heard().len()).collect();
            let all = ann.foretop("notification list --org acme");
            let all = format!("{all}{}", ann.foretop("events --org acme"));
            assert!(begun.elapsed() < Duration::from_mins(2), "{heard:?}\n{all}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let teapot = ("teapot", r#""1.0-r1": ["CVE-2026-0001"], "1.3-r0": ["CVE-2026-0002"]"#);
    mirror.says(SECDB, &secdb_of(&[teapot]));
    told([1, 1, 0, 0]);
    // What happens later is told later: so nobody else has been told of the first.
    mirror.says(SECDB, &secdb_of(&[teapot, ("kettle", r#""1.4-r0": ["CVE-2026-0003"]"#)]));
    told([1, 1, 1, 0]);
    for (stand_in, environment, flaw, package, fix) in [
        (&receivers[0], "production", "CVE-2026-0002", "teapot", "1.3-r0"),
        (&receivers[1], "testing", "CVE-2026-0002", "teapot", "1.3-r0"),
        (&receivers[2], "staging", "CVE-2026-0003", "kettle", "1.4-r0"),
    ] {
        assert!(stand_in.complaints().is_empty(), "{:?}", stand_in.complaints());
        let text = String::from_utf8(stand_in.heard()[0].body.clone()).unwrap();
        for word in [environment, flaw, package, fix] {
            assert!(text.contains(word), "{environment}: {word} is not in {text}");
        }
        for other in ["production", "testing", "staging"] {
            assert_eq!(text.contains(other), other == environment, "{text}");
        }
        // Where it runs, and who brought it there.
        assert!(text.contains("myorg/") && text.contains("ann"), "{text}");
    }
}

#[test]
fn who_is_killed_over_it_leaves_the_former() {
    let (mirror, house, mut serving, ann) = begun("--refresh-every 1s");
    mirror.spoils(SECDB, Fault::StallAfter(0));
    let asked = mirror.asked(SECDB);
    let begun = Instant::now();
    while mirror.asked(SECDB) <= asked {
        assert!(begun.elapsed() < Duration::from_mins(3), "it is asked again");
        std::thread::sleep(Duration::from_millis(50));
    }
    // Who waits for an answer writes nothing, so this is the former until it is killed.
    let before = house.foretop("almanac show CVE-2026-0001");
    serving.kill();
    assert_eq!(house.foretop("almanac show CVE-2026-0001"), before);
    let whole = house.foretop("almanac verify");
    assert!(whole.starts_with("exit 0\n"), "{whole}");
    // What it had begun has ended with it, and the next one goes on, at once.
    mirror.says(SECDB, &secdb(r#""1.3-r0": ["CVE-2026-0002"]"#));
    let begun = Instant::now();
    loop {
        let said = house.foretop("almanac update --feed kev");
        if said.starts_with("exit 0\n") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_mins(3), "{said}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let house = house.with("FORETOP_REFRESH", &format!("mirror={}", mirror.url()));
    serving.again(&house, 1);
    drop(ann);
}

#[test]
fn where_it_is_not_kept_fresh_it_is_said() {
    let check = |house: &Sandbox, line: &str, expect: &str| {
        let said = house.foretop(&format!("serve --listen 127.0.0.1:0 --workers 0 {line}"));
        assert!(said.starts_with("exit 1\n") && said.contains(expect), "{line}: {said}");
    };
    let house = Sandbox::new().with("FORETOP_OFFLINE", "1");
    check(&house, "--refresh publishers", "nothing may be fetched: we are offline");
    let house = Sandbox::new();
    check(&house, "--refresh oci=r.example/almanac", "nobody is trusted yet");
    check(&house, "--refresh publishers --refresh-every 5m", "publishers are not asked that often");
    let file = house.file("file", "");
    let line = format!("--refresh publishers --almanac {}", file.display());
    check(&house, &line, "the almanac cannot be written to");
    let wrong = Sandbox::new().with("FORETOP_REFRESH", "sometimes");
    check(&wrong, "", "FORETOP_REFRESH: `sometimes` is nowhere");
    let said = house.foretop("serve --refresh sometimes");
    assert!(
        said.starts_with("exit 1\n") && said.contains("write publishers, mirror=URL"),
        "{said}"
    );
    let said = house.foretop("almanac --attended status");
    assert!(said.starts_with("exit 1\n"), "{said}");
}
