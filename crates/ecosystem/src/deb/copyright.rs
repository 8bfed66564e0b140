//! Licences that a package's `copyright` file names.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use model::{Found, Remark};
use regex::bytes::Regex;

use super::Stanzas;
use crate::license;
use crate::{Beside, File};

/// The longest in Debian (chromium's) has 2 MiB.
const LARGEST: u64 = 16 << 20;
/// A longer name is a text.
const LONGEST_NAME: usize = 200;
/// A file that names more is no list of licences.
const MOST: usize = 1000;

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    let bytes = match file.bytes(LARGEST) {
        Ok(bytes) => bytes,
        Err(error) => return Found::gap(file.path(), format!("cannot be read: {error}")),
    };
    let licenses = if is_machine_readable(&bytes) { stated(&bytes) } else { referred(&bytes) };
    if licenses.is_empty() {
        return Found::default();
    }
    if licenses.len() > MOST {
        return Found::gap(file.path(), format!("names more than {MOST} licences"));
    }
    let package = file.directory().rsplit('/').next().unwrap_or_default();
    let remark = Remark {
        ecosystem: "deb".to_owned(),
        package: package.to_owned(),
        licenses: licenses.into_iter().collect(),
    };
    Found { remarks: vec![remark], ..Found::default() }
}

/// <https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/>
fn is_machine_readable(bytes: &[u8]) -> bool {
    Stanzas::new(bytes)
        .next()
        .and_then(|it| it.get("Format").or_else(|| it.get("Format-Specification")))
        .is_some()
}

/// The licences of files; paragraphs that only hold a licence's text name nothing new, so they count
/// only where no paragraph of files names any.
fn stated(bytes: &[u8]) -> BTreeSet<String> {
    let mut of_files = BTreeSet::new();
    let mut of_texts = BTreeSet::new();
    for stanza in Stanzas::new(bytes) {
        if of_files.len().max(of_texts.len()) > MOST {
            break;
        }
        let Some(name) = stanza.get("License") else { continue };
        if name.len() > LONGEST_NAME {
            continue;
        }
        let name = name.split_whitespace().collect::<Vec<&str>>().join(" ");
        let of = if stanza.get("Files").is_some() { &mut of_files } else { &mut of_texts };
        of.insert(license::normalise(&name.replace(',', "")));
    }
    if of_files.is_empty() { of_texts } else { of_files }
}

/// Free text that points at one of Debian's copies of common licences.
/// `GPL-2` is left as it is: whether later versions are allowed, nobody said.
fn referred(bytes: &[u8]) -> BTreeSet<String> {
    static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"/usr/share/common-licenses/([A-Za-z]+[0-9A-Za-z.-]*[0-9A-Za-z])")
            .expect("it is a regular expression")
    });
    REFERENCE
        .captures_iter(bytes)
        .filter_map(|it| it.get(1))
        .map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned())
        .map(|name| {
            let is_certain = ["Apache-", "MPL-", "CC0-"].iter().any(|it| name.starts_with(it));
            if is_certain { license::normalise(&name) } else { name }
        })
        .collect()
}
