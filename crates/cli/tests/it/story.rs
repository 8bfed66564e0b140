//! Seven images, four services, two environments: what is recorded, promoted and rolled back, and what
//! is asked of it; with what is built in as the almanac.

use std::io::Write as _;

use testkit::{ImageBuilder, LayerBuilder};

use crate::environment::{alone, serving, serving_by, settled};
use crate::sandbox::Sandbox;
use crate::teahouse;

/// A jar that says what it is.
pub(crate) fn log4j(version: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let name = "META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties";
    zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    let group = "org.apache.logging.log4j";
    writeln!(zip, "groupId={group}\nartifactId=log4j-core\nversion={version}").unwrap();
    zip.finish().unwrap().into_inner()
}

pub(crate) fn npm(layer: LayerBuilder, name: &str, version: &str) -> LayerBuilder {
    let text = format!(r#"{{"name": "{name}", "version": "{version}"}}"#);
    layer.file(&format!("app/node_modules/{name}/package.json"), text)
}

/// On one base.
pub(crate) fn service(application: LayerBuilder) -> ImageBuilder {
    let installed = "P:scanelf\nV:1.3.7-r2\nA:x86_64\no:pax-utils\n\n";
    let release = "ID=alpine\nVERSION_ID=3.20.1\nPRETTY_NAME=\"Alpine Linux v3.20\"\n";
    let base =
        testkit::layer().file("etc/os-release", release).file("lib/apk/db/installed", installed);
    testkit::image().layer(base).layer(application)
}

/// Seven images of four services, pushed.
fn pushed(sandbox: Sandbox) -> Sandbox {
    let jar = |version| testkit::layer().file("app/log4j-core.jar", log4j(version));
    let leaf = |version| npm(testkit::layer(), "left-pad", version);
    let images = [
        ("web", "v1", npm(testkit::layer(), "lodash", "4.17.11")),
        ("web", "v2", npm(testkit::layer(), "lodash", "4.17.20")),
        ("api", "v1", jar("2.14.1")),
        ("api", "v2", jar("2.17.1")),
        ("worker", "v1", leaf("1.3.0")),
        ("worker", "v2", npm(leaf("1.3.0"), "minimist", "1.2.5")),
        ("db", "v1", npm(testkit::layer(), "pg", "8.0.0")),
    ];
    for (name, tag, layer) in images {
        let name = format!("myorg/{name}:{tag}");
        let file = name.replace(['/', ':'], "-");
        sandbox.file(&format!("{file}.tar"), service(layer).docker_archive(&name));
        let said = sandbox.foretop(&format!("push archive://{file}.tar"));
        assert!(said.starts_with("exit 0\n"), "{said}");
    }
    sandbox
}

pub(crate) fn begun() -> Sandbox {
    let sandbox = Sandbox::new().with("SOURCE_DATE_EPOCH", "1717200000");
    pushed(alone(sandbox))
}

#[track_caller]
fn done(sandbox: &Sandbox, lines: &[&str]) {
    for line in lines {
        let said = sandbox.foretop(line);
        assert!(said.starts_with("exit 0\n"), "{line}: {said}");
    }
}

#[track_caller]
fn check(sandbox: &Sandbox, name: &str, lines: &[&str]) {
    insta::assert_snapshot!(name, settled(&sandbox.transcript(lines)));
}

const STAGED: [&str; 5] = [
    "env staging myorg/web:v1",
    "env staging myorg/api:v1",
    "env staging myorg/worker:v1",
    "env staging myorg/db:v1",
    "env copy staging production",
];
const STAGED_ANEW: [&str; 3] =
    ["env staging myorg/web:v2", "env staging myorg/api:v2", "env staging myorg/worker:v2"];

const ASKED: [&str; 4] = [
    "compare --env staging --to-env production",
    "where CVE-2021-44228",
    "where CVE-2021-44228 --env staging --exit-code",
    "where cve-2021-44228 --exit-code --format csv",
];

#[test]
fn promoted_and_rolled_back() {
    let sandbox = begun();
    done(&sandbox, &STAGED);
    done(&sandbox, &STAGED_ANEW);
    check(&sandbox, "before_the_promotion", &ASKED);
    done(&sandbox, &["env copy staging production"]);
    let asked = [
        "compare --env staging --to-env production --exit-on vulnerability,package",
        "where CVE-2021-44228 --exit-code",
        "env production myorg/api:v1",
        "compare --env staging --to-env production myorg/api",
        "compare --env production --to-env staging --exit-on vulnerability --format markdown",
        "where CVE-2021-44228 --exit-code",
        "env production --history",
        "env staging --history",
    ];
    check(&sandbox, "promoted_and_rolled_back", &asked);
    let output = sandbox.output("compare --env production --to-env staging --format json");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["kind"], "foretop-comparisons");
    assert_eq!(document["summary"]["unchanged"], 3);
    assert_eq!(document["summary"]["changed"], 1);
    let api = &document["applications"][0];
    assert_eq!(api["application"], "docker.io/myorg/api");
    let introduced = api["differences"]["vulnerabilities"]["introduced"].as_array().unwrap();
    assert!(introduced.iter().any(|it| it["id"] == "CVE-2021-44228"), "{introduced:?}");
    assert_eq!(document["summary"]["introduced"], introduced.len());
}

