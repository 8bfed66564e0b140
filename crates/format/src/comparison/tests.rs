//! What reports of comparisons look like, by example.

use model::{
    Aspect, Basis, Comparison, Counts, Digest, Fate, FindingChange, Fix, Gap, Level, Outlook,
    PackageChange, Platform, Purl, Seen, Side, SideKind, Space, Way,
};

use super::{ALL, Application, Options, Outcome, Promotion, Setback, Several, Worse, find};
use crate::policies::State;
use crate::report;

fn side(name: &str, digit: u8) -> Side {
    Side {
        name: name.to_owned(),
        kind: SideKind::Image,
        digest: Some(Digest::from_sha256(&[digit; 32])),
        tags: vec![name.to_owned()],
        platform: Some(Platform {
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            ..Platform::default()
        }),
        base: Some("debian:12".to_owned()),
        size: Some(60_000_000),
        packages: 12,
        counts: Counts { critical: 1, high: 2, low: 8, ..Counts::default() },
        basis: Basis {
            almanac: Digest::from_sha256(&[7; 32]).to_string(),
            current: Some("2026-11-20T00:00:00Z".to_owned()),
            ..Basis::default()
        },
        ..Side::default()
    }
}

fn package(way: Way, before: &str, after: &str) -> PackageChange {
    let purl = |text: &str| -> Option<Purl> { (!text.is_empty()).then(|| text.parse().unwrap()) };
    PackageChange { way, before: purl(before), after: purl(after), unordered: None, doubt: None }
}

fn seen(version: &str, level: Level) -> Seen {
    Seen {
        version: version.to_owned(),
        space: Space::from("debian:12"),
        level,
        fix: Fix::None(Outlook::Open),
        exploited: false,
        malicious: false,
        forecast: None,
        suppressed: false,
    }
}

fn finding(fate: Fate, id: &str, packages: &[usize]) -> FindingChange {
    FindingChange {
        fate,
        id: id.to_owned(),
        aliases: vec![],
        name: "openssl".to_owned(),
        title: String::new(),
        packages: packages.to_vec(),
        before: None,
        after: None,
        aspects: vec![],
        doubt: None,
    }
}

/// Of everything one, with names that are not to be trusted.
fn comparison() -> Comparison {
    let hole = Gap::new("/app/x.jar", "it is not a <zip> archive");
    let mut before = side("example/shop:1", 1);
    before.counts = Counts { critical: 3, medium: 1, low: 8, suppressed: 1, ..Counts::default() };
    before.size = Some(100_000_000);
    before.packages = 13;
    before.gaps = vec![Gap::new("type pypi", "few are known")];
    let mut after = side("example/shop:2", 2);
    after.gaps = vec![hole.clone(), Gap::new("type pypi", "few are known")];
    after.basis.warnings = vec!["stale feeds: osv (9 days)".to_owned()];
    let packages = vec![
        package(Way::Added, "", "pkg:npm/%40evil/%3Cb%3E%1B%5B31m@1"),
        package(Way::Upgraded, "pkg:deb/debian/libssl3@3.0.11", "pkg:deb/debian/libssl3@3.0.13"),
        package(Way::Upgraded, "pkg:deb/debian/openssl@3.0.11", "pkg:deb/debian/openssl@3.0.13"),
        package(Way::Downgraded, "pkg:npm/left-pad@2", "pkg:npm/left-pad@1"),
        package(Way::Removed, "pkg:npm/right-pad@2", ""),
        PackageChange {
            unordered: Some("`strong` is no version".to_owned()),
            ..package(Way::Changed, "pkg:pypi/tea@1", "pkg:pypi/tea@strong")
        },
        PackageChange {
            doubt: Some(hole.clone()),
            ..package(Way::Unclear, "pkg:maven/g/log@1", "")
        },
        package(Way::Unchanged, "pkg:npm/stays@1", "pkg:npm/stays@1"),
    ];
    let high = seen("3.0.13", Level::High);
    let findings = vec![
        FindingChange {
            after: Some(Seen {
                exploited: true,
                fix: Fix::Version { version: "3.0.14".to_owned(), channel: None },
                ..high.clone()
            }),
            title: "a | `hostile` <b>title</b> @all".to_owned(),
            ..finding(Fate::Introduced, "CVE-2026-1", &[1, 2])
        },
        FindingChange {
            before: Some(seen("1", Level::Critical)),
            name: "log".to_owned(),
            doubt: Some(hole),
            ..finding(Fate::Unclear, "CVE-2026-2", &[6])
        },
        FindingChange {
            before: Some(seen("3.0.11", Level::Critical)),
            ..finding(Fate::Fixed, "CVE-2026-3", &[1])
        },
        FindingChange {
            before: Some(Seen { suppressed: true, forecast: Some(0.01), ..high.clone() }),
            after: Some(Seen {
                level: Level::Critical,
                fix: Fix::Version { version: "2".to_owned(), channel: None },
                exploited: true,
                forecast: Some(0.5),
                ..high
            }),
            aspects: vec![
                Aspect::Level,
                Aspect::Fix,
                Aspect::Exploited,
                Aspect::Forecast,
                Aspect::Suppressed,
            ],
            name: "stays".to_owned(),
            ..finding(Fate::Changed, "CVE-2026-4", &[7])
        },
        FindingChange {
            before: Some(seen("2", Level::Low)),
            after: Some(Seen { suppressed: true, ..seen("1", Level::Low) }),
            name: "left-pad".to_owned(),
            ..finding(Fate::Unchanged, "CVE-2026-5", &[3])
        },
    ];
    Comparison { before, after, packages, unchanged_packages: 7, findings }
}

