//! ndb, the database of SUSE: a table of slots, and a blob for each package.
//! All numbers are little-endian; blobs lie in blocks of 16 bytes.

use super::{LARGEST_HEADER, Take, bytes_at, read_at};
use crate::File;

pub(super) const MAGIC: &[u8] = b"RpmP";

const SLOT: &[u8] = b"Slot";
const BLOB: &[u8] = b"BlbS";
const PAGE: usize = 4096;
const BLOCK: u64 = 16;
/// Room for a million packages.
const MOST_PAGES: u32 = 4096;

pub(super) fn read(file: &File<'_>, take: Take<'_>) -> Result<(), String> {
    let unreadable = |it| format!("cannot be read: {it}");
    let start = read_at(file, 0, 32).map_err(unreadable)?;
    let word = |bytes: &[u8], at| bytes_at(bytes, at).map_or(0, u32::from_le_bytes);
    if word(&start, 4) != 0 {
        return Err(format!(
            "is an ndb database of version {}, which we do not know",
            word(&start, 4)
        ));
    }
    // Blobs do not overlap, so together they are no larger than the file.
    let mut budget = file.size();
    let pages = word(&start, 12);
    if pages > MOST_PAGES {
        take(Err(format!("says it has {pages} pages of slots")));
    }
    for page in 0..pages.min(MOST_PAGES) {
        let slots = read_at(file, u64::from(page) * PAGE as u64, PAGE).map_err(|error| {
            format!("page {page} of its table of slots cannot be read: {error}")
        })?;
        let header = if page == 0 { 2 } else { 0 };
        for slot in slots.as_chunks::<16>().0.iter().skip(header) {
            if !slot.starts_with(SLOT) {
                take(Err(format!("page {page} of its table of slots is broken")));
                break;
            }
            let (package, offset, blocks) = (word(slot, 4), word(slot, 8), word(slot, 12));
            if offset == 0 {
                continue;
            }
            let size = u64::from(blocks) * BLOCK;
            let Some(left) = budget.checked_sub(size) else {
                return Err("holds packages that overlap".to_owned());
            };
            budget = left;
            match blob(file, package, u64::from(offset) * BLOCK, size) {
                Ok(blob) => take(Ok(blob.get(16..).unwrap_or_default())),
                Err(why) => take(Err(format!("package {package} {why}"))),
            }
        }
    }
    Ok(())
}

/// A blob with its head (magic, package, time, length), without its tail.
fn blob(file: &File<'_>, package: u32, offset: u64, size: u64) -> Result<Vec<u8>, String> {
    let size = usize::try_from(size)
        .ok()
        .filter(|it| *it <= LARGEST_HEADER)
        .ok_or_else(|| format!("is larger than {LARGEST_HEADER} bytes"))?;
    let mut blob =
        read_at(file, offset, size).map_err(|error| format!("cannot be read: {error}"))?;
    let word = |at| bytes_at(&blob, at).map(u32::from_le_bytes);
    if !blob.starts_with(BLOB) || word(4) != Some(package) {
        return Err("is not where the table of slots says".to_owned());
    }
    let end = word(12).map_or(usize::MAX, |it| (it as usize).saturating_add(16));
    if end > blob.len() {
        return Err("is cut off".to_owned());
    }
    blob.truncate(end);
    Ok(blob)
}
