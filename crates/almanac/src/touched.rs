//! What has to be looked at again where one almanac takes the place of another: equal sheets are not
//! even opened, and of the others only that counts which findings rest on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use model::Space;
use xxhash_rust::xxh3::xxh3_128;

use crate::almanac::Almanac;
use crate::bytes::{Bytes, put_blob};
use crate::compile::{FLAWS, TEXTS};
use crate::contract::{End, Row};
use crate::filter;
use crate::layout::Section;
use crate::manifest::Entry;
use crate::moment::Moment;
use crate::record::told;
use crate::sheet::about::begin;
use crate::sheet::{Sheet, list};
use crate::table::Torn;

/// What has to be looked at again. Words, dates and forecasts are not among what counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Spaces where all has to be looked at: somebody speaks of them where nobody did, or the other
    /// way round, or a sheet about them cannot be read.
    pub spaces: BTreeSet<Space>,
    /// For each space and name of a package there, the flaws about which something else is said.
    pub names: BTreeMap<Space, BTreeMap<String, BTreeSet<String>>>,
    /// Flaws, by any of their names, that are rated otherwise, or known to be used in attacks where
    /// they were not: whatever packages have them.
    pub flaws: BTreeSet<String>,
}

impl Touched {
    /// Nothing has to be.
    pub fn is_empty(&self) -> bool {
        self.spaces.is_empty() && self.names.is_empty() && self.flaws.is_empty()
    }
}

/// What has to be looked at again.
pub fn touched(old: &Almanac, new: &Almanac) -> Touched {
    let (former, latter) = (spaces_of(old), spaces_of(new));
    let moved = former.symmetric_difference(&latter).copied().cloned().collect();
    let touched = Touched { spaces: moved, ..Touched::default() };
    let (former, latter) = (places_of(old), places_of(new));
    let places: BTreeSet<_> = former.keys().chain(latter.keys()).collect();
    let digest = |it: Option<&(u32, &Entry)>| it.map(|it| it.1.digest.clone());
    let places = places.into_iter().filter(|it| digest(former.get(it)) != digest(latter.get(it)));
    let places: Vec<&Place<'_>> = places.collect();
    let compare = |place: &Place<'_>| {
        let mut touched = Touched::default();
        let open = |almanac, it: Option<&(u32, &Entry)>| Side::open(almanac, it.map(|it| it.0));
        let space = place.2;
        let sides =
            open(old, former.get(place)).and_then(|it| Ok((it, open(new, latter.get(place))?)));
        let compared = sides.and_then(|(left, right)| touched.compare(space, left, right));
        if compared == Err(Torn) && space.release_name().is_some() {
            touched.spaces.insert(space.clone());
        } else if compared == Err(Torn) {
            // Whose flaws it rated, nobody knows.
            let all = spaces_of(old).into_iter().chain(spaces_of(new));
            touched.spaces.extend(all.cloned());
        }
        touched
    };
    let next = AtomicUsize::new(0);
    let work = || {
        let places = std::iter::from_fn(|| places.get(next.fetch_add(1, Ordering::Relaxed)));
        places.map(|it| compare(it)).fold(Touched::default(), Touched::and)
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..cores.min(places.len())).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others = threads.into_iter().map(|it| it.join().expect("it does not panic"));
        others.fold(touched.and(own), Touched::and)
    })
}

type Place<'a> = (&'a str, &'a str, &'a Space);

fn places_of(almanac: &Almanac) -> BTreeMap<Place<'_>, (u32, &Entry)> {
    let sheets = (0..).zip(&almanac.manifest().sheets);
    let sheets = sheets.filter(|(_, it)| it.space.as_str() != TEXTS);
    sheets.map(|(number, it)| (it.place(), (number, it))).collect()
}

/// Where somebody speaks about packages.
fn spaces_of(almanac: &Almanac) -> BTreeSet<&Space> {
    let spaces = almanac.manifest().sheets.iter().map(|it| &it.space);
    spaces.filter(|it| ![TEXTS, FLAWS].contains(&it.as_str())).collect()
}

