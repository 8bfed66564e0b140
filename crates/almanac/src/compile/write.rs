//! One sheet: everything is numbered first, then written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ecosystem::order::Order;
use model::{Affected, Exploited, Forecast, Gap, Space, Span, Status};

use crate::bytes::put_number;
use crate::error::Error;
use crate::filter;
use crate::folded;
use crate::layout::{self, Meta};
use crate::record;
use crate::sheet::{MOST, keys_of};
use crate::table::{TableWriter, Torn};

use super::heads::{Head, bare, usual};
use super::pool::{Counts, Lists};
use super::rows::{MOST_VERSIONS, Numbers, Written, base_of, put_rows, versions_of};
use super::texts::{TextWriter, has_text};
use super::{Compiled, SAMPLES, SheetBytes, Told};

/// What becomes a sheet.
pub(super) struct Page<'a> {
    pub(super) feed: &'a str,
    pub(super) part: &'a str,
    pub(super) space: &'a Space,
    pub(super) order: Option<&'static dyn Order>,
    /// By id.
    pub(super) told: &'a [Told<'a>],
    pub(super) attacks: Option<Attacks<'a>>,
    pub(super) texts: Texts,
}

type Attacks<'a> = (&'a BTreeMap<String, Exploited>, &'a BTreeMap<String, Forecast>);

/// Where the words go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Texts {
    /// Into this sheet.
    Here,
    /// Into another one.
    Apart,
    /// This is that other one, and holds nothing else.
    Alone,
}

