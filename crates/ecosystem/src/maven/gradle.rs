//! `gradle.lockfile`: one `group:name:version=configurations` a line.
//! <https://docs.gradle.org/current/userguide/dependency_locking.html>

use model::{Found, Gap, Package, PackageKind};

use super::artifact;
use crate::listing::{Listing, brief};
use crate::{Beside, File, document};

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    document::found(read_lines(file))
}

fn read_lines(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let mut listing = Listing::of(file.path());
    for line in text.lines().map(str::trim) {
        // The last line names the configurations without dependencies.
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue;
        }
        let locked = line.split('=').next().unwrap_or_default();
        let parts: Vec<&str> = locked.split(':').collect();
        if let [group, name, version] = *parts.as_slice()
            && !name.is_empty()
            && !version.is_empty()
        {
            let purl = artifact(group, name, version);
            listing.add(Package::new(purl).of_kind(PackageKind::Declared));
        } else {
            listing.refuse(format!("a line that cannot be read: `{}`", brief(line)));
        }
    }
    Ok(listing.finish())
}
