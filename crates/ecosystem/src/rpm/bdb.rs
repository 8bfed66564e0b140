//! BerkeleyDB's hash files, the database of older distributions, in either byte order.
//!
//! Its pages are gone through one by one instead of bucket by bucket: a page that is no longer in use
//! says so itself, and a broken one hides no other.

use super::{LARGEST_HEADER, Take, Visited, bytes_at, read_at};
use crate::File;

pub(super) const MAGIC: u32 = 0x0006_1561;

/// Pages of pairs: the second kind is of later versions, and sorted.
const HASH_UNSORTED: u8 = 2;
const HASH: u8 = 13;
const OVERFLOW: u8 = 7;
/// Nothing was ever written there, or nothing is any more.
const UNUSED: u8 = 0;
/// Kinds of items in a page of pairs.
const ON_PAGE: u8 = 1;
const OFF_PAGE: u8 = 3;
/// What stands before a page's items.
const HEAD: usize = 26;

/// The byte order of the machine that wrote the file.
#[derive(Clone, Copy)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    fn word(self, bytes: &[u8], at: usize) -> Option<u32> {
        bytes_at(bytes, at).map(|it| match self {
            Self::Little => u32::from_le_bytes(it),
            Self::Big => u32::from_be_bytes(it),
        })
    }

    fn half(self, bytes: &[u8], at: usize) -> Option<usize> {
        bytes_at(bytes, at).map(|it| match self {
            Self::Little => u16::from_le_bytes(it).into(),
            Self::Big => u16::from_be_bytes(it).into(),
        })
    }
}

struct Database<'f, 'a> {
    file: &'f File<'a>,
    order: Order,
    page_size: usize,
    last_page: u32,
    /// Pairs seen so far.
    pairs: u64,
    visited: Visited,
}

pub(super) fn read(file: &File<'_>, order: Order, take: Take<'_>) -> Result<(), String> {
    let meta = read_at(file, 0, 224).map_err(|error| format!("cannot be read: {error}"))?;
    let word = |at| order.word(&meta, at).unwrap_or_default();
    let version = word(16);
    if !(7..=10).contains(&version) {
        return Err(format!("is a BerkeleyDB hash of version {version}, which we do not know"));
    }
    if meta.get(24).is_some_and(|it| *it != 0) {
        return Err("is encrypted".to_owned());
    }
    if meta.get(26).is_some_and(|it| it & 1 != 0) {
        return Err("is a BerkeleyDB hash with checksums, which rpm never writes".to_owned());
    }
    let page_size = word(20) as usize;
    if !(512..=65_536).contains(&page_size) || !page_size.is_power_of_two() {
        return Err(format!("says its pages have {page_size} bytes"));
    }
    let in_file = (file.size() / page_size as u64).saturating_sub(1);
    let in_file = u32::try_from(in_file).unwrap_or(u32::MAX);
    if word(32) > in_file {
        take(Err(format!("is cut off: {in_file} of {} pages are there", word(32))));
    }
    let last_page = word(32).min(in_file);
    let visited = Visited::default();
    let mut database = Database { file, order, page_size, last_page, pairs: 0, visited };
    for page in 1..=last_page {
        database.pairs(page, take);
    }
    database.missing_buckets(&meta, take);
    Ok(())
}

impl Database<'_, '_> {
    fn page(&self, number: u32) -> Result<Vec<u8>, String> {
        if number == 0 || number > self.last_page {
            return Err(format!("page {number} is not there"));
        }
        let page = read_at(self.file, u64::from(number) * self.page_size as u64, self.page_size)
            .map_err(|error| format!("page {number} cannot be read: {error}"))?;
        if self.order.word(&page, 8) != Some(number) {
            return Err(format!("page {number} says it is another one"));
        }
        Ok(page)
    }

    fn kind(&self, number: u32) -> Option<u8> {
        let start = u64::from(number) * self.page_size as u64;
        read_at(self.file, start, HEAD).ok()?.get(25).copied()
    }

