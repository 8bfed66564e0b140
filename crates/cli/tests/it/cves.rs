//! `foretop cves`.

use crate::sandbox::Sandbox;
use crate::teahouse::{bare, open, timeless};

/// `OpenVEX` by somebody about the image's npm package, about a package that is not there, and about
/// another image.
const VEX: &str = r#"{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex/1",
  "author": "Tea Team <team@example.com>", "timestamp": "2024-05-01T00:00:00Z", "version": 1, "statements": [
  {"vulnerability": {"name": "CVE-2024-0021"}, "products": [{"@id": "pkg:npm/tea-leaves"}],
   "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path"},
  {"vulnerability": {"name": "CVE-2024-0002"}, "products": [{"@id": "pkg:oci/coffee", "subcomponents": [{"@id": "pkg:deb/debian/teapot-utils"}]}],
   "status": "not_affected", "justification": "component_not_present"}]}
"#;
const IGNORE: &str = "[[ignore]]\nid = \"CVE-2024-0001\"\nreason = \"the stove is off\"\n\
    [[ignore]]\nid = \"CVE-2024-0002\"\nreason = \"for a while\"\nexpires = 2020-01-01\n";

/// A sandbox with statements.
pub(crate) fn with_statements() -> Sandbox {
    let sandbox = open();
    sandbox.file("vex/tea.openvex.json", VEX);
    sandbox.file("decisions.toml", IGNORE);
    sandbox
}

#[track_caller]
fn check(sandbox: &Sandbox, name: &str, line: &str) {
    insta::assert_snapshot!(name, timeless(&sandbox.foretop(line)));
}

#[test]
fn in_every_format() {
    let sandbox = open();
    for report in format::report::ALL {
        let id = report.id();
        check(&sandbox, &format!("as_{id}"), &format!("cves --format {id} archive://tea.tar"));
    }
}

#[test]
fn with_all_there_is_to_tell() {
    let sandbox = with_statements();
    let line = "cves --details --epss --locations --vex-location vex --ignore-file decisions.toml \
                archive://tea.tar";
    check(&sandbox, "with_all_there_is_to_tell", line);
}

#[test]
fn the_gate() {
    let sandbox = with_statements();
    let check = |words: &str, expect: &str| {
        let line = format!("cves --exit-code --format json -o report.json {words}");
        let said = sandbox.foretop(&line);
        assert!(said.starts_with(&format!("exit {expect}\n")), "{line}: {said}");
    };
    check("archive://tea.tar", "2");
    check("--only-severity critical,high archive://tea.tar", "2");
    check("--only-severity critical archive://alpine.tar", "0");
    check("--only-severity critical,high archive://missing.tar", "1");
    check("--only-severity dire archive://tea.tar", "1");
    check("--only-cve-id CVE-2024-0021 archive://tea.tar", "2");
    check("--only-cve-id CVE-2024-0021 --vex-location vex archive://tea.tar", "0");
    check("--only-cve-id CVE-2024-0001 --ignore-file decisions.toml archive://tea.tar", "0");
    // Where nothing was found and something could not be read, nobody knows.
    let bare = testkit::image().layer(testkit::layer().file("bin/tea", "nothing of the kind"));
    sandbox.file("bare.tar", bare.docker_archive("example/bare:1"));
    check("archive://bare.tar", "2");
    // What has expired counts no more.
    check("--only-cve-id CVE-2024-0002 --ignore-file decisions.toml archive://tea.tar", "2");
    // Without being asked, nothing shuts.
    assert!(sandbox.foretop("cves archive://tea.tar").starts_with("exit 0\n"));
}

