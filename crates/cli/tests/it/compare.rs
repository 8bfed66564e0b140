//! `foretop compare`.

use testkit::ImageBuilder;

use crate::cves::with_statements;
use crate::sandbox::Sandbox;
use crate::teahouse::timeless;

fn leaves(version: &str) -> String {
    format!(r#"{{"name":"tea-leaves","version":"{version}"}}"#)
}

/// The image of the teahouse a while later: the teapot is mended, leaves are there twice, the steeper
/// can be read, the saucer is gone, and a name is not to be trusted.
fn later() -> ImageBuilder {
    let deb = |name: &str, version: &str, source: &str| {
        format!(
            "Package: {name}\nStatus: install ok installed\nSource: {source}\nVersion: {version}\n\
             Architecture: amd64\nMaintainer: Tea\nDescription: tea\n\n"
        )
    };
    let status = deb("teapot-utils", "1.2-1+deb8u1", "teapot")
        + &deb("libtea0", "1.2-1+deb8u1", "teapot")
        + &deb("spoon", "2:1.0-1", "spoon");
    let base = testkit::layer()
        .file("etc/os-release", "ID=debian\nVERSION_ID=\"8\"\n")
        .file("var/lib/dpkg/status", status);
    let application = testkit::layer()
        .file("app/node_modules/tea-leaves/package.json", leaves("1.3.0"))
        .file("app/node_modules/pot/node_modules/tea-leaves/package.json", leaves("1.1.0"))
        .file(
            "app/node_modules/x/package.json",
            r#"{"name":"<b>\u001b[31m@all|`x`","version":"1.0.0"}"#,
        )
        .file(
            "app/lib/python3.4/site-packages/steeper-2.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: steeper\nVersion: 2.0\n",
        );
    testkit::image().layer(base).layer(application)
}

fn sandbox() -> Sandbox {
    let sandbox = with_statements();
    sandbox.file("later.tar", later().docker_archive("example/tea:2"));
    fs_err::create_dir(sandbox.path("nothing")).unwrap();
    sandbox
}

#[track_caller]
fn check(sandbox: &Sandbox, name: &str, line: &str) {
    insta::assert_snapshot!(name, timeless(&sandbox.foretop(line)));
}

#[test]
fn in_every_format() {
    let sandbox = sandbox();
    for report in format::comparison::ALL {
        let id = report.id();
        let line = format!("compare --format {id} archive://later.tar --to archive://tea.tar");
        check(&sandbox, &format!("as_{id}"), &line);
    }
}

#[test]
fn several_in_one_run() {
    let sandbox = sandbox();
    let alone = |line: &str| sandbox.output(line).stdout;
    let read = |name: &str| fs_err::read(sandbox.path(name)).unwrap();
    let check = |words: &str| {
        let several = "--format text --format markdown=a.md --format json=a.json";
        let text = alone(&format!("{words} {several}"));
        assert!(!text.is_empty(), "{words}");
        assert_eq!(text, alone(words));
        assert_eq!(read("a.md"), alone(&format!("{words} --format markdown")));
        assert_eq!(read("a.json"), alone(&format!("{words} --format json")));
    };
    check("compare archive://later.tar --to archive://tea.tar");
    // What runs in two environments is told piece by piece.
    for (archive, environment) in [("later", "staging"), ("tea", "production")] {
        let image = if archive == "tea" { "example/tea:1" } else { "example/tea:2" };
        sandbox.foretop(&format!("push archive://{archive}.tar"));
        let said = sandbox.foretop(&format!("env {environment} {image}"));
        assert!(said.starts_with("exit 0\n"), "{said}");
    }
    check("compare --env staging --to-env production");
}

#[test]
fn the_other_way_round_and_with_itself() {
    let sandbox = sandbox();
    check(&sandbox, "backwards", "diff archive://tea.tar --to archive://later.tar");
    check(&sandbox, "the_same", "compare archive://tea.tar --to archive://tea.tar");
    check(&sandbox, "with_nothing", "compare fs://nothing --to archive://tea.tar");
    check(
        &sandbox,
        "with_an_image_of_another_kind",
        "compare archive://alpine.tar --to fs://nothing",
    );
}

#[test]
fn only_some() {
    let sandbox = sandbox();
    let lines = [
        "--only-package-type npm --ignore-unchanged",
        "--only-severity high,critical --ignore-unchanged",
        "--only-unfixed",
        "--only-fixed --only-package-type npm",
        "--vex-location vex --only-package-type npm",
        "--vex-location vex --only-vex-affected --only-package-type npm,tea",
        "--platform linux/amd64 --only-package-type pypi -o report.txt",
    ];
    let lines = lines.map(|it| format!("compare {it} archive://later.tar --to archive://tea.tar"));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(timeless(&sandbox.transcript(&lines)));
    let report = fs_err::read_to_string(sandbox.path("report.txt")).unwrap();
    assert!(report.contains("Comparison Image"), "{report}");
}

#[test]
fn gates() {
    let sandbox = sandbox();
    let code = |line: &str| sandbox.output(line).status.code();
    let forth = "compare archive://later.tar --to archive://tea.tar";
    let same = "compare archive://tea.tar --to archive://tea.tar";
    // Less than before is not worse: the mended teapot, by itself.
    let better = format!("{forth} --only-package-type deb");
    assert_eq!(code(forth), Some(0));
    assert_eq!(code(&format!("{forth} --exit-on vulnerability")), Some(2));
    assert_eq!(code(&format!("{forth} -e")), Some(2));
    assert_eq!(code(&format!("{better} -x vulnerability")), Some(0));
    assert_eq!(code(&format!("{better} -x vulnerability,package")), Some(2));
    assert_eq!(code(&format!("{same} -x package -x vulnerability -e")), Some(0));
    // There are none, so none are shown.
    assert_eq!(code(&format!("{same} --hide-policies")), Some(0));
}

#[test]
fn what_cannot_be_done() {
    let sandbox = sandbox();
    insta::assert_snapshot!(sandbox.transcript(&[
        "compare archive://tea.tar",
        "compare archive://tea.tar --to archive://missing.tar",
        "compare archive://missing.tar --to archive://tea.tar",
        "compare sbom:// --to sbom://-",
        "compare archive://tea.tar --to archive://tea.tar --exit-on weather",
        "compare archive://tea.tar --to archive://tea.tar --format sarif",
        "compare archive://tea.tar --to archive://tea.tar --to-ref example/coffee:1",
        "compare fs://nothing --to fs://nothing --platform linux/amd64",
        "compare archive://tea.tar --to archive://tea.tar -o missing/report.txt",
        "compare archive://tea.tar --to archive://tea.tar --only-fixed --only-unfixed",
    ]));
}

#[test]
fn each_side_from_anywhere() {
    let sandbox = sandbox();
    let image = timeless(&sandbox.foretop(
        "compare --ignore-unchanged --format json archive://later.tar --to archive://tea.tar",
    ));
    let part = |text: &str, key: &str| -> serde_json::Value {
        let start = text.find('{').unwrap();
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter();
        let value: serde_json::Value = values.next().unwrap().unwrap();
        value[key].clone()
    };
    for format in ["json", "cyclonedx", "spdx"] {
        for name in ["tea", "later"] {
            let line = format!("sbom --format {format} -o {name}.json archive://{name}.tar");
            assert!(sandbox.foretop(&line).starts_with("exit 0"), "{line}");
        }
        for (after, before) in
            [("sbom://later.json", "archive://tea.tar"), ("archive://later.tar", "sbom://tea.json")]
        {
            let said = timeless(&sandbox.foretop(&format!(
                "compare --ignore-unchanged --format json {after} --to {before}"
            )));
            assert_eq!(part(&said, "packages"), part(&image, "packages"), "{format} {after}");
            assert_eq!(
                part(&said, "vulnerabilities"),
                part(&image, "vulnerabilities"),
                "{format} {after}"
            );
        }
    }
    // Standard input may be one of them.
    let document = fs_err::read(sandbox.path("tea.json")).unwrap();
    let said = sandbox.fed("compare archive://later.tar --to sbom://", &document);
    assert!(said.starts_with("exit 0") && said.contains("1 vulnerability introduced"), "{said}");
}
