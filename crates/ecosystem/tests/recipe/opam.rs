//! opam: OCaml.

use model::{Found, Package, Purl};

use crate::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File};

pub(crate) struct Opam;

impl Ecosystem for Opam {
    fn id(&self) -> EcosystemId {
        "opam"
    }

    fn title(&self) -> &'static str {
        "opam"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        &[Cataloger {
            id: "opam-installed",
            reads: "packages of an opam switch",
            version: 1,
            claims: &[Claim::Path("**/.opam-switch/packages/*/opam")],
            peeks: &[],
            read: installed,
        }]
    }
}

fn installed(file: &File<'_>, _: &dyn Beside) -> Found {
    let folder = file.directory().rsplit('/').next().unwrap_or_default();
    match folder.split_once('.') {
        Some((name, version)) => {
            Found::packages(vec![Package::new(Purl::new("opam", name).with_version(version))])
        }
        None => Found::gap(file.path(), "its folder is not called NAME.VERSION"),
    }
}
