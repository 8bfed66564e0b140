//! How a packaging world declares packages: one file per ecosystem, listed in `ALL`.

mod apk;
mod composer;
mod contract;
mod deb;
mod document;
mod gem;
mod license;
mod listing;
mod npm;
mod pypi;
#[cfg(test)]
mod show;

pub use contract::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File, Nothing};

/// Every ecosystem. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Ecosystem] =
    &[&apk::Apk, &composer::Composer, &deb::Deb, &gem::Gem, &npm::Npm, &pypi::Pypi];
