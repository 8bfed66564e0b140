//! An unpacked package: its `package.json`.

use model::{Found, Gap, Package};
use serde_json::value::RawValue;

use crate::document::{self, Object};
use crate::listing::{brief, line, person};
use crate::{Beside, File, license};

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    if !is_root(file.directory()) {
        return Found::default();
    }
    document::found(read_manifest(file))
}

/// `node_modules/.cache` and `node_modules/@scope` are no packages.
fn is_root(directory: &str) -> bool {
    let mut parts = directory.rsplit('/');
    let (name, above) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    !name.starts_with('.') && (!name.starts_with('@') || above.starts_with('@'))
}

fn read_manifest(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let manifest: Object<'_> = document::json(file, &text)?;
    let (name, version) = match (manifest.text("name"), manifest.text("version")) {
        (Some(name), Some(version)) => (name, version),
        // Markers such as `{"type": "module"}` are no packages.
        (None, None) => return Ok(Found::default()),
        (Some(name), None) => {
            let why = format!("package `{}` has no version", brief(&name));
            return Err(Gap::new(file.path(), why));
        }
        (None, Some(_)) => return Err(Gap::new(file.path(), "a package without a name")),
    };
    // Very old packages write `v1.0` or `=1.0`; the registry does not.
    let version = version.trim_start_matches(['v', '=', ' ']);
    let Some(purl) = super::purl(&name, version) else {
        let why = format!("`{}@{}` is no npm package", brief(&name), brief(version));
        return Err(Gap::new(file.path(), why));
    };
    let mut package = Package::new(purl);
    package.licenses = license::normalise_many(licenses(&manifest).iter().map(String::as_str));
    package.author = manifest.get("author").and_then(author);
    package.description = manifest.text("description").and_then(|it| line(&it));
    package.url = manifest.text("homepage").or_else(|| repository(&manifest));
    Ok(Found::packages(vec![package]))
}

/// `license` and `licenses` are a string, an object with a `type`, or a list of either.
pub(super) fn licenses(manifest: &Object<'_>) -> Vec<String> {
    let one = |value: &RawValue| {
        document::as_text(value).or_else(|| {
            let object = Object::of(value)?;
            object.text("type").or_else(|| object.text("name")).or_else(|| object.text("url"))
        })
    };
    ["license", "licenses"]
        .into_iter()
        .filter_map(|key| manifest.get(key))
        .flat_map(|value| {
            one(value).map_or_else(
                || document::as_array(value).into_iter().filter_map(one).collect(),
                |it| vec![it],
            )
        })
        .collect()
}

fn author(value: &RawValue) -> Option<String> {
    document::as_text(value).and_then(|it| line(&it)).or_else(|| {
        let author = Object::of(value)?;
        person(author.text("name").as_deref(), author.text("email").as_deref())
    })
}

/// Where its source is, as an address a browser opens.
fn repository(manifest: &Object<'_>) -> Option<String> {
    let address =
        manifest.text("repository").or_else(|| manifest.object("repository")?.text("url"))?;
    let address = address.trim_start_matches("git+").trim_end_matches(".git");
    if let Some(rest) = address.strip_prefix("git://") {
        return Some(format!("https://{rest}"));
    }
    if address.contains("://") {
        return Some(address.to_owned());
    }
    let path = address.strip_prefix("github:").unwrap_or(address);
    let is_pair = path.split('/').count() == 2
        && path.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_./".contains(&it));
    is_pair.then(|| format!("https://github.com/{path}"))
}

#[cfg(test)]
mod tests;
