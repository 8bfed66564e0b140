//! A range on the first line and a version on the second, as every family writes them: spans can be
//! compared, and what one end excludes is not in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::ranges::run(input));
