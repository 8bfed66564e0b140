//! What somebody says about a flaw in a product: one file per kind of document, listed in `ALL`.

mod contract;
mod csaf;
mod cyclonedx;
mod ignore;
mod in_toto;
mod openvex;
mod room;
mod shared;
#[cfg(test)]
mod tests;
mod told;

pub use contract::{Document, Read, Unreadable};
pub use ignore::IGNORE_FILE;
pub use told::{Head, openvex};

/// Every kind of document. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Document] =
    &[&openvex::OpenVex, &csaf::Csaf, &cyclonedx::CycloneDx, &in_toto::InToto, &ignore::Ignore];

/// The most bytes that a document may have.
pub const LARGEST: u64 = 64 << 20;

/// Reads a document of any kind that we understand; `origin` says where it was found.
pub fn read(origin: &str, bytes: &[u8]) -> Result<Read, Unreadable> {
    match ALL.iter().find(|it| it.claims(bytes)) {
        Some(document) => document.read(origin, bytes),
        None => Err(Unreadable(
            "it is none of OpenVEX, CSAF VEX, CycloneDX JSON and an ignore file".to_owned(),
        )),
    }
}
