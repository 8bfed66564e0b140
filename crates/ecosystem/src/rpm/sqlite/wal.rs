//! SQLite's write-ahead log: pages newer than those of the database, if nobody has moved them there.
//! <https://www.sqlite.org/fileformat.html#the_write_ahead_log>

use std::collections::HashMap;

use crate::rpm::bytes_at;

const HEADER: usize = 32;
const FRAME: usize = 24;

/// Pages of transactions that were completed.
pub(super) struct Wal<'a> {
    pages: HashMap<u32, &'a [u8]>,
}

impl<'a> Wal<'a> {
    /// None where it is no log, or one of a database with other pages.
    pub(super) fn parse(bytes: &'a [u8], page_size: usize) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        let word = |bytes, at| bytes_at(bytes, at).map(u32::from_be_bytes);
        let is_big = match word(header, 0)? {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let mut sum = Sum { is_big, sums: (0, 0) };
        sum.add(header.get(..24)?);
        if word(header, 8)? as usize != page_size || !sum.is(header.get(24..)?) {
            return None;
        }
        let mut pages = HashMap::new();
        let mut pending = Vec::new();
        // What is left from before the log was started over has other salts.
        for frame in bytes.get(HEADER..)?.chunks_exact(FRAME + page_size) {
            let (head, page) = frame.split_at(FRAME);
            sum.add(head.get(..8)?);
            sum.add(page);
            if head.get(8..16) != header.get(16..24) || !sum.is(head.get(16..)?) {
                break;
            }
            pending.push((word(head, 0)?, page));
            let is_commit = word(head, 4)? != 0;
            if is_commit {
                pages.extend(pending.drain(..));
            }
        }
        Some(Self { pages })
    }

    pub(super) fn last_page(&self) -> u32 {
        self.pages.keys().copied().max().unwrap_or_default()
    }

    pub(super) fn page(&self, number: u32) -> Option<&'a [u8]> {
        self.pages.get(&number).copied()
    }
}

/// The checksum that runs through the log.
struct Sum {
    is_big: bool,
    sums: (u32, u32),
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let word = |it: [u8; 4]| {
            if self.is_big { u32::from_be_bytes(it) } else { u32::from_le_bytes(it) }
        };
        let (mut first, mut second) = self.sums;
        for [a, b, c, d, e, f, g, h] in bytes.as_chunks::<8>().0 {
            first = first.wrapping_add(word([*a, *b, *c, *d])).wrapping_add(second);
            second = second.wrapping_add(word([*e, *f, *g, *h])).wrapping_add(first);
        }
        self.sums = (first, second);
    }

    fn is(&self, stated: &[u8]) -> bool {
        let sums = [self.sums.0.to_be_bytes(), self.sums.1.to_be_bytes()];
        stated.get(..8) == Some(sums.as_flattened())
    }
}
