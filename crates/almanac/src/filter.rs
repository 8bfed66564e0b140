//! A filter: tells quickly which names are certainly not in a sheet (a Bloom filter of single words).

use xxhash_rust::xxh3::xxh3_64;

/// About three in a hundred names that are not there pass.
const BITS_A_NAME: usize = 10;

/// What filters know a name by.
pub(crate) fn hash_of(name: &str) -> u64 {
    xxh3_64(name.as_bytes())
}

/// May the name with that hash be there? An empty or torn filter lets everything pass.
pub(crate) fn passes(filter: &[u8], hash: u64) -> bool {
    let Some(at) = word_of(hash, filter.len() / 8) else { return true };
    let word = filter.get(at * 8..).and_then(<[u8]>::first_chunk::<8>);
    let bits = bits_of(hash);
    word.is_none_or(|word| u64::from_le_bytes(*word) & bits == bits)
}

/// The filter through which these names pass.
pub(crate) fn filter_of<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Vec<u8> {
    let mut words = vec![0_u64; (names.len() * BITS_A_NAME).div_ceil(64)];
    for name in names {
        let hash = hash_of(name);
        if let Some(word) = word_of(hash, words.len()).and_then(|at| words.get_mut(at)) {
            *word |= bits_of(hash);
        }
    }
    words.iter().flat_map(|it| it.to_le_bytes()).collect()
}

fn word_of(hash: u64, words: usize) -> Option<usize> {
    let at = (u128::from(hash) * words as u128) >> 64;
    (words > 0).then_some(at as usize)
}

fn bits_of(hash: u64) -> u64 {
    (0..4).map(|it| 1 << ((hash >> (it * 6)) & 63)).fold(0, |bits, bit: u64| bits | bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_passes_and_most_else_does_not() {
        let names: Vec<String> = (0..2000).map(|it| format!("CVE-2024-{it}")).collect();
        let filter = filter_of(names.iter().map(|it| &**it));
        assert!(names.iter().all(|it| passes(&filter, hash_of(it))));
        let passing =
            (0..2000).filter(|it| passes(&filter, hash_of(&format!("GHSA-{it}")))).count();
        assert!(passing < 200, "{passing} of 2000");
    }

    #[test]
    fn a_torn_filter_hides_nothing() {
        assert!(passes(&[], 1));
        assert!(passes(&[0; 7], 1));
    }
}
