//! What is stated beside an image, and what the signatures are worth.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::attestations::run(input));
