//! What holds for any packages, rows and statements.

use std::collections::BTreeSet;
use std::sync::Mutex;

use model::{Finding, Gap, Inventory, Statement, Verdict};
use proptest::prelude::*;

use super::book::Shelf;
use super::{TODAY, read_inventory, read_statements};
use crate::{
    Asked, Memory, Number, Options, Question, Register, analyze, analyze_each, count, judge,
    verdicts_each,
};

const PACKAGES: &[&str] = &[
    "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12&arch=amd64 source:openssl",
    "pkg:deb/debian/openssl@3.0.11-1+b1?distro=debian-12 source:openssl@3.0.11-1",
    "pkg:deb/debian/openssl-doc@3.0.11-1?distro=debian-12 source:openssl",
    "pkg:deb/ubuntu/openssl@3.0.2-0ubuntu1+esm1?distro=ubuntu-22.04",
    "pkg:deb/debian/openssl@not~a~version%20at%20all?distro=debian-12",
    "pkg:rpm/redhat/openssl@3.0.7-1.module+el9?distro=rhel-9.4&epoch=1&rpmmod=openssl:3:1",
    "pkg:rpm/redhat/openssl@3.0.7-1.el9_fips?distro=rhel-9.4",
    "pkg:pypi/openssl@3.0 owner:pkg:deb/debian/openssl@3.0.11-1%2Bb1?distro=debian-12",
    "pkg:pypi/openssl@3.0",
    "pkg:pypi/openssl",
    "pkg:generic/openssl@3",
];

const DISTROS: &[&str] = &["", "debian-12", "rhel-9.4", "rhel-9.5"];

/// A distribution that names itself in advisories' words too.
fn of_text(text: &str) -> Option<model::Distro> {
    let (id, version) = text.split_once('-')?;
    Some(model::Distro {
        id: id.to_owned(),
        version: Some(version.to_owned()),
        cpe: (id == "rhel").then(|| format!("cpe:/o:redhat:enterprise_linux:{version}")),
        ..model::Distro::default()
    })
}

const SPACES: &[&str] = &["debian:12", "ubuntu:22.04", "rhel:9", "pypi"];

fn rows() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "source",
        "binary",
        "not-affected",
        "investigating",
        "withdrawn",
        "torn",
        "all",
        "<3.0.13-1",
        ">=3.0",
        "<=3",
        "<one two",
        "v:3.0",
        "arch:amd64",
        "channel:esm-infra",
        "channel:fips",
        "module:openssl:3",
        "product:cpe:/o:redhat:enterprise_linux:9",
        "=CVE-1",
        "=CVE-2",
        "level:high",
    ]);
    let space = prop::sample::select(SPACES);
    let name = prop::sample::select(vec!["openssl", "libssl3"]);
    let feed = prop::sample::select(vec!["osv", "debian-tracker", "starter"]);
    let id = prop::sample::select(vec!["CVE-1", "CVE-2", "GHSA-1", "PYSEC-1"]);
    let row = (feed, space, name, id, prop::collection::vec(word, 0..5)).prop_map(
        |(feed, space, name, id, words)| {
            let words: Vec<&str> = words.into_iter().filter(|it| !it.contains(' ')).collect();
            format!("{feed} {space} {name} {id} {}", words.join(" "))
        },
    );
    prop::collection::vec(row, 0..12).prop_map(|it| it.join("\n"))
}

fn packages() -> impl Strategy<Value = Inventory> {
    prop::collection::vec(prop::sample::select(PACKAGES), 0..8)
        .prop_map(|it| read_inventory(&it.join("\n")))
}

fn statements() -> impl Strategy<Value = Vec<Statement>> {
    let all = "a CVE-1 not_affected product:pkg:pypi/openssl@3.0
        b CVE-2 affected product:* said:2024-01-01
        c * accepted product:pkg:deb/debian/openssl expires:2025-06-02";
    prop::collection::vec(prop::sample::select(read_statements(all)), 0..4)
}

fn question<'a>(
    inventory: &'a Inventory,
    book: &'a Shelf,
    statements: &'a [Statement],
) -> Question<'a> {
    let options = Options { today: Some(TODAY), ..Options::default() };
    Question { inventory, book, statements, options }
}

