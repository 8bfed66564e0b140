//! What somebody says about a flaw in a product: one file per kind of document, listed in `ALL`.

mod contract;

pub use contract::{Document, Read, Unreadable};

/// Every kind of document. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Document] = &[];

/// Reads a document of any kind that we understand; `origin` says where it was found.
pub fn read(origin: &str, bytes: &[u8]) -> Result<Read, Unreadable> {
    match ALL.iter().find(|it| it.claims(bytes)) {
        Some(document) => document.read(origin, bytes),
        None => Err(Unreadable("it is none of OpenVEX, CSAF VEX and CycloneDX JSON".to_owned())),
    }
}
