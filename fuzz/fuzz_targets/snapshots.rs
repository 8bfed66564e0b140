//! What an agent tells that runs.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::snapshots::run(input));
