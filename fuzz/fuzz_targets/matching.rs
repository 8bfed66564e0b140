//! A small world of packages, rows and statements: it is matched, and explained in the same way.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    fuzz::agree(&fuzz::world(input));
});
