//! Another almanac: which packages must be judged again, and what came of it.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use almanac::{Almanac, touched};
use model::{Finding, Gap, Space, Verdict};
use roaring::RoaringBitmap;

use crate::changes::{Pair, pairs};
use crate::contract::{Change, ChangeKind, Rematch, State, Terms};
use crate::judge::{Cases, Judge, Spoken, Surrounding};
use crate::portfolio::Portfolio;

/// So many packages are judged together, so that what is known of them is never too much.
const AT_ONCE: usize = 1024;

impl Portfolio {
    /// What another almanac changes, of all organisations. Only what the two do not agree about is
    /// read, only the packages that it is about are judged, and no image is.
    pub fn rematch(&self, old: &Almanac, new: &Almanac, terms: Terms<'_>) -> Rematch {
        let touched = touched(old, new);
        let judge = Judge::new(self, &[old, new], terms);
        let mut whole = Cases::new();
        judge.gather_all(&touched.spaces, &mut whole);

        let mut flaws: BTreeSet<String> = touched.flaws.iter().cloned().collect();
        let mut spoken = Spoken::new();
        for (space, changed) in &touched.names {
            for (name, about) in changed {
                spoken.entry(name).or_default().insert(space);
                flaws.extend(about.iter().cloned());
            }
        }
        for flaw in &touched.flaws {
            // Whoever spoke of it and does not any more is among the names.
            for (space, name) in new.concerned(flaw).packages {
                spoken.entry(name).or_default().insert(space);
            }
        }
        let mut some = Cases::new();
        for (name, spaces) in &mut spoken {
            spaces.retain(|it| !touched.spaces.contains(*it));
            if !spaces.is_empty() {
                judge.gather(name, spaces, &mut some);
            }
        }
        for (surrounding, rows) in &whole {
            if let Some(it) = some.get_mut(surrounding) {
                it.retain(|row| !rows.contains(row));
            }
        }

        let mut tasks: Vec<Task<'_>> = Vec::new();
        for (cases, flaws) in [(&whole, None), (&some, Some(&flaws))] {
            for (surrounding, rows) in cases {
                let rows: Vec<u32> = rows.iter().copied().collect();
                let parts = rows.chunks(AT_ONCE).map(<[u32]>::to_vec);
                tasks.extend(parts.map(|rows| Task { surrounding, rows, flaws }));
            }
        }
        let parts = crew::each(&tasks, 1, |task| {
            let mut found = Found::default();
            found.compare(&Judge::new(self, &[old, new], terms), (old, new), task);
            found
        });
        let found = parts.into_iter().fold(Found::default(), Found::and);
        found.told(self)
    }
}

/// Packages to be judged, before and after.
struct Task<'a> {
    surrounding: &'a Surrounding,
    rows: Vec<u32>,
    flaws: Option<&'a BTreeSet<String>>,
}

/// What images that have the same package have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    kind: ChangeKind,
    flaw: String,
    space: Space,
    name: String,
    version: String,
    /// Before and after, in words.
    states: String,
}

/// The same change, wherever it is.
struct Same {
    states: [Option<State>; 2],
    aliases: BTreeSet<String>,
    rows: BTreeSet<u32>,
    images: RoaringBitmap,
}

#[derive(Default)]
struct Found {
    changes: BTreeMap<Key, Same>,
    before: BTreeSet<Gap>,
    after: BTreeSet<Gap>,
    judged: usize,
}

impl Found {
    fn compare(&mut self, judge: &Judge<'_>, (old, new): (&Almanac, &Almanac), task: &Task<'_>) {
        let Task { surrounding, rows, flaws } = task;
        let before = judge.judge(old, surrounding, rows, *flaws);
        let after = judge.judge(new, surrounding, rows, *flaws);
        self.judged += rows.len();
        self.before.extend(before.gaps);
        self.after.extend(after.gaps);
        self.after.extend(judge.unclear_owners(surrounding, rows));
        let mut here: BTreeMap<Key, Vec<u32>> = BTreeMap::new();
        for (row, (before, after)) in rows.iter().zip(before.findings.iter().zip(&after.findings)) {
            let why_not = |flaws: &BTreeSet<String>| judge.why_not(new, surrounding, *row, flaws);
            for (pair, kind) in changes(before, after, why_not) {
                let Some(key) = self.know(&pair, kind) else { continue };
                here.entry(key).or_default().push(*row);
            }
        }
        // A flaw of a popular package is in so many images that they are gathered once for all.
        let mut known: BTreeMap<&[u32], RoaringBitmap> = BTreeMap::new();
        for (key, rows) in &here {
            let images = known.entry(rows).or_insert_with(|| judge.images(rows, surrounding));
            let Some(same) = self.changes.get_mut(key) else { continue };
            same.rows.extend(rows);
            same.images |= &*images;
        }
    }

