//! What reports look like, by example.

use model::{
    Analysis, Basis, Digest, Distro, Exploited, Finding, Fix, Forecast, Gap, ImageDescription,
    Inventory, Judgement, Level, Outlook, Package, Place, Platform, Rating, SourcePackage, Space,
    Span, Statement, StatementStatus, Step, Subject, Verdict,
};
use serde_json::Value;

use super::{Beside, Options, find, write_explanation, write_explanation_json, write_quickview};

fn digest(digit: u8) -> Digest {
    Digest::from_sha256(&[digit; 32])
}

/// A finding of which nothing is known but its name and level.
pub(crate) fn finding(id: &str, level: Level) -> Finding {
    Finding {
        id: id.to_owned(),
        aliases: vec![],
        packages: vec![0],
        name: "zlib".to_owned(),
        version: "1.2.3".to_owned(),
        space: Space::of("npm"),
        feed: "osv".to_owned(),
        advisory: id.to_owned(),
        bulletins: vec![],
        level,
        ratings: vec![],
        spans: vec![Span::before("1.2.4")],
        fix: Fix::Version { version: "1.2.4".to_owned(), channel: None },
        reason: None,
        published: None,
        title: String::new(),
        details: String::new(),
        references: vec![],
        weaknesses: vec![],
        exploited: None,
        forecast: None,
        malicious: false,
        statement: None,
        in_use: None,
    }
}

fn package(purl: &str, path: &str) -> Package {
    let place = Place {
        path: path.to_owned(),
        layer: Some(0),
        digest: Some(digest(1)),
        diff_id: Some(digest(2)),
        first_layer: Some(0),
    };
    Package { places: vec![place], ..Package::new(purl.parse().unwrap()) }
}

/// A small Debian image: a critical flaw in two binaries of one source, one that will not be fixed,
/// one in an npm package that a statement took out of the way, and a gap of each kind.
pub(crate) fn analysis() -> Analysis {
    let status = "/var/lib/dpkg/status";
    let source = || SourcePackage { name: "openssl".to_owned(), version: None };
    let packages = vec![
        Package {
            source: Some(source()),
            ..package("pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12", status)
        },
        Package {
            source: Some(source()),
            ..package("pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12", status)
        },
        package("pkg:npm/%40babel/core@7.0.0", "/app/node_modules/@babel/core/package.json"),
    ];
    let nvd = Rating {
        source: "nvd".to_owned(),
        level: Level::Critical,
        word: None,
        score: Some(9.8),
        vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()),
    };
    let debian = |id: &str, level| Finding {
        name: "openssl".to_owned(),
        version: "3.0.11-1".to_owned(),
        space: Space::release("debian", "12"),
        feed: "debian-tracker".to_owned(),
        packages: vec![0, 1],
        ..finding(id, level)
    };
    let critical = Finding {
        aliases: vec!["GHSA-aaaa-bbbb-cccc".to_owned()],
        bulletins: vec!["DSA-5532-1".to_owned()],
        ratings: vec![nvd],
        spans: vec![Span::before("3.0.11-1~deb12u2").since("3.0.0")],
        fix: Fix::Version { version: "3.0.11-1~deb12u2".to_owned(), channel: None },
        title: "incorrect cipher key length".to_owned(),
        details: "The key is cut.\nThat is bad.".to_owned(),
        references: vec!["https://example.org/openssl/commit/1".to_owned()],
        weaknesses: vec![684],
        exploited: Some(Exploited {
            id: "CVE-2023-5363".to_owned(),
            added: "2023-11-01".to_owned(),
            due: Some("2023-11-22".to_owned()),
            ransomware: true,
            title: String::new(),
            action: String::new(),
        }),
        forecast: Some(Forecast {
            id: "CVE-2023-5363".to_owned(),
            score: 0.0004,
            percentile: 0.09,
        }),
        published: Some("2023-10-24T00:00:00Z".to_owned()),
        ..debian("CVE-2023-5363", Level::Critical)
    };
    let minor = Finding {
        packages: vec![1],
        spans: vec![Span::all()],
        fix: Fix::None(Outlook::WillNotFix),
        reason: Some("no-dsa: minor issue".to_owned()),
        ..debian("CVE-2024-2511", Level::Low)
    };
    let suppressed = Finding {
        packages: vec![2],
        name: "@babel/core".to_owned(),
        version: "7.0.0".to_owned(),
        title: "a | `hostile` <b>title</b> @all".to_owned(),
        statement: Some(Statement {
            origin: "/app/app.vex.json".to_owned(),
            document: None,
            author: Some("security@example.org".to_owned()),
            said: None,
            flaws: vec!["CVE-2023-45133".to_owned()],
            products: vec![],
            status: StatementStatus::NotAffected,
            justification: Some("vulnerable_code_not_in_execute_path".to_owned()),
            note: Some("only used to build".to_owned()),
            expires: None,
        }),
        ..finding("CVE-2023-45133", Level::High)
    };
    Analysis {
        inventory: Inventory {
            subject: Subject::Image(Box::new(ImageDescription {
                name: "example/app:1".to_owned(),
                digest: Some(digest(0xab)),
                platform: Platform {
                    os: "linux".to_owned(),
                    architecture: "amd64".to_owned(),
                    ..Platform::default()
                },
                size: 19_400_000,
                ..ImageDescription::default()
            })),
            distro: Some(Distro {
                id: "debian".to_owned(),
                version: Some("12".to_owned()),
                name: Some("Debian GNU/Linux 12 (bookworm)".to_owned()),
                ..Distro::default()
            }),
            packages,
            statements: vec![],
            gaps: vec![Gap::new("/app/x.jar", "it is not a zip archive")],
        },
        findings: vec![critical, suppressed, minor],
        gaps: vec![Gap::new("npm: left-pad", "`one` is not a version")],
        basis: Basis {
            almanac: digest(0xcd).to_string(),
            current: Some("2026-11-20T06:00:00Z".to_owned()),
            ..Basis::default()
        },
    }
}

