//! Distributions: how packages and images name them, and for which releases they publish.

use ecosystem::order::{self, Order};
use model::{Distro, Purl, Space};

/// A distribution, as a package or an image names it.
#[derive(Debug)]
pub(super) struct System {
    pub(super) family: String,
    pub(super) release: Option<String>,
    codename: Option<String>,
    /// Not what became of RHEL, but what will.
    pub(super) is_stream: bool,
    /// Its nearest relative.
    pub(super) like: String,
    pub(super) told_by: &'static str,
}

/// What purls and other tools call a distribution, and its `ID`.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("alma", "almalinux"),
    ("amazon", "amzn"),
    ("amazonlinux", "amzn"),
    ("archlinux", "arch"),
    ("azure", "azurelinux"),
    ("cbl-mariner", "mariner"),
    ("oracle", "ol"),
    ("oraclelinux", "ol"),
    ("redhat", "rhel"),
    ("rockylinux", "rocky"),
    ("suse", "sles"),
];

/// Names of Debian's releases in its own documents, and Ubuntu's.
const CODENAMES: &[(&str, &str, &str)] = &[
    ("squeeze", "debian", "6"),
    ("wheezy", "debian", "7"),
    ("jessie", "debian", "8"),
    ("stretch", "debian", "9"),
    ("buster", "debian", "10"),
    ("bullseye", "debian", "11"),
    ("bookworm", "debian", "12"),
    ("trixie", "debian", "13"),
    ("forky", "debian", "14"),
    ("duke", "debian", "15"),
    ("sid", "debian", "sid"),
    ("trusty", "ubuntu", "14.04"),
    ("xenial", "ubuntu", "16.04"),
    ("bionic", "ubuntu", "18.04"),
    ("focal", "ubuntu", "20.04"),
    ("jammy", "ubuntu", "22.04"),
    ("noble", "ubuntu", "24.04"),
    ("oracular", "ubuntu", "24.10"),
    ("plucky", "ubuntu", "25.04"),
    ("questing", "ubuntu", "25.10"),
    ("resolute", "ubuntu", "26.04"),
];

impl System {
    /// The package's own word comes first, then the image's, if the package can be of its kind; the
    /// namespace alone names at least the family.
    pub(super) fn of(purl: &Purl, distro: Option<&Distro>) -> Option<Self> {
        let namespace = purl.namespace().map(proper_name);
        let mut system = match (purl.qualifier("distro"), namespace) {
            (Some(qualifier), namespace) => Self::qualified(qualifier, namespace),
            (None, Some(namespace)) => Self::named(namespace, None, "its namespace"),
            (None, None) => {
                let distro = distro.filter(|it| could_use(it, purl.kind()))?;
                Self::named(&distro.id, distro.version.as_deref(), "the image's distribution")
            }
        };
        // What the image says about itself fills in what the package leaves out.
        if let Some(distro) = distro.filter(|it| system.is_of(it)) {
            system.family.clone_from(&distro.id);
            system.release = system.release.take().or_else(|| distro.version.clone());
            system.codename = distro.codename.clone();
            system.is_stream |= distro.name.as_deref().is_some_and(|it| it.contains("Stream"));
            system.like = distro.like.first().cloned().unwrap_or_default();
        }
        if system.release.is_none() {
            system.release = system
                .codename
                .as_deref()
                .and_then(|name| CODENAMES.iter().find(|it| it.0 == name && it.1 == system.family))
                .map(|it| it.2.to_owned());
        }
        Some(system)
    }

    fn named(family: &str, release: Option<&str>, told_by: &'static str) -> Self {
        Self {
            family: family.to_ascii_lowercase(),
            release: release.filter(|it| !it.is_empty()).map(str::to_owned),
            codename: None,
            is_stream: false,
            like: String::new(),
            told_by,
        }
    }

