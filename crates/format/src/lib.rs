//! How an inventory looks on paper, and back: one file per format, listed in `ALL`.

mod contract;

pub use contract::{Format, Options, Unreadable};

/// Every format. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Format] = &[];
