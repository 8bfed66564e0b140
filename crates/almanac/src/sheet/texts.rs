//! Words: which block they lie in, and many of them read at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use zstd::bulk::Decompressor;

use crate::bytes::Bytes;
use crate::contract::Text;
use crate::layout::Section;

use super::Sheet;

/// No block is larger than this once it is unpacked.
pub(crate) const LARGEST_BLOCK: usize = 16 << 20;
/// At once at most so many bytes of words are handed out: far more than any analysis has, and less than
/// a sheet made to fill the memory would like.
const MOST: usize = 512 << 20;
/// For fewer blocks nobody else is called.
const FEW: usize = 4;

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

/// So many answers, of which those that can be read are there. Each block is unpacked once.
pub(crate) fn read(mut wanted: Vec<Wanted<'_>>, answers: usize) -> Vec<Option<Text>> {
    wanted.sort_unstable_by_key(|it| (it.block(), it.place));
    let blocks: Vec<&[Wanted<'_>]> =
        wanted.chunk_by(|left, right| left.block() == right.block()).collect();
    let room = Room(AtomicUsize::new(MOST));
    let read = crew::each_with(&blocks, FEW, Unpacker::default, |unpacker, wanted| {
        let block = unpacker.unpack_for(wanted)?;
        let texts = wanted.iter().filter_map(|it| {
            let text = text_at(block, it.place.1).filter(|it| room.has(it.size()))?;
            Some((it.number, text))
        });
        Some(texts.collect::<Vec<_>>())
    });
    let mut answers = vec![None; answers];
    for (number, text) in read.into_iter().flatten().flatten() {
        if let Some(answer) = answers.get_mut(number) {
            *answer = Some(text);
        }
    }
    answers
}

/// How many bytes more may be handed out.
struct Room(AtomicUsize);

impl Room {
    /// Is there room for so many? Then they are taken.
    fn has(&self, size: usize) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(size))
            .is_ok()
    }
}

/// The words that begin there.
fn text_at(block: &[u8], at: u32) -> Option<Text> {
    let mut bytes = Bytes::new(block.get(usize::try_from(at).ok()?..)?);
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
        let wanted = Wanted { sheet, place, number: 0 };
        text_at(self.unpack_for(std::slice::from_ref(&wanted))?, place.1)
    }

    /// The block that the first of these lies in.
    fn unpack_for(&mut self, wanted: &[Wanted<'_>]) -> Option<&[u8]> {
        let wanted = wanted.first()?;
        if self.of != Some(wanted.block()) {
            self.of = None;
            self.unpack(wanted.sheet, wanted.place.0)?;
            self.of = Some(wanted.block());
        }
        Some(&self.block)
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
