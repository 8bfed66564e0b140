//! `foretop exception`: what a team decided about flaws is heard by all that judges, and nowhere else.

use crate::sandbox::Sandbox;
use crate::serving::Serving;
use crate::story::{npm, service};
use crate::teahouse::DOCUMENTS;

const FLAW: &str = "CVE-2024-0021";

fn begun(house: &Sandbox) {
    for (path, text) in DOCUMENTS {
        house.file(&format!("feeds/{path}"), text);
    }
    house.done("almanac build --from feeds");
}

/// Two versions of an application, of which the former one has a flaw, run in two environments.
fn brought_out(ann: &Sandbox) {
    let leaves = |version| npm(testkit::layer(), "tea-leaves", version);
    for (tag, version) in [("v1", "1.2.0"), ("v2", "1.4.0")] {
        let name = format!("myorg/web:{tag}");
        ann.file(&format!("{tag}.tar"), service(leaves(version)).docker_archive(&name));
        ann.done(&format!("push archive://{tag}.tar"));
    }
    ann.done("env production myorg/web:v1");
    ann.done("env staging myorg/web:v1");
}

/// Everybody who judges hears it.
fn heard(ann: &Sandbox) {
    for place in ["production", "staging"] {
        ann.exits(2, &format!("cves --env {place} --exit-code"));
    }
    let added = ann.done(&format!(
        "exception add proxy --cve {FLAW} --kind accepted-risk --note later \
             --image myorg/web --env production --package pkg:npm/tea-leaves --expires 2999-01-01"
    ));
    assert!(added.contains("Exception proxy is made: CVE-2024-0021 until 2999-01-01T"), "{added}");
    let cves = ann.done("cves --env production --exit-code");
    assert!(cves.contains("SUPPRESSED"), "{cves}");
    ann.exits(2, "cves --env staging --exit-code");
    let quickview = ann.done("quickview --env production");
    assert!(quickview.contains("0H"), "{quickview}");
    // What is accepted where it goes is no reason not to go there, and elsewhere it is.
    for place in ["production", "staging"] {
        ann.done(&format!("env {place} myorg/web:v2"));
    }
    let compare = "compare archive://v1.tar --exit-on vulnerability --to-env";
    ann.done(&format!("{compare} production"));
    ann.exits(2, &format!("{compare} staging"));
    for place in ["production", "staging"] {
        ann.done(&format!("env {place} myorg/web:v1"));
    }
    let seen = ann.json(&format!("where {FLAW} --format json"));
    let deployments = seen["found"][0]["deployments"].as_array().unwrap();
    for it in deployments {
        let is_out = it["statement"]["origin"] == "exception proxy";
        assert_eq!(is_out, it["deployment"]["environment"] == "production", "{it}");
    }
    let why = ann.done(&format!("explain archive://v1.tar {FLAW} --env production"));
    assert!(why.contains("(exception proxy) says accepted (later)"), "{why}");
    let why = ann.done(&format!("explain archive://v1.tar {FLAW} --env staging"));
    assert!(!why.contains("exception proxy"), "{why}");
}

/// It is listed for people, for programs and for other programs; and is let go of.
fn listed(ann: &Sandbox) {
    let listed = ann.done("exception list");
    assert!(listed.contains("proxy  CVE-2024-0021  accepted-risk"), "{listed}");
    let all = ann.json("exception list --format json");
    assert_eq!(all[0]["definition"]["environments"], serde_json::json!(["production"]));
    // For what runs nowhere counts what holds everywhere, where somebody names the organisation.
    ann.done(&format!(
        "exception add wrong --flaw {FLAW} --kind false-positive \
             --justification vulnerable_code_not_present"
    ));
    ann.exits(2, "cves archive://v1.tar --exit-code");
    let named = ann.done("cves archive://v1.tar --exit-code --org acme");
    assert!(named.contains("vulnerable code not present"), "{named}");
    let vex = ann.json("exception list --format openvex");
    let said = |vex: &serde_json::Value| {
        let all = vex["statements"].as_array().unwrap().iter();
        all.map(|it| it["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(said(&vex), ["affected", "not_affected"]);
    // What is told elsewhere takes the same out of the way there.
    let vex = ann.json("exception list wrong --format openvex");
    assert_eq!(said(&vex), ["not_affected"]);
    ann.file("team.vex.json", serde_json::to_vec(&vex).unwrap());
    let stranger = Sandbox::new();
    begun(&stranger);
    for file in ["team.vex.json", "v1.tar"] {
        stranger.file(file, fs_err::read(ann.path(file)).unwrap());
    }
    stranger.done("cves archive://v1.tar --exit-code --vex-location team.vex.json");
    ann.done("env rename production live");
    let all = ann.json("exception list proxy --format json");
    assert_eq!(all[0]["definition"]["environments"], serde_json::json!(["live"]));
    for name in ["wrong", "proxy"] {
        ann.done(&format!("exception remove {name}"));
    }
    ann.exits(2, "cves --env live --exit-code");
    let none = ann.done("exception list");
    assert!(none.contains("Nothing is out of the way"), "{none}");
}

/// What makes no sense is refused, and says what would.
fn refused(ann: &Sandbox) {
    for (words, expect) in [
        ("--kind accepted-risk --env nowhere", "environment `nowhere`: there is none"),
        ("--kind accepted-risk --expires 2020-01-01", "that is over already"),
        ("--kind accepted-risk --expires soon", "expires: "),
        ("--kind accepted-risk --package lodash", "packages: lodash: "),
        ("--kind accepted-risk --image UPPER", "images: UPPER: "),
    ] {
        let said = ann.exits(1, &format!("exception add x --cve CVE-1 {words}"));
        assert!(said.contains(expect), "{words}: {said}");
    }
    let said = ann.exits(1, "exception add x --cve * --kind accepted-risk");
    assert!(said.contains("nobody decides about what nobody knows yet"), "{said}");
    for words in ["--kind false-positive", "--kind other", ""] {
        let said = ann.foretop(&format!("exception add x --cve CVE-1 {words}"));
        assert!(!said.starts_with("exit 0"), "{words}: {said}");
    }
    let said = ann.exits(1, "exception remove nothing");
    assert!(said.contains("nothing"), "{said}");
}

#[test]
fn all_of_it_without_a_server() {
    let ann = Sandbox::new().with("FORETOP_OFFLINE", "1").with("FORETOP_ORGANIZATION", "");
    begun(&ann);
    let ann = ann.with("USER", "ann");
    ann.done("enroll acme");
    ann.done("config organization acme");
    brought_out(&ann);
    heard(&ann);
    refused(&ann);
}

#[test]
fn all_of_it_with_a_server() {
    let house = Sandbox::new().with("FORETOP_LOG", "warn").with("FORETOP_OFFLINE", "1");
    begun(&house);
    let serving = Serving::start(&house, "--organization acme --workers 1 --rate-limit 0");
    let ann = Sandbox::new();
    serving.settled(&ann, "ci --org acme --scope admin");
    begun(&ann);
    brought_out(&ann);
    heard(&ann);
    ann.done("schedule add look --env production --cron @daily");
    let checked = ann.done("schedule run look --exit-code");
    assert!(checked.contains("look: passed"), "{checked}");
    listed(&ann);
    refused(&ann);
}
