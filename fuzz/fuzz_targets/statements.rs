//! A document of statements: what can be read is applied to a small image.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::statements::run(input));
