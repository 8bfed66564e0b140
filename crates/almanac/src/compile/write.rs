//! One sheet: everything is numbered first, then written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ecosystem::order::Order;
use model::{Affected, Exploited, Forecast, Gap, Space, Span, Status};

use crate::bytes::{put_blob, put_number};
use crate::error::Error;
use crate::filter;
use crate::layout::{self, Meta};
use crate::record;
use crate::sheet::{MOST, keys_of};
use crate::table::{TableWriter, Torn};

use super::pool::Counts;
use super::rows::{MOST_VERSIONS, Numbers, base_of, versions_of};
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
        let numbers = Numbers {
            versions: version_numbers,
            flaws: flaws.keys().copied().zip(0..).collect(),
            pool: self.counts().settle(),
        };
        let (name_table, row_table, rows) = write_rows(&names, &numbers)?;
        let (heads, texts) = self.heads(&names, &numbers, &mut gaps)?;
        let meta = Meta {
            feed: self.feed.to_owned(),
            part: self.part.to_owned(),
            space: self.space.clone(),
            order: self.order.map(|it| it.id().to_owned()).unwrap_or_default(),
            keys: self.order.map_or(0, keys_of),
            advisories: self.told.len() as u64,
            rows,
            gaps: gaps.count,
        };
        let mut flaw_table = TableWriter::new(16);
        for name in flaws.keys() {
            flaw_table.push(name.as_bytes());
        }
        let file = layout::file_of(&[
            &meta.to_bytes(),
            &numbers.pool.bytes,
            &name_table,
            &row_table,
            &versions,
            &flaw_table.finish()?,
            &filter::filter_of(flaws.keys().copied()),
            &self.about(&flaws)?,
            &heads,
            &texts,
        ]);
        u32::try_from(numbers.pool.bytes.len()).map_err(|_| Torn)?;
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

    fn about(&self, flaws: &BTreeMap<&str, BTreeSet<u32>>) -> Result<Vec<u8>, Torn> {
        let mut table = TableWriter::new(16);
        for (name, advisories) in flaws {
            let exploited = self.attacks.and_then(|(exploited, _)| exploited.get(*name));
            let forecast = self.attacks.and_then(|(_, forecasts)| forecasts.get(*name));
            let mut entry = vec![u8::from(exploited.is_some()) | u8::from(forecast.is_some()) << 1];
            put_ascending(&mut entry, advisories.iter().copied());
            if let Some(exploited) = exploited {
                record::put_exploited(&mut entry, exploited);
            }
            if let Some(forecast) = forecast {
                record::put_forecast(&mut entry, forecast);
            }
            table.push(&entry);
        }
        table.finish()
    }

    fn heads(
        &self,
        names: &Names<'_>,
        numbers: &Numbers<'_>,
        gaps: &mut Gaps<'_>,
    ) -> Result<(Vec<u8>, Vec<u8>), Torn> {
        let places = self.texts(gaps);
        let name_numbers: HashMap<&str, u32> = names.keys().copied().zip(0..).collect();
        let mut table = TableWriter::new(4);
        for (number, told) in self.told.iter().enumerate() {
            let advisory = told.advisory;
            let mut head =
                vec![u8::from(advisory.withdrawn.is_some()) | u8::from(advisory.malicious) << 1];
            put_number(&mut head, u64::from(numbers.flaw(&advisory.id)));
            if self.texts == Texts::Alone {
                // No aliases, related flaws, moments, ratings, weaknesses, names.
                head.extend_from_slice(&[0; 8]);
            } else {
                put_number(&mut head, advisory.aliases.len() as u64);
                for alias in &advisory.aliases {
                    put_number(&mut head, u64::from(numbers.flaw(alias)));
                }
                put_number(&mut head, advisory.related.len() as u64);
                for related in &advisory.related {
                    put_number(&mut head, numbers.pool.offset(related.as_bytes()));
                }
                record::put_moment(&mut head, advisory.published.as_deref());
                record::put_moment(&mut head, advisory.modified.as_deref());
                record::put_moment(&mut head, advisory.withdrawn.as_deref());
                put_number(&mut head, advisory.ratings.len() as u64);
                for rating in &advisory.ratings {
                    put_number(&mut head, numbers.pool.offset(&record::rating_bytes(rating)));
                }
                put_number(&mut head, advisory.weaknesses.len() as u64);
                for weakness in &advisory.weaknesses {
                    put_number(&mut head, u64::from(*weakness));
                }
                let packages: BTreeSet<&str> =
                    told.affected.iter().map(|it| &*it.package).collect();
                let packages = packages.iter().filter_map(|it| name_numbers.get(it).copied());
                let packages: BTreeSet<u32> = packages.collect();
                put_ascending(&mut head, packages.into_iter());
            }
            match places.found.get(&number) {
                None => head.push(0),
                Some((block, at)) => {
                    put_number(&mut head, block + 1);
                    put_number(&mut head, *at);
                }
            }
            table.push(&head);
        }
        Ok((table.finish()?, places.texts.finish()?))
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

/// Names, their rows, and how many of those there are.
fn write_rows(names: &Names<'_>, numbers: &Numbers<'_>) -> Result<(Vec<u8>, Vec<u8>, u64), Torn> {
    let mut name_table = TableWriter::new(16);
    let mut row_table = TableWriter::new(4);
    let mut count = 0;
    for (name, rows) in names {
        let base = base_of(rows.iter().map(|(_, row)| *row), numbers);
        let mut written: Vec<(u32, (u32, Vec<u8>))> = Vec::new();
        for (advisory, row) in rows {
            written.extend(numbers.row(base, row).into_iter().map(|it| (*advisory, it)));
        }
        written.sort_unstable();
        written.dedup();
        let mut entry = Vec::new();
        put_number(&mut entry, u64::from(base));
        let mut last = 0;
        for (advisory, (flags, rest)) in &written {
            let mut row = Vec::with_capacity(rest.len() + 4);
            put_number(&mut row, u64::from(*flags));
            put_number(&mut row, u64::from(advisory - last));
            row.extend_from_slice(rest);
            put_blob(&mut entry, &row);
            last = *advisory;
        }
        count += written.len() as u64;
        name_table.push(name.as_bytes());
        row_table.push(&entry);
    }
    Ok((name_table.finish()?, row_table.finish()?, count))
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