fn options() -> Options {
    Options { tool_version: "0.1.0".to_owned(), ..Options::default() }
}

/// The report is as in `snapshots/`.
fn check(name: &str, id: &str, options: &Options) {
    insta::assert_snapshot!(name, find(id).unwrap().write(&analysis(), options));
}

/// The value at `pointer` of a report that is JSON.
fn check_at(id: &str, pointer: &str, expect: &str) {
    let text = find(id).unwrap().write(&analysis(), &options());
    let value: Value = serde_json::from_str(&text).unwrap();
    let at = value.pointer(pointer).unwrap_or(&Value::Null);
    assert_eq!(at.to_string(), expect, "{id} {pointer}\n{text}");
}

/// What a person at a terminal asks for who wants everything.
fn rich() -> Options {
    Options {
        created: Some("2026-11-21T06:30:00Z".to_owned()),
        unicode: true,
        width: Some(72),
        details: true,
        epss: true,
        locations: true,
        ..options()
    }
}

#[test]
fn packages() {
    check("packages-piped", "packages", &options());
    check("packages-rich", "packages", &rich());
    let coloured =
        find("packages").unwrap().write(&analysis(), &Options { colour: true, ..rich() });
    assert!(coloured.contains("\u{1b}[1;31mCRITICAL\u{1b}[0m"), "{coloured}");
    let mut plain = coloured;
    while let Some(at) = plain.find('\u{1b}') {
        let end = plain[at..].find('m').unwrap();
        plain.replace_range(at..=at + end, "");
    }
    assert_eq!(plain, find("packages").unwrap().write(&analysis(), &rich()), "colours add nothing");
}

