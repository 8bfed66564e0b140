//! Lock files of Python: poetry's, uv's and pipenv's.

use model::{Found, Gap, Package, PackageKind};

use crate::document::{self, Object};
use crate::listing::{Listing, brief, is_inside_a_package};
use crate::{Beside, File};

/// poetry tells in `type` where a package comes from.
pub(super) fn read_poetry(file: &File<'_>, _: &dyn Beside) -> Found {
    read_packages(file, |source| match text_of(source, "type") {
        "directory" | "file" => Origin::Local,
        "git" => {
            let reference = text_of(source, "resolved_reference");
            Origin::Git(format!("git+{}@{reference}", text_of(source, "url")))
        }
        _ => Origin::Index,
    })
}

/// uv tells it by the key, and writes the commit behind a `#`.
pub(super) fn read_uv(file: &File<'_>, _: &dyn Beside) -> Found {
    read_packages(file, |source| {
        if ["virtual", "editable", "directory", "path"].iter().any(|it| source.contains_key(*it)) {
            Origin::Local
        } else if source.contains_key("git") {
            Origin::Git(format!("git+{}", text_of(source, "git")))
        } else {
            Origin::Index
        }
    })
}

enum Origin {
    Index,
    Git(String),
    Local,
}

fn text_of<'a>(table: &'a toml::Table, key: &str) -> &'a str {
    table.get(key).and_then(toml::Value::as_str).unwrap_or_default()
}

fn read_packages(file: &File<'_>, origin: fn(&toml::Table) -> Origin) -> Found {
    if is_inside_a_package(file.path()) {
        return Found::default();
    }
    document::found(read_toml(file, origin))
}

/// Both are lists of `[[package]]` with a `name`, a `version` and a `source`. They are read line by
/// line: both tools write them so regularly that this suffices, and a tree of TOML would take a
/// hundred times the memory of the file.
fn read_toml(file: &File<'_>, origin: fn(&toml::Table) -> Origin) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let mut listing = Listing::of(file.path());
    let mut package = None;
    let mut header = "";
    for line in text.lines() {
        let line = line.trim_end();
        // Indented lines and closing brackets belong to a list that began further up.
        if line.is_empty() || line.starts_with([' ', '\t', '#', ']', '}']) {
            continue;
        }
        if line.starts_with('[') {
            header = line;
            if header == "[[package]]"
                && let Some(done) = package.replace(Entry::default())
            {
                done.tell(origin, &mut listing);
            }
            continue;
        }
        let Some((key, _)) = line.split_once('=') else {
            listing.refuse(format!("`{}` is no part of a lock file", brief(line)));
            continue;
        };
        let Some(package) = &mut package else { continue };
        let table = match (header, key.trim()) {
            ("[[package]]", "name" | "version" | "source") => &mut package.fields,
            ("[package.source]", "type" | "url" | "resolved_reference") => &mut package.source,
            _ => continue,
        };
        let fields = (line.len() <= LONGEST).then(|| line.parse::<toml::Table>());
        match fields {
            Some(Ok(fields)) => table.extend(fields),
            _ => listing.refuse(format!("`{}` is no part of a lock file", brief(line))),
        }
    }
    if let Some(done) = package {
        done.tell(origin, &mut listing);
    }
    Ok(listing.finish())
}

/// More than this is no name, version or source.
const LONGEST: usize = 16 << 10;

#[derive(Default)]
struct Entry {
    fields: toml::Table,
    source: toml::Table,
}

impl Entry {
    fn tell(mut self, origin: fn(&toml::Table) -> Origin, listing: &mut Listing<'_>) {
        if let Some(toml::Value::Table(source)) = self.fields.remove("source") {
            self.source.extend(source);
        }
        let origin = origin(&self.source);
        // A project whose version is made up when it is built has none here.
        if matches!(origin, Origin::Local) {
            return;
        }
        let (name, version) = (text_of(&self.fields, "name"), text_of(&self.fields, "version"));
        let Some(mut purl) = super::purl(name, version) else {
            let why = format!("`{} {}` is no Python package", brief(name), brief(version));
            listing.refuse(why);
            return;
        };
        if let Origin::Git(address) = origin {
            purl = purl.with_qualifier("vcs_url", &address);
        }
        listing.add(Package::new(purl).of_kind(PackageKind::Declared));
    }
}

/// Groups (`default`, `develop`, …) of packages by name.
pub(super) fn read_pipfile(file: &File<'_>, _: &dyn Beside) -> Found {
    if is_inside_a_package(file.path()) {
        return Found::default();
    }
    document::found(read_groups(file))
}

