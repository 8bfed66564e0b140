//! SQLite, the database of current distributions: its one table that matters, read page by page.
//! <https://www.sqlite.org/fileformat.html>

mod wal;

use self::wal::Wal;
use super::{LARGEST_HEADER, Take, Visited, bytes_at, read_at};
use crate::File;

pub(super) const MAGIC: &[u8; 16] = b"SQLite format 3\0";

const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// A file of pages, some of which are overlaid by the write-ahead log.
struct Database<'f, 'a> {
    file: &'f File<'a>,
    wal: Option<Wal<'f>>,
    page_size: usize,
    /// What is left of a page without the bytes that are reserved for extensions.
    usable: usize,
    last_page: u32,
    visited: Visited,
}

/// Calls `take` with the blob of each row of the table `Packages`.
pub(super) fn read(file: &File<'_>, wal: Option<&[u8]>, take: Take<'_>) -> Result<(), String> {
    let start = read_at(file, 0, 100).map_err(|error| format!("cannot be read: {error}"))?;
    let page_size = match bytes_at(&start, 16).map_or(0, u16::from_be_bytes) {
        1 => 65_536,
        size => usize::from(size),
    };
    if !(512..=65_536).contains(&page_size) || !page_size.is_power_of_two() {
        return Err(format!("says its pages have {page_size} bytes"));
    }
    let usable = page_size - start.get(20).copied().map_or(0, usize::from);
    if usable < 480 {
        return Err(format!("says {usable} bytes of a page are in use"));
    }
    let wal = wal.filter(|it| !it.is_empty()).and_then(|it| Wal::parse(it, page_size));
    let in_file = u32::try_from(file.size() / page_size as u64).unwrap_or(u32::MAX);
    let last_page = wal.as_ref().map_or(0, Wal::last_page).max(in_file);
    let visited = Visited::default();
    let mut database = Database { file, wal, page_size, usable, last_page, visited };
    let mut root = None;
    let mut is_broken = false;
    // `type, name, tbl_name, rootpage, sql` of each table.
    database.rows(1, &mut |record| match record {
        Ok(record) => {
            let mut values = values(record);
            let (kind, name, _, page) =
                (values.next(), values.next(), values.next(), values.next());
            if kind.is_some_and(|it| it.is_text("table"))
                && name.is_some_and(|it| it.is_text("Packages"))
            {
                root = page.and_then(Value::number).and_then(|it| u32::try_from(it).ok());
            }
        }
        Err(_) => is_broken = true,
    });
    let Some(root) = root else {
        let why = if is_broken { "has a broken schema" } else { "has no table `Packages`" };
        return Err(why.to_owned());
    };
    database.rows(root, &mut |record| match record {
        Ok(record) => match values(record).find(|it| it.is_blob()) {
            Some(value) => take(Ok(value.bytes)),
            None => take(Err("a row without a package".to_owned())),
        },
        Err(why) => take(Err(why)),
    });
    Ok(())
}

impl Database<'_, '_> {
    /// Each page belongs to one tree or chain, and is there once.
    fn claim(&mut self, number: u32) -> bool {
        number != 0 && number <= self.last_page && self.visited.insert(number)
    }

    fn page(&self, number: u32) -> Result<Vec<u8>, String> {
        if let Some(page) = self.wal.as_ref().and_then(|it| it.page(number)) {
            return Ok(page.to_vec());
        }
        let offset = u64::from(number.saturating_sub(1)) * self.page_size as u64;
        read_at(self.file, offset, self.page_size)
            .map_err(|error| format!("page {number} cannot be read: {error}"))
    }

    /// Each record of the table whose tree starts at `root`, in order.
    fn rows(&mut self, root: u32, take: Take<'_>) {
        if !self.claim(root) {
            return take(Err(stray(root)));
        }
        let mut pages = vec![root];
        while let Some(number) = pages.pop() {
            let outcome = self.page(number).and_then(|it| self.tree(number, &it, &mut pages, take));
            if let Err(why) = outcome {
                take(Err(why));
            }
        }
    }

