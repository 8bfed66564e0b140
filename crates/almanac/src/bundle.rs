//! An almanac as one file: a tar of manifest, signature and sheets, compressed with zstd.

mod ustar;

use std::collections::HashMap;
use std::io::{BufReader, BufWriter, Read, Write as _};
use std::path::Path;

use crate::almanac::Almanac;
use crate::error::Error;
use crate::manifest::{Entry, LARGEST, Manifest};
use crate::store::{self, Installed, MANIFEST, Trust, Writer};

const SIGNATURE: &str = "almanac.json.minisig";
const LEVEL: i32 = 6;

/// Writes the almanac of a directory into a file.
pub fn export(dir: &Path, file: &Path) -> Result<(), Error> {
    // As long as this is open, none of its sheets goes away.
    let almanac = Almanac::open(dir)?;
    let manifest = almanac.written();
    let failed = |why| Error::at(file, why);
    let parent = file.parent().filter(|it| !it.as_os_str().is_empty());
    let staged = tempfile::NamedTempFile::new_in(parent.unwrap_or(Path::new(".")));
    let staged = staged.map_err(failed)?;
    let mut out = zstd::Encoder::new(BufWriter::new(staged), LEVEL).map_err(failed)?;
    let mut add = |name: &str, size: u64, bytes: &mut dyn Read| {
        ustar::write(&mut out, name, size, bytes).map_err(failed)
    };
    add(MANIFEST, manifest.len() as u64, &mut &*manifest)?;
    if let Some(signature) = almanac.signature() {
        add(SIGNATURE, signature.len() as u64, &mut signature.as_bytes())?;
    }
    let mut written = std::collections::BTreeSet::new();
    for it in &almanac.manifest().sheets {
        if written.insert(&it.digest) {
            let path = store::sheet_path(dir, &it.digest);
            let mut sheet = fs_err::File::open(path).map_err(Error::io)?;
            add(&format!("sheets/{}", it.digest.hex()), it.size, &mut sheet)?;
        }
    }
    ustar::end(&mut out).map_err(failed)?;
    let mut buffered = out.finish().map_err(failed)?;
    buffered.flush().map_err(failed)?;
    let staged = buffered.into_inner().map_err(|why| failed(why.into_error()))?;
    staged.as_file().sync_all().map_err(failed)?;
    staged.persist(file).map_err(|why| failed(why.error))?;
    Ok(())
}

/// Installs the almanac in a file into a directory. Nothing changes before all of it is verified.
pub fn import(file: &Path, dir: &Path, trust: Trust<'_>) -> Result<Installed, Error> {
    // The error of `fs_err` names the file once more.
    let opened = fs_err::File::open(file).map_err(|why| {
        let says = match why.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            kind => kind.to_string(),
        };
        Error::at(file, std::io::Error::new(why.kind(), says))
    })?;
    let tar = zstd::Decoder::new(BufReader::new(opened)).map_err(|why| Error::at(file, why))?;
    import_from(tar, &file.display().to_string(), dir, trust)
}

fn import_from(
    tar: impl Read,
    name: &str,
    dir: &Path,
    trust: Trust<'_>,
) -> Result<Installed, Error> {
    let bad = |why: &str| Error::corrupt(format_args!("bundle {name}"), why);
    let failed = |why: std::io::Error| bad(&why.to_string());
    let mut tar = ustar::Reader::new(tar);
    let small = |tar: &mut ustar::Reader<_>, size: u64| {
        let mut bytes = Vec::new();
        if size > LARGEST {
            return Err(bad("its manifest is too large"));
        }
        tar.read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    };
    let stranger = |why| bad(&format!("it is no file that `almanac export` wrote: {why}"));
    let Some((first, size)) = tar.next().map_err(stranger)? else {
        return Err(bad("it is empty"));
    };
    if first != MANIFEST {
        return Err(bad("it does not begin with a manifest"));
    }
    let manifest = small(&mut tar, size)?;
    let mut entry = tar.next().map_err(failed)?;
    let mut signature = None;
    if let Some((_, size)) = entry.as_ref().filter(|(name, _)| name == SIGNATURE) {
        let bytes = small(&mut tar, *size)?;
        signature = Some(String::from_utf8(bytes).map_err(|_| bad("its signature is no text"))?);
        entry = tar.next().map_err(failed)?;
    }
    trust.check(&manifest, signature.as_deref())?;
    let parsed = Manifest::parse(&manifest)?;

    let mut wanted: HashMap<&str, &Entry> =
        parsed.sheets.iter().map(|it| (it.digest.hex(), it)).collect();
    let writer = Writer::lock(dir)?;
    while let Some((name, _)) = entry {
        let hex = name.strip_prefix("sheets/").unwrap_or_default();
        // Each is taken once: the same one over and over would take time for ever.
        let Some(wanted) = wanted.remove(hex) else {
            return Err(bad("it holds something that its manifest does not speak of, or twice"));
        };
        let mut incoming = writer.receive(wanted)?;
        std::io::copy(&mut tar, &mut incoming).map_err(failed)?;
        incoming.finish()?;
        entry = tar.next().map_err(failed)?;
    }
    writer.install(&manifest, signature.as_deref(), trust)
}

#[cfg(test)]
mod tests;
