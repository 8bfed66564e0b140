//! What other tools' documents say between the lines, and the order that all readers end in.

use model::{Distro, Gap, Inventory, Package, Purl, SourcePackage, Subject};

/// The inventory, in its one order. From a document of another tool the distribution and the
/// source packages are drawn from the purls where nothing else tells them.
pub(crate) fn settle(
    subject: Subject,
    distro: Option<Distro>,
    mut packages: Vec<Package>,
    mut gaps: Vec<Gap>,
    own: bool,
) -> Inventory {
    if !own {
        // A statement about flaws, or half a document: there is nothing in it to be at ease about.
        if packages.is_empty() && gaps.is_empty() {
            gaps.push(Gap::new("the document", "it lists no packages"));
        }
        for package in &mut packages {
            package.source = package
                .source
                .take()
                .or_else(|| upstream(&package.purl))
                .and_then(|source| only_if_different(source, &package.purl));
        }
    }
    let mut distro = if own { distro } else { distro.or_else(|| distro_of(&packages)) };
    if distro.take_if(|it| !it.is_short()).is_some() {
        let why = format!("a value in it is longer than {} bytes", Distro::LONGEST);
        gaps.push(Gap::new("the distribution", why));
    }
    let mut inventory =
        Inventory { subject, distro, packages, statements: vec![], gaps }.in_order();
    inventory.packages = each_once(inventory.packages);
    inventory
}

/// Other tools list a package once for each place it was seen at: those become one.
fn each_once(sorted: Vec<Package>) -> Vec<Package> {
    let mut packages: Vec<Package> = Vec::with_capacity(sorted.len());
    let mut merged = false;
    let order = |package: Option<&mut Package>, merged: bool| {
        if let Some(package) = package.filter(|_| merged) {
            package.places.sort();
            package.places.dedup();
        }
    };
    for mut package in sorted {
        let places = std::mem::take(&mut package.places);
        if let Some(last) = packages.last_mut() {
            let known = std::mem::take(&mut last.places);
            let same = *last == package;
            last.places = known;
            if same {
                last.places.extend(places);
                merged = true;
                continue;
            }
        }
        order(packages.last_mut(), merged);
        merged = false;
        package.places = places;
        packages.push(package);
    }
    order(packages.last_mut(), merged);
    packages
}

/// A purl from its parts, if they make one.
pub(crate) fn purl(kind: &str, namespace: &str, name: &str, version: &str) -> Option<Purl> {
    let purl = Purl::new(kind, name).with_namespace(namespace).with_version(version);
    // What can be written and read again is a purl; a hostile type or an empty name is not.
    purl.to_string().parse().ok()
}

/// `Name (mail)` as SPDX writes it, as `Name <mail>`.
pub(crate) fn person(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(':')?;
    let rest = rest.trim();
    let (name, mail) = match rest.strip_suffix(')').and_then(|it| it.rsplit_once('(')) {
        Some((name, mail)) => (name.trim_end(), mail),
        None => (rest, ""),
    };
    match (name, mail) {
        ("", "") => None,
        (name, "") => Some(name.to_owned()),
        (name, mail) => Some(format!("{name} <{mail}>")),
    }
}

