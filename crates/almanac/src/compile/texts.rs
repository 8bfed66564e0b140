//! Words go apart from what is matched: into blocks that are compressed and unpacked on demand.

use std::num::NonZero;
use std::thread;

use model::Advisory;

use crate::bytes::{put_blob, put_number};
use crate::sheet::texts::LARGEST_BLOCK;
use crate::table::{TableWriter, Torn};

/// Large enough to compress well, small enough to be unpacked in a fraction of a millisecond.
const BLOCK: usize = 20 << 10;
/// Words beyond this are cut, and that is a gap.
const LONGEST: usize = 2 << 20;
const LEVEL: i32 = 15;

pub(super) fn has_text(advisory: &Advisory) -> bool {
    !(advisory.title.is_empty() && advisory.details.is_empty() && advisory.references.is_empty())
}

/// Packs words into blocks.
#[derive(Debug, Default)]
pub(super) struct TextWriter {
    blocks: Vec<Vec<u8>>,
}

impl TextWriter {
    /// Which block, where in it, and whether something was cut off.
    pub(super) fn add(&mut self, advisory: &Advisory) -> (u64, u64, bool) {
        let mut text = Vec::new();
        let (title, long_title) = cut(&advisory.title, LONGEST);
        let (details, long_details) = cut(&advisory.details, LONGEST);
        put_blob(&mut text, title.as_bytes());
        put_blob(&mut text, details.as_bytes());
        let mut room = LONGEST;
        let references: Vec<&String> = (advisory.references.iter())
            .take_while(|it| {
                let left = room.checked_sub(it.len() + 1);
                room = left.unwrap_or(0);
                left.is_some()
            })
            .collect();
        put_number(&mut text, references.len() as u64);
        for reference in &references {
            put_blob(&mut text, reference.as_bytes());
        }
        if self.blocks.last().is_none_or(|it| it.len() + text.len() > BLOCK) {
            self.blocks.push(Vec::new());
        }
        let number = self.blocks.len() as u64 - 1;
        let block = self.blocks.last_mut().expect("one was just made sure of");
        let at = block.len() as u64;
        block.extend_from_slice(&text);
        debug_assert!(block.len() <= LARGEST_BLOCK);
        let short = references.len() < advisory.references.len();
        (number, at, long_title || long_details || short)
    }

    /// The section, compressed on every core.
    pub(super) fn finish(self) -> Result<Vec<u8>, Torn> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let share = self.blocks.len().div_ceil(cores).max(1);
        let packed: Vec<Vec<Vec<u8>>> = thread::scope(|scope| {
            let shares: Vec<_> =
                self.blocks.chunks(share).map(|blocks| scope.spawn(move || pack(blocks))).collect();
            shares.into_iter().map(|it| it.join().expect("compressing does not panic")).collect()
        });
        let mut table = TableWriter::new(1);
        for block in packed.iter().flatten() {
            table.push(block);
        }
        table.finish()
    }
}

fn pack(blocks: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL).expect("the level is one of zstd's");
    let pack = |block: &Vec<u8>| {
        let mut out = Vec::new();
        put_number(&mut out, block.len() as u64);
        let packed = compressor.compress(block).expect("memory can be compressed to memory");
        out.extend_from_slice(&packed);
        out
    };
    blocks.iter().map(pack).collect()
}

fn cut(text: &str, length: usize) -> (&str, bool) {
    let end = text.floor_char_boundary(length);
    (text.get(..end).unwrap_or_default(), end < text.len())
}
