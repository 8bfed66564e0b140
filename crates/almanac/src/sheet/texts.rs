//! Words: which block they lie in, and many of them read at once.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread;

use zstd::bulk::Decompressor;

use crate::bytes::Bytes;
use crate::contract::Text;
use crate::layout::Section;

use super::Sheet;

/// No block is larger than this once it is unpacked.
pub(crate) const LARGEST_BLOCK: usize = 16 << 20;
/// A thread hands out at most so many bytes of words: far more than any analysis has, and less than
/// a sheet made to fill the memory would like.
const MOST: usize = 256 << 20;
/// Below this another thread takes longer to start than to help.
const FEW: usize = 8;

/// Asked once, for it takes reading a few files.
static CORES: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));

/// Which block, and where in it.
pub(crate) type Place = (u32, u32);

/// Somebody wants the words at that place of that sheet.
pub(crate) struct Wanted<'a> {
    pub(crate) sheet: &'a Sheet,
    pub(crate) place: Place,
    /// Which answer they are.
    pub(crate) number: usize,
}

impl Wanted<'_> {
    fn block(&self) -> (usize, u32) {
        (std::ptr::from_ref(self.sheet).addr(), self.place.0)
    }
}

/// So many answers, of which those that can be read are there. Each block is unpacked once, on
/// whatever core is free.
pub(crate) fn read(mut wanted: Vec<Wanted<'_>>, answers: usize) -> Vec<Option<Text>> {
    wanted.sort_unstable_by_key(|it| (it.block(), it.place));
    let blocks: Vec<&[Wanted<'_>]> =
        wanted.chunk_by(|left, right| left.block() == right.block()).collect();
    let share = blocks.len().div_ceil(*CORES).max(FEW);
    let mut found = vec![None; answers];
    let mut keep = |texts: Vec<(usize, Text)>| {
        for (number, text) in texts {
            if let Some(it) = found.get_mut(number) {
                *it = Some(text);
            }
        }
    };
    if blocks.len() <= share {
        keep(read_blocks(&blocks));
        return found;
    }
    thread::scope(|scope| {
        let shares: Vec<_> =
            blocks.chunks(share).map(|it| scope.spawn(move || read_blocks(it))).collect();
        for it in shares {
            keep(it.join().expect("reading words does not panic"));
        }
    });
    found
}

fn read_blocks(blocks: &[&[Wanted<'_>]]) -> Vec<(usize, Text)> {
    let mut unpacker = Unpacker::default();
    let mut room = MOST;
    let mut found = Vec::new();
    for it in blocks.iter().copied().flatten() {
        let Some(text) = unpacker.text(it.sheet, it.place) else { continue };
        let Some(left) = room.checked_sub(text.size()) else { continue };
        room = left;
        found.push((it.number, text));
    }
    found
}

/// Unpacks blocks, and keeps the last one.
#[derive(Default)]
pub(super) struct Unpacker {
    decompressor: Option<Decompressor<'static>>,
    block: Vec<u8>,
    /// Whose it is.
    of: Option<(usize, u32)>,
}

impl Unpacker {
    /// The words at that place.
    pub(super) fn text(&mut self, sheet: &Sheet, place: Place) -> Option<Text> {
        let of = Wanted { sheet, place, number: 0 }.block();
        if self.of != Some(of) {
            self.of = None;
            self.unpack(sheet, place.0)?;
            self.of = Some(of);
        }
        let mut bytes = Bytes::new(self.block.get(usize::try_from(place.1).ok()?..)?);
        let mut text = Text {
            title: bytes.text()?.to_owned(),
            details: bytes.text()?.to_owned(),
            references: Vec::new(),
        };
        let count = bytes.count()?;
        text.references.reserve_exact(count.min(64));
        for _ in 0..count {
            text.references.push(bytes.text()?.to_owned());
        }
        Some(text)
    }

    fn unpack(&mut self, sheet: &Sheet, number: u32) -> Option<()> {
        let mut bytes = Bytes::new(sheet.table(Section::Texts).ok()?.get(number)?);
        let length = usize::try_from(bytes.number()?).ok()?;
        if length > LARGEST_BLOCK {
            return None;
        }
        if self.decompressor.is_none() {
            self.decompressor = Some(Decompressor::new().ok()?);
        }
        self.block.clear();
        self.block.reserve(length);
        let unpacked =
            self.decompressor.as_mut()?.decompress_to_buffer(bytes.rest(), &mut self.block).ok()?;
        (unpacked == length).then_some(())
    }
}

impl Text {
    fn size(&self) -> usize {
        let references = self.references.iter().map(|it| it.len() + size_of::<String>());
        self.title.len() + self.details.len() + references.sum::<usize>() + size_of::<Self>()
    }
}
