//! Everything with a grammar: what is read prints, and reads back to the same.

use model::{Digest, Platform, Purl, Reference};

/// Runs it once.
pub fn run(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    if let Ok(purl) = input.parse::<Purl>() {
        assert_eq!(purl.to_string().parse::<Purl>().expect("it was printed by us"), purl);
    }
    if let Ok(reference) = input.parse::<Reference>() {
        let again: Reference = reference.to_string().parse().expect("it was printed by us");
        assert_eq!(again, reference);
    }
    let _ = input.parse::<Platform>();
    let _ = input.parse::<Digest>();
}
