//! pnpm's lock file: YAML whose keys under `packages` name what was chosen.
//! Version 5 writes `/@s/name/1.0.0_peer@2`, version 6 `/@s/name@1.0.0(peer@2)`, version 9
//! `@s/name@1.0.0`.
//!
//! It is read line by line: pnpm writes it so regularly that this suffices, and a tree of YAML would
//! take a hundred times the memory of the file.

use model::{Found, Gap, Package, PackageKind};

use super::{is_local, purl, split_spec};
use crate::document;
use crate::listing::{Listing, brief, is_inside_a_package};
use crate::{Beside, File};

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    if is_inside_a_package(file.path()) {
        return Found::default();
    }
    document::found(read_lock(file))
}

fn read_lock(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let mut listing = Listing::of(file.path());
    let mut section = "";
    let mut is_old = false;
    let mut entry: Option<Entry<'_>> = None;
    for line in text.lines() {
        let indent = line.bytes().take_while(|it| *it == b' ').count();
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        // A key longer than YAML's limit is written `? key`, and what it leads to behind a `:`.
        let content = content.strip_prefix("? ").unwrap_or(content);
        if indent <= 2
            && let Some(done) = entry.take_if(|_| !content.starts_with(": "))
        {
            done.tell(is_old, &mut listing);
        }
        match indent {
            0 if matches!(content, "---" | "...") => section = "",
            0 if content.starts_with("- ") => {}
            0 => match member(content) {
                Some(("lockfileVersion", value)) => is_old = value.split('.').next() == Some("5"),
                Some((key, "" | "{}")) => section = key,
                // What stands behind a key on its line holds no packages.
                Some((key, _)) if key != "packages" => section = "",
                _ => listing.refuse(format!("`{}` is no part of a lock file", brief(content))),
            },
            2 if section == "packages" && !content.starts_with(": ") => {
                let key = unquote(member(content).map_or(content, |(key, _)| key));
                entry = Some(Entry { key, ..Entry::default() });
            }
            4 => {
                if let (Some(entry), Some((key, value))) = (&mut entry, member(content)) {
                    match key {
                        "name" => entry.name = value,
                        "version" => entry.version = value,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if let Some(done) = entry {
        done.tell(is_old, &mut listing);
    }
    Ok(listing.finish())
}

/// `name` and `version` are only written for what does not come from a registry.
#[derive(Default)]
struct Entry<'a> {
    key: &'a str,
    name: &'a str,
    version: &'a str,
}

impl Entry<'_> {
    fn tell(self, is_old: bool, listing: &mut Listing<'_>) {
        let key = self.key;
        if is_local(key) || key.contains("@file:") || key.contains("@link:") {
            return;
        }
        let spec = key.split('(').next().unwrap_or(key);
        let parts = if is_old { split_old(spec) } else { split_spec(spec.trim_start_matches('/')) };
        let (name, version) = parts.unwrap_or_default();
        let name = if self.name.is_empty() { name } else { self.name };
        let version = if self.version.is_empty() { version } else { self.version };
        // What is fetched from an address, and carries no version beside it, cannot be told.
        let is_fetched = is_old && key.matches('/').count() > 2 && !key.starts_with('/');
        if version.contains(['/', ':']) || (version.is_empty() && is_fetched) {
            return;
        }
        match purl(name, version) {
            Some(purl) => listing.add(Package::new(purl).of_kind(PackageKind::Declared)),
            None => listing.refuse(format!("`{}` is no npm package", brief(key))),
        }
    }
}

/// Key and value of `key: value`, without quotes; the key itself may hold colons.
fn member(content: &str) -> Option<(&str, &str)> {
    let (key, value) = match content.chars().next()? {
        quote @ ('"' | '\'') => {
            let end = content.get(1..)?.find(quote)? + 1;
            (content.get(1..end)?, content.get(end + 1..)?.strip_prefix(':')?)
        }
        _ => match content.split_once(": ") {
            Some(pair) => pair,
            None => (content.strip_suffix(':')?, ""),
        },
    };
    Some((key, unquote(value.trim())))
}

fn unquote(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

/// `/name/1.0.0_peer@2` or `registry.example.org/@s/name/1.0.0`.
fn split_old(spec: &str) -> Option<(&str, &str)> {
    let is_registry = spec.starts_with('/');
    // The peers behind the `_` may hold slashes of their own.
    let mut slashes = spec.match_indices('/').map(|(at, _)| at);
    let start = slashes.next()? + 1;
    let mut end = slashes.next()?;
    if spec.get(start..)?.starts_with('@') {
        end = slashes.next()?;
    }
    let version = spec.get(end + 1..)?.split(['_', '/']).next()?;
    // `github.com/user/repository/commit` is no version.
    (is_registry || version.contains('.')).then_some((spec.get(start..end)?, version))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::shown::check;

    const AT: &str = "app/pnpm-lock.yaml";

    #[test]
    fn version_5() {
        check(
            read,
            AT,
            "lockfileVersion: 5.4\n\
             specifiers:\n  a: ^1.0.0\n\
             packages:\n\n  \
               /a/1.0.0:\n    resolution: {integrity: sha512-x}\n    dev: false\n  \
               /@s/b/2.0.0_react@18.0.0:\n    dependencies:\n      c: 1.0.0\n  \
               /c/1.0.0_@s+b@2.0.0:\n    dev: true\n  \
               registry.example.org/d/1.0.0:\n    resolution: {}\n  \
               github.com/u/r/abc123:\n    name: g\n    version: 1.1.0\n  \
               github.com/u/s/abc123:\n    resolution: {}\n  \
               file:local:\n    name: local\n    version: 0.0.0\n",
            "pkg:npm/a@1.0.0 (declared)\npkg:npm/%40s/b@2.0.0 (declared)\npkg:npm/c@1.0.0 (declared)\npkg:npm/d@1.0.0 (declared)\npkg:npm/g@1.1.0 (declared)",
        );
    }

    #[test]
    fn version_6() {
        check(
            read,
            AT,
            "lockfileVersion: '6.0'\n\
             packages:\n  \
               /a@1.0.0:\n    dev: false\n  \
               /@s/b@2.0.0(react@18.0.0)(@s/c@1.0.0):\n    dev: false\n  \
               file:local:\n    name: local\n",
            "pkg:npm/a@1.0.0 (declared)\npkg:npm/%40s/b@2.0.0 (declared)",
        );
    }

    #[test]
    fn version_9() {
        check(
            read,
            AT,
            "lockfileVersion: '9.0'\n\
             importers:\n  .:\n    dependencies:\n      alias:\n        specifier: npm:real@1\n        version: real@1.0.0\n\
             packages:\n  \
               '@s/b@2.0.0':\n    resolution: {integrity: x}\n  \
               real@1.0.0:\n    resolution: {integrity: x}\n  \
               g@https://example.org/g.tgz:\n    resolution: {tarball: x}\n    version: 1.2.0\n  \
               local@file:../local:\n    resolution: {directory: ../local}\n\
             snapshots:\n  \
               '@s/b@2.0.0(react@18.0.0)': {}\n",
            "pkg:npm/%40s/b@2.0.0 (declared)\npkg:npm/real@1.0.0 (declared)\npkg:npm/g@1.2.0 (declared)",
        );
    }

    #[test]
    fn two_documents_and_none() {
        check(
            read,
            AT,
            "---\nlockfileVersion: '9.0'\npackages:\n  a@1.0.0: {}\n---\nlockfileVersion: '9.0'\npackages:\n  b@1.0.0: {}\n",
            "pkg:npm/a@1.0.0 (declared)\npkg:npm/b@1.0.0 (declared)",
        );
        check(read, AT, "", "");
        check(read, AT, "lockfileVersion: '9.0'\n", "");
    }

    #[test]
    fn equal_keys_and_bad_ones() {
        check(
            read,
            AT,
            "lockfileVersion: '9.0'\npackages:\n  a@1.0.0: {}\n  a@1.0.0: {}\n  a b@1: {}\n  c:\n",
            "pkg:npm/a@1.0.0 (declared)\ngap: app/pnpm-lock.yaml: `a b@1` is no npm package\ngap: app/pnpm-lock.yaml: `c` is no npm package",
        );
    }

    #[test]
    fn long_keys_and_crlf() {
        check(
            read,
            AT,
            "lockfileVersion: '6.0'\r\npackages:\r\n  ? /a@1.0.0(b@1)\r\n  : resolution: {}\r\n    dev: true\r\n  /b@1.0.0:\r\n",
            "pkg:npm/a@1.0.0 (declared)\npkg:npm/b@1.0.0 (declared)",
        );
    }

    #[test]
    fn other_documents_are_a_gap() {
        check(read, AT, "<html>\n", "gap: app/pnpm-lock.yaml: `<html>` is no part of a lock file");
        check(
            read,
            AT,
            "packages: 7\n",
            "gap: app/pnpm-lock.yaml: `packages: 7` is no part of a lock file",
        );
        check(
            read,
            AT,
            "\"\n'\n",
            "gap: app/pnpm-lock.yaml: `\"` is no part of a lock file\ngap: app/pnpm-lock.yaml: `'` is no part of a lock file",
        );
    }
}
