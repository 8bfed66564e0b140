//! What a runtime answers when it is asked what runs there.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::runtimes::run(input));
