//! An installed distribution: its core metadata, which are headers as in mail.
//! <https://packaging.python.org/en/latest/specifications/core-metadata/>

use model::{Found, Gap, Package, PackageKind};

use crate::document;
use crate::listing::{brief, line, person};
use crate::{Beside, File, license};

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    document::found(read_metadata(file))
}

fn read_metadata(file: &File<'_>) -> Result<Found, Gap> {
    let text = document::text(file)?;
    let headers = Headers::read(&text);
    let (Some(name), Some(version)) = (headers.first("name"), headers.first("version")) else {
        return Err(Gap::new(file.path(), "metadata without a name or a version"));
    };
    let Some(purl) = super::purl(name, version) else {
        let why = format!("`{} {}` is no Python package", brief(name), brief(version));
        return Err(Gap::new(file.path(), why));
    };
    let mut package = Package::new(purl);
    if is_vendored(file.path()) {
        package.kind = PackageKind::Vendored;
    }
    package.licenses = licenses(&headers);
    package.author = person(headers.first("author"), headers.first("author-email"))
        .or_else(|| person(headers.first("maintainer"), headers.first("maintainer-email")))
        .and_then(|it| line(&it));
    package.description = headers.first("summary").and_then(line);
    package.url = headers.first("home-page").map(str::to_owned).or_else(|| home_page(&headers));
    Ok(Found::packages(vec![package]))
}

/// Below `_vendor`, or a `vendor` directory inside an installed distribution.
fn is_vendored(path: &str) -> bool {
    let mut parts = path.split('/');
    let mut is_inside = false;
    // The last two are the metadata's own.
    let directories = parts.by_ref().collect::<Vec<&str>>();
    directories.iter().take(directories.len().saturating_sub(1)).any(|part| {
        let is_vendor = matches!(*part, "_vendor" | "_vendored")
            || (is_inside && part.starts_with("vendor") && !part.contains(".dist-info"));
        is_inside |= matches!(*part, "site-packages" | "dist-packages");
        is_vendor && !part.ends_with(".egg-info")
    })
}

/// An expression if there is one; else what the author wrote, if it names a licence; else what the
/// classifiers say, if they do; else whatever short text there is.
fn licenses(headers: &Headers) -> Vec<String> {
    if let Some(expression) = headers.first("license-expression") {
        return vec![license::normalise(expression)];
    }
    let written = headers.first("license").filter(|it| it.len() <= 100 && !it.contains('\n'));
    let classes: Vec<&str> = headers
        .all("classifier")
        .filter_map(|it| it.strip_prefix("License :: "))
        .filter_map(|it| it.rsplit("::").next())
        .map(str::trim)
        .filter(|it| *it != "OSI Approved")
        .collect();
    let is_known = |text: &str| license::recognise(text).is_some();
    let written_is_better = written.is_some_and(is_known) || !classes.iter().any(|it| is_known(it));
    match written {
        Some(written) if written_is_better => vec![license::normalise(written)],
        _ => license::normalise_many(classes),
    }
}

/// `Project-URL: Homepage, https://…`, or where its source is.
fn home_page(headers: &Headers) -> Option<String> {
    let urls: Vec<(String, &str)> = headers
        .all("project-url")
        .filter_map(|it| it.split_once(','))
        .map(|(label, url)| (label.to_ascii_lowercase().replace([' ', '-', '_'], ""), url.trim()))
        .collect();
    ["homepage", "home", "source", "sourcecode", "repository", "github", "code"]
        .iter()
        .find_map(|label| urls.iter().find(|(it, _)| it == label))
        .map(|(_, url)| (*url).to_owned())
}

/// Names in lower case, values unfolded, in order, up to the first empty line.
struct Headers(Vec<(String, String)>);

impl Headers {
    fn read(text: &str) -> Self {
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = headers.last_mut() {
                    value.push('\n');
                    value.push_str(line.trim_start().trim_start_matches('|'));
                }
            } else if let Some((name, value)) = line.split_once(':') {
                headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        Self(headers)
    }

    fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.0
            .iter()
            .filter(move |(it, _)| it == name)
            .map(|(_, value)| value.trim())
            .filter(|it| !it.is_empty() && *it != "UNKNOWN" && *it != "None")
    }

    fn first<'h>(&'h self, name: &'h str) -> Option<&'h str> {
        self.all(name).next()
    }
}

