//! A layer of junk: inflated, walked, catalogued, stacked on itself.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::layers::run(input));
