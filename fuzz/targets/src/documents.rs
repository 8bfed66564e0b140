//! Every reader of documents reads junk, and what can be read can be written in every format.

use format::{ALL, Options};

/// Runs it once.
pub fn run(input: &[u8]) {
    if let Ok(inventory) = format::read(input) {
        for format in ALL.iter().filter(|it| it.writes()) {
            format.write(&inventory, &Options::default());
        }
    }
}
