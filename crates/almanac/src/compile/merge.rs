//! Several records about the same flaw become one.

use std::collections::{HashMap, HashSet};

use model::{Advisory, Affected};
use serde::Serialize;

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
    same.sort_by_cached_key(|it| (std::cmp::Reverse(moment(it)), text_of(it)));
    same.dedup();
    let mut rows: Vec<Affected> = Vec::new();
    let mut places: HashMap<String, Place> = HashMap::new();
    let mut records = same.into_iter();
    let mut whole = records.next()?;
    let youngest = moment(&whole);
    let mut add = |when: Moment, affected: Vec<Affected>| {
        for row in affected {
            if places.entry(place(&row)).or_default().takes(when, &row) {
                rows.push(row);
            }
        }
    };
    add(youngest, std::mem::take(&mut whole.affected));
    for record in records {
        let when = moment(&record);
        add(when, record.affected);
        whole.aliases.extend(record.aliases);
        whole.related.extend(record.related);
        whole.references.extend(record.references);
        whole.weaknesses.extend(record.weaknesses);
        whole.ratings.extend(record.ratings);
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
    each_once(&mut whole.aliases);
    each_once(&mut whole.related);
    each_once(&mut whole.references);
    each_once(&mut whole.weaknesses);
    each_once(&mut whole.ratings);
    whole.affected = rows;
    Some(whole)
}

fn moment(advisory: &Advisory) -> Moment {
    advisory.modified.as_deref()?.parse().ok()
}

/// What a row is about, the versions aside.
fn place(row: &Affected) -> String {
    let Affected { space, package, names, module, channel, arch, products, .. } = row;
    format!("{space}\n{package}\n{names:?}{module:?}{channel:?}{arch:?}{products:?}")
}

type Moment = Option<jiff::Timestamp>;

/// What was said so far about one place.
#[derive(Default)]
struct Place {
    said: HashSet<String>,
    /// The youngest row; the youngest of no bulletin; the youngest of each bulletin.
    youngest: Option<Moment>,
    plain: Option<Moment>,
    bulletins: HashMap<String, Moment>,
}

impl Place {
    /// Does the row say something new? It does not where a younger one stands in for it. Two errata
    /// about the same package are not two editions of one: both count.
    fn takes(&mut self, when: Moment, row: &Affected) -> bool {
        let replaced = self.plain > Some(when)
            || (row.bulletins.is_empty() && self.youngest > Some(when))
            || row.bulletins.iter().any(|it| self.bulletins.get(it).is_some_and(|it| *it > when));
        if replaced || !self.said.insert(text_of(row)) {
            return false;
        }
        self.youngest = self.youngest.max(Some(when));
        if row.bulletins.is_empty() {
            self.plain = self.plain.max(Some(when));
        }
        for it in &row.bulletins {
            let then = self.bulletins.entry(it.clone()).or_insert(when);
            *then = when.max(*then);
        }
        true
    }
}

fn each_once<T: Serialize>(all: &mut Vec<T>) {
    let mut seen = HashSet::new();
    all.retain(|it| seen.insert(text_of(it)));
}

fn text_of(it: &impl Serialize) -> String {
    serde_json::to_string(it).unwrap_or_default()
}
