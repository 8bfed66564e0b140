//! Files that carry an almanac: a bundle is imported, a manifest read, keys and signatures are tried.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_targets::almanac_files::run(input));