#[test]
fn nobody_is_told_of_no_platform() {
    let mut analysis = analysis();
    let Subject::Image(image) = &mut analysis.inventory.subject else { panic!("an image") };
    image.platform = Platform::default();
    for id in ["packages", "markdown", "json"] {
        let told = find(id).unwrap().write(&analysis, &options());
        let told: Vec<&str> = told.lines().filter(|it| it.contains("platform")).collect();
        assert!(told.iter().all(|it| it.contains("null")), "{id}: {told:?}");
    }
}

#[test]
fn only_packages() {
    check("only-packages", "only-packages", &options());
    check(
        "only-vuln-packages",
        "only-packages",
        &Options { only_vuln_packages: true, ..options() },
    );
}

#[test]
fn markdown() {
    check("markdown", "markdown", &rich());
}

#[test]
fn documents() {
    check("json", "json", &rich());
    check("csv", "csv", &rich());
    check("sarif", "sarif", &rich());
    check("gitlab", "gitlab", &rich());
}

#[test]
fn the_likeliest_comes_first_when_asked() {
    let mut analysis = analysis();
    analysis.findings[2].forecast =
        Some(Forecast { id: String::new(), score: 0.9, percentile: 0.99 });
    let first = |options: &Options| {
        let text = find("json").unwrap().write(&analysis, options);
        let value: Value = serde_json::from_str(&text).unwrap();
        value["findings"][0]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(first(&options()), "CVE-2023-5363");
    assert_eq!(first(&rich()), "CVE-2024-2511");
}

#[test]
fn spdx_refers_to_advisories() {
    let refs = "/packages/3/externalRefs";
    check_at("spdx", "/packages/3/name", "\"openssl\"");
    check_at("spdx", &format!("{refs}/1/referenceCategory"), "\"SECURITY\"");
    check_at("spdx", &format!("{refs}/1/referenceType"), "\"advisory\"");
    check_at(
        "spdx",
        &format!("{refs}/1/referenceLocator"),
        "\"https://nvd.nist.gov/vuln/detail/CVE-2023-5363\"",
    );
    check_at(
        "spdx",
        &format!("{refs}/1/comment"),
        "\"CVE-2023-5363 critical, affected >=3.0.0, <3.0.11-1~deb12u2, fixed in 3.0.11-1~deb12u2, known to be exploited\"",
    );
    check_at("spdx", &format!("{refs}/2/referenceType"), "\"fix\"");
    check_at(
        "spdx",
        "/comment",
        "\"This inventory has gaps:\\n/app/x.jar: it is not a zip archive\\n\\nThis analysis rests on the advisories of 2026-11-20 (almanac cdcdcdcdcdcd).\\nThis analysis has gaps:\\nnpm: left-pad: `one` is not a version\"",
    );
}

#[test]
fn cyclonedx_has_vulnerabilities() {
    let first = "/vulnerabilities/0";
    check_at("cyclonedx", &format!("{first}/id"), "\"CVE-2023-5363\"");
    check_at("cyclonedx", &format!("{first}/ratings/0/method"), "\"CVSSv31\"");
    check_at("cyclonedx", &format!("{first}/affects/1/ref"), OPENSSL);
    check_at(
        "cyclonedx",
        &format!("{first}/affects/1/versions"),
        r#"[{"status":"affected","version":"3.0.11-1"},{"range":"vers:deb/>=3.0.0|<3.0.11-1~deb12u2","status":"affected"}]"#,
    );
    check_at(
        "cyclonedx",
        "/vulnerabilities/1/analysis",
        r#"{"detail":"not affected [vulnerable code not in execute path]: only used to build, says security@example.org, read from /app/app.vex.json","justification":"code_not_reachable","state":"not_affected"}"#,
    );
    check_at("cyclonedx", "/vulnerabilities/1/affects/0/versions/0/status", "\"unaffected\"");
    check_at(
        "cyclonedx",
        "/metadata/properties/1",
        r#"{"name":"foretop:analysis:gap","value":"{\"at\":\"npm: left-pad\",\"why\":\"`one` is not a version\"}"}"#,
    );
}

const OPENSSL: &str = "\"pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12\"";

#[test]
fn sbom_has_vulnerabilities() {
    check_at("sbom", "/vulnerabilities/1/purl", OPENSSL);
    check_at(
        "sbom",
        "/vulnerabilities/1/vulnerabilities/1",
        r#"{"cisa_exploited":false,"cvss":{"severity":"LOW"},"cwes":[],"description":"","fix":"not fixed (will not fix)","id":"CVE-2024-2511","source":"debian-tracker","source_id":"CVE-2024-2511","suppressed":false,"url":"https://nvd.nist.gov/vuln/detail/CVE-2024-2511","vulnerable_range":"*"}"#,
    );
    check_at("sbom", "/analysis/gaps/1/at", "\"npm: left-pad\"");
    check_at("sbom", "/descriptor/name", "\"foretop\"");
}

#[test]
fn quickview() {
    insta::assert_snapshot!("quickview", write_quickview(&analysis(), &Beside::default(), &rich()));
    let mut analysis = analysis();
    analysis.basis = Basis { starter: true, ..Basis::default() };
    analysis.inventory.subject = Subject::Directory { path: ".".to_owned() };
    insta::assert_snapshot!(
        "quickview-piped",
        write_quickview(&analysis, &Beside::default(), &options())
    );
}

#[test]
fn quickview_of_several() {
    let named = |name: &str| {
        let mut it = analysis();
        if let Subject::Image(image) = &mut it.inventory.subject {
            name.clone_into(&mut image.name);
        }
        it
    };
    let mut other = named("acme/other:2");
    other.findings.truncate(1);
    other.gaps.clear();
    let mut dark = named("acme/dark:1");
    dark.findings.clear();
    dark.inventory.packages.clear();
    dark.gaps = vec![Gap::new("acme/dark:1", "it is not analysed yet")];
    let all = [named("acme/web:1"), other, dark];
    let mut several = super::Quickviews::default();
    for it in &all {
        several.add(it);
    }
    insta::assert_snapshot!("quickview-of-several", several.written(&options()));
}

fn judgement(package: usize, flaw: &[&str], verdict: Verdict, chain: &[(&str, &str)]) -> Judgement {
    Judgement {
        package,
        flaw: flaw.iter().map(|it| (*it).to_owned()).collect(),
        verdict,
        chain: chain.iter().map(|(about, says)| Step::new(about, *says)).collect(),
    }
}

#[test]
fn explanations() {
    let mut judgements = vec![
        judgement(
            0,
            &["CVE-2023-5363", "GHSA-aaaa-bbbb-cccc"],
            Verdict::Affected,
            &[
                ("place", "/var/lib/dpkg/status in layer 0"),
                ("package", "libssl3 3.0.11-1, built from openssl"),
                ("space", "debian:12"),
                ("advisory", "debian-tracker: CVE-2023-5363 (DSA-5532-1)"),
                ("comparison", "3.0.11-1 is in >=3.0.0, <3.0.11-1~deb12u2"),
            ],
        ),
        judgement(
            2,
            &[],
            Verdict::CannotTell,
            &[("comparison", "`7.x` is not a version of SemVer, so that nothing can be said")],
        ),
    ];
    let text = write_explanation(&judgements, &analysis().inventory, &analysis().basis, &rich());
    insta::assert_snapshot!("explanation", text);
    for number in 0..7 {
        let flaw = format!("CVE-2026-{number:04}");
        let verdict = if number < 5 { Verdict::NotInRange } else { Verdict::Owned };
        judgements.push(judgement(1, &[&flaw], verdict, &[]));
    }
    let text = write_explanation(&judgements, &analysis().inventory, &analysis().basis, &options());
    insta::assert_snapshot!("explanation-folded", text);
    let text = write_explanation(&judgements, &analysis().inventory, &analysis().basis, &rich());
    assert!(text.contains("CVE-2026-0006"), "{text}");
    let json = write_explanation_json(
        &judgements[..2],
        &analysis().inventory,
        &analysis().basis,
        &options(),
    );
    insta::assert_snapshot!("explanation-json", json);
}

#[test]
fn the_level_of_a_rule_is_ours_whatever_the_score() {
    let mut analysis = analysis();
    let mut check = |level, score, expect: Value| {
        analysis.findings.truncate(1);
        analysis.findings[0].level = level;
        analysis.findings[0].ratings[0].score = score;
        let text = find("sarif").unwrap().write(&analysis, &options());
        let value: Value = serde_json::from_str(&text).unwrap();
        let properties = &value["runs"][0]["tool"]["driver"]["rules"][0]["properties"];
        assert_eq!(properties["security-severity"], expect);
    };
    check(Level::Critical, Some(9.8), "9.8".into());
    check(Level::Low, Some(9.8), "3.9".into());
    check(Level::High, Some(2.0), "7.0".into());
    check(Level::Medium, None, "5.5".into());
    check(Level::Unspecified, Some(5.0), Value::Null);
}

#[test]
fn fixes_in_words() {
    let check = |space: &str, fix: Fix, expect: &str| {
        let finding = Finding { space: Space::from(space), fix, ..finding("CVE-1", Level::Low) };
        assert_eq!(crate::words::fixed(&finding), expect);
    };
    let version = |channel: Option<&str>| Fix::Version {
        version: "1.2".to_owned(),
        channel: channel.map(str::to_owned),
    };
    check("npm", version(None), "1.2");
    check("ubuntu:18.04", version(Some("esm-infra")), "1.2, needs Ubuntu Pro (esm-infra)");
    check("rhel:9", version(Some("eus-9.4")), "1.2, only in eus-9.4");
    check("npm", Fix::None(Outlook::Open), "not fixed");
    check("debian:12", Fix::None(Outlook::Minor), "not fixed (minor, no update of its own)");
    check("debian:12", Fix::None(Outlook::EndOfLife), "not fixed (end of life)");
}

#[test]
fn paths_become_relative_uris() {
    let check = |path: &str, expect: &str| {
        let mut analysis = analysis();
        analysis.findings.truncate(1);
        analysis.inventory.packages[0].places[0].path = path.to_owned();
        let text = find("sarif").unwrap().write(&analysis, &options());
        let value: Value = serde_json::from_str(&text).unwrap();
        let at = "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri";
        assert_eq!(value.pointer(at).unwrap(), expect);
    };
    check("/usr/lib/x", "usr/lib/x");
    check("/app.jar!/lib/x y.jar", "app.jar!/lib/x%20y.jar");
    check("/a:b/../../é#?", "a%3Ab/%C3%A9%23%3F");
    check("C:\\x", "C%3A%5Cx");
    check("/", "subject");
}

#[test]
fn a_caution_is_told_once() {
    let chain = |over: &'static str| [("package", "a"), ("caution", over), ("advisory", "x")];
    let judgements = [
        judgement(0, &["CVE-1"], Verdict::Affected, &chain("debian 8 is over")),
        judgement(1, &["CVE-1"], Verdict::Affected, &chain("debian 8 is over")),
        judgement(1, &["CVE-2"], Verdict::Affected, &chain("debian 9 is over")),
    ];
    let (inventory, basis) = (analysis().inventory, analysis().basis);
    let text = write_explanation(&judgements, &inventory, &basis, &options());
    assert_eq!(text.matches("debian 8 is over").count(), 1, "{text}");
    assert_eq!(text.matches("debian 9 is over").count(), 1, "{text}");
    // Each of a script's chains is whole.
    let json = write_explanation_json(&judgements, &inventory, &basis, &options());
    assert_eq!(json.matches("debian 8 is over").count(), 2, "{json}");
}