    fn tree(
        &mut self,
        number: u32,
        page: &[u8],
        pages: &mut Vec<u32>,
        take: Take<'_>,
    ) -> Result<(), String> {
        let broken = || format!("page {number} is broken");
        // The first page starts with the header of the file.
        let head = if number == 1 { 100 } else { 0 };
        let kind = page.get(head).copied().ok_or_else(broken)?;
        let cells = bytes_at(page, head + 3).map(u16::from_be_bytes).ok_or_else(broken)?;
        let list = head + if kind == INTERIOR { 12 } else { 8 };
        let list = page.get(list..list + 2 * usize::from(cells)).ok_or_else(broken)?;
        let cells = list
            .as_chunks()
            .0
            .iter()
            .map(|it| page.get(usize::from(u16::from_be_bytes(*it))..).unwrap_or_default());
        match kind {
            INTERIOR => {
                let child = |bytes, at| bytes_at(bytes, at).map(u32::from_be_bytes);
                let right = child(page, head + 8);
                let mut lost = None;
                // The leftmost is to be popped first.
                for child in cells.map(|it| child(it, 0)).chain([right]).rev() {
                    let child = child.unwrap_or_default();
                    if self.claim(child) {
                        pages.push(child);
                    } else {
                        lost = lost.or(Some(child));
                    }
                }
                if let Some(child) = lost {
                    return Err(stray(child));
                }
            }
            LEAF => {
                // Cells do not overlap, so together they are no larger than the page.
                let mut budget = page.len();
                for cell in cells {
                    let (length, here, rest) = self.payload(cell).ok_or_else(broken)?;
                    budget = budget.checked_sub(here.len()).ok_or_else(broken)?;
                    match self.record(length, here, rest) {
                        Ok(record) => take(Ok(&record)),
                        Err(why) => take(Err(why)),
                    }
                }
            }
            _ => return Err(format!("page {number} is no part of a table")),
        }
        Ok(())
    }

    /// How long a record is, what of it is in its cell, and what follows there.
    fn payload<'p>(&self, cell: &'p [u8]) -> Option<(u64, &'p [u8], &'p [u8])> {
        let (length, rest) = varint(cell)?;
        let (_row, rest) = varint(rest)?;
        let most = self.usable as u64 - 35;
        let least = (self.usable as u64 - 12) * 32 / 255 - 23;
        let here = if length <= most {
            length
        } else {
            let here = least + (length - least) % (self.usable as u64 - 4);
            if here <= most { here } else { least }
        };
        let (here, rest) = rest.split_at_checked(usize::try_from(here).ok()?)?;
        Some((length, here, rest))
    }

    /// A record from what is in its cell, and from the chain of pages that holds the rest.
    fn record(&mut self, length: u64, here: &[u8], rest: &[u8]) -> Result<Vec<u8>, String> {
        let length = usize::try_from(length)
            .ok()
            .filter(|it| *it <= LARGEST_HEADER)
            .ok_or_else(|| format!("a package is larger than {LARGEST_HEADER} bytes"))?;
        let mut record = here.to_vec();
        let mut next = bytes_at(rest, 0).map(u32::from_be_bytes).unwrap_or_default();
        while record.len() < length {
            if !self.claim(next) {
                return Err(stray(next));
            }
            let page = self.page(next)?;
            let part = (length - record.len()).min(self.usable - 4);
            let part = page.get(4..4 + part).ok_or_else(|| format!("page {next} is too short"))?;
            record.extend_from_slice(part);
            next = bytes_at(&page, 0).map(u32::from_be_bytes).unwrap_or_default();
        }
        Ok(record)
    }
}

fn stray(page: u32) -> String {
    format!("page {page} is not there, or used twice")
}

/// One column of a record.
#[derive(Clone, Copy)]
struct Value<'a> {
    kind: u64,
    bytes: &'a [u8],
}

impl Value<'_> {
    fn is_blob(self) -> bool {
        self.kind >= 12 && self.kind.is_multiple_of(2)
    }

    /// Whatever the encoding of the database: the texts we look for are ASCII.
    fn is_text(self, text: &str) -> bool {
        self.kind >= 13
            && self.kind % 2 == 1
            && self.bytes.iter().filter(|it| **it != 0).eq(text.as_bytes())
    }

    fn number(self) -> Option<u64> {
        match self.kind {
            1..=6 => Some(self.bytes.iter().fold(0, |number, it| number << 8 | u64::from(*it))),
            9 => Some(1),
            _ => None,
        }
    }
}

/// The columns of a record, as far as they can be read.
fn values(record: &[u8]) -> impl Iterator<Item = Value<'_>> {
    let (kinds, mut body) = varint(record)
        .and_then(|(length, kinds)| {
            let length = usize::try_from(length).ok()?;
            let head = length.checked_sub(record.len() - kinds.len())?;
            Some((kinds.get(..head)?, record.get(length..)?))
        })
        .unwrap_or_default();
    let mut kinds = kinds;
    std::iter::from_fn(move || {
        let (kind, rest) = varint(kinds)?;
        kinds = rest;
        let size = match kind {
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            12.. => (kind - 12) / 2,
            _ => 0,
        };
        let (bytes, rest) = body.split_at_checked(usize::try_from(size).ok()?)?;
        body = rest;
        Some(Value { kind, bytes })
    })
}

/// Seven bits a byte, the highest bit set in all but the last; a ninth byte has eight.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        if at == 8 {
            return Some((number << 8 | u64::from(*byte), &bytes[9..]));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[at + 1..]));
        }
    }
    None
}
