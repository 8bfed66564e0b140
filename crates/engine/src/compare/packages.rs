//! Packages of two inventories, paired: the same ones, then versions of the same name.

use std::cmp::{Ordering, Reverse};

use ecosystem::order::{self, Order};
use model::{Analysis, Gap, Package, PackageChange, PackageKind, Place, Purl, Space, Way};

use super::join::join;

/// A package as it was and as it is: numbers into the two inventories, at least one.
pub(super) struct Pair<'a> {
    pub(super) before: Option<usize>,
    pub(super) after: Option<usize>,
    pub(super) way: Way,
    purls: (Option<&'a Purl>, Option<&'a Purl>),
    unordered: Option<String>,
}

impl Pair<'_> {
    /// The same for a reader. One that is on one side alone may be in a hole of the other.
    pub(super) fn told(&self, doubt: Option<Gap>) -> PackageChange {
        PackageChange {
            way: if doubt.is_some() { Way::Unclear } else { self.way },
            before: self.purls.0.cloned(),
            after: self.purls.1.cloned(),
            unordered: self.unordered.clone(),
            doubt,
        }
    }
}

/// Each package of both, once; those on both sides first. Where a name occurs several times, the same
/// versions belong together first, then what lies in the same place, then the latest versions.
pub(super) fn pair<'a>(before: &'a Analysis, after: &'a Analysis) -> Vec<Pair<'a>> {
    let (mut left, mut right) = (entries(before), entries(after));
    let mut found = Vec::with_capacity(left.len().max(right.len()));
    let rest = |one: &Entry<'a>, other: &Entry<'a>| one.rest().cmp(&other.rest());
    join(&mut left, &mut right, &mut found, |it| (&it.package.purl, it.package.kind), rest);
    let version = |it: &Entry<'a>| (it.name, it.namespace, it.package.purl.version());
    join(&mut left, &mut right, &mut found, version, rest);
    // Which is the later version matters from here on, and only for what is left.
    for entry in left.iter_mut().chain(&mut right) {
        entry.rank = Reverse(rank(&entry.package.purl));
    }
    let place =
        |it: &Entry<'a>| (it.name, it.namespace, it.package.purl.qualifier("arch"), it.place());
    join(&mut left, &mut right, &mut found, place, rest);
    join(&mut left, &mut right, &mut found, |it| (it.name, it.namespace), rest);
    join(&mut left, &mut right, &mut found, |it| it.name, rest);

    let mut pairs: Vec<Pair<'a>> = found.into_iter().map(|(was, is)| both(&was, &is)).collect();
    pairs.extend(left.iter().map(|it| Pair {
        before: Some(it.at),
        after: None,
        way: Way::Removed,
        purls: (Some(&it.package.purl), None),
        unordered: None,
    }));
    pairs.extend(right.iter().map(|it| Pair {
        before: None,
        after: Some(it.at),
        way: Way::Added,
        purls: (None, Some(&it.package.purl)),
        unordered: None,
    }));
    pairs
}

/// What a package is called, whatever its version: type, namespace, name, path inside.
type Name<'a> = (&'a str, Option<&'a str>, &'a str, Option<&'a str>);

/// Latest first; those whose version cannot be read last.
type Rank = Reverse<Option<Vec<u8>>>;

struct Entry<'a> {
    at: usize,
    package: &'a Package,
    name: Name<'a>,
    /// The distribution, of a package of an operating system.
    namespace: Option<&'a str>,
    rank: Rank,
}

impl<'a> Entry<'a> {
    fn place(&self) -> Option<&'a str> {
        self.package.places.first().map(|it| &*it.path)
    }

    /// What tells packages of one name apart.
    fn rest(&self) -> (&Rank, &'a Purl, PackageKind, &'a [Place]) {
        (&self.rank, &self.package.purl, self.package.kind, &self.package.places)
    }
}

fn entries(analysis: &Analysis) -> Vec<Entry<'_>> {
    let numbered = analysis.inventory.packages.iter().enumerate();
    numbered
        .map(|(at, package)| {
            let purl = &package.purl;
            let namespace = purl.namespace();
            let system = is_system(purl.kind());
            let inside = namespace.filter(|_| !system);
            Entry {
                at,
                package,
                name: (purl.kind(), inside, purl.name(), purl.subpath()),
                namespace: namespace.filter(|_| system),
                rank: Reverse(None),
            }
        })
        .collect()
}

/// Packages of operating systems, whose namespace is a distribution.
pub(super) fn is_system(kind: &str) -> bool {
    matches!(kind, "deb" | "apk" | "rpm" | "alpm")
}

fn both<'a>(was: &Entry<'a>, is: &Entry<'a>) -> Pair<'a> {
    let (old, new) = (&was.package.purl, &is.package.purl);
    let same = was.namespace == is.namespace && old.version() == new.version();
    let (way, unordered) = if same { (Way::Unchanged, None) } else { way(old, new) };
    Pair { before: Some(was.at), after: Some(is.at), way, purls: (Some(old), Some(new)), unordered }
}

/// Which of two versions is the later one, where that can be told, and else why not.
fn way(old: &Purl, new: &Purl) -> (Way, Option<String>) {
    let changed = |why: String| (Way::Changed, Some(why));
    if is_system(old.kind()) && old.namespace() != new.namespace() {
        return changed("they are of different distributions".to_owned());
    }
    let Some(order) = order_of(old) else {
        return changed(format!("the order of versions of {} is not known", old.kind()));
    };
    let (Some(from), Some(to)) = (old.version(), new.version()) else {
        return changed("one of them has no version".to_owned());
    };
    // Where both are wrong, the same one is named, whichever side it is on.
    let forwards = from <= to;
    let (least, most) = if forwards { (from, to) } else { (to, from) };
    match order.compare(least, most) {
        Ok(Ordering::Equal) => changed("their order takes both for the same version".to_owned()),
        Ok(found) if (found == Ordering::Less) == forwards => (Way::Upgraded, None),
        Ok(_) => (Way::Downgraded, None),
        Err(why) => changed(why.to_string()),
    }
}

fn rank(purl: &Purl) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    order_of(purl)?.key(purl.version()?, &mut key).ok()?;
    Some(key)
}

/// The order of its versions: its distribution's, or that of all who have such packages.
fn order_of(purl: &Purl) -> Option<&'static dyn Order> {
    let usual = match purl.kind() {
        "deb" => "debian",
        "apk" => "alpine",
        "rpm" => "rhel",
        "alpm" => "arch",
        kind => return order::of(&Space::of(kind)),
    };
    let own = purl.namespace().and_then(|it| order::of(&Space::of(it)));
    own.or_else(|| order::of(&Space::of(usual)))
}
