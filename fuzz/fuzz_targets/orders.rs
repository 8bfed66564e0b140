//! Three versions, one a line, in every order of versions: the laws of an order hold, and keys agree.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::orders::run(input));
