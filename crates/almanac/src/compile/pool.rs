//! What many share is there once, the most frequent first, where numbers are short.

use std::collections::HashMap;

use crate::bytes::{put_blob, put_number};
use crate::record::LONGEST_LIST;
use crate::table::{TableWriter, Torn};

/// Counts who uses what.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<Vec<u8>, u32>);

impl Counts {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if let Some(count) = self.0.get_mut(bytes) {
            *count += 1;
        } else {
            self.0.insert(bytes.to_vec(), 1);
        }
    }

    /// All of it.
    pub(super) fn pool(self) -> Pool {
        self.settle(|_, _| true)
    }

    /// Only the lists that take less room if they are there once.
    pub(super) fn lists(self) -> Lists {
        Lists(self.settle(|list, count| count > 1 && list.len() <= LONGEST_LIST))
    }

    fn settle(self, is_shared: impl Fn(&[u8], u32) -> bool) -> Pool {
        let mut entries: Vec<(Vec<u8>, u32)> = self.0.into_iter().collect();
        entries.retain(|(bytes, count)| is_shared(bytes, *count));
        entries.sort_unstable_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(&right.0)));
        let mut pool = Pool { numbers: HashMap::new(), table: TableWriter::new(4) };
        for (bytes, _) in entries {
            let number = pool.table.len();
            pool.table.push(&bytes);
            pool.numbers.insert(bytes, number);
        }
        pool
    }
}

/// What everything is numbered.
#[derive(Debug)]
pub(super) struct Pool {
    numbers: HashMap<Vec<u8>, u32>,
    table: TableWriter,
}

impl Pool {
    pub(super) fn number(&self, bytes: &[u8]) -> u64 {
        u64::from(*self.numbers.get(bytes).expect("everything was counted before it is written"))
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, Torn> {
        self.table.finish()
    }
}

/// What every list that is shared is numbered.
#[derive(Debug)]
pub(super) struct Lists(Pool);

impl Lists {
    /// The number of a shared list, or the list itself.
    pub(super) fn put(&self, out: &mut Vec<u8>, list: &[u8]) {
        if let Some(number) = self.0.numbers.get(list) {
            put_number(out, u64::from(*number) + 1);
        } else {
            out.push(0);
            put_blob(out, list);
        }
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, Torn> {
        self.0.finish()
    }
}
