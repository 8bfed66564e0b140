//! Cases: images, deployments and almanacs in, answers out.

mod kit;
mod laws;

use std::fmt::Write as _;

use model::OrganisationId;

use crate::{Change, ChangeKind, Sought, Spread, Terms, Title};
use kit::{World, read_almanac};

/// An image with a base of Debian, and one with the same library elsewhere.
const IMAGES: &str = "
    image 1 acme debian-12
      pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12 source:openssl
      pkg:deb/debian/openssl@3.0.11-1?distro=debian-12
      pkg:npm/lodash@4.17.4
    image 2 acme debian-12
      pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12 source:openssl
      pkg:npm/lodash@4.17.4
      pkg:npm/lodash@4.17.21
    image 3 acme
      pkg:npm/%40acme/core@1.0.0
    image 4 other debian-12
      pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12 source:openssl
    run d1 acme production 1
    run d2 acme production 2
    run d3 acme staging 2
    run d4 other production 4
";

#[test]
fn families_of_what_runs() {
    let world = World::read(IMAGES);
    let told = |organisation: &str| {
        let found = world.portfolio.families(&OrganisationId(organisation.to_owned()));
        found.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(told("acme"), "deb debian npm");
    assert_eq!(told("other"), "deb debian");
    assert_eq!(told("nobody"), "");
}

#[test]
fn packages_are_leafed_through_by_name() {
    let world = World::read(IMAGES);
    let acme = OrganisationId("acme".to_owned());
    let mut leafing = world.portfolio.leafing(&acme).unwrap();
    let mut told = |titles: &mut dyn Iterator<Item = Title<'_>>| {
        let leaves = titles.filter_map(|it| leafing.leaf(it));
        let told = leaves.map(|it| {
            let (versions, images) = (it.versions.join(","), it.spread.images.len());
            format!("{} {} {versions} {images}", it.kind, it.name)
        });
        told.collect::<Vec<_>>()
    };
    let mut all = [
        "npm @acme/core 1.0.0 1",
        "deb debian/libssl3 3.0.11-1 2",
        "deb debian/openssl 3.0.11-1 1",
        "npm lodash 4.17.21,4.17.4 2",
    ];
    let second = Some(("debian/libssl3", "deb"));
    assert_eq!(told(&mut world.portfolio.titles(None)), all);
    assert_eq!(told(&mut world.portfolio.titles(second)), all[2..]);
    all.reverse();
    assert_eq!(told(&mut world.portfolio.titles_back(None)), all);
    assert_eq!(told(&mut world.portfolio.titles_back(second)), all[3..]);
    assert!(world.portfolio.leafing(&OrganisationId("nobody".to_owned())).is_none());
    let versions = |organisation: &str, name: &str| {
        let organisation = OrganisationId(organisation.to_owned());
        let held = world.portfolio.versions(&organisation, "npm", name);
        let told = held.iter().map(|it| format!("{} {}", it.purl, it.spread.images.len()));
        told.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(versions("acme", "LODASH"), "pkg:npm/lodash@4.17.21 1; pkg:npm/lodash@4.17.4 2");
    assert_eq!(versions("other", "lodash"), "");
    assert_eq!(versions("nobody", "lodash"), "");
}

/// Changes, a line each.
#[track_caller]
fn check(world: &str, old: &str, new: &str, expect: &str) {
    let world = World::read(world);
    let (old, new) = (read_almanac(old), read_almanac(new));
    let told = world.portfolio.rematch(&old, &new, Terms::default());
    let mut lines: Vec<String> =
        told.changes.iter().map(|it| shown(&world, it)).collect::<Vec<_>>();
    // That these almanacs are small is no news.
    let gaps = told.gaps.iter().filter(|it| !it.why.starts_with("only"));
    lines.extend(gaps.map(|it| format!("gap: {}: {}", it.at, it.why)));
    assert_eq!(lines.join("\n"), trimmed(expect));
}

fn trimmed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    lines.join("\n")
}

