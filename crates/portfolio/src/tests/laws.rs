//! The law: what the portfolio answers is what matching every image from scratch answers.

use std::collections::BTreeSet;

use almanac::Almanac;
use matching::{Options, Question, analyze, analyze_each, verdicts_each};
use model::{Finding, Inventory, OrganisationId};
use proptest::prelude::*;

use super::kit::{World, inventory, read_almanac, read_package};
use crate::judge::why_not;
use crate::rematch::changes;
use crate::{Change, ChangeKind, Sought, State, Terms};

const PACKAGES: &[&str] = &[
    "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12&arch=amd64 source:openssl",
    "pkg:deb/debian/libssl3@3.0.13-1?distro=debian-12&arch=arm64 source:openssl",
    "pkg:deb/debian/openssl@3.0.11-1+b1?distro=debian-12 source:openssl@3.0.11-1",
    "pkg:deb/debian/openssl@3.0.11-1 source:openssl",
    "pkg:deb/openssl@3.0.11-1",
    "pkg:deb/debian/openssl@3.0.11-1?distro=debian-11",
    "pkg:deb/debian/python3-openssl@3.0?distro=debian-12 author:x@nodesource.com",
    "pkg:deb/debian/python3-openssl@3.0?distro=debian-12 declared",
    "pkg:rpm/redhat/openssl@3.0.7-1.el9?distro=rhel-9.4&arch=x86_64",
    "pkg:rpm/openssl@3.0.7-1.el9",
    "pkg:pypi/openssl@3.0 owner:pkg:deb/debian/python3-openssl@3.0?distro=debian-12",
    "pkg:pypi/openssl@3.0 owner:pkg:deb/debian/nobody@3.0",
    "pkg:pypi/openssl@3.0",
    "pkg:pypi/openssl@3.0 vendored",
    "pkg:pypi/openssl@4.0 declared",
    "pkg:npm/openssl@3.0.1",
    "pkg:npm/openssl@3.0.11",
    "pkg:npm/%40acme/openssl@3.0.1",
    "pkg:generic/openssl@3.0",
];

const DISTROS: [Option<&str>; 5] =
    [None, Some("debian-12"), Some("debian-11"), Some("rhel-9.4"), Some("rhel-9.5")];

fn image() -> impl Strategy<Value = (&'static str, Inventory)> {
    let packages = prop::collection::vec(prop::sample::select(PACKAGES), 0..7);
    let organisation = prop::sample::select(vec!["acme", "other"]);
    (organisation, 0_usize..5, packages).prop_map(|(organisation, distro, packages)| {
        let mut packages: Vec<_> = packages.into_iter().map(read_package).collect();
        // Each once, as an inventory has them.
        packages.sort_by_key(|it| format!("{it:?}"));
        packages.dedup();
        (organisation, inventory(DISTROS[distro], packages))
    })
}

/// Rows, of which some may change.
fn row() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "source",
        "binary",
        "not-affected",
        "investigating",
        "withdrawn",
        "all",
        "<3.0.13-1",
        "<3.0.9",
        ">=3.0",
        "v:3.0",
        "arch:amd64",
        "product:cpe:/o:redhat:enterprise_linux:9.4",
        "=CVE-1",
        "=CVE-2",
        "level:high",
        "level:low",
        "rates:critical",
        "rates:medium",
        "malicious",
    ]);
    let space = prop::sample::select(vec!["debian:12", "debian:11", "rhel:9", "pypi", "npm"]);
    let name = prop::sample::select(vec!["openssl", "libssl3", "@acme/openssl", "python3-openssl"]);
    let feed = prop::sample::select(vec!["osv", "debian-tracker"]);
    let id = prop::sample::select(vec!["CVE-1", "CVE-2", "GHSA-1", "PYSEC-1"]);
    let of_package = (feed, space, name, id, prop::collection::vec(word, 0..5)).prop_map(
        |(feed, space, name, id, words)| format!("{feed} {space} {name} {id} {}", words.join(" ")),
    );
    let of_flaw = prop::sample::select(vec![
        "nvd rates CVE-1 high",
        "nvd rates CVE-1 low",
        "nvd rates CVE-2 critical",
        "kev exploited CVE-1",
        "kev exploited GHSA-1",
        "epss forecast CVE-1 0.5",
    ]);
    prop_oneof![6 => of_package, 1 => of_flaw.prop_map(str::to_owned)]
}

/// Two almanacs that share most of what they say.
fn almanacs() -> impl Strategy<Value = (String, String)> {
    let rows = |most| prop::collection::vec(row(), 0..most);
    (rows(10), rows(3), rows(3)).prop_map(|(both, old, new)| {
        let with = |more: &[String]| [&both, more].concat().join("\n");
        (with(&old), with(&new))
    })
}

fn each<'a>(inventory: &'a Inventory, book: &'a Almanac) -> Question<'a> {
    Question { inventory, book, statements: &[], options: Options::default() }
}

type Told = (String, i64, ChangeKind, String, String, String, String);

fn told(
    organisation: &str,
    image: i64,
    kind: ChangeKind,
    of: [&str; 3],
    states: &[Option<State>; 2],
) -> Told {
    let [flaw, space, name] = of.map(str::to_owned);
    (organisation.to_owned(), image, kind, flaw, space, name, format!("{states:?}"))
}

