//! sbom: documents in an image that say what is in it, in any format that `format` reads.
//!
//! Their packages are of any type, so this is no packaging world, and `sbom` is no purl type.

use model::{Found, Gap, Package, PackageKind};

use crate::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File};

const LARGEST: u64 = 64 << 20;

pub(crate) struct Sbom;

impl Ecosystem for Sbom {
    fn id(&self) -> EcosystemId {
        "sbom"
    }

    fn title(&self) -> &'static str {
        "Embedded SBOMs"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        &[Cataloger {
            id: "sbom-embedded",
            reads: "SPDX and CycloneDX documents (JSON) that lie in the image",
            version: 1,
            claims: &[
                Claim::Path("**/*.{spdx,cdx}.json"),
                Claim::Path("**/{sbom,bom}.json"),
                Claim::Path("usr/share/sbom/**"),
            ],
            peeks: &[],
            read,
        }]
    }
}

fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    // One for each apk package (Wolfi, Chainguard), all of which are in apk's own database.
    if file.path().starts_with("var/lib/db/sbom/") {
        return Found::default();
    }
    let named = file.name().ends_with(".spdx.json") || file.name().ends_with(".cdx.json");
    let mut found = packages(file, kind(file.path()), named);
    if let Some(vendor) =
        file.path().strip_suffix("/bom.cdx.json").filter(|it| it.ends_with("/_vendor"))
    {
        for package in &mut found.packages {
            package.proof = modules(vendor, package);
        }
    }
    found
}

/// What a document inside another package lists is carried by that package.
fn kind(path: &str) -> PackageKind {
    let inside =
        |it: &str| matches!(it, "_vendor" | "site-packages" | "dist-packages" | "node_modules");
    if path.split('/').any(inside) { PackageKind::Vendored } else { PackageKind::Attested }
}

/// Where a Python module of that name would be below `vendor`. Pip's list names `setuptools`, of
/// which it carries no more than `pkg_resources`.
fn modules(vendor: &str, package: &Package) -> Vec<String> {
    let module = package.purl.name().to_ascii_lowercase().replace(['-', '.'], "_");
    let mut modules = vec![module.as_str()];
    if module == "setuptools" {
        modules.push("pkg_resources");
    }
    modules
        .iter()
        .flat_map(|it| [format!("{vendor}/{it}/__init__.py"), format!("{vendor}/{it}.py")])
        .collect()
}

/// The packages of a document. Files that only might be documents (`must_be` is false) say nothing
/// when no format knows them.
pub(crate) fn packages(file: &File<'_>, kind: PackageKind, must_be: bool) -> Found {
    let bytes = match file.bytes(LARGEST) {
        Ok(bytes) => bytes,
        Err(error) => return Found::gap(file.path(), format!("cannot be read: {error}")),
    };
    let is_claimed = || {
        let glance = format::Glance::at(&bytes);
        format::ALL.iter().any(|it| it.claims(&glance))
    };
    if !must_be && !is_claimed() {
        return Found::default();
    }
    let inventory = match format::read(&bytes) {
        Ok(inventory) => inventory,
        Err(unreadable) => return Found::gap(file.path(), unreadable.to_string()),
    };
    let packages = inventory.packages.into_iter().map(|package| Package {
        kind,
        // Places, layers and owners are those of the machine that wrote the document.
        places: Vec::new(),
        proof: Vec::new(),
        owner: None,
        ..package
    });
    let gaps = inventory
        .gaps
        .into_iter()
        .map(|gap| Gap::new(file.path(), format!("{}: {}", gap.at, gap.why)));
    Found { packages: packages.collect(), gaps: gaps.collect(), ..Found::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shown::check;

    const DOCUMENT: &str = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [
        {"type": "library", "name": "CacheControl", "version": "0.14.4", "purl": "pkg:pypi/CacheControl@0.14.4"},
        {"type": "library", "name": "setuptools", "version": "70.3.0", "purl": "pkg:pypi/setuptools@70.3.0"}]}"#;

    #[track_caller]
    fn embedded(path: &str, text: &str, expect: &str) {
        check(read, path, text, expect);
    }

    #[test]
    fn reads_documents() {
        for path in ["app/app.cdx.json", "sbom.json", "usr/share/sbom/app"] {
            let expect = "pkg:pypi/cachecontrol@0.14.4 (attested)
                pkg:pypi/setuptools@70.3.0 (attested)";
            embedded(path, DOCUMENT, expect);
        }
    }

    #[test]
    fn documents_inside_a_package_list_what_it_carries() {
        embedded(
            "usr/lib/python3/site-packages/numpy-2.0.dist-info/sboms/auditwheel.cdx.json",
            DOCUMENT,
            "pkg:pypi/cachecontrol@0.14.4 (vendored)
             pkg:pypi/setuptools@70.3.0 (vendored)",
        );
        embedded(
            "x/pip/_vendor/bom.cdx.json",
            DOCUMENT,
            "pkg:pypi/cachecontrol@0.14.4 (vendored) | proof: x/pip/_vendor/cachecontrol/__init__.py, x/pip/_vendor/cachecontrol.py
             pkg:pypi/setuptools@70.3.0 (vendored) | proof: x/pip/_vendor/setuptools/__init__.py, x/pip/_vendor/setuptools.py, \
             x/pip/_vendor/pkg_resources/__init__.py, x/pip/_vendor/pkg_resources.py",
        );
    }

    #[test]
    fn what_apk_knows_is_not_told_twice() {
        embedded("var/lib/db/sbom/bash-5.2-r0.spdx.json", DOCUMENT, "");
    }

    #[test]
    fn other_files_of_such_names_say_nothing() {
        embedded("srv/bom.json", "{\"weather\": \"fine\"}", "");
        embedded("usr/share/sbom/README", "Hello.", "");
    }

    #[test]
    fn tells_of_documents_it_cannot_read() {
        let file = File::in_memory("a.spdx.json", 0o644, b"{}");
        let found = read(&file, &crate::Nothing);
        assert!(found.packages.is_empty());
        assert_eq!(found.gaps.len(), 1);
        let file = File::in_memory(
            "sbom.json",
            0o644,
            b"{\"bomFormat\": \"CycloneDX\", \"components\": 1}",
        );
        assert_ne!(read(&file, &crate::Nothing).gaps, []);
    }
}
