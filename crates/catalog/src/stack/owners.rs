//! Owners: files that a package of the distribution brought, so that none is told twice.

use std::collections::HashMap;

use model::{Package, PackageKind, PathHash, Purl, hash_path};

use super::Seen;
use super::distribution::is_packaged;
use crate::claims::Hashed;

/// Directories that are links to their namesakes below `usr` since distributions merged them;
/// package databases may name either.
const MERGED: [&str; 7] = ["bin/", "lib/", "lib32/", "lib64/", "libo32/", "libx32/", "sbin/"];

/// Marks packages that were read from a file of a distribution's package.
pub(super) fn join(seen: &[Seen<'_>], packages: &mut [(usize, Package)]) {
    let mut wanted: HashMap<PathHash, Vec<usize>, Hashed> = HashMap::default();
    for (number, it) in seen.iter().enumerate() {
        if it.evidence.found.packages.iter().any(|package| !is_packaged(&package.purl)) {
            wanted.entry(hash_path(it.path)).or_default().push(number);
            if let Some(other) = other_form(it.path) {
                wanted.entry(hash_path(&other)).or_default().push(number);
            }
        }
    }
    if wanted.is_empty() {
        return;
    }
    let names = names(packages);
    let mut owners: HashMap<usize, Purl> = HashMap::new();
    for it in seen {
        let ecosystem = it.evidence.cataloger.split('-').next().unwrap_or_default();
        for owned in &it.evidence.found.owned {
            let mut files = owned.paths.iter().filter_map(|path| wanted.get(path)).flatten();
            let Some(first) = files.next() else { continue };
            let Some(purl) = named(&names, ecosystem, &owned.package) else { continue };
            for number in std::iter::once(first).chain(files) {
                owners.entry(*number).or_insert_with(|| purl.clone());
            }
        }
    }
    for (number, package) in packages {
        if !is_packaged(&package.purl) {
            package.owner = owners.get(number).cloned();
        }
    }
}

fn other_form(path: &str) -> Option<String> {
    let merged = |path: &str| MERGED.iter().any(|it| path.starts_with(it));
    match path.strip_prefix("usr/") {
        Some(rest) => merged(rest).then(|| rest.to_owned()),
        None => merged(path).then(|| format!("usr/{path}")),
    }
}

type Names = HashMap<(String, String), Vec<Purl>>;

fn names(packages: &[(usize, Package)]) -> Names {
    let mut names = Names::new();
    for (_, Package { purl, kind, .. }) in packages {
        if is_packaged(purl) && *kind == PackageKind::Installed {
            let key = (purl.kind().to_owned(), purl.name().to_owned());
            names.entry(key).or_default().push(purl.clone());
        }
    }
    names
}

/// The installed package that a database calls so: `zlib1g`, or `zlib1g:amd64`.
fn named<'a>(names: &'a Names, ecosystem: &str, package: &str) -> Option<&'a Purl> {
    let (name, architecture) = match package.split_once(':') {
        Some((name, architecture)) if ecosystem == "deb" => (name, Some(architecture)),
        _ => (package, None),
    };
    let purls = names.get(&(ecosystem.to_owned(), name.to_owned()))?;
    let fits = |it: &&Purl| architecture.is_none() || it.qualifier("arch") == architecture;
    purls.iter().find(fits).or_else(|| purls.first())
}
