//! A sheet: what one part of one feed says about one space, read where it lies.

pub(crate) mod about;
mod rows;
pub(crate) mod texts;
mod walk;

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use ecosystem::order::Order;
use model::Space;

use crate::bytes::{Bytes, put_blob};
use crate::error::Error;
use crate::folded::{Folded, Unfolded};
use crate::layout::{Meta, Section, Sections};
use crate::record;
use crate::table::{Table, Torn};

pub(crate) use rows::{MOST, torn_row};

/// How the order of a space's versions is found: `ecosystem::order::of`.
pub type Orders = fn(&Space) -> Option<&'static dyn Order>;

/// A sheet. Whatever its bytes are, reading it ends, and takes little.
pub struct Sheet {
    bytes: Backing,
    sections: Sections,
    meta: Meta,
    keys: Keys,
    ids: Unfolded,
    flaws: Unfolded,
}

enum Backing {
    Mapped(memmap2::Mmap),
    Held(Cow<'static, [u8]>),
}

/// Where the keys of versions come from.
#[derive(Clone, Copy)]
enum Keys {
    /// They are in the sheet.
    Written,
    /// The order makes other keys by now, or there was none when the sheet was compiled.
    Made(&'static dyn Order),
    /// Nobody knows the order.
    Unknown,
}

impl Sheet {
    /// The sheet in these bytes.
    pub fn of_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, Error> {
        Self::with_orders(bytes, ecosystem::order::of)
    }

    /// The same, with other orders.
    pub fn with_orders(
        bytes: impl Into<Cow<'static, [u8]>>,
        orders: Orders,
    ) -> Result<Self, Error> {
        Self::of(Backing::Held(bytes.into()), orders).map_err(|why| Error::corrupt("sheet", why))
    }

    /// The sheet in that file, of which only what is asked for is read.
    pub fn map(path: &Path) -> Result<Self, Error> {
        Self::map_with_orders(path, ecosystem::order::of)
    }

    pub(crate) fn map_with_orders(path: &Path, orders: Orders) -> Result<Self, Error> {
        let file = fs_err::File::open(path).map_err(Error::io)?;
        #[expect(
            unsafe_code,
            reason = "the file is named by its content and never written to again, only unlinked"
        )]
        // SAFETY: nobody writes to a sheet once it has its name, so what is mapped does not change.
        let map = unsafe { memmap2::Mmap::map(file.file()) }.map_err(|why| Error::at(path, why))?;
        Self::of(Backing::Mapped(map), orders)
            .map_err(|why| Error::corrupt(format_args!("sheet {}", path.display()), why))
    }

