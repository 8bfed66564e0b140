//! Changing an almanac on disk: one process at a time, and readers never notice.

use std::collections::BTreeSet;
use std::fs::TryLockError;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use model::Digest;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::almanac::{Almanac, Content, check_entry};
use crate::compile::{SheetBytes, digest_of};
use crate::error::Error;
use crate::manifest::{Entry, Manifest};
use crate::sheet::Sheet;

use super::{
    MANIFEST, Opened, SEALS, SHEETS, Seal, Standing, Trust, missing, read, seal_path, sheet_path,
};

const STAGING: &str = "staging";

/// The right to change the almanac of one directory.
#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    _lock: fs_err::File,
}

/// What came of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// What it is called.
    pub digest: Digest,
    /// Who answers for it.
    pub standing: Standing,
    /// It was the one in use before.
    pub unchanged: bool,
    /// How many sheets were taken away because nobody uses them any more.
    pub removed: usize,
}

impl Writer {
    /// Takes the right, unless somebody has it. What an earlier one left half-done is cleared away.
    pub fn lock(dir: &Path) -> Result<Self, Error> {
        fs_err::create_dir_all(dir).map_err(Error::io)?;
        let path = dir.join("lock");
        let mut options = fs_err::OpenOptions::new();
        let lock = options.create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(Error::io)?;
        match lock.file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy(dir.to_owned())),
            Err(TryLockError::Error(why)) => return Err(Error::at(&path, why)),
        }
        let staging = dir.join(STAGING);
        if staging.exists() {
            fs_err::remove_dir_all(&staging).map_err(Error::io)?;
        }
        for name in [STAGING, SHEETS, SEALS] {
            fs_err::create_dir_all(dir.join(name)).map_err(Error::io)?;
        }
        Ok(Self { dir: dir.to_owned(), _lock: lock })
    }

    /// Where the almanac is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Who answers for the almanac in use.
    pub fn standing(&self) -> Result<Standing, Error> {
        super::open(&self.dir).map(|it| it.seal.standing)
    }

    /// The manifest in use.
    pub fn manifest(&self) -> Result<Option<Manifest>, Error> {
        read(&self.dir.join(MANIFEST))?.map(|it| Manifest::parse(&it)).transpose()
    }

    /// Puts a sheet on disk. Nobody uses it before a manifest with it is installed.
    pub fn put(&self, sheet: &SheetBytes) -> Result<(), Error> {
        let path = sheet_path(&self.dir, &sheet.entry.digest);
        if fs_err::read(&path).is_ok_and(|it| it == sheet.bytes) {
            return Ok(());
        }
        let mut incoming = self.receive(&sheet.entry)?;
        incoming.write_all(&sheet.bytes).map_err(Error::io)?;
        incoming.finish()
    }

    /// Takes a sheet that comes from elsewhere: write its bytes, then `finish`.
    pub fn receive(&self, entry: &Entry) -> Result<Incoming, Error> {
        let file = NamedTempFile::new_in(self.dir.join(STAGING)).map_err(Error::io)?;
        let (entry, hash) = (entry.clone(), Sha256::new());
        Ok(Incoming { dir: self.dir.clone(), entry, file, hash, written: 0 })
    }

    /// Makes the almanac with that manifest the one in use. All its sheets must have been put.
    /// Whatever fails, the former one stays in use.
    pub fn install(
        &self,
        manifest: &[u8],
        signature: Option<&str>,
        trust: Trust<'_>,
    ) -> Result<Installed, Error> {
        let standing = trust.check(manifest, signature)?;
        self.put_in_use(manifest, signature, standing)
    }

    /// The same for an almanac that was made here just now. If all that is new in it is when it was
    /// put together, the one in use stays as it is, with whoever answers for it.
    pub fn install_made(&self, manifest: &Manifest) -> Result<Installed, Error> {
        let former = super::open(&self.dir).ok().filter(|it| {
            let former = Manifest::parse(&it.manifest);
            it.seal.standing != Standing::Unchecked
                && former.is_ok_and(|former| former.says_the_same(manifest))
        });
        match former {
            Some(Opened { manifest, seal, .. }) => {
                self.put_in_use(&manifest, seal.signature.as_deref(), seal.standing)
            }
            None => self.put_in_use(&manifest.to_bytes(), None, Standing::Local),
        }
    }

    /// The same for an almanac that is in use elsewhere, or nowhere on disk. Its sheets are shared
    /// with it where the file system can do that.
    pub(crate) fn install_copy(&self, almanac: &Almanac) -> Result<Installed, Error> {
        for (entry, content) in almanac.contents() {
            match content {
                Content::Bytes(bytes) => {
                    self.put(&SheetBytes { entry: entry.clone(), bytes: bytes.to_vec() })?;
                }
                Content::File(path) => self.share(entry, path)?,
            }
        }
        self.put_in_use(almanac.written(), almanac.signature(), almanac.standing().clone())
    }

    fn share(&self, entry: &Entry, from: &Path) -> Result<(), Error> {
        let to = sheet_path(&self.dir, &entry.digest);
        if to.exists() || fs_err::hard_link(from, &to).is_ok() {
            return Ok(());
        }
        let mut sheet = fs_err::File::open(from).map_err(Error::io)?;
        let mut incoming = self.receive(entry)?;
        io::copy(&mut sheet, &mut incoming).map_err(Error::io)?;
        incoming.finish()
    }

    fn put_in_use(
        &self,
        manifest: &[u8],
        signature: Option<&str>,
        standing: Standing,
    ) -> Result<Installed, Error> {
        let parsed = Manifest::parse(manifest)?;
        let absent = missing(&self.dir, &parsed);
        if let Some(first) = absent.first() {
            let why =
                format!("{} of its sheets are not there, {} first", absent.len(), first.digest);
            return Err(Error::corrupt("manifest", why));
        }
        for it in &parsed.sheets {
            check_entry(&Sheet::map(&sheet_path(&self.dir, &it.digest))?, it)?;
        }
        let digest = digest_of(manifest);
        let unchanged = read(&self.dir.join(MANIFEST))?.is_some_and(|it| it == manifest);
        let seal = Seal {
            standing: standing.clone(),
            signature: signature.map(str::to_owned),
            sheets: parsed.sheets.iter().map(|it| it.digest.clone()).collect(),
        };
        let seal = serde_json::to_vec(&seal).expect("it has no map and no odd number");
        self.replace(&seal, &seal_path(&self.dir, &digest))?;
        self.replace(manifest, &self.dir.join(MANIFEST))?;
        let removed = self.sweep(&digest);
        Ok(Installed { digest, standing, unchanged, removed })
    }

    fn replace(&self, bytes: &[u8], path: &Path) -> Result<(), Error> {
        let mut file = NamedTempFile::new_in(self.dir.join(STAGING)).map_err(Error::io)?;
        file.write_all(bytes).map_err(Error::io)?;
        keep(file, path)
    }

    /// Takes away the sheets that neither the almanac in use nor one that somebody still reads has.
    /// What cannot be taken away now goes next time.
    fn sweep(&self, current: &Digest) -> usize {
        let mut needed: BTreeSet<String> = BTreeSet::new();
        for path in files_of(&self.dir.join(SEALS)) {
            let is_current = path.file_name().is_some_and(|it| *it == *current.hex());
            let unused = !is_current
                && fs_err::File::open(&path).is_ok_and(|it| {
                    // The lock is let go with the file, after its name is gone.
                    it.file().try_lock().is_ok() && fs_err::remove_file(&path).is_ok()
                });
            if unused {
                continue;
            }
            let seal = read(&path).ok().flatten();
            let seal = seal.and_then(|it| serde_json::from_slice::<Seal>(&it).ok());
            // What a seal that cannot be read keeps is not known: nothing goes.
            let Some(seal) = seal else { return 0 };
            needed.extend(seal.sheets.iter().map(|it| it.hex().to_owned()));
        }
        let unused = files_of(&self.dir.join(SHEETS)).into_iter().filter(|it| {
            it.file_name().and_then(|it| it.to_str()).is_none_or(|it| !needed.contains(it))
        });
        unused.filter(|it| fs_err::remove_file(it).is_ok()).count()
    }
}

