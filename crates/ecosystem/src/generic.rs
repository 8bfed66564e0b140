//! generic: programs that no package manager installed, known by the version they carry.

mod java;
mod programs;

use model::{Found, Package, Purl};
use regex::bytes::{Captures, Regex};

use crate::executable;
use crate::{Cataloger, Ecosystem, EcosystemId, File};

pub(crate) struct Generic;

impl Ecosystem for Generic {
    fn id(&self) -> EcosystemId {
        "generic"
    }

    fn title(&self) -> &'static str {
        "programs without a package"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        programs::CATALOGERS
    }
}

/// What a program is called elsewhere.
struct Program {
    /// The purl without its version: `pkg:generic/NAME`.
    name: &'static str,
    /// CPEs, in which `VERSION` stands for the version.
    cpes: &'static [&'static str],
}

impl Program {
    fn found(&self, version: &str) -> Found {
        let cpes = self.cpes.iter().map(|it| it.replace("VERSION", version)).collect();
        let purl = Purl::new("generic", self.name).with_version(version);
        Found::packages(vec![Package { cpes, ..Package::new(purl) }])
    }
}

/// How much of a file is looked at in one go.
const WINDOW: usize = 256 << 10;
/// More than any text that a pattern matches.
const OVERLAP: usize = 512;

/// The program, in the version that the first match of `pattern` in a binary says.
fn in_binary(file: &File<'_>, program: &Program, pattern: &Regex) -> Found {
    if !executable::starts_like_one(file) {
        return Found::default();
    }
    match search(file, pattern) {
        Ok(Some(version)) => program.found(&version),
        Ok(None) => Found::default(),
        Err(error) => Found::gap(file.path(), format!("cannot be read: {error}")),
    }
}

/// The first match of `pattern`, as far as its groups go, read through windows that overlap.
fn search(file: &File<'_>, pattern: &Regex) -> std::io::Result<Option<String>> {
    let mut start = 0;
    let mut window = Vec::new();
    while start < file.size() {
        let left = usize::try_from(file.size() - start).unwrap_or(usize::MAX);
        let is_last = left <= WINDOW;
        window.resize(left.min(WINDOW), 0);
        file.read_exact_at(start, &mut window)?;
        // What starts near the end of a window may go on behind it: the next one sees it whole.
        let end = if is_last { window.len() } else { window.len() - OVERLAP };
        let found =
            pattern.captures(&window).filter(|it| it.get(0).is_some_and(|it| it.start() < end));
        if let Some(found) = found {
            return Ok(Some(version(&found)));
        }
        if is_last {
            break;
        }
        start += end as u64;
    }
    Ok(None)
}

/// A pattern has one group for each way in which a version is written.
fn version(found: &Captures<'_>) -> String {
    found
        .iter()
        .skip(1)
        .flatten()
        .map(|it| String::from_utf8_lossy(it.as_bytes()))
        .collect::<Vec<_>>()
        .join("")
}

#[cfg(test)]
mod tests;
