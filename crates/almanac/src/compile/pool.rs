//! Strings that many rows share: each is there once, the most frequent first, where numbers are short.

use std::collections::HashMap;

use crate::bytes::put_blob;

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

    pub(super) fn settle(self) -> Pool {
        let mut entries: Vec<(Vec<u8>, u32)> = self.0.into_iter().collect();
        entries.sort_unstable_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(&right.0)));
        let mut pool = Pool::default();
        for (bytes, _) in entries {
            let offset = pool.bytes.len() as u64;
            put_blob(&mut pool.bytes, &bytes);
            pool.offsets.insert(bytes, offset);
        }
        pool
    }
}

/// Where everything is.
#[derive(Debug, Default)]
pub(super) struct Pool {
    offsets: HashMap<Vec<u8>, u64>,
    pub(super) bytes: Vec<u8>,
}

impl Pool {
    pub(super) fn offset(&self, bytes: &[u8]) -> u64 {
        *self.offsets.get(bytes).expect("everything was counted before it is written")
    }
}
