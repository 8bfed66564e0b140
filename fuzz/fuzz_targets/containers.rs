//! A file of junk, walked as a published container within tight limits, which hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::containers::run(input));