/// A sheet of one of the two, if there is one.
#[derive(Clone, Copy)]
struct Side<'a>(Option<&'a Sheet>);

impl<'a> Side<'a> {
    fn open(almanac: &'a Almanac, number: Option<u32>) -> Result<Self, Torn> {
        let Some(number) = number else { return Ok(Self(None)) };
        almanac.sheet(number).map(|it| Self(Some(it))).map_err(|_| Torn)
    }
}

/// What a row says, as a hash, and by which names the flaw goes.
type Said<'a> = (u128, &'a str, Vec<&'a str>);

impl Touched {
    /// Both.
    fn and(mut self, other: Self) -> Self {
        self.spaces.extend(other.spaces);
        self.flaws.extend(other.flaws);
        for (space, names) in other.names {
            let own = self.names.entry(space).or_default();
            for (name, flaws) in names {
                own.entry(name).or_default().extend(flaws);
            }
        }
        self
    }

    fn compare(&mut self, space: &Space, old: Side<'_>, new: Side<'_>) -> Result<(), Torn> {
        let (mut former, mut latter) = (Names::of(old)?, Names::of(new)?);
        let (mut left, mut right) = (former.next()?, latter.next()?);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        loop {
            let name = match (left, right) {
                (None, None) => break,
                (Some((_, it)), None) | (None, Some((_, it))) => it,
                (Some((_, left)), Some((_, right))) => left.min(right),
            };
            before.clear();
            after.clear();
            if let Some((number, _)) = left.filter(|it| it.1 == name) {
                former.said(number, &mut before);
                left = former.next()?;
            }
            if let Some((number, _)) = right.filter(|it| it.1 == name) {
                latter.said(number, &mut after);
                right = latter.next()?;
            }
            self.compare_rows(space, name, &before, &after);
        }
        if space.release_name().is_none() {
            self.compare_flaws(old, new)?;
        }
        Ok(())
    }

    fn compare_rows(&mut self, space: &Space, name: &str, old: &[Said<'_>], new: &[Said<'_>]) {
        if old.iter().map(|it| it.0).eq(new.iter().map(|it| it.0)) {
            return;
        }
        let mut counts: BTreeMap<u128, i64> = BTreeMap::new();
        for (side, count) in [(old, -1), (new, 1)] {
            for said in side {
                *counts.entry(said.0).or_default() += count;
            }
        }
        let changed = |it: &&Said<'_>| counts.get(&it.0).is_some_and(|it| *it != 0);
        let mut flaws: BTreeSet<String> = BTreeSet::new();
        for (_, id, aliases) in old.iter().chain(new).filter(changed) {
            flaws.extend(std::iter::once(id).chain(aliases).map(|it| (*it).to_owned()));
        }
        if !flaws.is_empty() {
            let names = self.names.entry(space.clone()).or_default();
            names.entry(name.to_owned()).or_default().extend(flaws);
        }
    }

    /// Ratings of advisories count for everybody's packages, by any name of the flaw, and so does
    /// what is known of attacks.
    fn compare_flaws(&mut self, old: Side<'_>, new: Side<'_>) -> Result<(), Torn> {
        let attacked = |side: Side<'_>| side.0.map_or(Ok(BTreeSet::new()), Sheet::attacked);
        let (before, after) = (attacked(old)?, attacked(new)?);
        self.flaws.extend(before.symmetric_difference(&after).cloned());
        let (mut former, mut latter) = (Heads::of(old)?, Heads::of(new)?);
        let (mut left, mut right) = (former.next()?, latter.next()?);
        loop {
            let id = match (left, right) {
                (None, None) => break,
                (Some((_, it)), None) | (None, Some((_, it))) => it,
                (Some((_, left)), Some((_, right))) => left.min(right),
            };
            let (mut before, mut after) = (Head::default(), Head::default());
            if let Some((number, _)) = left.filter(|it| it.1 == id) {
                before = former.rated(number)?;
                left = former.next()?;
            }
            if let Some((number, _)) = right.filter(|it| it.1 == id) {
                after = latter.rated(number)?;
                right = latter.next()?;
            }
            if before != after {
                let names = before.aliases.into_iter().chain(after.aliases).chain([id]);
                self.flaws.extend(names.map(str::to_owned));
            }
        }
        Ok(())
    }
}

