//! Sparse files: a map of data between holes that are not stored.

use std::ops::Range;

use super::header::number;
use super::pax::{SparsePax, decimal};
use crate::Problem;

/// Where a file's data is; all else is zeros.
pub(super) struct Sparse {
    /// Of the file once its holes are filled.
    pub(super) size: u64,
    /// In order, not empty, not touching what is outside.
    data: Vec<Range<u64>>,
    /// The first of `data` that is not read to its end.
    next: usize,
    at: u64,
}

/// What the next bytes of a sparse file are.
pub(super) enum Stretch {
    Hole(u64),
    Data(u64),
    End,
}

impl Sparse {
    /// From offsets and lengths by turns, of which `stored` bytes are in the archive.
    pub(super) fn new(map: &[u64], size: u64, stored: u64) -> Result<Self, Problem> {
        let (pairs, rest) = map.as_chunks::<2>();
        let mut data = Vec::with_capacity(pairs.len());
        let (mut end, mut total) = (0, 0_u64);
        for &[offset, length] in pairs {
            let stop = offset.checked_add(length).filter(|it| *it <= size).ok_or_else(broken)?;
            if offset < end {
                return Err(broken());
            }
            end = stop;
            total = total.checked_add(length).ok_or_else(broken)?;
            if length > 0 {
                data.push(offset..stop);
            }
        }
        if !rest.is_empty() || total > stored {
            return Err(broken());
        }
        Ok(Self { size, data, next: 0, at: 0 })
    }

    /// What comes next, and how much of it.
    pub(super) fn stretch(&mut self) -> Stretch {
        while self.data.get(self.next).is_some_and(|it| it.end <= self.at) {
            self.next += 1;
        }
        match self.data.get(self.next) {
            Some(data) if data.start <= self.at => Stretch::Data(data.end - self.at),
            Some(data) => Stretch::Hole(data.start - self.at),
            None if self.at < self.size => Stretch::Hole(self.size - self.at),
            None => Stretch::End,
        }
    }

    /// So many bytes of the stretch were taken.
    pub(super) fn advance(&mut self, count: u64) {
        self.at += count;
    }
}

impl SparsePax {
    /// True when the map stands before the data (version 1.0).
    pub(super) fn map_is_in_body(&self) -> bool {
        self.major == Some(1) && self.minor == Some(0)
    }

    /// True when the map is in the records (versions 0.0 and 0.1, which need not say so).
    pub(super) fn map_is_in_records(&self) -> bool {
        let version = matches!((self.major, self.minor), (None, None) | (Some(0), Some(0 | 1)));
        version && self.map.is_some()
    }
}

/// Entries of an old GNU map: 12 bytes of offset, 12 of length, until one is blank.
pub(super) fn old_map(fields: &[u8], map: &mut Vec<u64>) -> Result<(), Problem> {
    let (entries, _) = fields.as_chunks::<24>();
    for entry in entries.iter().take_while(|it| it[0] != 0) {
        let (offset, length) = entry.split_at(12);
        map.push(number(offset).ok_or_else(broken)?);
        map.push(number(length).ok_or_else(broken)?);
    }
    Ok(())
}

/// The map of version 1.0: decimal numbers, one a line, their count first. It is handed over block
/// by block, as it may not end before the last of many.
#[derive(Default)]
pub(super) struct MapInBody {
    map: Vec<u64>,
    /// Pairs still to come, once the first line was read.
    wanted: Option<u64>,
    line: Vec<u8>,
}

impl MapInBody {
    /// Reads one block; true once the map is whole. What follows it in the block is padding.
    pub(super) fn push(&mut self, block: &[u8]) -> Result<bool, Problem> {
        for &byte in block {
            if self.wanted == Some(self.map.len() as u64) {
                break;
            }
            if byte != b'\n' {
                self.line.push(byte);
                continue;
            }
            let number = decimal(&self.line).ok_or_else(broken)?;
            self.line.clear();
            match self.wanted {
                Some(_) => self.map.push(number),
                None => self.wanted = Some(number.checked_mul(2).ok_or_else(broken)?),
            }
        }
        Ok(self.wanted == Some(self.map.len() as u64))
    }

    pub(super) fn into_map(self) -> Vec<u64> {
        self.map
    }
}

pub(super) fn broken() -> Problem {
    Problem::Corrupt("the map of a sparse file in it is broken".to_owned())
}
