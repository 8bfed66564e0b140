//! Folded names: sorted, each told by how it differs from the one before it, unfolded by the block.
//!
//! `count`, the offset of every block of sixteen (four bytes each, the lowest first), then the blocks.
//! The first name of a block is whole, with its length before it. Each other begins with a byte: below
//! `FARTHER`, the number that ends the name before, more by that and one, is this name; below `SHARED`,
//! the same with a second byte; else so many bytes as are beyond `SHARED` are those of the name before,
//! and the others follow, with their length before them.

use std::sync::OnceLock;

use crate::bytes::{Bytes, put_blob};
use crate::table::Torn;

/// Names of a block. It is not told in the file, so that nobody can make a block unfold to more than so
/// many times its length.
const STEP: usize = 16;
const FARTHER: u8 = 0x80;
const SHARED: u8 = 0xc0;
const MOST_SHARED: usize = (u8::MAX - SHARED) as usize;
const MOST_FARTHER: u32 = FARTHER as u32 + (((SHARED - FARTHER) as u32) << 8);
/// Blocks that are made room for together.
const SHELF: usize = 16;

/// The blocks that were asked for, unfolded: names are lent from here.
#[derive(Default)]
pub(crate) struct Unfolded(OnceLock<Option<Box<[OnceLock<Shelf>]>>>);

type Shelf = Box<[OnceLock<Option<Box<Block>>>]>;

/// Names one after the other, and where each ends.
struct Block {
    text: String,
    ends: [u32; STEP],
    count: usize,
}

/// Folded names, in place.
#[derive(Clone, Copy)]
pub(crate) struct Folded<'a> {
    count: u32,
    index: &'a [u8],
    entries: &'a [u8],
    unfolded: &'a Unfolded,
}

impl<'a> Folded<'a> {
    pub(crate) fn of(section: &'a [u8], unfolded: &'a Unfolded) -> Result<Self, Torn> {
        let mut bytes = Bytes::new(section);
        let count = bytes.fixed().ok_or(Torn)?;
        let blocks = usize::try_from(count).map_err(|_| Torn)?.div_ceil(STEP);
        let index = bytes.take(blocks.checked_mul(4).ok_or(Torn)?).ok_or(Torn)?;
        Ok(Self { count, index, entries: bytes.rest(), unfolded })
    }

    pub(crate) fn len(self) -> u32 {
        self.count
    }

