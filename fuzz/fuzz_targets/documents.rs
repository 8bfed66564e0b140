//! Every reader of documents reads junk, and what can be read can be written in every format.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::documents::run(input));
