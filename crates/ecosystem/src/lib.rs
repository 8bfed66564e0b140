//! How a packaging world declares packages: one file per ecosystem, listed in `ALL`.

mod bitnami;
mod cargo;
mod contract;
mod executable;
mod golang;
mod license;
mod lockfile;
mod maven;
mod nuget;
mod sbom;
#[cfg(test)]
mod shown;

pub use contract::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File, Nothing};

/// Every ecosystem. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Ecosystem] = &[
    &bitnami::Bitnami, //
    &cargo::Cargo,
    &golang::Golang,
    &maven::Maven,
    &nuget::Nuget,
    &sbom::Sbom,
];
