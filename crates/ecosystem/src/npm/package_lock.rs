//! npm's lock files. Version 1 is a tree of `dependencies`; versions 2 and 3 are a map of
//! `packages` by their place under `node_modules`.
//! <https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json>

use model::{Found, Gap, Package, PackageKind};

use super::installed::licenses;
use super::{is_git, is_local, purl, split_spec};
use crate::document::{self, Object};
use crate::listing::{Listing, brief, is_inside_a_package};
use crate::{Beside, File, license};

/// Each level of the tree is scanned anew, so its depth must have an end.
const DEEPEST: u32 = 32;

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    if is_inside_a_package(file.path()) {
        return Found::default();
    }
    document::found(read_lock(file))
}

fn read_lock(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let lock: Object<'_> = document::json(file, &text)?;
    let mut listing = Listing::of(file.path());
    if let Some(packages) = lock.get("packages") {
        match Object::of(packages) {
            Some(packages) => read_places(&packages, &mut listing),
            None => listing.refuse("`packages` is no object"),
        }
    } else if let Some(dependencies) = lock.get("dependencies") {
        match Object::of(dependencies) {
            Some(dependencies) => read_tree(&dependencies, 0, &mut listing),
            None => listing.refuse("`dependencies` is no object"),
        }
    }
    Ok(listing.finish())
}

fn read_places(packages: &Object<'_>, listing: &mut Listing<'_>) {
    for (place, value) in packages.members() {
        // Everything else is the project itself or a workspace of it.
        let Some((_, name)) = place.rsplit_once("node_modules/") else { continue };
        let Some(entry) = Object::of(value) else {
            listing.refuse(format!("`{}` is no object", brief(place)));
            continue;
        };
        let resolved = entry.text("resolved").unwrap_or_default();
        if entry.is_true("link") || is_local(&resolved) {
            continue;
        }
        let Some(version) = entry.text("version") else { continue };
        if is_local(&version) {
            continue;
        }
        let name = entry.text("name").unwrap_or_else(|| name.to_owned());
        add(&name, &version, &resolved, &entry, listing);
    }
}

fn read_tree(dependencies: &Object<'_>, depth: u32, listing: &mut Listing<'_>) {
    for (name, value) in dependencies.members() {
        let Some(entry) = Object::of(value) else {
            listing.refuse(format!("`{}` is no object", brief(name)));
            continue;
        };
        let version = entry.text("version").unwrap_or_default();
        if let Some((real, version)) = version.strip_prefix("npm:").and_then(split_spec) {
            add(real, version, "", &entry, listing);
        } else if !version.is_empty() && !version.contains(['/', ':']) {
            // Anything with a `/` or `:` is an address, and the version at its end is not written.
            add(name, &version, "", &entry, listing);
        }
        if let Some(inner) = entry.object("dependencies") {
            if depth < DEEPEST {
                read_tree(&inner, depth + 1, listing);
            } else {
                listing.refuse(format!("dependencies of `{}` are nested too deep", brief(name)));
            }
        }
    }
}

