//! What a sheet says about a flaw.

use model::{Exploited, Forecast};

use crate::bytes::Bytes;
use crate::contract::{Known, Text};
use crate::filter;
use crate::layout::Section;
use crate::moment::Moment;
use crate::record::{self, told};
use crate::table::{Table, Torn};

use super::texts::{Place, Unpacker};
use super::{Sheet, list};

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
        self.flaw_hashed(name, filter::hash_of(name))
    }

    /// The same, for whoever asks many sheets.
    pub(crate) fn flaw_hashed(&self, name: &str, hash: u64) -> Option<Flaw> {
        if !filter::passes(self.section(Section::Filter), hash) {
            return None;
        }
        let number = self.named().and_then(|it| it.find(name)).ok()??;
        self.flaw_of(number, name).ok()
    }

    pub(crate) fn flaw_of(&self, number: u32, name: &str) -> Result<Flaw, Torn> {
        let number = match number.checked_sub(self.named()?.ids.len()) {
            Some(other) => {
                let entry = self.table(Section::About)?.get(other).ok_or(Torn)?;
                return read_flaw(Bytes::new(entry), name).ok_or(Torn);
            }
            None => number,
        };
        let (flags, _, mut head) = begin(self.table(Section::Heads)?, number).ok_or(Torn)?;
        if flags & told::ABOUT == 0 {
            return Ok(Flaw { advisories: vec![number], ..Flaw::default() });
        }
        head.blob().and_then(|it| read_flaw(Bytes::new(it), name)).ok_or(Torn)
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
        let (_, place, _) = begin(self.table(Section::Heads).ok()?, advisory)?;
        Some((self.named().ok()?.ids.get(advisory)?, place))
    }

    /// The packages it speaks of, by number.
    pub(crate) fn packages_of(&self, advisory: u32) -> Option<Vec<u32>> {
        Some(self.head(advisory)?.names)
    }

    /// The packages it speaks of.
    pub fn packages(&self, advisory: u32) -> Vec<&str> {
        let numbers = self.packages_of(advisory).unwrap_or_default();
        let names = self.table(Section::Names).ok();
        numbers.into_iter().filter_map(|it| names?.text(it)).collect()
    }

    pub(crate) fn head(&self, advisory: u32) -> Option<Head> {
        let (named, lists) = (self.named().ok()?, self.table(Section::Lists).ok()?);
        let (flags, text, mut head) = begin(self.table(Section::Heads).ok()?, advisory)?;
        let has = |flag: u32| flags & flag != 0;
        let mut known = Known { id: named.ids.get(advisory)?.to_owned(), ..Known::default() };
        if has(told::ABOUT) {
            head.blob()?;
        }
        if has(told::ALIASES) {
            for _ in 0..head.count()? {
                known.aliases.push(named.get(head.small()?)?.to_owned());
            }
        }
        if has(told::BULLETINS) {
            for _ in 0..head.count()? {
                named.get(head.small()?)?;
            }
        }
        if has(told::RELATED) {
            for _ in 0..head.count()? {
                known.related.push(self.pooled_text(head.small()?)?.to_owned());
            }
        }
        let published = if has(told::PUBLISHED) { Some(Moment::read(&mut head)?) } else { None };
        for (flag, moment) in
            [(told::MODIFIED, &mut known.modified), (told::WITHDRAWN, &mut known.withdrawn)]
        {
            if has(flag) {
                *moment = Some(Moment::read_after(&mut head, published.as_ref())?.text()?);
            }
        }
        if let Some(published) = published {
            known.published = Some(published.text()?);
        }
        if has(told::RATINGS) {
            let mut ratings = list(lists, &mut head)?;
            while !ratings.is_empty() {
                known.ratings.push(record::rating(self.pooled(ratings.small()?)?)?);
            }
        }
        if has(told::WEAKNESSES) {
            let mut weaknesses = list(lists, &mut head)?;
            while !weaknesses.is_empty() {
                known.weaknesses.push(weaknesses.small()?);
            }
        }
        let mut names = Vec::new();
        if has(told::NAMES) {
            let mut packages = list(lists, &mut head)?;
            let mut last = 0_u32;
            while !packages.is_empty() {
                last = last.checked_add(packages.small()?)?;
                names.push(last);
            }
        }
        head.is_empty().then_some(Head { known, names, text })
    }
}

pub(crate) struct Head {
    pub(crate) known: Known,
    pub(crate) names: Vec<u32>,
    pub(crate) text: Option<Place>,
}

/// How the head of that advisory begins: what it has, and where its words are. The rest follows.
pub(crate) fn begin(heads: Table<'_>, advisory: u32) -> Option<(u32, Option<Place>, Bytes<'_>)> {
    let mut head = Bytes::new(heads.get(advisory)?);
    let flags = head.small().filter(|it| it & !told::ALL == 0)?;
    let place = if flags & told::TEXT != 0 { Some((head.small()?, head.small()?)) } else { None };
    Some((flags, place, head))
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
