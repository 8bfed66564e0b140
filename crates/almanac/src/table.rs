//! A table: numbered entries of any length, some of them sorted, read where they lie.
//!
//! `count`, `step`, the offset of every `step`th entry (four bytes each, the lowest first), then the
//! entries, each with its length before it.

use crate::bytes::{Bytes, put_blob};

/// What is there does not make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Torn;

/// A table, in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<'a> {
    count: u32,
    step: u32,
    index: &'a [u8],
    entries: &'a [u8],
}

impl<'a> Table<'a> {
    pub(crate) fn of(section: &'a [u8]) -> Result<Self, Torn> {
        let mut bytes = Bytes::new(section);
        let (count, step) = bytes.fixed().zip(bytes.fixed()).ok_or(Torn)?;
        if step == 0 {
            return Err(Torn);
        }
        let length = usize::try_from(count.div_ceil(step)).map_err(|_| Torn)?;
        let index = bytes.take(length.checked_mul(4).ok_or(Torn)?).ok_or(Torn)?;
        Ok(Self { count, step, index, entries: bytes.rest() })
    }

    pub(crate) fn len(self) -> u32 {
        self.count
    }

    pub(crate) fn get(self, number: u32) -> Option<&'a [u8]> {
        self.range(number, 1).next().flatten()
    }

    pub(crate) fn text(self, number: u32) -> Option<&'a str> {
        std::str::from_utf8(self.get(number)?).ok()
    }

    /// The entries from `first` on, at most `count` of them. One that cannot be read is the last.
    pub(crate) fn range(
        self,
        first: u32,
        count: u32,
    ) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        let count = count.min(self.count.saturating_sub(first));
        let mut bytes = if count == 0 { None } else { self.block(first / self.step) };
        for _ in 0..first % self.step {
            // A hostile step is as large as numbers go: what has ended is not skipped any further.
            let Some(mut rest) = bytes else { break };
            bytes = rest.blob().map(|_| rest);
        }
        let mut left = count;
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let entry = bytes.as_mut().and_then(Bytes::blob);
            if entry.is_none() {
                left = 0;
            }
            Some(entry)
        })
    }

    /// The number of the first entry that is not less than `wanted`, of a sorted table.
    pub(crate) fn lower_bound(self, wanted: &[u8]) -> Result<u32, Torn> {
        let (mut low, mut high) = (0, self.count.div_ceil(self.step));
        // The last block whose first entry is less, or the first block.
        while low < high {
            let middle = low + (high - low) / 2;
            let head = self.block(middle).and_then(|mut it| it.blob()).ok_or(Torn)?;
            if head < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut number = low.saturating_sub(1).saturating_mul(self.step);
        for entry in self.range(number, self.step) {
            if entry.ok_or(Torn)? >= wanted {
                break;
            }
            number += 1;
        }
        Ok(number)
    }

    /// The number of the entry `wanted`, of a sorted table.
    pub(crate) fn find(self, wanted: &[u8]) -> Result<Option<u32>, Torn> {
        let number = self.lower_bound(wanted)?;
        if number >= self.count {
            return Ok(None);
        }
        let entry = self.get(number).ok_or(Torn)?;
        Ok((entry == wanted).then_some(number))
    }

    /// Does the index tell of every entry where it is, one after the other, and of nothing else?
    pub(crate) fn is_sound(self) -> bool {
        let mut bytes = Bytes::new(self.entries);
        let mut index = Bytes::new(self.index);
        for number in 0..self.count {
            let at = self.entries.len() - bytes.rest().len();
            if number.is_multiple_of(self.step) && index.fixed().map(u64::from) != Some(at as u64) {
                return false;
            }
            if bytes.blob().is_none() {
                return false;
            }
        }
        bytes.is_empty()
    }

    fn block(self, number: u32) -> Option<Bytes<'a>> {
        let at = usize::try_from(number).ok()?.checked_mul(4)?;
        let offset = Bytes::new(self.index.get(at..)?).fixed()?;
        Some(Bytes::new(self.entries.get(usize::try_from(offset).ok()?..)?))
    }
}

/// Writes a table.
#[derive(Debug)]
pub(crate) struct TableWriter {
    step: u32,
    count: u32,
    index: Vec<u8>,
    entries: Vec<u8>,
}

impl TableWriter {
    /// A small step finds faster, a large one takes less room.
    pub(crate) fn new(step: u32) -> Self {
        Self { step, count: 0, index: Vec::new(), entries: Vec::new() }
    }

    pub(crate) fn push(&mut self, entry: &[u8]) {
        if self.count.is_multiple_of(self.step) {
            // Offsets beyond four bytes are refused by `finish`.
            self.index.extend_from_slice(&(self.entries.len() as u32).to_le_bytes());
        }
        put_blob(&mut self.entries, entry);
        self.count = self.count.saturating_add(1);
    }

    pub(crate) fn len(&self) -> u32 {
        self.count
    }

    /// The table, unless it is larger than offsets can tell.
    pub(crate) fn finish(self) -> Result<Vec<u8>, Torn> {
        u32::try_from(self.entries.len()).map_err(|_| Torn)?;
        let mut out = Vec::with_capacity(8 + self.index.len() + self.entries.len());
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.step.to_le_bytes());
        out.extend_from_slice(&self.index);
        out.extend_from_slice(&self.entries);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn table_of(entries: &BTreeSet<Vec<u8>>, step: u32) -> Vec<u8> {
        let mut writer = TableWriter::new(step);
        for entry in entries {
            writer.push(entry);
        }
        writer.finish().unwrap()
    }

    proptest! {
        #[test]
        fn finds_what_is_there_and_nothing_else(
            entries: BTreeSet<Vec<u8>>, wanted: Vec<u8>, step in 1_u32..9,
        ) {
            let bytes = table_of(&entries, step);
            let table = Table::of(&bytes).unwrap();
            prop_assert_eq!(table.len() as usize, entries.len());
            prop_assert!(table.is_sound());
            for (number, entry) in (0_u32..).zip(&entries) {
                prop_assert_eq!(table.get(number), Some(&**entry));
                prop_assert_eq!(table.find(entry), Ok(Some(number)));
            }
            let expect = entries.iter().position(|it| *it == wanted).map(|it| it as u32);
            prop_assert_eq!(table.find(&wanted), Ok(expect));
            let bound = entries.range(wanted.clone()..).count();
            let expect = (entries.len() - bound) as u32;
            prop_assert_eq!(table.lower_bound(&wanted), Ok(expect));
        }

        #[test]
        fn junk_is_torn_or_empty(junk: Vec<u8>, wanted: Vec<u8>, number: u32) {
            if let Ok(table) = Table::of(&junk) {
                let _ = table.find(&wanted);
                let _ = table.get(number);
                let _ = table.is_sound();
                prop_assert!(table.range(0, u32::MAX).count() <= junk.len() + 1);
            }
        }
    }
}
