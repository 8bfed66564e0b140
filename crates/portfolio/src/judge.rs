//! Judging: each distinct package once for each surrounding in which matching may see it otherwise.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use almanac::{Almanac, Book as _};
use matching::{Options, Question};
use model::{Distro, Finding, Gap, Inventory, Package, Space, Subject, Verdict};
use roaring::RoaringBitmap;

use crate::contract::Terms;
use crate::crowd::Scratch;
use crate::portfolio::Portfolio;

/// What matching reads beside the package itself. All packages of one surrounding can be judged
/// together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Surrounding {
    /// The distribution's number. `None`: it does not matter.
    distro: Option<u32>,
    /// The number of the owner's purl, and those packages of that purl that are in the image.
    owner: Option<(u32, Vec<u32>)>,
}

/// Packages to be judged, by surrounding.
pub(crate) type Cases = BTreeMap<Surrounding, BTreeSet<u32>>;

/// Names that somebody speaks of, with the spaces where they do.
pub(crate) type Spoken<'a> = BTreeMap<&'a str, BTreeSet<&'a Space>>;

/// Where a package meets advisories in each almanac.
type Meets = Vec<Option<Space>>;

/// Finds and judges packages by the words of these almanacs.
pub(crate) struct Judge<'p> {
    portfolio: &'p Portfolio,
    books: Vec<&'p Almanac>,
    terms: Terms<'p>,
    scratch: RefCell<Scratch>,
    /// For each ground, its space in each almanac.
    spaces: RefCell<HashMap<(String, u32), Meets>>,
    /// Does somebody speak of that name only where the image is some product?
    products: RefCell<HashMap<(Space, String), bool>>,
}

/// All there is about a package in a surrounding.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// For each package, in their order.
    pub(crate) findings: Vec<Vec<Finding>>,
    pub(crate) gaps: Vec<Gap>,
}