/// Each name with its rows and their advisories' numbers.
type Names<'a> = BTreeMap<&'a str, Vec<(u32, &'a Affected)>>;

impl Page<'_> {
    pub(super) fn write(&self, compiled: &mut Compiled) -> Result<(), Error> {
        let sheet = self.sections(compiled).map_err(|Torn| {
            let at = format!("sheet {} {} {}", self.feed, self.part, self.space);
            Error::corrupt(at, "it would be larger than four gigabytes")
        })?;
        compiled.sheets.push(sheet);
        Ok(())
    }

    fn sections(&self, compiled: &mut Compiled) -> Result<SheetBytes, Torn> {
        let mut gaps = Gaps { compiled, count: 0 };
        let more = Affected {
            status: Status::UnderInvestigation,
            spans: vec![Span::all()],
            ..Affected::new(self.space.clone(), "")
        };
        let names = self.names(&more, &mut gaps);
        let (versions, version_numbers) = self.versions(&names, &mut gaps)?;
        let flaws = self.flaws();
        let ids: Vec<&str> = self.told.iter().map(|it| &*it.advisory.id).collect();
        let others = flaws.keys().copied().filter(|it| ids.binary_search(it).is_err());
        let others: Vec<&str> = others.collect();
        let numbers = Numbers {
            versions: version_numbers,
            flaws: ids.iter().chain(&others).copied().zip(0..).collect(),
            pool: self.counts().pool(),
        };
        let usual: Vec<&[String]> = self.told.iter().map(usual).collect();
        let rows = rows_of(&names, &usual, &numbers);
        let heads = self.heads(&names, &usual, &numbers);
        let mut lists = Counts::default();
        for it in rows.iter().flat_map(|(_, rows)| rows) {
            lists.add(&it.kind);
        }
        for it in &heads {
            it.count(&mut lists);
        }
        let lists = lists.lists();

        let places = self.texts(&mut gaps);
        let mut head_table = TableWriter::new(16);
        for (number, told) in (0_u32..).zip(self.told) {
            let text = places.found.get(&(number as usize)).copied();
            let advisories = flaws.get(&*told.advisory.id);
            let about = advisories.and_then(|it| self.about(&told.advisory.id, it, Some(number)));
            head_table.push(&match heads.get(number as usize) {
                Some(head) => head.to_bytes(&numbers, &lists, about.as_deref(), text),
                None => bare(text),
            });
        }
        let mut about_table = TableWriter::new(16);
        for name in &others {
            let about = flaws.get(name).and_then(|it| self.about(name, it, None));
            about_table.push(&about.unwrap_or_default());
        }
        let mut name_table = TableWriter::new(16);
        for name in names.keys() {
            name_table.push(name.as_bytes());
        }
        let row_table = row_table(&rows, &lists)?;
        let meta = Meta {
            feed: self.feed.to_owned(),
            part: self.part.to_owned(),
            space: self.space.clone(),
            order: self.order.map(|it| it.id().to_owned()).unwrap_or_default(),
            keys: self.order.map_or(0, keys_of),
            advisories: self.told.len() as u64,
            rows: rows.iter().map(|(_, rows)| rows.len() as u64).sum(),
            gaps: gaps.count,
        };
        let file = layout::file_of(&[
            &meta.to_bytes(),
            &numbers.pool.finish()?,
            &lists.finish()?,
            &name_table.finish()?,
            &row_table,
            &versions,
            &folded::fold(ids.iter().copied())?,
            &folded::fold(others.iter().copied())?,
            &filter::filter_of(flaws.keys().copied()),
            &about_table.finish()?,
            &head_table.finish()?,
            &places.texts.finish()?,
        ]);
        Ok(SheetBytes::new(&meta, file))
    }

    /// Every name, with as many rows as one look-up yields. Where there are more, one of `more` tells
    /// that not all is known.
    fn names<'a>(&'a self, more: &'a Affected, gaps: &mut Gaps<'_>) -> Names<'a> {
        /// So much is kept for that row.
        const LAST: usize = 1 << 12;
        let mut names = Names::new();
        let mut room: HashMap<&str, usize> = HashMap::new();
        for (number, told) in (0_u32..).zip(self.told) {
            let head = 1 + cost_of(&told.advisory.aliases) + told.advisory.id.len() / 64;
            for row in &told.affected {
                let name = &*row.package;
                let room = room.entry(name).or_insert(MOST);
                let left = room.checked_sub(cost(row, head)).filter(|it| *it >= LAST);
                if left.is_none() {
                    let at = format!("{} {name} {}", self.space, told.advisory.id);
                    gaps.tell(&at, &"left out: there is more about this package than can be read");
                }
                match left {
                    Some(left) => {
                        *room = left;
                        names.entry(name).or_default().push((number, row));
                    }
                    None if *room > 0 && cost(more, head) <= LAST => {
                        *room = 0;
                        names.entry(name).or_default().push((number, more));
                    }
                    None => {}
                }
            }
        }
        names
    }

    /// Versions are numbered name by name, each name's in their order, so that what a row speaks of
    /// lies together and lists become runs.
    fn versions<'a>(
        &self,
        names: &Names<'a>,
        gaps: &mut Gaps<'_>,
    ) -> Result<(Vec<u8>, HashMap<&'a str, u32>), Torn> {
        let mut table = TableWriter::new(16);
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        for (name, rows) in names {
            let mut fresh: BTreeSet<(Option<Vec<u8>>, &str)> = BTreeSet::new();
            for (number, row) in rows {
                for version in versions_of(row) {
                    if numbers.contains_key(version) {
                        continue;
                    }
                    let mut key = Vec::new();
                    let key = match self.order.map(|it| it.key(version, &mut key)) {
                        Some(Ok(())) => Some(key),
                        Some(Err(why)) => {
                            let id = self.told.get(*number as usize).map(|it| &it.advisory.id);
                            let id = id.map_or("", |it| it);
                            gaps.tell(&format!("{} {name} {id}", self.space), &why);
                            None
                        }
                        None => None,
                    };
                    // Not its number yet: that it is not to be looked at again.
                    numbers.insert(version, u32::MAX);
                    fresh.insert((key, version));
                }
            }
            for (key, version) in fresh {
                numbers.insert(version, table.len());
                let mut entry = Vec::new();
                match &key {
                    None => entry.push(0),
                    Some(key) => {
                        put_number(&mut entry, key.len() as u64 + 1);
                        entry.extend_from_slice(key);
                    }
                }
                entry.extend_from_slice(version.as_bytes());
                table.push(&entry);
            }
        }
        if self.order.is_none() && !numbers.is_empty() {
            gaps.tell(self.space.as_str(), &"nobody taught us how versions are ordered there");
        }
        Ok((table.finish()?, numbers))
    }

    /// Every name of a flaw, with the advisories that go by it.
    fn flaws(&self) -> BTreeMap<&str, BTreeSet<u32>> {
        let mut flaws: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for (number, told) in (0..).zip(self.told) {
            let mut add = |name| flaws.entry(name).or_default().insert(number);
            add(&told.advisory.id);
            if self.texts == Texts::Alone {
                continue;
            }
            for name in &told.advisory.aliases {
                add(name);
            }
            for row in &told.affected {
                for name in &row.bulletins {
                    add(name);
                }
            }
        }
        if let Some((exploited, forecasts)) = self.attacks {
            for name in exploited.keys().chain(forecasts.keys()) {
                flaws.entry(name).or_default();
            }
        }
        flaws
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        if self.texts == Texts::Alone {
            return counts;
        }
        for told in self.told {
            for related in &told.advisory.related {
                counts.add(related.as_bytes());
            }
            for rating in &told.advisory.ratings {
                counts.add(&record::rating_bytes(rating));
            }
            for row in &told.affected {
                let texts = row.reason.iter().chain(&row.module).chain(&row.channel);
                for text in texts.chain(&row.arch).chain(&row.products) {
                    counts.add(text.as_bytes());
                }
                if let Some(rating) = &row.rating {
                    counts.add(&record::rating_bytes(rating));
                }
            }
        }
        counts
    }

    /// What goes by that name; none if that is only the advisory that has it.
    fn about(&self, name: &str, advisories: &BTreeSet<u32>, own: Option<u32>) -> Option<Vec<u8>> {
        let exploited = self.attacks.and_then(|(exploited, _)| exploited.get(name));
        let forecast = self.attacks.and_then(|(_, forecasts)| forecasts.get(name));
        let only = own.is_some() && advisories.len() == 1;
        if only && exploited.is_none() && forecast.is_none() {
            return None;
        }
        let mut entry = vec![u8::from(exploited.is_some()) | u8::from(forecast.is_some()) << 1];
        put_ascending(&mut entry, advisories.iter().copied());
        if let Some(exploited) = exploited {
            record::put_exploited(&mut entry, exploited);
        }
        if let Some(forecast) = forecast {
            record::put_forecast(&mut entry, forecast);
        }
        Some(entry)
    }

    fn heads<'a>(
        &'a self,
        names: &Names<'_>,
        usual: &[&'a [String]],
        numbers: &Numbers<'_>,
    ) -> Vec<Head<'a>> {
        if self.texts == Texts::Alone {
            return Vec::new();
        }
        let names: HashMap<&str, u32> = names.keys().copied().zip(0..).collect();
        let heads = self.told.iter().zip(usual);
        heads.map(|(told, usual)| Head::of(told, usual, numbers, &names)).collect()
    }

    /// Words lie in the order of packages: what is asked for together, and sounds alike.
    fn texts(&self, gaps: &mut Gaps<'_>) -> Places {
        let mut places = Places::default();
        if self.texts == Texts::Apart {
            return places;
        }
        let mut order: Vec<usize> = (0..self.told.len()).collect();
        order.sort_by_key(|at| {
            let advisory = self.told.get(*at).map(|it| it.advisory);
            advisory.and_then(|it| it.affected.iter().map(|it| &it.package).min())
        });
        for at in order {
            let Some(advisory) = self.told.get(at).map(|it| it.advisory) else { continue };
            if has_text(advisory) {
                let (block, offset, cut) = places.texts.add(advisory);
                places.found.insert(at, (block, offset));
                if cut {
                    gaps.tell(&format!("{} {}", self.space, advisory.id), &"its text was cut");
                }
            }
        }
        places
    }
}