#[test]
fn only_some() {
    let sandbox = with_statements();
    let wishes = [
        "--only-severity high",
        "--only-cve-id ghsa-aaaa-bbbb-cccc,CVE-2024-0002",
        "--only-package ^tea",
        "--only-package-type NPM",
        "--only-package-type tea",
        "--only-fixed",
        "--only-unfixed",
        "--only-cisa-kev",
        "--only-metric AV:N,C:H",
        "--epss-score 0.5",
        "--epss-percentile 0.1",
        "--only-vex-affected --vex-location vex",
        "--ignore-suppressed --vex-location vex --vex-author nobody",
        "--only-vuln-packages",
        "--declared",
    ];
    let lines: Vec<String> = wishes
        .iter()
        .map(|it| format!("cves --format only-packages {it} archive://tea.tar"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(timeless(&sandbox.transcript(&lines)));
}

#[test]
fn several_reports_in_one_run() {
    let sandbox = open();
    let line = "cves --format sarif=report.sarif --format json=report.json --format csv \
                archive://tea.tar";
    let said = sandbox.foretop(line);
    assert!(said.starts_with("exit 0\n--- stdout\nrecord,id,"), "{said}");
    for (format, file) in [("sarif", "report.sarif"), ("json", "report.json")] {
        let alone = sandbox.output(&format!("cves --format {format} archive://tea.tar")).stdout;
        assert_eq!(fs_err::read(sandbox.path(file)).unwrap(), alone, "{format}");
    }
}

#[test]
fn what_cannot_be_done() {
    let sandbox = open();
    sandbox.file("braces.json", "{}");
    sandbox.file("empty.json", "");
    fs_err::create_dir(sandbox.path("nothing")).unwrap();
    let lines = [
        "cves --format pdf archive://tea.tar",
        "cves --format sarif= archive://tea.tar",
        "cves --format sarif --format json archive://tea.tar",
        "cves --format sarif=a --format json=a archive://tea.tar",
        "cves --format sarif --format json -o a archive://tea.tar",
        "cves --format json=a -o b archive://tea.tar",
        "cves --only-metric network archive://tea.tar",
        "cves --epss-score 2 archive://tea.tar",
        "cves --only-fixed --only-unfixed archive://tea.tar",
        "cves --vex-location missing archive://tea.tar",
        "cves --vex-location nothing archive://tea.tar",
        "cves --vex-location braces.json archive://tea.tar",
        "cves --ignore-file missing archive://tea.tar",
        "cves --almanac missing archive://tea.tar",
        "cves sbom://empty.json",
        "cves",
    ];
    insta::assert_snapshot!(timeless(&sandbox.transcript(&lines)));
}

#[test]
fn nothing_there_is_not_all_well() {
    let sandbox = open();
    sandbox
        .file("none.json", r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": []}"#);
    check(&sandbox, "nothing_there_is_not_all_well", "cves sbom://none.json");
}

#[test]
fn without_an_almanac_the_starter_sheet_answers() {
    let sandbox = bare();
    let log4j = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"type": "library",
        "name": "log4j-core", "version": "2.14.1", "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}]}"#;
    sandbox.file("log4j.json", log4j);
    let said = sandbox.foretop("cves --exit-code --only-severity critical sbom://log4j.json");
    assert!(said.starts_with("exit 2\n"), "{said}");
    for words in ["CRITICAL CVE-2021-44228", "\n! rests on the built-in starter sheet alone"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn without_a_list_of_attacks_nobody_can_tell_what_is_exploited() {
    let sandbox = bare();
    for it in ["kev.json", "epss.csv"] {
        fs_err::remove_file(sandbox.path(&format!("feeds/{it}"))).unwrap();
    }
    sandbox.done("almanac build --from feeds");
    let why = "! no feed of the almanac tells ";
    for wish in ["--only-cisa-kev", "--epss-score 0.5", "--epss-percentile 0.5"] {
        let asked = sandbox.foretop(&format!("cves {wish} --exit-code archive://tea.tar"));
        for words in ["exit 2\n", why, "! Not known whether there are vulnerable packages"] {
            assert!(asked.contains(words), "{words}: {asked}");
        }
    }
    let policy = sandbox.foretop("policy --only-policy known-exploited archive://tea.tar");
    assert!(policy.contains("it was made without CISA's list"), "{policy}");
    // Whoever asks for all is told all that is known.
    let all = sandbox.foretop("cves archive://tea.tar");
    assert!(all.contains("CVE-2024-0021") && !all.contains(why), "{all}");
}

#[test]
fn pipes_get_no_colours_and_no_hostile_letters() {
    let sandbox = open();
    for report in format::report::ALL {
        let line = format!("cves --details --format {} archive://tea.tar", report.id());
        let output = sandbox.output(&line);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains('\u{1b}'), "{}", report.id());
    }
    let csv = sandbox.foretop("cves --format csv archive://tea.tar");
    assert!(!csv.contains(",=leaves"), "a spreadsheet would run it: {csv}");
    let markdown = sandbox.foretop("cves --format markdown archive://tea.tar");
    assert!(!markdown.contains("<b>everything"), "{markdown}");
}

#[test]
fn five_thousand_packages() {
    let sandbox = open();
    let mut components: Vec<String> = (0..5000)
        .map(|it| {
            format!(
                r#"{{"type":"library","name":"p{it}","version":"1.0","purl":"pkg:npm/p{it}@1.0"}}"#
            )
        })
        .collect();
    components.push(r#"{"type":"library","name":"tea-leaves","version":"1.2.0","purl":"pkg:npm/tea-leaves@1.2.0"}"#.to_owned());
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{}]}}"#,
        components.join(",")
    );
    sandbox.file("big.json", text);
    let said = sandbox.foretop("cves --only-vuln-packages --format only-packages sbom://big.json");
    insta::assert_snapshot!(timeless(&said));
}
