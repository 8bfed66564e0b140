//! A layer of junk: inflated, walked, catalogued, stacked on itself.

use tarball::{Limits, TarReader, decompress};

/// Runs it once.
pub fn run(input: &[u8]) {
    let limits = Limits { total: 64 << 20, entries: 10_000, ..Limits::default() };
    let Ok(content) = decompress(input, &limits) else { return };
    let extra = vec![("a".to_owned(), "lib/apk/db/installed".to_owned())];
    let options = catalog::ReadOptions { extra, ..catalog::ReadOptions::default() };
    if let Ok(layer) = catalog::read_layer(&mut TarReader::new(content, &limits), &options) {
        catalog::stack(&[Some(&layer), None, Some(&layer)], &[]);
    }
}
