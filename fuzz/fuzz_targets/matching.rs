//! A small world of packages, rows and statements: it is matched, and explained in the same way.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::matching::run(input));
