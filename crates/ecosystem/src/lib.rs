//! How a packaging world declares packages: one file per ecosystem, listed in `ALL`.

mod apk;
mod contract;
mod deb;
mod generic;
mod license;
mod merged;
mod rpm;
#[cfg(test)]
mod show;
mod tally;

pub use contract::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File, Nothing};

/// Every ecosystem. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Ecosystem] = &[
    &apk::Apk, //
    &deb::Deb,
    &generic::Generic,
    &rpm::Rpm,
];
