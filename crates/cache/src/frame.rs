//! The form of one kept file: a header that proves the rest, then the value.

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

const MAGIC: &[u8; 8] = b"foretop\0";
/// Raised when this file's form changes.
const VERSION: u16 = 1;
/// Changes with the types that are kept.
const SHAPE: &str = env!("MODEL_SHAPE");
/// Magic, version, length of the payload, its hash.
const HEADER: usize = 8 + 2 + 8 + 8;

/// The file that keeps `value` under `key`.
pub(crate) fn pack<T: Serialize>(key: &str, value: &T) -> Result<Vec<u8>, postcard::Error> {
    let mut file = postcard::to_extend(value, vec![0; HEADER])?;
    let (header, payload) = file.split_at_mut(HEADER);
    header.copy_from_slice(&header_of(key, payload));
    Ok(file)
}

/// The value that `file` keeps under `key`, if it is whole and ours.
pub(crate) fn unpack<T: DeserializeOwned>(key: &str, file: &[u8]) -> Option<T> {
    let (header, payload) = file.split_at_checked(HEADER)?;
    if header != header_of(key, payload) {
        return None;
    }
    match postcard::take_from_bytes(payload) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}

fn header_of(key: &str, payload: &[u8]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(MAGIC);
    header[8..10].copy_from_slice(&VERSION.to_le_bytes());
    header[10..18].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    let seed = xxh3_64_with_seed(key.as_bytes(), xxh3_64(SHAPE.as_bytes()));
    let hash = xxh3_64_with_seed(payload, seed);
    header[18..].copy_from_slice(&hash.to_le_bytes());
    header
}
