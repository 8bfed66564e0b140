//! Where a report goes: to a file, whole or not at all.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::failure::Failure;

/// Writes `text` to `path`. Nobody ever sees half a report there.
pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let what = || format!("cannot write {}", path.display());
    // A link is followed, so that it stays one.
    let target = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let there = fs_err::metadata(&target).ok();
    if there.as_ref().is_some_and(std::fs::Metadata::is_dir) {
        let message = format!("{}: it is a directory", what());
        return Err(Failure::error(message, "name a file, --output DIRECTORY/sbom.json say"));
    }
    if there.as_ref().is_some_and(|it| !it.is_file()) {
        // A pipe or a device cannot be replaced; writing to it is what is meant.
        let mut device = fs_err::OpenOptions::new().write(true).open(&target)?;
        return device.write_all(text.as_bytes()).with_context(what);
    }
    let folder = target.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let message = format!("{}: there is no directory {}", what(), folder.display());
        return Err(Failure::error(message, "create it first"));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".foretop-");
    #[cfg(unix)]
    builder.permissions(there.map_or_else(
        || std::os::unix::fs::PermissionsExt::from_mode(0o666),
        |it| it.permissions(),
    ));
    let mut file = builder.tempfile_in(folder).with_context(what)?;
    file.write_all(text.as_bytes()).with_context(what)?;
    file.persist(&target).with_context(what)?;
    Ok(())
}
