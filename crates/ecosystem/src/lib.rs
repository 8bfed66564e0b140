//! How a packaging world declares packages: one file per ecosystem, listed in `ALL`.

mod apk;
mod bitnami;
mod cargo;
mod composer;
mod contract;
mod deb;
mod document;
mod executable;
mod gem;
mod generic;
mod golang;
mod license;
mod listing;
mod maven;
mod merged;
mod npm;
mod nuget;
pub mod order;
mod pypi;
pub mod range;
mod rpm;
mod sbom;
#[cfg(test)]
mod shown;
mod vex;
pub mod xml;

pub use contract::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File, Nothing};

/// Every ecosystem. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Ecosystem] = &[
    &apk::Apk,
    &bitnami::Bitnami,
    &cargo::Cargo,
    &composer::Composer,
    &deb::Deb,
    &gem::Gem,
    &generic::Generic,
    &golang::Golang,
    &maven::Maven,
    &npm::Npm,
    &nuget::Nuget,
    &pypi::Pypi,
    &rpm::Rpm,
    &sbom::Sbom,
    &vex::Vex,
];