fn options() -> Options {
    let report = report::Options {
        created: Some("2026-01-02T03:04:05Z".to_owned()),
        tool_version: "0.1.0".to_owned(),
        ..report::Options::default()
    };
    Options { report, ignore_unchanged: false, policies: None, grounds: super::Grounds::default() }
}

fn rich() -> Options {
    let mut options = options();
    options.report.unicode = true;
    options
}

fn written(id: &str, options: &Options) -> String {
    find(id).unwrap().write(&comparison(), options)
}

#[test]
fn text() {
    insta::assert_snapshot!("text", written("text", &rich()));
    let plain = written("text", &options());
    assert!(plain.is_ascii(), "{plain}");
    assert!(plain.contains("  ^ libssl3 3.0.11 -> 3.0.13 (deb)\n"), "{plain}");
}

#[test]
fn colours_add_nothing() {
    let mut options = rich();
    options.report.colour = true;
    let mut coloured = written("text", &options);
    assert!(coloured.contains("\u{1b}[1;31mCRITICAL\u{1b}[0m"), "{coloured}");
    while let Some(at) = coloured.find('\u{1b}') {
        let end = coloured[at..].find('m').unwrap();
        coloured.replace_range(at..=at + end, "");
    }
    assert_eq!(coloured, written("text", &rich()));
}

#[test]
fn json() {
    insta::assert_snapshot!("json", written("json", &rich()));
}

#[test]
fn markdown() {
    insta::assert_snapshot!("markdown", written("markdown", &rich()));
}

#[test]
fn what_is_the_same_may_be_left_out() {
    let options = Options { ignore_unchanged: true, ..rich() };
    for id in ["text", "json", "markdown"] {
        assert!(written(id, &rich()).contains("CVE-2026-5"), "{id}");
        assert!(!written(id, &options).contains("CVE-2026-5"), "{id}");
        assert!(written(id, &options).contains("CVE-2026-4"), "{id}");
    }
}

#[test]
fn nothing_is_different() {
    let mut side = side("example/shop:1", 1);
    side.basis = Basis { starter: true, ..Basis::default() };
    let same = Comparison {
        before: side.clone(),
        after: side,
        packages: vec![],
        unchanged_packages: 12,
        findings: vec![],
    };
    insta::assert_snapshot!("same", find("text").unwrap().write(&same, &rich()));
}

fn application(name: &str, outcome: Outcome) -> Application {
    let image = |digit: &str| Some(format!("{name}:{digit}@sha256:{}", digit.repeat(64)));
    let (after, before) = (image("2"), image("1"));
    let (name, platform) = (name.to_owned(), "linux/amd64".to_owned());
    Application { name, platform, after, before, outcome }
}

fn setback(id: &str, was: Option<State>, is: State, why: Option<&str>) -> Setback {
    Setback { id: id.to_owned(), was, is, why: why.map(str::to_owned) }
}

fn promotion() -> Promotion {
    let worse = |name: &str, policies: Vec<Setback>, unknown: Option<&str>| Worse {
        application: name.to_owned(),
        policies,
        unknown: unknown.map(str::to_owned),
    };
    let worse = vec![
        worse("shop/web", vec![setback("gaps", Some(State::Met), State::NotMet, None)], None),
        worse("shop/new<b>", vec![setback("max", None, State::Unknown, Some("no date"))], None),
        worse("shop/jobs", Vec::new(), Some("an image of it is not analysed")),
    ];
    Promotion { applications: 4, worse }
}

#[test]
fn policies_of_a_promotion() {
    let gap = Gap::new("shop/jobs", "it is not analysed yet");
    let applications = vec![
        application("shop/api", Outcome::Unchanged),
        application("shop/jobs", Outcome::Unknown(vec![gap])),
    ];
    let (after, before) = ("staging".to_owned(), "production".to_owned());
    let mut several = Several { after, before, applications, policies: Some(promotion()) };
    for report in ALL {
        let text = report.write_several(&several, &options());
        insta::assert_snapshot!(format!("promotion-{}", report.id()), text);
    }
    // Whoever is not asked says nothing.
    several.policies = None;
    for id in ["text", "markdown"] {
        let text = find(id).unwrap().write_several(&several, &options());
        assert!(!text.contains("olicies"), "{id}: {text}");
    }
}

#[test]
fn policies_of_many_fit_into_a_comment() {
    let mut policies = promotion();
    policies.worse = policies.worse.into_iter().cycle().take(3_000).collect();
    let several = Several { policies: Some(policies), ..Several::default() };
    let text = find("markdown").unwrap().write_several(&several, &options());
    assert!(text.len() < 65_536 && text.contains("left out"), "{}", text.len());
    let text = find("text").unwrap().write_several(&several, &options());
    assert_eq!(text.matches("  ! shop/").count(), 3_000);
}
