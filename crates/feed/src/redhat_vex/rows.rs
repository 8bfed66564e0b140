//! What a document says about products, brought down to one row for each package and stream.

use std::collections::{BTreeMap, BTreeSet};

use ecosystem::order;
use model::{Affected, Names, Outlook, Rating, Space, Span, Status};

use super::component::Component;
use super::platform::Platform;
use super::streams;

/// Which package, in which stream of what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    space: Space,
    channel: Option<String>,
    product: Option<String>,
    module: Option<String>,
    package: String,
}

/// What is said about it.
#[derive(Debug, Default)]
struct Facts {
    fixes: Vec<Fix>,
    words: Option<Words>,
}

impl Facts {
    /// All it says is that the package does not have the flaw.
    fn is_denial(&self) -> bool {
        let denied = self.words.as_ref().is_none_or(|it| it.status == Status::NotAffected);
        self.fixes.is_empty() && denied
    }
}

#[derive(Debug)]
struct Fix {
    names: Names,
    version: String,
    arch: Option<String>,
    bulletins: Vec<String>,
    rating: Option<Rating>,
}

/// What is said about all its versions.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) status: Status,
    pub(super) outlook: Option<Outlook>,
    pub(super) reason: Option<String>,
    pub(super) rating: Option<Rating>,
    /// Taken over from the component.
    pub(super) names: Option<Names>,
    /// Taken over from the platform.
    pub(super) minor: Option<u32>,
}

/// The rows, as they come in.
#[derive(Debug, Default)]
pub(super) struct Rows {
    facts: BTreeMap<Key, Facts>,
    /// The document tells source packages from those that are built from them.
    tells_sources: bool,
}

impl Rows {
    /// The component has the fix.
    pub(super) fn fixed(
        &mut self,
        platform: &Platform,
        component: Component,
        version: String,
        bulletins: Vec<String>,
        rating: Option<Rating>,
    ) {
        let names = component.names.unwrap_or(Names::Either);
        let arch = component.arch.clone();
        let fix = Fix { names, version, arch, bulletins, rating };
        self.facts_of(platform, component).fixes.push(fix);
    }

    /// Something is said about all its versions. Of several, the one that leaves most open counts:
    /// a package may be said to be affected in one repository, and not in another one.
    pub(super) fn said(&mut self, platform: &Platform, component: Component, words: Words) {
        let names = component.names;
        let facts = self.facts_of(platform, component);
        let words = Words { names, minor: platform.minor, ..words };
        match &mut facts.words {
            Some(known) if weight(known.status) > weight(words.status) => {}
            Some(known) if known.status == words.status => {
                known.minor = known.minor.max(words.minor);
                // The built package of that name stands for the source package: its siblings are
                // named by themselves.
                if known.names == Some(Names::Source) {
                    known.names = words.names;
                }
            }
            known => *known = Some(words),
        }
    }

    fn facts_of(&mut self, platform: &Platform, component: Component) -> &mut Facts {
        self.tells_sources |= component.names == Some(Names::Source);
        let (space, product) = if component.image {
            (Space::of("redhat"), platform.product.clone())
        } else {
            (platform.space(component.version.as_deref()), platform.product.clone())
        };
        self.facts
            .entry(Key {
                space,
                channel: platform.channel.clone(),
                product,
                module: component.module,
                package: component.package,
            })
            .or_default()
    }

    /// All of them.
    pub(super) fn finish(self) -> Vec<Affected> {
        let built = built_versions(&self.facts);
        let disputed = disputed(&self.facts);
        let mut rows: Vec<Affected> = Vec::new();
        let mut package = 0;
        for (key, facts) in by_package(self.facts) {
            if facts.is_denial() && key.product.is_some() && !disputed.contains(&key.package) {
                continue;
            }
            if rows.last().is_none_or(|it| it.package != key.package) {
                package = rows.len();
            }
            for row in rows_of(&key, &facts, self.tells_sources, &built) {
                let same = rows.iter_mut().skip(package).find(|it| {
                    !it.products.is_empty() && !row.products.is_empty() && alike(it, &row)
                });
                match same {
                    Some(same) => {
                        same.products.extend(row.products);
                        same.products.dedup();
                    }
                    None => rows.push(row),
                }
            }
        }
        rows
    }
}

/// Rows about one package stand together, so that those alike but for their product can be merged.
fn by_package(facts: BTreeMap<Key, Facts>) -> Vec<(Key, Facts)> {
    let mut facts: Vec<(Key, Facts)> = facts.into_iter().collect();
    facts.sort_by(|(left, _), (right, _)| (&left.package, left).cmp(&(&right.package, right)));
    facts
}

