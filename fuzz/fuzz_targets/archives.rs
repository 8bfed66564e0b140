//! A file of junk, read as an image archive from end to end.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::archives::run(input));