    /// Tells of buckets whose first page is no page of pairs. One that was never used is empty, so
    /// that is a hole only where pairs are missing.
    fn missing_buckets(&self, meta: &[u8], take: Take<'_>) {
        let word = |at| self.order.word(meta, at).unwrap_or_default();
        let (last_bucket, count) = (word(72), word(88));
        let incomplete = self.pairs < u64::from(count);
        for bucket in 0..=last_bucket.min(self.last_page) {
            // Buckets are laid out in groups, each twice as many as there were before.
            let group = (u64::from(bucket) + 1).next_power_of_two().trailing_zeros() as usize;
            let page = word(96 + 4 * group.min(31)).saturating_add(bucket);
            match self.kind(page).filter(|_| page <= self.last_page) {
                Some(HASH | HASH_UNSORTED) => {}
                Some(UNUSED) if !incomplete => {}
                // That it is cut off was said already.
                None => {}
                Some(_) => take(Err(format!("page {page} should hold packages, and does not"))),
            }
        }
    }

    /// The values in a page, if it is one of pairs.
    fn pairs(&mut self, number: u32, take: Take<'_>) {
        // Most pages belong to a chain, and need not be read here.
        if !matches!(self.kind(number), Some(HASH | HASH_UNSORTED)) {
            return;
        }
        let page = match self.page(number) {
            Ok(page) => page,
            Err(why) => return take(Err(why)),
        };
        let next = self.order.word(&page, 16).unwrap_or_default();
        if next != 0 && !matches!(self.kind(next), Some(HASH | HASH_UNSORTED)) {
            take(Err(format!("page {next} should hold packages, and does not")));
        }
        let count = self.order.half(&page, 20).unwrap_or_default();
        // Items fill the page from its end, so each ends where the one before starts.
        let mut end = page.len();
        for item in 0..count {
            let start = self.order.half(&page, HEAD + 2 * item);
            let Some(bytes) = start.and_then(|it| page.get(it..end)).filter(|it| !it.is_empty())
            else {
                return take(Err(format!("page {number} is broken at item {item}")));
            };
            end -= bytes.len();
            self.pairs += (item % 2) as u64;
            // Keys are numbers, and of no interest.
            if item % 2 == 0 {
                continue;
            }
            match bytes {
                // The pair with the key 0 holds the next number to give.
                [ON_PAGE, value @ ..] if value.len() < 16 => {}
                [ON_PAGE, value @ ..] => take(Ok(value)),
                [OFF_PAGE, ..] => {
                    let first = self.order.word(bytes, 4).unwrap_or_default();
                    let length = self.order.word(bytes, 8).unwrap_or_default() as usize;
                    match self.chain(first, length) {
                        Ok(value) => take(Ok(&value)),
                        Err(why) => take(Err(why)),
                    }
                }
                _ => take(Err(format!("page {number} has an item of an unknown kind"))),
            }
        }
    }

    /// A value too long for a page, from the chain of pages that holds it.
    fn chain(&mut self, first: u32, length: usize) -> Result<Vec<u8>, String> {
        if length > LARGEST_HEADER {
            return Err(format!("a package at page {first} is larger than {LARGEST_HEADER} bytes"));
        }
        let mut value = Vec::new();
        let mut next = first;
        while value.len() < length {
            if !self.visited.insert(next) {
                return Err(format!("page {next} is in two chains, or in one that never ends"));
            }
            let page = self.page(next)?;
            if page.get(25) != Some(&OVERFLOW) {
                return Err(format!("page {next} does not belong to a chain"));
            }
            let part = self.order.half(&page, 22).unwrap_or_default();
            let part = page
                .get(HEAD..HEAD + part)
                .filter(|it| !it.is_empty() && it.len() <= length - value.len())
                .ok_or_else(|| format!("page {next} says that it holds {part} bytes"))?;
            value.extend_from_slice(part);
            next = self.order.word(&page, 16).unwrap_or_default();
        }
        Ok(value)
    }
}
