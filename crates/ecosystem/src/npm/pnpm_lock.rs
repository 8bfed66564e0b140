//! pnpm's lock file: YAML whose keys under `packages` name what was chosen.
//! Version 5 writes `/@s/name/1.0.0_peer@2`, version 6 `/@s/name@1.0.0(peer@2)`, version 9
//! `@s/name@1.0.0`.

use std::collections::BTreeMap;

use model::{Found, Gap, Package, PackageKind};
use serde::Deserialize;

use super::{is_local, purl, split_spec};
use crate::document;
use crate::listing::{Listing, brief, is_inside_a_package};
use crate::{Beside, File};

#[derive(Deserialize)]
struct Lock {
    #[serde(rename = "lockfileVersion", default)]
    version: Option<String>,
    #[serde(default)]
    packages: Option<BTreeMap<String, Option<Entry>>>,
}

/// Only written for what does not come from a registry.
#[derive(Default, Deserialize)]
struct Entry {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    version: Option<String>,
}

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    if is_inside_a_package(file.path()) {
        return Found::default();
    }
    document::found(read_lock(file))
}

fn read_lock(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let mut listing = Listing::of(file.path());
    for lock in document::yaml::<Lock>(file, &text)? {
        let version = lock.version.unwrap_or_default();
        let is_old = version.starts_with("5.") || version == "5";
        for (key, entry) in lock.packages.unwrap_or_default() {
            let entry = entry.unwrap_or_default();
            if !is_local(&key) && !key.contains("@file:") && !key.contains("@link:") {
                tell(&key, &entry, is_old, &mut listing);
            }
        }
    }
    Ok(listing.finish())
}

fn tell(key: &str, entry: &Entry, is_old: bool, listing: &mut Listing<'_>) {
    let spec = key.split('(').next().unwrap_or(key);
    let parts = if is_old { split_old(spec) } else { split_spec(spec.trim_start_matches('/')) };
    let name = entry.name.as_deref().or(parts.map(|(name, _)| name)).unwrap_or_default();
    let written = parts.map(|(_, version)| version).unwrap_or_default();
    let version = entry.version.as_deref().unwrap_or(written);
    // What is fetched from an address, and carries no version beside it, cannot be told.
    if version.is_empty() || version.contains(['/', ':']) {
        return;
    }
    match purl(name, version) {
        Some(purl) => listing.add(Package::new(purl).of_kind(PackageKind::Declared)),
        None => listing.refuse(format!("`{}` is no npm package", brief(key))),
    }
}

/// `/name/1.0.0_peer@2` or `registry.example.org/@s/name/1.0.0`.
fn split_old(spec: &str) -> Option<(&str, &str)> {
    let is_registry = spec.starts_with('/');
    // The peers behind the `_` may hold slashes of their own.
    let mut slashes = spec.match_indices('/').map(|(at, _)| at);
    let start = slashes.next()? + 1;
    let mut end = slashes.next()?;
    if spec.get(start..)?.starts_with('@') {
        end = slashes.next()?;
    }
    let version = spec.get(end + 1..)?.split(['_', '/']).next()?;
    // `github.com/user/repository/commit` is no version.
    (is_registry || version.contains('.')).then_some((spec.get(start..end)?, version))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::listing::testing::check;

    const AT: &str = "app/pnpm-lock.yaml";

    #[test]
    fn version_5() {
        check(
            read,
            AT,
            "lockfileVersion: 5.4\n\
             specifiers:\n  a: ^1.0.0\n\
             packages:\n\n  \
               /a/1.0.0:\n    resolution: {integrity: sha512-x}\n    dev: false\n  \
               /@s/b/2.0.0_react@18.0.0:\n    dependencies:\n      c: 1.0.0\n  \
               /c/1.0.0_@s+b@2.0.0:\n    dev: true\n  \
               registry.example.org/d/1.0.0:\n    resolution: {}\n  \
               github.com/u/r/abc123:\n    name: g\n    version: 1.1.0\n  \
               github.com/u/s/abc123:\n    resolution: {}\n  \
               file:local:\n    name: local\n    version: 0.0.0\n",
            "pkg:npm/%40s/b@2.0.0\npkg:npm/a@1.0.0\npkg:npm/c@1.0.0\npkg:npm/g@1.1.0\npkg:npm/d@1.0.0",
        );
    }

    #[test]
    fn version_6() {
        check(
            read,
            AT,
            "lockfileVersion: '6.0'\n\
             packages:\n  \
               /a@1.0.0:\n    dev: false\n  \
               /@s/b@2.0.0(react@18.0.0)(@s/c@1.0.0):\n    dev: false\n  \
               file:local:\n    name: local\n",
            "pkg:npm/%40s/b@2.0.0\npkg:npm/a@1.0.0",
        );
    }

    #[test]
    fn version_9() {
        check(
            read,
            AT,
            "lockfileVersion: '9.0'\n\
             importers:\n  .:\n    dependencies:\n      alias:\n        specifier: npm:real@1\n        version: real@1.0.0\n\
             packages:\n  \
               '@s/b@2.0.0':\n    resolution: {integrity: x}\n  \
               real@1.0.0:\n    resolution: {integrity: x}\n  \
               g@https://example.org/g.tgz:\n    resolution: {tarball: x}\n    version: 1.2.0\n  \
               local@file:../local:\n    resolution: {directory: ../local}\n\
             snapshots:\n  \
               '@s/b@2.0.0(react@18.0.0)': {}\n",
            "pkg:npm/%40s/b@2.0.0\npkg:npm/g@1.2.0\npkg:npm/real@1.0.0",
        );
    }

    #[test]
    fn two_documents_and_none() {
        check(
            read,
            AT,
            "---\nlockfileVersion: '9.0'\npackages:\n  a@1.0.0: {}\n---\nlockfileVersion: '9.0'\npackages:\n  b@1.0.0: {}\n",
            "pkg:npm/a@1.0.0\npkg:npm/b@1.0.0",
        );
        check(read, AT, "", "");
        check(read, AT, "lockfileVersion: '9.0'\n", "");
    }

    #[test]
    fn equal_keys_and_wrong_types() {
        check(
            read,
            AT,
            "lockfileVersion: '9.0'\npackages:\n  a@1.0.0: {}\n  a@1.0.0: {}\n  a b@1: {}\n",
            "pkg:npm/a@1.0.0\ngap: `a b@1` is no npm package",
        );
    }

    #[test]
    fn broken_documents_are_a_gap() {
        use crate::{File, Nothing};
        for input in [
            "packages: 7\n".to_owned(),
            "packages:\n  - a\n".to_owned(),
            "\t{".to_owned(),
            "[".repeat(100_000),
            "a: &a [*a]\npackages: *a\n".to_owned(),
            format!(
                "packages:\n{}",
                (0..200).fold(String::new(), |it, n| it + &" ".repeat(n + 1) + "a:\n")
            ),
        ] {
            let found = read(&File::in_memory(AT, 0o644, input.as_bytes()), &Nothing);
            assert_eq!((found.packages.len(), found.gaps.len()), (0, 1), "{:?}", found.gaps);
        }
    }
}
