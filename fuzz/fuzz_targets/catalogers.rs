//! Every cataloger of every ecosystem reads junk: the first byte says which one.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::catalogers::run(input));
