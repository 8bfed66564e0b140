//! The laws that every report keeps.

use std::time::Instant;

use model::{Analysis, Basis, Finding, Gap, Inventory, Judgement, Package, Purl, Step, Subject};
use model::{Level, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::arbitrary::text;
use super::arbitrary_analysis::analysis;
use crate::Glance;
use crate::report::{self, Options};

/// Everything that an analysis is written as, with its name.
fn written(analysis: &Analysis, options: &Options) -> Vec<(&'static str, String)> {
    let mut all: Vec<(&str, String)> =
        report::ALL.iter().map(|it| (it.id(), it.write(analysis, options))).collect();
    all.push(("quickview", report::write_quickview(analysis, &report::Beside::default(), options)));
    all
}

/// Those that are for people.
const TEXTS: [&str; 4] = ["packages", "only-packages", "quickview", "markdown"];

fn all_options() -> [Options; 3] {
    let plain = Options { tool_version: "0.1.0".to_owned(), ..Options::default() };
    let rich = Options {
        created: Some("2026-01-02T03:04:05Z".to_owned()),
        colour: true,
        unicode: true,
        width: Some(80),
        details: true,
        epss: true,
        locations: true,
        only_vuln_packages: true,
        ..plain.clone()
    };
    let narrow = Options { width: Some(1), ..plain.clone() };
    [plain, rich, narrow]
}

fn empty() -> Analysis {
    Analysis {
        inventory: Inventory {
            subject: Subject::Directory { path: String::new() },
            distro: None,
            packages: vec![],
            statements: vec![],
            gaps: vec![],
        },
        findings: vec![],
        gaps: vec![],
        basis: Basis::default(),
    }
}

/// A gap whose words occur nowhere else.
fn told_gap(number: usize) -> Gap {
    Gap::new(format!("/gap/{number}"), format!("unreadable, says test {number}"))
}

/// Any judgements about any packages.
fn judgements() -> impl Strategy<Value = Vec<Judgement>> {
    let verdict = prop::sample::select(vec![
        Verdict::Affected,
        Verdict::Suppressed,
        Verdict::CannotTell,
        Verdict::NotInRange,
        Verdict::Owned,
        Verdict::Unheard,
    ]);
    let step = (text(), text()).prop_map(|(about, says)| Step { about, says });
    let judgement = (0..8_usize, vec(text(), 0..3), verdict, vec(step, 0..4))
        .prop_map(|(package, flaw, verdict, chain)| Judgement { package, flaw, verdict, chain });
    vec(judgement, 0..12)
}

#[test]
fn ids_are_unique_and_kebab() {
    let mut ids: Vec<&str> = report::ALL.iter().map(|it| it.id()).collect();
    assert!(ids.iter().all(|id| id.bytes().all(|it| it.is_ascii_lowercase() || it == b'-')));
    assert!(ids.iter().all(|id| report::find(id).is_some_and(|it| !it.title().is_empty())));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), report::ALL.len());
    assert!(report::find("quickview").is_none());
}

