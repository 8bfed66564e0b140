//! cargo: crates of Rust, those a program was built from, and those of a `Cargo.lock`.

mod auditable;
mod lock;

use crate::{Cataloger, Claim, Ecosystem, EcosystemId, executable};

pub(crate) struct Cargo;

impl Ecosystem for Cargo {
    fn id(&self) -> EcosystemId {
        "cargo"
    }

    fn title(&self) -> &'static str {
        "Rust crates"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        &[
            Cataloger {
                id: "cargo-auditable",
                reads: "the list of crates that `cargo auditable` puts into programs",
                version: 1,
                claims: executable::CLAIMS,
                peeks: &[],
                read: auditable::read,
            },
            Cataloger {
                id: "cargo-lock",
                reads: "crates from a registry or a repository in `Cargo.lock`",
                version: 1,
                claims: &[Claim::Path("**/Cargo.lock")],
                peeks: &[],
                read: lock::read,
            },
        ]
    }
}

#[cfg(test)]
mod tests;
