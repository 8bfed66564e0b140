//! Where advisories come from: one file per feed, listed in `ALL`.

mod alpine;
mod amazon;
mod azurelinux;
mod brief;
mod chainguard;
mod contract;
mod debian_tracker;
mod epss;
pub mod fetch;
mod json;
mod kev;
mod nvd;
mod osv;
mod oval;
mod pairs;
pub mod rating;
mod redhat_vex;
#[cfg(test)]
mod shown;
#[cfg(test)]
mod spelt;
mod starter;
#[cfg(test)]
mod tests;
mod ubuntu_cve_tracker;
mod ubuntu_vex;
mod updateinfo;
pub mod walk;
mod wolfi;

pub use contract::{Document, Feed, Parsed, Part};
pub use starter::STARTER;

/// Every feed. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Feed] = &[
    &alpine::Alpine,
    &amazon::Amazon,
    &azurelinux::AzureLinux,
    &chainguard::Chainguard,
    &debian_tracker::DebianTracker,
    &epss::Epss,
    &kev::Kev,
    &nvd::Nvd,
    &osv::Osv,
    &redhat_vex::RedhatVex,
    &starter::Starter,
    &ubuntu_cve_tracker::UbuntuCveTracker,
    &ubuntu_vex::UbuntuVex,
    &wolfi::Wolfi,
];

/// The feed with that id.
pub fn find(id: &str) -> Option<&'static dyn Feed> {
    ALL.iter().copied().find(|feed| feed.id() == id)
}
