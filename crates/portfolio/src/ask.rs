//! Where something is: a package, or a flaw.

use std::collections::{BTreeMap, BTreeSet};

use almanac::Almanac;
use ecosystem::range;
use model::{Finding, Gap, OrganisationId, Purl, Space, Span};
use roaring::RoaringBitmap;

use crate::changes::state;
use crate::contract::{Affected, Answer, Held, PackageNumber, Sought, State, Terms};
use crate::crowd::Scratch;
use crate::judge::{Cases, Judge, Spoken};
use crate::portfolio::Portfolio;

/// So many packages are judged on several cores.
const MANY: usize = 32;

impl Portfolio {
    /// The packages that are meant, and where they are, by purl.
    pub fn find(&self, organisation: &OrganisationId, sought: &Sought<'_>) -> Answer<Held> {
        let mut answer = Answer { found: Vec::new(), gaps: Vec::new() };
        let Some(organisation) = self.organisation(organisation) else { return answer };
        let Some(organisation) = self.organisations.get(organisation as usize) else {
            return answer;
        };
        let number;
        let (rows, range): (&[u32], Option<&str>) = match sought {
            Sought::Number(PackageNumber(it)) => {
                number = [*it];
                (&number, None)
            }
            Sought::Named { name, range } => (self.rows.called(name), *range),
            Sought::Purl { purl, range } => (self.rows.called(&purl.full_name()), *range),
        };
        let mut ranges = Ranges::new(range);
        let mut scratch = Scratch::default();
        for row in rows {
            let Some(purl) = self.rows.purl(*row) else { continue };
            if let Sought::Purl { purl: wanted, .. } = sought
                && !fits(&purl, wanted)
            {
                continue;
            }
            let images = self.images_of(&[*row], &mut scratch) & &organisation.images;
            if images.is_empty() {
                continue;
            }
            match ranges.holds(&purl) {
                Ok(true) => {
                    let spread = self.spread(organisation, images);
                    answer.found.push(Held { package: PackageNumber(*row), purl, spread });
                }
                Ok(false) => {}
                Err(why) => answer.gaps.push(Gap::new(purl.to_string(), why)),
            }
        }
        let distinction = |it: &Held| self.rows.distinction(it.package.0);
        answer.found.sort_by(|left, right| {
            (&left.purl, distinction(left)).cmp(&(&right.purl, distinction(right)))
        });
        answer.gaps.sort();
        answer.gaps.dedup();
        answer
    }