fn read_groups(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let lock: Object<'_> = document::json(file, &text)?;
    let mut listing = Listing::of(file.path());
    for (group, packages) in lock.members().filter(|(group, _)| *group != "_meta") {
        let Some(packages) = Object::of(packages) else {
            listing.refuse(format!("group `{}` is no object", brief(group)));
            continue;
        };
        for (name, value) in packages.members() {
            let Some(entry) = Object::of(value) else {
                listing.refuse(format!("`{}` is no object", brief(name)));
                continue;
            };
            // What comes from git, a path or a file has no version.
            let Some(version) = entry.text("version") else { continue };
            match super::purl(name, version.trim_start_matches(['=', ' '])) {
                Some(purl) => listing.add(Package::new(purl).of_kind(PackageKind::Declared)),
                None => listing.refuse(format!(
                    "`{} {}` is no Python package",
                    brief(name),
                    brief(&version)
                )),
            }
        }
    }
    Ok(listing.finish())
}

#[cfg(test)]
mod tests {
    use super::{read_pipfile, read_poetry, read_uv};
    use crate::shown::check;

    #[test]
    fn poetry() {
        check(
            read_poetry,
            "app/poetry.lock",
            "[[package]]\nname = \"Flask\"\nversion = \"2.0.1\"\noptional = false\n\n\
             [package.dependencies]\nclick = \">=8\"\n\n\
             [[package]]\nname = \"g\"\nversion = \"1.0\"\n\n\
             [package.source]\ntype = \"git\"\nurl = \"https://example.org/g.git\"\nreference = \"main\"\nresolved_reference = \"abc\"\n\n\
             [[package]]\nname = \"local\"\nversion = \"0\"\n[package.source]\ntype = \"directory\"\nurl = \"../local\"\n\n\
             [metadata]\nlock-version = \"2.0\"\n",
            "pkg:pypi/flask@2.0.1 (declared)\npkg:pypi/g@1.0?vcs_url=git%2Bhttps://example.org/g.git%40abc (declared)",
        );
    }

    #[test]
    fn uv() {
        check(
            read_uv,
            "app/uv.lock",
            "version = 1\n\n[[package]]\nname = \"app\"\nversion = \"0.1\"\nsource = { virtual = \".\" }\n\n\
             [[package]]\nname = \"a\"\nversion = \"1.0\"\nsource = { registry = \"https://example.org/simple\" }\n\n\
             [[package]]\nname = \"dynamic\"\nsource = { editable = \"x\" }\n\n\
             [[package]]\nname = \"g\"\nversion = \"1.0\"\nsource = { git = \"https://example.org/g.git?rev=1#abc\" }\n",
            "pkg:pypi/a@1.0 (declared)\npkg:pypi/g@1.0?vcs_url=git%2Bhttps://example.org/g.git%3Frev%3D1%23abc (declared)",
        );
    }

    #[test]
    fn pipfile() {
        check(
            read_pipfile,
            "app/Pipfile.lock",
            r#"{"_meta": {"hash": {}}, "default": {"A_b": {"version": "==1.0", "hashes": []},
                "g": {"git": "https://example.org", "ref": "abc"}, "bad": 7},
                "develop": {"c": {"version": "==2.0"}, "d e": {"version": "==1"}}, "odd": []}"#,
            "pkg:pypi/a-b@1.0 (declared)\npkg:pypi/c@2.0 (declared)\ngap: app/Pipfile.lock: `bad` is no object\n\
             gap: app/Pipfile.lock: `d e ==1` is no Python package\ngap: app/Pipfile.lock: group `odd` is no object",
        );
    }

    #[test]
    fn lists_and_other_tables_are_no_packages() {
        check(
            read_poetry,
            "app/poetry.lock",
            "[[package]]\nname = \"a\" # why\nversion = '1.0'\nfiles = [\n    {file = \"x\"},\n]\n\n\
             [package.extras]\nname = [\"x\"]\nversion = 7\n[[package.metadata]]\nname = \"y\"\n\
             [metadata]\nversion = \"9\"\n",
            "pkg:pypi/a@1.0 (declared)",
        );
    }

    #[test]
    fn broken_documents_are_a_gap() {
        check(read_uv, "uv.lock", "", "");
        check(read_uv, "uv.lock", "<html>\n", "gap: uv.lock: `<html>` is no part of a lock file");
        check(
            read_uv,
            "uv.lock",
            "[[package]]\nname = 1\n",
            "gap: uv.lock: ` ` is no Python package",
        );
        check(
            read_uv,
            "uv.lock",
            "[[package]]\nname = \"a\nversion = \"1\"\n",
            "gap: uv.lock: `name = \"a` is no part of a lock file\ngap: uv.lock: ` 1` is no Python package",
        );
        check(
            read_pipfile,
            "Pipfile.lock",
            "x",
            "gap: Pipfile.lock: broken JSON: expected value at line 1 column 1",
        );
    }

    #[test]
    fn depth_has_an_end() {
        let input = format!(
            "[[package]]\nname = \"a\"\nversion = \"1\"\nsource = {}",
            "[".repeat(1_000_000)
        );
        check(
            read_poetry,
            "poetry.lock",
            input,
            &format!(
                "pkg:pypi/a@1 (declared)\ngap: poetry.lock: `source = {}…` is no part of a lock file",
                "[".repeat(71)
            ),
        );
    }
}
