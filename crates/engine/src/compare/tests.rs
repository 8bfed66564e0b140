//! What is told of two analyses, by example and by law.

use std::fmt::Write as _;
use std::time::Instant;

use model::{
    Analysis, Aspect, Basis, Comparison, Distro, Exploited, Fate, Finding, FindingChange, Fix, Gap,
    ImageDescription, Inventory, Level, Outlook, Package, PackageChange, Seen, Space, Statement,
    StatementStatus, Subject, Way,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use regex::Regex;

use super::{compare, compare_wanted};
use crate::Filter;

/// An analysis of lines: `PURL [in PATH] [from SOURCE] [FLAW[=ALIAS][:MARK]…]` is a package and its
/// flaws, `read AT: WHY` and `match AT: WHY` are gaps, `distro ID VERSION` is what it is built on.
fn analysis(text: &str) -> Analysis {
    let mut analysis = Analysis {
        inventory: Inventory {
            subject: Subject::Image(Box::default()),
            distro: None,
            packages: vec![],
            statements: vec![],
            gaps: vec![],
        },
        findings: vec![],
        gaps: vec![],
        basis: Basis::default(),
    };
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let gap = |text: &str| {
            let (at, why) = text.split_once(": ").unwrap();
            Gap::new(at, why)
        };
        if let Some(rest) = line.strip_prefix("read ") {
            analysis.inventory.gaps.push(gap(rest));
        } else if let Some(rest) = line.strip_prefix("match ") {
            analysis.gaps.push(gap(rest));
        } else if let Some(rest) = line.strip_prefix("distro ") {
            let (id, version) = rest.split_once(' ').unwrap();
            analysis.inventory.distro = Some(Distro {
                id: id.to_owned(),
                version: Some(version.to_owned()),
                ..Distro::default()
            });
        } else if line == "document" {
            analysis.inventory.subject = Subject::Document { name: String::new() };
        } else {
            package(&mut analysis, line);
        }
    }
    analysis
}

fn package(analysis: &mut Analysis, line: &str) {
    let mut words = line.split(' ');
    let purl: model::Purl = words.next().unwrap().parse().unwrap();
    let mut package = Package::new(purl.clone());
    let mut name = purl.full_name();
    let at = analysis.inventory.packages.len();
    while let Some(word) = words.next() {
        match word {
            "in" => package = package.inside(words.next().unwrap()),
            "from" => {
                words.next().unwrap().clone_into(&mut name);
                package.source = Some(model::SourcePackage { name: name.clone(), version: None });
            }
            flaw => {
                let mut parts = flaw.split(':');
                let (id, alias) = parts.next().unwrap().split_once('=').unwrap_or((flaw, ""));
                let id = id.split(':').next().unwrap();
                let there = analysis.findings.iter_mut().find(|it| {
                    it.id == id && it.name == name && Some(&*it.version) == purl.version()
                });
                if let Some(there) = there {
                    there.packages.push(at);
                    continue;
                }
                let mut finding = finding(id, &name, &purl);
                finding.packages = vec![at];
                finding.aliases.extend((!alias.is_empty()).then(|| alias.to_owned()));
                parts.for_each(|it| mark(&mut finding, it));
                analysis.findings.push(finding);
            }
        }
    }
    analysis.inventory.packages.push(package);
}