fn add(name: &str, version: &str, resolved: &str, entry: &Object<'_>, listing: &mut Listing<'_>) {
    let Some(mut purl) = purl(name, version) else {
        listing.refuse(format!("`{}@{}` is no npm package", brief(name), brief(version)));
        return;
    };
    if is_git(resolved) {
        purl = purl.with_qualifier("vcs_url", resolved);
    }
    let mut package = Package::new(purl).of_kind(PackageKind::Declared);
    package.licenses = license::normalise_many(licenses(entry).iter().map(String::as_str));
    listing.add(package);
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::shown::check;

    const AT: &str = "app/package-lock.json";

    #[test]
    fn version_3() {
        check(
            read,
            AT,
            r#"{"name": "app", "lockfileVersion": 3, "packages": {
                "": {"name": "app", "version": "1.0.0"},
                "packages/part": {"name": "part", "version": "0.1.0"},
                "node_modules/part": {"resolved": "packages/part", "link": true},
                "node_modules/a": {"version": "1.0.0", "license": "mit"},
                "node_modules/a/node_modules/@s/b": {"version": "2.0.0", "dev": true},
                "node_modules/c/node_modules/a": {"version": "1.0.0"},
                "node_modules/alias": {"name": "real", "version": "3.0.0"},
                "node_modules/tarball": {"version": "1.0.0", "resolved": "file:x.tgz"},
                "node_modules/g": {"version": "1.0.0", "resolved": "git+ssh://git@example.org/g.git#abc"},
                "node_modules/empty": {"optional": true}
            }}"#,
            "pkg:npm/a@1.0.0 (declared) | license: MIT\n\
             pkg:npm/%40s/b@2.0.0 (declared)\n\
             pkg:npm/real@3.0.0 (declared)\n\
             pkg:npm/g@1.0.0?vcs_url=git%2Bssh:%2F%2Fgit%40example.org%2Fg.git%23abc (declared)"
                .replace("%2F", "/")
                .as_str(),
        );
    }

    #[test]
    fn version_1() {
        check(
            read,
            AT,
            r#"{"lockfileVersion": 1, "dependencies": {
                "a": {"version": "1.0.0", "dependencies": {"@s/b": {"version": "2.0.0"}}},
                "alias": {"version": "npm:@s/real@3.0.0"},
                "local": {"version": "file:../local"},
                "git": {"version": "git+ssh://git@example.org/g.git#abc"},
                "short": {"version": "github:a/b#abc"},
                "bundled": {"bundled": true}
            }}"#,
            "pkg:npm/a@1.0.0 (declared)\npkg:npm/%40s/b@2.0.0 (declared)\npkg:npm/%40s/real@3.0.0 (declared)",
        );
    }

    #[test]
    fn a_bad_entry_does_not_lose_its_neighbours() {
        check(
            read,
            AT,
            r#"{"packages": {"node_modules/a": 7, "node_modules/a b": {"version": "1"},
                "node_modules/c": {"version": "1"}}}"#,
            "pkg:npm/c@1 (declared)\ngap: app/package-lock.json: `node_modules/a` is no object\ngap: app/package-lock.json: `a b@1` is no npm package",
        );
        check(
            read,
            AT,
            r#"{"packages": []}"#,
            "gap: app/package-lock.json: `packages` is no object",
        );
        check(
            read,
            AT,
            r#"{"dependencies": 1}"#,
            "gap: app/package-lock.json: `dependencies` is no object",
        );
        check(read, AT, "{}", "");
        check(
            read,
            AT,
            r#"{"packages": {"#,
            "gap: app/package-lock.json: broken JSON: EOF while parsing an object at line 1 column 14",
        );
    }

    #[test]
    fn depth_has_an_end() {
        let deep = r#"{"dependencies":{"a":"#.repeat(100_000);
        check(
            read,
            AT,
            &deep,
            "gap: app/package-lock.json: broken JSON: EOF while parsing a value at line 1 column 2100000",
        );
        let deep = format!("{}{{}}{}", r#"{"dependencies":{"a":"#.repeat(1000), "}}".repeat(1000));
        check(
            read,
            AT,
            &deep,
            "gap: app/package-lock.json: dependencies of `a` are nested too deep",
        );
    }

    #[test]
    fn gaps_are_counted_when_many() {
        let entries: Vec<String> = (0..30).map(|it| format!("\"node_modules/{it}\": 1")).collect();
        let input = format!("{{\"packages\": {{{}}}}}", entries.join(","));
        let mut expect: Vec<String> =
            (0..20).map(|it| format!("gap: {AT}: `node_modules/{it}` is no object")).collect();
        expect.push(format!("gap: {AT}: 10 more entries cannot be read"));
        check(read, AT, input, &expect.join("\n"));
    }

    #[test]
    fn a_lock_file_inside_a_package_is_not_ours() {
        let lock = r#"{"packages": {"node_modules/a": {"version": "1.0.0"}}}"#;
        check(read, "app/node_modules/.package-lock.json", lock, "");
        check(read, "app/node_modules/x/package-lock.json", lock, "");
    }
}
