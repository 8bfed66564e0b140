//! NuGet: libraries that a .NET program was published with, and those of `packages.lock.json`.

mod deps;
mod lock;

use crate::{Cataloger, Claim, Ecosystem};

pub(crate) struct Nuget;

impl Ecosystem for Nuget {
    fn id(&self) -> &'static str {
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
