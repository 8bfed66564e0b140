//! How files travel: compressed streams and tar archives, read once, forwards, within limits.

mod entries;

pub use entries::{Entries, Entry, EntryKind, Limits, Problem};
