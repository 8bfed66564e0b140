//! The laws that every report of a comparison keeps.

use model::{Comparison, Gap, PackageChange, Purl, Side, Way};
use proptest::prelude::*;
use serde_json::Value;

use super::arbitrary_comparison::comparison;
use crate::comparison::{self, Grounds, Options};
use crate::policies::{Compared, Judged, Policy, State};
use crate::report;

fn all_options() -> [Options; 3] {
    let plain = Options::default();
    let report = report::Options {
        created: Some("2026-01-02T03:04:05Z".to_owned()),
        colour: true,
        unicode: true,
        width: Some(80),
        ..report::Options::default()
    };
    let narrow = report::Options { width: Some(1), ..report::Options::default() };
    [
        plain,
        Options { report, ignore_unchanged: true, policies: Some(policies()), grounds: grounds() },
        Options {
            report: narrow,
            ignore_unchanged: false,
            policies: Some(policies()),
            grounds: grounds(),
        },
    ]
}

/// What nobody's policy should be called, and what it should not say.
fn policies() -> Compared {
    const HOSTILE: &str = "</td><script>\u{1b}[2J\r\n::error::\u{202e}@team | `";
    let judged = |state| {
        let (id, title) = (HOSTILE.to_owned(), HOSTILE.to_owned());
        let why = (state == State::Unknown).then(|| HOSTILE.to_owned());
        let policy = Policy { id, title, state, why, count: 3, ..Policy::default() };
        Judged { policies: vec![policy], ..Judged::default() }
    };
    Compared { after: judged(State::Unknown), before: judged(State::NotMet) }
}

/// What nobody's base should be called, and what should not be said of it.
fn grounds() -> Grounds {
    const HOSTILE: &str = "</td><script>\u{1b}[2J\r\n::error::\u{202e}@team | `";
    let ground = |name: Option<&str>| report::Ground {
        name: name.map(str::to_owned),
        is_scratch: false,
        how: HOSTILE.to_owned(),
        findings: Some(vec![]),
        doubts: vec![HOSTILE.to_owned(), format!("{HOSTILE}!")],
    };
    Grounds { after: Some(ground(Some(HOSTILE))), before: Some(ground(None)) }
}

#[test]
fn ids_are_unique_and_the_names_of_their_files() {
    let mut ids: Vec<&str> = comparison::ALL.iter().map(|it| it.id()).collect();
    for id in &ids {
        let file = format!("{}/src/comparison/{id}.rs", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&file).exists(), "{file}");
        assert!(comparison::find(id).is_some_and(|it| !it.title().is_empty()));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), comparison::ALL.len());
    assert!(comparison::find("table").is_none());
}

fn empty() -> Comparison {
    Comparison {
        before: Side::default(),
        after: Side::default(),
        packages: vec![],
        unchanged_packages: 0,
        findings: vec![],
    }
}

#[test]
fn every_gap_and_warning_is_in_every_report() {
    let gap = |number: usize| Gap::new(format!("/gap/{number}"), format!("says test {number}"));
    let mut all = empty();
    all.before.gaps = vec![gap(1), gap(2)];
    all.after.gaps = vec![gap(2), gap(3)];
    all.before.basis.warnings = vec!["the feed of Plan 9 is stale".to_owned()];
    all.after.basis.warnings = vec!["the feed of Multics is stale".to_owned()];
    for options in all_options().iter().filter(|it| it.report.width != Some(1)) {
        for report in comparison::ALL {
            let text = report.write(&all, options);
            for number in 1..=3 {
                let Gap { at, why } = gap(number);
                assert!(text.contains(&at) && text.contains(&why), "{}\n{text}", report.id());
            }
            assert!(text.contains("Plan 9") && text.contains("Multics"), "{}", report.id());
        }
    }
}

#[test]
fn a_comment_has_an_end() {
    let mut all = empty();
    let purl = |it: usize| Purl::new("npm", &format!("package-{it}")).with_version("1.2.3");
    let package = |it: usize| PackageChange {
        way: Way::Added,
        before: None,
        after: Some(purl(it)),
        unordered: None,
        doubt: None,
    };
    all.packages = (0..5000).map(package).collect();
    let text = comparison::find("markdown").unwrap().write(&all, &Options::default());
    assert!(text.len() < 65_000, "{}", text.len());
    assert!(text.contains("Cut here"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn reports_are_what_they_say(comparison in comparison()) {
        for options in all_options() {
            for report in comparison::ALL {
                let text = report.write(&comparison, &options);
                prop_assert!(text.ends_with('\n'), "{}", report.id());
                prop_assert_eq!(&report.write(&comparison, &options), &text);
                if report.id() == "json" {
                    let parsed = serde_json::from_str::<Value>(&text);
                    prop_assert!(parsed.is_ok(), "{:?}", parsed);
                    continue;
                }
                let hostile = |it: char| it.is_control() && it != '\n'
                    && !(it == '\x1b' && options.report.colour);
                prop_assert!(!text.contains(hostile), "{}: {:?}", report.id(), text);
                let left_out = options.ignore_unchanged || text.contains("Cut here");
                for finding in comparison.findings.iter().filter(|_| !left_out) {
                    let plain = finding.id.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
                    prop_assert!(!plain || text.contains(&finding.id), "{} {}", report.id(), finding.id);
                }
            }
        }
    }

    #[test]
    fn comparisons_are_values(comparison in comparison()) {
        // JSON has no word for what is no number.
        prop_assume!(!format!("{comparison:?}").contains("NaN") && !format!("{comparison:?}").contains("inf"));
        let text = serde_json::to_string(&comparison).unwrap();
        prop_assert_eq!(serde_json::from_str::<Comparison>(&text).unwrap(), comparison);
    }
}
