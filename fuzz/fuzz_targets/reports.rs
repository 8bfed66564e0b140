//! A finding whose every text is hostile, in every report: documents can be read, and terminals are safe.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::reports::run(input));
