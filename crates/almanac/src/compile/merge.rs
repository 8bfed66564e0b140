//! Several records about the same flaw become one.

use std::collections::HashMap;

use model::{Advisory, Affected};

/// Sorted by id, each id once.
pub(super) fn merge(mut advisories: Vec<Advisory>) -> Vec<Advisory> {
    advisories.sort_by(|left, right| left.id.cmp(&right.id));
    let mut merged: Vec<Advisory> = Vec::with_capacity(advisories.len());
    let mut same: Vec<Advisory> = Vec::new();
    for advisory in advisories {
        if same.first().is_some_and(|it| it.id != advisory.id) {
            merged.extend(unite(std::mem::take(&mut same)));
        }
        same.push(advisory);
    }
    merged.extend(unite(same));
    merged
}

/// One of all: the youngest speaks first, and what it says about a package replaces what older ones
/// said about it. Of the same age, they all count.
fn unite(mut same: Vec<Advisory>) -> Option<Advisory> {
    if same.len() < 2 {
        return same.pop();
    }
    // The text of the whole settles who is first among equals, whatever order they came in.
    same.sort_by_cached_key(|it| {
        let rest = serde_json::to_string(it).unwrap_or_default();
        (std::cmp::Reverse(moment(it)), rest)
    });
    same.dedup();
    let mut rows: Vec<(Option<jiff::Timestamp>, Affected)> = Vec::new();
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    let mut records = same.into_iter();
    let mut whole = records.next()?;
    let youngest = moment(&whole);
    let mut add = |when: Option<jiff::Timestamp>, affected: Vec<Affected>| {
        for row in affected {
            let here = places.entry(place(&row)).or_default();
            let former = here.iter().filter_map(|at| rows.get(*at));
            let said = former.clone().any(|(_, it)| *it == row);
            let replaced = former.clone().any(|(then, it)| *then > when && replaces(it, &row));
            if !said && !replaced {
                here.push(rows.len());
                rows.push((when, row));
            }
        }
    };
    add(youngest, std::mem::take(&mut whole.affected));
    for record in records {
        let when = moment(&record);
        add(when, record.affected);
        union(&mut whole.aliases, record.aliases);
        union(&mut whole.related, record.related);
        union(&mut whole.references, record.references);
        union(&mut whole.weaknesses, record.weaknesses);
        union(&mut whole.ratings, record.ratings);
        if whole.published.is_none() {
            whole.published = record.published;
        }
        if when == youngest && record.withdrawn.is_none() {
            // As long as one of them stands, the flaw does.
            whole.withdrawn = None;
        }
        whole.malicious |= record.malicious;
        if whole.title.is_empty() {
            whole.title = record.title;
        }
        if whole.details.is_empty() {
            whole.details = record.details;
        }
    }
    whole.affected = rows.into_iter().map(|(_, row)| row).collect();
    Some(whole)
}

fn moment(advisory: &Advisory) -> Option<jiff::Timestamp> {
    advisory.modified.as_deref()?.parse().ok()
}

/// What a row is about, the versions aside.
fn place(row: &Affected) -> String {
    let Affected { space, package, names, module, channel, arch, products, .. } = row;
    format!("{space}\n{package}\n{names:?}{module:?}{channel:?}{arch:?}{products:?}")
}

/// Does the younger row stand in for the older one? Two errata about the same package are not two
/// editions of one: both count.
fn replaces(younger: &Affected, older: &Affected) -> bool {
    let other = |it: &String| !older.bulletins.contains(it);
    younger.bulletins.is_empty()
        || older.bulletins.is_empty()
        || !younger.bulletins.iter().all(other)
}

fn union<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for it in more {
        if !all.contains(&it) {
            all.push(it);
        }
    }
}
