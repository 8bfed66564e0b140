//! A finding whose every text is hostile, in every report: documents can be read, and terminals are safe.

use format::report::{ALL, Beside, Options, write_explanation_json, write_quickview};
use model::{
    Analysis, Basis, Exploited, Fix, Forecast, Gap, InUse, Inventory, Package, Place, Purl, Space,
    Span, Subject, Threat,
};

const WORLD: &str = "d debian 12
p pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12 openssl
p pkg:npm/%40babel/core@7.0.0
r osv debian:12 openssl CVE-2024-0001,DSA-1 yes 0 3.0.13
r osv npm @babel/core CVE-2024-0001,GHSA-1 yes 0 8
s CVE-2024-0001 not pkg:npm/%40babel/core";

/// Runs it once.
pub fn run(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let mut pieces = input.split('\0').cycle();
    let mut text = || pieces.next().unwrap_or_default().to_owned();
    let world = crate::world::world(WORLD);
    let mut findings = crate::world::agree(&world);
    let Inventory { distro, mut packages, statements, .. } = world.inventory;
    packages.push(Package::new(Purl::new("npm", &format!("x{}", text())).with_version(&text())));
    for package in &mut packages {
        package.licenses = vec![text()];
        package.description = Some(text());
        package.places = vec![Place { path: text(), ..Place::default() }];
    }
    for finding in &mut findings {
        finding.id = text();
        finding.aliases = vec![text()];
        finding.name = text();
        finding.version = text();
        finding.space = Space::from(&*text());
        finding.feed = text();
        finding.advisory = text();
        finding.bulletins = vec![text()];
        finding.ratings = vec![crate::world::rating(&text())];
        finding.spans = vec![Span::before(text()).since(text())];
        finding.fix = Fix::Version { version: text(), channel: Some(text()) };
        finding.reason = Some(text());
        finding.published = Some(text());
        finding.title = text();
        finding.details = text();
        finding.references = vec![text(), text()];
        finding.exploited = Some(Exploited {
            id: text(),
            added: text(),
            due: Some(text()),
            ransomware: true,
            title: text(),
            action: text(),
        });
        finding.in_use = [None, Some(true), Some(false)][input.len() % 3];
        finding.forecast = Some(Forecast { id: text(), score: 0.5, percentile: 0.5 });
        if let Some(said) = &mut finding.statement {
            (said.origin, said.author, said.note) = (text(), Some(text()), Some(text()));
        }
    }
    let subject = Subject::Document { name: text() };
    let gaps = vec![Gap::new(text(), text())];
    let inventory = Inventory { subject, distro, packages, statements, gaps: gaps.clone() };
    let basis = Basis {
        almanac: text(),
        current: Some(text()),
        starter: true,
        warnings: vec![text()],
        untold: Threat::ALL[..input.len() % 3].to_vec(),
        in_use: Some(InUse { by: vec![text()], seen: text(), is_old: input.len() % 3 == 0 }),
    };
    let analysis = Analysis { inventory, findings, gaps, basis };
    let options = Options {
        created: Some(text()),
        tool_version: "1".to_owned(),
        unicode: input.len() % 2 == 0,
        width: Some(input.len() % 200),
        details: true,
        epss: true,
        locations: true,
        ..Options::default()
    };
    for report in ALL {
        let written = report.write(&analysis, &options);
        let safe = |it: char| !it.is_control() || it == '\n';
        match report.id() {
            "packages" | "only-packages" | "markdown" => {
                assert!(written.chars().all(safe), "{}: {written:?}", report.id());
            }
            "csv" => {
                let mut reader = csv::Reader::from_reader(written.as_bytes());
                assert!(reader.records().all(|it| it.is_ok()), "{written:?}");
            }
            _ => drop(serde_json::from_str::<serde_json::Value>(&written).expect("it is JSON")),
        }
    }
    assert!(
        write_quickview(&analysis, &Beside::default(), &options)
            .chars()
            .all(|it| !it.is_control() || it == '\n')
    );
    let _ = write_explanation_json;
}