/// Numbers findings by all that is told of them.
#[derive(Default)]
struct Clerk(Mutex<[Vec<String>; 2]>);

/// What is found, and whether that is out of the way, each once; and gaps.
type Tallied = (BTreeSet<(String, bool)>, Vec<Gap>);

impl Clerk {
    fn number(&self, finding: &Finding) -> Number {
        let same = (&finding.id, &finding.space, &finding.name, &finding.version);
        let of = |known: &mut Vec<String>, it: String| {
            let at = known.iter().position(|known| *known == it).unwrap_or_else(|| {
                known.push(it);
                known.len() - 1
            });
            at as u32
        };
        let [findings, sames] = &mut *self.0.lock().unwrap();
        Number {
            finding: of(findings, format!("{finding:?}")),
            same: of(sames, format!("{same:?}")),
        }
    }

    fn count(&self, question: &Question<'_>, register: &Register) -> Tallied {
        let (found, gaps) = count(question, register, &|finding, _| self.number(finding));
        let [findings, _] = &*self.0.lock().unwrap();
        let all = found.iter().map(|it| (findings[it.finding as usize].clone(), it.is_suppressed));
        (all.collect(), gaps)
    }
}

fn counted((findings, gaps): &(Vec<Finding>, Vec<Gap>)) -> Tallied {
    let one = |it: &Finding| {
        let bare = Finding { packages: Vec::new(), statement: None, ..it.clone() };
        (format!("{bare:?}"), it.suppressed())
    };
    (findings.iter().map(one).collect(), gaps.clone())
}

