//! `Cargo.lock`, in all four versions of its format. Members of the workspace are left out: they
//! have no source, and nobody can publish a flaw about them.

use model::{Found, Gap, Package, PackageKind, Purl};
use serde::Deserialize;

use crate::{Beside, File, document};

/// The parser holds the whole tree in memory, many times the text; honest ones are far smaller.
const LIMIT: usize = 8 << 20;

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
    document::found(read_lock(file))
}

fn read_lock(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    if text.len() > LIMIT {
        return Err(Gap::new(file.path(), format!("larger than {LIMIT} bytes")));
    }
    let lock: Lock = toml::from_str(&text)
        .map_err(|e| Gap::new(file.path(), format!("broken TOML: {}", e.message())))?;
    Ok(Found::packages(lock.package.iter().filter_map(package).collect()))
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
