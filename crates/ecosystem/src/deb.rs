//! deb: packages of Debian, Ubuntu and their kin, and of images built from them without dpkg.

mod copyright;

use model::{Found, Owned, Package, Purl, SourcePackage};

use crate::listing::{Listing, brief};
use crate::merged;
use crate::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File};

pub(crate) struct Deb;

impl Ecosystem for Deb {
    fn id(&self) -> EcosystemId {
        "deb"
    }

    fn title(&self) -> &'static str {
        "Debian packages"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        &[
            Cataloger {
                id: "deb-status",
                reads: "dpkg's status file: packages that are installed, also half-way",
                version: 1,
                claims: &[Claim::Path("var/lib/dpkg/status")],
                peeks: &[],
                read: read_status,
            },
            Cataloger {
                id: "deb-status-directory",
                reads: "one file per package, and its list of files, where an image has no dpkg (distroless)",
                version: 1,
                claims: &[Claim::Path("var/lib/dpkg/status.d/*")],
                peeks: &["var/lib/dpkg/status.d/*"],
                read: read_status_directory,
            },
            Cataloger {
                id: "deb-files",
                reads: "dpkg's lists of the files that belong to each package",
                version: 1,
                claims: &[Claim::Path("var/lib/dpkg/info/*.list")],
                peeks: &[],
                read: read_list,
            },
            Cataloger {
                id: "deb-copyright",
                reads: "licences from a package's `copyright` file",
                version: 1,
                claims: &[Claim::Path("usr/share/doc/*/copyright")],
                peeks: &[],
                read: copyright::read,
            },
        ]
    }
}

/// A status file has about 1 KiB for each package.
const LARGEST_STATUS: u64 = 64 << 20;
/// The sources of a kernel, the longest list, have 7 MiB.
const LARGEST_LIST: u64 = 32 << 20;

fn read_status(file: &File<'_>, _: &dyn Beside) -> Found {
    match file.bytes(LARGEST_STATUS) {
        Ok(bytes) => packages(file.path(), &bytes),
        Err(error) => Found::gap(file.path(), format!("cannot be read: {error}")),
    }
}

fn read_status_directory(file: &File<'_>, beside: &dyn Beside) -> Found {
    let bytes = match file.bytes(LARGEST_LIST) {
        Ok(bytes) => bytes,
        Err(error) => return Found::gap(file.path(), format!("cannot be read: {error}")),
    };
    let Some(record) = file.path().strip_suffix(".md5sums") else {
        return packages(file.path(), &bytes);
    };
    // Some builders encode the file's name, so the record beside it names the package.
    let package = beside
        .bytes(record)
        .and_then(|it| Stanzas::new(it).next())
        .and_then(|stanza| stanza.get("Package"))
        .unwrap_or_else(|| record.rsplit('/').next().unwrap_or(record).to_owned());
    // `0123456789abcdef0123456789abcdef  usr/bin/x`
    owned(package, lines(&bytes).filter_map(|line| line.get(32..)).map(<[u8]>::trim_ascii_start))
}

fn read_list(file: &File<'_>, _: &dyn Beside) -> Found {
    let bytes = match file.bytes(LARGEST_LIST) {
        Ok(bytes) => bytes,
        Err(error) => return Found::gap(file.path(), format!("cannot be read: {error}")),
    };
    let package = file.name().strip_suffix(".list").unwrap_or(file.name());
    owned(package.to_owned(), lines(&bytes).filter(|it| *it != b"/."))
}

fn owned<'a>(package: String, files: impl Iterator<Item = &'a [u8]>) -> Found {
    let mut paths = Vec::new();
    for file in files.filter(|it| !it.is_empty()) {
        let file = file.strip_prefix(b"./").unwrap_or(file);
        merged::add(&mut paths, &String::from_utf8_lossy(file));
    }
    let owned = if paths.is_empty() { Vec::new() } else { vec![Owned { package, paths }] };
    Found { owned, ..Found::default() }
}

fn packages(path: &str, bytes: &[u8]) -> Found {
    let mut listing = Listing::of(path);
    for stanza in Stanzas::new(bytes).filter(Stanza::is_installed) {
        match stanza.package() {
            Ok(package) => listing.add(package),
            Err(why) => listing.refuse_at(stanza.line, why),
        }
    }
    listing.finish()
}