proptest! {
    #[test]
    fn the_order_of_rows_does_not_matter(
        inventory in packages(), rows in rows(), said in statements(), turn in 0_usize..12,
    ) {
        let shelf = Shelf::read(&rows);
        let mut lines: Vec<&str> = rows.lines().collect();
        lines.reverse();
        let at = turn % lines.len().max(1);
        lines.rotate_left(at);
        let turned = Shelf::read(&lines.join("\n"));
        prop_assert_eq!(
            analyze(&question(&inventory, &shelf, &said)),
            analyze(&question(&inventory, &turned, &said))
        );
    }

    #[test]
    fn a_row_about_something_else_changes_nothing(inventory in packages(), rows in rows()) {
        let shelf = Shelf::read(&rows);
        let mut more = Shelf::read(&rows);
        for space in SPACES {
            if shelf.entries.is_empty() {
                continue;
            }
            // Where nobody spoke at all, one more row makes a source of its feed.
            if rows.lines().any(|it| it.split_whitespace().nth(1) == Some(space)) {
                let row = format!("osv {space} unrelated CVE-1 all");
                more.entries.extend(Shelf::read(&row).entries);
            }
        }
        prop_assert_eq!(
            analyze(&question(&inventory, &shelf, &[])),
            analyze(&question(&inventory, &more, &[]))
        );
    }

    #[test]
    fn findings_and_judgements_agree(
        inventory in packages(), rows in rows(), said in statements(),
    ) {
        let shelf = Shelf::read(&rows);
        let question = question(&inventory, &shelf, &said);
        let (findings, _) = analyze(&question);
        let mut found: Vec<(usize, &str, bool)> = findings
            .iter()
            .flat_map(|it| it.packages.iter().map(|number| (*number, &*it.id, it.suppressed())))
            .collect();
        found.sort_unstable();
        let judgements = judge(&question, Asked::All);
        let mut judged: Vec<(usize, &str, bool)> = judgements
            .iter()
            .filter_map(|it| {
                let suppressed = match it.verdict {
                    Verdict::Affected => false,
                    Verdict::Suppressed => true,
                    _ => return None,
                };
                Some((it.package, it.flaw.first()?.as_str(), suppressed))
            })
            .collect();
        judged.sort_unstable();
        prop_assert_eq!(found, judged);
        prop_assert!(judgements.iter().all(|it| !it.chain.is_empty()));
    }

    #[test]
    fn each_package_by_itself_has_what_it_has_among_others(
        inventory in packages(), rows in rows(), said in statements(),
    ) {
        let shelf = Shelf::read(&rows);
        let whole = question(&inventory, &shelf, &said);
        let edges = |findings: &[Finding]| {
            let of = |it: &Finding| -> Vec<(usize, String)> {
                it.packages.iter().map(|number| (*number, it.id.clone())).collect()
            };
            let mut edges: Vec<(usize, String)> = findings.iter().flat_map(of).collect();
            edges.sort();
            edges
        };
        let each = analyze_each(&whole, None).0;
        prop_assert_eq!(edges(&each), edges(&analyze(&whole).0));
        for (number, package) in inventory.packages.iter().enumerate() {
            let mut alone = Inventory { packages: vec![package.clone()], ..inventory.clone() };
            if let Some(owner) = &package.owner {
                let owners = inventory.packages.iter().filter(|it| it.purl == *owner).cloned();
                alone.packages.extend(owners);
            }
            let mut expect: Vec<Finding> =
                each.iter().filter(|it| it.packages == [number]).cloned().collect();
            for it in &mut expect {
                it.packages = vec![0];
            }
            let mut found = analyze_each(&question(&alone, &shelf, &said), None).0;
            found.retain(|it| it.packages == [0]);
            prop_assert_eq!(found, expect);
        }
    }

    #[test]
    fn who_remembers_others_tells_the_same(
        inventories in prop::collection::vec((packages(), 0..DISTROS.len()), 1..6),
        rows in rows(), said in statements(), declared in any::<bool>(),
        most in prop::sample::select(vec![0, 2_000, 8_000, 1 << 20]),
    ) {
        let shelf = Shelf::read(&rows);
        let memory = Memory::new(most);
        let (register, clerk) = (Register::new(most), Clerk::default());
        // The second time around some is known.
        for (inventory, distro) in inventories.iter().chain(&inventories) {
            let inventory = Inventory { distro: of_text(DISTROS[*distro]), ..inventory.clone() };
            for statements in [&said[..], &[]] {
                let mut question = question(&inventory, &shelf, statements);
                question.options.declared = declared;
                let expect = analyze(&question);
                prop_assert_eq!(clerk.count(&question, &register), counted(&expect));
                question.options.memory = Some(&memory);
                prop_assert_eq!(analyze(&question), expect);
                prop_assert!(memory.bytes() <= most, "{} of {most}", memory.bytes());
            }
        }
    }

    #[test]
    fn a_flaw_is_judged_alone_as_among_others(inventory in packages(), rows in rows()) {
        let shelf = Shelf::read(&rows);
        let question = question(&inventory, &shelf, &[]);
        let all = analyze_each(&question, None).0;
        let judged = judge(&question, Asked::All);
        for flaw in ["CVE-1", "CVE-2", "GHSA-1", "PYSEC-1"] {
            let flaws = BTreeSet::from([flaw.to_owned()]);
            let is_it = |it: &Finding| it.id == flaw || it.aliases.iter().any(|it| it == flaw);
            let found = analyze_each(&question, Some(&flaws)).0;
            prop_assert!(found.iter().all(|it| all.contains(it)));
            let expect: Vec<&Finding> = all.iter().filter(|it| is_it(it)).collect();
            prop_assert_eq!(found.iter().filter(|it| is_it(it)).collect::<Vec<_>>(), expect);
            for (package, names, verdict) in verdicts_each(&question, &flaws) {
                let same = judged.iter().any(|it| {
                    it.package == package && it.verdict == verdict && it.flaw == names
                });
                prop_assert!(same, "{package} {names:?} {verdict:?}");
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(
        purl in "pkg:(deb|rpm|apk|npm|docker)/[a-z%@/.:_é-]{1,20}", distro in "\\PC{0,12}",
        product in "\\PC{0,30}", version in "\\PC{0,12}",
    ) {
        let Ok(purl) = purl.parse::<model::Purl>() else { return Ok(()) };
        let purl = purl.with_version(&version).with_qualifier("distro", &distro);
        let mut inventory = read_inventory("");
        let shelf = Shelf::read("osv npm a CVE-1 all\nosv debian:12 a CVE-1 <1");
        inventory.distro = Some(model::Distro { id: distro, ..model::Distro::default() });
        inventory.packages.push(model::Package::new(purl));
        let mut said = read_statements("a * not_affected product:x part:y");
        said[0].products[0].names = vec![product.clone()];
        said[0].products[0].versions = Some(product);
        let question = question(&inventory, &shelf, &said);
        let _ = (analyze(&question), judge(&question, Asked::All));
    }
}