fn shown(world: &World, change: &Change) -> String {
    let Change { organisation, kind, flaw, space, name, version, before, after, spread, .. } =
        change;
    let state = |it: &Option<crate::State>| match it {
        None => "-".to_owned(),
        Some(it) => {
            let fix = match &it.fix {
                model::Fix::Version { version, .. } => format!(" fix {version}"),
                model::Fix::None(_) => String::new(),
            };
            let exploited = if it.exploited { " exploited" } else { "" };
            format!("{}{fix}{exploited}", it.level)
        }
    };
    let names: Vec<&str> = change.purls.iter().map(model::Purl::name).collect();
    format!(
        "{} {kind:?} {flaw} {space} {name}@{version} [{}]: {} → {}; {}",
        organisation.0,
        names.join(" "),
        state(before),
        state(after),
        spread_of(world, spread)
    )
}

fn spread_of(world: &World, spread: &Spread) -> String {
    let mut text =
        format!("images {:?}", world.portfolio.some_image_numbers(&spread.images, usize::MAX));
    for it in &spread.environments {
        write!(text, ", {} {}", it.environment, it.images).unwrap();
    }
    text
}

#[test]
fn a_new_advisory_is_told_once_for_all_images() {
    check(
        IMAGES,
        "osv debian:12 openssl CVE-0 <1",
        "osv debian:12 openssl CVE-0 <1
        osv debian:12 openssl CVE-1 source <3.0.13-1 rates:high",
        "acme New CVE-1 debian:12 openssl@3.0.11-1 [libssl3 openssl]: - → high fix 3.0.13-1; \
         images [1, 2], production 2, staging 1
        other New CVE-1 debian:12 openssl@3.0.11-1 [libssl3]: - → high fix 3.0.13-1; \
         images [4], production 1",
    );
}

#[test]
fn what_becomes_of_a_finding() {
    let old = "osv npm lodash CVE-1 =GHSA-1 <4.17.21 rates:high\nosv npm lodash CVE-2 all";
    let tell = |new: &str, expect: &str| check(IMAGES, old, new, expect);
    let at = "acme {} npm lodash@4.17.4 [lodash]: {}; images [1, 2], production 2, staging 1";
    let line = |kind: &str, states: &str| at.replacen("{}", kind, 1).replacen("{}", states, 1);
    tell(old, "");
    tell(
        &old.replace("rates:high", "rates:critical"),
        &line("Severity CVE-1", "high fix 4.17.21 → critical fix 4.17.21"),
    );
    tell(
        &old.replace("<4.17.21", "<4.17.20"),
        &line("FixChanged CVE-1", "high fix 4.17.21 → high fix 4.17.20"),
    );
    tell(
        &old.replace("<4.17.21", "<4.17.3"),
        &line("Gone(NotInRange) CVE-1", "high fix 4.17.21 → -"),
    );
    tell(
        &format!("{old}\nkev exploited GHSA-1"),
        &line("Exploited CVE-1", "high fix 4.17.21 → high fix 4.17.21 exploited"),
    );
    tell(&format!("{old}\nepss forecast CVE-1 0.9"), "");
    tell(
        &old.replace("=GHSA-1 <4.17.21 rates:high", "withdrawn <4.17.21"),
        &line("Gone(Withdrawn) CVE-1", "high fix 4.17.21 → -"),
    );
    tell(
        &old.replace("<4.17.21", "investigating <4.17.21"),
        &format!(
            "{}\ngap: 1 flaw of npm: under investigation, says osv (CVE-1 of lodash)",
            line("Gone(UnderInvestigation) CVE-1", "high fix 4.17.21 → -")
        ),
    );
    // It goes by another name, and is the same.
    tell(&old.replace("CVE-1 =GHSA-1", "GHSA-1"), "");
    tell(
        &old.replace("CVE-2 all", "CVE-2 <5"),
        "acme FixAppeared CVE-2 npm lodash@4.17.21 [lodash]: unspecified → unspecified fix 5; \
         images [2], production 1, staging 1
         acme FixAppeared CVE-2 npm lodash@4.17.4 [lodash]: unspecified → unspecified fix 5; \
         images [1, 2], production 2, staging 1",
    );
}

