//! rpm: packages of Red Hat, Fedora, SUSE, Amazon, Oracle, Azure Linux and their kin.

mod bdb;
mod header;
mod manifest;
mod ndb;
mod sqlite;

use std::io;

use model::{Found, Owned, Package, Purl, SourcePackage};

use self::header::Header;
use crate::license;
use crate::listing::{Listing, brief};
use crate::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File};

pub(crate) struct Rpm;

impl Ecosystem for Rpm {
    fn id(&self) -> EcosystemId {
        "rpm"
    }

    fn title(&self) -> &'static str {
        "RPM packages"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        &[
            Cataloger {
                id: "rpm-database",
                reads: "rpm's database of installed packages and their files: SQLite, ndb or BerkeleyDB",
                version: 2,
                claims: &[
                    Claim::Path("var/lib/rpm/{Packages,Packages.db,rpmdb.sqlite}"),
                    Claim::Path("usr/lib/sysimage/rpm/{Packages,Packages.db,rpmdb.sqlite}"),
                    // Image-based systems (ostree) keep it away from `/var`.
                    Claim::Path("usr/share/rpm/{Packages,Packages.db,rpmdb.sqlite}"),
                ],
                peeks: &[
                    "var/lib/rpm/rpmdb.sqlite-wal",
                    "usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
                    "usr/share/rpm/rpmdb.sqlite-wal",
                ],
                read: read_database,
            },
            Cataloger {
                id: "rpm-manifest",
                reads: "the list of packages in images that were built without a database (Azure Linux distroless)",
                version: 1,
                claims: &[Claim::Path("var/lib/rpmmanifest/container-manifest-2")],
                peeks: &[],
                read: manifest::read,
            },
        ]
    }
}

/// Real ones have some hundred MiB.
const LARGEST_DATABASE: u64 = 1 << 30;
/// The header of a package with a hundred thousand files has some 20 MiB.
const LARGEST_HEADER: usize = 32 << 20;

/// What to do with each header that a database holds, or with the reason why one cannot be read.
type Take<'t> = &'t mut dyn FnMut(Result<&[u8], String>);

fn read_database(file: &File<'_>, beside: &dyn Beside) -> Found {
    let mut listing = Listing::of(file.path());
    let mut take = |blob: Result<&[u8], String>| {
        if let Err(why) = blob.and_then(|it| package(it, &mut listing)) {
            listing.refuse(why);
        }
    };
    if let Err(why) = headers(file, beside, &mut take) {
        listing.refuse(why);
    }
    listing.finish()
}

/// The name says less than the content: ndb has been called `Packages` too.
fn headers(file: &File<'_>, beside: &dyn Beside, take: Take<'_>) -> Result<(), String> {
    if file.size() > LARGEST_DATABASE {
        return Err(format!("is larger than {LARGEST_DATABASE} bytes"));
    }
    let magic = read_at(file, 0, 16).map_err(|_| "is too short for a database")?;
    if magic == sqlite::MAGIC {
        sqlite::read(file, beside.bytes(&format!("{}-wal", file.path())), take)
    } else if magic.starts_with(ndb::MAGIC) {
        ndb::read(file, take)
    } else if magic.ends_with(&bdb::MAGIC.to_le_bytes()) {
        bdb::read(file, bdb::Order::Little, take)
    } else if magic.ends_with(&bdb::MAGIC.to_be_bytes()) {
        bdb::read(file, bdb::Order::Big, take)
    } else {
        Err("is no database of rpm that we know".to_owned())
    }
}

