//! What the starter sheet tells, held against real advisories, where a kit of them is at hand.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use ecosystem::order::{self, Order};
use feed::walk::{Limits, walk};
use feed::{Document, Parsed, STARTER};
use model::{Advisory, Affected, Exploited, Space, Span};

/// The folders of the kit that tell about packages; in the others is nothing of the starter sheet.
const FOLDERS: &[&str] = &["alpine", "debian", "osv", "ubuntu", "wolfi"];

/// Where we say another thing than the kit, and why: a flaw, a space, a package.
const DIFFERENT: &[(&str, &str, &str, &str)] = &[(
    "CVE-2017-7525",
    "maven",
    "com.fasterxml.jackson.core/jackson-databind",
    "releases with the first cure are listed too; what it left open is CVE-2017-15095",
)];

#[test]
fn the_starter_sheet_agrees_with_the_kit() {
    let Some(root) = kit() else {
        println!("left out: there is no kit of advisories in shared/data beside the project");
        return;
    };
    let starter = starter();
    let kit = Kit::read(&root, &starter);
    let mut told = Told::default();
    for advisory in &starter {
        kit.check_names(advisory, &mut told);
        for affected in &advisory.affected {
            kit.check_row(advisory, affected, &mut told);
        }
    }
    println!("{told}");
    assert!(told.wrong.is_empty(), "{:#?}", told.wrong);
    for (id, space, package, _) in DIFFERENT {
        let is_used = told.different.contains(&(*id, *space, *package));
        assert!(is_used, "{id} in {space} {package} differs no more");
    }
    // A reading that finds next to nothing is none.
    assert!(told.agreed > 300, "{told}");
}

#[test]
fn what_is_used_in_attacks_is_what_the_kit_lists() {
    let Some(root) = kit() else {
        println!("left out: there is no kit of advisories in shared/data beside the project");
        return;
    };
    let feed = feed::find("kev").expect("it is in the list of feeds");
    let (mut listed, mut until) = (BTreeMap::new(), String::new());
    walk(&root.join("kev"), &Limits::default(), &mut |path, bytes| {
        let parsed = feed.parse("all", &Document { path, bytes });
        until = parsed.current.unwrap_or_default();
        listed.extend(parsed.exploited.into_iter().map(|it| (it.id.clone(), it)));
    });
    assert!(listed.len() > 1_000 && !until.is_empty(), "the kit has a catalogue");
    let said = |it: &Exploited| (it.added.clone(), it.due.clone(), it.ransomware);
    let ours: BTreeMap<String, Exploited> =
        told().flat_map(|it| it.exploited).map(|it| (it.id.clone(), it)).collect();
    for it in starter() {
        match (ours.get(&it.id), listed.get(&it.id)) {
            (ours, Some(theirs)) => assert_eq!(ours.map(said), Some(said(theirs)), "{}", it.id),
            // Listed since.
            (Some(ours), None) => assert!(ours.added > until, "{}: {}", it.id, ours.added),
            (None, None) => {}
        }
    }
}

/// The nearest folder above the project that has one.
fn kit() -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    home.ancestors().skip(3).map(|it| it.join("shared/data")).find(|it| it.is_dir())
}

fn starter() -> Vec<Advisory> {
    told().flat_map(|it| it.advisories).collect()
}

fn told() -> impl Iterator<Item = Parsed> {
    let feed = feed::find("starter").expect("it is built in");
    let parse = move |(path, text): &(&str, &str)| {
        feed.parse("all", &Document { path, bytes: text.as_bytes() })
    };
    STARTER.iter().map(parse)
}

/// What became of the rows of the starter sheet.
#[derive(Default)]
struct Told {
    agreed: usize,
    unknown: BTreeMap<String, usize>,
    different: HashSet<(&'static str, &'static str, &'static str)>,
    flaws_unknown: usize,
    wrong: Vec<String>,
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unknown: usize = self.unknown.values().sum();
        write!(
            f,
            "{} rows agree with the kit, {} differ with a reason, {} are wrong; \
             it does not know {unknown} rows ({:?}), nor any name of {} flaws",
            self.agreed,
            self.different.len(),
            self.wrong.len(),
            self.unknown,
            self.flaws_unknown,
        )
    }
}

type Key = (String, Space, String);

/// What the kit says about the flaws of the starter sheet.
#[derive(Default)]
struct Kit {
    /// The names that each name goes together with.
    names: HashMap<String, BTreeSet<String>>,
    /// The rows about a flaw, a space and a package.
    rows: HashMap<Key, Vec<Affected>>,
}