/// The advisories of a sheet, one after the other.
struct Heads<'a> {
    sheet: Option<&'a Sheet>,
    ids: Box<dyn Iterator<Item = &'a str> + 'a>,
    number: u32,
}

impl<'a> Heads<'a> {
    fn of(side: Side<'a>) -> Result<Self, Torn> {
        let ids: Box<dyn Iterator<Item = &'a str>> = match side.0 {
            Some(sheet) => {
                let ids = sheet.named()?.ids;
                if ids.len() != sheet.advisories() {
                    return Err(Torn);
                }
                Box::new((0..ids.len()).map_while(move |it| ids.get(it)))
            }
            None => Box::new(std::iter::empty()),
        };
        Ok(Self { sheet: side.0, ids, number: 0 })
    }

    fn next(&mut self) -> Result<Option<(u32, &'a str)>, Torn> {
        let Some(id) = self.ids.next() else {
            let is_whole = self.sheet.is_none_or(|it| it.advisories() == self.number);
            return if is_whole { Ok(None) } else { Err(Torn) };
        };
        self.number += 1;
        Ok(Some((self.number - 1, id)))
    }

    fn rated(&self, number: u32) -> Result<Head<'a>, Torn> {
        self.sheet.and_then(|it| it.rated(number)).ok_or(Torn)
    }
}

/// What an advisory says of its flaw, whatever package has it: the hash of its ratings, and the
/// flaw's other names. One that rates nothing says nothing.
#[derive(Default, PartialEq, Eq)]
struct Head<'a> {
    ratings: u128,
    aliases: Vec<&'a str>,
}

/// The names of a sheet, one after the other.
struct Names<'a> {
    sheet: Option<&'a Sheet>,
    texts: Box<dyn Iterator<Item = Option<&'a str>> + 'a>,
    number: u32,
    rows: Vec<Row<'a>>,
    bytes: Vec<u8>,
    /// Of each advisory, how it is rated.
    rated: Vec<Option<u128>>,
}

impl<'a> Names<'a> {
    fn of(side: Side<'a>) -> Result<Self, Torn> {
        let texts: Box<dyn Iterator<Item = Option<&'a str>>> = match side.0 {
            Some(sheet) => Box::new(sheet.every_name()?),
            None => Box::new(std::iter::empty()),
        };
        let rated = vec![None; side.0.map_or(0, |it| it.advisories() as usize)];
        Ok(Self { sheet: side.0, texts, number: 0, rows: Vec::new(), bytes: Vec::new(), rated })
    }

    fn next(&mut self) -> Result<Option<(u32, &'a str)>, Torn> {
        let Some(name) = self.texts.next() else { return Ok(None) };
        self.number += 1;
        Ok(Some((self.number - 1, name.ok_or(Torn)?)))
    }

    /// What the rows about the name with that number say.
    fn said(&mut self, number: u32, said: &mut Vec<Said<'a>>) {
        let Some(sheet) = self.sheet else { return };
        self.rows.clear();
        sheet.rows_of(0, number, &mut self.rows);
        for row in self.rows.drain(..) {
            self.bytes.clear();
            put_row(&mut self.bytes, &row);
            if let Some(rated) = self.rated.get_mut(row.advisory.advisory as usize) {
                let rated = rated.get_or_insert_with(|| {
                    sheet.rated(row.advisory.advisory).map_or(u128::MAX, |it| it.ratings)
                });
                self.bytes.extend_from_slice(&rated.to_le_bytes());
            }
            said.push((xxh3_128(&self.bytes), row.id, row.aliases));
        }
        said.sort_unstable();
    }
}

