//! bitnami: what its images and charts keep under `/opt/bitnami`, told by an SPDX document each.

use model::PackageKind;

use crate::{Cataloger, Claim, Ecosystem, EcosystemId, sbom};

pub(crate) struct Bitnami;

impl Ecosystem for Bitnami {
    fn id(&self) -> EcosystemId {
        "bitnami"
    }

    fn title(&self) -> &'static str {
        "Bitnami packages"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        &[Cataloger {
            id: "bitnami-spdx",
            reads: "the `.spdx-NAME.spdx` documents under `/opt/bitnami`",
            version: 1,
            claims: &[
                Claim::Path("opt/bitnami/.spdx-*.spdx"),
                Claim::Path("opt/bitnami/**/.spdx-*.spdx"),
            ],
            peeks: &[],
            read: |file, _| sbom::packages(file, PackageKind::Attested, true),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::check;

    #[test]
    fn reads_the_component_and_what_it_is_made_of() {
        check(
            Bitnami.catalogers()[0].read,
            "opt/bitnami/redis/.spdx-redis.spdx",
            r#"{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "redis",
            "documentDescribes": ["SPDXRef-redis"],
            "packages": [
                {"SPDXID": "SPDXRef-redis", "name": "redis", "versionInfo": "7.2.4-1",
                 "licenseDeclared": "BSD-3-Clause", "externalRefs": [
                    {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                     "referenceLocator": "pkg:bitnami/redis@7.2.4-1?arch=amd64&distro=debian-12"}]},
                {"SPDXID": "SPDXRef-cobra", "name": "cobra", "versionInfo": "v1.8.0", "externalRefs": [
                    {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                     "referenceLocator": "pkg:golang/github.com/spf13/cobra@v1.8.0"}]}]}"#,
            "pkg:bitnami/redis@7.2.4-1?arch=amd64&distro=debian-12 (attested) | license: BSD-3-Clause
             pkg:golang/github.com/spf13/cobra@v1.8.0 (attested)",
        );
    }
}
