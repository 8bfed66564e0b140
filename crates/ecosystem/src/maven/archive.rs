//! Java archives: what they are, what is nested in them, and what is shaded into them.

use std::collections::BTreeMap;

use model::{Found, Gap, Package};

use super::artifact;
use super::coordinates::{self, Coordinates};
use super::file_name::FileName;
use super::manifest::Manifest;
use super::pom::Pom;
use super::zip::{Bytes, Directory, Entry, Inflated};
use crate::{Beside, File, license};

const EXTENSIONS: [&str; 10] =
    ["jar", "war", "ear", "par", "jpi", "hpi", "sar", "nar", "kar", "lpkg"];

const DEEPEST: usize = 16;
const MOST_ENTRIES: u64 = 200_000;
/// Entries in all archives of one file.
const MOST_ENTRIES_IN_ALL: u64 = 2_000_000;
/// Bytes inflated from one file, and how many times its own size that may be.
const MOST_INFLATED: u64 = 2 << 30;
const MOST_RATIO: u64 = 100;
/// One archive can be named by many entries, so what is told has a bound of its own.
const MOST_PACKAGES: usize = 100_000;
const MOST_GAPS: usize = 1000;
const LARGEST_TEXT: u64 = 4 << 20;

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    let allowance = file.size().saturating_mul(MOST_RATIO).saturating_add(64 << 20);
    let mut walk = Walk {
        file: file.path(),
        inflated: allowance.min(MOST_INFLATED),
        entries: MOST_ENTRIES_IN_ALL,
        found: Found::default(),
    };
    walk.archive(file, "", 0);
    walk.found
}

/// The way through one file and all that is nested in it.
struct Walk<'a> {
    file: &'a str,
    /// Bytes that may still be inflated.
    inflated: u64,
    /// Entries that may still be looked at.
    entries: u64,
    found: Found,
}

/// What is worth a look in one archive.
#[derive(Default)]
struct Contents {
    manifest: Option<Entry>,
    /// `META-INF/maven/GROUP/NAME/pom.properties` and `…/pom.xml`.
    records: Vec<Entry>,
    nested: Vec<Entry>,
    has_classes: bool,
}

/// A `pom.properties` or a `pom.xml`, and where it is.
struct Record {
    coordinates: Coordinates,
    place: String,
    pom: Option<Pom>,
}

