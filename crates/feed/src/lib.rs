//! Where advisories come from: one file per feed, listed in `ALL`.

mod amazon;
mod azurelinux;
mod contract;
mod json;
mod osv;
mod oval;
pub mod rating;
mod redhat_vex;
#[cfg(test)]
mod shown;
mod updateinfo;
pub mod walk;
mod xml;

pub use contract::{Document, Feed, Parsed, Part};

/// Every feed. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Feed] =
    &[&amazon::Amazon, &azurelinux::AzureLinux, &osv::Osv, &redhat_vex::RedhatVex];

/// The feed with that id.
pub fn find(id: &str) -> Option<&'static dyn Feed> {
    ALL.iter().copied().find(|feed| feed.id() == id)
}