fn finding(id: &str, name: &str, purl: &model::Purl) -> Finding {
    Finding {
        id: id.to_owned(),
        aliases: vec![],
        packages: vec![],
        name: name.to_owned(),
        version: purl.version().unwrap_or_default().to_owned(),
        space: Space::of(purl.namespace().unwrap_or(purl.kind())),
        feed: "test".to_owned(),
        advisory: id.to_owned(),
        bulletins: vec![],
        level: Level::Medium,
        ratings: vec![],
        spans: vec![],
        fix: Fix::None(Outlook::Open),
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

fn mark(finding: &mut Finding, word: &str) {
    match word {
        "fix" => finding.fix = Fix::Version { version: "9".to_owned(), channel: None },
        "kev" => {
            finding.exploited = Some(Exploited {
                id: finding.id.clone(),
                added: "2024-01-01".to_owned(),
                due: None,
                ransomware: false,
                title: String::new(),
                action: String::new(),
            });
        }
        "vex" => {
            finding.statement = Some(Statement {
                origin: "vex".to_owned(),
                document: None,
                author: None,
                said: None,
                flaws: vec![finding.id.clone()],
                products: vec![],
                status: StatementStatus::NotAffected,
                justification: None,
                note: None,
                expires: None,
            });
        }
        word => match word.parse::<f32>() {
            Ok(score) => {
                let id = finding.id.clone();
                finding.forecast = Some(model::Forecast { id, score, percentile: 0.0 });
            }
            Err(_) => finding.level = Level::parse(word).unwrap(),
        },
    }
}

/// A line for each change, and for how many are the same.
fn shown(comparison: &Comparison) -> String {
    let mut text = String::new();
    for change in comparison.packages.iter().filter(|it| it.way != Way::Unchanged) {
        let purl = |it: &Option<model::Purl>| {
            it.as_ref().map_or("-".to_owned(), |it| it.to_string().replace("pkg:", ""))
        };
        let sign = format!("{:?}", change.way).to_lowercase();
        let _ = write!(text, "{sign} {} {}", purl(&change.before), purl(&change.after));
        if let Some(why) = &change.unordered {
            let _ = write!(text, ": {why}");
        }
        if let Some(gap) = &change.doubt {
            let _ = write!(text, " ({gap})");
        }
        text.push('\n');
    }
    for change in comparison.findings.iter().filter(|it| it.fate != Fate::Unchanged) {
        let version =
            |it: &Option<Seen>| it.as_ref().map_or("-".to_owned(), |it| it.version.clone());
        let fate = format!("{:?}", change.fate).to_lowercase();
        let (was, is) = (version(&change.before), version(&change.after));
        let _ = write!(text, "{fate} {} {} {was} {is}", change.id, change.name);
        for aspect in &change.aspects {
            let _ = write!(text, " {}", format!("{aspect:?}").to_lowercase());
        }
        if let Some(gap) = &change.doubt {
            let _ = write!(text, " ({gap})");
        }
        text.push('\n');
    }
    let same = comparison.findings_that(Fate::Unchanged).count();
    if comparison.unchanged_packages + same > 0 {
        let _ = writeln!(text, "same {} {same}", comparison.unchanged_packages);
    }
    text
}

#[track_caller]
fn check(before: &str, after: &str, expect: &str) {
    let (before, after) = (analysis(before), analysis(after));
    let found = compare(&before, &after);
    assert_eq!(shown(&found), expect);
    assert_eq!(mirrored(found), compare(&after, &before));
}

#[test]
fn packages_come_go_and_change() {
    check("", "", "");
    check("pkg:npm/a@1", "pkg:npm/a@1", "same 1 0\n");
    check("", "pkg:npm/a@1", "added - npm/a@1\n");
    check("pkg:npm/a@1", "", "removed npm/a@1 -\n");
    check("pkg:npm/a@1.9.0", "pkg:npm/a@1.10.0", "upgraded npm/a@1.9.0 npm/a@1.10.0\n");
    check("pkg:npm/a@1.10.0", "pkg:npm/a@1.9.0", "downgraded npm/a@1.10.0 npm/a@1.9.0\n");
    check("pkg:npm/a@1", "pkg:pypi/a@1", "removed npm/a@1 -\nadded - pypi/a@1\n");
    check("pkg:npm/%40x/a@1", "pkg:npm/%40y/a@1", "removed npm/%40x/a@1 -\nadded - npm/%40y/a@1\n");
}

#[test]
fn which_is_later_is_decided_as_its_package_manager_decides() {
    let changed = |old: &str, new: &str, expect: &str| {
        check(old, new, &format!("{expect}\n"));
    };
    changed(
        "pkg:deb/debian/a@1.0~rc1",
        "pkg:deb/debian/a@1.0",
        "upgraded deb/debian/a@1.0~rc1 deb/debian/a@1.0",
    );
    changed(
        "pkg:rpm/redhat/a@1:1-1",
        "pkg:rpm/redhat/a@9-1",
        "downgraded rpm/redhat/a@1:1-1 rpm/redhat/a@9-1",
    );
    changed(
        "pkg:pypi/a@1.0",
        "pkg:pypi/a@1.0.0",
        "changed pypi/a@1.0 pypi/a@1.0.0: their order takes both for the same version",
    );
    changed(
        "pkg:pypi/a@1.0",
        "pkg:pypi/a@strong",
        "changed pypi/a@1.0 pypi/a@strong: `strong` is no version as pep440 has them: a number is missing",
    );
    changed(
        "pkg:generic/a@1",
        "pkg:generic/a@2",
        "changed generic/a@1 generic/a@2: the order of versions of generic is not known",
    );
    changed("pkg:npm/a@1", "pkg:npm/a", "changed npm/a@1 npm/a: one of them has no version");
    changed(
        "pkg:deb/debian/a@1",
        "pkg:deb/ubuntu/a@2",
        "changed deb/debian/a@1 deb/ubuntu/a@2: they are of different distributions",
    );
}

#[test]
fn another_release_of_the_distribution_is_no_other_package() {
    check(
        "pkg:deb/debian/a@1?arch=amd64&distro=debian-12",
        "pkg:deb/debian/a@1?arch=arm64&distro=debian-13",
        "same 1 0\n",
    );
}

#[test]
fn of_several_versions_the_common_ones_belong_together() {
    check(
        "pkg:npm/a@1\npkg:npm/a@2\npkg:npm/a@3",
        "pkg:npm/a@3\npkg:npm/a@2\npkg:npm/a@4",
        "upgraded npm/a@1 npm/a@4\nsame 2 0\n",
    );
    // The same place, then the latest ones.
    check(
        "pkg:npm/a@1 in /x\npkg:npm/a@5 in /y",
        "pkg:npm/a@6 in /x\npkg:npm/a@5.1.0 in /y",
        "upgraded npm/a@5 npm/a@5.1.0\nupgraded npm/a@1 npm/a@6\n",
    );
    check(
        "pkg:npm/a@1\npkg:npm/a@9",
        "pkg:npm/a@10",
        "removed npm/a@1 -\nupgraded npm/a@9 npm/a@10\n",
    );
    check(
        "pkg:deb/debian/a@1?arch=amd64\npkg:deb/debian/a@1?arch=i386",
        "pkg:deb/debian/a@2?arch=i386\npkg:deb/debian/a@1?arch=amd64",
        "upgraded deb/debian/a@1?arch=i386 deb/debian/a@2?arch=i386\nsame 1 0\n",
    );
    check("pkg:npm/a@1\npkg:npm/a@1", "pkg:npm/a@1", "removed npm/a@1 -\nsame 1 0\n");
}

#[test]
fn findings_come_go_and_change() {
    check(
        "pkg:npm/a@1 CVE-1\npkg:npm/b@1 CVE-2",
        "pkg:npm/a@2\npkg:npm/b@1 CVE-2\npkg:npm/c@1 CVE-3:high",
        "upgraded npm/a@1 npm/a@2\nadded - npm/c@1\nintroduced CVE-3 c - 1\nfixed CVE-1 a 1 -\nsame 1 1\n",
    );
    // The same flaw in another version, or under another name, is the same finding.
    check("pkg:npm/a@1 CVE-1", "pkg:npm/a@2 CVE-1", "upgraded npm/a@1 npm/a@2\nsame 0 1\n");
    check("pkg:npm/a@1 GHSA-1=CVE-1", "pkg:npm/a@1 CVE-1=GHSA-1", "same 1 1\n");
    // In another package it is not.
    check(
        "pkg:npm/a@1 CVE-1",
        "pkg:npm/b@1 CVE-1",
        "removed npm/a@1 -\nadded - npm/b@1\nintroduced CVE-1 b - 1\nfixed CVE-1 a 1 -\n",
    );
    check(
        "pkg:npm/a@1 CVE-1 CVE-2 CVE-3:0.1 CVE-4 CVE-5:0.1",
        "pkg:npm/a@1 CVE-1:high:fix CVE-2:kev CVE-3:0.3 CVE-4:vex CVE-5:0.15",
        "changed CVE-1 a 1 1 level fix\nchanged CVE-2 a 1 1 exploited\nchanged CVE-3 a 1 1 forecast\nchanged CVE-4 a 1 1 suppressed\nsame 1 1\n",
    );
}

#[test]
fn a_finding_of_a_source_is_told_once() {
    let before = "pkg:deb/debian/x@1 from s CVE-1\npkg:deb/debian/y@1 from s CVE-1";
    let after = "pkg:deb/debian/x@2 from s\npkg:deb/debian/y@2 from s";
    let comparison = compare(&analysis(before), &analysis(after));
    let [fixed] = &*comparison.findings else { panic!("{comparison:?}") };
    assert_eq!((fixed.fate, &*fixed.packages), (Fate::Fixed, &[0, 1][..]));
    let versions = |it: &PackageChange| {
        let version = |it: &Option<model::Purl>| it.as_ref().unwrap().version().unwrap().to_owned();
        (version(&it.before), version(&it.after))
    };
    assert_eq!(versions(&comparison.packages[1]), ("1".to_owned(), "2".to_owned()));
}

#[test]
fn several_versions_have_the_same_flaw() {
    check(
        "pkg:npm/a@1 CVE-1\npkg:npm/a@2 CVE-1",
        "pkg:npm/a@2 CVE-1",
        "removed npm/a@1 -\nfixed CVE-1 a 1 -\nsame 1 1\n",
    );
    check(
        "pkg:npm/a@1 in /x CVE-1\npkg:npm/a@2 in /y CVE-1",
        "pkg:npm/a@3 in /x CVE-1\npkg:npm/a@1.5.0 in /y CVE-1",
        "downgraded npm/a@2 npm/a@1.5.0\nupgraded npm/a@1 npm/a@3\nsame 0 2\n",
    );
}

#[test]
fn what_a_hole_may_hide_is_not_read_as_fixed() {
    let flawed = "pkg:pypi/a@1 CVE-1";
    check(
        flawed,
        "pkg:pypi/a@strong\nmatch 1 package of pypi: not matched (a@strong)",
        "changed pypi/a@1 pypi/a@strong: `strong` is no version as pep440 has them: a number is missing\nunclear CVE-1 a 1 - (1 package of pypi: not matched (a@strong))\n",
    );
    // Others are named, or others are meant.
    for gap in ["1 package of pypi: not matched (b@strong)", "type npm: only 2 advisories"] {
        check(
            flawed,
            &format!("pkg:pypi/a@2\nmatch {gap}"),
            "upgraded pypi/a@1 pypi/a@2\nfixed CVE-1 a 1 -\n",
        );
    }
    // More than are named.
    for at in
        ["12 packages of pypi: not matched (b@1, c@1, d@1, …)", "type pypi: only 2 advisories"]
    {
        check(
            flawed,
            &format!("pkg:pypi/a@2\nmatch {at}"),
            &format!("upgraded pypi/a@1 pypi/a@2\nunclear CVE-1 a 1 - ({at})\n"),
        );
    }
    // Both sides have it.
    check(
        &format!("{flawed}\nmatch type pypi: only 2 advisories"),
        "pkg:pypi/a@2\nmatch type pypi: only 2 advisories",
        "upgraded pypi/a@1 pypi/a@2\nfixed CVE-1 a 1 -\n",
    );
    // What is not there has no flaws.
    check(flawed, "match type pypi: only 2 advisories", "removed pypi/a@1 -\nfixed CVE-1 a 1 -\n");
    check(
        "distro debian 12\npkg:deb/debian/x@1 from s CVE-1",
        "distro foo 1\npkg:deb/foo/y@2 from s\nmatch 1 package of foo 1: no advisory source (y@2)\nmatch /app/vex.json: they do not count",
        "removed deb/debian/x@1 -\nadded - deb/foo/y@2\nfixed CVE-1 s 1 -\n",
    );
    check(
        "distro debian 12\npkg:deb/debian/x@1 from s CVE-1",
        "distro foo 1\npkg:deb/foo/x@2 from s\nmatch 1 package of foo 1: no advisory source (x@2)",
        "changed deb/debian/x@1 deb/foo/x@2: they are of different distributions\nunclear CVE-1 s 1 - (1 package of foo 1: no advisory source (x@2))\n",
    );
}

#[test]
fn what_a_hole_may_hide_is_not_read_as_gone() {
    let jar = "pkg:maven/g/a@1 in /app/x.jar!/lib/a.jar CVE-1";
    for gap in ["/app/x.jar: broken", "layer 3 (0123): it is absent", "a layer: too much"] {
        check(
            jar,
            &format!("read {gap}"),
            &format!("unclear maven/g/a@1 - ({gap})\nunclear CVE-1 a 1 - ({gap})\n")
                .replace("CVE-1 a", "CVE-1 g/a"),
        );
    }
    for gap in ["/app/y.jar: broken", "attestation 0123: broken", "etc/os-release: none"] {
        check(jar, &format!("read {gap}"), "removed maven/g/a@1 -\nfixed CVE-1 g/a 1 -\n");
    }
    check(
        "pkg:deb/debian/a@1 in /var/lib/dpkg/status",
        "distro debian 12\nread debian-12: no package database was found",
        "unclear deb/debian/a@1 - (debian-12: no package database was found)\n",
    );
    // A document does not say where anything lies.
    check(
        "pkg:npm/a@1",
        "document\nread packages[7]: it has no name",
        "unclear npm/a@1 - (packages[7]: it has no name)\n",
    );
}

#[test]
fn what_is_wanted_is_asked_of_both_sides() {
    let before = analysis("pkg:npm/a@1 CVE-1:high CVE-2:low\npkg:deb/debian/b@1 CVE-3:high");
    let after = analysis("pkg:npm/a@1 CVE-1:critical CVE-2:low\npkg:deb/debian/b@2");
    let check = |filter: &Filter, expect: &str| {
        let found = compare_wanted(&before, &after, filter);
        assert_eq!(shown(&found), expect);
        assert_eq!(mirrored(found), compare_wanted(&after, &before, filter));
    };
    check(
        &Filter { levels: vec![Level::Critical], ..Filter::default() },
        "upgraded deb/debian/b@1 deb/debian/b@2\nchanged CVE-1 a 1 1 level\nsame 1 0\n",
    );
    check(
        &Filter { types: vec!["npm".to_owned()], ..Filter::default() },
        "changed CVE-1 a 1 1 level\nsame 1 1\n",
    );
    check(
        &Filter { packages: vec![Regex::new("b").unwrap()], ..Filter::default() },
        "upgraded deb/debian/b@1 deb/debian/b@2\nfixed CVE-3 debian/b 1 -\n",
    );
}

#[test]
fn what_is_worse() {
    #[track_caller]
    fn check(before: &str, after: &str, expect: bool) {
        assert_eq!(compare(&analysis(before), &analysis(after)).is_worse(), expect);
    }
    check("pkg:npm/a@1 CVE-1", "pkg:npm/a@1 CVE-1:critical", false);
    check("pkg:npm/a@1 CVE-1", "pkg:npm/a@1", false);
    check("pkg:npm/a@1", "pkg:npm/a@1 CVE-1", true);
    check("pkg:npm/a@1", "pkg:npm/a@1 CVE-1:vex", false);
    check("pkg:npm/a@1 CVE-1:vex", "pkg:npm/a@1 CVE-1", true);
    check("match type npm: broken\npkg:npm/a@1", "pkg:npm/a@1 CVE-1", true);
}

#[test]
fn an_image_is_told_with_its_names() {
    let mut before = analysis("pkg:npm/a@1 CVE-1:high CVE-2:vex");
    before.inventory.subject = Subject::Image(Box::new(ImageDescription {
        name: "example.org/a:1".to_owned(),
        size: 7,
        gaps: vec![Gap::new("configuration", "it is odd")],
        ..ImageDescription::default()
    }));
    let side = compare(&before, &analysis("")).before;
    assert_eq!((side.name.as_str(), side.size, side.packages), ("example.org/a:1", Some(7), 1));
    assert_eq!((side.counts.high, side.counts.suppressed), (1, 1));
    assert_eq!(side.gaps, [Gap::new("configuration", "it is odd")]);
}

/// The same, the other way round.
fn mirrored(comparison: Comparison) -> Comparison {
    let Comparison { before, after, packages, unchanged_packages, findings } = comparison;
    let mut packages: Vec<(usize, PackageChange)> = packages
        .into_iter()
        .map(|it| PackageChange {
            way: match it.way {
                Way::Added => Way::Removed,
                Way::Removed => Way::Added,
                Way::Upgraded => Way::Downgraded,
                Way::Downgraded => Way::Upgraded,
                same => same,
            },
            before: it.after,
            after: it.before,
            ..it
        })
        .enumerate()
        .collect();
    let mut findings: Vec<FindingChange> = findings
        .into_iter()
        .map(|it| FindingChange {
            fate: match it.fate {
                Fate::Introduced => Fate::Fixed,
                Fate::Fixed => Fate::Introduced,
                same => same,
            },
            before: it.after,
            after: it.before,
            ..it
        })
        .collect();
    super::put_in_order(&mut packages, &mut findings);
    let packages = packages.into_iter().map(|(_, it)| it).collect();
    Comparison { before: after, after: before, packages, unchanged_packages, findings }
}

fn line() -> impl Strategy<Value = String> {
    let name =
        select(vec!["npm/a", "npm/b", "deb/debian/c", "deb/ubuntu/c", "pypi/d", "generic/e"]);
    let version = select(vec!["1", "1.0", "2", "10", "strong"]);
    let flaw = select(vec![
        "",
        " CVE-1",
        " CVE-1:high",
        " CVE-1=GHSA-1 CVE-2:vex",
        " GHSA-1=CVE-1",
        " CVE-2:0.9",
    ]);
    let place = select(vec!["", " in /x", " in /y"]);
    let gap = select(vec![
        "read /x: broken",
        "read layer 1: absent",
        "match type npm: few",
        "match 2 packages of pypi: not matched (d@strong)",
    ]);
    prop_oneof![
        12 => (name, version, place, flaw)
            .prop_map(|(name, version, place, flaw)| format!("pkg:{name}@{version}{place}{flaw}")),
        1 => gap.prop_map(str::to_owned),
    ]
}

/// An inventory has each package once.
fn each_once(mut lines: Vec<String>) -> String {
    let package = |line: &String| {
        let words: Vec<&str> = line.split(' ').collect();
        let place = if words.get(1) == Some(&"in") { words[2] } else { "" };
        format!("{} {place}", words[0])
    };
    lines.sort_by_key(package);
    lines.dedup_by_key(|it| package(it));
    lines.join("\n")
}

/// The same, said in another order.
fn turned(analysis: &Analysis, turn: usize) -> Analysis {
    let mut analysis = analysis.clone();
    let packages = analysis.inventory.packages.len();
    let turn = turn.min(packages);
    analysis.inventory.packages.rotate_left(turn);
    for at in analysis.findings.iter_mut().flat_map(|it| &mut it.packages) {
        *at = (*at + packages - turn) % packages;
    }
    analysis.findings.reverse();
    analysis.gaps.reverse();
    analysis.inventory.gaps.reverse();
    analysis
}

/// Type, name and version of each package; flaw, name, version and level of each finding; sorted.
fn content(analysis: &Analysis) -> (Vec<String>, Vec<(String, String, Level)>) {
    let packages = analysis.inventory.packages.iter();
    let mut packages: Vec<String> = packages.map(|it| it.purl.to_string()).collect();
    let findings = analysis.findings.iter();
    let mut findings: Vec<_> =
        findings.map(|it| (it.name.clone(), it.version.clone(), it.level)).collect();
    packages.sort();
    findings.sort();
    (packages, findings)
}

/// Takes one away, which must be there.
fn take<T: PartialEq + std::fmt::Debug>(from: &mut Vec<T>, what: &T) {
    let at = from.iter().position(|it| it == what);
    from.remove(at.unwrap_or_else(|| panic!("{what:?} is not in {from:?}")));
}

proptest! {
    #[test]
    fn laws(lines in vec(line(), 0..8), others in vec(line(), 0..8), turn in 0..8_usize) {
        let one = analysis(&each_once(lines));
        let other = analysis(&each_once(others));

        let nothing = compare(&one, &one);
        prop_assert!(nothing.packages.iter().all(|it| it.way == Way::Unchanged));
        prop_assert!(nothing.findings.iter().all(|it| it.fate == Fate::Unchanged));
        prop_assert_eq!(nothing.unchanged_packages, one.inventory.packages.len());
        prop_assert_eq!(nothing.findings.len(), one.findings.len());

        let found = compare(&one, &other);
        prop_assert_eq!(&mirrored(found.clone()), &compare(&other, &one));

        // The order in which things are said does not matter.
        let again = compare(&one, &turned(&other, turn));
        prop_assert_eq!(shown(&found), shown(&again));

        // What is different, applied to one side, gives the other.
        let (mut packages, mut findings) = content(&one);
        for change in found.packages.iter().filter(|it| it.way != Way::Unchanged) {
            if let Some(purl) = &change.before {
                take(&mut packages, &purl.to_string());
            }
            packages.extend(change.after.as_ref().map(ToString::to_string));
        }
        for change in &found.findings {
            let said = |it: &Seen| (change.name.clone(), it.version.clone(), it.level);
            if let Some(seen) = &change.before {
                take(&mut findings, &said(seen));
            }
            findings.extend(change.after.as_ref().map(said));
            let of_level = change.aspects.contains(&Aspect::Level);
            if let (Some(before), Some(after)) = (&change.before, &change.after) {
                prop_assert_eq!(of_level, before.level != after.level);
            }
        }
        packages.sort();
        findings.sort();
        prop_assert_eq!((packages, findings), content(&other));
    }
}

/// Machines differ in speed: this holds only against what is quadratic.
#[test]
fn many_packages_of_one_name_take_no_time() {
    let many = |from: usize| {
        let lines: Vec<String> =
            (from..from + 4000).map(|it| format!("pkg:npm/a@{it} CVE-1 in /x")).collect();
        analysis(&lines.join("\n"))
    };
    let (before, after) = (many(0), many(2000));
    let start = Instant::now();
    let found = compare(&before, &after);
    assert_eq!(found.packages_that(Way::Upgraded).count(), 2000);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// Of 5000 packages each a tenth are others, and each fifth has a finding. Machines differ in speed,
/// here too.
#[test]
fn two_large_images_take_no_time() {
    let many = |minor: usize| {
        let line = |it: usize| {
            let version = if it.is_multiple_of(10) { minor } else { 0 };
            let flaw = if it.is_multiple_of(5) { format!(" CVE-{it}") } else { String::new() };
            match it % 2 {
                0 => format!("pkg:npm/%40scope/package-{it}@1.{version}.0 in /app/{it}{flaw}"),
                _ => format!(
                    "pkg:deb/debian/package-{it}@1.{version}-1?arch=amd64&distro=debian-12{flaw}"
                ),
            }
        };
        let mut lines: Vec<String> = (0..5000).map(line).collect();
        lines.push("read /app/x.jar: broken".to_owned());
        analysis(&lines.join("\n"))
    };
    let (before, after) = (many(1), many(2));
    let start = Instant::now();
    let found = compare(&before, &after);
    let took = start.elapsed();
    assert_eq!(found.packages_that(Way::Upgraded).count(), 500);
    assert_eq!(found.findings_that(Fate::Unchanged).count(), 1000);
    assert!(took.as_secs() < 60, "{took:?}");
}
