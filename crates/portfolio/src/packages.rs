//! Which packages there are: leafed through by name, and one of them version by version.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ecosystem::range;
use model::{OrganisationId, Purl};

use crate::contract::{Held, Leaf, Leaves, PackageNumber, Spread};
use crate::crowd::Scratch;
use crate::portfolio::Portfolio;

impl Portfolio {
    /// Packages of an organisation's images, all versions of a name in one, by name and type: the first
    /// `limit` behind `after`, of that type, whose name contains that text, in whatever letters.
    pub fn leaf_through(
        &self,
        organisation: &OrganisationId,
        (text, kind): (Option<&str>, Option<&str>),
        after: Option<&(String, String)>,
        limit: usize,
    ) -> Leaves {
        let mut leaves = Leaves::default();
        let number = self.organisation(organisation);
        let Some(organisation) = number.and_then(|it| self.organisations.get(it as usize)) else {
            return leaves;
        };
        let text = text.map(str::to_lowercase);
        let mut scratch = Scratch::default();
        for ((name, its_kind), rows) in self.rows.titled_after(after) {
            if text.as_ref().is_some_and(|it| !name.contains(&**it))
                || kind.is_some_and(|it| it != &**its_kind)
            {
                continue;
            }
            let is_own = |it: &&u32| self.is_in(**it, |it| organisation.images.contains(it));
            let rows: Vec<u32> = rows.iter().filter(is_own).copied().collect();
            let Some(purl) = rows.first().and_then(|it| self.rows.purl(*it)) else { continue };
            if leaves.found.len() >= limit {
                let last = leaves.found.last();
                leaves.next = last.map(|it| (it.name.to_lowercase(), it.kind.clone()));
                break;
            }
            let images = self.images_of(&rows, &mut scratch) & &organisation.images;
            let purls = rows.iter().filter_map(|it| self.rows.purl(*it));
            let mut versions: Vec<Option<String>> =
                purls.map(|it| it.version().map(str::to_owned)).collect();
            versions.sort_by_cached_key(|it| rank(purl.kind(), it.as_deref()));
            versions.dedup();
            leaves.found.push(Leaf {
                kind: purl.kind().to_owned(),
                name: purl.full_name(),
                versions: versions.into_iter().map(Option::unwrap_or_default).collect(),
                spread: self.spread(organisation, images),
            });
        }
        leaves
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