/// What a row says, as far as a judgement rests on it.
fn put_row(out: &mut Vec<u8>, row: &Row<'_>) {
    let Row { id, aliases, withdrawn, malicious, names, status, stretches, versions, .. } = row;
    let Row { outlook, rating, arch, module, channel, products, torn, .. } = row;
    let put = |out: &mut Vec<u8>, text: Option<&str>| {
        out.push(u8::from(text.is_some()));
        put_blob(out, text.unwrap_or_default().as_bytes());
    };
    let put_end = |out: &mut Vec<u8>, end: Option<&End<'_>>| {
        out.push(end.map_or(2, |it| u8::from(it.included)));
        put_blob(out, end.map_or("", |it| it.version).as_bytes());
        // Where the order has changed since, what it says may have.
        out.push(u8::from(end.is_some_and(|it| it.key.is_some())));
    };
    put(out, Some(id));
    for texts in [aliases, arch, products] {
        out.extend_from_slice(&(texts.len() as u64).to_le_bytes());
        for text in texts {
            put(out, Some(text));
        }
    }
    out.extend([u8::from(*withdrawn), u8::from(*malicious), *names as u8, *status as u8]);
    out.push(outlook.map_or(u8::MAX, |it| it as u8));
    out.extend_from_slice(&(stretches.len() as u64).to_le_bytes());
    for stretch in stretches {
        put_end(out, stretch.from.as_ref());
        put_end(out, stretch.to.as_ref());
    }
    out.extend_from_slice(&(versions.len() as u64).to_le_bytes());
    for version in versions {
        put_end(out, Some(version));
    }
    for text in [*module, *channel, *torn] {
        put(out, text);
    }
    if let Some(rating) = rating {
        out.extend_from_slice(&crate::record::rating_bytes(rating));
    }
}

impl Sheet {
    /// All names of packages, by number; one that cannot be read is the last.
    fn every_name(&self) -> Result<impl Iterator<Item = Option<&str>>, Torn> {
        let names = self.table(Section::Names)?;
        let texts = names.range(0, names.len());
        Ok(texts.map(|it| it.and_then(|it| std::str::from_utf8(it).ok())))
    }

    /// The flaws that are known to be used in attacks.
    fn attacked(&self) -> Result<BTreeSet<String>, Torn> {
        let named = self.named()?;
        let mut attacked = BTreeSet::new();
        let about = self.table(Section::About)?;
        for (number, entry) in (0..).zip(about.range(0, about.len())) {
            if is_attacked(entry.ok_or(Torn)?) {
                attacked.insert(named.others.get(number).ok_or(Torn)?.to_owned());
            }
        }
        let heads = self.table(Section::Heads)?;
        for (number, head) in (0..).zip(heads.range(0, heads.len())) {
            // Most have nothing of the kind, and say so at once.
            let flags = Bytes::new(head.ok_or(Torn)?).small().ok_or(Torn)?;
            if flags & told::ABOUT != 0 {
                let (_, _, mut head) = begin(heads, number).ok_or(Torn)?;
                if is_attacked(head.blob().ok_or(Torn)?) {
                    attacked.insert(named.ids.get(number).ok_or(Torn)?.to_owned());
                }
            }
        }
        Ok(attacked)
    }

