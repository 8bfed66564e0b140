//! How a sheet lies in its file: a header, then sections one after another.

use std::ops::Range;

use model::Space;

use crate::bytes::{Bytes, put_blob, put_number};

const MAGIC: &[u8; 8] = b"foresht\0";
/// Raised when the same advisories would be written otherwise: every sheet is then built anew.
pub const SHEET_FORMAT: u32 = 2;

/// The parts of a sheet, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// What the sheet is.
    Meta,
    /// Strings and ratings that many rows share, the most frequent first.
    Pool,
    /// Lists of numbers that many rows or advisories share, the most frequent first.
    Lists,
    /// Packages' names, sorted.
    Names,
    /// For each name its rows, or whose rows are the same.
    Rows,
    /// Versions with their keys, those of one name beside each other.
    Versions,
    /// The advisories' own names for their flaws, sorted and folded. They have the same numbers.
    Ids,
    /// The other names of flaws, sorted and folded. They are numbered behind the advisories.
    Flaws,
    /// Which names of flaws are certainly not there.
    Filter,
    /// For each of the other names of flaws, what goes by it.
    About,
    /// For each advisory what it says about itself.
    Heads,
    /// Its words, many to a compressed block.
    Texts,
}

const SECTIONS: usize = 12;

/// Where the sections are.
#[derive(Clone, Debug)]
pub(crate) struct Sections([Range<usize>; SECTIONS]);

impl Sections {
    pub(crate) fn of(file: &[u8]) -> Result<Self, &'static str> {
        let mut bytes = Bytes::new(file);
        if bytes.take(8) != Some(MAGIC) {
            return Err("it is no sheet of an almanac");
        }
        match bytes.fixed() {
            Some(SHEET_FORMAT) => {}
            Some(_) => return Err("it is written in the form of another version of foretop"),
            None => return Err("it ends in its header"),
        }
        let mut sections: [Range<usize>; SECTIONS] = Default::default();
        let mut at = 8 + 4 + 8 * SECTIONS;
        for section in &mut sections {
            let length = bytes.fixed_long().ok_or("it ends in its header")?;
            let end = usize::try_from(length).ok().and_then(|it| at.checked_add(it));
            let end = end.filter(|end| *end <= file.len()).ok_or("it is cut off")?;
            *section = at..end;
            at = end;
        }
        if at == file.len() { Ok(Self(sections)) } else { Err("there is more than it holds") }
    }

    pub(crate) fn get<'a>(&self, file: &'a [u8], section: Section) -> &'a [u8] {
        file.get(self.0[section as usize].clone()).unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn all<'a>(&self, file: &'a [u8]) -> [&'a [u8]; SECTIONS] {
        self.0.clone().map(|it| file.get(it).unwrap_or_default())
    }
}

/// The file of these sections.
pub(crate) fn file_of(sections: &[&[u8]; SECTIONS]) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&SHEET_FORMAT.to_le_bytes());
    for section in sections {
        file.extend_from_slice(&(section.len() as u64).to_le_bytes());
    }
    for section in sections {
        file.extend_from_slice(section);
    }
    file
}

/// What a sheet says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Whose advisories.
    pub feed: String,
    /// Which part of that feed.
    pub part: String,
    /// About which space.
    pub space: Space,
    /// The order of its versions; empty: nobody knew one.
    pub order: String,
    /// A hash of the keys which that order made then.
    pub keys: u64,
    /// How many advisories it holds.
    pub advisories: u64,
    /// How many rows about packages.
    pub rows: u64,
    /// What it could not tell.
    pub gaps: u64,
}

impl Meta {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for text in [&*self.feed, &*self.part, self.space.as_str(), &*self.order] {
            put_blob(&mut out, text.as_bytes());
        }
        for number in [self.keys, self.advisories, self.rows, self.gaps] {
            put_number(&mut out, number);
        }
        out
    }

    pub(crate) fn of(section: &[u8]) -> Option<Self> {
        let mut bytes = Bytes::new(section);
        Some(Self {
            feed: bytes.text()?.to_owned(),
            part: bytes.text()?.to_owned(),
            space: Space::from(bytes.text()?),
            order: bytes.text()?.to_owned(),
            keys: bytes.number()?,
            advisories: bytes.number()?,
            rows: bytes.number()?,
            gaps: bytes.number()?,
        })
    }
}
