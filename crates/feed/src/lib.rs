//! Where advisories come from: one file per feed, listed in `ALL`.

mod alpine;
mod brief;
mod chainguard;
mod contract;
mod debian_tracker;
mod epss;
mod json;
mod kev;
mod nvd;
mod osv;
mod pairs;
pub mod rating;
#[cfg(test)]
mod shown;
mod spelt;
mod tests;
mod ubuntu_cve_tracker;
mod ubuntu_vex;
pub mod walk;
mod wolfi;

pub use contract::{Document, Feed, Parsed, Part};

/// Every feed. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Feed] = &[
    &alpine::Alpine,
    &chainguard::Chainguard,
    &debian_tracker::DebianTracker,
    &epss::Epss,
    &kev::Kev,
    &nvd::Nvd,
    &osv::Osv,
    &ubuntu_cve_tracker::UbuntuCveTracker,
    &ubuntu_vex::UbuntuVex,
    &wolfi::Wolfi,
];

/// The feed with that id.
pub fn find(id: &str) -> Option<&'static dyn Feed> {
    ALL.iter().copied().find(|feed| feed.id() == id)
}
