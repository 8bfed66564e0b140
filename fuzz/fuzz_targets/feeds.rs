//! A document, by every feed that takes it for its own, and by the one that the last byte chooses: what
//! it says compiles, whatever it is.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::feeds::run(input));
