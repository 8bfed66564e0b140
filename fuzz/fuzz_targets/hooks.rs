//! A webhook, by every party's inbox; and what follows `--registry`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::hooks::run(input));
