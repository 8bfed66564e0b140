//! What a sheet says about a flaw.

use model::{Exploited, Forecast};

use crate::bytes::Bytes;
use crate::contract::{Known, Text};
use crate::filter;
use crate::layout::Section;
use crate::record;
use crate::table::Torn;

use super::Sheet;
use super::texts::{Place, Unpacker};

/// What goes by a name in one sheet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flaw {
    /// Numbers of advisories.
    pub advisories: Vec<u32>,
    /// It is used in attacks.
    pub exploited: Option<Exploited>,
    /// How likely that is.
    pub forecast: Option<Forecast>,
}

impl Sheet {
    /// What goes by that name; nothing where that cannot be read.
    pub fn flaw(&self, name: &str) -> Option<Flaw> {
        if !filter::passes(self.section(Section::Filter), name) {
            return None;
        }
        let number = self.table(Section::Flaws).and_then(|it| it.find(name.as_bytes())).ok()??;
        self.flaw_of(number, name).ok()
    }

    pub(super) fn flaw_of(&self, number: u32, name: &str) -> Result<Flaw, Torn> {
        let entry = self.table(Section::About)?.get(number).ok_or(Torn)?;
        read_flaw(Bytes::new(entry), name).ok_or(Torn)
    }

    /// How many advisories it holds.
    pub fn advisories(&self) -> u32 {
        self.table(Section::Heads).map_or(0, crate::table::Table::len)
    }

    /// What the advisory with that number says about itself.
    pub fn known(&self, advisory: u32) -> Option<Known> {
        Some(self.head(advisory)?.known)
    }

    /// Its words. None: they are in the sheet with the texts of its part, or cannot be read.
    pub fn text(&self, advisory: u32) -> Option<Text> {
        let (_, place) = self.place(advisory)?;
        Unpacker::default().text(self, place?)
    }

    /// Its id, and where its words are, if they are here.
    pub(crate) fn place(&self, advisory: u32) -> Option<(&str, Option<Place>)> {
        let mut head = self.entry(advisory)?;
        let id = self.table(Section::Flaws).ok()?.text(head.small()?)?;
        Some((id, self.head(advisory)?.text))
    }

    /// The packages it speaks of, by number.
    pub(super) fn packages_of(&self, advisory: u32) -> Option<Vec<u32>> {
        Some(self.head(advisory)?.names)
    }

    /// The packages it speaks of.
    pub fn packages(&self, advisory: u32) -> Vec<&str> {
        let numbers = self.packages_of(advisory).unwrap_or_default();
        let names = self.table(Section::Names).ok();
        numbers.into_iter().filter_map(|it| names?.text(it)).collect()
    }

    /// What follows the flags of its head.
    fn entry(&self, advisory: u32) -> Option<Bytes<'_>> {
        let mut head = Bytes::new(self.table(Section::Heads).ok()?.get(advisory)?);
        let _flags = head.byte()?;
        Some(head)
    }

    pub(super) fn head(&self, advisory: u32) -> Option<Head> {
        let flaws = self.table(Section::Flaws).ok()?;
        let mut head = self.entry(advisory)?;
        let mut known = Known { id: flaws.text(head.small()?)?.to_owned(), ..Known::default() };
        for _ in 0..head.count()? {
            known.aliases.push(flaws.text(head.small()?)?.to_owned());
        }
        for _ in 0..head.count()? {
            known.related.push(self.pooled_text(head.small()?)?.to_owned());
        }
        known.published = record::moment(&mut head)?;
        known.modified = record::moment(&mut head)?;
        known.withdrawn = record::moment(&mut head)?;
        for _ in 0..head.count()? {
            known.ratings.push(record::rating(self.pooled(head.small()?)?)?);
        }
        for _ in 0..head.count()? {
            known.weaknesses.push(head.small()?);
        }
        let mut names = Vec::new();
        let mut last = 0_u32;
        for _ in 0..head.count()? {
            last = last.checked_add(head.small()?)?;
            names.push(last);
        }
        let text = match head.small()? {
            0 => None,
            block => Some((block - 1, head.small()?)),
        };
        head.is_empty().then_some(Head { known, names, text })
    }
}

pub(super) struct Head {
    pub(super) known: Known,
    pub(super) names: Vec<u32>,
    pub(super) text: Option<Place>,
}

fn read_flaw(mut bytes: Bytes<'_>, name: &str) -> Option<Flaw> {
    let mut flaw = Flaw::default();
    let flags = bytes.byte()?;
    let mut last = 0_u32;
    for _ in 0..bytes.count()? {
        last = last.checked_add(bytes.small()?)?;
        flaw.advisories.push(last);
    }
    if flags & 1 != 0 {
        flaw.exploited = Some(record::exploited(&mut bytes, name)?);
    }
    if flags & 2 != 0 {
        flaw.forecast = Some(record::forecast(&mut bytes, name)?);
    }
    bytes.is_empty().then_some(flaw)
}
