//! A template, by everybody who tells something.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::templates::run(input));
