//! How an inventory looks on paper, and back: one file per format, listed in `ALL`.

use model::Inventory;

mod contract;

pub use contract::{Format, Options, Unreadable};

/// Every format. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Format] = &[];

/// The format with that id.
pub fn find(id: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.id() == id)
}

/// Reads a document of any format that we understand.
pub fn read(bytes: &[u8]) -> Result<Inventory, Unreadable> {
    match ALL.iter().find(|format| format.claims(bytes)) {
        Some(format) => format.read(bytes),
        None => Err(Unreadable("the document is of no format known here".to_owned())),
    }
}