    /// From `debian-12`, `opensuse-leap-15.5`, `bookworm`, `arch`.
    fn qualified(qualifier: &str, namespace: Option<&str>) -> Self {
        let told_by = "the package's own word";
        let text = qualifier.to_ascii_lowercase();
        if let Some((_, family, release)) = CODENAMES.iter().find(|it| it.0 == text) {
            return Self::named(family, Some(release), told_by);
        }
        let (family, release) = match text.rsplit_once('-') {
            Some((family, release)) if is_release(release) => (family, Some(release)),
            _ if is_release(&text) => (namespace.unwrap_or_default(), Some(&*text)),
            _ => (&*text, None),
        };
        if let Some((start, codename)) = family.split_once('-')
            && let Some((_, family, release)) =
                CODENAMES.iter().find(|it| it.0 == codename && it.1 == start)
        {
            return Self::named(family, Some(release), told_by);
        }
        Self::named(proper_name(family), release, told_by)
    }

    /// Is it the distribution of the image?
    fn is_of(&self, distro: &Distro) -> bool {
        let same_family = self.family == distro.id
            || (self.family == "opensuse" && distro.id.starts_with("opensuse"))
            || (self.family == "sles" && distro.id.starts_with("sle"));
        same_family
            && (self.release.is_none()
                || distro.version.is_none()
                || self.release == distro.version)
    }

    /// Names of its space, the likeliest first.
    pub(super) fn spaces(&self) -> Vec<Space> {
        let family = self.family.as_str();
        let Some(release) = self.release.as_deref() else { return vec![Space::of(family)] };
        match granularity(family) {
            Some(Granularity::Rolling) => vec![Space::of(family)],
            Some(Granularity::Full) => vec![Space::release(family, release)],
            Some(Granularity::Major) => vec![Space::release(family, major(release))],
            Some(Granularity::Minor) => vec![Space::release(family, &minor(release))],
            // Some publish for a service pack, some for all of a release.
            None => {
                let mut spaces = vec![Space::release(family, release)];
                if major(release) != release {
                    spaces.push(Space::release(family, major(release)));
                }
                spaces.push(Space::of(family));
                spaces
            }
        }
    }
}

enum Granularity {
    Rolling,
    Full,
    Major,
    Minor,
}

/// For which releases a distribution publishes. `None`: we do not know.
fn granularity(family: &str) -> Option<Granularity> {
    Some(match family {
        "wolfi" | "chainguard" | "arch" | "minimos" | "echo" | "opensuse-tumbleweed" => {
            Granularity::Rolling
        }
        "ubuntu" | "azurelinux" | "mariner" | "photon" | "fedora" => Granularity::Full,
        "debian" | "rhel" | "almalinux" | "rocky" | "ol" | "centos" | "amzn" => Granularity::Major,
        "alpine" => Granularity::Minor,
        _ => return None,
    })
}

/// The release as its space has it.
pub(super) fn major_or_full(family: &str, release: &str) -> String {
    match granularity(family) {
        Some(Granularity::Major) => major(release).to_owned(),
        Some(Granularity::Minor) => minor(release),
        _ => release.to_owned(),
    }
}

/// `9` of `9.4`. Amazon's first was called by its dates.
pub(super) fn major(release: &str) -> &str {
    match release.split('.').next().unwrap_or(release) {
        "2016" | "2017" | "2018" => "1",
        major => major,
    }
}

/// `3.20` of `3.20.3`; a release that is being made is `edge`: `3.21_alpha20240807`, `3.21.0_alpha…`.
fn minor(release: &str) -> String {
    if release.contains("_alpha") || release == "edge" {
        return "edge".to_owned();
    }
    let release = release.strip_prefix('v').unwrap_or(release);
    let mut parts = release.split('.');
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => format!("{major}.{minor}"),
        _ => release.to_owned(),
    }
}

fn is_release(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_digit()) || matches!(text, "edge" | "sid")
}

fn proper_name(name: &str) -> &str {
    OTHER_NAMES.iter().find(|(it, _)| *it == name).map_or(name, |(_, id)| id)
}

