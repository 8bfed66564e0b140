//! `Cargo.lock`, in all four versions of its format. Members of the workspace are left out: they
//! have no source, and nobody can publish a flaw about them.

use model::{Found, Package, PackageKind, Purl};
use serde::Deserialize;

use crate::{Beside, File, lockfile};

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    source: Option<String>,
}

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    let text = match lockfile::text(file) {
        Ok(text) => text,
        Err(gap) => return Found { gaps: vec![gap], ..Found::default() },
    };
    match toml::from_str::<Lock>(&text) {
        Ok(lock) => Found::packages(lock.package.iter().filter_map(package).collect()),
        Err(error) => Found::gap(file.path(), format!("cannot be read: {}", error.message())),
    }
}

fn package(locked: &Crate) -> Option<Package> {
    let source = locked.source.as_ref().filter(|_| !locked.name.is_empty())?;
    let purl = Purl::new("cargo", &locked.name).with_version(&locked.version);
    let (kind, url) = source.split_once('+')?;
    let purl = match kind {
        "git" => purl.with_qualifier("vcs_url", &repository(url)),
        _ if is_default_registry(url) => purl,
        _ => purl.with_qualifier("repository_url", url),
    };
    Some(Package::new(purl).of_kind(PackageKind::Declared))
}

fn is_default_registry(url: &str) -> bool {
    matches!(
        url.trim_end_matches('/'),
        "https://github.com/rust-lang/crates.io-index" | "https://index.crates.io"
    )
}

/// `git+URL@COMMIT` for `URL?branch=main#COMMIT`.
fn repository(url: &str) -> String {
    let (url, commit) = url.split_once('#').unwrap_or((url, ""));
    let (url, _) = url.split_once('?').unwrap_or((url, ""));
    if commit.is_empty() { format!("git+{url}") } else { format!("git+{url}@{commit}") }
}
