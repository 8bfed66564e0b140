//! The distribution, and what follows from it for the names of its packages.

use std::cmp::Reverse;

use model::{Distro, Gap, Package, PackageKind, Purl};

use super::{Seen, Stacked};
use crate::os_release;

/// The purl types that databases of distributions hold, with the distributions they belong to.
const FORMATS: [(&str, &[&str]); 3] = [
    ("deb", &["debian", "ubuntu", "raspbian", "kali", "devuan"]),
    ("apk", &["alpine", "wolfi", "chainguard", "postmarketos"]),
    (
        "rpm",
        &[
            "rhel",
            "fedora",
            "centos",
            "rocky",
            "almalinux",
            "ol",
            "amzn",
            "opensuse",
            "suse",
            "sles",
            "mariner",
            "azurelinux",
            "photon",
            "openeuler",
            "mageia",
            "scientific",
        ],
    ),
];

/// Is this a package of a distribution?
pub(super) fn is_packaged(purl: &Purl) -> bool {
    FORMATS.iter().any(|(kind, _)| purl.kind() == *kind) || purl.kind() == "alpm"
}

/// The distribution that the most trustworthy file names.
pub(super) fn of(seen: &[Seen<'_>]) -> Option<Distro> {
    let naming = seen.iter().filter(|it| it.is_by(&os_release::CATALOGER));
    naming
        .filter_map(|it| {
            Some((os_release::rank(it.path), it.layer, it.evidence.found.distro.as_ref()?))
        })
        .min_by_key(|(rank, layer, _)| (*rank, Reverse(*layer)))
        .map(|(_, _, distro)| distro.clone())
}

/// Gives packages of the distribution its name and version.
pub(super) fn name_packages(
    distro: Option<&Distro>,
    packages: &mut [(usize, Package)],
    gaps: &mut Vec<Gap>,
) {
    let mut strangers: Vec<&str> = Vec::new();
    for (_, package) in packages {
        // What a document says is complete in itself, or speaks of another system.
        let attested = package.kind == PackageKind::Attested;
        let Some((kind, _)) = FORMATS.iter().find(|(kind, _)| package.purl.kind() == *kind) else {
            continue;
        };
        if attested || package.purl.qualifier("distro").is_some() {
            continue;
        }
        let purl = package.purl.clone();
        package.purl = match distro {
            Some(distro) if uses(distro, kind) => purl
                .with_namespace(namespace(kind, &distro.id))
                .with_qualifier("distro", &distro.qualifier()),
            stranger => {
                if stranger.is_some() && !strangers.contains(kind) {
                    strangers.push(kind);
                }
                match *kind {
                    "deb" if purl.namespace().is_none() => purl.with_namespace("debian"),
                    "apk" if purl.namespace().is_none() => purl.with_namespace("alpine"),
                    _ => purl,
                }
            }
        };
    }
    for kind in strangers {
        let distro = distro.map(Distro::qualifier).unwrap_or_default();
        let why = format!(
            "it has {kind} packages, which are none of its own: their distribution is not known"
        );
        gaps.push(Gap::new(distro, why));
    }
}

/// Tells of what should be there: packages for a distribution, a distribution for packages.
pub(super) fn look_for_holes(stacked: &mut Stacked) {
    let installed = |it: &&Package| it.kind == PackageKind::Installed && is_packaged(&it.purl);
    let packaged = stacked.packages.iter().any(|it| installed(&it));
    let gap = match &stacked.distro {
        None if packaged => Gap::new(
            "etc/os-release",
            "no distribution is named, so nobody can tell which flaws its packages have",
        ),
        Some(distro) if !packaged => Gap::new(
            distro.qualifier(),
            "no package database was found, so its packages are not known",
        ),
        None if stacked.packages.is_empty() => {
            Gap::new("/", "no package database was found, nor any other package")
        }
        _ => return,
    };
    stacked.gaps.push(gap);
}

/// Could a package of that type be of this distribution? In doubt, yes.
fn uses(distro: &Distro, kind: &str) -> bool {
    let mut names = std::iter::once(&distro.id).chain(&distro.like);
    let family = names.find_map(|name| {
        let belongs =
            |it: &&str| name == it || (name.starts_with(*it) && name[it.len()..].starts_with('-'));
        FORMATS.iter().find(|(_, distros)| distros.iter().any(belongs))
    });
    family.is_none_or(|(it, _)| *it == kind)
}

/// What purls call the distribution with that `ID`.
fn namespace<'a>(kind: &str, id: &'a str) -> &'a str {
    if kind != "rpm" {
        return id;
    }
    match id {
        "rhel" => "redhat",
        _ if id.starts_with("opensuse") => "opensuse",
        _ if id.starts_with("sle") || id.starts_with("sl-micro") => "suse",
        _ => id,
    }
}