impl<'p> Judge<'p> {
    pub(crate) fn new(portfolio: &'p Portfolio, books: &[&'p Almanac], terms: Terms<'p>) -> Self {
        Self {
            portfolio,
            books: books.to_vec(),
            terms,
            scratch: RefCell::default(),
            spaces: RefCell::default(),
            products: RefCell::default(),
        }
    }

    /// The packages of which somebody speaks who speaks of that name in one of those spaces.
    pub(crate) fn gather(&self, name: &str, spaces: &BTreeSet<&Space>, cases: &mut Cases) {
        for row in self.portfolio.rows.called(name) {
            let Some(package) = self.portfolio.rows.package(*row) else { continue };
            let is_system = matching::is_system(package.purl.kind());
            if (!is_system && !spaces.contains(&Space::of(package.purl.kind())))
                || !matching::names_of(&package).iter().any(|it| it == name)
            {
                continue;
            }
            for surrounding in self.surroundings(*row, &package) {
                let meets = !is_system
                    || self
                        .spaces_of(&package, &surrounding)
                        .iter()
                        .flatten()
                        .any(|it| spaces.contains(it));
                if meets {
                    cases.entry(surrounding).or_default().insert(*row);
                }
            }
        }
    }

    /// All packages that meet advisories in one of those spaces, or whose owners may.
    pub(crate) fn gather_all(&self, spaces: &BTreeSet<Space>, cases: &mut Cases) {
        if spaces.is_empty() {
            return;
        }
        for (row, _) in self.portfolio.rows.iter() {
            let Some(package) = self.portfolio.rows.package(row) else { continue };
            let kind = package.purl.kind();
            // An owner answers if it is somebody's, and that may be what changed.
            let is_owned = package.owner.is_some();
            let is_system = matching::is_system(kind);
            if !is_owned && !is_system && !spaces.contains(&Space::of(kind)) {
                continue;
            }
            for surrounding in self.surroundings(row, &package) {
                let meets = is_owned
                    || !is_system
                    || self
                        .spaces_of(&package, &surrounding)
                        .iter()
                        .flatten()
                        .any(|it| spaces.contains(it));
                if meets {
                    cases.entry(surrounding).or_default().insert(row);
                }
            }
        }
    }

    /// The images in which any of these packages has that surrounding.
    pub(crate) fn images(&self, rows: &[u32], surrounding: &Surrounding) -> RoaringBitmap {
        let mut images = self.images_of(rows);
        if let Some(distro) = surrounding.distro {
            match self.portfolio.distros.get(distro as usize) {
                Some(it) => images &= &it.images,
                None => images.clear(),
            }
        }
        // All of them have one owner.
        if let Some(((_, present), row)) = surrounding.owner.as_ref().zip(rows.first()) {
            for owner in self.portfolio.rows.owners_of(*row).unwrap_or_default() {
                let theirs = self.images_of(&[*owner]);
                if present.contains(owner) {
                    images &= theirs;
                } else {
                    images -= theirs;
                }
            }
        }
        images
    }

    /// Has any of those images that package in that surrounding?
    pub(crate) fn is_found(
        &self,
        row: u32,
        surrounding: &Surrounding,
        images: &RoaringBitmap,
    ) -> bool {
        if surrounding.owner.is_some() {
            return !self.images(&[row], surrounding).is_disjoint(images);
        }
        match surrounding.distro {
            None => self.portfolio.is_in(row, |it| images.contains(it)),
            Some(distro) => {
                let ground = self.portfolio.distros.get(distro as usize);
                ground.is_some_and(|ground| {
                    let is_there = |it| images.contains(it) && ground.images.contains(it);
                    self.portfolio.is_in(row, is_there)
                })
            }
        }
    }

    /// What is wrong with these packages by the words of that almanac.
    pub(crate) fn judge(
        &self,
        book: &Almanac,
        surrounding: &Surrounding,
        rows: &[u32],
        flaws: Option<&BTreeSet<String>>,
    ) -> Judged {
        let inventory = self.inventory(surrounding, rows);
        let (findings, gaps) = matching::analyze_each(&self.question(book, &inventory), flaws);
        let mut judged = Judged { findings: rows.iter().map(|_| Vec::new()).collect(), gaps };
        for finding in findings {
            let package = finding.packages.first().copied();
            // Owners stand behind those that are asked for.
            if let Some(it) = package.and_then(|it| judged.findings.get_mut(it)) {
                it.push(finding);
            }
        }
        judged
    }

    /// Why the package has none of these flaws by the words of that almanac.
    pub(crate) fn why_not(
        &self,
        book: &Almanac,
        surrounding: &Surrounding,
        row: u32,
        flaws: &BTreeSet<String>,
    ) -> Verdict {
        let inventory = self.inventory(surrounding, &[row]);
        let verdicts = matching::verdicts_each(&self.question(book, &inventory), flaws);
        why_not(verdicts.iter().filter(|it| it.0 == 0).map(|it| (&*it.1, it.2)), flaws)
    }

    fn question<'q>(&'q self, book: &'q Almanac, inventory: &'q Inventory) -> Question<'q> {
        let Terms { declared, today } = self.terms;
        let options = Options { declared, today, ..Options::default() };
        Question { inventory, book, statements: &[], options }
    }

    /// So much of an image as matters.
    fn inventory(&self, surrounding: &Surrounding, rows: &[u32]) -> Inventory {
        let owners = surrounding.owner.iter().flat_map(|it| &it.1);
        let package = |it: &u32| self.portfolio.rows.package(*it);
        Inventory {
            subject: Subject::Document { name: String::new() },
            distro: self.distro(surrounding).cloned(),
            packages: rows.iter().chain(owners).filter_map(package).collect(),
            statements: Vec::new(),
            gaps: Vec::new(),
        }
    }

    fn distro(&self, surrounding: &Surrounding) -> Option<&'p Distro> {
        self.portfolio.distros.get(surrounding.distro? as usize)?.distro.as_ref()
    }

    fn images_of(&self, rows: &[u32]) -> RoaringBitmap {
        self.portfolio.images_of(rows, &mut self.scratch.borrow_mut())
    }

    /// The surroundings in which that package is found.
    fn surroundings(&self, row: u32, package: &Package) -> Vec<Surrounding> {
        let rows = &self.portfolio.rows;
        let Some((owner, owners)) = rows.owner_of(row).zip(rows.owners_of(row)) else {
            if !matching::is_system(package.purl.kind()) && !self.is_of_products(package) {
                let anywhere = Surrounding { distro: None, owner: None };
                return if self.portfolio.is_held(row) { vec![anywhere] } else { Vec::new() };
            }
            let distros = self.portfolio.distros_of(row).into_iter();
            return distros.map(|it| Surrounding { distro: Some(it), owner: None }).collect();
        };
        let mut owners: Vec<u32> = owners.to_vec();
        // As packages of one purl are sorted in an inventory, where the last one counts.
        owners.sort_by_key(|it| rows.evidence(*it));
        let mut parts: Vec<(RoaringBitmap, Vec<u32>)> = vec![(self.images_of(&[row]), Vec::new())];
        for it in owners {
            let theirs = self.images_of(&[it]);
            parts = parts
                .into_iter()
                .flat_map(|(images, present)| {
                    let with = present.iter().copied().chain([it]).collect();
                    [(&images & &theirs, with), (images - &theirs, present)]
                })
                .filter(|(images, _)| !images.is_empty())
                .collect();
        }
        let mut found = Vec::new();
        for distro in self.portfolio.distros_of(row) {
            let Some(ground) = self.portfolio.distros.get(distro as usize) else { continue };
            let here = parts.iter().filter(|it| !ground.images.is_disjoint(&it.0));
            found.extend(here.map(|(_, present)| Surrounding {
                distro: Some(distro),
                owner: Some((owner, present.clone())),
            }));
        }
        found
    }

    /// Does somebody speak of a language's package only where the image is some product?
    fn is_of_products(&self, package: &Package) -> bool {
        let space = Space::of(package.purl.kind());
        let mut known = self.products.borrow_mut();
        matching::names_of(package).into_iter().any(|name| {
            let key = (space.clone(), name);
            if let Some(is) = known.get(&key) {
                return *is;
            }
            let mut rows = Vec::new();
            self.books.iter().for_each(|it| it.look_up(&space, &key.1, &mut rows));
            let is = rows.iter().any(|it| !it.products.is_empty());
            known.insert(key, is);
            is
        })
    }

    /// The package's space in each almanac.
    fn spaces_of(&self, package: &Package, surrounding: &Surrounding) -> Vec<Option<Space>> {
        let purl = &package.purl;
        let parts = [Some(purl.kind()), purl.namespace(), purl.qualifier("distro")];
        let key = parts.map(Option::unwrap_or_default).join("\0");
        let key = (key, surrounding.distro.unwrap_or(u32::MAX));
        if let Some(spaces) = self.spaces.borrow().get(&key) {
            return spaces.clone();
        }
        let distro = self.distro(surrounding);
        let spaces = self.books.iter().map(|it| matching::space_of(purl, distro, *it));
        let spaces: Vec<Option<Space>> = spaces.collect();
        self.spaces.borrow_mut().insert(key, spaces.clone());
        spaces
    }

    /// Where an image has two packages that are called like the owner, from two builders, which of
    /// them matching takes depends on where they lie.
    pub(crate) fn unclear_owners(&self, surrounding: &Surrounding, rows: &[u32]) -> Vec<Gap> {
        let all = &self.portfolio.rows;
        let Some((_, owners)) = &surrounding.owner else { return Vec::new() };
        let Some(last) = owners.last() else { return Vec::new() };
        let alike = |it: &&u32| all.evidence(**it) == all.evidence(*last);
        let builders: BTreeSet<Option<&str>> =
            owners.iter().filter(alike).map(|it| all.author(*it)).collect();
        if builders.len() < 2 {
            return Vec::new();
        }
        let why = format!(
            "owned by {}, which is there twice, of different builders: which answers is not clear",
            all.purl_text(*last)
        );
        rows.iter().map(|it| Gap::new(all.purl_text(*it), &*why)).collect()
    }
}

/// What is decided of these flaws where there is no finding: that it cannot be told goes first.
pub(crate) fn why_not<'v>(
    verdicts: impl Iterator<Item = (&'v [String], Verdict)>,
    flaws: &BTreeSet<String>,
) -> Verdict {
    const UNCLEAR: [Verdict; 2] = [Verdict::CannotTell, Verdict::UnderInvestigation];
    // What cannot be read has no name.
    let is_about = |names: &[String]| {
        names.is_empty() || names.iter().any(|it| it.is_empty() || flaws.contains(it))
    };
    let about: Vec<Verdict> = verdicts.filter(|it| is_about(it.0)).map(|it| it.1).collect();
    let unclear = UNCLEAR.into_iter().find(|it| about.contains(it));
    unclear.or_else(|| about.into_iter().min()).unwrap_or(Verdict::Unheard)
}
