//! A sheet with some of its bytes changed, or junk: whatever is asked, it answers or says that it is torn.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::sheets::run(input));
