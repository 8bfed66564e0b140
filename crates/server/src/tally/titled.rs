//! Packages by name and type, in all versions: what was found in each, and how bad that is.

use std::collections::{HashMap, HashSet};

use model::Level;
use portfolio::Title;

use super::told::Said;

/// How bad a package is where it runs: of what is as bad, what is used in attacks is worse, and then what
/// has more flaws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trouble {
    pub(crate) worst: Level,
    is_attacked: bool,
    pub(crate) flaws: u64,
}

/// All of them.
#[derive(Default)]
pub(super) struct Titled {
    /// By type, and by name in small letters.
    by_kind: HashMap<String, HashMap<String, Own>>,
}

#[derive(Default)]
struct Own {
    /// Packages that an advisory speaks of, by number.
    packs: Vec<u32>,
    /// None where nothing was found in them.
    trouble: Option<Trouble>,
}

impl Titled {
    /// `of_packs`: what was found in each of those that an advisory speaks of.
    pub(super) fn of(told: &Said, of_packs: &[Vec<u32>]) -> Self {
        let mut titled = Self::default();
        for (number, pack) in (0..).zip(told.packs()) {
            for purl in &pack.purls {
                let of_kind = titled.by_kind.entry(purl.kind().to_owned()).or_default();
                let own = of_kind.entry(purl.full_name().to_lowercase()).or_default();
                if own.packs.last() != Some(&number) {
                    own.packs.push(number);
                }
            }
        }
        for own in titled.by_kind.values_mut().flat_map(HashMap::values_mut) {
            let found = own.packs.iter().filter_map(|it| of_packs.get(*it as usize)).flatten();
            own.trouble = trouble(told, found.copied());
        }
        titled
    }

    pub(super) fn packs(&self, title: Title<'_>) -> &[u32] {
        self.own(title).map_or(&[], |it| &it.packs)
    }

    pub(super) fn trouble(&self, title: Title<'_>) -> Option<Trouble> {
        self.own(title)?.trouble
    }

    /// Those in which something was found.
    pub(super) fn troubled(&self) -> impl Iterator<Item = (Title<'_>, Trouble)> {
        let all = self.by_kind.iter().flat_map(|(kind, own)| own.iter().map(move |it| (kind, it)));
        all.filter_map(|(kind, (name, own))| Some(((&**name, &**kind), own.trouble?)))
    }

    fn own(&self, (name, kind): Title<'_>) -> Option<&Own> {
        self.by_kind.get(kind)?.get(name)
    }
}

/// Each flaw once, whatever versions have it.
fn trouble(told: &Said, found: impl Iterator<Item = u32>) -> Option<Trouble> {
    let mut flaws = HashSet::new();
    let (mut worst, mut is_attacked) = (None, false);
    for it in found.filter_map(|it| told.found(it)) {
        worst = worst.max(Some(it.level));
        if flaws.insert(it.about) {
            let flaw = told.flaw(it.about);
            is_attacked |= flaw.is_some_and(|it| it.exploited || it.malicious);
        }
    }
    Some(Trouble { worst: worst?, is_attacked, flaws: flaws.len() as u64 })
}
