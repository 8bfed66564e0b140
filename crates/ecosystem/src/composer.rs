//! composer: packages of PHP, installed in a `vendor` directory or asked for by a lock file.

use model::{Found, Gap, Package, PackageKind, Purl};
use serde_json::value::RawValue;

use crate::document::{self, Object};
use crate::listing::{Listing, brief, is_inside_a_package, is_version, line, person};
use crate::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File, license};

pub(crate) struct Composer;

impl Ecosystem for Composer {
    fn id(&self) -> EcosystemId {
        "composer"
    }

    fn title(&self) -> &'static str {
        "PHP packages"
    }

    fn catalogers(&self) -> &'static [Cataloger] {
        CATALOGERS
    }
}

const CATALOGERS: &[Cataloger] = &[
    Cataloger {
        id: "composer-installed",
        reads: "`composer/installed.json` in a `vendor` directory, of Composer 1 and 2",
        version: 1,
        claims: &[Claim::Path("**/composer/installed.json")],
        peeks: &[],
        read: read_installed,
    },
    Cataloger {
        id: "composer-lock",
        reads: "`composer.lock`, outside `vendor` and installed packages",
        version: 1,
        claims: &[Claim::Path("**/composer.lock")],
        peeks: &[],
        read: read_lock,
    },
];

/// Composer 1 writes a list, Composer 2 an object with the list in `packages`.
fn read_installed(file: &File<'_>, _: &dyn Beside) -> Found {
    document::found(read_vendor(file))
}

fn read_vendor(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let mut listing = Listing::of(file.path());
    if text.trim_start().starts_with('[') {
        for value in document::json::<Vec<&RawValue>>(file, &text)? {
            add(value, PackageKind::Installed, &mut listing);
        }
    } else {
        let object: Object<'_> = document::json(file, &text)?;
        add_all(&object, "packages", PackageKind::Installed, &mut listing);
    }
    Ok(listing.finish())
}

fn read_lock(file: &File<'_>, _: &dyn Beside) -> Found {
    if is_inside_a_package(file.path()) || file.directory().split('/').any(|it| it == "vendor") {
        return Found::default();
    }
    document::found(read_groups(file))
}

fn read_groups(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let lock: Object<'_> = document::json(file, &text)?;
    let mut listing = Listing::of(file.path());
    add_all(&lock, "packages", PackageKind::Declared, &mut listing);
    add_all(&lock, "packages-dev", PackageKind::Declared, &mut listing);
    Ok(listing.finish())
}

fn add_all(document: &Object<'_>, key: &str, kind: PackageKind, listing: &mut Listing<'_>) {
    let Some(value) = document.get(key) else { return };
    match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
        Ok(packages) => packages.into_iter().for_each(|it| add(it, kind, listing)),
        Err(_) => listing.refuse(format!("`{key}` is no list")),
    }
}

fn add(value: &RawValue, kind: PackageKind, listing: &mut Listing<'_>) {
    let Some(entry) = Object::of(value) else {
        listing.refuse("a package that is no object");
        return;
    };
    let is_local =
        |key: &str| entry.object(key).and_then(|it| it.text("type")).is_some_and(|it| it == "path");
    if kind == PackageKind::Declared && (is_local("dist") || is_local("source")) {
        return;
    }
    let name = entry.text("name").unwrap_or_default();
    let version = entry.text("version").unwrap_or_default();
    let Some(purl) = purl(&name, &version) else {
        listing.refuse(format!("`{} {}` is no PHP package", brief(&name), brief(&version)));
        return;
    };
    let mut package = Package::new(purl).of_kind(kind);
    let licenses: Vec<String> = entry
        .text("license")
        .into_iter()
        .chain(entry.array("license").into_iter().filter_map(document::as_text))
        .collect();
    package.licenses = license::normalise_many(licenses.iter().map(String::as_str));
    let authors: Vec<String> = entry
        .array("authors")
        .into_iter()
        .filter_map(Object::of)
        .filter_map(|it| person(it.text("name").as_deref(), it.text("email").as_deref()))
        .collect();
    package.author = line(&authors.join(", "));
    package.url = entry.text("homepage");
    package.description = entry.text("description").and_then(|it| line(&it));
    listing.add(package);
}

