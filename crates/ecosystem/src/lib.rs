//! How a packaging world declares packages: one file per ecosystem, listed in `ALL`.

mod apk;
mod cargo;
mod composer;
mod contract;
mod deb;
mod document;
mod executable;
mod gem;
mod golang;
mod license;
mod listing;
mod lockfile;
mod npm;
mod pypi;
mod rpm;
#[cfg(test)]
mod show;
#[cfg(test)]
mod shown;
mod tally;

pub use contract::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File, Nothing};

/// Every ecosystem. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Ecosystem] = &[
    &apk::Apk,
    &cargo::Cargo,
    &composer::Composer,
    &deb::Deb,
    &gem::Gem,
    &golang::Golang,
    &npm::Npm,
    &pypi::Pypi,
    &rpm::Rpm,
];