#[test]
fn who_published_nothing_before() {
    check(
        IMAGES,
        "osv pypi x CVE-1 all",
        "osv pypi x CVE-1 all\nosv npm lodash CVE-2 <4.17.10",
        "acme New CVE-2 npm lodash@4.17.4 [lodash]: - → unspecified fix 4.17.10; \
         images [1, 2], production 2, staging 1",
    );
    check(
        IMAGES,
        "osv npm lodash CVE-2 <4.17.10",
        "osv pypi x CVE-1 all",
        "acme Gone(NoSource) CVE-2 npm lodash@4.17.4 [lodash]: unspecified fix 4.17.10 → -; \
         images [1, 2], production 2, staging 1
        gap: 3 packages of type npm: no advisory source for npm in the almanac \
         (@acme/core@1.0.0, lodash@4.17.21, lodash@4.17.4)",
    );
}

#[test]
fn only_where_the_image_is_that_product() {
    check(
        "image 1 acme rhel-9.4
           pkg:npm/x@1.0.0
         image 2 acme debian-12
           pkg:npm/x@1.0.0",
        "osv npm y CVE-1 all",
        "osv npm y CVE-1 all
         osv npm x CVE-2 <2 product:cpe:/o:redhat:enterprise_linux:9",
        "acme New CVE-2 npm x@1.0.0 [x]: - → unspecified fix 2; images [1]",
    );
}

#[test]
fn only_where_nobody_answers_for_it() {
    // Of packages of one name the last counts, and a stranger answers for nothing.
    let stranger = "pkg:deb/debian/python3-x@1?distro=debian-12 author:a@nodesource.com";
    let own = "pkg:deb/debian/python3-x@1?distro=debian-12 declared";
    let owned = "pkg:pypi/x@1 owner:pkg:deb/debian/python3-x@1?distro=debian-12";
    check(
        &format!(
            "image 1 acme debian-12\n{stranger}\n{owned}
             image 2 acme debian-12\n{stranger}\n{own}\n{owned}
             image 3 acme debian-12\n{owned}
             image 4 acme\n{owned}"
        ),
        "osv debian:12 y CVE-1 all\nosv pypi x CVE-1 <1",
        "osv debian:12 y CVE-1 all\nosv pypi x CVE-1 <2",
        "acme New CVE-1 pypi x@1 [x]: - → unspecified fix 2; images [1]",
    );
}

#[test]
fn two_owners_of_two_builders_are_a_gap() {
    check(
        "image 1 acme debian-12
           pkg:deb/debian/python3-x@1?distro=debian-12 author:a@nodesource.com
           pkg:deb/debian/python3-x@1?distro=debian-12 author:b@debian.org
           pkg:pypi/x@1 owner:pkg:deb/debian/python3-x@1?distro=debian-12",
        "osv debian:12 y CVE-1 all\nosv pypi x CVE-1 <1",
        "osv debian:12 y CVE-1 all\nosv pypi x CVE-1 <2",
        "gap: pkg:pypi/x@1: owned by pkg:deb/debian/python3-x@1?distro=debian-12, which is there \
         twice, of different builders: which answers is not clear",
    );
}

