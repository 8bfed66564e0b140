//! What is sent to a page of the dashboard.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::forms::run(input));
