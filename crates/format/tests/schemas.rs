//! What we write, held against the official schemas of SPDX 2.3, CycloneDX 1.6 and SARIF 2.1.0.
//!
//! The schemas come with Python packages (`requirements.txt`), which the project's test command
//! installs into `python` in the target directory. Without them this test leaves itself out.

#[path = "../src/tests/arbitrary.rs"]
mod arbitrary;
#[path = "../src/tests/arbitrary_analysis.rs"]
mod arbitrary_analysis;

use std::path::Path;
use std::process::Command;

use format::{Options, find};
use model::{Inventory, Package, Purl, Subject};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// How many inventories of any kind are tried; the same ones each time.
const TRIED: usize = 64;

#[test]
fn what_we_write_is_valid() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in the target");
    let python = target.join("python/bin/python");
    if !python.exists() {
        println!(
            "left out: {} is missing, see crates/format/tests/requirements.txt",
            python.display()
        );
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut runner = TestRunner::deterministic();
    let mut inventories = vec![every_license(), nothing()];
    inventories
        .extend((0..TRIED).map(|_| {
            arbitrary::inventory().new_tree(&mut runner).expect("an inventory").current()
        }));
    for (number, inventory) in inventories.iter().enumerate() {
        for (id, ending) in [("cyclonedx", "cdx"), ("spdx", "spdx")] {
            let options = Options { tool_version: "0.1.0".to_owned(), ..Options::default() };
            let text = find(id).expect("it is listed").write(inventory, &options);
            let path = directory.path().join(format!("{number:03}.{ending}.json"));
            fs_err::write(path, text).expect("a document written");
        }
    }
    for number in 0..TRIED {
        let analysis =
            arbitrary_analysis::analysis().new_tree(&mut runner).expect("an analysis").current();
        for (id, ending) in [("cyclonedx", "cdx"), ("spdx", "spdx"), ("sarif", "sarif")] {
            let options = format::report::Options {
                tool_version: "0.1.0".to_owned(),
                epss: number % 2 == 0,
                ..format::report::Options::default()
            };
            let text = format::report::find(id).expect("it is listed").write(&analysis, &options);
            let path = directory.path().join(format!("report-{number:03}.{ending}.json"));
            fs_err::write(path, text).expect("a document written");
        }
    }
    for number in 0..TRIED / 8 {
        let mut analyses =
            || arbitrary_analysis::analysis().new_tree(&mut runner).expect("an analysis").current();
        let text = exported(&[analyses(), analyses(), analyses()]);
        let path = directory.path().join(format!("export-{number:03}.cdx.json"));
        fs_err::write(path, text).expect("a document written");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/validate.py");
    let run = Command::new(python).arg(script).arg(directory.path()).output().expect("python runs");
    let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    println!("{said}");
}

/// All of them as what runs in one environment, and one that nobody has read.
fn exported(analyses: &[model::Analysis]) -> String {
    let head = format::export::Head {
        environment: "production".to_owned(),
        created: "2026-11-21T10:00:00Z".to_owned(),
        tool_version: "0.1.0".to_owned(),
        ..format::export::Head::default()
    };
    let mut writer = format::export::find("cyclonedx").expect("it is listed").begin(head);
    let mut text = writer.begin();
    let contents = analyses.iter().map(Ok).chain([Err("it is not analysed yet")]);
    for (number, content) in (0..).zip(contents) {
        let deployments = [model::Deployment {
            id: number.to_string(),
            environment: "production".to_owned(),
            application: "web".to_owned(),
            platform: model::Platform::new("linux", "amd64", None),
            repository: "docker.io/acme/web".to_owned(),
            tag: None,
            digest: model::Digest::from_sha256(&[number; 32]),
            source: model::Source::Cli,
            recorded_by: "ann".to_owned(),
            recorded_from: String::new(),
            from: model::Moment::from_micros(0),
            until: None,
            pending: content.is_err(),
        }];
        text.push_str(&writer.image(&format::export::Image { deployments: &deployments, content }));
    }
    while let Some(part) = writer.end() {
        text.push_str(&part);
    }
    text
}

/// One package for each licence of the SPDX list, old ones too.
fn every_license() -> Inventory {
    let package = |license: &spdx::License| Package {
        licenses: vec![license.name.to_owned()],
        ..Package::new(Purl::new("npm", &license.name.to_lowercase()).with_version("1"))
    };
    Inventory { packages: spdx::identifiers::LICENSES.iter().map(package).collect(), ..nothing() }
        .in_order()
}

fn nothing() -> Inventory {
    let subject = Subject::Document { name: String::new() };
    Inventory { subject, distro: None, packages: vec![], statements: vec![], gaps: vec![] }
}