    pub(crate) fn get(self, number: u32) -> Option<&'a str> {
        let number = usize::try_from(number).ok()?;
        self.block(number / STEP)?.get(number % STEP)
    }

    /// The number of the first name that is not less than `wanted`.
    pub(crate) fn lower_bound(self, wanted: &str) -> Result<u32, Torn> {
        let wanted = wanted.as_bytes();
        let (mut low, mut high) = (0, self.blocks());
        // The last block whose first name is less, or the first block.
        while low < high {
            let middle = low + (high - low) / 2;
            let first =
                self.offset(middle).and_then(|at| Bytes::new(self.entries.get(at..)?).blob());
            if first.ok_or(Torn)? < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let Some(block) = low.checked_sub(1) else { return Ok(0) };
        let names = self.block(block).ok_or(Torn)?;
        let less = names.iter().take_while(|it| it.as_bytes() < wanted).count();
        Ok((block * STEP + less) as u32)
    }

    /// The number of the name `wanted`.
    pub(crate) fn find(self, wanted: &str) -> Result<Option<u32>, Torn> {
        let number = self.lower_bound(wanted)?;
        if number >= self.count {
            return Ok(None);
        }
        let name = self.get(number).ok_or(Torn)?;
        Ok((name == wanted).then_some(number))
    }

    /// The names that begin with `prefix`, up to the first that cannot be read.
    pub(crate) fn beginning(self, prefix: &str) -> impl Iterator<Item = &'a str> + use<'a, '_> {
        let first = self.lower_bound(prefix).unwrap_or(self.count);
        let names = (first..self.count).map_while(move |it| self.get(it));
        names.take_while(move |it| it.starts_with(prefix))
    }

    /// Can all be read, is each greater than the one before it, and is nothing else there?
    pub(crate) fn is_sound(self) -> bool {
        let mut last: Option<String> = None;
        let mut ascends = |number: usize| {
            let Some(block) = self.unfold(number) else { return false };
            let names: Vec<&str> = block.iter().collect();
            let (Some(first), Some(end)) = (names.first(), names.last()) else { return false };
            let follows = last.as_deref().is_none_or(|last| last < *first);
            last = Some((*end).to_owned());
            follows && names.len() == block.count && names.is_sorted_by(|left, right| left < right)
        };
        let begins =
            if self.blocks() == 0 { self.entries.is_empty() } else { self.offset(0) == Some(0) };
        begins && self.shelves().is_some() && (0..self.blocks()).all(&mut ascends)
    }

    fn blocks(self) -> usize {
        self.index.len() / 4
    }

    fn offset(self, block: usize) -> Option<usize> {
        let offset = Bytes::new(self.index.get(block.checked_mul(4)?..)?).fixed()?;
        usize::try_from(offset).ok()
    }

    fn block(self, number: usize) -> Option<&'a Block> {
        let shelf = self.shelves()?.get(number / SHELF)?;
        let shelf = shelf.get_or_init(|| (0..SHELF).map(|_| OnceLock::new()).collect());
        let block = shelf.get(number % SHELF)?;
        block.get_or_init(|| self.unfold(number).map(Box::new)).as_deref()
    }

    fn unfold(self, number: usize) -> Option<Block> {
        let end = self.offset(number + 1).unwrap_or(self.entries.len());
        let bytes = Bytes::new(self.entries.get(self.offset(number)?..end)?);
        let left = usize::try_from(self.count).ok()?.checked_sub(number.checked_mul(STEP)?)?;
        Block::unfold(bytes, left.min(STEP))
    }

    /// None where blocks do not lie one behind the other: as none shares its bytes with another, all
    /// of them together unfold to no more than so many times what is there.
    fn shelves(self) -> Option<&'a [OnceLock<Shelf>]> {
        let shelves = self.unfolded.0.get_or_init(|| {
            let ascends = self.index.chunks_exact(4).map(|it| Bytes::new(it).fixed()).is_sorted();
            let shelves = self.blocks().div_ceil(SHELF);
            ascends.then(|| (0..shelves).map(|_| OnceLock::new()).collect())
        });
        shelves.as_deref()
    }
}

impl Block {
    fn unfold(mut bytes: Bytes<'_>, count: usize) -> Option<Self> {
        let mut text = Vec::with_capacity(24 * STEP);
        let mut ends = [0; STEP];
        let mut last = 0..0;
        for (at, end) in ends.iter_mut().take(count).enumerate() {
            let start = text.len();
            let how = if at == 0 { SHARED } else { bytes.byte()? };
            if let Some(shared) = how.checked_sub(SHARED).map(usize::from) {
                if shared > last.len() {
                    return None;
                }
                text.extend_from_within(last.start..last.start + shared);
                text.extend_from_slice(bytes.blob()?);
            } else {
                let more = match how.checked_sub(FARTHER) {
                    None => u32::from(how),
                    Some(high) => {
                        u32::from(FARTHER) + (u32::from(high) << 8) + u32::from(bytes.byte()?)
                    }
                };
                text.extend_from_within(last);
                add(text.get_mut(start..)?, more + 1)?;
            }
            last = start..text.len();
            *end = text.len().try_into().ok()?;
        }
        let text = String::from_utf8(text).ok().filter(|_| bytes.is_empty())?;
        Some(Self { text, ends, count })
    }

    fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(..self.count)?.get(at)? as usize;
        let start = at.checked_sub(1).and_then(|it| self.ends.get(it)).map_or(0, |it| *it as usize);
        self.text.get(start..end)
    }

    /// Those that can be read.
    fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.count).map_while(|it| self.get(it))
    }
}

