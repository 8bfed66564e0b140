//! `gradle.lockfile`: one `group:name:version=configurations` a line.
//! <https://docs.gradle.org/current/userguide/dependency_locking.html>

use model::{Found, Gap, Package, PackageKind};

use super::artifact;
use crate::{Beside, File, lockfile};

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    let text = match lockfile::text(file) {
        Ok(text) => text,
        Err(gap) => return Found { gaps: vec![gap], ..Found::default() },
    };
    let mut found = Found::default();
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
            found.packages.push(Package::new(purl).of_kind(PackageKind::Declared));
        } else {
            let line: String = line.chars().take(200).collect();
            found.gaps.push(Gap::new(file.path(), format!("a line that cannot be read: `{line}`")));
        }
    }
    found
}