/// Where the words of each advisory are.
#[derive(Default)]
struct Places {
    texts: TextWriter,
    found: HashMap<usize, (u64, u64)>,
}

/// At least what it costs to look the row up, as `Sheet::look_up` counts.
fn cost(row: &Affected, head: usize) -> usize {
    let texts = [&row.reason, &row.module, &row.channel].into_iter().flatten();
    let texts = texts.fold(0, |sum, it| sum + it.len() / 64);
    let lists =
        [&row.bulletins, &row.arch, &row.products].map(|it| cost_of(it)).iter().sum::<usize>();
    let chunks = row.versions.len() / MOST_VERSIONS + 1;
    // What is not about versions is told again with each chunk of them.
    (16 + head + texts + lists) * chunks + 3 * row.spans.len() + 2 * row.versions.len()
}

fn cost_of(texts: &[String]) -> usize {
    texts.iter().fold(0, |sum, it| sum + 1 + it.len() / 64)
}

/// Of each name its first version and its rows.
fn rows_of(
    names: &Names<'_>,
    usual: &[&[String]],
    numbers: &Numbers<'_>,
) -> Vec<(u32, Vec<Written>)> {
    let mut all = Vec::with_capacity(names.len());
    for rows in names.values() {
        let base = base_of(rows.iter().map(|(_, row)| *row), numbers);
        let mut written: Vec<Written> = Vec::new();
        for (advisory, row) in rows {
            let usual = usual.get(*advisory as usize).copied().unwrap_or_default();
            written.extend(numbers.row((*advisory, row), base, usual));
        }
        written.sort_unstable();
        written.dedup();
        all.push((base, written));
    }
    all
}

/// The packages that are built from one source have the same rows: they are there once.
fn row_table(names: &[(u32, Vec<Written>)], lists: &Lists) -> Result<Vec<u8>, Torn> {
    let mut table = TableWriter::new(4);
    let mut first: HashMap<Vec<u8>, u32> = HashMap::new();
    for (base, rows) in names {
        let mut entry = Vec::new();
        put_rows(&mut entry, *base, rows, lists);
        let mut same = vec![0];
        put_number(&mut same, u64::from(*first.get(&entry).unwrap_or(&u32::MAX)));
        if first.contains_key(&entry) && same.len() < entry.len() {
            table.push(&same);
        } else {
            table.push(&entry);
            first.entry(entry).or_insert(table.len() - 1);
        }
    }
    table.finish()
}

/// How many, then each as its distance from the one before.
fn put_ascending(out: &mut Vec<u8>, numbers: impl ExactSizeIterator<Item = u32>) {
    put_number(out, numbers.len() as u64);
    let mut last = 0;
    for number in numbers {
        put_number(out, u64::from(number - last));
        last = number;
    }
}

/// Counts what could not be told.
struct Gaps<'a> {
    compiled: &'a mut Compiled,
    count: u64,
}

impl Gaps<'_> {
    fn tell(&mut self, at: &str, why: &dyn ToString) {
        self.count += 1;
        self.compiled.gaps += 1;
        if self.compiled.samples.len() < SAMPLES {
            self.compiled.samples.push(Gap::new(at, why.to_string()));
        }
    }
}
