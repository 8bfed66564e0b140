//! `packages.lock.json`, written when a project locks what it restores.

use std::collections::{BTreeMap, BTreeSet};

use model::{Found, Package, PackageKind, Purl};
use serde::Deserialize;

use crate::{Beside, File, lockfile};

#[derive(Deserialize)]
struct Lock {
    /// By framework, then by name.
    dependencies: BTreeMap<String, BTreeMap<String, Locked>>,
}

#[derive(Deserialize)]
struct Locked {
    /// Projects of the same solution have none.
    resolved: Option<String>,
}

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    let text = match lockfile::text(file) {
        Ok(text) => text,
        Err(gap) => return Found { gaps: vec![gap], ..Found::default() },
    };
    let lock: Lock = match serde_json::from_str(&text) {
        Ok(lock) => lock,
        Err(error) => return Found::gap(file.path(), format!("cannot be read: {error}")),
    };
    let purls: BTreeSet<Purl> = lock
        .dependencies
        .values()
        .flatten()
        .filter(|(name, _)| !name.is_empty())
        .filter_map(|(name, it)| {
            Some(Purl::new("nuget", name).with_version(it.resolved.as_deref()?))
        })
        .collect();
    let declared = |purl| Package::new(purl).of_kind(PackageKind::Declared);
    Found::packages(purls.into_iter().map(declared).collect())
}
