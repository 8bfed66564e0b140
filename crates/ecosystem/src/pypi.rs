//! pypi: distributions of Python, installed, vendored by another, or asked for by a lock file.

use model::Purl;

use crate::listing::is_version;
use crate::{Cataloger, Claim, Ecosystem, EcosystemId};

mod installed;
mod locks;
mod requirements;
mod vendored;

pub(crate) struct Pypi;

impl Ecosystem for Pypi {
    fn id(&self) -> EcosystemId {
        "pypi"
    }

    fn title(&self) -> &'static str {
        "Python packages"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        CATALOGERS
    }
}

const CATALOGERS: &[Cataloger] = &[
    Cataloger {
        id: "pypi-installed",
        reads: "`METADATA` of `*.dist-info`, `PKG-INFO` of `*.egg-info` and `EGG-INFO`, and \
                `*.egg-info` files; below a `_vendor` directory they are vendored copies",
        version: 1,
        claims: &[
            Claim::Path("**/*.dist-info/METADATA"),
            Claim::Path("**/*.egg-info/PKG-INFO"),
            Claim::Path("**/*.egg-info"),
            Claim::Path("**/EGG-INFO/PKG-INFO"),
        ],
        peeks: &[],
        read: installed::read,
    },
    Cataloger {
        id: "pypi-pipfile-lock",
        reads: "`Pipfile.lock`, outside installed packages",
        version: 1,
        claims: &[Claim::Path("**/Pipfile.lock")],
        peeks: &[],
        read: locks::read_pipfile,
    },
    Cataloger {
        id: "pypi-poetry-lock",
        reads: "`poetry.lock`, outside installed packages",
        version: 1,
        claims: &[Claim::Path("**/poetry.lock")],
        peeks: &[],
        read: locks::read_poetry,
    },
    Cataloger {
        id: "pypi-requirements",
        reads: "lines of `*requirements*.txt` that pin a version with `==`, outside installed \
                packages",
        version: 1,
        claims: &[Claim::Path("**/*requirements*.txt")],
        peeks: &[],
        read: requirements::read,
    },
    Cataloger {
        id: "pypi-uv-lock",
        reads: "`uv.lock`, outside installed packages",
        version: 1,
        claims: &[Claim::Path("**/uv.lock")],
        peeks: &[],
        read: locks::read_uv,
    },
    Cataloger {
        id: "pypi-vendored",
        reads: "`_vendor/vendor.txt` and `_vendor/vendored.txt`, the pins of copies inside pip and \
                setuptools, each of which counts only if its module is there",
        version: 1,
        claims: &[Claim::Path("**/_vendor/vendor.txt"), Claim::Path("**/_vendor/vendored.txt")],
        peeks: &[],
        read: vendored::read,
    },
];

/// The purl of `name` at `version`, if both are sound.
///
/// The purl specification lowers the name and turns `_` into `-`, and keeps dots; the index folds
/// every run of `-`, `_` and `.`. Those who look advisories up must fold further.
/// <https://packaging.python.org/en/latest/specifications/name-normalization/>
fn purl(name: &str, version: &str) -> Option<Purl> {
    let is_inner = |it: u8| it.is_ascii_alphanumeric() || b"._-".contains(&it);
    let edges = [name.bytes().next()?, name.bytes().last()?];
    let is_sound = name.len() <= 214
        && name.bytes().all(is_inner)
        && edges.iter().all(u8::is_ascii_alphanumeric);
    (is_sound && is_version(version)).then(|| Purl::new("pypi", name).with_version(version))
}