#[test]
fn where_a_flaw_is() {
    let world = World::read(IMAGES);
    let almanac = read_almanac(
        "osv npm lodash GHSA-aa =CVE-1 <4.17.21 rates:high
         osv debian:12 openssl CVE-2 source <3.0.13-1 bulletin:DSA-1",
    );
    let check = |organisation: &str, flaw: &str, expect: &str| {
        let organisation = OrganisationId(organisation.to_owned());
        let answer = world.portfolio.find_flaw(&organisation, flaw, &almanac, Terms::default());
        let found = answer.found.iter().map(|it| {
            let names: Vec<&str> = it.purls.iter().map(model::Purl::name).collect();
            let (space, name, version) = (&it.space, &it.name, &it.version);
            let names = names.join(" ");
            let spread = spread_of(&world, &it.spread);
            format!("{} {space} {name}@{version} [{names}] {}; {spread}", it.flaw, it.state.level)
        });
        let gaps = answer.gaps.iter().filter(|it| !it.why.starts_with("only"));
        let lines: Vec<String> =
            found.chain(gaps.map(|it| format!("gap: {}: {}", it.at, it.why))).collect();
        assert_eq!(lines.join("\n"), trimmed(expect));
    };
    let lodash = "CVE-1 npm lodash@4.17.4 [lodash] high; images [1, 2], production 2, staging 1";
    check("acme", "CVE-1", lodash);
    check("acme", "ghsa-AA", lodash);
    check("other", "CVE-1", "");
    check("nobody", "CVE-1", "");
    let openssl =
        "CVE-2 debian:12 openssl@3.0.11-1 [libssl3] unspecified; images [4], production 1";
    check("other", "cve-2", openssl);
    check("other", "DSA-1", openssl);
    check(
        "acme",
        "CVE-9",
        "gap: CVE-9: no advisory in the almanac speaks of packages under that name",
    );
}

#[test]
fn where_a_package_is() {
    let world = World::read(IMAGES);
    let acme = OrganisationId("acme".to_owned());
    let check = |sought: &Sought<'_>, expect: &str| {
        let answer = world.portfolio.find(&acme, sought);
        let found =
            answer.found.iter().map(|it| format!("{}: {}", it.purl, spread_of(&world, &it.spread)));
        let lines: Vec<String> =
            found.chain(answer.gaps.iter().map(|it| format!("{}: {}", it.at, it.why))).collect();
        assert_eq!(lines.join("\n"), trimmed(expect));
    };
    let named = |name, range| Sought::Named { name, range };
    let both = "pkg:npm/lodash@4.17.21: images [2], production 1, staging 1
        pkg:npm/lodash@4.17.4: images [1, 2], production 2, staging 1";
    check(&named("Lodash", None), both);
    check(
        &named("lodash", Some("<4.17.5")),
        "pkg:npm/lodash@4.17.4: images [1, 2], production 2, staging 1",
    );
    check(&named("lodash", Some("^5")), "");
    check(
        &named("openssl", None),
        "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12: images [1, 2], production 2, staging 1
        pkg:deb/debian/openssl@3.0.11-1?distro=debian-12: images [1], production 1",
    );
    check(&named("core", None), "pkg:npm/%40acme/core@1.0.0: images [3]");
    check(&named("nothing", None), "");
    let purl = "pkg:npm/lodash".parse().unwrap();
    check(&Sought::Purl { purl: &purl, range: None }, both);
    let purl = "pkg:npm/lodash@4.17.21".parse().unwrap();
    check(
        &Sought::Purl { purl: &purl, range: None },
        "pkg:npm/lodash@4.17.21: images [2], production 1, staging 1",
    );
    let purl = "pkg:pypi/lodash".parse().unwrap();
    check(&Sought::Purl { purl: &purl, range: None }, "");
    let number = world.portfolio.find(&acme, &named("core", None)).found[0].package;
    check(&Sought::Number(number), "pkg:npm/%40acme/core@1.0.0: images [3]");
    let told = world.portfolio.find(&acme, &named("core", Some("one two three")));
    assert!(told.found.is_empty() && told.gaps.len() == 1, "{told:?}");
}

#[test]
fn an_all_clear_is_told_apart_from_not_knowing() {
    let unclear = [
        ChangeKind::Gone(model::Verdict::CannotTell),
        ChangeKind::Gone(model::Verdict::UnderInvestigation),
        ChangeKind::Gone(model::Verdict::NoSource),
    ];
    assert!(unclear.iter().all(|it| !it.is_all_clear()));
    assert!(ChangeKind::Gone(model::Verdict::NotInRange).is_all_clear());
    assert!(!ChangeKind::New.is_all_clear());
}