    /// How an advisory rates its flaw. There are very many: nothing is made of what does not count.
    fn rated(&self, advisory: u32) -> Option<Head<'_>> {
        let (flags, _, mut head) = begin(self.table(Section::Heads).ok()?, advisory)?;
        let has = |flag: u32| flags & flag != 0;
        if !has(told::RATINGS) {
            return Some(Head::default());
        }
        let (named, lists) = (self.named().ok()?, self.table(Section::Lists).ok()?);
        let mut aliases = Vec::new();
        if has(told::ABOUT) {
            head.blob()?;
        }
        if has(told::ALIASES) {
            for _ in 0..head.count()? {
                aliases.push(named.get(head.small()?)?);
            }
            aliases.sort_unstable();
        }
        for flag in [told::BULLETINS, told::RELATED] {
            if has(flag) {
                for _ in 0..head.count()? {
                    head.small()?;
                }
            }
        }
        let published = if has(told::PUBLISHED) { Some(Moment::read(&mut head)?) } else { None };
        for flag in [told::MODIFIED, told::WITHDRAWN] {
            if has(flag) {
                Moment::read_after(&mut head, published.as_ref())?;
            }
        }
        let mut ratings = list(lists, &mut head)?;
        let mut bytes = Vec::new();
        while !ratings.is_empty() {
            put_blob(&mut bytes, self.pooled(ratings.small()?)?);
        }
        Some(Head { ratings: xxh3_128(&bytes), aliases })
    }

    /// The names of the packages that advisories of that name speak of, and those advisories' own.
    fn concerns(&self, flaw: &str, hash: u64) -> Result<Vec<(&str, Vec<&str>)>, Torn> {
        if !filter::passes(self.section(Section::Filter), hash) {
            return Ok(Vec::new());
        }
        let named = self.named()?;
        let Some(number) = named.find(flaw)? else { return Ok(Vec::new()) };
        let names = self.table(Section::Names)?;
        let mut found = Vec::new();
        for advisory in self.flaw_of(number, flaw)?.advisories {
            let packages = self.packages_of(advisory).ok_or(Torn)?;
            let packages = packages.into_iter().map(|it| names.text(it).ok_or(Torn));
            let id = named.ids.get(advisory).ok_or(Torn)?;
            found.push((id, packages.collect::<Result<_, _>>()?));
        }
        Ok(found)
    }
}

/// What is known of a flaw, less what is known of attacks, begins with what there is.
fn is_attacked(entry: &[u8]) -> bool {
    entry.first().is_some_and(|it| it & 1 != 0)
}

/// Who may have a flaw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concerned<'a> {
    /// The flaw as it was found, and the own names of the advisories that go by it.
    pub flaws: BTreeSet<String>,
    /// Spaces and names of packages there.
    pub packages: BTreeSet<(&'a Space, &'a str)>,
    /// Spaces of sheets that cannot be read, and may speak of it too.
    pub torn: BTreeSet<&'a Space>,
}

impl Almanac {
    /// Who may have that flaw, which may be named by an alias or an erratum, but in the letters it is
    /// written in.
    pub fn concerned(&self, flaw: &str) -> Concerned<'_> {
        let mut concerned = Concerned::default();
        let hash = filter::hash_of(flaw);
        for (number, entry) in (0..).zip(&self.manifest().sheets) {
            if entry.rows == 0 || entry.space.as_str() == TEXTS {
                continue;
            }
            let found = self.sheet(number).map_err(|_| Torn).and_then(|it| it.concerns(flaw, hash));
            let Ok(found) = found else {
                concerned.torn.insert(&entry.space);
                continue;
            };
            for (id, packages) in found {
                concerned.flaws.insert(id.to_owned());
                concerned.packages.extend(packages.into_iter().map(|it| (&entry.space, it)));
            }
        }
        if !concerned.packages.is_empty() {
            concerned.flaws.insert(flaw.to_owned());
        }
        concerned
    }

    /// The same, in whatever letters the flaw is typed.
    pub fn concerned_by(&self, flaw: &str) -> Concerned<'_> {
        let spellings = spellings(flaw);
        let mut told = spellings.iter().map(|it| self.concerned(it));
        let first = told.next().unwrap_or_default();
        if !first.packages.is_empty() {
            return first;
        }
        told.find(|it| !it.packages.is_empty()).unwrap_or(first)
    }
}

/// As it is typed, and as it may be written: names are written in capitals, but for the ends of those
/// that GitHub makes up.
pub(crate) fn spellings(flaw: &str) -> Vec<String> {
    let capitals = flaw.to_ascii_uppercase();
    let github =
        capitals.strip_prefix("GHSA-").map(|it| format!("GHSA-{}", it.to_ascii_lowercase()));
    [Some(flaw.to_owned()), Some(capitals), github].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
