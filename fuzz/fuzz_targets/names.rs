//! Everything with a grammar: what is read prints, and reads back to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Digest, Platform, Purl, Reference};

fuzz_target!(|input: &str| {
    if let Ok(purl) = input.parse::<Purl>() {
        assert_eq!(purl.to_string().parse::<Purl>().expect("it was printed by us"), purl);
    }
    if let Ok(reference) = input.parse::<Reference>() {
        let again: Reference = reference.to_string().parse().expect("it was printed by us");
        assert_eq!(again, reference);
    }
    let _ = input.parse::<Platform>();
    let _ = input.parse::<Digest>();
});
