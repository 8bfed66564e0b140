//! apk: packages of Alpine, Wolfi, Chainguard.

use model::{Found, Owned, Package, PathHash, Purl, SourcePackage};

use crate::license;
use crate::listing::{Listing, brief};
use crate::merged;
use crate::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File};

pub(crate) struct Apk;

impl Ecosystem for Apk {
    fn id(&self) -> EcosystemId {
        "apk"
    }

    fn title(&self) -> &'static str {
        "Alpine packages"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        &[Cataloger {
            id: "apk-installed",
            reads: "apk's database of installed packages and their files",
            version: 1,
            claims: &[
                Claim::Path("lib/apk/db/installed"),
                // Where `/lib` is a link to `/usr/lib`.
                Claim::Path("usr/lib/apk/db/installed"),
            ],
            peeks: &[],
            read: read_installed,
        }]
    }
}

/// An image with a thousand packages has about 10 MiB of it.
const LARGEST: u64 = 64 << 20;
/// What Linux allows; more would make a small database a lot of work.
const LONGEST_PATH: usize = 4096;

fn read_installed(file: &File<'_>, _: &dyn Beside) -> Found {
    let bytes = match file.bytes(LARGEST) {
        Ok(bytes) => bytes,
        Err(error) => return Found::gap(file.path(), format!("cannot be read: {error}")),
    };
    let mut listing = Listing::of(file.path());
    let mut record = Record::default();
    let mut number = 0;
    let mut rest = &*bytes;
    loop {
        let end = memchr::memchr(b'\n', rest);
        let line = &rest[..end.unwrap_or(rest.len())];
        number += 1;
        if line.trim_ascii().is_empty() {
            record.close(&mut listing);
            record = Record::default();
        } else {
            record.take(line, number);
        }
        match end {
            Some(end) => rest = &rest[end + 1..],
            None => break,
        }
    }
    record.close(&mut listing);
    listing.finish()
}

/// Lines of one letter, a colon and a value. <https://wiki.alpinelinux.org/wiki/Apk_spec>
#[derive(Default)]
struct Record {
    line: usize,
    name: String,
    version: String,
    arch: String,
    origin: String,
    license: String,
    maintainer: Option<String>,
    url: Option<String>,
    description: Option<String>,
    size: Option<u64>,
    installed_size: Option<u64>,
    folder: String,
    files: Vec<PathHash>,
    /// Some path was left out.
    is_cut: bool,
}

impl Record {
    fn take(&mut self, line: &[u8], number: usize) {
        if self.line == 0 {
            self.line = number;
        }
        let [key, b':', value @ ..] = line else { return };
        let value = String::from_utf8_lossy(value.trim_ascii());
        let text = || Some(value.as_ref().to_owned()).filter(|it| !it.is_empty());
        match key {
            b'P' => self.name = value.into_owned(),
            b'V' => self.version = value.into_owned(),
            b'A' => self.arch = value.into_owned(),
            b'o' => self.origin = value.into_owned(),
            b'L' => self.license = value.into_owned(),
            b'm' => self.maintainer = text(),
            b'U' => self.url = text(),
            b'T' => self.description = text(),
            b'S' => self.size = value.parse().ok(),
            b'I' => self.installed_size = value.parse().ok(),
            b'F' => self.folder = value.into_owned(),
            b'R' if self.folder.len() + value.len() > LONGEST_PATH => self.is_cut = true,
            b'R' if self.folder.is_empty() => merged::add(&mut self.files, &value),
            b'R' => merged::add(&mut self.files, &format!("{}/{value}", self.folder)),
            // Dependencies, checksums, times and modes are nobody's concern here.
            _ => {}
        }
    }

    fn close(&mut self, listing: &mut Listing<'_>) {
        let record = std::mem::take(self);
        if record.line == 0 {
            return;
        }
        if record.name.is_empty() {
            return listing.refuse_at(record.line, "a record without a package name");
        }
        if record.version.is_empty() {
            let why = format!("the record of `{}` has no version", brief(&record.name));
            return listing.refuse_at(record.line, why);
        }
        if record.is_cut {
            let why = format!(
                "a file of `{}` has a path longer than {LONGEST_PATH} bytes",
                brief(&record.name)
            );
            listing.refuse_at(record.line, why);
        }
        let origin = if record.origin.is_empty() { &record.name } else { &record.origin };
        let upstream = if *origin == record.name { "" } else { origin };
        let purl = Purl::new("apk", &record.name)
            .with_version(&record.version)
            .with_qualifier("arch", &record.arch)
            .with_qualifier("upstream", upstream);
        let licenses = if record.license.is_empty() {
            Vec::new()
        } else {
            vec![license::normalise(&record.license)]
        };
        listing.add(Package {
            source: Some(SourcePackage { name: origin.clone(), version: None }),
            licenses,
            author: record.maintainer,
            description: record.description,
            url: record.url,
            size: record.size,
            installed_size: record.installed_size,
            ..Package::new(purl)
        });
        listing.own(Owned { package: record.name, paths: record.files });
    }
}

#[cfg(test)]
mod tests;