fn alike(left: &Affected, right: &Affected) -> bool {
    let bare = |it: &Affected| Affected { products: Vec::new(), ..it.clone() };
    left.space == right.space && left.spans == right.spans && bare(left) == bare(right)
}

fn weight(status: Status) -> u8 {
    match status {
        Status::Affected => 2,
        Status::UnderInvestigation => 1,
        Status::NotAffected => 0,
    }
}

/// Packages that have the flaw somewhere. Errata of layered products list every package of the
/// product, thousands of them, as not affected; that is worth keeping only where there is a doubt.
fn disputed(facts: &BTreeMap<Key, Facts>) -> BTreeSet<String> {
    let doubtful = facts.iter().filter(|(_, facts)| !facts.is_denial());
    doubtful.map(|(key, _)| key.package.clone()).collect()
}

/// A stream, and a version of a package that was built there.
type Built = BTreeSet<(Space, Option<String>, Option<String>, Option<String>, String)>;

fn built_versions(facts: &BTreeMap<Key, Facts>) -> Built {
    let fixes = facts.iter().flat_map(|(key, facts)| facts.fixes.iter().map(move |it| (key, it)));
    fixes.filter(|(_, fix)| fix.names == Names::Binary).map(|(key, fix)| place(key, fix)).collect()
}

fn place(key: &Key, fix: &Fix) -> (Space, Option<String>, Option<String>, Option<String>, String) {
    let Key { space, channel, product, module, .. } = key.clone();
    (space, channel, product, module, fix.version.clone())
}

fn rows_of(key: &Key, facts: &Facts, tells_sources: bool, built: &Built) -> Vec<Affected> {
    let bare = Affected {
        channel: key.channel.clone(),
        module: key.module.clone(),
        products: key.product.iter().cloned().collect(),
        ..Affected::new(key.space.clone(), &*key.package)
    };
    if !facts.fixes.is_empty() {
        return fixed_rows(key, facts, &bare, built);
    }
    let Some(words) = &facts.words else {
        return Vec::new();
    };
    let unnamed = if tells_sources { Names::Binary } else { Names::Either };
    vec![Affected {
        names: words.names.unwrap_or(unnamed),
        status: words.status,
        spans: vec![Span::all()],
        outlook: words.outlook,
        reason: words.reason.clone(),
        rating: words.rating.clone(),
        ..bare
    }]
}

/// One row, or one for each group of architectures that have the fix in other versions.
fn fixed_rows(key: &Key, facts: &Facts, bare: &Affected, built: &Built) -> Vec<Affected> {
    // Where the packages built from a source package are named, it says nothing more: a sibling that
    // is not named is not meant.
    let named: Vec<&Fix> = facts
        .fixes
        .iter()
        .filter(|it| it.names != Names::Source || !built.contains(&place(key, it)))
        .collect();
    let has_binary = named.iter().any(|it| it.names != Names::Source);
    let named = named.into_iter().filter(|it| !has_binary || it.names != Names::Source);

    let mut versions: BTreeMap<Option<&str>, BTreeSet<&str>> = BTreeMap::new();
    let mut fixes: Vec<&Fix> = Vec::new();
    for fix in named {
        versions.entry(fix.arch.as_deref()).or_default().insert(&fix.version);
        fixes.push(fix);
    }
    let mut groups: BTreeMap<BTreeSet<&str>, Vec<Option<&str>>> = BTreeMap::new();
    for (arch, versions) in versions {
        groups.entry(versions).or_default().push(arch);
    }
    let split = groups.len() > 1 && groups.values().all(|it| !it.contains(&None));
    if !split {
        let versions = groups.keys().flatten().copied().collect();
        groups = BTreeMap::from([(versions, Vec::new())]);
    }
    let order = order::of(&key.space);
    let waiting = facts.words.as_ref().filter(|it| it.status == Status::Affected);
    let waiting = waiting.and_then(|it| it.minor);
    groups
        .into_iter()
        .filter(|(versions, _)| !versions.is_empty())
        .map(|(versions, arch)| {
            let of_group = |it: &&&Fix| versions.contains(&*it.version);
            let bulletins: BTreeSet<&String> =
                fixes.iter().filter(of_group).flat_map(|it| &it.bulletins).collect();
            let fix = fixes.iter().find(of_group);
            let versions: Vec<String> = versions.iter().map(|&it| it.to_owned()).collect();
            Affected {
                names: fix.map_or(Names::Either, |it| it.names),
                status: Status::Affected,
                spans: streams::without_fix(order, &versions, waiting),
                rating: fix.and_then(|it| it.rating.clone()),
                bulletins: bulletins.into_iter().cloned().collect(),
                arch: arch.into_iter().flatten().map(str::to_owned).collect(),
                ..bare.clone()
            }
        })
        .collect()
}
