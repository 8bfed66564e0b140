//! Copies that pip and setuptools carry: pins in a `vendor.txt` beside the modules.
//!
//! The pins alone prove nothing: distributions take copies out again, and pip's `setuptools` is
//! only its `pkg_resources`. So each counts only if its own module is there.

use model::{Found, Gap, Package, PackageKind};

use super::requirements::pins;
use crate::document;
use crate::listing::{Listing, brief};
use crate::{Beside, File};

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    document::found(read_pins(file))
}

fn read_pins(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let mut listing = Listing::of(file.path());
    for (name, version) in pins(&text) {
        match super::purl(name, version) {
            Some(purl) => {
                let mut package = Package::new(purl).of_kind(PackageKind::Vendored);
                package.proof = modules(file.directory(), name);
                listing.add(package);
            }
            None => listing.refuse(format!(
                "`{}=={}` is no pinned Python package",
                brief(name),
                brief(version)
            )),
        }
    }
    Ok(listing.finish())
}

/// Where the module may be: a directory or a file, named like the distribution as far as a module
/// can be (`typing-extensions` is `typing_extensions`, `jaraco.text` is `jaraco/text`).
fn modules(directory: &str, name: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for name in [name.to_owned(), name.to_ascii_lowercase()] {
        for module in [name.replace(['-', '.'], "_"), name.replace('-', "_").replace('.', "/")] {
            for end in ["/__init__.py", ".py", "/__init__.pyc", ".pyc"] {
                let path = format!("{directory}/{module}{end}");
                if !modules.contains(&path) {
                    modules.push(path);
                }
            }
        }
    }
    modules
}

#[cfg(test)]
mod tests {
    use super::{modules, read};
    use crate::shown::check;

    #[test]
    fn pins_count_if_their_module_is_there() {
        check(
            read,
            "site-packages/pip/_vendor/vendor.txt",
            "requests==2.31.0\n    certifi==2023.7.22\n",
            "pkg:pypi/requests@2.31.0 (vendored) | proof: \
             site-packages/pip/_vendor/requests/__init__.py, \
             site-packages/pip/_vendor/requests.py, \
             site-packages/pip/_vendor/requests/__init__.pyc, \
             site-packages/pip/_vendor/requests.pyc\n\
             pkg:pypi/certifi@2023.7.22 (vendored) | proof: \
             site-packages/pip/_vendor/certifi/__init__.py, \
             site-packages/pip/_vendor/certifi.py, \
             site-packages/pip/_vendor/certifi/__init__.pyc, \
             site-packages/pip/_vendor/certifi.pyc",
        );
    }

    #[test]
    fn modules_are_named_after_their_distribution() {
        for (name, expect) in [
            ("CacheControl", "v/cachecontrol/__init__.py"),
            ("typing-extensions", "v/typing_extensions.py"),
            ("jaraco.text", "v/jaraco/text/__init__.py"),
            ("pyproject_hooks", "v/pyproject_hooks/__init__.py"),
        ] {
            assert!(modules("v", name).iter().any(|it| it == expect), "{name}");
        }
    }
}
