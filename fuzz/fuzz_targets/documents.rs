//! Every reader of documents reads junk, and what can be read can be written in every format.
#![no_main]

use format::{ALL, Options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(inventory) = format::read(input) {
        for format in ALL.iter().filter(|it| it.writes()) {
            format.write(&inventory, &Options::default());
        }
    }
});
