//! Where advisories come from: one file per feed, listed in `ALL`.

mod contract;
mod epss;
mod json;
mod kev;
mod nvd;
mod osv;
pub mod rating;
#[cfg(test)]
mod shown;
#[cfg(test)]
mod tests;
pub mod walk;

pub use contract::{Document, Feed, Parsed, Part};

/// Every feed. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Feed] = &[&epss::Epss, &kev::Kev, &nvd::Nvd, &osv::Osv];

/// The feed with that id.
pub fn find(id: &str) -> Option<&'static dyn Feed> {
    ALL.iter().copied().find(|feed| feed.id() == id)
}
