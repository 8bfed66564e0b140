//! What documents about environments are, whatever is in them.

use model::{Analysis, Deployment, Digest, Moment, Platform, Source};
use proptest::prelude::*;
use serde_json::Value;

use super::arbitrary_analysis::analysis;
use crate::export::{ALL, Export, Head, Image, find};

fn deployment(application: &str, digit: u8) -> Deployment {
    Deployment {
        id: format!("{application}-{digit}"),
        environment: "production".to_owned(),
        application: application.to_owned(),
        platform: Platform::new("linux", "amd64", None),
        repository: "docker.io/acme/web".to_owned(),
        tag: Some("v1".to_owned()),
        digest: Digest::from_sha256(&[digit; 32]),
        source: Source::Cli,
        recorded_by: "=ann()".to_owned(),
        recorded_from: "+here".to_owned(),
        from: Moment::from_micros(0),
        until: None,
        pending: false,
    }
}

fn written(export: &dyn Export, analyses: &[Analysis]) -> String {
    let head = Head {
        organisation: "acme".to_owned(),
        environment: "pro\"duction".to_owned(),
        created: "2026-11-21T10:00:00Z".to_owned(),
        tool_version: "0.1.0".to_owned(),
        ..Head::default()
    };
    let mut writer = export.begin(head);
    let mut out = writer.begin();
    for (number, analysis) in (1..).zip(analyses) {
        let all = [deployment("one", number), deployment("@two", number)];
        out.push_str(&writer.image(&Image { deployments: &all, content: Ok(analysis) }));
    }
    let all = [deployment("three", 0)];
    let why = "it is not analysed yet: cannot tell";
    out.push_str(&writer.image(&Image { deployments: &all, content: Err(why) }));
    while let Some(part) = writer.end() {
        out.push_str(&part);
    }
    out
}

#[test]
fn ids_are_unique_and_the_names_of_their_files() {
    let mut ids: Vec<&str> = ALL.iter().map(|it| it.id()).collect();
    for id in &ids {
        let file = format!("{}/src/export/{id}.rs", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&file).exists(), "{file}");
        assert!(find(id).is_some_and(|it| !it.title().is_empty() && !it.ending().is_empty()));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), ALL.len());
    assert!(find("pdf").is_none());
}

#[test]
fn what_nobody_can_tell_is_in_every_form() {
    for export in ALL {
        let text = written(*export, &[]);
        assert!(text.contains("it is not analysed yet: cannot tell"), "{}: {text}", export.id());
        assert!(text.contains("acme/web:v1"), "{}: {text}", export.id());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn documents_are_what_they_say(one in analysis()) {
        // The same packages again need other names.
        let all = [one.clone(), one.clone(), one];
        let text = written(find("csv").unwrap(), &all);
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let mut findings = 0;
        for row in reader.records() {
            let row = row.unwrap();
            prop_assert!(!row.iter().any(|it| it.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])));
            findings += usize::from(&row[0] == "finding");
        }
        let told: usize = all
            .iter()
            .flat_map(|all| {
                let there = all.inventory.packages.len();
                let known = move |it: &&usize| **it < there;
                all.findings.iter().map(move |it| it.packages.iter().filter(known).count().max(1))
            })
            .sum();
        prop_assert_eq!(findings, told * 2);

        let parsed: Value = serde_json::from_str(&written(find("json").unwrap(), &all)).unwrap();
        prop_assert_eq!(parsed["images"].as_array().unwrap().len(), 4);
        prop_assert_eq!(&parsed["pending"], &Value::from(1));

        let bill: Value = serde_json::from_str(&written(find("cyclonedx").unwrap(), &all)).unwrap();
        let mut names = std::collections::BTreeSet::new();
        let images = bill["components"].as_array().unwrap();
        for it in images.iter().chain(images.iter().flat_map(|it| it["components"].as_array().into_iter().flatten())) {
            prop_assert!(names.insert(it["bom-ref"].as_str().unwrap().to_owned()), "{}", it);
        }
        for it in bill["vulnerabilities"].as_array().unwrap() {
            for it in it["affects"].as_array().unwrap() {
                prop_assert!(names.contains(it["ref"].as_str().unwrap()), "{}", it);
            }
        }
    }
}
