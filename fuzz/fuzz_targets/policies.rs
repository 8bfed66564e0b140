//! A module of Rego, its metadata, a configuration and facts: read, and judged within bounds.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::policies::run(input));
