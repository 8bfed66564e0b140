//! The manifest of Azure Linux distroless images: a line for each package, parted by tabs.

use model::{Found, Package};

use super::Facts;
use crate::listing::Listing;
use crate::{Beside, File};

const LARGEST: u64 = 64 << 20;

/// `rpm -qa` with this format wrote it:
/// `NAME VERSION-RELEASE INSTALLTIME BUILDTIME VENDOR EPOCH SIZE ARCH EPOCHNUM SOURCERPM`.
pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    let bytes = match file.bytes(LARGEST) {
        Ok(bytes) => bytes,
        Err(error) => return Found::gap(file.path(), format!("cannot be read: {error}")),
    };
    let mut listing = Listing::of(file.path());
    for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
        if line.trim().is_empty() || line.starts_with("gpg-pubkey\t") {
            continue;
        }
        match package(line) {
            Some(package) => listing.add(package),
            None => listing.refuse_at(number + 1, "a line without a package and its version"),
        }
    }
    listing.finish()
}

fn package(line: &str) -> Option<Package> {
    let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
    let field = |at: usize| {
        fields.get(at).copied().filter(|it| !matches!(*it, "" | "(none)")).map(str::to_owned)
    };
    let name = field(0)?;
    let version = field(1)?;
    let (version, release) = version.rsplit_once('-').unwrap_or((&version, ""));
    let facts = Facts {
        name: &name,
        version,
        release,
        epoch: field(5).and_then(|it| it.parse().ok()),
        arch: field(7),
        source: field(9),
        module: None,
    };
    Some(Package {
        author: field(4),
        installed_size: field(6).and_then(|it| it.parse().ok()),
        ..facts.package()
    })
}