/// Every image, every package, old and new.
fn from_scratch(world: &World, old: &Almanac, new: &Almanac) -> BTreeSet<Told> {
    let mut all = BTreeSet::new();
    for (image, (organisation, inventory)) in &world.images {
        let before = analyze_each(&each(inventory, old), None).0;
        let after = analyze_each(&each(inventory, new), None).0;
        for number in 0..inventory.packages.len() {
            let of = |all: &[Finding]| -> Vec<Finding> {
                all.iter().filter(|it| it.packages == [number]).cloned().collect()
            };
            let (before, after) = (of(&before), of(&after));
            let why = |flaws: &BTreeSet<String>| {
                let verdicts = verdicts_each(&each(inventory, new), flaws);
                let own = verdicts.iter().filter(|it| it.0 == number);
                why_not(own.map(|it| (&*it.1, it.2)), flaws)
            };
            for (pair, kind) in changes(&before, &after, why) {
                let it = pair.told().unwrap();
                let name = format!("{}@{}", it.name, it.version);
                let of = [&*it.id, it.space.as_str(), &name];
                all.insert(told(&organisation.0, *image, kind, of, &pair.states()));
            }
        }
    }
    all
}

fn by_portfolio(world: &World, changes: &[Change]) -> BTreeSet<Told> {
    let mut all = BTreeSet::new();
    for it in changes {
        let name = format!("{}@{}", it.name, it.version);
        let states = [it.before.clone(), it.after.clone()];
        for image in world.portfolio.some_image_numbers(&it.spread.images, usize::MAX) {
            let of = [&*it.flaw, it.space.as_str(), &name];
            all.insert(told(&it.organisation.0, image, it.kind, of, &states));
        }
    }
    all
}

/// A portfolio in which things happened.
fn worlds() -> impl Strategy<Value = World> {
    let steps = prop::collection::vec((0_i64..8, image(), any::<bool>()), 0..12);
    let running = prop::collection::vec((0_u8..6, 0_u8..3, 0_i64..8, any::<bool>()), 0..10);
    (steps, running).prop_map(|(steps, running)| {
        let mut world = World::read("");
        for (image, (organisation, inventory), goes) in steps {
            // A number is always of one organisation.
            let organisation = if image % 2 == 0 { "acme" } else { organisation };
            let organisation = OrganisationId(organisation.to_owned());
            if world.images.get(&image).is_some_and(|it| it.0 != organisation)
                || (goes && image < 4)
            {
                world.remove(image);
            } else {
                world.add(image, organisation, inventory);
            }
        }
        for (deployment, environment, image, ends) in running {
            let Some((organisation, _)) = world.images.get(&image) else { continue };
            let deployment = format!("d{deployment}");
            world.portfolio.start(organisation, &deployment, &format!("e{environment}"), image);
            if ends {
                world.portfolio.end(&deployment);
            }
        }
        world
    })
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (image, (organisation, inventory)) in &self.images {
            writeln!(f, "image {image} {} {:?}", organisation.0, inventory.distro)?;
            for it in &inventory.packages {
                writeln!(f, "  {} {:?} {:?} {:?}", it.purl, it.kind, it.source, it.owner)?;
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn another_almanac_changes_what_matching_all_anew_would(
        world in worlds(), (old, new) in almanacs(),
    ) {
        let (old, new) = (read_almanac(&old), read_almanac(&new));
        let rematch = world.portfolio.rematch(&old, &new, Terms::default());
        prop_assert_eq!(
            by_portfolio(&world, &rematch.changes),
            from_scratch(&world, &old, &new)
        );
        let again = world.portfolio.rematch(&old, &new, Terms::default());
        prop_assert_eq!(rematch, again);
        prop_assert_eq!(world.portfolio.rematch(&new, &new, Terms::default()), crate::Rematch::default());
    }

    #[test]
    fn a_flaw_is_where_matching_finds_it(
        world in worlds(), (rows, _) in almanacs(),
        flaw in prop::sample::select(vec!["CVE-1", "CVE-2", "GHSA-1"]),
    ) {
        let almanac = read_almanac(&rows);
        for organisation in ["acme", "other"] {
            let id = OrganisationId(organisation.to_owned());
            let answer = world.portfolio.find_flaw(&id, flaw, &almanac, Terms::default());
            let mut found: BTreeSet<(i64, String)> = BTreeSet::new();
            for it in &answer.found {
                for image in world.portfolio.some_image_numbers(&it.spread.images, usize::MAX) {
                    found.insert((image, format!("{} {} {}", it.space, it.name, it.version)));
                }
            }
            let mut expect = BTreeSet::new();
            for (image, (_, inventory)) in world.images.iter().filter(|it| it.1.0 == id) {
                for it in analyze(&each(inventory, &almanac)).0 {
                    if it.id == flaw || it.aliases.iter().any(|it| it == flaw) {
                        expect.insert((*image, format!("{} {} {}", it.space, it.name, it.version)));
                    }
                }
            }
            prop_assert_eq!(found, expect);
        }
    }

    #[test]
    fn a_package_is_in_the_images_that_have_it(world in worlds()) {
        for organisation in ["acme", "other"] {
            let id = OrganisationId(organisation.to_owned());
            for package in PACKAGES {
                let purl = read_package(package).purl;
                let held = world.portfolio.find(&id, &Sought::Purl { purl: &purl, range: None });
                let mut found: BTreeSet<i64> = BTreeSet::new();
                for it in held.found.iter().filter(|it| it.purl == purl) {
                    found.extend(world.portfolio.some_image_numbers(&it.spread.images, usize::MAX));
                }
                let own = world.images.iter().filter(|it| it.1.0 == id);
                let expect: BTreeSet<i64> = own
                    .filter(|it| it.1.1.packages.iter().any(|it| it.purl == purl))
                    .map(|it| *it.0)
                    .collect();
                prop_assert_eq!(found, expect);
            }
        }
    }
}