impl Kit {
    /// Only documents that mention one of the flaws are parsed: the others cannot say a thing.
    fn read(root: &Path, starter: &[Advisory]) -> Self {
        let wanted: HashSet<&[u8]> = starter.iter().map(|it| it.id.as_bytes()).collect();
        let mut kit = Self::default();
        for folder in FOLDERS {
            walk(&root.join(folder), &Limits::default(), &mut |path, bytes| {
                if !mentions(bytes, &wanted) {
                    return;
                }
                let path = format!("{folder}/{path}");
                let head = bytes.get(..4096).unwrap_or(bytes);
                for feed in feed::ALL {
                    let Some(part) = feed.recognises(&path, head) else { continue };
                    for advisory in feed.parse(&part, &Document { path: &path, bytes }).advisories {
                        kit.take(advisory, &wanted);
                    }
                }
            });
        }
        kit
    }

    fn take(&mut self, advisory: Advisory, wanted: &HashSet<&[u8]>) {
        if advisory.withdrawn.is_some() {
            return;
        }
        let mut names = advisory.aliases;
        names.push(advisory.id);
        for name in &names {
            self.names.entry(name.clone()).or_default().extend(names.iter().cloned());
        }
        for name in names.iter().filter(|it| wanted.contains(it.as_bytes())) {
            for affected in &advisory.affected {
                let key = (name.clone(), affected.space.clone(), affected.package.clone());
                self.rows.entry(key).or_default().push(affected.clone());
            }
        }
    }

    /// No alias belongs to another flaw.
    fn check_names(&self, advisory: &Advisory, told: &mut Told) {
        let ours: Vec<&String> = std::iter::once(&advisory.id).chain(&advisory.aliases).collect();
        let known: Vec<_> = ours.iter().filter_map(|it| self.names.get(*it)).collect();
        told.flaws_unknown += usize::from(known.is_empty());
        for alias in &advisory.aliases {
            let Some(names) = self.names.get(alias) else { continue };
            let has_cve = names.iter().any(|it| it.starts_with("CVE-"));
            if has_cve && !names.contains(&advisory.id) {
                told.wrong.push(format!("{}: {alias} is {names:?}", advisory.id));
            }
        }
    }

    fn check_row(&self, advisory: &Advisory, ours: &Affected, told: &mut Told) {
        let key = (advisory.id.clone(), ours.space.clone(), ours.package.clone());
        let Some(rows) = self.rows.get(&key) else {
            *told.unknown.entry(ours.space.to_string()).or_default() += 1;
            return;
        };
        let order = order::of(&ours.space).expect("the sheet's own test asks for it");
        let wrong = compare(order, ours, rows);
        if wrong.is_empty() {
            told.agreed += 1;
            return;
        }
        let reason = DIFFERENT.iter().find(|(id, space, package, _)| {
            *id == advisory.id && *space == ours.space.as_str() && *package == ours.package
        });
        match reason {
            Some((id, space, package, _)) => {
                told.different.insert((id, space, package));
            }
            None => {
                for why in wrong {
                    let (space, package) = (&ours.space, &ours.package);
                    told.wrong.push(format!("{} in {space} {package}: {why}", advisory.id));
                }
            }
        }
    }
}

fn mentions(bytes: &[u8], wanted: &HashSet<&[u8]>) -> bool {
    ["CVE-", "GHSA-"].into_iter().any(|prefix| {
        memchr::memmem::find_iter(bytes, prefix).any(|at| {
            let name = bytes.get(at..).unwrap_or_default();
            let is_name = |it: &u8| it.is_ascii_alphanumeric() || *it == b'-';
            let length = name.iter().take_while(|it| is_name(it)).count();
            name.get(..length).is_some_and(|it| wanted.contains(it))
        })
    })
}

/// Each of our ends is one of theirs, and what they list one by one lies inside.
fn compare(order: &dyn Order, ours: &Affected, theirs: &[Affected]) -> Vec<String> {
    let is_same = |left: &str, right: &str| order.compare(left, right) == Ok(Ordering::Equal);
    let mut wrong = Vec::new();
    let ends: Vec<&str> = theirs
        .iter()
        .flat_map(|it| &it.spans)
        .filter_map(|it| Some(&*it.to.as_ref()?.version))
        .collect();
    if theirs.iter().any(|it| !it.spans.is_empty()) {
        for span in &ours.spans {
            let agrees = match &span.to {
                Some(end) => ends.iter().any(|it| is_same(it, &end.version)),
                None => theirs.iter().flat_map(|it| &it.spans).any(|it| it.to.is_none()),
            };
            if !agrees {
                wrong.push(format!("{:?} is no end of {ends:?}", span.to));
            }
        }
    } else {
        for version in theirs.iter().flat_map(|it| &it.versions) {
            if !ours.spans.iter().any(|it| is_inside(order, it, version)) {
                wrong.push(format!("{version} is listed, but in none of our spans"));
            }
        }
    }
    wrong
}

fn is_inside(order: &dyn Order, span: &Span, version: &str) -> bool {
    let holds = |bound: &Option<model::Bound>, side: Ordering| {
        bound.as_ref().is_none_or(|it| match order.compare(version, &it.version) {
            Ok(Ordering::Equal) => it.included,
            Ok(other) => other == side,
            Err(_) => false,
        })
    };
    holds(&span.from, Ordering::Greater) && holds(&span.to, Ordering::Less)
}
