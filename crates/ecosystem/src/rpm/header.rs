//! The header of one package: numbered fields, sorted, big-endian.
//! <https://rpm.org/docs/latest/manual/format_header.html>

use model::PathHash;

use super::bytes_at;
use crate::merged;

pub(super) const SIGSIZE: u32 = 257;
pub(super) const LONGSIGSIZE: u32 = 270;
pub(super) const NAME: u32 = 1000;
pub(super) const VERSION: u32 = 1001;
pub(super) const RELEASE: u32 = 1002;
pub(super) const EPOCH: u32 = 1003;
pub(super) const SUMMARY: u32 = 1004;
pub(super) const SIZE: u32 = 1009;
pub(super) const VENDOR: u32 = 1011;
pub(super) const LICENSE: u32 = 1014;
pub(super) const PACKAGER: u32 = 1015;
pub(super) const URL: u32 = 1020;
pub(super) const ARCH: u32 = 1022;
const OLDFILENAMES: u32 = 1027;
pub(super) const SOURCERPM: u32 = 1044;
const DIRINDEXES: u32 = 1116;
const BASENAMES: u32 = 1117;
const DIRNAMES: u32 = 1118;
pub(super) const LONGSIZE: u32 = 5009;
pub(super) const MODULARITYLABEL: u32 = 5096;

const INT32: u32 = 4;
const INT64: u32 = 5;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// More than any package has.
const MOST_FILES: usize = 1 << 20;
const LONGEST_PATH: usize = 4096;

/// The fields of one package.
pub(super) struct Header<'a> {
    index: &'a [[u8; 16]],
    data: &'a [u8],
}

struct Entry<'a> {
    kind: u32,
    count: u32,
    data: &'a [u8],
}

impl<'a> Header<'a> {
    pub(super) fn parse(blob: &'a [u8]) -> Result<Self, String> {
        let word = |at| bytes_at(blob, at).map(u32::from_be_bytes).map(|it| it as usize);
        let broken = || "a package's header is cut off".to_owned();
        let (entries, length) = word(0).zip(word(4)).ok_or_else(broken)?;
        let index = entries.checked_mul(16).and_then(|it| it.checked_add(8)).ok_or_else(broken)?;
        let end = index.checked_add(length).ok_or_else(broken)?;
        let (index, data) = blob.get(8..index).zip(blob.get(index..end)).ok_or_else(broken)?;
        Ok(Self { index: index.as_chunks().0, data })
    }

    /// The last entry counts: what was changed at installation is appended to what was shipped.
    fn entry(&self, tag: u32) -> Option<Entry<'a>> {
        let index = self.index.iter().rfind(|it| it.starts_with(&tag.to_be_bytes()))?;
        let word = |at| bytes_at(index, at).map(u32::from_be_bytes);
        let data = self.data.get(word(8)? as usize..)?;
        Some(Entry { kind: word(4)?, count: word(12)?, data })
    }

    /// The first text of a field; rpm writes `(none)` for nothing.
    pub(super) fn text(&self, tag: u32) -> Option<String> {
        let entry = self.entry(tag)?;
        if !matches!(entry.kind, STRING | STRING_ARRAY | I18N_STRING) {
            return None;
        }
        let end = memchr::memchr(0, entry.data)?;
        let text = String::from_utf8_lossy(entry.data.get(..end)?).trim().to_owned();
        (!text.is_empty() && text != "(none)").then_some(text)
    }

    /// The first number of a field.
    pub(super) fn number(&self, tag: u32) -> Option<u64> {
        let entry = self.entry(tag)?;
        match entry.kind {
            INT32 if entry.count > 0 => {
                bytes_at(entry.data, 0).map(u32::from_be_bytes).map(u64::from)
            }
            INT64 if entry.count > 0 => bytes_at(entry.data, 0).map(u64::from_be_bytes),
            _ => None,
        }
    }

    /// Hashes of the paths of its files, and whether these are all.
    pub(super) fn files(&self) -> (Vec<PathHash>, Result<(), &'static str>) {
        let mut hashes = Vec::new();
        // Real headers say much more about a file than its path, so paths are shorter than headers;
        // one long directory for a million names is somebody's trick.
        let mut budget = self.data.len().saturating_mul(64);
        if let Some(names) = self.entry(OLDFILENAMES) {
            strings(&names).for_each(|it| merged::add(&mut hashes, &String::from_utf8_lossy(it)));
        }
        let Some(names) = self.entry(BASENAMES) else { return (hashes, Ok(())) };
        let Some((folders, indexes)) = self.entry(DIRNAMES).zip(self.entry(DIRINDEXES)) else {
            return (hashes, Err("has no directories"));
        };
        if indexes.kind != INT32 {
            return (hashes, Err("has directories that are no numbers"));
        }
        let folders: Vec<&[u8]> = strings(&folders).collect();
        let mut path = Vec::new();
        let mut count = 0;
        let indexes = indexes.data.as_chunks::<4>().0.iter().take(indexes.count as usize);
        for (name, index) in strings(&names).zip(indexes) {
            count += 1;
            let Some(folder) = folders.get(u32::from_be_bytes(*index) as usize) else {
                return (hashes, Err("names a directory that is not there"));
            };
            path.clear();
            if folder.len() + name.len() > LONGEST_PATH {
                return (hashes, Err("has a path longer than 4096 bytes"));
            }
            path.extend_from_slice(folder);
            path.extend_from_slice(name);
            let Some(left) = budget.checked_sub(path.len()) else {
                return (hashes, Err("is larger than its header can tell"));
            };
            budget = left;
            merged::add(&mut hashes, &String::from_utf8_lossy(&path));
        }
        let whole = if count == names.count { Ok(()) } else { Err("is cut off") };
        (hashes, whole)
    }
}

/// As many texts as there should be, or are.
fn strings<'a>(entry: &Entry<'a>) -> impl Iterator<Item = &'a [u8]> {
    let is_text = matches!(entry.kind, STRING | STRING_ARRAY | I18N_STRING);
    let mut rest = entry.data;
    let count = if is_text { (entry.count as usize).min(MOST_FILES) } else { 0 };
    std::iter::from_fn(move || {
        let end = memchr::memchr(0, rest)?;
        let (text, tail) = rest.split_at_checked(end)?;
        rest = tail.get(1..)?;
        Some(text)
    })
    .take(count)
}