impl Walk<'_> {
    /// Reads the archive in `bytes`, which is at `place` in the file (empty for the file itself).
    fn archive(&mut self, bytes: &dyn Bytes, place: &str, depth: usize) {
        let path = if place.is_empty() { self.file } else { place };
        if bytes.size() == 0 {
            return;
        }
        if self.found.packages.len() >= MOST_PACKAGES {
            return self.gap(place, "holds more packages than are told; the rest is left out");
        }
        let directory = match Directory::read(bytes) {
            Ok(directory) => directory,
            Err(why) => {
                // Other things have such names, too: `.kar` is music, `.par` and `.sar` are data.
                let mut start = [0; 2];
                let is_zip = bytes.read_at(0, &mut start).is_ok() && start == *b"PK";
                let extension = path.rsplit('.').next().unwrap_or_default();
                if is_zip || matches!(extension, "jar" | "war" | "ear") {
                    self.gap(place, why);
                }
                return;
            }
        };
        let contents = self.contents(&directory, place);
        let manifest = contents
            .manifest
            .and_then(|it| self.text(bytes, &it, place))
            .map(|it| Manifest::parse(&it))
            .unwrap_or_default();
        let records = self.records(bytes, &contents.records, place);
        let before = self.found.packages.len();
        self.tell(path, place, &manifest, &records);
        if self.found.packages.len() == before && contents.has_classes {
            self.gap(place, "holds classes, but neither a name nor a version");
        }
        for entry in &contents.nested {
            self.nested(bytes, entry, place, depth);
        }
    }

    fn contents(&mut self, directory: &Directory, place: &str) -> Contents {
        let mut contents = Contents::default();
        if directory.count > MOST_ENTRIES || directory.count > self.entries {
            self.gap(place, "has more entries than are read; the rest is left out");
        }
        let most = self.entries.min(MOST_ENTRIES);
        let whole = directory.visit(most, |name, entry| {
            if name.ends_with(b".class") {
                contents.has_classes = true;
            } else if name.starts_with(b"META-INF/maven/")
                && (name.ends_with(b"/pom.properties") || name.ends_with(b"/pom.xml"))
            {
                contents.records.push(entry());
            } else if name.eq_ignore_ascii_case(b"META-INF/MANIFEST.MF") {
                contents.manifest.get_or_insert_with(entry);
            } else if is_archive(name) {
                contents.nested.push(entry());
            }
        });
        if !whole {
            self.gap(place, "its directory is cut short or damaged; the rest is left out");
        }
        self.entries = self.entries.saturating_sub(directory.count.min(most));
        contents
    }

    /// Maven's records, each once. The `pom.xml` beside a `pom.properties` adds what that lacks.
    fn records(&mut self, bytes: &dyn Bytes, entries: &[Entry], place: &str) -> Vec<Record> {
        // By folder: an archive may have any number, and each is looked up more than once.
        let mut folders: BTreeMap<&str, BTreeMap<&str, &Entry>> = BTreeMap::new();
        for entry in entries {
            if let Some((folder, name)) = entry.name.rsplit_once('/') {
                folders.entry(folder).or_default().entry(name).or_insert(entry);
            }
        }
        let mut records = Vec::new();
        for (folder, files) in folders {
            let entry = |name: &str| files.get(name).copied();
            let pom = entry("pom.xml")
                .and_then(|it| self.text(bytes, it, place))
                .and_then(|it| Pom::parse(&String::from_utf8_lossy(&it)).ok());
            let properties = entry("pom.properties")
                .and_then(|it| self.text(bytes, it, place))
                .and_then(|it| properties(&String::from_utf8_lossy(&it)));
            let from_pom = || {
                let (group, name, version) = pom.as_ref()?.coordinates()?;
                Some(Coordinates { group, name, version })
            };
            let at = join(place, folder);
            match properties.or_else(from_pom) {
                Some(coordinates) => {
                    let place = match entry("pom.properties") {
                        Some(_) => format!("{at}/pom.properties"),
                        None => format!("{at}/pom.xml"),
                    };
                    records.push(Record { coordinates, place, pom });
                }
                None => self.gap(&at, "a record of Maven without a name or a version"),
            }
        }
        records
    }

    /// Adds the archive's own package, and those shaded into it.
    fn tell(&mut self, path: &str, place: &str, manifest: &Manifest, records: &[Record]) {
        let main = main_record(path, manifest, records);
        let own = match main {
            Some(main) => Some(package(&main.coordinates, main.pom.as_ref(), Some(manifest))),
            None => coordinates::guess(path, manifest)
                .map(|coordinates| package(&coordinates, None, Some(manifest))),
        };
        if let Some(own) = own {
            self.found.packages.push(if place.is_empty() { own } else { own.inside(place) });
        }
        for record in records {
            if main.is_some_and(|it| std::ptr::eq(it, record)) {
                continue;
            }
            let shaded = package(&record.coordinates, record.pom.as_ref(), None);
            self.found.packages.push(shaded.inside(&record.place));
        }
    }

    fn nested(&mut self, bytes: &dyn Bytes, entry: &Entry, place: &str, depth: usize) {
        let place = join(place, &entry.name);
        if depth + 1 >= DEEPEST {
            return self.gap(&place, "archives are nested too deeply; this one is left out");
        }
        match entry.stored(bytes) {
            Ok(Some(window)) => {
                // What is read where it lies counts as well, or a file could hold itself many times.
                if entry.size > self.inflated {
                    return self.gap(&place, "inflates to more than is read");
                }
                self.inflated -= entry.size;
                self.archive(&window, &place, depth + 1);
            }
            Ok(None) => match entry.inflate(bytes, &mut self.inflated) {
                Ok(inflated) => self.archive(&inflated, &place, depth + 1),
                Err(why) => self.gap(&place, why),
            },
            Err(why) => self.gap(&place, why),
        }
    }

    /// The bytes of a small entry, or a gap.
    fn text(&mut self, bytes: &dyn Bytes, entry: &Entry, place: &str) -> Option<Vec<u8>> {
        let mut limit = LARGEST_TEXT.min(self.inflated);
        let before = limit;
        let inflated = entry.inflate(bytes, &mut limit);
        self.inflated -= before - limit;
        match inflated {
            Ok(Inflated::Memory(bytes)) => Some(bytes),
            Ok(Inflated::Spooled { .. }) => None,
            Err(why) => {
                self.gap(&join(place, &entry.name), why);
                None
            }
        }
    }

    fn gap(&mut self, place: &str, why: impl Into<String>) {
        if self.found.gaps.len() < MOST_GAPS {
            self.found.gaps.push(Gap::new(join(self.file, place), why));
        } else if self.found.gaps.len() == MOST_GAPS {
            self.found.gaps.push(Gap::new(self.file, "has more holes than are told"));
        }
    }
}