    /// Where a flaw is, by any of its names or an erratum's, in whatever letters it is typed.
    pub fn find_flaw(
        &self,
        organisation: &OrganisationId,
        flaw: &str,
        almanac: &Almanac,
        terms: Terms<'_>,
    ) -> Answer<Affected> {
        let mut answer = Answer { found: Vec::new(), gaps: Vec::new() };
        let concerned = almanac.concerned_by(flaw);
        for space in &concerned.torn {
            let why = "a sheet of the almanac about this space cannot be read";
            answer.gaps.push(Gap::new(space.as_str(), why));
        }
        if concerned.packages.is_empty() {
            let why = "no advisory in the almanac speaks of packages under that name";
            answer.gaps.push(Gap::new(flaw, why));
        }
        let organisation = self.organisation(organisation);
        let Some(organisation) = organisation.and_then(|it| self.organisations.get(it as usize))
        else {
            return answer;
        };
        let judge = Judge::new(self, &[almanac], terms);
        let mut cases = Cases::new();
        let mut spoken = Spoken::new();
        for (space, name) in &concerned.packages {
            spoken.entry(name).or_default().insert(space);
        }
        for (name, spaces) in &spoken {
            judge.gather(name, spaces, &mut cases);
        }
        let flaws: BTreeSet<String> = concerned.flaws.into_iter().collect();
        let is_asked = |it: &&Finding| {
            let names = std::iter::once(&it.id).chain(&it.aliases).chain(&it.bulletins);
            names.into_iter().any(|it| it.eq_ignore_ascii_case(flaw))
        };
        let cases: Vec<_> = cases.into_iter().collect();
        // A thread takes longer to begin than a few packages to be judged.
        let many = cases.iter().map(|it| it.1.len()).sum::<usize>() >= MANY;
        let few = if many { 1 } else { usize::MAX };
        let parts = crew::each(&cases, few, |(surrounding, rows)| {
            let judge = Judge::new(self, &[almanac], terms);
            let mut found: BTreeMap<Key, Same> = BTreeMap::new();
            // Nobody learns what others have, not even what cannot be told of it.
            let is_own = |it: &u32| judge.is_found(*it, surrounding, &organisation.images);
            let rows = rows.iter().copied().filter(is_own);
            let rows: Vec<u32> = rows.collect();
            if rows.is_empty() {
                return (found, Vec::new());
            }
            let judged = judge.judge(almanac, surrounding, &rows, Some(&flaws));
            let mut here: BTreeMap<Key, Vec<u32>> = BTreeMap::new();
            for (row, findings) in rows.iter().zip(&judged.findings) {
                for finding in findings.iter().filter(is_asked) {
                    let Some(state) = state(&[finding]) else { continue };
                    let key = Key::of(finding, &state);
                    let fresh = || Same { state, ..Same::default() };
                    let same = found.entry(key.clone()).or_insert_with(fresh);
                    same.aliases.extend(finding.aliases.iter().cloned());
                    here.entry(key).or_default().push(*row);
                }
            }
            for (key, rows) in here {
                let Some(same) = found.get_mut(&key) else { continue };
                same.purls.extend(rows.iter().filter_map(|it| self.rows.purl(*it)));
                same.images = judge.images(&rows, surrounding) & &organisation.images;
            }
            let unclear = judge.unclear_owners(surrounding, &rows);
            (found, [judged.gaps, unclear].concat())
        });
        let mut found: BTreeMap<Key, Same> = BTreeMap::new();
        for (part, gaps) in parts {
            answer.gaps.extend(gaps);
            for (key, same) in part {
                let all = found.entry(key).or_default();
                all.state = same.state;
                all.aliases.extend(same.aliases);
                all.purls.extend(same.purls);
                all.images |= same.images;
            }
        }
        found.retain(|_, it| !it.images.is_empty());
        answer.found.extend(found.into_iter().map(|(key, same)| Affected {
            flaw: key.flaw,
            aliases: same.aliases.into_iter().collect(),
            space: key.space,
            name: key.name,
            version: key.version,
            purls: same.purls.into_iter().collect(),
            state: same.state,
            spread: self.spread(organisation, same.images),
        }));
        answer.gaps.sort();
        answer.gaps.dedup();
        answer
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    flaw: String,
    space: Space,
    name: String,
    version: String,
    /// In words.
    state: String,
}

impl Key {
    fn of(finding: &Finding, state: &State) -> Self {
        Self {
            flaw: finding.id.clone(),
            space: finding.space.clone(),
            name: finding.name.clone(),
            version: finding.version.clone(),
            state: format!("{state:?}"),
        }
    }
}

#[derive(Default)]
struct Same {
    state: State,
    aliases: BTreeSet<String>,
    purls: BTreeSet<Purl>,
    images: RoaringBitmap,
}

/// Is `purl` what is sought? What that does not say may be anything.
fn fits(purl: &Purl, sought: &Purl) -> bool {
    purl.kind() == sought.kind()
        && purl.full_name() == sought.full_name()
        && sought.version().is_none_or(|it| purl.version() == Some(it))
        && sought.qualifiers().all(|(key, value)| purl.qualifier(key) == Some(value))
        && sought.subpath().is_none_or(|it| purl.subpath() == Some(it))
}

/// A range, as it is read for each type of packages.
struct Ranges<'a> {
    text: Option<&'a str>,
    read: BTreeMap<String, Result<Vec<Span>, String>>,
}

impl<'a> Ranges<'a> {
    fn new(text: Option<&'a str>) -> Self {
        Self { text, read: BTreeMap::new() }
    }

    fn holds(&mut self, purl: &Purl) -> Result<bool, String> {
        let Some(text) = self.text else { return Ok(true) };
        let kind = purl.kind();
        let spans = self
            .read
            .entry(kind.to_owned())
            .or_insert_with(|| range::parse(kind, text).map_err(|why| why.to_string()));
        let spans = spans.as_ref().map_err(String::clone)?;
        let version = purl.version().ok_or("it has no version to compare")?;
        // Where versions have epochs, those are told apart.
        let version = match purl.qualifier("epoch") {
            Some(epoch) if kind == "rpm" => format!("{epoch}:{version}"),
            _ => version.to_owned(),
        };
        let order = range::order_of(kind)?;
        range::contains(order, spans, &version).map_err(|why| why.to_string())
    }
}