/// Adds to the number that a name ends with, which stays as wide as it is.
fn add(name: &mut [u8], more: u32) -> Option<()> {
    let mut carry = more;
    for byte in name.iter_mut().rev() {
        if carry == 0 {
            break;
        }
        if !byte.is_ascii_digit() {
            return None;
        }
        let sum = u32::from(*byte - b'0') + carry;
        *byte = b'0' + (sum % 10) as u8;
        carry = sum / 10;
    }
    (carry == 0).then_some(())
}

/// Folds names, which must ascend.
pub(crate) fn fold<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<u8>, Torn> {
    let (mut index, mut entries) = (Vec::new(), Vec::new());
    let mut count = 0_u32;
    let mut last = "";
    for name in names {
        if (count as usize).is_multiple_of(STEP) {
            let offset = u32::try_from(entries.len()).map_err(|_| Torn)?;
            index.extend_from_slice(&offset.to_le_bytes());
            put_blob(&mut entries, name.as_bytes());
        } else if let Some(more) = distance(last, name) {
            if let Ok(byte @ ..FARTHER) = u8::try_from(more) {
                entries.push(byte);
            } else {
                let farther = more - u32::from(FARTHER);
                entries.extend([FARTHER + (farther >> 8) as u8, farther as u8]);
            }
        } else {
            let shared = last.bytes().zip(name.bytes()).take_while(|(left, right)| left == right);
            let shared = shared.count().min(MOST_SHARED);
            entries.push(SHARED + shared as u8);
            put_blob(&mut entries, name.as_bytes().get(shared..).unwrap_or_default());
        }
        count = count.checked_add(1).ok_or(Torn)?;
        last = name;
    }
    let mut out = count.to_le_bytes().to_vec();
    out.extend_from_slice(&index);
    out.extend_from_slice(&entries);
    Ok(out)
}

