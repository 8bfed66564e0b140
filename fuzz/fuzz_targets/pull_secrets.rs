//! A cluster's pull secret.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::pull_secrets::run(input));
