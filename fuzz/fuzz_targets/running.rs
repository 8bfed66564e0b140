//! What a cluster or an engine tells that runs.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::running::run(input));