#[cfg(test)]
mod tests {
    use super::{is_vendored, read};
    use crate::shown::check;

    const AT: &str = "usr/lib/python3/dist-packages/x-1.0.dist-info/METADATA";

    #[test]
    fn reads_every_field() {
        check(
            read,
            AT,
            "Metadata-Version: 2.1\nName: Flask_Thing\nVersion: 1.0\nSummary: does things\n\
             Home-page: https://example.org\nAuthor: Ann\nAuthor-email: a@example.org\n\
             License: BSD-3-Clause\nClassifier: License :: OSI Approved :: BSD License\n\n\
             Name: other\n",
            "pkg:pypi/flask-thing@1.0 | license: BSD-3-Clause | author: Ann <a@example.org> | url: https://example.org | about: does things",
        );
    }

    #[test]
    fn newer_metadata() {
        check(
            read,
            AT,
            "Metadata-Version: 2.4\r\nName: zope.interface\r\nVersion: 7.0\r\n\
             License-Expression: MIT and apache-2.0\r\nAuthor-email: Ann <a@example.org>\r\n\
             Project-URL: Changes, https://example.org/c\r\nProject-URL: Home Page, https://example.org/h\r\n\r\n",
            "pkg:pypi/zope-interface@7.0 | license: MIT AND Apache-2.0 | author: Ann <a@example.org> | url: https://example.org/h",
        );
    }

    #[test]
    fn the_license_that_says_most() {
        for (headers, expect) in [
            ("License: MIT License", " | license: MIT"),
            ("License: UNKNOWN", ""),
            ("License: BSD", " | license: BSD"),
            ("License: BSD\nClassifier: License :: OSI Approved :: BSD License", " | license: BSD"),
            (
                "License: Modern\nClassifier: License :: OSI Approved :: MIT License",
                " | license: MIT",
            ),
            ("Classifier: License :: OSI Approved", ""),
            (
                "License: Copyright (c) Ann\n        Permission is hereby granted\n        \nClassifier: License :: OSI Approved :: ISC License (ISCL)",
                " | license: ISC",
            ),
            (
                "Classifier: License :: OSI Approved :: Apache Software License\nClassifier: License :: OSI Approved :: BSD License",
                " | license: Apache Software License, BSD License",
            ),
        ] {
            check(
                read,
                AT,
                format!("Name: x\nVersion: 1\n{headers}\n"),
                &format!("pkg:pypi/x@1{expect}"),
            );
        }
    }

    #[test]
    fn what_cannot_be_a_package_is_a_gap() {
        check(
            read,
            AT,
            "",
            "gap: usr/lib/python3/dist-packages/x-1.0.dist-info/METADATA: metadata without a name or a version",
        );
        check(
            read,
            AT,
            "\nName: x\nVersion: 1\n",
            "gap: usr/lib/python3/dist-packages/x-1.0.dist-info/METADATA: metadata without a name or a version",
        );
        check(
            read,
            AT,
            "Name: a b\nVersion: 1\n",
            "gap: usr/lib/python3/dist-packages/x-1.0.dist-info/METADATA: `a b 1` is no Python package",
        );
        check(
            read,
            AT,
            " folded\n:\n: x\nName x\n",
            "gap: usr/lib/python3/dist-packages/x-1.0.dist-info/METADATA: metadata without a name or a version",
        );
        check(
            read,
            AT,
            b"Name: x\nVersion: 1\nAuthor: J\xf6rg\n",
            "pkg:pypi/x@1 | author: J\u{FFFD}rg",
        );
    }

    #[test]
    fn vendored_copies() {
        for (path, expect) in [
            ("usr/lib/python3/dist-packages/x-1.egg-info", false),
            ("site-packages/x-1.dist-info/METADATA", false),
            ("site-packages/setuptools/_vendor/x-1.dist-info/METADATA", true),
            ("site-packages/pipenv/vendor/x-1.dist-info/METADATA", true),
            ("site-packages/pipenv/patched/_vendored/x-1.dist-info/METADATA", true),
            ("site-packages/vendor_tools-1.dist-info/METADATA", false),
            ("site-packages/vendor-1.egg-info/PKG-INFO", false),
            ("site-packages/vendor-1.egg-info", false),
            ("app/vendor/site-packages/x-1.dist-info/METADATA", false),
            ("app/_vendor/x-1.egg-info", true),
        ] {
            assert_eq!(is_vendored(path), expect, "{path}");
        }
    }
}