#[test]
fn what_nobody_can_tell() {
    let sandbox = begun();
    let digest = "1".repeat(64);
    done(&sandbox, &["env production myorg/web:v1", "env production myorg/api:v1"]);
    done(&sandbox, &["env staging myorg/api:v2", "env staging myorg/worker:v2 --app jobs"]);
    done(&sandbox, &[&format!("env staging myorg/web:v3@sha256:{digest}")]);
    let lines = [
        "compare --env staging --to-env production --exit-on vulnerability",
        "compare --env staging --to-env production --exit-on package myorg/web",
        "compare --env staging --to-env production myorg/db",
        "compare --env staging --to-env nowhere",
        "compare --env nowhere --to-env production",
        "compare --to-env staging archive://myorg-web-v1.tar --exit-on vulnerability",
        "where CVE-2021-44228 --env staging",
        "where nothing-of-the-kind --env staging --exit-code",
        "where nothing-of-the-kind --env production --exit-code",
        "where CVE-1999-99999",
        "where lodash@4.17.11",
        "where lodash@<4.17.11",
        "where pkg:npm/lodash --exit-code",
        "where nothing-of-the-kind",
        "where lodash --env nowhere",
    ];
    check(&sandbox, "what_nobody_can_tell", &lines);
}

#[test]
fn an_image_against_an_environment() {
    let sandbox = begun();
    done(&sandbox, &["env production myorg/web:v1", "env production myorg/api:v1"]);
    done(&sandbox, &["env staging myorg/web:v2", "env empty myorg/db:v1"]);
    done(&sandbox, &["env remove empty myorg/db"]);
    done(&sandbox, &["push archive://myorg-web-v2.tar --tag myorg/web:latest"]);
    let lines = [
        // The guides' own words.
        "compare --to-env production myorg/web:latest",
        "compare --to-env production --env staging myorg/web",
        "compare --to-env production archive://myorg-web-v2.tar --exit-on vulnerability",
        "compare --to-stream production archive://myorg-web-v2.tar --format markdown",
        "compare --to-latest archive://myorg-web-v1.tar",
        "compare --env production myorg/web --to archive://myorg-web-v2.tar",
        "compare --env production --to archive://myorg-web-v2.tar",
        "compare --env production --to-latest myorg/web",
        "compare --to-env production archive://myorg-worker-v1.tar",
        "compare --to-env empty archive://myorg-worker-v1.tar",
        "compare --to-env production myorg/unheard:1",
        "compare myorg/web:v1",
        "compare --to archive://myorg-web-v2.tar --to-env production archive://myorg-web-v1.tar",
    ];
    check(&sandbox, "an_image_against_an_environment", &lines);
}

const VEX: &str = r#"{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex/1",
  "author": "Ann", "timestamp": "2024-05-01T00:00:00Z", "version": 1, "statements": [
  {"vulnerability": {"name": "CVE-2021-44228"},
   "products": [{"@id": "pkg:maven/org.apache.logging.log4j/log4j-core"}],
   "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path"}]}"#;