fn package(blob: &[u8], listing: &mut Listing<'_>) -> Result<(), String> {
    let header = Header::parse(blob)?;
    let name = header.text(header::NAME).ok_or("a package without a name")?;
    // Keys to check signatures with are kept as if they were packages.
    if name == "gpg-pubkey" {
        return Ok(());
    }
    let version = header
        .text(header::VERSION)
        .ok_or_else(|| format!("the record of `{}` has no version", brief(&name)))?;
    let release = header.text(header::RELEASE);
    let facts = Facts {
        name: &name,
        version: &version,
        release: release.as_deref().unwrap_or_default(),
        epoch: header.number(header::EPOCH),
        arch: header.text(header::ARCH),
        source: header.text(header::SOURCERPM),
        module: header.text(header::MODULARITYLABEL),
    };
    listing.add(Package {
        licenses: header
            .text(header::LICENSE)
            .map(|it| license::normalise(&it))
            .into_iter()
            .collect(),
        // Who built it decides whose advisories count.
        author: header.text(header::VENDOR).or_else(|| header.text(header::PACKAGER)),
        description: header.text(header::SUMMARY),
        url: header.text(header::URL),
        size: header.number(header::LONGSIGSIZE).or_else(|| header.number(header::SIGSIZE)),
        installed_size: header.number(header::LONGSIZE).or_else(|| header.number(header::SIZE)),
        ..facts.package()
    });
    let (paths, whole) = header.files();
    listing.own(Owned { package: name.clone(), paths });
    whole.map_err(|why| format!("the list of files of `{}` {why}", brief(&name)))
}

/// What makes up a package's name in the world.
#[derive(Default)]
struct Facts<'a> {
    name: &'a str,
    version: &'a str,
    release: &'a str,
    epoch: Option<u64>,
    arch: Option<String>,
    source: Option<String>,
    module: Option<String>,
}

impl Facts<'_> {
    fn package(self) -> Package {
        let version = match self.release {
            "" => self.version.to_owned(),
            release => format!("{}-{release}", self.version),
        };
        let module = self.module.unwrap_or_default();
        let source = self.source.unwrap_or_default();
        let purl = Purl::new("rpm", self.name)
            .with_version(&version)
            .with_qualifier("arch", &self.arch.unwrap_or_default())
            .with_qualifier("epoch", &self.epoch.map(|it| it.to_string()).unwrap_or_default())
            .with_qualifier("rpmmod", &module)
            .with_qualifier("upstream", &source);
        let built_from = source_package(&source)
            .unwrap_or_else(|| SourcePackage { name: self.name.to_owned(), version: None });
        Package { source: Some(built_from), ..Package::new(purl) }
    }
}

/// `openssl-3.0.7-27.el9.src.rpm` is `openssl` in version `3.0.7-27.el9`.
fn source_package(file: &str) -> Option<SourcePackage> {
    let stem = file.strip_suffix(".rpm")?;
    let stem = stem.strip_suffix(".src").or_else(|| stem.strip_suffix(".nosrc"))?;
    let (rest, _) = stem.rsplit_once('-')?;
    let (name, _) = rest.rsplit_once('-')?;
    let version = stem.get(name.len() + 1..)?;
    (!name.is_empty())
        .then(|| SourcePackage { name: name.to_owned(), version: Some(version.to_owned()) })
}

/// A number of `N` bytes, the first byte of which is at `at`.
fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Reads `length` bytes from `offset` on; the caller has checked that `length` is sane.
fn read_at(file: &File<'_>, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    if offset.checked_add(length as u64).is_none_or(|end| end > file.size()) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut bytes = vec![0; length];
    file.read_exact_at(offset, &mut bytes)?;
    Ok(bytes)
}

/// Pages that were read: none is read twice, so no chain of pages is endless, and reading a database
/// takes no longer than its size says.
#[derive(Default)]
struct Visited {
    bits: Vec<u64>,
}

impl Visited {
    /// False where that page was there before, or is so far out that no database has it.
    fn insert(&mut self, page: u32) -> bool {
        const MOST: usize = 1 << 20;
        let (word, bit) = ((page / 64) as usize, 1_u64 << (page % 64));
        if word >= MOST {
            return false;
        }
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        let Some(bits) = self.bits.get_mut(word) else { return false };
        let is_new = *bits & bit == 0;
        *bits |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests;