#[test]
fn each_report_is_the_file_of_its_name() {
    for report in report::ALL {
        let name = report.id().replace('-', "_");
        let file = format!("{}/src/report/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&file).exists(), "{file}");
    }
}

#[test]
fn nothing_at_all_is_a_report_too() {
    for options in all_options() {
        for (id, text) in written(&empty(), &options) {
            assert!(text.ends_with('\n'), "{id}");
            assert!(text.contains("almanac update"), "{id} says on what it rests:\n{text}");
        }
    }
}

#[test]
fn every_gap_and_warning_is_in_every_report() {
    let mut analysis = empty();
    let mut image = model::ImageDescription::default();
    image.gaps.push(told_gap(1));
    analysis.inventory.subject = Subject::Image(Box::new(image));
    analysis.inventory.gaps.push(told_gap(2));
    analysis.gaps.push(told_gap(3));
    analysis.basis.warnings.push("the feed of Plan 9 is stale".to_owned());
    for options in all_options().iter().filter(|it| it.width != Some(1)) {
        for (id, text) in written(&analysis, options) {
            for number in 1..=3 {
                let Gap { at, why } = told_gap(number);
                assert!(text.contains(&at), "{id}: {at}\n{text}");
                assert!(text.contains(&why), "{id}: {why}\n{text}");
            }
            assert!(text.contains("Plan 9 is stale"), "{id}\n{text}");
        }
    }
}

/// Whatever a cell says, a spreadsheet must not run it.
fn is_harmless(cell: &str) -> bool {
    !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn reports_are_what_they_say(analysis in analysis()) {
        for options in all_options() {
            for (id, text) in written(&analysis, &options) {
                prop_assert!(text.ends_with('\n'));
                if TEXTS.contains(&id) {
                    let hostile = |it: char| it.is_control() && it != '\n'
                        && !(it == '\x1b' && options.colour);
                    prop_assert!(!text.contains(hostile), "{}: {:?}", id, text);
                } else if id != "csv" {
                    let parsed = serde_json::from_str::<Value>(&text);
                    prop_assert!(parsed.is_ok(), "{}: {:?}", id, parsed);
                }
                if !options.unicode && options.width.is_none() && TEXTS.contains(&id) {
                    for sign in ['✗', '✓', '│', '─', '┼'] {
                        let theirs = format!("{analysis:?}").contains(sign);
                        prop_assert!(theirs || !text.contains(sign), "{}", id);
                    }
                }
            }
            let again = written(&analysis.clone(), &options);
            prop_assert_eq!(written(&analysis, &options), again);
        }
    }

    #[test]
    fn csv_parses_back(analysis in analysis()) {
        let text = report::find("csv").unwrap().write(&analysis, &Options::default());
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        prop_assert!(rows.iter().flatten().all(is_harmless));
        let there = |finding: &Finding| {
            let there = |it: &&usize| **it < analysis.inventory.packages.len();
            finding.packages.iter().filter(there).count().max(1)
        };
        let told = rows.iter().filter(|it| it.get(0) == Some("finding")).count();
        prop_assert_eq!(told, analysis.findings.iter().map(there).sum::<usize>());
    }

    #[test]
    fn inventories_read_back_from_reports(analysis in analysis()) {
        for (id, format) in [("spdx", "spdx"), ("cyclonedx", "cyclonedx"), ("sbom", "json")] {
            let text = report::find(id).unwrap().write(&analysis, &Options::default());
            let claimed: Vec<&str> =
                crate::ALL.iter().filter(|it| it.claims(&Glance::at(text.as_bytes()))).map(|it| it.id()).collect();
            prop_assert_eq!(claimed, vec![format]);
            prop_assert_eq!(&crate::read(text.as_bytes()).unwrap(), &analysis.inventory, "{}", id);
        }
        for id in ["json", "sarif", "gitlab"] {
            let text = report::find(id).unwrap().write(&analysis, &Options::default());
            prop_assert!(crate::ALL.iter().all(|it| !it.claims(&Glance::at(text.as_bytes()))), "{}", id);
        }
    }

    #[test]
    fn explanations_never_panic(judgements in judgements(), analysis in analysis()) {
        for options in all_options() {
            let text = report::write_explanation(&judgements, &analysis.inventory, &analysis.basis, &options);
            let hostile = |it: char| it.is_control() && it != '\n' && it != '\x1b';
            prop_assert!(!text.contains(hostile));
            let json = report::write_explanation_json(&judgements, &analysis.inventory, &analysis.basis, &options);
            let parsed: Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(parsed["judgements"].as_array().unwrap().len(), judgements.len());
        }
    }
}

/// Many packages and many findings, as in a large image.
fn many(packages: usize, findings: usize) -> Analysis {
    let mut analysis = empty();
    let package = |number: usize| {
        let purl = Purl::new("npm", &format!("package-{number:05}")).with_version("1.2.3");
        let mut package = Package::new(purl).inside(format!("/app/node_modules/{number}"));
        package.licenses.push("MIT".to_owned());
        package
    };
    analysis.inventory.packages = (0..packages).map(package).collect();
    analysis.findings = (0..findings)
        .map(|number| {
            let at = number % packages;
            let mut finding = crate::report::tests::finding(
                &format!("CVE-2026-{number:05}"),
                Level::ALL[number % 5],
            );
            finding.name = format!("package-{at:05}");
            finding.packages = vec![at];
            finding
        })
        .collect();
    analysis
}

#[test]
fn limits_hold_for_many_findings() {
    let mut analysis = many(10, 25_003);
    for package in &mut analysis.inventory.packages {
        let place = package.places[0].clone();
        package.places = vec![place; 1200];
    }
    analysis.findings.truncate(2);
    let options = Options::default();
    let sarif = report::find("sarif").unwrap();
    let parsed: Value = serde_json::from_str(&sarif.write(&analysis, &options)).unwrap();
    let result = &parsed["runs"][0]["results"][0];
    assert_eq!(result["locations"].as_array().unwrap().len(), 1000);
    assert_eq!(result["properties"]["locationsLeftOut"], 200);

    let analysis = many(10, 25_003);
    let parsed: Value = serde_json::from_str(&sarif.write(&analysis, &options)).unwrap();
    assert_eq!(parsed["runs"][0]["results"].as_array().unwrap().len(), 25_000);
    let said = &parsed["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    assert!(said.to_string().contains("3 more findings are left out"), "{said}");

    let markdown = report::find("markdown").unwrap().write(&analysis, &options);
    assert!(markdown.len() < 65_000, "{}", markdown.len());
    assert!(markdown.contains("Cut here"), "{markdown}");
}

/// Machines differ in speed: this holds only against what is quadratic.
#[test]
fn large_reports_take_no_time() {
    let analysis = many(1000, 4000);
    let options = Options::default();
    for report in report::ALL {
        let start = Instant::now();
        let length = report.write(&analysis, &options).len();
        let took = start.elapsed();
        assert!(took.as_secs() < 60, "{}: {took:?} for {length} bytes", report.id());
    }
}

#[test]
fn several_images_are_told_apart() {
    let named = |name: &str| {
        let subject = Subject::Directory { path: name.to_owned() };
        let inventory = Inventory { subject, gaps: vec![told_gap(1)], ..empty().inventory };
        Analysis { inventory, ..empty() }
    };
    let both = [named("one/first:1"), named("other/second:2")];
    let mut single = Vec::new();
    for (report, options) in
        report::ALL.iter().flat_map(|it| all_options().map(|options| (it, options)))
    {
        let Some(text) = report.write_several(&both, &options) else {
            single.push(report.id());
            continue;
        };
        for analysis in &both {
            let name = analysis.inventory.subject.name();
            assert!(text.contains(name), "{}: {name}: {text}", report.id());
        }
        assert!(text.matches("says test 1").count() >= 2, "{}: {text}", report.id());
        if text.starts_with(['{', '[']) {
            serde_json::from_str::<Value>(&text).unwrap();
        }
        assert!(report.write_several(&[], &options).is_some());
    }
    single.dedup();
    assert_eq!(single, ["spdx", "cyclonedx"]);
}