#[test]
fn written_down_for_audits() {
    let sandbox = begun();
    let digest = "1".repeat(64);
    done(&sandbox, &["env production myorg/api:v1", "env production myorg/worker:v2 --app =jobs"]);
    done(&sandbox, &["env production myorg/api:v1 --app second"]);
    done(&sandbox, &[&format!("env production myorg/web:v3@sha256:{digest}")]);
    sandbox.file("api.vex.json", VEX);
    let lines = [
        "env export production --vex-location api.vex.json",
        "env export production --format cyclonedx -o production.cdx.json",
        "env export nowhere",
        "env export production --format pdf",
    ];
    check(&sandbox, "written_down_for_audits", &lines);
    let document = |line: &str| -> serde_json::Value {
        serde_json::from_slice(&sandbox.output(line).stdout).unwrap()
    };
    let all = document("env export production --format json");
    assert_eq!((&all["count"], &all["pending"]), (&3.into(), &1.into()));
    assert_eq!(all["images"][0]["deployments"].as_array().unwrap().len(), 1);
    let both =
        all["images"].as_array().unwrap().iter().find(|it| it["image"] == "docker.io/myorg/api:v1");
    assert_eq!(both.unwrap()["deployments"].as_array().unwrap().len(), 2);
    let bill = document("env export production --format cyclonedx --vex-location api.vex.json");
    let flaws = bill["vulnerabilities"].as_array().unwrap();
    let flaw = flaws.iter().find(|it| it["id"] == "CVE-2021-44228").unwrap();
    assert_eq!(flaw["analysis"]["state"], "not_affected");
    assert_eq!(flaw["analysis"]["justification"], "code_not_reachable");
    assert_eq!(bill["compositions"][0]["aggregate"], "incomplete");
    let written = fs_err::read_to_string(sandbox.path("production.cdx.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["components"].as_array().unwrap().len(), 3);
}

#[test]
fn a_server_tells_the_same() {
    let sandbox = Sandbox::new().with("SOURCE_DATE_EPOCH", "1717200000");
    let everybody = server::Access::Local { name: "root".to_owned() };
    let (server, _) = serving(&sandbox.path("tmp"), everybody);
    let sandbox = alone(sandbox).with("FORETOP_SERVER", &server);
    done(&sandbox, &["enroll local"]);
    let sandbox = pushed(sandbox);
    done(&sandbox, &STAGED);
    done(&sandbox, &STAGED_ANEW);
    let there = settled(&sandbox.transcript(&ASKED));
    let here = begun();
    done(&here, &STAGED);
    done(&here, &STAGED_ANEW);
    let here = settled(&here.transcript(&ASKED));
    // Only the server calls itself by another name.
    assert_eq!(
        there.replace("recorded by root", "recorded by ann").replace(",root,", ",ann,"),
        here
    );
    let said = sandbox.foretop("env export production");
    assert!(said.contains("finding,production,docker.io/myorg/api"), "{said}");
}

/// A runner without an almanac asks a server that has one.
#[test]
fn a_server_judges_what_it_does_not_keep() {
    let house = teahouse::open();
    let almanac = house.path("home/.local/share/foretop/almanac");
    let everybody = server::Access::Local { name: "root".to_owned() };
    let (server, _) = serving_by(&house.path("tmp"), everybody, Some(almanac));
    let runner = alone(teahouse::bare()).with("FORETOP_SERVER", &server);
    let lines = [
        "enroll local",
        "push archive://alpine.tar --tag example/tea:0",
        "env production example/tea:0",
    ];
    done(&runner, &lines);
    let check = |line: &str, code: &str, introduced: &str| {
        let said = runner.foretop(line);
        assert!(said.starts_with(&format!("exit {code}\n")), "{line}: {said}");
        assert!(said.contains(introduced), "{line}: {said}");
        said
    };
    let gate = "--exit-on vulnerability";
    let all = "3 vulnerabilities introduced, 1 vulnerability fixed";
    let said = check(&format!("compare --to-env production archive://tea.tar {gate}"), "2", all);
    assert!(said.contains("A teapot boils over."), "with titles: {said}");
    check(&format!("compare --to-latest archive://tea.tar {gate}"), "2", all);
    let back = format!("compare --env production --to archive://tea.tar example/tea {gate}");
    check(&back, "2", "1 vulnerability introduced, 3 vulnerabilities fixed");
    // Whoever names an almanac means it.
    fs_err::create_dir(runner.path("none")).unwrap();
    let own = "compare --to-env production archive://tea.tar --almanac none";
    check(own, "1", "error: almanac none: there is none");
    let kept = runner.foretop("image list --format json");
    assert_eq!(kept.matches("\"config\": ").count(), 1, "{kept}");
    // Read here, and judged here: nothing is asked for but what an organization decided.
    let said = runner.foretop("compare archive://tea.tar --to archive://alpine.tar --org nope");
    let expect = "Exceptions are not known, so nothing is out of the way by them: ";
    assert!(said.contains(expect) && said.contains("`nope`: there is none"), "{said}");
}
