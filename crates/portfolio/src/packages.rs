//! Which packages there are: leafed through by name, and one of them version by version.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ecosystem::range;
use model::{OrganisationId, Purl};

use crate::contract::{Held, Leaf, PackageNumber, Spread, Title};
use crate::crowd::Scratch;
use crate::portfolio::{Organisation, Portfolio};

/// Who looks at packages of one organisation's images, all versions of a name in one.
pub struct Leafing<'p> {
    portfolio: &'p Portfolio,
    organisation: &'p Organisation,
    scratch: Scratch,
}

impl Leafing<'_> {
    /// The package of that name and type, if any of the images has it.
    pub fn leaf(&mut self, (name, kind): Title<'_>) -> Option<Leaf> {
        let Self { portfolio, organisation, scratch } = self;
        let is_own = |it: &u32| portfolio.is_in(*it, |it| organisation.images.contains(it));
        let rows = portfolio.rows.titled(kind, name).iter().copied();
        let rows: Vec<u32> = rows.filter(is_own).collect();
        let purl = portfolio.rows.purl(*rows.first()?)?;
        let images = portfolio.images_of(&rows, scratch) & &organisation.images;
        let purls = rows.iter().filter_map(|it| portfolio.rows.purl(*it));
        let mut versions: Vec<Option<String>> =
            purls.map(|it| it.version().map(str::to_owned)).collect();
        versions.sort_by_cached_key(|it| rank(purl.kind(), it.as_deref()));
        versions.dedup();
        Some(Leaf {
            kind: purl.kind().to_owned(),
            name: purl.full_name(),
            versions: versions.into_iter().map(Option::unwrap_or_default).collect(),
            spread: portfolio.spread(organisation, images),
        })
    }
}

impl Portfolio {
    /// To look at packages of an organisation's images; nobody where it has none.
    pub fn leafing(&self, organisation: &OrganisationId) -> Option<Leafing<'_>> {
        let number = self.organisation(organisation)?;
        let organisation = self.organisations.get(number as usize)?;
        Some(Leafing { portfolio: self, organisation, scratch: Scratch::default() })
    }

    /// Packages, whoever has them: by name, whatever its letters, and by type, behind that one.
    pub fn titles<'p>(
        &'p self,
        after: Option<Title<'_>>,
    ) -> impl Iterator<Item = Title<'p>> + use<'p> {
        self.rows.titled_after(after)
    }

    /// The same the other way around: those before that one.
    pub fn titles_back<'p>(
        &'p self,
        before: Option<Title<'_>>,
    ) -> impl Iterator<Item = Title<'p>> + use<'p> {
        self.rows.titled_before(before)
    }

    /// The packages of that type and full name that an organisation's images have, each purl once, the
    /// latest version first where their order can be told.
    pub fn versions(&self, organisation: &OrganisationId, kind: &str, name: &str) -> Vec<Held> {
        let number = self.organisation(organisation);
        let Some(organisation) = number.and_then(|it| self.organisations.get(it as usize)) else {
            return Vec::new();
        };
        let mut purls: BTreeMap<Purl, Vec<u32>> = BTreeMap::new();
        for row in self.rows.titled(kind, name) {
            let Some(purl) = self.rows.purl(*row) else { continue };
            purls.entry(purl).or_default().push(*row);
        }
        let mut scratch = Scratch::default();
        let mut held: Vec<Held> = Vec::new();
        for (purl, rows) in purls {
            let images = self.images_of(&rows, &mut scratch) & &organisation.images;
            let Some(first) = rows.first().filter(|_| !images.is_empty()) else { continue };
            let spread: Spread = self.spread(organisation, images);
            held.push(Held { package: PackageNumber(*first), purl, spread });
        }
        held.sort_by_cached_key(|it| (rank(kind, it.purl.version()), it.purl.clone()));
        held
    }
}

/// To sort by: the latest version first; those that cannot be read come last, as texts.
fn rank(kind: &str, version: Option<&str>) -> Reverse<(Option<Vec<u8>>, Option<String>)> {
    let key = || {
        let mut key = Vec::new();
        range::order_of(kind).ok()?.key(version?, &mut key).ok()?;
        Some(key)
    };
    Reverse((key(), version.map(str::to_owned)))
}