/// Paragraphs of `Field: value` lines, parted by empty ones.
/// <https://www.debian.org/doc/debian-policy/ch-controlfields.html>
struct Stanzas<'a> {
    rest: &'a [u8],
    line: usize,
}

struct Stanza<'a> {
    line: usize,
    fields: Vec<(&'a [u8], Vec<&'a [u8]>)>,
}

impl<'a> Stanzas<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, line: 0 }
    }
}

impl<'a> Iterator for Stanzas<'a> {
    type Item = Stanza<'a>;

    fn next(&mut self) -> Option<Stanza<'a>> {
        let mut stanza = Stanza { line: 0, fields: Vec::new() };
        while !self.rest.is_empty() {
            let (line, rest) = cut(self.rest);
            self.rest = rest;
            self.line += 1;
            if line.trim_ascii().is_empty() {
                if stanza.line == 0 {
                    continue;
                }
                break;
            }
            if stanza.line == 0 {
                stanza.line = self.line;
            }
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                if let Some((_, values)) = stanza.fields.last_mut() {
                    values.push(line.trim_ascii());
                }
            } else if let Some(colon) = memchr::memchr(b':', line) {
                let (field, value) = line.split_at(colon);
                stanza.fields.push((field, vec![value[1..].trim_ascii()]));
            }
        }
        (stanza.line != 0).then_some(stanza)
    }
}

impl Stanza<'_> {
    /// The first line of a field that says something.
    fn get(&self, field: &str) -> Option<String> {
        self.lines(field)
            .next()
            .filter(|it| !it.is_empty())
            .map(|it| String::from_utf8_lossy(it).into_owned())
    }

    fn lines(&self, field: &str) -> impl Iterator<Item = &[u8]> {
        self.fields
            .iter()
            .find(|(it, _)| it.eq_ignore_ascii_case(field.as_bytes()))
            .into_iter()
            .flat_map(|(_, values)| values.iter().copied())
    }

    /// Files of a package can be there in each state but `not-installed` and `config-files`.
    /// A record without a state is one that no dpkg has touched: its image was built from it.
    fn is_installed(&self) -> bool {
        self.get("Status").is_none_or(|status| {
            !matches!(
                status.split_ascii_whitespace().last(),
                Some("not-installed" | "config-files")
            )
        })
    }

    fn package(&self) -> Result<Package, String> {
        let name = self.get("Package").ok_or("a record without a package name")?;
        let version = self
            .get("Version")
            .ok_or_else(|| format!("the record of `{}` has no version", brief(&name)))?;
        let stated = self.get("Source").map(|it| source(&it));
        let upstream = match &stated {
            Some(SourcePackage { name, version: Some(version) }) => format!("{name}@{version}"),
            Some(source) if source.name != name => source.name.clone(),
            _ => String::new(),
        };
        let purl = Purl::new("deb", &name)
            .with_version(&version)
            .with_qualifier("arch", &self.get("Architecture").unwrap_or_default())
            .with_qualifier("upstream", &upstream);
        Ok(Package {
            source: Some(stated.unwrap_or(SourcePackage { name, version: None })),
            author: self.get("Maintainer"),
            description: self.get("Description"),
            url: self.get("Homepage"),
            // In units of 1024 bytes.
            installed_size: self
                .get("Installed-Size")
                .and_then(|it| it.parse::<u64>().ok())
                .and_then(|it| it.checked_mul(1024)),
            ..Package::new(purl)
        })
    }
}

/// `openssl`, or `openssl (3.0.2-1)` where a package was built again from the same source.
fn source(text: &str) -> SourcePackage {
    let (name, version) = text.split_once('(').unwrap_or((text, ""));
    let version = version.trim_end().trim_end_matches(')').trim();
    SourcePackage {
        name: name.trim().to_owned(),
        version: (!version.is_empty()).then(|| version.to_owned()),
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        (!rest.is_empty()).then(|| {
            let (line, tail) = cut(rest);
            rest = tail;
            line
        })
    })
}

/// The first line, without its end, and what follows it.
fn cut(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (line, rest) = match memchr::memchr(b'\n', bytes) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[][..]),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

#[cfg(test)]
mod tests;
