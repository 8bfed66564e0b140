//! nuget: packages of .NET, those a program was published with or a `packages.lock.json` names.

mod deps;
mod lock;

use crate::{Cataloger, Claim, Ecosystem, EcosystemId};

pub(crate) struct Nuget;

impl Ecosystem for Nuget {
    fn id(&self) -> EcosystemId {
        "nuget"
    }

    fn title(&self) -> &'static str {
        "NuGet packages"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        &[
            Cataloger {
                id: "nuget-deps",
                reads: "`*.deps.json` of .NET programs, where a library's own files are there",
                version: 1,
                claims: &[Claim::Path("**/*.deps.json")],
                peeks: &[],
                read: deps::read,
            },
            Cataloger {
                id: "nuget-packages-lock",
                reads: "packages in `packages.lock.json`",
                version: 1,
                claims: &[Claim::Path("**/packages.lock.json")],
                peeks: &[],
                read: lock::read,
            },
        ]
    }
}

#[cfg(test)]
mod tests;