fn join(place: &str, inside: &str) -> String {
    match (place, inside) {
        ("", _) => inside.to_owned(),
        (_, "") => place.to_owned(),
        _ => format!("{place}!/{inside}"),
    }
}

fn is_archive(name: &[u8]) -> bool {
    let tail = name.get(name.len().saturating_sub(5)..).unwrap_or_default();
    let extension = memchr::memrchr(b'.', tail).and_then(|dot| tail.get(dot + 1..));
    extension.is_some_and(|it| EXTENSIONS.iter().any(|one| it.eq_ignore_ascii_case(one.as_bytes())))
}

/// `groupId`, `artifactId` and `version` of a `pom.properties`.
fn properties(text: &str) -> Option<Coordinates> {
    let value = |key: &str| {
        text.lines()
            .filter_map(|line| line.split_once(['=', ':']))
            .find(|(it, _)| it.trim() == key)
            .map(|(_, value)| value.trim().to_owned())
            .filter(|it| !it.is_empty() && !it.contains("${"))
    };
    Some(Coordinates {
        group: value("groupId")?,
        name: value("artifactId")?,
        version: value("version")?,
    })
}

/// Which of the records is the archive itself: the one whose name the file has, or else the one the
/// manifest names. A lone record speaks for a file that has no version in its name.
fn main_record<'a>(path: &str, manifest: &Manifest, records: &'a [Record]) -> Option<&'a Record> {
    let file_name = FileName::parse(path.rsplit('/').next().unwrap_or(path));
    let stem =
        path.rsplit('/').next().and_then(|it| it.rsplit_once('.')).map_or("", |(stem, _)| stem);
    let begins = |record: &&Record| {
        let rest = stem.get(record.coordinates.name.len()..).unwrap_or("?");
        let same = stem.len() >= record.coordinates.name.len()
            && stem
                .get(..record.coordinates.name.len())
                .is_some_and(|it| it.eq_ignore_ascii_case(&record.coordinates.name));
        same && (rest.is_empty()
            || rest.strip_prefix('-') == Some(&record.coordinates.version)
            || rest.starts_with(&format!("-{}-", record.coordinates.version)))
    };
    let named = records.iter().filter(begins).max_by_key(|it| it.coordinates.name.len());
    let same_name = || records.iter().find(|it| it.coordinates.name == file_name.name);
    let by_manifest = || {
        let symbolic = manifest.symbolic_name();
        records.iter().find(|it| {
            let Coordinates { group, name, .. } = &it.coordinates;
            manifest.get("Implementation-Title") == Some(name)
                || symbolic.is_some_and(|it| it == name || *it == format!("{group}.{name}"))
        })
    };
    let lone = || match records {
        [record] if file_name.version.is_empty() => Some(record),
        _ => None,
    };
    named
        .or_else(same_name)
        .or_else(|| if file_name.version.is_empty() { by_manifest() } else { None })
        .or_else(lone)
}

fn package(coordinates: &Coordinates, pom: Option<&Pom>, manifest: Option<&Manifest>) -> Package {
    let Coordinates { group, name, version } = coordinates;
    let mut package = Package::new(artifact(group, name, version));
    if let Some(pom) = pom {
        package.licenses = licenses(pom.licenses());
        package.description = pom.text("description").map(|it| one_line(&it));
        package.url = pom.text("url");
        package.author = pom.organization();
    }
    if let Some(manifest) = manifest {
        if package.licenses.is_empty() {
            package.licenses = licenses(manifest.licenses());
        }
        let header = |key: &str| manifest.get(key).map(one_line);
        package.description = package.description.or_else(|| header("Bundle-Description"));
        package.url = package.url.or_else(|| header("Bundle-DocURL"));
        package.author = package
            .author
            .or_else(|| header("Implementation-Vendor"))
            .or_else(|| header("Bundle-Vendor"));
    }
    package
}

fn licenses<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut licenses: Vec<String> = Vec::new();
    for text in texts.filter(|it| !it.is_empty()) {
        let license = license::normalise(text);
        if !licenses.contains(&license) {
            licenses.push(license);
        }
    }
    licenses
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}
