//! GitLab's report, held against the rules of GitLab's schema, version 15.0.7.
//!
//! No package registry ships that schema, so what it demands of a container scanning report is written
//! here by hand: <https://gitlab.com/gitlab-org/security-products/security-report-schemas>.

#[path = "../src/tests/arbitrary.rs"]
mod arbitrary;
#[path = "../src/tests/arbitrary_analysis.rs"]
mod arbitrary_analysis;

use format::report::{Options, find};
use model::Analysis;
use proptest::prelude::*;
use serde_json::Value;

/// What is wrong with a report, each with its place.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn demand(&mut self, holds: bool, at: &str, what: &str) {
        if !holds {
            self.0.push(format!("{at}: {what}"));
        }
    }

    /// A text with so many letters.
    fn text<'v>(&mut self, of: &'v Value, key: &str, least: usize, most: usize) -> &'v str {
        let text = of[key].as_str();
        self.demand(text.is_some(), key, "is no text");
        let letters = text.unwrap_or_default().chars().count();
        self.demand((least..=most).contains(&letters), key, "is too short or too long");
        text.unwrap_or_default()
    }

    fn one_of(&mut self, of: &Value, key: &str, words: &[&str]) {
        let word = self.text(of, key, 1, 100);
        self.demand(words.contains(&word), key, "is not one of the words");
    }

    fn list<'v>(&mut self, of: &'v Value, key: &str, least: usize, most: usize) -> &'v [Value] {
        let list = of[key].as_array().map_or(&[][..], Vec::as_slice);
        self.demand((least..=most).contains(&list.len()), key, "has too few or too many");
        list
    }

    fn report(&mut self, report: &Value) {
        self.demand(report["version"] == "15.0.7", "version", "is another one");
        let scan = &report["scan"];
        self.one_of(scan, "type", &["container_scanning"]);
        self.one_of(scan, "status", &["success", "failure"]);
        for key in ["start_time", "end_time"] {
            let time = self.text(scan, key, 19, 19);
            let shape: String =
                time.chars().map(|it| if it.is_ascii_digit() { '0' } else { it }).collect();
            self.demand(shape == "0000-00-00T00:00:00", key, "has another form");
        }
        for key in ["analyzer", "scanner"] {
            for part in ["id", "name", "version"] {
                self.text(&scan[key], part, 1, usize::MAX);
            }
            self.text(&scan[key]["vendor"], "name", 1, usize::MAX);
        }
        for message in self.list(scan, "messages", 0, usize::MAX) {
            self.one_of(message, "level", &["info", "warn", "fatal"]);
            self.text(message, "value", 1, usize::MAX);
        }
        self.demand(report["vulnerabilities"].is_array(), "vulnerabilities", "is no list");
        for vulnerability in self.list(report, "vulnerabilities", 0, usize::MAX) {
            self.vulnerability(vulnerability);
        }
    }

    fn vulnerability(&mut self, of: &Value) {
        self.text(of, "id", 36, 36);
        self.text(of, "name", 0, 255);
        for (key, most) in [("description", 1_048_576), ("solution", 7000)] {
            if !of[key].is_null() {
                self.text(of, key, 0, most);
            }
        }
        self.one_of(of, "severity", &["Info", "Unknown", "Low", "Medium", "High", "Critical"]);
        for identifier in self.list(of, "identifiers", 1, 20) {
            for key in ["type", "name", "value"] {
                self.text(identifier, key, 1, usize::MAX);
            }
            self.url(identifier);
        }
        for link in self.list(of, "links", 0, usize::MAX) {
            self.url(link);
        }
        if !of["cvss_vectors"].is_null() {
            for vector in self.list(of, "cvss_vectors", 1, 10) {
                self.text(vector, "vendor", 1, usize::MAX);
                let text = self.text(vector, "vector", 32, 128);
                let known = text.starts_with("CVSS:3.0/AV:") || text.starts_with("CVSS:3.1/AV:");
                self.demand(known, "vector", "is none of CVSS 3");
            }
        }
        let location = &of["location"];
        self.text(location, "operating_system", 1, usize::MAX);
        self.text(location, "image", 1, usize::MAX);
        self.text(&location["dependency"], "version", 0, usize::MAX);
        self.text(&location["dependency"]["package"], "name", 0, usize::MAX);
        if !of["flags"].is_null() {
            for flag in self.list(of, "flags", 1, 1) {
                self.one_of(flag, "type", &["flagged-as-likely-false-positive"]);
                self.text(flag, "origin", 1, usize::MAX);
                self.text(flag, "description", 1, usize::MAX);
            }
        }
        for detail in of["details"].as_object().into_iter().flat_map(serde_json::Map::values) {
            self.text(detail, "name", 1, usize::MAX);
            self.one_of(detail, "type", &["text"]);
            self.text(detail, "value", 0, usize::MAX);
        }
    }

    fn url(&mut self, of: &Value) {
        let url = self.text(of, "url", 9, usize::MAX);
        let known = ["http://", "https://", "ftp://"].iter().any(|it| url.starts_with(it));
        self.demand(known && !url.contains('\n'), "url", "is none");
    }
}

fn faults(analysis: &Analysis) -> Vec<String> {
    let text = find("gitlab").expect("it is listed").write(analysis, &Options::default());
    let mut faults = Faults::default();
    faults.report(&serde_json::from_str(&text).expect("it is JSON"));
    faults.0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn reports_keep_the_rules_of_gitlab(analysis in arbitrary_analysis::analysis()) {
        prop_assert_eq!(faults(&analysis), Vec::<String>::new());
    }
}

#[test]
fn the_rules_are_not_kept_by_just_anything() {
    let mut faults = Faults::default();
    faults.report(&serde_json::json!({
        "version": "15.0.7", "scan": { "type": "sast" }, "vulnerabilities": [{ "id": "" }],
    }));
    assert!(faults.0.len() > 10, "{:?}", faults.0);
}
