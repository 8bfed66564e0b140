//! `go.mod`: what a module requires. <https://go.dev/ref/mod#go-mod-file>

use std::collections::HashSet;

use model::{Found, Gap, Package, PackageKind, Purl};

use super::module;
use crate::listing::{Listing, brief};
use crate::{Beside, File, document};

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    document::found(read_manifest(file))
}

fn read_manifest(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let manifest = Manifest::parse(&text);
    let mut listing = Listing::of(file.path());
    for module in manifest.required.iter().filter(|it| !manifest.excluded.contains(*it)) {
        listing.add(Package::new(manifest.purl(module)).of_kind(PackageKind::Declared));
    }
    for line in &manifest.unreadable {
        listing.refuse(format!("a line that cannot be read: `{}`", brief(line)));
    }
    Ok(listing.finish())
}

/// A module's path and version.
type Module<'a> = (&'a str, &'a str);

#[derive(Default)]
struct Manifest<'a> {
    required: Vec<Module<'a>>,
    replaced: Vec<Replacement<'a>>,
    excluded: HashSet<Module<'a>>,
    unreadable: Vec<&'a str>,
}

/// `path version => by`; without a version it goes for all.
struct Replacement<'a> {
    path: &'a str,
    version: Option<&'a str>,
    by: Module<'a>,
}

impl<'a> Manifest<'a> {
    fn parse(text: &'a str) -> Self {
        let mut manifest = Self::default();
        let mut block = None;
        for line in text.lines() {
            let code = line.split("//").next().unwrap_or_default().trim();
            if code == ")" {
                block = None;
            } else if let Some(verb) = code.strip_suffix('(') {
                block = Some(verb.trim());
            } else {
                let (verb, rest) = match block {
                    Some(verb) => (verb, code),
                    None => code.split_once(char::is_whitespace).unwrap_or((code, "")),
                };
                let words: Vec<&str> =
                    rest.split_whitespace().map(|it| it.trim_matches(['"', '`'])).collect();
                if !code.is_empty() && !manifest.takes(verb, &words) {
                    manifest.unreadable.push(code);
                }
            }
        }
        manifest
    }

    /// Takes in one statement; false if it makes no sense.
    fn takes(&mut self, verb: &str, words: &[&'a str]) -> bool {
        match (verb, words) {
            ("require" | "exclude" | "replace", [path, ..])
                if path.trim_matches('/').is_empty() =>
            {
                return false;
            }
            ("require", [path, version]) => self.required.push((path, version)),
            ("exclude", [path, version]) => {
                self.excluded.insert((path, version));
            }
            ("replace", [path, "=>", by @ ..]) => return self.replaces(path, None, by),
            ("replace", [path, version, "=>", by @ ..]) => {
                return self.replaces(path, Some(version), by);
            }
            ("require" | "exclude" | "replace", _) => return false,
            _ => {}
        }
        true
    }

    fn replaces(&mut self, path: &'a str, version: Option<&'a str>, by: &[&'a str]) -> bool {
        let by = match by {
            // A directory beside has neither a module's name nor a version.
            [directory] => (path, if directory.is_empty() { return false } else { "" }),
            [path, version] => (*path, *version),
            _ => return false,
        };
        self.replaced.push(Replacement { path, version, by });
        true
    }

    /// The purl of a required module, as replaced.
    fn purl(&self, required: &Module<'a>) -> Purl {
        let replacement = self
            .replaced
            .iter()
            .filter(|it| it.path == required.0 && it.version.is_none_or(|it| it == required.1))
            .max_by_key(|it| it.version.is_some());
        let (path, version) = replacement.map_or(*required, |it| it.by);
        module(path, version)
    }
}