    fn know(&mut self, pair: &Pair<'_>, kind: ChangeKind) -> Option<Key> {
        let told = pair.told()?;
        let states = pair.states();
        let key = Key {
            kind,
            flaw: told.id.clone(),
            space: told.space.clone(),
            name: told.name.clone(),
            version: told.version.clone(),
            states: format!("{states:?}"),
        };
        let same = self.changes.entry(key.clone()).or_insert_with(|| Same {
            states,
            aliases: BTreeSet::new(),
            rows: BTreeSet::new(),
            images: RoaringBitmap::new(),
        });
        same.aliases.extend(pair.aliases());
        Some(key)
    }

    fn and(mut self, other: Self) -> Self {
        self.before.extend(other.before);
        self.after.extend(other.after);
        self.judged += other.judged;
        for (key, same) in other.changes {
            match self.changes.entry(key) {
                Entry::Vacant(it) => {
                    it.insert(same);
                }
                Entry::Occupied(mut it) => {
                    let own = it.get_mut();
                    own.aliases.extend(same.aliases);
                    own.rows.extend(same.rows);
                    own.images |= same.images;
                }
            }
        }
        self
    }

    fn told(self, portfolio: &Portfolio) -> Rematch {
        let mut changes = Vec::new();
        for organisation in &portfolio.organisations {
            for (key, same) in &self.changes {
                let images = &same.images & &organisation.images;
                if images.is_empty() {
                    continue;
                }
                let rows =
                    same.rows.iter().filter(|it| portfolio.is_in(**it, |it| images.contains(it)));
                let mut purls: Vec<_> = rows.filter_map(|it| portfolio.rows.purl(*it)).collect();
                purls.sort_unstable();
                purls.dedup();
                let [before, after] = same.states.clone();
                changes.push(Change {
                    organisation: organisation.id.clone(),
                    kind: key.kind,
                    flaw: key.flaw.clone(),
                    aliases: same.aliases.iter().cloned().collect(),
                    space: key.space.clone(),
                    name: key.name.clone(),
                    version: key.version.clone(),
                    purls,
                    before,
                    after,
                    spread: portfolio.spread(organisation, images),
                });
            }
        }
        changes.sort_by(|left, right| {
            let level = |it: &Change| it.after.as_ref().or(it.before.as_ref()).map(|it| it.level);
            (&left.organisation, left.kind, level(right), &left.flaw, &left.space)
                .cmp(&(&right.organisation, right.kind, level(left), &right.flaw, &right.space))
                .then_with(|| {
                    (&left.name, &left.version, &left.purls).cmp(&(
                        &right.name,
                        &right.version,
                        &right.purls,
                    ))
                })
        });
        let gaps = self.after.difference(&self.before).cloned().collect();
        Rematch { changes, gaps, judged: self.judged }
    }
}

/// What happened to the flaws of one package; `why_not` tells why it has none of some any more.
pub(crate) fn changes<'f>(
    before: &'f [Finding],
    after: &'f [Finding],
    why_not: impl Fn(&BTreeSet<String>) -> Verdict,
) -> Vec<(Pair<'f>, ChangeKind)> {
    let mut changes = Vec::new();
    for pair in pairs(before, after) {
        let kinds = if pair.is_gone() {
            vec![ChangeKind::Gone(why_not(&pair.names()))]
        } else {
            pair.kinds()
        };
        for kind in kinds {
            let Pair { before, after } = &pair;
            changes.push((Pair { before: before.clone(), after: after.clone() }, kind));
        }
    }
    changes
}
