//! Everything with a grammar: what is read prints, and reads back to the same.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::names::run(input));
