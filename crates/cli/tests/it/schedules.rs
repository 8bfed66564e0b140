//! `foretop schedule`: what a server checks again and again, and that it answers as `cves --env`.

use crate::sandbox::Sandbox;
use crate::serving::Serving;
use crate::story::{npm, service};
use crate::teahouse::DOCUMENTS;

/// A house with an almanac, and somebody who owns what its server has.
fn begun() -> (Sandbox, Serving, Sandbox) {
    let house = Sandbox::new().with("FORETOP_LOG", "warn").with("FORETOP_OFFLINE", "1");
    for (path, text) in DOCUMENTS {
        house.file(&format!("feeds/{path}"), text);
    }
    let built = house.foretop("almanac build --from feeds");
    assert!(built.starts_with("exit 0\n"), "{built}");
    let serving = Serving::start(&house, "--organization acme --workers 1 --rate-limit 0");
    let ann = Sandbox::new();
    serving.settled(&ann, "ci --org acme --scope admin");
    let leaves = |version| npm(testkit::layer(), "tea-leaves", version);
    let images = [
        ("web", "v1", leaves("1.2.0")),
        ("web", "v2", leaves("1.4.0")),
        ("db", "v1", npm(testkit::layer(), "pg", "8.0.0")),
    ];
    for (name, tag, layer) in images {
        let name = format!("myorg/{name}:{tag}");
        let file = format!("{}.tar", name.replace(['/', ':'], "-"));
        ann.file(&file, service(layer).docker_archive(&name));
        ann.done(&format!("push archive://{file}"));
    }
    (house, serving, ann)
}

#[test]
fn the_answer_is_that_of_cves() {
    let (_house, _serving, ann) = begun();
    let digest = "1".repeat(64);
    for line in [
        "env production myorg/web:v1",
        "env production myorg/db:v1",
        "env staging myorg/web:v2",
        "env staging myorg/db:v1",
        "env dark myorg/db:v1",
        &format!("env dark myorg/new:v1@sha256:{digest}"),
        "env create empty",
    ] {
        ann.done(line);
    }
    let wishes = [
        "",
        "--only-severity high",
        "--only-severity critical,low",
        "--only-fixed",
        "--only-unfixed",
        "--only-cisa-kev",
    ];
    let mut shut = 0;
    for environment in ["production", "staging", "dark", "empty"] {
        for (number, wish) in wishes.iter().enumerate() {
            let name = format!("{environment}-{number}");
            ann.done(&format!("schedule add {name} --env {environment} --cron @daily {wish}"));
            let told = ann.foretop(&format!("cves --env {environment} --exit-code {wish}"));
            let checked = ann.foretop(&format!("schedule run {name} --exit-code"));
            // What runs nowhere is an error there, and nothing that anybody can tell here.
            let expect = if told.starts_with("exit 1\n") { "exit 2\n" } else { &told[..7] };
            assert!(checked.starts_with(expect), "{name} {wish}: {told} {checked}");
            shut += u32::from(expect == "exit 2\n");
        }
    }
    assert!((10..=20).contains(&shut), "{shut}");
    let told = ann.foretop("schedule run production-1");
    assert!(told.contains("GHSA-aaaa-bbbb-cccc") || told.contains("CVE-2024-0021"), "{told}");
    assert!(told.contains("production-1: failed: 1 high"), "{told}");
    let events = ann.foretop("events --kind check-failed --limit 1");
    assert!(events.contains("production  check-failed"), "{events}");
    assert!(events.contains("production-1: failed: 1 high, the worst "), "{events}");
}

#[test]
fn listed_changed_and_removed() {
    let (_house, _serving, ann) = begun();
    ann.done("env production myorg/db:v1");
    let none = ann.foretop("schedule list");
    assert!(none.contains("Nothing is checked again and again yet"), "{none}");
    let added = ann.output("schedule add morning --env production --cron @daily --zone Asia/Tokyo");
    assert!(added.status.success(), "{}", ann.shown(&added));
    let listed = ann.done("schedule list");
    assert!(listed.contains("morning  production   anything"), "{listed}");
    assert!(listed.contains("@daily Asia/Tokyo") && listed.contains("T15:00:00Z"), "{listed}");
    assert!(listed.contains("not checked yet"), "{listed}");
    let run = ann.done("schedule run morning");
    assert!(run.contains("morning: passed"), "{run}");
    let json = ann.output("schedule run morning --format json");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["last"]["verdict"], "passed");
    let line =
        "schedule add morning --env production --cron @daily --zone Asia/Tokyo --format json";
    let json: serde_json::Value = serde_json::from_slice(&ann.output(line).stdout).unwrap();
    assert_eq!((&json["name"], &json["zone"]), (&"morning".into(), &"Asia/Tokyo".into()));
    ann.done("env rename production live");
    let json = ann.output("schedule list morning --format json");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        (&json[0]["environment"], &json[0]["last"]["verdict"]),
        (&"live".into(), &"passed".into())
    );
    ann.done("env delete live --force");
    let gone = ann.foretop("schedule run morning -e");
    assert!(gone.starts_with("exit 2\n"), "{gone}");
    assert!(gone.contains("nobody can tell: there is no environment live"), "{gone}");
    assert!(ann.done("schedule list").contains("live (not there)"));
    for (line, expect) in [
        (
            "schedule add x --env production --cron @daily",
            "environment `production`: there is none",
        ),
        ("schedule run x", "schedule `x`: there is none"),
        ("schedule remove x", "schedule `x`: there is none"),
        ("schedule add x --env live --cron @reboot", "cron: there is no such word"),
        ("schedule add x --env live --cron 99", "cron: it has 1 field, and not five"),
        (
            "schedule add x --env live --cron @daily --zone Nowhere",
            "zone: `Nowhere` is no time zone",
        ),
    ] {
        let said = ann.foretop(line);
        assert!(said.starts_with("exit 1\n") && said.contains(expect), "{line}: {said}");
    }
    ann.done("schedule remove morning");
    let alone = crate::environment::alone(Sandbox::new());
    alone.foretop("env create production");
    let said = alone.foretop("schedule add x --env production --cron @daily");
    assert!(said.contains("nobody is here all the time to check it"), "{said}");
}