fn files_of(dir: &Path) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|it| it.path()).filter(|it| it.is_file()).collect()
}

/// A sheet on its way in. It counts only once it is finished.
#[derive(Debug)]
pub struct Incoming {
    dir: PathBuf,
    entry: Entry,
    file: NamedTempFile,
    hash: Sha256,
    written: u64,
}

impl Incoming {
    /// It is all there: checks size, digest, and that all of it can be read, and gives it its name.
    pub fn finish(self) -> Result<(), Error> {
        let digest = Digest::from_sha256(&self.hash.finalize().into());
        let bad = |why| Error::corrupt(format_args!("sheet {}", self.entry.digest.short()), why);
        if self.written != self.entry.size || digest != self.entry.digest {
            return Err(bad("it is not what its digest says"));
        }
        let sheet = Sheet::map(self.file.path())?;
        check_entry(&sheet, &self.entry)?;
        sheet.walk().map_err(bad)?;
        keep(self.file, &sheet_path(&self.dir, &self.entry.digest))
    }
}

impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.entry.size - self.written;
        if bytes.len() as u64 > left {
            return Err(io::Error::other("the sheet is longer than the manifest says"));
        }
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Brings a file to disk, and only then gives it its name.
fn keep(file: NamedTempFile, path: &Path) -> Result<(), Error> {
    file.as_file().sync_all().map_err(|why| Error::at(path, why))?;
    share(&file).map_err(|why| Error::at(path, why))?;
    file.persist(path).map_err(|why| Error::at(path, why.error))?;
    if let Some(dir) = path.parent() {
        // Where directories cannot be synced, the name may be lost with the power, but never half.
        let _ = fs_err::File::open(dir).and_then(|it| it.sync_all());
    }
    Ok(())
}

/// Temporary files are for their owner alone; an almanac may be shared.
#[cfg(unix)]
fn share(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn share(_: &NamedTempFile) -> io::Result<()> {
    Ok(())
}
