//! Which rows are about the same flaw, and what it is called.

use std::collections::hash_map::Entry;

use almanac::Row;
use foldhash::{HashMap, HashMapExt as _};

/// Puts rows that share a name into groups: lists of numbers, in the order of their first ones.
pub(crate) fn groups(rows: &[&Row<'_>]) -> Vec<Vec<usize>> {
    if rows.len() == 1 {
        return vec![vec![0]];
    }
    let mut leader: Vec<usize> = (0..rows.len()).collect();
    let mut named: HashMap<&str, usize> = HashMap::with_capacity(rows.len() * 2);
    for (number, row) in rows.iter().enumerate() {
        for name in names(row) {
            match named.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(number);
                }
                Entry::Occupied(entry) => {
                    let (left, right) =
                        (find(&mut leader, *entry.get()), find(&mut leader, number));
                    let (first, second) = (left.min(right), left.max(right));
                    if let Some(it) = leader.get_mut(second) {
                        *it = first;
                    }
                }
            }
        }
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    // For each leader, where its group is.
    let mut places: Vec<Option<usize>> = vec![None; rows.len()];
    for number in 0..rows.len() {
        let leader = find(&mut leader, number);
        let Some(place) = places.get_mut(leader) else { continue };
        let at = *place.get_or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.push(number);
        }
    }
    groups
}

fn find(leader: &mut [usize], number: usize) -> usize {
    let mut at = number;
    while let Some(next) = leader.get(at).copied().filter(|it| *it != at) {
        // Halving the way keeps it short.
        let after = leader.get(next).copied().unwrap_or(next);
        if let Some(it) = leader.get_mut(at) {
            *it = after;
        }
        at = next;
    }
    at
}

fn names<'r>(row: &'r Row<'_>) -> impl Iterator<Item = &'r str> {
    std::iter::once(row.id).chain(row.aliases.iter().copied()).filter(|it| !it.is_empty())
}

/// All names of a group, the one it goes by first: the CVE (of the row that decides, if it has one),
/// then GitHub's, then that row's own; the rest sorted.
pub(crate) fn called<'r>(
    rows: impl Iterator<Item = &'r Row<'r>>,
    deciding: &Row<'_>,
) -> Vec<String> {
    let mut all: Vec<&str> = rows.flat_map(names).collect();
    all.sort_unstable();
    all.dedup();
    let own: Vec<&str> = {
        let mut own: Vec<&str> = names(deciding).collect();
        own.sort_unstable();
        own
    };
    let of_kind = |names: &[&str], kind: &str| -> Option<String> {
        names.iter().find(|it| it.starts_with(kind)).map(|it| (*it).to_owned())
    };
    let first = (deciding.id.starts_with("CVE-").then(|| deciding.id.to_owned()))
        .or_else(|| of_kind(&own, "CVE-"))
        .or_else(|| of_kind(&all, "CVE-"))
        .or_else(|| deciding.id.starts_with("GHSA-").then(|| deciding.id.to_owned()))
        .or_else(|| of_kind(&own, "GHSA-"))
        .or_else(|| of_kind(&all, "GHSA-"))
        .unwrap_or_else(|| deciding.id.to_owned());
    let rest = all.into_iter().filter(|it| *it != first).map(str::to_owned);
    std::iter::once(first.clone()).chain(rest).collect()
}
