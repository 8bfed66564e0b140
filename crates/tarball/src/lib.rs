//! How files travel: compressed streams and tar archives, read once, forwards, within limits.

mod entries;
mod inflate;
mod path;
mod pipeline;
mod tar;

pub use entries::{Entries, Entry, EntryKind, Limits, Problem};
pub use inflate::{Decompressed, decompress};
pub use path::{clean_path, resolve_link};
pub use pipeline::{Pipe, pipelined};
pub use tar::TarReader;
