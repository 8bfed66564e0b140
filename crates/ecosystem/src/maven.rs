//! maven: packages of Java, in archives nested and shaded to any depth, or asked for by a build file.

mod archive;
mod coordinates;
mod file_name;
mod gradle;
mod groups;
mod manifest;
mod pom;
mod xml;
mod zip;

use model::Purl;

use crate::{Cataloger, Claim, Ecosystem, EcosystemId};

pub(crate) struct Maven;

impl Ecosystem for Maven {
    fn id(&self) -> EcosystemId {
        "maven"
    }

    fn title(&self) -> &'static str {
        "Java packages"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        &[
            Cataloger {
                id: "maven-archive",
                reads: "Java archives, with what is nested and shaded into them",
                version: 1,
                claims: &[Claim::Path("**/*.{jar,war,ear,par,jpi,hpi,sar,nar,kar,lpkg}")],
                peeks: &[],
                read: archive::read,
            },
            Cataloger {
                id: "maven-gradle-lockfile",
                reads: "dependencies in `gradle.lockfile`",
                version: 1,
                claims: &[Claim::Path("**/gradle.lockfile")],
                peeks: &[],
                read: gradle::read,
            },
            Cataloger {
                id: "maven-pom",
                reads: "compile and runtime dependencies in `pom.xml`",
                version: 1,
                claims: &[Claim::Path("**/pom.xml")],
                peeks: &[],
                read: pom::read,
            },
        ]
    }
}

/// The purl of an artifact.
fn artifact(group: &str, name: &str, version: &str) -> Purl {
    Purl::new("maven", name).with_namespace(group).with_version(version)
}

#[cfg(test)]
mod tests;