/// By how much, less one, the number that `name` ends with is more than that of `last`, where that is
/// all that is different and it can be written so.
fn distance(last: &str, name: &str) -> Option<u32> {
    /// More digits do not differ by so little.
    const DIGITS: usize = 9;
    let digits = name.bytes().rev().take(DIGITS).take_while(u8::is_ascii_digit).count();
    let (start, tail) = name.split_at_checked(name.len().checked_sub(digits)?)?;
    let former = last.strip_prefix(start).filter(|it| it.len() == digits)?;
    let less =
        former.bytes().all(|it| it.is_ascii_digit()).then(|| former.parse::<u32>().ok())??;
    let more = tail.parse::<u32>().ok()?.checked_sub(less)?.checked_sub(1)?;
    (more < MOST_FARTHER).then_some(more)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn check(names: &BTreeSet<String>) -> usize {
        let bytes = fold(names.iter().map(|it| &**it)).unwrap();
        let unfolded = Unfolded::default();
        let folded = Folded::of(&bytes, &unfolded).unwrap();
        assert!(folded.is_sound());
        assert_eq!(folded.len() as usize, names.len());
        for (number, name) in (0..).zip(names) {
            assert_eq!(folded.get(number), Some(&**name));
            assert_eq!(folded.find(name), Ok(Some(number)));
        }
        assert_eq!(folded.get(names.len() as u32), None);
        assert!(folded.beginning("").eq(names.iter().map(|it| &**it)));
        bytes.len()
    }

    #[test]
    fn names_that_are_counted_take_a_byte() {
        let names = |width: usize, step: usize| -> BTreeSet<String> {
            (1..1600).map(|it| format!("CVE-2024-{:0width$}", it * step)).collect()
        };
        for (width, step, expect) in [(4, 1, 1), (5, 7, 1), (6, 130, 2), (8, 9000, 2)] {
            let size = check(&names(width, step));
            assert!(size <= 4 + 100 * (4 + 1 + 9 + width) + 1500 * expect, "{size}");
        }
        // Of several lengths they are in the order of letters, and jump.
        check(&(1..3000).map(|it| format!("CVE-2024-{it}")).collect());
        check(&(1..300).map(|it| format!("{}", it * 100_000_007_u64)).collect());
        check(&(1..300).map(|it| format!("{}{it}", "a-long-name-".repeat(20))).collect());
    }

    #[test]
    fn what_counts_on_what_is_not_there_is_torn() {
        let two = |entries: &[u8]| [&[2, 0, 0, 0, 0, 0, 0, 0], entries].concat();
        let one = |entries: &[u8]| {
            let (bytes, unfolded) = (two(entries), Unfolded::default());
            Folded::of(&bytes, &unfolded).unwrap().get(1).map(str::to_owned)
        };
        let is_sound = |entries: &[u8]| {
            let (bytes, unfolded) = (two(entries), Unfolded::default());
            Folded::of(&bytes, &unfolded).unwrap().is_sound()
        };
        assert!(is_sound(b"\x03CV1\x00") && !is_sound(b"\x03CV1\xc3\x00"));
        assert_eq!(one(b"\x03CV1\x00").as_deref(), Some("CV2"));
        assert_eq!(one(b"\x03CV1\x80\x00"), None, "130 is wider than 1");
        assert_eq!(one(b"\x03CV9\x00"), None, "10 is wider than 9");
        assert_eq!(one(b"\x03CVE\x00"), None, "no number");
        assert_eq!(one(b"\x03CVE\xc4\x01A"), None, "more than there is to share");
        assert_eq!(one(b"\x03CVE\xc3\x01A").as_deref(), Some("CVEA"));
        assert_eq!(one(b"\x03CVE\xc3\x01AB"), None, "something is left over");
        assert_eq!(one(b"\x03CVE\xc3\x01\xff"), None, "no text");
    }

    #[test]
    fn blocks_that_share_their_bytes_are_torn() {
        let mut bytes = 33_u32.to_le_bytes().to_vec();
        for offset in [0_u32, 20, 0] {
            bytes.extend_from_slice(&offset.to_le_bytes());
        }
        bytes.extend([4, b'a', b'a', b'a', b'1'].into_iter().chain([0; 35]));
        let unfolded = Unfolded::default();
        let folded = Folded::of(&bytes, &unfolded).unwrap();
        assert!((0..40).all(|it| folded.get(it).is_none()) && !folded.is_sound());
    }

    proptest! {
        #[test]
        fn finds_what_is_there_and_nothing_else(
            names in prop::collection::btree_set("[A-C]{0,2}(é|[0-9]){0,3}-?[0-9]{0,4}", 0..120),
            wanted in "[A-C]{0,2}[0-9]{0,3}",
        ) {
            check(&names);
            let bytes = fold(names.iter().map(|it| &**it)).unwrap();
            let unfolded = Unfolded::default();
            let folded = Folded::of(&bytes, &unfolded).unwrap();
            let bound = names.iter().filter(|it| ***it < *wanted).count() as u32;
            prop_assert_eq!(folded.lower_bound(&wanted), Ok(bound));
            prop_assert_eq!(folded.find(&wanted).unwrap().is_some(), names.contains(&wanted));
            let beginning: Vec<&str> = folded.beginning(&wanted).collect();
            let expect: Vec<&str> =
                names.iter().map(|it| &**it).filter(|it| it.starts_with(&wanted)).collect();
            prop_assert_eq!(beginning, expect);
        }

        #[test]
        fn junk_unfolds_to_little(
            mut junk in prop::collection::vec(any::<u8>(), 0..400), wanted: String, number: u32,
        ) {
            // A count that could be, so that not all is refused at once.
            if let Some(high) = junk.get_mut(2..4) {
                high.fill(0);
            }
            let unfolded = Unfolded::default();
            if let Ok(folded) = Folded::of(&junk, &unfolded) {
                let _ = folded.find(&wanted);
                let _ = folded.get(number);
                let _ = folded.is_sound();
                let all = (0..folded.len()).filter_map(|it| folded.get(it));
                prop_assert!(all.map(str::len).sum::<usize>() <= STEP * junk.len());
            }
        }
    }
}
