//! The distribution: `os-release`, and the older files that name one.
//! <https://www.freedesktop.org/software/systemd/man/latest/os-release.html>

use std::collections::HashMap;

use ecosystem::{Beside, Cataloger, Claim, File};
use model::{Distro, Found};

#[cfg(test)]
mod tests;

/// A file that names a distribution is a page at most.
const LIMIT: u64 = 64 << 10;

/// Reads the files that name the distribution.
pub(crate) static CATALOGER: Cataloger = Cataloger {
    id: "os-release",
    reads: "the name and version of the distribution",
    version: 2,
    claims: &[
        Claim::Path("etc/os-release"),
        Claim::Path("usr/lib/os-release"),
        Claim::Path("etc/alpine-release"),
        Claim::Path("etc/lsb-release"),
        Claim::Path("etc/centos-release"),
        Claim::Path("etc/redhat-release"),
        Claim::Path("etc/debian_version"),
    ],
    peeks: &[],
    read,
};

/// How much the file at `path` is to be believed: the lowest first.
/// One that was reached through a link from `etc/os-release` is as good as that.
pub(crate) fn rank(path: &str) -> usize {
    let is_path = |claim: &Claim| matches!(claim, Claim::Path(it) if *it == path);
    CATALOGER.claims.iter().position(is_path).unwrap_or(0)
}

fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    let bytes = match file.bytes(LIMIT) {
        Ok(bytes) => bytes,
        Err(error) => return Found::gap(file.path(), error.to_string()),
    };
    let text = String::from_utf8_lossy(&bytes).replace('\0', "");
    let text = text.trim_start_matches('\u{feff}');
    let (distro, missing) = match file.name() {
        "alpine-release" => (from_alpine_release(text), "it names no version"),
        "debian_version" => (from_debian_version(text), "it names no version"),
        "centos-release" | "redhat-release" => {
            (from_redhat_release(text), "it names no distribution")
        }
        "lsb-release" => (from_lsb_release(text), "it has no DISTRIB_ID"),
        _ => (from_os_release(text), "it has no ID, so the distribution cannot be told from it"),
    };
    match distro {
        Some(distro) if !distro.is_short() => {
            let why = format!("a value in it is longer than {} bytes", Distro::LONGEST);
            Found::gap(file.path(), why)
        }
        Some(distro) => Found { distro: Some(distro), ..Found::default() },
        None => Found::gap(file.path(), missing),
    }
}

fn from_os_release(text: &str) -> Option<Distro> {
    let mut values = assignments(text);
    let id = identifier(&values.remove("ID")?)?;
    let mut take = |key| values.remove(key).filter(|it| !it.is_empty());
    Some(Distro {
        id,
        version: take("VERSION_ID"),
        codename: take("VERSION_CODENAME"),
        name: take("PRETTY_NAME").or_else(|| take("NAME")),
        like: take("ID_LIKE")
            .map(|it| it.split_whitespace().filter_map(identifier).collect())
            .unwrap_or_default(),
        variant: take("VARIANT_ID"),
        cpe: take("CPE_NAME"),
    })
}

fn from_lsb_release(text: &str) -> Option<Distro> {
    let mut values = assignments(text);
    let id = identifier(&values.remove("DISTRIB_ID")?)?;
    let mut take = |key| values.remove(key).filter(|it| !it.is_empty());
    Some(Distro {
        id,
        version: take("DISTRIB_RELEASE"),
        codename: take("DISTRIB_CODENAME"),
        name: take("DISTRIB_DESCRIPTION"),
        ..Distro::default()
    })
}

fn from_alpine_release(text: &str) -> Option<Distro> {
    let version = text.split_whitespace().next()?;
    Some(Distro {
        id: "alpine".to_owned(),
        version: Some(version.to_owned()),
        name: Some(format!("Alpine Linux {version}")),
        ..Distro::default()
    })
}

/// `12.5` is Debian 12; `trixie/sid` is testing or unstable, which have no number.
fn from_debian_version(text: &str) -> Option<Distro> {
    let text = text.split_whitespace().next()?;
    let numbered = text.starts_with(|it: char| it.is_ascii_digit());
    let version = text.split('.').next().filter(|_| numbered).map(str::to_owned);
    let codename = text.split('/').next().filter(|_| !numbered).map(str::to_owned);
    let name = Some(format!("Debian GNU/Linux {text}"));
    Some(Distro { id: "debian".to_owned(), version, codename, name, ..Distro::default() })
}

/// `CentOS Linux release 7.9.2009 (Core)`.
fn from_redhat_release(text: &str) -> Option<Distro> {
    let line = text.lines().map(str::trim).find(|it| !it.is_empty())?;
    let (name, rest) = line.split_once(" release ")?;
    let known = [
        ("Red Hat Enterprise Linux", "rhel"),
        ("CentOS", "centos"),
        ("Fedora", "fedora"),
        ("Oracle Linux", "ol"),
        ("Enterprise Linux Enterprise Linux", "ol"),
        ("Rocky", "rocky"),
        ("AlmaLinux", "almalinux"),
        ("Amazon Linux", "amzn"),
        ("Scientific Linux", "scientific"),
    ];
    let (_, id) = known.iter().find(|(start, _)| name.starts_with(start))?;
    let version = rest.split_whitespace().next().map(str::to_owned);
    let codename = rest.split_once('(').and_then(|(_, it)| it.split_once(')'));
    Some(Distro {
        id: (*id).to_owned(),
        version,
        codename: codename.map(|(codename, _)| codename.to_owned()),
        name: Some(line.to_owned()),
        ..Distro::default()
    })
}

/// `KEY=value` lines as a shell reads them; the last word on a key counts.
fn assignments(text: &str) -> HashMap<&str, String> {
    text.split(['\n', '\r'])
        .filter_map(|line| {
            let (key, value) = line.trim().split_once('=')?;
            let key = key.trim_start_matches("export ").trim();
            (!key.starts_with('#')).then(|| (key, shell_word(value)))
        })
        .collect()
}

/// The first word, its quotes and escapes resolved.
fn shell_word(text: &str) -> String {
    let mut word = String::new();
    let mut quote = None;
    let mut letters = text.trim_start().chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (Some('"'), '\\') => match letters.next() {
                Some(escaped @ ('"' | '\\' | '$' | '`')) => word.push(escaped),
                other => {
                    word.push('\\');
                    word.extend(other);
                }
            },
            (None, '\\') => word.extend(letters.next()),
            (None, _) if letter.is_whitespace() => break,
            _ => word.push(letter),
        }
    }
    word.trim().to_owned()
}

/// Lower case, as identifiers are; `None` where nothing is left.
fn identifier(text: &str) -> Option<String> {
    let id: String = text
        .chars()
        .map(|it| it.to_ascii_lowercase())
        .filter(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-'))
        .collect();
    let id = id.trim_matches(['.', '_', '-']);
    (!id.is_empty()).then(|| id.to_owned())
}
