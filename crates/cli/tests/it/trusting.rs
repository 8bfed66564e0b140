//! An attested SBOM in place of an image's layers: taken from whom one trusts, and from nobody else.

use serde_json::{Value, json};
use testkit::{FakeRegistry, image, layer};

use crate::sandbox::Sandbox;

const STATUS: &str =
    "Package: tea\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\n";

/// A registry with an image whose layer can be told from what is attested of it.
fn registry() -> FakeRegistry {
    let registry = FakeRegistry::start();
    let built = layer()
        .file("etc/os-release", "ID=debian\nVERSION_ID=12\n")
        .file("var/lib/dpkg/status", STATUS);
    registry.push("tea", "1", &image().layer(built));
    registry
}

fn spdx(packages: &[&str]) -> Value {
    let package = |purl: &&str| {
        json!({
            "name": "cup", "SPDXID": "SPDXRef-cup", "downloadLocation": "NOASSERTION",
            "externalRefs": [{
                "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                "referenceLocator": purl,
            }],
        })
    };
    json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "tea",
        "dataLicense": "CC0-1.0", "documentNamespace": "https://tea.example/sbom",
        "creationInfo": { "created": "2026-11-22T00:00:00Z", "creators": ["Tool: tea"] },
        "packages": packages.iter().map(package).collect::<Vec<_>>(),
    })
}

/// What is listed, and what is said of how it was come by.
fn listed(home: &Sandbox, registry: &FakeRegistry, trust: Option<&str>) -> String {
    home.transcript(&[&format!("config sbom-trust {}", trust.unwrap_or("--unset"))]);
    let line = format!("sbom --format list registry://{}/tea:1", registry.host());
    home.transcript(&[&line]).replace(&registry.host(), "HOST")
}

#[test]
fn what_is_attested_is_taken_from_whom_one_trusts() {
    let registry = registry();
    let home = Sandbox::new();
    home.file("sbom.json", spdx(&["pkg:npm/cup@2.0.0"]).to_string());
    home.file("other.pub", include_str!("../../../attestation/fixtures/cosign/other.pub"));
    let attach = format!(
        "attestation add --referrer --predicate-type https://spdx.dev/Document --file sbom.json {}/tea:1",
        registry.host()
    );
    home.transcript(&[&attach]);
    let manifest = registry.blob("tea", &registry.tag("tea", "1").unwrap()).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap();
    let read = || registry.seen().iter().filter(|it| it.path.contains(layer)).count();
    for trust in [None, Some("other.pub")] {
        let told = listed(&home, &registry, trust);
        assert!(told.contains("tea") && !told.contains("cup"), "{told}");
        let is_told = told.contains("it is not signed by anybody who is believed");
        assert_eq!(is_told, trust.is_some(), "{told}");
    }
    assert_eq!(read(), 1);
    // Whoever has read it before has it in a cache.
    let home = Sandbox::new();
    home.file("other.pub", include_str!("../../../attestation/fixtures/cosign/other.pub"));
    let told = listed(&home, &registry, Some("unsigned"));
    assert!(told.contains("SBOM obtained from attestation, 1 package found"), "{told}");
    assert!(told.contains("no layer was read"), "{told}");
    assert!(told.contains("cup") && !told.contains("deb"), "{told}");
    assert_eq!(read(), 1);
    // Whoever asks why hears who says what is inside.
    let explain = format!("explain registry://{}/tea:1 cup", registry.host());
    let told = home.transcript(&[&explain]);
    assert!(told.contains("    sbom        SBOM attestation "), "{told}");
    let told = home.transcript(&[&format!("{explain} --format json")]);
    assert!(told.contains("\"about\": \"sbom\""), "{told}");
    // What is said for one command goes before what is settled for all.
    let home = home.with("FORETOP_SBOM_TRUST", "other.pub");
    let told = listed(&home, &registry, Some("unsigned"));
    assert!(!told.contains("cup"), "{told}");
    let home = home.with("FORETOP_SBOM_TRUST", "");
    // A key that is not there is no reason to trust nobody quietly.
    let told = listed(&home, &registry, Some("none.pub"));
    assert!(told.contains("none.pub") && !told.contains("cup@"), "{told}");
}

#[test]
fn what_makes_no_sense_is_told_and_the_layers_are_read() {
    for document in [spdx(&[]).to_string(), "{}".to_owned(), "[1]".to_owned()] {
        let registry = registry();
        let home = Sandbox::new();
        home.file("sbom.json", document);
        let attach = format!(
            "attestation add --referrer --predicate-type https://spdx.dev/Document --file sbom.json {}/tea:1",
            registry.host()
        );
        home.transcript(&[&attach]);
        let told = listed(&home, &registry, Some("unsigned"));
        assert!(told.contains("An attested SBOM is not believed, so layers are read"), "{told}");
        assert!(told.contains("tea"), "{told}");
    }
}
