//! What is different between two almanacs: equal sheets are not even opened.

use std::collections::{BTreeMap, BTreeSet};

use model::Space;

use crate::almanac::Almanac;
use crate::compile::TEXTS;
use crate::contract::{Book as _, End, Handle, Row};
use crate::manifest::Entry;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Whose word changed.
    pub feed: String,
    /// Which part of that feed.
    pub part: String,
    /// About which space.
    pub space: Space,
    /// What it is about.
    pub about: ChangedThing,
    /// What happened.
    pub kind: ChangeKind,
}

/// What a difference is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangedThing {
    /// A package's name: look it up again.
    Name(String),
    /// An advisory, by its id.
    Advisory(String),
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It says something else.
    Changed,
}

/// Every difference, sorted. A sheet that cannot be read is as if it were not there.
pub fn diff(old: &Almanac, new: &Almanac) -> Vec<Change> {
    let (old_sheets, new_sheets) = (places_of(old), places_of(new));
    let places: BTreeSet<_> = old_sheets.keys().chain(new_sheets.keys()).collect();
    let mut changes = Vec::new();
    for place in places {
        let (former, latter) = (old_sheets.get(place), new_sheets.get(place));
        if former.map(|it| &it.1.digest) == latter.map(|it| &it.1.digest) {
            continue;
        }
        let former = former.map_or_else(Told::default, |it| Told::of(old, it.0));
        let latter = latter.map_or_else(Told::default, |it| Told::of(new, it.0));
        let (feed, part, space) = *place;
        let mut tell = |about, kind| {
            let (feed, part) = (feed.to_owned(), part.to_owned());
            changes.push(Change { feed, part, space: space.clone(), about, kind });
        };
        compare(&former.names, &latter.names, |it, kind| tell(ChangedThing::Name(it), kind));
        compare(&former.advisories, &latter.advisories, |it, kind| {
            tell(ChangedThing::Advisory(it), kind);
        });
    }
    changes.sort();
    changes
}

type Place<'a> = (&'a str, &'a str, &'a Space);

fn places_of(almanac: &Almanac) -> BTreeMap<Place<'_>, (u32, &Entry)> {
    // Texts are compared as those of the advisories they belong to.
    let sheets = (0..).zip(&almanac.manifest().sheets);
    let sheets = sheets.filter(|(_, it)| it.space.as_str() != TEXTS);
    sheets.map(|(number, it)| (it.place(), (number, it))).collect()
}

fn compare(
    former: &BTreeMap<String, u128>,
    latter: &BTreeMap<String, u128>,
    mut tell: impl FnMut(String, ChangeKind),
) {
    for (name, hash) in latter {
        match former.get(name) {
            None => tell(name.clone(), ChangeKind::Added),
            Some(before) if before != hash => tell(name.clone(), ChangeKind::Changed),
            Some(_) => {}
        }
    }
    for name in former.keys().filter(|it| !latter.contains_key(*it)) {
        tell(name.clone(), ChangeKind::Removed);
    }
}

/// The words of so many advisories are held at once.
const AT_ONCE: usize = 4096;

/// Everything that a sheet says, as hashes.
#[derive(Default)]
struct Told {
    names: BTreeMap<String, u128>,
    advisories: BTreeMap<String, u128>,
}

impl Told {
    fn of(almanac: &Almanac, number: u32) -> Self {
        let mut told = Self::default();
        let Ok(sheet) = almanac.sheet(number) else { return told };
        let mut rows = Vec::new();
        for name in sheet.names("") {
            rows.clear();
            sheet.look_up(number, name, &mut rows);
            let mut lines: Vec<String> = rows.iter().map(line).collect();
            lines.sort();
            told.names.insert(name.to_owned(), hash(&lines));
        }
        let handles: Vec<Handle> =
            (0..sheet.advisories()).map(|advisory| Handle { sheet: number, advisory }).collect();
        for handles in handles.chunks(AT_ONCE) {
            for (handle, text) in handles.iter().zip(almanac.texts(handles)) {
                let Some(known) = sheet.known(handle.advisory) else { continue };
                let packages = sheet.packages(handle.advisory);
                let lines = [format!("{known:?}{text:?}{packages:?}")];
                told.advisories.insert(known.id, hash(&lines));
            }
        }
        told
    }
}

/// What a row says; its keys and its place in the sheet say nothing.
fn line(row: &Row<'_>) -> String {
    let end = |it: &Option<End<'_>>| it.as_ref().map(|it| (it.version.to_owned(), it.included));
    let stretches: Vec<_> = row.stretches.iter().map(|it| (end(&it.from), end(&it.to))).collect();
    let versions: Vec<&str> = row.versions.iter().map(|it| it.version).collect();
    let Row { id, aliases, withdrawn, malicious, names, status, outlook, reason, .. } = row;
    let Row { rating, bulletins, arch, module, channel, products, torn, .. } = row;
    format!(
        "{id}{aliases:?}{withdrawn}{malicious}{names:?}{status:?}{stretches:?}{versions:?}{outlook:?}\
         {reason:?}{rating:?}{bulletins:?}{arch:?}{module:?}{channel:?}{products:?}{torn:?}"
    )
}

fn hash(lines: &[String]) -> u128 {
    xxhash_rust::xxh3::xxh3_128(lines.join("\n").as_bytes())
}