/// The purl of `vendor/name` at `version`, if both are sound. Packages are tagged `v1.2` as often
/// as `1.2`, and Composer takes both for the same; so do we, and write it without.
fn purl(name: &str, version: &str) -> Option<Purl> {
    let (vendor, rest) = name.split_once('/')?;
    let is_sound = |it: &str| {
        it.starts_with(|it: char| it.is_ascii_alphanumeric())
            && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"._-".contains(&it))
    };
    let bare = version
        .strip_prefix(['v', 'V'])
        .filter(|it| it.starts_with(|it: char| it.is_ascii_digit()))
        .unwrap_or(version);
    (is_sound(vendor) && is_sound(rest) && is_version(bare))
        .then(|| Purl::new("composer", rest).with_namespace(vendor).with_version(bare))
}

#[cfg(test)]
mod tests {
    use super::{read_installed, read_lock};
    use crate::shown::check;

    const AT: &str = "app/vendor/composer/installed.json";

    #[test]
    fn composer_2() {
        check(
            read_installed,
            AT,
            r#"{"packages": [{"name": "Symfony/Console", "version": "v5.4.1", "version_normalized": "5.4.1.0",
                "license": ["MIT"], "authors": [{"name": "Ann", "email": "a@example.org"}, {"name": "Bo"}],
                "homepage": "https://example.org", "description": "eases\nthings", "install-path": "../symfony/console"},
                {"name": "a/b", "version": "dev-main", "license": ["MIT", "GPL-2.0+"]}],
                "dev": true, "dev-package-names": ["a/b"]}"#,
            "pkg:composer/symfony/console@5.4.1 | license: MIT | author: Ann <a@example.org>, Bo | url: https://example.org | about: eases\n\
             pkg:composer/a/b@dev-main | license: MIT, GPL-2.0-or-later",
        );
    }

    #[test]
    fn composer_1() {
        check(
            read_installed,
            AT,
            r#"[{"name": "a/b", "version": "1.0", "license": "mit"}, {"name": "a/c"}, 7]"#,
            "pkg:composer/a/b@1.0 | license: MIT\ngap: app/vendor/composer/installed.json: `a/c ` is no PHP package\ngap: app/vendor/composer/installed.json: a package that is no object",
        );
    }

    #[test]
    fn locks() {
        let lock = r#"{"packages": [{"name": "a/b", "version": "v1.0"},
            {"name": "a/local", "version": "dev-main", "dist": {"type": "path", "url": "../local"}}],
            "packages-dev": [{"name": "a/c", "version": "2.0"}]}"#;
        check(
            read_lock,
            "app/composer.lock",
            lock,
            "pkg:composer/a/b@1.0 (declared)\npkg:composer/a/c@2.0 (declared)",
        );
        check(read_lock, "app/vendor/a/b/composer.lock", lock, "");
    }

    #[test]
    fn what_cannot_be_read_is_a_gap() {
        check(
            read_installed,
            AT,
            "7",
            "gap: app/vendor/composer/installed.json: broken JSON: invalid type: integer `7`, expected an object at line 1 column 1",
        );
        check(
            read_installed,
            AT,
            "[7,",
            "gap: app/vendor/composer/installed.json: broken JSON: EOF while parsing a value at line 1 column 3",
        );
        check(
            read_installed,
            AT,
            r#"{"packages": {}}"#,
            "gap: app/vendor/composer/installed.json: `packages` is no list",
        );
        check(
            read_installed,
            AT,
            r#"[{"name": "a", "version": "1"}]"#,
            "gap: app/vendor/composer/installed.json: `a 1` is no PHP package",
        );
        check(
            read_lock,
            "composer.lock",
            "",
            "gap: composer.lock: broken JSON: EOF while parsing a value at line 1 column 0",
        );
        check(read_lock, "composer.lock", "{}", "");
    }
}
