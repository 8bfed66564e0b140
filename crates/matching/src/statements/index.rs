//! Statements found by what they are about, so that no package is held against those about others.

use std::collections::HashMap;

use model::{Inventory, Package, Product, Purl, Statement};

use super::image::Identity;
use super::product::{ANYTHING, AROUND, COMPANION, fit_cpe, fit_package, in_range};
use crate::scope::Cpe;

/// What is said about one flaw, or about any.
#[derive(Default)]
pub(super) struct Said<'q> {
    /// The best of those that fit every package.
    always: Option<Best<'q>>,
    /// Those that may be about any package.
    open: Vec<Claim<'q>>,
    /// Those about packages whose name ends like this.
    named: HashMap<String, Vec<Claim<'q>>>,
}

/// A statement that fits, and by what.
#[derive(Clone, Copy)]
pub(crate) struct Best<'q> {
    fit: u8,
    pub(crate) number: usize,
    statement: &'q Statement,
    product: Option<&'q Product>,
    part: Option<&'q str>,
}

impl<'q> Best<'q> {
    /// What is more specific counts, then what was said later, then what was given later.
    pub(super) fn rank(&self) -> (u8, Option<&'q str>, usize) {
        (self.fit, self.statement.said.as_deref(), self.number)
    }

    /// Does it take a finding out of the way?
    pub(crate) fn suppresses(&self) -> bool {
        self.statement.status.suppresses()
    }

    /// The statement; of a long one only what it says about this package.
    pub(crate) fn quoted(&self) -> Statement {
        /// Every finding carries its own copy.
        const LONG: usize = 20;
        let it = self.statement;
        let parts: usize = it.products.iter().map(|it| it.parts.len() + it.names.len()).sum();
        if it.products.len() + parts + it.flaws.len() <= LONG {
            return it.clone();
        }
        let products = self.product.into_iter().map(|it| Product {
            names: it.names.iter().take(LONG).cloned().collect(),
            parts: match self.part {
                Some(part) => vec![vec![part.to_owned()]],
                None => it.parts.iter().take(LONG).cloned().collect(),
            },
            versions: it.versions.clone(),
        });
        Statement {
            origin: it.origin.clone(),
            document: it.document.clone(),
            author: it.author.clone(),
            said: it.said.clone(),
            flaws: it.flaws.iter().take(LONG).cloned().collect(),
            products: products.collect(),
            status: it.status,
            justification: it.justification.clone(),
            note: it.note.clone(),
            expires: it.expires.clone(),
        }
    }
}

fn better<'q>(left: Option<Best<'q>>, right: Option<Best<'q>>) -> Option<Best<'q>> {
    left.into_iter().chain(right).max_by(|left, right| left.rank().cmp(&right.rank()))
}

/// One product of a statement, and one part of it.
#[derive(Clone, Copy)]
struct Claim<'q> {
    statement: &'q Statement,
    number: usize,
    product: &'q Product,
    whole: Whole<'q>,
    part: Option<&'q str>,
}

#[derive(Clone, Copy)]
enum Whole<'q> {
    /// It fits, whatever the package.
    Fits(u8),
    /// By a name that may be the package's.
    Name(&'q str),
}

/// The names of packages by which statements can be about them.
#[derive(Default)]
pub(super) struct Names<'q>(HashMap<&'q str, Vec<&'q Package>>);

impl<'q> Names<'q> {
    pub(super) fn of(inventory: &'q Inventory) -> Self {
        let mut names: HashMap<&str, Vec<&Package>> = HashMap::new();
        for package in &inventory.packages {
            for name in names_of(package) {
                names.entry(name).or_default().push(package);
            }
        }
        Self(names)
    }

    /// Is a package of that name in the image?
    pub(super) fn holds(&self, name: &str) -> bool {
        let Ok(purl) = name.parse::<Purl>() else { return false };
        let found = self.0.get(last(purl.name()));
        found.is_some_and(|it| it.iter().any(|it| fit_package(name, it).is_ok()))
    }
}

/// Its own name and its source's, from the last slash on: no two that differ in it are the same.
fn names_of(package: &Package) -> impl Iterator<Item = &str> {
    let own = last(package.purl.name());
    let source = package.source.as_ref().map(|it| last(&it.name)).filter(|it| *it != own);
    std::iter::once(own).chain(source)
}

fn last(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, name)| name)
}

impl<'q> Said<'q> {
    /// Takes one more statement in.
    pub(super) fn add(
        &mut self,
        (number, statement): (usize, &'q Statement),
        image: &Identity,
        names: &Names<'_>,
    ) {
        let always = |fit, product| Some(Best { fit, number, statement, product, part: None });
        if statement.products.is_empty() {
            self.always = better(self.always, always(COMPANION, None));
        }
        for product in &statement.products {
            let is_plain = product.parts.is_empty();
            let mut fits: Option<u8> = None;
            let mut wholes: Vec<Whole<'q>> = Vec::new();
            for name in &product.names {
                if name == "*" {
                    fits = fits.max(Some(ANYTHING));
                } else if let Some(fit) = image.fit(name) {
                    fits = fits.max(fit.ok());
                } else if !is_plain && !name.starts_with("cpe:") {
                    fits = fits.max(names.holds(name).then_some(AROUND));
                } else {
                    wholes.push(Whole::Name(name));
                }
            }
            wholes.extend(fits.map(Whole::Fits));
            for whole in wholes {
                let claim = Claim { statement, number, product, whole, part: None };
                match whole {
                    Whole::Fits(fit) if is_plain && product.versions.is_none() => {
                        self.always = better(self.always, always(fit, Some(product)));
                    }
                    Whole::Fits(_) if is_plain => self.open.push(claim),
                    Whole::Name(name) if is_plain => self.add_claim(name, claim),
                    _ => {
                        for part in product.parts.iter().flatten() {
                            self.add_claim(part, Claim { part: Some(part), ..claim });
                        }
                    }
                }
            }
        }
    }

    fn add_claim(&mut self, name: &str, claim: Claim<'q>) {
        if name == "*" || (name.starts_with("cpe:") && Cpe::parse(name).is_some()) {
            self.open.push(claim);
        } else if let Ok(purl) = name.parse::<Purl>() {
            self.named.entry(last(purl.name()).to_owned()).or_default().push(claim);
        }
    }

    /// The best of those that fit.
    pub(super) fn best(&self, package: &Package, inventory: &Inventory) -> Option<Best<'q>> {
        let named = names_of(package).filter_map(|it| self.named.get(it)).flatten();
        let claims = self.open.iter().chain(named);
        claims.map(|it| it.fit(package, inventory)).fold(self.always, better)
    }
}

impl<'q> Claim<'q> {
    fn fit(&self, package: &Package, inventory: &Inventory) -> Option<Best<'q>> {
        let by_name = |name: &str| match name {
            "*" => Some(0),
            cpe if cpe.starts_with("cpe:") => fit_cpe(cpe, package, inventory).ok(),
            name => fit_package(name, package).ok(),
        };
        let whole = match self.whole {
            Whole::Fits(fit) => fit,
            Whole::Name(name) => by_name(name)?,
        };
        if let Some(range) = &self.product.versions {
            in_range(range, package).ok()?;
        }
        let fit = whole.saturating_add(self.part.map_or(Some(0), by_name)?);
        let Self { number, statement, part, .. } = *self;
        Some(Best { fit, number, statement, product: Some(self.product), part })
    }
}