/// Could a package of that type without a namespace be the distribution's own?
fn could_use(distro: &Distro, kind: &str) -> bool {
    let own = match order::of(&Space::of(&distro.id)).map(Order::id) {
        Some("dpkg") => "deb",
        Some("apk") => "apk",
        Some("rpm") => "rpm",
        Some("pacman") => "alpm",
        // Nobody publishes for it, so nothing can be matched by mistake.
        _ => kind,
    };
    own == kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<'d>(purl: &str, distro: impl Into<Option<&'d Distro>>, expect: &str) {
        let purl: Purl = purl.parse().unwrap();
        let spaces = System::of(&purl, distro.into()).map_or_else(String::new, |system| {
            let spaces: Vec<String> = system.spaces().iter().map(Space::to_string).collect();
            spaces.join(" ")
        });
        assert_eq!(spaces, expect);
    }

    fn distro(id: &str, version: &str, codename: &str) -> Distro {
        let text = |it: &str| (!it.is_empty()).then(|| it.to_owned());
        Distro {
            id: id.to_owned(),
            version: text(version),
            codename: text(codename),
            ..Distro::default()
        }
    }

    #[test]
    fn by_the_packages_own_word() {
        check("pkg:deb/debian/a@1?distro=debian-12", None, "debian:12");
        check("pkg:deb/debian/a@1?distro=debian-12.5", None, "debian:12");
        check("pkg:deb/debian/a@1?distro=bookworm", None, "debian:12");
        check("pkg:deb/debian/a@1?distro=debian-bookworm", None, "debian:12");
        check("pkg:deb/debian/a@1?distro=sid", None, "debian:sid");
        check("pkg:deb/ubuntu/a@1?distro=ubuntu-22.04", None, "ubuntu:22.04");
        check("pkg:deb/ubuntu/a@1?distro=jammy", None, "ubuntu:22.04");
        check("pkg:apk/alpine/a@1?distro=alpine-3.20.3", None, "alpine:3.20");
        check("pkg:apk/alpine/a@1?distro=3.20.3", None, "alpine:3.20");
        check("pkg:apk/alpine/a@1?distro=alpine-3.21.0_alpha20240807", None, "alpine:edge");
        check("pkg:apk/alpine/a@1?distro=alpine-edge", None, "alpine:edge");
        check("pkg:rpm/redhat/a@1?distro=rhel-9.4", None, "rhel:9");
        check("pkg:rpm/redhat/a@1?distro=redhat-9.4", None, "rhel:9");
        check("pkg:rpm/almalinux/a@1?distro=almalinux-9.4", None, "almalinux:9");
        check("pkg:rpm/amzn/a@1?distro=amzn-2018.03", None, "amzn:1");
        check("pkg:rpm/amzn/a@1?distro=amzn-2023", None, "amzn:2023");
        check("pkg:rpm/azurelinux/a@1?distro=azurelinux-3.0", None, "azurelinux:3.0");
        check(
            "pkg:rpm/opensuse/a@1?distro=opensuse-leap-15.5",
            None,
            "opensuse-leap:15.5 opensuse-leap:15 opensuse-leap",
        );
        check("pkg:apk/wolfi/a@1?distro=wolfi-20230201", None, "wolfi");
        check("pkg:alpm/arch/a@1?distro=arch", None, "arch");
    }

    #[test]
    fn by_the_namespace_and_the_image() {
        check("pkg:deb/debian/a@1", None, "debian");
        check("pkg:deb/debian/a@1", &distro("debian", "12", ""), "debian:12");
        check("pkg:deb/debian/a@1", &distro("ubuntu", "22.04", ""), "debian");
        check("pkg:deb/debian/a@1?distro=debian", &distro("debian", "", "trixie"), "debian:13");
        check("pkg:deb/debian/a@1?distro=debian", &distro("debian", "", "sid"), "debian:sid");
        check("pkg:deb/debian/a@1?distro=debian-11", &distro("debian", "12", ""), "debian:11");
        check("pkg:rpm/redhat/a@1", &distro("rhel", "9.4", ""), "rhel:9");
        check(
            "pkg:rpm/opensuse/a@1",
            &distro("opensuse-tumbleweed", "", ""),
            "opensuse-tumbleweed",
        );
        check("pkg:rpm/a@1", &distro("rocky", "9.3", ""), "rocky:9");
        check("pkg:rpm/a@1", None, "");
        check("pkg:apk/wolfi/a@1", None, "wolfi");
    }
}