    fn of(bytes: Backing, orders: Orders) -> Result<Self, &'static str> {
        let sections = Sections::of(&bytes)?;
        let meta = Meta::of(sections.get(&bytes, Section::Meta))
            .ok_or("it does not say what it is about")?;
        let keys = match orders(&meta.space) {
            None => Keys::Unknown,
            Some(order) if order.id() == meta.order && keys_of(order) == meta.keys => Keys::Written,
            Some(order) => Keys::Made(order),
        };
        let (ids, flaws) = <(Unfolded, Unfolded)>::default();
        Ok(Self { bytes, sections, meta, keys, ids, flaws })
    }

    /// What it says about itself.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes each of its sections has.
    pub fn sizes(&self) -> Vec<(&'static str, usize)> {
        [
            ("pool", Section::Pool),
            ("lists", Section::Lists),
            ("names", Section::Names),
            ("rows", Section::Rows),
            ("versions", Section::Versions),
            ("ids", Section::Ids),
            ("flaws", Section::Flaws),
            ("filter", Section::Filter),
            ("about", Section::About),
            ("heads", Section::Heads),
            ("texts", Section::Texts),
        ]
        .map(|(name, section)| (name, self.section(section).len()))
        .to_vec()
    }

    /// The names of packages that begin with `prefix`, sorted.
    pub fn names<'a, 'p>(&'a self, prefix: &'p str) -> impl Iterator<Item = &'a str> + use<'a, 'p> {
        let table = self.table(Section::Names).ok();
        let first = table.and_then(|it| it.lower_bound(prefix.as_bytes()).ok());
        table
            .zip(first)
            .into_iter()
            .flat_map(|(table, first)| table.range(first, u32::MAX))
            .map_while(|it| std::str::from_utf8(it?).ok())
            .take_while(move |it| it.starts_with(prefix))
    }

    /// The names of flaws that begin with `prefix`, sorted: own ones, aliases and errata.
    pub fn flaws<'a, 'p>(&'a self, prefix: &'p str) -> impl Iterator<Item = &'a str> + use<'a, 'p> {
        let named = self.named().ok();
        let beginning = |it: Option<Folded<'a>>| it.into_iter().flat_map(|it| it.beginning(prefix));
        let mut ids = beginning(named.map(|it| it.ids)).peekable();
        let mut others = beginning(named.map(|it| it.others)).peekable();
        std::iter::from_fn(move || match (ids.peek(), others.peek()) {
            (Some(id), Some(other)) if other < id => others.next(),
            (Some(_), _) => ids.next(),
            (None, _) => others.next(),
        })
    }

    #[cfg(test)]
    fn all_sections(&self) -> [&[u8]; 12] {
        self.sections.all(&self.bytes)
    }

    pub(crate) fn section(&self, section: Section) -> &[u8] {
        self.sections.get(&self.bytes, section)
    }

    pub(crate) fn table(&self, section: Section) -> Result<Table<'_>, Torn> {
        Table::of(self.section(section))
    }

    pub(crate) fn named(&self) -> Result<Named<'_>, Torn> {
        let ids = Folded::of(self.section(Section::Ids), &self.ids)?;
        Ok(Named { ids, others: Folded::of(self.section(Section::Flaws), &self.flaws)? })
    }

    /// What has that number in the pool.
    pub(crate) fn pooled(&self, number: u32) -> Option<&[u8]> {
        self.table(Section::Pool).ok()?.get(number)
    }

    fn pooled_text(&self, number: u32) -> Option<&str> {
        std::str::from_utf8(self.pooled(number)?).ok()
    }
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sheet").field("meta", &self.meta).finish_non_exhaustive()
    }
}

impl std::ops::Deref for Backing {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Held(bytes) => bytes,
        }
    }
}

/// Names of flaws, by number: those of the advisories first.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) ids: Folded<'a>,
    pub(crate) others: Folded<'a>,
}

impl<'a> Named<'a> {
    pub(crate) fn get(self, number: u32) -> Option<&'a str> {
        match number.checked_sub(self.ids.len()) {
            None => self.ids.get(number),
            Some(other) => self.others.get(other),
        }
    }

    pub(crate) fn find(self, name: &str) -> Result<Option<u32>, Torn> {
        if let Some(number) = self.ids.find(name)? {
            return Ok(Some(number));
        }
        let other = self.others.find(name)?;
        other.map(|it| it.checked_add(self.ids.len()).ok_or(Torn)).transpose()
    }
}

/// The next list of numbers: one of the `lists`, or one that follows.
pub(crate) fn list<'a>(lists: Table<'a>, bytes: &mut Bytes<'a>) -> Option<Bytes<'a>> {
    let list = match bytes.small()?.checked_sub(1) {
        None => bytes.blob()?,
        Some(number) => lists.get(number).filter(|it| it.len() <= record::LONGEST_LIST)?,
    };
    Some(Bytes::new(list))
}

/// A hash of the keys that an order makes of its examples: it changes when its keys do.
pub(crate) fn keys_of(order: &dyn Order) -> u64 {
    let mut all = Vec::new();
    for version in order.examples() {
        let mut key = Vec::new();
        let readable = order.key(version, &mut key).is_ok();
        all.push(u8::from(readable));
        put_blob(&mut all, &key);
    }
    xxhash_rust::xxh3::xxh3_64(&all)
}

#[cfg(test)]
pub(crate) mod tests;