/// `openssl-3.0.7-1.el9.src.rpm`: the name, and version with release.
pub(crate) fn source_rpm(text: &str) -> Option<SourcePackage> {
    let stem = text.strip_suffix(".src.rpm").or_else(|| text.strip_suffix(".nosrc.rpm"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(SourcePackage { name: name.to_owned(), version: Some(format!("{version}-{release}")) })
}

/// `upstream=gcc-12@12.2.0-14`, which syft writes into purls.
fn upstream(purl: &Purl) -> Option<SourcePackage> {
    let text = purl.qualifier("upstream")?;
    if let Some(source) = source_rpm(text) {
        return Some(source);
    }
    let (name, version) = text.rsplit_once('@').unwrap_or((text, ""));
    let version = (!version.is_empty()).then(|| version.to_owned());
    (!name.is_empty()).then(|| SourcePackage { name: name.to_owned(), version })
}

fn only_if_different(source: SourcePackage, purl: &Purl) -> Option<SourcePackage> {
    let version = source.version.filter(|version| Some(version.as_str()) != purl.version());
    (source.name != purl.name() || version.is_some())
        .then_some(SourcePackage { name: source.name, version })
}

fn distro_of(packages: &[Package]) -> Option<Distro> {
    packages
        .iter()
        .map(|package| &package.purl)
        .filter(|purl| matches!(purl.kind(), "deb" | "rpm" | "apk" | "alpm"))
        .find_map(|purl| from_scout(purl).or_else(|| from_qualifier(purl)))
}

/// Scout's qualifiers: `os_name=debian&os_version=12&os_distro=bookworm`.
fn from_scout(purl: &Purl) -> Option<Distro> {
    let text = |key| purl.qualifier(key).map(str::to_owned);
    Some(Distro {
        id: distro_id(purl.qualifier("os_name")?).to_owned(),
        version: text("os_version"),
        codename: text("os_distro"),
        ..Distro::default()
    })
}

/// `distro=debian-12`, or `distro=bookworm` beside the namespace `debian`.
fn from_qualifier(purl: &Purl) -> Option<Distro> {
    let text = purl.qualifier("distro")?;
    let known = |id: &str, version: Option<&str>| Distro {
        id: id.to_owned(),
        version: version.map(str::to_owned),
        ..Distro::default()
    };
    match (text.rsplit_once('-'), purl.namespace()) {
        (Some((id, version)), _) if !id.is_empty() => Some(known(id, Some(version))),
        (None, Some(id)) if text.starts_with(|it: char| it.is_ascii_digit()) => {
            Some(known(id, Some(text)))
        }
        (None, Some(id)) if id != text => {
            Some(Distro { codename: Some(text.to_owned()), ..known(id, None) })
        }
        _ => Some(known(text, None)),
    }
}

/// Scout's names for distributions, as `os-release` has them.
pub(crate) fn distro_id(name: &str) -> &str {
    match name {
        "redhatlinux" => "rhel",
        "oraclelinux" => "ol",
        "amazonlinux" => "amzn",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_drawn_from_purls() {
        let check = |text: &str, expect: &str| {
            let package = Package::new(text.parse().unwrap());
            let shown = distro_of(&[package]).map_or_else(String::new, |distro| {
                format!("{} {:?} {:?}", distro.id, distro.version, distro.codename)
            });
            assert_eq!(shown, expect, "{text}");
        };
        check("pkg:deb/debian/a@1?distro=debian-12", r#"debian Some("12") None"#);
        check("pkg:deb/debian/a@1?distro=bookworm", r#"debian None Some("bookworm")"#);
        check(
            "pkg:rpm/opensuse/a@1?distro=opensuse-leap-15.5",
            r#"opensuse-leap Some("15.5") None"#,
        );
        check("pkg:apk/alpine/a@1?distro=3.20.3", r#"alpine Some("3.20.3") None"#);
        check("pkg:alpm/arch/a@1?distro=arch", "arch None None");
        check(
            "pkg:deb/debian/a@1?os_name=debian&os_version=12&os_distro=bookworm",
            r#"debian Some("12") Some("bookworm")"#,
        );
        check("pkg:rpm/redhat/a@1?os_name=redhatlinux&os_version=9", r#"rhel Some("9") None"#);
        check("pkg:npm/a@1?distro=debian-12", "");
    }

    #[test]
    fn sources_are_drawn_from_purls() {
        let check = |text: &str, expect: &str| {
            let purl: Purl = text.parse().unwrap();
            let shown = upstream(&purl)
                .and_then(|source| only_if_different(source, &purl))
                .map_or_else(String::new, |it| format!("{} {:?}", it.name, it.version));
            assert_eq!(shown, expect, "{text}");
        };
        check("pkg:deb/debian/gcc-12-base@12.2.0?upstream=gcc-12", "gcc-12 None");
        check("pkg:deb/debian/a@1?upstream=b%402", r#"b Some("2")"#);
        check("pkg:deb/debian/a@1?upstream=a%401", "");
        check("pkg:rpm/redhat/a@1-2?upstream=b-c-1-2.src.rpm", "b-c None");
        check("pkg:rpm/redhat/a@1-2?upstream=-.src.rpm", "-.src.rpm None");
        check("pkg:deb/debian/a@1", "");
    }

    #[test]
    fn persons() {
        let check = |text: &str, expect: Option<&str>| assert_eq!(person(text).as_deref(), expect);
        check("Person: Jane Doe (jane@example.org)", Some("Jane Doe <jane@example.org>"));
        check("Organization: Debian", Some("Debian"));
        check("Organization: Debian ()", Some("Debian"));
        check("Person: ", None);
        check("NOASSERTION", None);
    }
}
