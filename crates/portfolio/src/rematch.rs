//! Another almanac: which packages must be judged again, and what came of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use almanac::{Almanac, touched};
use model::{Finding, Gap, Space, Verdict};
use roaring::RoaringBitmap;

use crate::changes::{Pair, pairs};
use crate::contract::{Change, ChangeKind, Rematch, State, Terms};
use crate::judge::{Cases, Judge, Surrounding};
use crate::portfolio::Portfolio;

/// So many packages are judged together, so that what is known of them is never too much.
const AT_ONCE: usize = 4096;

impl Portfolio {
    /// What another almanac changes, of all organisations. Only what the two do not agree about is
    /// read, only the packages that it is about are judged, and no image is.
    pub fn rematch(&self, old: &Almanac, new: &Almanac, terms: Terms<'_>) -> Rematch {
        let touched = touched(old, new);
        let judge = Judge::new(self, &[old, new], terms);
        let mut whole = Cases::new();
        judge.gather_all(&touched.spaces, &mut whole);

        let mut flaws: HashSet<String> = touched.flaws.iter().cloned().collect();
        let mut names: BTreeSet<(&Space, &str)> = BTreeSet::new();
        for (space, changed) in &touched.names {
            for (name, about) in changed {
                names.insert((space, name));
                flaws.extend(about.iter().cloned());
            }
        }
        for flaw in &touched.flaws {
            // Whoever spoke of it and does not any more is among the names.
            names.extend(new.concerned(flaw).packages);
        }
        let mut some = Cases::new();
        for (space, name) in names.into_iter().filter(|it| !touched.spaces.contains(it.0)) {
            judge.gather(space, name, &mut some);
        }
        for (surrounding, rows) in &whole {
            if let Some(it) = some.get_mut(surrounding) {
                it.retain(|row| !rows.contains(row));
            }
        }

        let mut found = Found::default();
        for (cases, flaws) in [(&whole, None), (&some, Some(&flaws))] {
            for (surrounding, rows) in cases {
                let rows: Vec<u32> = rows.iter().copied().collect();
                for rows in rows.chunks(AT_ONCE) {
                    found.compare(&judge, (old, new), surrounding, rows, flaws);
                }
            }
        }
        found.told(self)
    }
}

/// What images that have the same package have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
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
    fn compare(
        &mut self,
        judge: &Judge<'_>,
        (old, new): (&Almanac, &Almanac),
        surrounding: &Surrounding,
        rows: &[u32],
        flaws: Option<&HashSet<String>>,
    ) {
        let before = judge.judge(old, surrounding, rows, flaws);
        let after = judge.judge(new, surrounding, rows, flaws);
        self.judged += rows.len();
        self.before.extend(before.gaps);
        self.after.extend(after.gaps);
        self.after.extend(judge.unclear_owners(surrounding, rows));
        for (row, (before, after)) in rows.iter().zip(before.findings.iter().zip(&after.findings)) {
            let why_not = |flaws: &HashSet<String>| judge.why_not(new, surrounding, *row, flaws);
            let changes = changes(before, after, why_not);
            if changes.is_empty() {
                continue;
            }
            let images = judge.images(*row, surrounding);
            for (pair, kind) in changes {
                self.add(*row, &pair, kind, &images);
            }
        }
    }

    fn add(&mut self, row: u32, pair: &Pair<'_>, kind: ChangeKind, images: &RoaringBitmap) {
        let Some(told) = pair.told() else { return };
        let states = pair.states();
        let key = Key {
            kind,
            flaw: told.id.clone(),
            space: told.space.clone(),
            name: told.name.clone(),
            version: told.version.clone(),
            states: format!("{states:?}"),
        };
        let same = self.changes.entry(key).or_insert_with(|| Same {
            states,
            aliases: BTreeSet::new(),
            rows: BTreeSet::new(),
            images: RoaringBitmap::new(),
        });
        same.aliases.extend(pair.aliases());
        same.rows.insert(row);
        same.images |= images;
    }

    fn told(self, portfolio: &Portfolio) -> Rematch {
        let mut changes = Vec::new();
        for organisation in &portfolio.organisations {
            for (key, same) in &self.changes {
                let images = &same.images & &organisation.images;
                if images.is_empty() {
                    continue;
                }
                let [before, after] = same.states.clone();
                changes.push(Change {
                    organisation: organisation.id.clone(),
                    kind: key.kind,
                    flaw: key.flaw.clone(),
                    aliases: same.aliases.iter().cloned().collect(),
                    space: key.space.clone(),
                    name: key.name.clone(),
                    version: key.version.clone(),
                    purls: portfolio.purls(&same.rows, &images),
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
    why_not: impl Fn(&HashSet<String>) -> Verdict,
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
