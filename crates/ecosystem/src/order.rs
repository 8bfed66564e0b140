//! How versions are ordered: one file per order, each exactly as its own package manager decides.

mod apk;
mod bitnami;
mod composer;
mod conan;
mod conda;
mod cran;
mod dotted;
mod dpkg;
mod encode;
mod go;
mod hackage;
mod hex;
mod maven;
mod npm;
mod nuget;
mod pacman;
mod padded;
mod pear;
mod pep440;
mod php;
mod r#pub;
mod rpm;
mod rubygems;
mod semver;
mod swift;

use std::cmp::Ordering;

use model::Space;

/// An order of versions.
pub trait Order: Sync {
    /// Kebab case, and the file's name: `dpkg`, `rpm`, `pep440`.
    fn id(&self) -> &'static str;
    /// Whose decision it is, in a line: "as `dpkg --compare-versions` decides".
    fn title(&self) -> &'static str;
    /// Which comes first. Total: any two versions that can be read can be compared.
    fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion>;
    /// Appends a key to `key` such that two keys, compared byte by byte, are ordered as `compare`
    /// orders their versions, and are equal where it says equal.
    fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion>;
    /// Versions for the laws: at least a dozen, awkward ones among them, all readable.
    fn examples(&self) -> &'static [&'static str];
}

/// A text that is no version in that order. It is a gap, never "not affected".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{version}` is no version as {order} has them: {why}")]
pub struct BadVersion {
    /// The text, cut at a hundred characters.
    pub version: String,
    /// The order's id.
    pub order: &'static str,
    /// Why not.
    pub why: &'static str,
}

impl BadVersion {
    /// That text is none, because of `why`.
    pub fn new(order: &'static str, version: &str, why: &'static str) -> Self {
        Self { version: version.chars().take(100).collect(), order, why }
    }
}

/// Every order. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Order] = &[
    &apk::Apk,
    &bitnami::Bitnami,
    &composer::Composer,
    &conan::Conan,
    &conda::Conda,
    &cran::Cran,
    &dpkg::Dpkg,
    &go::Go,
    &hackage::Hackage,
    &hex::Hex,
    &maven::Maven,
    &npm::Npm,
    &nuget::Nuget,
    &pacman::Pacman,
    &pear::Pear,
    &pep440::Pep440,
    &r#pub::Pub,
    &rpm::Rpm,
    &rubygems::Rubygems,
    &semver::Semver,
    &swift::Swift,
];

/// The order with that id.
pub fn find(id: &str) -> Option<&'static dyn Order> {
    ALL.iter().copied().find(|order| order.id() == id)
}

/// Which order each family of spaces has.
const FAMILIES: &[(&str, &str)] = &[
    ("alma", "rpm"),
    ("almalinux", "rpm"),
    ("alpaquita", "apk"),
    ("alpine", "apk"),
    ("amzn", "rpm"),
    ("android", "semver"),
    ("arch", "pacman"),
    ("azurelinux", "rpm"),
    ("bellsoft-hardened-containers", "apk"),
    ("bioconductor", "cran"),
    ("bitnami", "bitnami"),
    ("bottlerocket", "rpm"),
    ("cargo", "semver"),
    ("chainguard", "apk"),
    ("cleanstart", "apk"),
    ("composer", "composer"),
    ("conan", "conan"),
    ("conda", "conda"),
    ("cran", "cran"),
    ("debian", "dpkg"),
    ("docker-hardened-images", "dpkg"),
    ("echo", "dpkg"),
    ("fedora", "rpm"),
    ("gem", "rubygems"),
    ("ghc", "hackage"),
    ("github", "semver"),
    ("golang", "go"),
    ("hackage", "hackage"),
    ("hex", "hex"),
    ("julia", "semver"),
    ("linux", "semver"),
    ("mageia", "rpm"),
    ("mariner", "rpm"),
    ("maven", "maven"),
    ("minimos", "apk"),
    ("npm", "npm"),
    ("nuget", "nuget"),
    ("ol", "rpm"),
    ("opam", "dpkg"),
    ("openeuler", "rpm"),
    ("opensuse", "rpm"),
    ("opensuse-leap", "rpm"),
    ("opensuse-tumbleweed", "rpm"),
    ("pear", "pear"),
    ("photon", "rpm"),
    ("pub", "pub"),
    ("pypi", "pep440"),
    ("rhel", "rpm"),
    ("rocky", "rpm"),
    ("sl-micro", "rpm"),
    ("sle-micro", "rpm"),
    ("sles", "rpm"),
    ("swift", "swift"),
    ("ubuntu", "dpkg"),
    ("vscode", "semver"),
    ("wolfi", "apk"),
];

/// The order of versions in that space. `None`: nobody taught us, and nothing there can be compared.
pub fn of(space: &Space) -> Option<&'static dyn Order> {
    let (_, id) = FAMILIES.iter().find(|(family, _)| *family == space.family())?;
    find(id)
}

#[cfg(test)]
mod tests;
