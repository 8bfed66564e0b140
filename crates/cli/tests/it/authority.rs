//! Whose word counts where several speak, and what is told where there is too little to go by.

use crate::sandbox::Sandbox;

/// An OSV record of that id about `name`, with these events one after another: `0 <1.0 4.0 <=4.2`.
fn record(id: &str, alias: &str, ecosystem: &str, name: &str, ranges: &str) -> String {
    let events: Vec<String> = ranges
        .split_whitespace()
        .map(|it| match (it.strip_prefix("<="), it.strip_prefix('<')) {
            (Some(last), _) => format!(r#"{{"last_affected": "{last}"}}"#),
            (_, Some(fixed)) => format!(r#"{{"fixed": "{fixed}"}}"#),
            _ => format!(r#"{{"introduced": "{it}"}}"#),
        })
        .collect();
    format!(
        r#"{{"schema_version": "1.7.3", "id": "{id}", "modified": "2024-01-11T15:07:45Z",
  "aliases": ["{alias}"], "affected": [{{"package": {{"name": "{name}", "ecosystem": "{ecosystem}"}},
    "ranges": [{{"type": "ECOSYSTEM", "events": [{}]}}]}}]}}"#,
        events.join(", ")
    )
}

/// A document with these packages.
fn document(purls: &[&str]) -> String {
    let components: Vec<String> = purls
        .iter()
        .map(|it| format!(r#"{{"type": "library", "name": "x", "purl": "{it}"}}"#))
        .collect();
    format!(
        r#"{{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{}]}}"#,
        components.join(", ")
    )
}

/// An almanac of these records, and what is judged by it.
fn sandbox(records: &[(&str, String)], purls: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new().with("LANG", "C.UTF-8");
    for (path, text) in records {
        sandbox.file(&format!("feeds/{path}.json"), text);
    }
    sandbox.file("it.json", document(purls));
    let built = sandbox.foretop("almanac build --from feeds");
    assert!(built.starts_with("exit 0\n"), "{built}");
    sandbox
}

#[track_caller]
fn says(said: &str, words: &[&str]) {
    // The terminal's width breaks lines where it likes.
    let said = said.split_whitespace().collect::<Vec<&str>>().join(" ");
    for it in words {
        assert!(said.contains(it), "{it}: {said}");
    }
}

#[test]
fn who_is_silent_overrules_nobody() {
    let records = [
        (
            "osv/Packagist/GHSA-1111-1111-1111",
            record(
                "GHSA-1111-1111-1111",
                "CVE-2024-0001",
                "Packagist",
                "tea/house",
                "8.0.0 <8.3.9",
            ),
        ),
        (
            "osv/Packagist/DRUPAL-CORE-2024-001",
            record(
                "DRUPAL-CORE-2024-001",
                "CVE-2024-0001",
                "Packagist",
                "tea/house",
                "7.0 <7.58 8.0.0 <8.3.9",
            ),
        ),
    ];
    let sandbox = sandbox(&records, &["pkg:composer/tea/house@7.1"]);
    let said = sandbox.foretop("cves --exit-code --format only-packages sbom://it.json");
    assert!(said.starts_with("exit 2\n"), "{said}");
    let said = sandbox.foretop("explain sbom://it.json CVE-2024-0001");
    says(
        &said,
        &[
            "GHSA-1111-1111-1111 of osv is silent about 7.1 (its first range begins at 8.0.0)",
            "DRUPAL-CORE-2024-001 of osv decides",
        ],
    );
    assert!(!said.contains("GitHub reviews ranges"), "{said}");
}

#[test]
fn who_decides_says_why_in_its_own_name() {
    let records = [
        (
            "osv/Packagist/DRUPAL-CORE-2024-001",
            record("DRUPAL-CORE-2024-001", "CVE-2024-0001", "Packagist", "tea/house", "0 <7.58"),
        ),
        ("osv/Packagist/FOP-1", record("FOP-1", "CVE-2024-0001", "Packagist", "tea/house", "0 <8")),
    ];
    let sandbox = sandbox(&records, &["pkg:composer/tea/house@7.58"]);
    let said = sandbox.foretop("explain sbom://it.json CVE-2024-0001");
    says(
        &said,
        &[
            "DRUPAL-CORE-2024-001 of osv decides over FOP-1 of osv: Drupal's own word about its code",
        ],
    );
    assert!(!said.contains("GitHub"), "{said}");
}

#[test]
fn disagreement_is_a_gap() {
    let records = [
        (
            "osv/RubyGems/GHSA-1111-1111-1111",
            record("GHSA-1111-1111-1111", "CVE-2024-0001", "RubyGems", "pourer", "3.0.0 <3.2.17"),
        ),
        (
            "osv/RubyGems/RUBYSEC-1",
            record("RUBYSEC-1", "CVE-2024-0001", "RubyGems", "pourer", "0 <3.2.17"),
        ),
    ];
    let sandbox = sandbox(&records, &["pkg:gem/pourer@2.1"]);
    let said = sandbox.foretop("cves --exit-code sbom://it.json");
    assert!(said.starts_with("exit 0\n"), "{said}");
    says(
        &said,
        &["1 flaw of gem: the sources disagree about this version (CVE-2024-0001 of pourer@2.1)"],
    );
    let said = sandbox.foretop("explain sbom://it.json CVE-2024-0001");
    says(
        &said,
        &[
            "cannot tell",
            "leaves 2.1 out (its first range begins at 3.0.0)",
            "who is right, nobody says",
        ],
    );
}

/// So many records about the space `hex`, of which 20 are taken for the whole.
fn elixirs(count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|it| {
            let id = format!("GHSA-1111-1111-{it:04}");
            let text =
                record(&id, &format!("CVE-2024-{it:04}"), "Hex", &format!("cup{it}"), "0 <1.0");
            (format!("osv/Hex/{id}"), text)
        })
        .collect()
}

#[test]
fn a_part_is_not_taken_for_the_whole() {
    for (count, is_part) in [(19, true), (20, false)] {
        let records = elixirs(count);
        let records: Vec<(&str, String)> =
            records.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
        let sandbox = sandbox(&records, &["pkg:hex/saucer@1.0.0"]);
        let part = format!(
            "only {count} advisories about hex in the almanac, and the whole has at least 20"
        );
        for line in ["cves sbom://it.json", "explain sbom://it.json saucer"] {
            let said = sandbox.foretop(line);
            assert_eq!(said.contains(&part), is_part, "{said}");
        }
        let status = sandbox.foretop("almanac status");
        let told = " 19 advisories, the whole has at least 20";
        assert_eq!(status.contains(told), is_part, "{status}");
        let status = sandbox.foretop("almanac status --format json");
        assert_eq!(status.contains(r#""least": 20"#), is_part, "{status}");
    }
}

#[test]
fn a_handful_of_vex_documents_does_not_make_a_system_look_clean() {
    let vex = include_str!("../../../feed/fixtures/redhat-vex/plain.json");
    let records = [("vex/cve-2024-1003", vex.to_owned())];
    let sandbox =
        sandbox(&records, &["pkg:rpm/redhat/saucer@1.0-1.el9?arch=x86_64&distro=rhel-9.4"]);
    let said = sandbox.foretop("cves sbom://it.json");
    says(
        &said,
        &[
            "No vulnerable package detected, but 1 thing is not known",
            "rhel 9.4: only 1 advisory about rhel:9 in the almanac, and the whole has at least 2000",
        ],
    );
}
