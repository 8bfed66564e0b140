//! How a packaging world declares packages: one file per ecosystem, listed in `ALL`.

mod contract;
mod document;
mod license;
mod listing;
mod npm;
mod pypi;

pub use contract::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File, Nothing};

/// Every ecosystem. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Ecosystem] = &[&npm::Npm, &pypi::Pypi];
