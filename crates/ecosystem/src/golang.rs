//! golang: modules of Go, those that a program was built from or a `go.mod` asks for.

mod binary;
mod build_info;
mod manifest;

use model::Purl;

use crate::{Cataloger, Claim, Ecosystem, EcosystemId, executable};

pub(crate) struct Golang;

impl Ecosystem for Golang {
    fn id(&self) -> EcosystemId {
        "golang"
    }

    fn title(&self) -> &'static str {
        "Go modules"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        &[
            Cataloger {
                id: "golang-binary",
                reads: "build information in Go programs (ELF, PE, Mach-O)",
                version: 1,
                claims: executable::CLAIMS,
                peeks: &[],
                read: binary::read,
            },
            Cataloger {
                id: "golang-mod",
                reads: "modules that a `go.mod` requires",
                version: 1,
                claims: &[Claim::Path("**/go.mod")],
                peeks: &[],
                read: manifest::read,
            },
        ]
    }
}

/// The purl of a module: its path, parted at the last `/`.
fn module(path: &str, version: &str) -> Purl {
    let path = path.trim_matches('/');
    let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
    Purl::new("golang", name).with_namespace(namespace).with_version(version)
}

#[cfg(test)]
mod tests;
