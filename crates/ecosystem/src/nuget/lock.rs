//! `packages.lock.json`, written when a project locks what it restores.

use std::collections::{BTreeMap, BTreeSet};

use model::{Found, Gap, Package, PackageKind, Purl};
use serde::Deserialize;

use crate::{Beside, File, document};

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
    document::found(read_lock(file))
}

fn read_lock(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let lock: Lock = document::json(file, &text)?;
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
    Ok(Found::packages(purls.into_iter().map(declared).collect()))
}
