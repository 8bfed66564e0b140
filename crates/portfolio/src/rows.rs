//! Distinct packages: what matching reads of a package, once, and the names it is found by.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Bound;

use model::{Package, PackageKind, Purl, SourcePackage, filed_name};

use crate::contract::Title;
use crate::crowd::Crowd;

/// All distinct packages.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    all: Vec<Row>,
    texts: Texts,
    /// By the hash of what they are; others of the same hash follow by `Row::next`.
    known: HashMap<u64, u32>,
    hasher: RandomState,
    /// By small letters of whatever name they go by.
    names: HashMap<Box<str>, Vec<u32>>,
    /// By small letters of the full name, and by type: to be leafed through.
    titles: BTreeMap<(Box<str>, Box<str>), Vec<u32>>,
    /// By purl, those that own others.
    owners: HashMap<u32, Vec<u32>>,
}

/// One distinct package.
#[derive(Debug)]
pub(crate) struct Row {
    told: Told,
    /// The sets that have it.
    pub(crate) sets: Crowd,
    next: Option<u32>,
}

/// What matching reads of a package; texts by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Told {
    purl: u32,
    kind: PackageKind,
    source: Option<(u32, Option<u32>)>,
    author: Option<u32>,
    owner: Option<u32>,
}

impl Rows {
    /// The number of that package.
    pub(crate) fn know(&mut self, package: &Package) -> u32 {
        let told = Told::of(package, &mut self.texts);
        let hash = self.hasher.hash_one(told);
        let first = self.known.get(&hash).copied();
        let mut at = first;
        while let Some(number) = at {
            let Some(row) = self.all.get(number as usize) else { break };
            if row.told == told {
                return number;
            }
            at = row.next;
        }
        let number = self.all.len() as u32;
        self.known.insert(hash, number);
        self.all.push(Row { told, sets: Crowd::default(), next: first });
        for name in names(package) {
            match self.names.get_mut(&*name) {
                Some(rows) => rows.push(number),
                None => {
                    self.names.insert(name.into(), vec![number]);
                }
            }
        }
        let title = package.purl.full_name().to_lowercase();
        self.titles.entry((title.into(), package.purl.kind().into())).or_default().push(number);
        // Whoever comes first, the owner or what it owns.
        self.owners.entry(told.purl).or_default().push(number);
        number
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Row> {
        self.all.get(number as usize)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Row> {
        self.all.get_mut(number as usize)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Row)> {
        (0..).zip(&self.all)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Row> {
        self.all.iter_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Those that go by that name, whatever its capitals.
    pub(crate) fn called(&self, name: &str) -> &[u32] {
        self.names.get(&*name.to_lowercase()).map_or(&[], |it| it)
    }

    /// Those of that type and full name, whatever its capitals.
    pub(crate) fn titled(&self, kind: &str, name: &str) -> &[u32] {
        let key = (name.to_lowercase().into(), kind.into());
        self.titles.get(&key).map_or(&[], |it| it)
    }

    /// All of them behind that one, by full name and type.
    pub(crate) fn titled_after<'r>(
        &'r self,
        after: Option<Title<'_>>,
    ) -> impl Iterator<Item = Title<'r>> + use<'r> {
        self.titles.range((beyond(after), Bound::Unbounded)).map(|(it, _)| title(it))
    }

    /// All of them before that one, the last first.
    pub(crate) fn titled_before<'r>(
        &'r self,
        before: Option<Title<'_>>,
    ) -> impl Iterator<Item = Title<'r>> + use<'r> {
        self.titles.range((Bound::Unbounded, beyond(before))).rev().map(|(it, _)| title(it))
    }

    /// Those that have the purl of the one that owns this one. `None`: nobody does.
    pub(crate) fn owners_of(&self, number: u32) -> Option<&[u32]> {
        let owner = self.get(number)?.told.owner?;
        Some(self.owners.get(&owner).map_or(&[], |it| it))
    }

    /// The number of its owner's purl.
    pub(crate) fn owner_of(&self, number: u32) -> Option<u32> {
        self.get(number)?.told.owner
    }

    /// How strong the evidence of it is.
    pub(crate) fn evidence(&self, number: u32) -> Option<PackageKind> {
        self.get(number).map(|it| it.told.kind)
    }

    /// Who built it, where that matters.
    pub(crate) fn author(&self, number: u32) -> Option<&str> {
        Some(self.texts.get(self.get(number)?.told.author?))
    }

    /// What tells it from others of its purl, to sort by: its number depends on who came first.
    pub(crate) fn distinction(&self, number: u32) -> (Option<PackageKind>, [&str; 4]) {
        let told = self.get(number).map(|it| it.told);
        let (source, version) = told.and_then(|it| it.source).unzip();
        let texts = [
            source,
            version.flatten(),
            told.and_then(|it| it.author),
            told.and_then(|it| it.owner),
        ];
        let text = |it: Option<u32>| it.map_or("", |it| self.texts.get(it));
        (told.map(|it| it.kind), texts.map(text))
    }

    /// The text of its purl.
    pub(crate) fn purl_text(&self, number: u32) -> &str {
        self.get(number).map_or("", |it| self.texts.get(it.told.purl))
    }

    /// Its purl.
    pub(crate) fn purl(&self, number: u32) -> Option<Purl> {
        self.purl_text(number).parse().ok()
    }

    /// The package, as far as matching reads it.
    pub(crate) fn package(&self, number: u32) -> Option<Package> {
        let told = self.get(number)?.told;
        let text = |it: u32| self.texts.get(it).to_owned();
        let mut package = Package::new(self.purl(number)?).of_kind(told.kind);
        package.source = told
            .source
            .map(|(name, version)| SourcePackage { name: text(name), version: version.map(text) });
        package.author = told.author.map(text);
        package.owner = told.owner.and_then(|it| self.texts.get(it).parse().ok());
        Some(package)
    }

    /// Bytes held, about.
    pub(crate) fn bytes(&self) -> usize {
        let sets: usize = self.all.iter().map(|it| it.sets.bytes()).sum();
        let rows = self.names.values().map(|it| it.capacity() * 4).sum::<usize>();
        let names = self.names.keys().map(|it| it.len() + 16).sum::<usize>() + rows;
        self.all.capacity() * size_of::<Row>()
            + sets
            + self.texts.bytes()
            + names
            + self
                .titles
                .iter()
                .map(|((name, _), it)| name.len() + 64 + it.capacity() * 4)
                .sum::<usize>()
            + (self.names.capacity() + self.owners.capacity()) * 48
            + self.known.capacity() * 16
            + self.owners.values().map(|it| it.capacity() * 4).sum::<usize>()
    }
}

impl Told {
    fn of(package: &Package, texts: &mut Texts) -> Self {
        // Only of these it matters who made them.
        let author = matches!(package.purl.kind(), "rpm" | "deb")
            .then_some(package.author.as_deref())
            .flatten();
        Self {
            purl: texts.number_of(&package.purl.to_string()),
            kind: package.kind,
            source: package.source.as_ref().map(|it| {
                let version = it.version.as_deref().map(|it| texts.number_of(it));
                (texts.number_of(&it.name), version)
            }),
            author: author.map(|it| texts.number_of(it)),
            owner: package.owner.as_ref().map(|it| texts.number_of(&it.to_string())),
        }
    }
}

fn title((name, kind): &(Box<str>, Box<str>)) -> Title<'_> {
    (name, kind)
}

fn beyond(title: Option<Title<'_>>) -> Bound<(Box<str>, Box<str>)> {
    title.map_or(Bound::Unbounded, |(name, kind)| Bound::Excluded((name.into(), kind.into())))
}

/// All that somebody may call it, in small letters.
fn names(package: &Package) -> Vec<String> {
    let full = package.purl.full_name();
    let mut names: Vec<String> = vec![filed_name(package.purl.kind(), &full).to_lowercase()];
    names.push(full.to_lowercase());
    names.push(package.purl.name().to_lowercase());
    names.extend(package.source.as_ref().map(|it| it.name.to_lowercase()));
    names.extend(matching::names_of(package).iter().map(|it| it.to_lowercase()));
    names.sort_unstable();
    names.dedup();
    names
}

/// Texts, each once.
#[derive(Debug, Default)]
struct Texts {
    texts: Vec<std::sync::Arc<str>>,
    known: HashMap<std::sync::Arc<str>, u32>,
}

impl Texts {
    fn number_of(&mut self, text: &str) -> u32 {
        if let Some(number) = self.known.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        let text: std::sync::Arc<str> = text.into();
        self.texts.push(text.clone());
        self.known.insert(text, number);
        number
    }

    fn get(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |it| it)
    }

    fn bytes(&self) -> usize {
        let texts: usize = self.texts.iter().map(|it| it.len() + 32).sum();
        texts + self.texts.capacity() * 16 + self.known.capacity() * 25
    }
}
