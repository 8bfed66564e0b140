//! Lock files of Python: poetry's, uv's and pipenv's.

use model::{Found, Gap, Package, PackageKind};
use serde::Deserialize;

use crate::document::{self, Object};
use crate::listing::{Listing, brief, is_inside_a_package};
use crate::{Beside, File};

pub(super) fn read_poetry(file: &File<'_>, _: &dyn Beside) -> Found {
    read_toml(file, |source| match source.get("type").and_then(toml::Value::as_str) {
        Some("directory" | "file") => Origin::Local,
        Some("git") => Origin::Git(address(source, "url", "resolved_reference")),
        _ => Origin::Index,
    })
}

pub(super) fn read_uv(file: &File<'_>, _: &dyn Beside) -> Found {
    read_toml(file, |source| {
        if ["virtual", "editable", "directory", "path"].iter().any(|it| source.contains_key(*it)) {
            Origin::Local
        } else if source.contains_key("git") {
            // uv writes the commit behind the `#` itself.
            Origin::Git(address(source, "git", ""))
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

fn address(source: &toml::Table, url: &str, reference: &str) -> String {
    let text = |key: &str| source.get(key).and_then(toml::Value::as_str).unwrap_or_default();
    let url = text(url);
    let prefix = if url.starts_with("git+") { "" } else { "git+" };
    match text(reference) {
        "" => format!("{prefix}{url}"),
        reference => format!("{prefix}{url}@{reference}"),
    }
}

/// Both are lists of `[[package]]`, and tell in `source` where one comes from.
fn read_toml(file: &File<'_>, origin: fn(&toml::Table) -> Origin) -> Found {
    if is_inside_a_package(file.path()) {
        return Found::default();
    }
    document::found(read_packages(file, origin))
}

fn read_packages(file: &File<'_>, origin: fn(&toml::Table) -> Origin) -> Result<Found, Gap> {
    #[derive(Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<toml::Value>,
    }
    let text = document::text(file)?;
    let packages = document::toml::<Lock>(file, &text)?.package;
    let mut listing = Listing::of(file.path());
    for package in &packages {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        let source = package.get("source").and_then(toml::Value::as_table);
        let origin = source.map_or(Origin::Index, origin);
        // A project whose version is made up when it is built has none here.
        if matches!(origin, Origin::Local) {
            continue;
        }
        let Some(mut purl) = super::purl(text("name"), text("version")) else {
            listing.refuse(format!(
                "`{} {}` is no Python package",
                brief(text("name")),
                brief(text("version"))
            ));
            continue;
        };
        if let Origin::Git(address) = origin {
            purl = purl.with_qualifier("vcs_url", &address);
        }
        listing.add(Package::new(purl).of_kind(PackageKind::Declared));
    }
    Ok(listing.finish())
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
    use crate::listing::testing::check;

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
            "pkg:pypi/flask@2.0.1\npkg:pypi/g@1.0?vcs_url=git%2Bhttps://example.org/g.git%40abc",
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
            "pkg:pypi/a@1.0\npkg:pypi/g@1.0?vcs_url=git%2Bhttps://example.org/g.git%3Frev%3D1%23abc",
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
            "pkg:pypi/a-b@1.0\npkg:pypi/c@2.0\ngap: `bad` is no object\n\
             gap: `d e ==1` is no Python package\ngap: group `odd` is no object",
        );
    }

    #[test]
    fn broken_documents_are_a_gap() {
        check(read_uv, "uv.lock", "", "");
        check(
            read_uv,
            "uv.lock",
            "package = 1\n",
            "gap: broken TOML: invalid type: integer `1`, expected a sequence",
        );
        check(read_uv, "uv.lock", "[[package]]\nname = 1\n", "gap: ` ` is no Python package");
        check(read_poetry, "poetry.lock", "a = 1\na = 2\n", "gap: broken TOML: duplicate key");
        check(
            read_pipfile,
            "Pipfile.lock",
            "x",
            "gap: broken JSON: expected value at line 1 column 1",
        );
    }

    #[test]
    fn depth_has_an_end() {
        use crate::{File, Nothing};
        let input = format!("a = {}", "[".repeat(1_000_000));
        let found = read_poetry(&File::in_memory("poetry.lock", 0o644, input.as_bytes()), &Nothing);
        assert_eq!(found.gaps.len(), 1);
    }
}
